"""Indices behind aliases: made where missing, compared with the mappings, replaced by a rebuilt one in one step."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from services.common.errors import Reject, Stop
from services.common.search import Kind
from services.common.search.elastic_client import Client
from services.common.search.indices import KINDS, alias, definition, index_name, number_of, pattern, version

_PRIORITY = 200


def path(name: str) -> str:
    """Return a name as one part of a path."""
    return quote(name, safe="*,")


class Indices:
    """Makes and swaps the indices of one prefix."""

    def __init__(self, client: Client, prefix: str, *, refresh: str = "1s") -> None:
        self._client = client
        self._prefix = prefix
        self._refresh = refresh

    async def prepare(self) -> None:
        """Make what is missing; raises Stop when what is there does not fit the mappings."""
        for kind in KINDS:
            await self._template(kind)
            if not await self.current(kind):
                await self._first(kind)
            else:
                await self._fit(kind)

    async def _template(self, kind: Kind) -> None:
        template = {
            "index_patterns": [pattern(self._prefix, kind)],
            "priority": _PRIORITY,
            "template": definition(kind),
            "_meta": {"made_by": "watercooler"},
        }
        await self._client.ask("PUT", f"/_index_template/{path(alias(self._prefix, kind))}", template)

    async def _first(self, kind: Kind) -> None:
        """Make the first index with its alias. Two services may do so at once: the second finds it made."""
        name = alias(self._prefix, kind)
        if await self._client.there(f"/{path(name)}"):
            raise Stop(f"Elasticsearch has an index named {name}, where an alias must be; delete or rename that index")
        await self._make(kind, index_name(self._prefix, kind, 1), {name: {"is_write_index": True}})

    async def _make(self, kind: Kind, index: str, aliases: Mapping[str, Any]) -> None:
        body = {"aliases": aliases, "settings": {"refresh_interval": self._refresh}}
        try:
            await self._client.ask("PUT", f"/{path(index)}", body)
        except Reject as error:
            if "already exists" not in str(error):
                raise Stop(f"Elasticsearch does not make the index {index}: {error}") from error

    async def _fit(self, kind: Kind) -> None:
        index = await self.current(kind)
        found = await self._client.ask("GET", f"/{path(index)}/_mapping")
        there = found[index]["mappings"].get("_meta", {}).get("version")
        if there != version(kind):
            raise Stop(
                f"index {index} has mapping version {there}, this program version {version(kind)};"
                " run `watercooler reindex`"
            )
        try:  # Elasticsearch itself is the judge of whether new fields fit: it adds them or says what is in the way
            await self._client.ask("PUT", f"/{path(index)}/_mapping", definition(kind)["mappings"])
        except Reject as error:
            raise Stop(f"index {index} does not fit the mapping; run `watercooler reindex` ({error})") from error

    async def current(self, kind: Kind) -> str:
        """Return the index behind the alias; empty when there is none."""
        found = await self._client.there(f"/_alias/{path(alias(self._prefix, kind))}")
        return max(found, default="")

    async def all(self, kind: Kind) -> list[str]:
        """Return all indices of a kind, whether behind the alias or not, by number."""
        found = await self._client.there(f"/{path(pattern(self._prefix, kind))}")
        return sorted(found, key=number_of)

    async def new(self, kind: Kind) -> str:
        """Make an index to be filled, without refreshing and replicas meanwhile; return its name."""
        await self._template(kind)
        numbers = [number_of(name) for name in await self.all(kind)]
        index = index_name(self._prefix, kind, max(numbers, default=0) + 1)
        await self._make(kind, index, {})
        await self._settings(index, {"refresh_interval": "-1", "auto_expand_replicas": False, "number_of_replicas": 0})
        return index

    async def swap(self, replacements: Mapping[Kind, str]) -> None:
        """Let the aliases point to other indices, all in one step that no reader or writer sees the middle of."""
        actions: list[dict[str, Any]] = []
        for kind, index in replacements.items():
            name = alias(self._prefix, kind)
            await self._settings(index, {"refresh_interval": self._refresh, "auto_expand_replicas": "0-1"})
            await self._client.ask("POST", f"/{path(index)}/_refresh")
            if old := await self.current(kind):
                actions.append({"remove": {"index": old, "alias": name}})
            actions.append({"add": {"index": index, "alias": name, "is_write_index": True}})
        await self._client.ask("POST", "/_aliases", {"actions": actions})

    async def _settings(self, index: str, settings: Mapping[str, Any]) -> None:
        await self._client.ask("PUT", f"/{path(index)}/_settings", {"index": settings})

    async def delete(self, index: str) -> None:
        """Delete an index that no alias points to."""
        await self._client.ask("DELETE", f"/{path(index)}")

    async def remove_all(self) -> None:
        """Delete all indices and templates of the prefix."""
        for kind in KINDS:
            for index in await self.all(kind):
                await self.delete(index)
            if await self._client.there(f"/_index_template/{path(alias(self._prefix, kind))}"):
                await self._client.ask("DELETE", f"/_index_template/{path(alias(self._prefix, kind))}")
