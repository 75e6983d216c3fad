"""The port to the log. Two adapters keep its promises: ``kafka`` and, for tests and tools, ``memory``.

Promises, checked by tests/contract/test_bus.py over both:

* ``publish`` returns when every record is stored in order per partition, and raises ``Unpublished`` otherwise;
* a group's consumer gives each record again until its offset is committed;
* a record's partition is murmur2 of its ``place``, as Java's default partitioner would choose for that key;
* records of one partition come in the order of their offsets;
* a record larger than its topic takes is a ``Reject`` of its own, and what was published with it is stored;
* no partition is left waiting while another has much to give;
* what is missing or away is ``Retry``, what a person must grant or mend is ``Stop``: nothing else is raised.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from services.common.envelope import Headers
from services.common.errors import WatercoolerError
from services.common.topics import Topic


class Partition(NamedTuple):
    """One partition of one topic, by full name."""

    topic: str
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A record to be published. ``place`` decides the partition; ``value`` None is a tombstone."""

    topic: str
    key: str
    value: bytes | None
    headers: Headers = ()
    place: str | None = None
    partition: int | None = None
    """Where the partition itself is known (dead letters, re-publication); wins over ``place``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A record that was read. ``timestamp`` is the broker's, in ms since 1970."""

    partition: Partition
    offset: int
    key: str
    value: bytes | None
    headers: Mapping[str, bytes]
    timestamp: int


class Unpublished(WatercoolerError):
    """Some records were not stored. ``failures`` pairs each of them with its error (Retry, Reject or Stop)."""

    def __init__(self, failures: Sequence[tuple[Outgoing, WatercoolerError]]) -> None:
        super().__init__(f"{len(failures)} records were not stored, first: {failures[0][1]}")
        self.failures = failures


OnPartitions = Callable[[frozenset[Partition]], Awaitable[None]]


class Publisher(Protocol):
    """Writes records, idempotently, acknowledged by all replicas."""

    async def publish(self, records: Iterable[Outgoing]) -> None:
        """Return once all are stored; raise Unpublished for those that were not."""

    async def stop(self) -> None:
        """Send what is buffered and close."""


class Consumer(Protocol):
    """A member of a consumer group. Reads committed records only. Offsets move by ``commit`` alone."""

    async def poll(self, *, limit: int, wait: float) -> Sequence[Received]:
        """Return up to ``limit`` records of partitions that are not paused, waiting up to ``wait`` seconds for one."""

    def pause(self, partitions: Iterable[Partition]) -> None:
        """Give no records of these until resumed. Polling goes on, so the group keeps the member.

        A partition that comes anew after a rebalance is not paused. Like ``resume`` it passes over what this member
        does not have (any more): a rebalance may come between any two lines.
        """

    def resume(self, partitions: Iterable[Partition]) -> None:
        """Give records of these again."""

    async def commit(self, offsets: Mapping[Partition, int]) -> None:
        """Store the offset of the next record to read, per partition."""

    def assignment(self) -> frozenset[Partition]:
        """Return the partitions that this member has now."""

    async def lag(self) -> Mapping[Partition, int]:
        """Return per assigned partition how many records lie between the position and the end."""

    async def stop(self) -> None:
        """Leave the group at once."""


class Reader(Protocol):
    """Reads partitions from any offset, without a group: views, streams, tools. Reads committed records only."""

    async def start_at(self, offsets: Mapping[Partition, int]) -> None:
        """Read these partitions from these offsets on (instead of any before)."""

    async def poll(self, *, limit: int, wait: float) -> Sequence[Received]:
        """As Consumer.poll."""

    async def position(self, partition: Partition) -> int:
        """Return the offset of the next record to be given."""

    async def bounds(self, topic: str) -> Mapping[Partition, tuple[int, int]]:
        """Return per partition the first offset kept and the end (the offset of the next record to be stored)."""

    async def offsets_at(self, topic: str, timestamp: int) -> Mapping[Partition, int]:
        """Return per partition the first offset stored at or after ``timestamp`` (ms); the end where there is none."""

    async def stop(self) -> None:
        """Close."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """How one topic differs from the table. ``wanted`` None: not in the table; ``found`` None: not there."""

    topic: str
    setting: str
    wanted: str | None
    found: str | None


class Admin(Protocol):
    """Creates and compares topics."""

    async def diff(self, topics: Iterable[Topic]) -> Sequence[Difference]:
        """Return what differs; empty when all is as the table says."""

    async def apply(self, topics: Iterable[Topic]) -> Sequence[Difference]:
        """Create what is missing, mend settings; return what was changed. Partitions never change: raises Stop."""

    async def incarnation(self, topic: str) -> str:
        """Return an id that changes when a topic is deleted and made again."""

    async def stop(self) -> None:
        """Close."""


class Bus(Protocol):
    """The log. Makes the parts above; each is the caller's to stop."""

    prefix: str

    async def publisher(self) -> Publisher: ...

    async def consumer(
        self,
        topics: Sequence[str],
        group: str,
        *,
        on_assigned: OnPartitions | None = None,
        on_revoked: OnPartitions | None = None,
    ) -> Consumer: ...

    async def reader(self, *, unhurried: bool = False) -> Reader:
        """Return a reader; an ``unhurried`` one gets what comes up to half a second later, in fewer pieces."""

    async def admin(self) -> Admin: ...
