"""Who may open what, as the grants index says it: looked up inside queries, and asked directly for single documents."""

from collections.abc import Collection, Sequence
from time import monotonic
from typing import Any

from services.common.search.elastic_bulk import document_id
from services.common.search.elastic_client import Client
from services.common.search.indices import alias

_KNOWN_FOR = 5.0
"""Seconds. A principal that has got one part more may miss the newest containers for so long; a part too many or
one withdrawn is looked up as it is, so nothing is ever shown for too long."""
_MANY = 1_000


def part_id(principal: str, part: int) -> str:
    """Return the id of a principal's grants document; ``part`` counts from 1."""
    return principal if part == 1 else f"{principal}#{part}"


class Grants:
    """Reads the grants index."""

    def __init__(self, client: Client, prefix: str) -> None:
        self._client = client
        self.index = alias(prefix, "grants")
        self._parts: dict[str, int] = {}
        self._known_at = -_KNOWN_FOR

    async def documents(self, principals: Sequence[str]) -> list[tuple[str, str]]:
        """Return (principal, document id) for each part of what these were granted."""
        if monotonic() - self._known_at > _KNOWN_FOR:
            await self._learn()
        return [
            (principal, document_id(part_id(principal, part)))
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
    ) -> tuple[frozenset[str], frozenset[str]]:
        """Return which of these containers and which of these objects the principals may open."""
        asked = {"containers": sorted(containers), "objects": sorted(objects)}
        body: dict[str, Any] = {
            "size": 0,
            "query": {"terms": {"principal": sorted(principals)}},
            "aggs": {
                name: {"terms": {"field": name, "include": values, "size": len(values)}}
                for name, values in asked.items()
                if values
            },
        }
        answer = await self._client.ask("POST", f"/{self.index}/_search", body)
        found = answer.get("aggregations", {})
        keys = {name: frozenset(b["key"] for b in found.get(name, {}).get("buckets", ())) for name in asked}
        return keys["containers"], keys["objects"]
