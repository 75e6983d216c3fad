"""A file in the import form -> enriched activities, oldest first, by the very steps that run live.

The steps that look nothing up are done in as many processes as there are processors; those that look something up need
the order and are done here. The first line that is wrong ends it: half a history would be judged without a word.
"""

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from multiprocessing import get_context

import orjson

from services.common.activitystreams import parse_line
from services.common.collecting import collect_seldom
from services.common.errors import Reject, Stop
from services.common.lines import LONGEST_LINE, bounded_line, broken_is_said, opened
from services.common.model import Activity, Enriched, micros
from services.enrich.draft import Draft
from services.enrich.pipeline import Knowledge, begin, complete

Told = Callable[[str, int, int], None]
"""Told what is being done, how much of it is done, and of how much (0: not known)."""
Numbered = tuple[int, bytes]

_BATCH = 2_000
_AHEAD = 4
_WORTH_PROCESSES = 20_000
"""Lines; a process needs a second or two to load what the steps need."""
_SOURCE = "import"
"""Source of activities that name none, as of `watercooler import`."""


@dataclass(frozen=True, slots=True)
class History:
    """A file's lines, oldest first, each with its number; ``first`` and ``last`` are times in micros."""

    path: str
    lines: Sequence[Numbered]
    first: int
    last: int


def opened_history(path: str, told: Told) -> History:
    """Return the lines of a file. Raises Stop with the number of a line that has no time or is no JSON."""
    found: list[tuple[datetime, Numbered]] = []
    number = 0
    with opened(path) as lines, broken_is_said("the lines that could be read", "get it again"):
        while line := bounded_line(lines):
            number += 1
            if line.strip():
                found.append((_time(path, number, line), (number, line)))
            if number % 20_000 == 0:
                told("reading", number, 0)
    if not found:
        raise Stop(f"{path} holds no activities; it has to be in the form that docs/import-form.md describes")
    told("reading", number, number)
    found.sort(key=lambda pair: pair[0])
    return History(path, [numbered for _, numbered in found], micros(found[0][0]), micros(found[-1][0]))


def read(history: History, told: Told) -> Iterator[list[Enriched]]:
    """Yield the activities enriched, in batches, oldest first, each id once. Raises Stop with a wrong line."""
    lines = history.lines
    batches = [lines[start : start + _BATCH] for start in range(0, len(lines), _BATCH)]
    knowledge, seen, done = Knowledge(), set[str](), 0
    for drafts in _begun(history.path, batches):
        fresh = []
        for draft in drafts:
            if draft.activity.id not in seen:  # live, a repetition is dropped as well
                seen.add(draft.activity.id)
                fresh.append(draft)
        yield complete(fresh, knowledge)
        done += len(drafts)
        told("replaying", done, len(lines))


def _time(path: str, number: int, line: bytes) -> datetime:
    try:
        at = datetime.fromisoformat(orjson.loads(line)["published"])
        if at.tzinfo is not None:
            return at
    except (ValueError, TypeError, KeyError):
        pass  # said in full below, or it is a form of time that only the reader of the import form knows
    return _activity(path, number, line).published


def _activity(path: str, number: int, line: bytes) -> Activity:
    try:
        if len(line) > LONGEST_LINE:
            raise Reject(f"it is longer than the {LONGEST_LINE} bytes that a line may have")
        return parse_line(line, source=_SOURCE)
    except Reject as error:
        raise Stop(f"{path}, line {number}: {error}") from error


def _drafts(path: str, lines: Sequence[Numbered]) -> list[Draft]:
    return begin([_activity(path, *numbered) for numbered in lines])


def _begun(path: str, batches: Sequence[Sequence[Numbered]]) -> Iterator[list[Draft]]:
    """Yield the drafts of each batch, in order."""
    processes = os.cpu_count() or 1
    if processes == 1 or sum(map(len, batches)) < _WORTH_PROCESSES:
        yield from (_drafts(path, batch) for batch in batches)
        return
    with ProcessPoolExecutor(processes, get_context("spawn"), collect_seldom) as pool:
        pending: deque[Future[list[Draft]]] = deque()
        try:
            for batch in batches:
                pending.append(pool.submit(_drafts, path, batch))
                if len(pending) > _AHEAD:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)
