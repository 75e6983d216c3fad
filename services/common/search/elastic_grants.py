"""Who may open what, as the grants index says it: looked up inside queries, and asked directly for single documents."""

from collections.abc import Collection, Mapping, Sequence
from time import monotonic
from typing import Any

from services.common.search import MARKED, part_id
from services.common.search.elastic_bulk import document_id
from services.common.search.elastic_client import Client
from services.common.search.indices import alias
from services.common.search.pages import Granted

_KNOWN_FOR = 5.0
"""Seconds. A principal that has got one part more may miss the newest containers for so long; a part too many or
one withdrawn is looked up as it is, so nothing is ever shown for too long."""
_MANY = 1_000


class Grants:
    """Reads the grants index."""

    def __init__(self, client: Client, prefix: str) -> None:
        self._client = client
        self.index = alias(prefix, "grants")
        self._parts: dict[str, int] = {}
        self._known_at = -_KNOWN_FOR

    async def documents(self, principals: Sequence[str]) -> list[str]:
        """Return the ids of the grants documents of these principals, all parts."""
        if monotonic() - self._known_at > _KNOWN_FOR:
            await self._learn()
        return [
            document_id(part_id(principal, part))
            for principal in dict.fromkeys(principals)
            for part in range(1, self._parts.get(principal, 1) + 1)
        ]

    async def _learn(self) -> None:
        body = {"size": _MANY, "query": {"range": {"parts": {"gt": 1}}}, "_source": ["principal", "parts"]}
        answer = await self._client.ask("POST", f"/{self.index}/_search", body)
        self._parts = {hit["_source"]["principal"]: hit["_source"]["parts"] for hit in answer["hits"]["hits"]}
        self._known_at = monotonic()

    async def granted(
        self, principals: Collection[str], containers: Collection[str], objects: Collection[str]
    ) -> Granted:
        """Return which of these containers and objects the principals may open, and which objects are restricted."""
        asked = {"containers": sorted(containers), "objects": sorted(objects)}
        among = {name: _among(name, values) for name, values in asked.items() if values}
        body = {
            "size": 0,
            "query": {"terms": {"principal": sorted({*principals, MARKED})}},
            "aggs": {
                "granted": {"filter": {"terms": {"principal": sorted(set(principals) - {MARKED})}}, "aggs": among},
                "marked": {"filter": {"term": {"principal": MARKED}}, "aggs": among},
            },
        }
        found = (await self._client.ask("POST", f"/{self.index}/_search", body))["aggregations"]
        return Granted(
            containers=_keys(found["granted"], "containers"),
            objects=_keys(found["granted"], "objects"),
            marked=_keys(found["marked"], "objects"),
        )


def _among(field: str, values: Sequence[str]) -> dict[str, Any]:
    return {"terms": {"field": field, "include": values, "size": len(values)}}


def _keys(found: Mapping[str, Any], name: str) -> frozenset[str]:
    return frozenset(bucket["key"] for bucket in found.get(name, {}).get("buckets", ()))
