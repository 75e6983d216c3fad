"""What changed, in the order of the wiki's clock: revisions from one list, log entries from another, merged."""

from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass, field
from typing import Any

from services.ingest.connectors.mediawiki.api import LOG, WikiApi
from services.ingest.connectors.mediawiki.parse import LOG_TYPES
from services.ingest.connectors.mediawiki.site import instant, second_of, timestamp_of

REVISION, ENTRY = 0, 1


@dataclass(frozen=True, slots=True, order=True)
class Change:
    """One revision or log entry. Within a second, revisions come first (see ``site.log_order``), then by number."""

    second: int
    kind: int
    number: int
    row: dict[str, Any] = field(compare=False)


class Changes:
    """The lists of one wiki, limited to some namespaces unless there are none named."""

    def __init__(self, api: WikiApi, namespaces: Collection[int]) -> None:
        self._api = api
        self._namespaces = frozenset(namespaces)

    async def oldest_recent(self) -> int | None:
        """Second of the oldest recent change that the wiki still lists; None when it lists none."""
        async for row in self._api.rows("recentchanges", rcdir="newer", rclimit="1", rcprop="timestamp"):
            return second_of(instant(row["timestamp"]))
        return None

    async def recent(self, since: int) -> AsyncIterator[Change]:
        """Yield what the recent changes and the logs say since a second, up to the last second that is over."""
        fixed = {"rcdir": "newer", "rcstart": timestamp_of(since), "rclimit": "max", "rctype": "edit|new"}
        rows = self._api.rows("recentchanges", **fixed, rcprop="ids|title|timestamp")
        async for change in self._until_now(self._revisions(rows), self._entries(since)):
            yield change

    async def history(self, since: int = 0) -> AsyncIterator[Change]:
        """Yield what the revisions of living pages and the logs say since a second: works when recent changes do not.

        These revisions include those that the wiki writes by itself (see ``parse.is_news``).
        """
        async for change in self._until_now(self._revisions(self._all_revisions(since)), self._entries(since)):
            yield change

    async def _all_revisions(self, since: int) -> AsyncIterator[dict[str, Any]]:
        fixed = {"arvdir": "newer", "arvlimit": "max", "arvprop": "ids|timestamp"}
        start = {"arvstart": timestamp_of(since)} if since else {}
        async for page in self._api.rows("allrevisions", **fixed, **start):
            for row in page["revisions"]:
                yield {**row, "pageid": page["pageid"], "ns": page["ns"]}

    async def _revisions(self, rows: AsyncIterator[dict[str, Any]]) -> AsyncIterator[Change]:
        async for row in rows:
            if self._wanted(row.get("ns")):
                yield Change(second_of(instant(row["timestamp"])), REVISION, row["revid"], row)

    async def _entries(self, since: int) -> AsyncIterator[Change]:
        start = {"lestart": timestamp_of(since)} if since else {}
        async for row in self._api.rows("logevents", ledir="newer", lelimit="max", leprop=LOG, **start):
            spaces = (row.get("ns"), row.get("params", {}).get("target_ns") if row.get("params") else None)
            if row.get("type") in LOG_TYPES and any(self._wanted(space) for space in spaces):
                yield Change(second_of(instant(row["timestamp"])), ENTRY, row["logid"], row)

    def _wanted(self, namespace: object) -> bool:
        return not self._namespaces or namespace in self._namespaces

    async def _until_now(self, *streams: AsyncIterator[Change]) -> AsyncIterator[Change]:
        """Merge, leaving the running second to the next look: not all that belongs to it is there yet."""
        running = second_of(instant(await self._api.time()))
        async for change in merged(*streams):
            if change.second >= running:
                return
            yield change


async def merged(*streams: AsyncIterator[Change]) -> AsyncIterator[Change]:
    """Yield the changes of several ordered streams in order, holding one of each."""
    heads: list[tuple[Change, int]] = []
    for number, stream in enumerate(streams):
        if (head := await anext(stream, None)) is not None:
            heads.append((head, number))
    while heads:
        smallest = min(heads)
        change, number = smallest
        yield change
        heads.remove(smallest)
        if (head := await anext(streams[number], None)) is not None:
            heads.append((head, number))
