"""Changes -> activities: fetches what each change needs and hands it to ``parse``."""

from collections.abc import AsyncIterator, Iterator, Sequence

from services.common.model import Activity, Method
from services.ingest.connectors.mediawiki import parse
from services.ingest.connectors.mediawiki.api import Row, WikiApi
from services.ingest.connectors.mediawiki.changes import ENTRY, Change
from services.ingest.connectors.mediawiki.site import Site


class Reader:
    """Turns the changes of one wiki into activities, the same ones however the changes were found."""

    def __init__(self, site: Site, api: WikiApi, page_size: int) -> None:
        self._site = site
        self._api = api
        self._page_size = page_size

    async def batches(
        self, changes: AsyncIterator[Change], method: Method
    ) -> AsyncIterator[tuple[list[Activity], int]]:
        """Yield activities in order, each batch with the second up to which everything before it is done."""
        waiting: list[int] = []
        second = 0
        async for change in changes:
            if waiting and (change.kind == ENTRY or len(waiting) >= self._page_size):
                yield await self._of_revisions(waiting, method), second
                waiting = []
            second = change.second
            if change.kind != ENTRY:
                waiting.append(change.number)
            elif parse.brings_revisions(change.row):
                async for some in self._brought(change.row, method):
                    yield some, second
            else:
                yield await self._of_entry(change.row, method), second
        if waiting:
            yield await self._of_revisions(waiting, method), second

    async def _brought(self, entry: Row, method: Method) -> AsyncIterator[list[Activity]]:
        """All revisions of an uploaded or imported page, in portions."""
        numbers: list[int] = []
        async for number in self._api.history_of(entry.get("logpage", 0)):
            numbers.append(number)
            if len(numbers) == self._page_size:
                yield await self._of_revisions(numbers, method)
                numbers = []
        yield await self._of_revisions(numbers, method)

    async def _of_revisions(self, numbers: Sequence[int], method: Method) -> list[Activity]:
        found = await self._api.revisions(numbers)
        rows = [found[number] for number in numbers if number in found]  # the others were deleted since
        sha1_of = await self._sha1_of([row for _, row in rows])
        return [parse.revision(self._site, page, row, method) for page, row in rows if parse.is_news(row, sha1_of)]

    async def _sha1_of(self, rows: Sequence[Row]) -> dict[int, str]:
        known = parse.hashes(rows)
        parents = await self._api.revisions(parse.unknown_parents(rows, known), "ids|sha1")
        return known | parse.hashes(row for _, row in parents.values())

    async def _of_entry(self, entry: Row, method: Method) -> list[Activity]:
        # Before the withdrawal: what is hidden beside the text (who, why) is replaced by the revision as shown now.
        again = await self._of_revisions(parse.hidden_revisions(entry), method)
        page, row = await self._shown_after(entry)
        activity = parse.log_entry(self._site, entry, page, row, method)
        return [*again, activity] if activity else again

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
