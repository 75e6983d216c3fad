"""A week of the protocol: who may be recommended what, and what came of it. docs/evaluate.md says the same in words."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from services.enrich.judge.world import DAY, Engaged, Flags, Ints, Mentioned, World

HISTORY = 365 * DAY
"""H reaches this far back before T."""
WEEK = 7 * DAY
FOUND_WITHIN = 14 * DAY
ACTIVE_WITHIN = 60 * DAY
SILENCE = 7 * DAY
LEAST_ACTIONS = 20
LEAST_AT_HOME = 3
SHARE_AT_HOME = 0.01
NEVER = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True)
class Week:
    """The pairs of one week: people (rows, n) and new objects (columns, m). ``start`` is T, in micros.

    ``triggers`` has the event by which each object comes up, ``at`` its time. ``candidates`` are the unexpected pairs
    that are ranked, and every other table of flags is a part of it. ``found`` is when a person engaged or was
    summoned, in micros (NEVER where neither happened).
    """

    start: int
    people: Ints
    actions: Ints
    objects: Ints
    containers: Ints
    triggers: Ints
    at: Ints
    candidates: Flags
    engaged: Flags
    summoned: Flags
    zero: Flags
    zero_stranger: Flags
    found: Ints

    @property
    def positive(self) -> Flags:
        """Who engaged or was summoned; shape (n, m)."""
        return self.engaged | self.summoned


def mondays(first: int, last: int) -> range:
    """Return the Mondays 00:00 UTC (micros) of the whole weeks within first <= time < last (micros)."""
    origin = 4 * DAY  # 1970-01-05 was a Monday
    start = first + (origin - first) % WEEK
    return range(start, max(start, last - WEEK + 1), WEEK)


def weeks(world: World, starts: Sequence[int]) -> Iterator[Week]:
    """Yield the weeks that begin at these times (micros)."""
    for start in starts:
        yield week(world, start)


def week(world: World, start: int) -> Week:
    """Return the week that begins at ``start`` (T, micros)."""
    people, actions = eligible(world, start)
    objects, first = _triggers(world, start)
    pairs = _Pairs(world, people, objects)
    containers = world.engaged.container[first]
    triggers, at = world.engaged.event[first], world.engaged.time[first]
    there = _actions_there(world, start, people, containers)
    home = there >= np.maximum(LEAST_AT_HOME, SHARE_AT_HOME * actions)[:, None]
    candidates = ~(home | pairs.touched(start) | pairs.by_trigger(start, triggers))
    engaged_at, summoned_at = pairs.outcome(start, triggers, at)
    summoned = candidates & (summoned_at < engaged_at)
    zero = candidates & (there == 0)
    return Week(
        start=start,
        people=people,
        actions=actions,
        objects=objects,
        containers=containers,
        triggers=triggers,
        at=at,
        candidates=candidates,
        engaged=candidates & (engaged_at < NEVER) & ~summoned,
        summoned=summoned,
        zero=zero,
        zero_stranger=zero & ~_acquainted(world, start, people, triggers),
        found=pairs.times(np.minimum(engaged_at, summoned_at)),
    )


def eligible(world: World, start: int) -> tuple[Ints, Ints]:
    """Return who counts as a person, at least 20 actions in H and the last within 60 days, and how often they acted."""
    engaged = world.engaged
    history = engaged.between(start - HISTORY, start)
    actions = np.bincount(engaged.person[history], minlength=len(world.people))
    recent = np.zeros(len(world.people), dtype=bool)
    recent[engaged.person[engaged.between(start - ACTIVE_WITHIN, start)]] = True
    people = np.flatnonzero((actions >= LEAST_ACTIONS) & recent)
    return people, actions[people]


def _triggers(world: World, start: int) -> tuple[Ints, Ints]:
    """Return the objects that come up in (T, T + 7 d], and the row of the first engagement of each."""
    engaged = world.engaged
    rows = engaged.between(start + 1, start + WEEK + 1)
    objects, first = np.unique(engaged.object[rows], return_index=True)
    before = np.unique(engaged.object[engaged.between(start - SILENCE, start + 1)])
    new = ~(world.threads[objects] & np.isin(objects, before))
    return objects[new], first[new] + rows.start


def _actions_there(world: World, start: int, people: Ints, containers: Ints) -> Ints:
    """Return how often each person acted in each object's container over H; shape (n, m)."""
    engaged = world.engaged
    history = engaged.between(start - HISTORY, start)
    counts = sparse.coo_array(
        (np.ones(history.stop - history.start, dtype=np.int64), (engaged.person[history], engaged.container[history])),
        shape=(len(world.people), len(world.containers)),
    ).tocsr()
    table: Ints = counts[people].toarray()[:, containers]
    return table


def _acquainted(world: World, start: int, people: Ints, triggers: Ints) -> Flags:
    """Return who has ever shared an object with an author of the trigger; shape (n, m)."""
    engaged = world.engaged
    before = slice(0, engaged.between(0, start).stop)
    shape = (len(world.people), len(world.objects))
    ones = np.ones(before.stop, dtype=np.float32)
    took_part = sparse.coo_array((ones, (engaged.person[before], engaged.object[before])), shape=shape).tocsr()
    authors = authors_of(world, triggers)
    shared = (took_part[people] @ (authors @ took_part).T).toarray()
    return np.asarray(shared > 0)


def authors_of(world: World, triggers: Ints) -> sparse.csr_array:
    """Return who engages by each trigger, co-authors too: ones in a table of shape (m, people)."""
    engaged = world.engaged
    start, end = np.searchsorted(engaged.event, triggers), np.searchsorted(engaged.event, triggers, side="right")
    rows = np.concatenate([np.arange(a, b) for a, b in zip(start, end, strict=True)] or [np.zeros(0, dtype=np.int64)])
    number = np.repeat(np.arange(len(triggers)), end - start)
    found = sparse.coo_array(
        (np.ones(len(rows), dtype=np.float32), (number, engaged.person[rows])), shape=(len(triggers), len(world.people))
    ).tocsr()
    found.data[:] = 1.0
    return found


class _Pairs:
    """Finds a week's pairs among engagements and mentions."""

    def __init__(self, world: World, people: Ints, objects: Ints) -> None:
        self._world = world
        self._row = np.full(len(world.people), -1)
        self._row[people] = np.arange(len(people))
        self._column = np.full(len(world.objects), -1)
        self._column[objects] = np.arange(len(objects))
        self._shape = (len(people), len(objects))

    def _of(self, people: Ints, objects: Ints) -> tuple[NDArray[np.intp], Ints, Ints]:
        """Return which entries are pairs of this week, and their rows and columns."""
        rows, columns = self._row[people], self._column[objects]
        kept = np.flatnonzero((rows >= 0) & (columns >= 0))
        return kept, rows[kept], columns[kept]

    def touched(self, start: int) -> Flags:
        """Return who engaged in the object at any time up to T."""
        engaged = self._world.engaged
        before = slice(0, engaged.between(0, start + 1).stop)
        _, rows, columns = self._of(engaged.person[before], engaged.object[before])
        return self._flags(rows, columns)

    def by_trigger(self, start: int, triggers: Ints) -> Flags:
        """Return who authored the trigger, or is mentioned in it."""
        flags = np.zeros(self._shape, dtype=bool)
        for table in (self._world.engaged, self._world.mentioned):
            span = table.between(start + 1, start + WEEK + 1)
            kept, rows, columns = self._of(table.person[span], table.object[span])
            same = table.event[span][kept] == triggers[columns]
            flags |= self._flags(rows[same], columns[same])
        return flags

    def outcome(self, start: int, triggers: Ints, at: Ints) -> tuple[Ints, Ints]:
        """Return the event by which each person first engaged, and by which somebody else first mentioned them there.

        Both after the trigger and within 14 days of it; NEVER where there is none. Events are numbered by time, so the
        smaller number came first.
        """
        engaged, mentioned = self._world.engaged, self._world.mentioned
        anyone = np.full(len(engaged.person), -1)
        return (
            self._first(engaged, anyone, start, triggers, at),
            self._first(mentioned, mentioned.by, start, triggers, at),
        )

    def _first(self, table: Engaged | Mentioned, by: Ints, start: int, triggers: Ints, at: Ints) -> Ints:
        span = table.between(start + 1, start + WEEK + FOUND_WITHIN + 1)
        kept, rows, columns = self._of(table.person[span], table.object[span])
        event, time = table.event[span][kept], table.time[span][kept]
        counts = (event > triggers[columns]) & (time <= at[columns] + FOUND_WITHIN)
        counts &= by[span][kept] != table.person[span][kept]
        first = np.full(self._shape, NEVER)
        np.minimum.at(first, (rows[counts], columns[counts]), event[counts])
        return first

    def times(self, events: Ints) -> Ints:
        """Return the times of events in micros; NEVER stays."""
        found = np.full(self._shape, NEVER)
        known = events < NEVER
        engaged = self._world.engaged
        found[known] = engaged.time[np.searchsorted(engaged.event, events[known])]
        return found

    def _flags(self, rows: Ints, columns: Ints) -> Flags:
        flags = np.zeros(self._shape, dtype=bool)
        flags[rows, columns] = True
        return flags
