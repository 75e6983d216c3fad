"""Keeps the grants in the index as ``access.v1`` says them. It reads alone, so bulk indexing never holds it up.

It needs the whole topic, since what one principal may open lies in all partitions, and so it takes no part in a group:
it reads from the beginning at each start, writes all grants once, and from then on those that change.
"""

import asyncio
import random
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice

from services.common import logs, metrics, topics
from services.common.access import AccessState, Grants
from services.common.bus import Bus, Partition, Reader, Received
from services.common.codec import Codec
from services.common.errors import Reject, Retry, Stop
from services.common.records import access_in
from services.common.search import APPLIED, GRANT_LIMIT, MARKED, Outcome, Query, Search, Verdict, Write, part_id
from services.indexer.pressure import pause

_log = logs.get(__name__)
_POLL = 2_000
_LISTED = 500
_TERMS_AT_ONCE = 20_000


class GrantsWriter:
    """``load``, then ``follow`` for ever. Any number may run at once: all write the same in the end."""

    def __init__(self, bus: Bus, search: Search, *, part: int = GRANT_LIMIT) -> None:
        self._bus = bus
        self._search = search
        self._part = part
        self._topic = topics.ACCESS.name(bus.prefix)
        self._codec = Codec("access")
        self._state = AccessState()
        self._marked: set[str] = set()
        self._applied: dict[Partition, int] = {}
        self._parts: dict[str, int] = {}
        self._reader: Reader | None = None

    async def load(self) -> None:
        """Read all there is, and bring the index in line with it. Raises Retry when Kafka or the index is missing."""
        self._reader = reader = await self._bus.reader()
        bounds = await reader.bounds(self._topic)
        await reader.start_at({p: first for p, (first, _) in bounds.items()})
        self._applied = {p: first for p, (first, _) in bounds.items()}
        await self._read(reader)
        self._parts = await self._stored()
        await self._write(self._state.principals() | set(self._parts) | {MARKED})

    async def catch_up(self) -> None:
        """Write what has changed up to the end that the topic has now; for one who does not ``follow``."""
        assert self._reader is not None, "load first"
        await self._write(await self._read(self._reader))

    async def _read(self, reader: Reader) -> frozenset[str]:
        """Apply all up to the end that the topic has now; return the principals whose grants have changed."""
        ends = {p: end for p, (_, end) in (await reader.bounds(self._topic)).items()}
        changed: frozenset[str] = frozenset()
        while await self._behind(reader, ends):
            changed |= self._apply(await reader.poll(limit=_POLL, wait=0.2))
        return changed

    async def _behind(self, reader: Reader, ends: Mapping[Partition, int]) -> bool:
        for partition, end in ends.items():
            if await reader.position(partition) < end:
                return True
        return False

    async def follow(self) -> None:
        """Write what changes, for ever."""
        reader = self._reader
        assert reader is not None, "load first"
        while True:
            records = await reader.poll(limit=_POLL, wait=1.0)
            if records:
                await self._write(self._apply(records))
            try:
                await self._measure(reader)
            except Retry as error:
                _log.warning("the lag cannot be measured for now", reason=str(error))

    async def stop(self) -> None:
        """Close the reader."""
        if self._reader is not None:
            await self._reader.stop()

    def _apply(self, records: Sequence[Received]) -> frozenset[str]:
        changed: frozenset[str] = frozenset()
        for record in records:
            changed |= self._take(record)
            marked = self._state.restricted(record.key)
            if marked != (record.key in self._marked):
                (self._marked.add if marked else self._marked.discard)(record.key)
                changed |= {MARKED}
            self._applied[record.partition] = record.offset + 1
        return changed

    def _take(self, record: Received) -> frozenset[str]:
        if record.value is None:
            return self._state.forget(record.key)
        try:
            return self._state.apply(access_in(self._codec.decode(record.value)))
        except (Reject, ValueError) as error:
            _log.error("access record cannot be read, so nobody may open it", id=record.key, reason=str(error))
            return self._state.close(record.key)

    async def _stored(self) -> dict[str, int]:
        """Return how many parts each principal has in the index."""
        parts: dict[str, int] = {}
        query = Query(kind="grants", principals=None, size=_LISTED)
        await self._search.refresh("grants")
        while True:
            page = await self._search.find(query)
            for hit in page.hits:
                principal = str(hit.document["principal"])
                parts[principal] = max(parts.get(principal, 1), int(hit.document.get("parts", 1)))
            if not page.next:
                return parts
            query = Query(kind="grants", principals=None, size=_LISTED, cursor=page.next)

    async def _write(self, principals: Iterable[str]) -> None:
        """Write the grants of these and then how far the topic is applied; waits for the index as long as it takes."""
        writes = [write for one in sorted(set(principals) - {APPLIED}) for write in self._grants(one)]
        for some in _batches(writes):
            await self._store(some)
        await self._store([self._position()])

    def _grants(self, principal: str) -> list[Write]:
        """Return the documents of one principal, large grants in parts; parts that are no longer needed are deleted.

        What shrinks must not be open for a moment longer than it takes, and the first part says how many there are.
        """
        objects = self._marked if principal == MARKED else self._state.grants_of(principal).objects
        granted = Grants(containers=self._state.grants_of(principal).containers, objects=frozenset(objects))
        chunks = list(_chunks(granted, self._part)) or [Grants()]
        before, self._parts[principal] = self._parts.get(principal, 0), len(chunks)
        if chunks == [Grants()]:
            del self._parts[principal]
            return [_deletion(principal, part) for part in range(1, before + 1)]
        documents = [_document(principal, n, len(chunks), chunk) for n, chunk in enumerate(chunks, start=1)]
        return documents + [_deletion(principal, part) for part in range(len(chunks) + 1, before + 1)]

    def _position(self) -> Write:
        offsets = [f"{p.number}:{offset}" for p, offset in sorted(self._applied.items())]
        return _document(APPLIED, 1, 1, Grants(objects=frozenset(offsets)))

    async def _store(self, writes: Sequence[Write]) -> None:
        attempt = 0
        while writes:
            attempt += 1
            try:
                writes, reason = _left(writes, await self._search.write(writes))
            except Retry as error:
                reason = str(error)
            if writes:
                _log.warning("grants are not written; trying again", reason=reason)
                await asyncio.sleep(min(5.0, pause(attempt, random.random)))

    async def _measure(self, reader: Reader) -> None:
        for partition, (_, end) in (await reader.bounds(self._topic)).items():
            lag = max(0, end - self._applied.get(partition, 0))
            metrics.LAG_RECORDS.labels("indexer-access", partition.topic, str(partition.number)).set(lag)


def _chunks(granted: Grants, limit: int) -> Iterable[Grants]:
    containers, objects = iter(sorted(granted.containers)), iter(sorted(granted.objects))
    while True:
        some, others = frozenset(islice(containers, limit)), frozenset(islice(objects, limit))
        if not some and not others:
            return
        yield Grants(containers=some, objects=others)


def _left(writes: Sequence[Write], outcomes: Sequence[Outcome]) -> tuple[list[Write], str]:
    """Return what has to be written again, and why; raises Stop where that would not help."""
    left: list[Write] = []
    reason = ""
    for write, outcome in zip(writes, outcomes, strict=True):
        if outcome.verdict is Verdict.PRESSURE:
            left.append(write)
            reason = outcome.reason
        elif outcome.verdict not in (Verdict.DONE, Verdict.STALE):
            raise Stop(f"the index does not take the grants of {write.id}: {outcome.reason}")
    return left, reason


def _batches(writes: Sequence[Write]) -> Iterable[Sequence[Write]]:
    """Return the writes in order, in batches that are bounded by the terms in them."""
    batch: list[Write] = []
    terms = 0
    for write in writes:
        batch.append(write)
        terms += 1 + sum(len((write.document or {}).get(name, ())) for name in ("containers", "objects"))
        if terms >= _TERMS_AT_ONCE:
            yield batch
            batch, terms = [], 0
    if batch:
        yield batch


def _document(principal: str, part: int, parts: int, granted: Grants) -> Write:
    document = {
        "id": part_id(principal, part),
        "principal": principal,
        "parts": parts,
        "containers": sorted(granted.containers),
        "objects": sorted(granted.objects),
    }
    return Write(kind="grants", id=part_id(principal, part), document=document)


def _deletion(principal: str, part: int) -> Write:
    return Write(kind="grants", id=part_id(principal, part), document=None)
