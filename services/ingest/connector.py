"""The contract that a connector keeps. A connector knows its source and this page, never Kafka.

A connector is a folder ``connectors/<name>/`` whose ``CONNECTOR`` (a ``Kind``) is an entry point in the group
``watercooler.connectors``. Everything it finds leaves it in batches; the runner publishes a batch, waits for Kafka's
acknowledgement, and only then stores the batch's cursor. So every batch may come again, and says the same then.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, runtime_checkable

from pydantic import BaseModel

from services.common.clock import Clock, now
from services.common.errors import Reject
from services.common.model import Access, Account, Activity, Container


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Something the source sent that cannot be mapped. ``key`` finds it there again; ``value`` is as it came."""

    key: str
    value: bytes
    error: Reject


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What was found, in the source's order. ``cursor`` (JSON, the connector's own) is where to go on after it.

    An empty ``cursor`` leaves the stored one as it is. ``complete`` ends a backfill for good. Notes are stored first,
    then access records, then accounts, then activities.
    """

    activities: Sequence[Activity] = ()
    access: Sequence[Access] = ()
    accounts: Sequence[Account] = ()
    failures: Sequence[Failure] = ()
    notes: Mapping[str, str] = field(default_factory=dict)
    """What has to be known again after a restart and cannot be asked of the source (``Tools.noted``). Each costs a
    record in Kafka and its place in memory for good: ids, never text, and few."""
    cursor: str = ""
    complete: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What the runner lends to a connector.

    ``mask`` returns a keyed hash (hex) of a personal value such as a mail address; ``state`` is a folder of the
    source's own for what can be fetched again; ``noted`` returns what an earlier batch noted under a key, or "".
    """

    source: str
    mask: Callable[[str], str]
    state: Path
    clock: Clock = now
    noted: Callable[[str], str] = lambda _: ""


class Connector(Protocol):
    """One open source. Raises Retry (later), Stop (a person must mend), Reject (this one thing not)."""

    async def discover(self) -> Sequence[Container]:
        """Return the containers to be read."""

    async def access(self, container: Container) -> Access:
        """Return who may open the container. Cheap: asked again and again."""

    async def accounts(self) -> Sequence[Account]:
        """Return the accounts that the source lists, with what it knows of them; empty where it lists none."""

    def backfill(self, container: Container, cursor: str) -> AsyncIterator[Batch]:
        """Yield the past of a container from ``cursor`` on (empty: from the beginning)."""

    def live(self, cursor: str) -> AsyncIterator[Batch]:
        """Yield what happens, for ever; from now on where ``cursor`` is empty. Pauses by itself between two looks."""

    def reconcile(self, container: Container) -> AsyncIterator[Batch]:
        """Yield what the stored state of a container may lack: gaps, edits, deletions. Called on a schedule."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One request of a source to us. Header names are in lower case; ``path`` is what follows the route's prefix."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    query: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What a delivery held. ``answer`` is the JSON body of the 2xx that is sent once Kafka has the batch."""

    batch: Batch = Batch()
    answer: Mapping[str, object] = field(default_factory=dict)
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


class Unverified(Reject):
    """The sender did not prove who it is. Nothing of the body was looked at."""


@runtime_checkable
class Receiver(Protocol):
    """A connector that takes deliveries, at ``/hooks/<source>``."""

    async def receive(self, delivery: Delivery) -> Receipt:
        """Verify in constant time, only then read; raises Unverified, or Reject with what is wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A connector as it is registered.

    ``prefixes`` are further paths of the webhook server whose deliveries belong to it, such as Matrix' application
    service API; of several sources of the kind, the one that verifies a delivery takes it.
    """

    name: str
    version: str
    settings: type[BaseModel]
    open: Callable[[BaseModel, Tools], AbstractAsyncContextManager[Connector]]
    prefixes: tuple[str, ...] = ()


async def nothing() -> AsyncIterator[Batch]:
    """Yield no batch: for a source that has no past, no live side, or nothing to reconcile."""
    no_batches: tuple[Batch, ...] = ()
    for batch in no_batches:
        yield batch
