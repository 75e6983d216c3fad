"""Changes -> activities: fetches what each change needs and hands it to ``parse``."""

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field

import orjson

from services.common.errors import Reject
from services.common.model import Activity, Method
from services.ingest.connector import Failure
from services.ingest.connectors.mediawiki import parse
from services.ingest.connectors.mediawiki.api import Row, WikiApi
from services.ingest.connectors.mediawiki.changes import ENTRY, Change
from services.ingest.connectors.mediawiki.site import Site


@dataclass(slots=True)
class Found:
    """What a few changes gave, in order; everything before ``second`` has been given by then."""

    second: int
    activities: list[Activity] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)

    def take(self, key: str, row: Row, parser: Callable[..., Activity | None], *arguments: object) -> None:
        """Add what the parser returns, or the failure when the row cannot be read."""
        try:
            activity = parser(*arguments)
        except Reject as error:
            self.failures.append(Failure(key=key, value=orjson.dumps(row), error=error))
            return
        if activity is not None:
            self.activities.append(activity)


class Reader:
    """Turns the changes of one wiki into activities, the same ones however the changes were found."""

    def __init__(self, site: Site, api: WikiApi, page_size: int) -> None:
        self._site = site
        self._api = api
        self._page_size = page_size

    async def found(self, changes: AsyncIterator[Change], method: Method) -> AsyncIterator[Found]:
        """Yield what the changes give, in portions."""
        waiting: list[int] = []
        second = 0
        async for change in changes:
            if waiting and (change.kind == ENTRY or len(waiting) >= self._page_size):
                yield await self._of_revisions(waiting, second, method)
                waiting = []
            second = change.second
            if change.kind != ENTRY:
                waiting.append(change.number)
            elif parse.brings_revisions(change.row):
                async for some in self._brought(change, method):
                    yield some
            else:
                yield await self._of_entry(change, method)
        if waiting:
            yield await self._of_revisions(waiting, second, method)

    async def _brought(self, change: Change, method: Method) -> AsyncIterator[Found]:
        """All revisions of an uploaded or imported page, in portions."""
        numbers: list[int] = []
        async for number in self._api.history_of(change.row["logpage"]):
            numbers.append(number)
            if len(numbers) == self._page_size:
                yield await self._of_revisions(numbers, change.second, method)
                numbers = []
        yield await self._of_revisions(numbers, change.second, method)

    async def _of_revisions(self, numbers: Sequence[int], second: int, method: Method) -> Found:
        found = Found(second)
        known = await self._api.revisions(numbers)
        shown = [known[number] for number in numbers if number in known]  # the others were deleted since
        sha1_of = await self._sha1_of([row for _, row in shown])
        for page, row in shown:
            if parse.is_news(row, sha1_of):
                key = f"rev/{row.get('revid')}"
                found.take(key, row, parse.revision, self._site, page, row, method)
                found.take(key, row, parse.suppressed, self._site, page, row, method)
        return found

    async def _sha1_of(self, rows: Sequence[Row]) -> dict[int, str]:
        known = parse.hashes(rows)
        parents = await self._api.revisions(parse.unknown_parents(rows, known), "ids|sha1")
        return known | parse.hashes(row for _, row in parents.values())

    async def _of_entry(self, change: Change, method: Method) -> Found:
        entry = change.row
        # Before the withdrawal: what is hidden beside the text (who, why) is replaced by the revision as shown now.
        found = await self._of_revisions(parse.hidden_revisions(entry), change.second, method)
        page, row = await self._shown_after(entry)
        found.take(f"log/{change.number}", entry, parse.log_entry, self._site, entry, page, row, method)
        return found

    async def _shown_after(self, entry: Row) -> tuple[Row | None, Row | None]:
        if not parse.needs_page(entry):
            return None, None
        found = await self._api.shown_at(entry["logpage"], entry["timestamp"])
        if found is None:
            return None, None
        page, rows = found
        return page, _written_by(entry, rows) if entry["type"] == "move" else rows[0]


def _written_by(entry: Row, rows: Sequence[Row]) -> Row:
    """The revision that a move wrote into the page's history, else the newest one."""
    known = parse.hashes(rows)
    notes = [row for row in rows if row["timestamp"] == entry["timestamp"] and parse.is_dummy(row, known)]
    return next(_naming(entry, notes), notes[-1] if notes else rows[0])


def _naming(entry: Row, rows: Sequence[Row]) -> Iterator[Row]:
    # Several moves may share a second; the wiki's note names both titles, whatever its language.
    titles = (f"[[{entry['title']}]]", f"[[{entry['params'].get('target_title')}]]")
    return (row for row in rows if all(title in row.get("comment", "") for title in titles))
