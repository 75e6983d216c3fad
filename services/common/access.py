"""Who may open what, and what the source has withdrawn: one answer for search, feeds, streams and the index.

Unknown means no: a container without a record, or with one that cannot be read, is nobody's.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from services.common import logs, topics
from services.common.bus import Bus, Received
from services.common.codec import Codec
from services.common.errors import Reject
from services.common.model import EVERY_VERSION, Access, AccessKind, Visibility
from services.common.records import access_in
from services.common.view import View

EVERYONE = "everyone"
"""The principal that every asker has."""

_log = logs.get(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grants:
    """What one principal may open: ids of containers, and of objects that are restricted by themselves."""

    containers: frozenset[str] = frozenset()
    objects: frozenset[str] = frozenset()


@dataclass(slots=True)
class _Granted:
    containers: set[str] = field(default_factory=set)
    objects: set[str] = field(default_factory=set)


def principals_of(record: Access) -> frozenset[str]:
    """Return to whom the record opens its container or object; without a mark of its own an object opens nothing."""
    if record.kind is AccessKind.OBJECT:
        return frozenset(record.principals) if record.restricted else frozenset()
    if record.kind is AccessKind.UNKNOWN or record.visibility is Visibility.UNKNOWN:
        return frozenset()
    return frozenset({EVERYONE}) if record.visibility is Visibility.PUBLIC else frozenset(record.principals)


def losers(before: Access | None, after: Access | None) -> frozenset[str]:
    """Return the principals from whom the change of one id's record takes something; None stands for no record."""
    thing = any(one is not None and one.kind is AccessKind.OBJECT for one in (before, after))
    return _openers(before, thing=thing) - _openers(after, thing=thing)


def _openers(record: Access | None, *, thing: bool) -> frozenset[str]:
    """Return to whom an id is open, as far as its own record says; an object without a mark, to all of its place."""
    if thing and (record is None or not (record.kind is AccessKind.OBJECT and record.restricted)):
        return frozenset({EVERYONE})
    return principals_of(record) if record else frozenset()


Loss = Callable[[int, int, frozenset[str]], None]
"""Told the partition and offset of a record of ``access.v1`` that takes something away, and from which principals."""


class AccessState:
    """The newest record per id. Pure: no I/O."""

    def __init__(self) -> None:
        self._records: dict[str, Access] = {}
        self._granted: dict[str, _Granted] = {}
        self._closed: set[str] = set()

    def apply(self, record: Access) -> frozenset[str]:
        """Take a record, the last one of an id wins; return the principals whose grants have changed."""
        self._closed.discard(record.id)
        before = self._withdraw_grants(self._records.get(record.id))
        self._records[record.id] = record
        after = self._give_grants(record)
        return before ^ after

    def forget(self, id_: str) -> frozenset[str]:
        """Take a tombstone: a container is nobody's again, an object has no mark and no withdrawal any more."""
        self._closed.discard(id_)
        return self._withdraw_grants(self._records.pop(id_, None))

    def close(self, id_: str) -> frozenset[str]:
        """Keep an id from everybody, since its newest record cannot be read."""
        changed = self.forget(id_)
        self._closed.add(id_)
        return changed

    def get(self, id_: str) -> Access | None:
        """Return the record of a container or object."""
        return self._records.get(id_)

    def ids(self, prefix: str) -> list[str]:
        """Return the ids of records that begin so, in no order; it looks at all of them."""
        return [id_ for id_ in self._records if id_.startswith(prefix)]

    def may_open(self, principals: Iterable[str], container: str, object_id: str = "") -> bool:
        """Return whether an asker with these principals may open an object of a container (or the container)."""
        if container in self._closed or object_id in self._closed:
            return False
        granted = [self._granted[p] for p in {EVERYONE, *principals} if p in self._granted]
        if not any(container in one.containers for one in granted):
            return False
        return not self.restricted(object_id) or any(object_id in one.objects for one in granted)

    def restricted(self, object_id: str) -> bool:
        """Return whether the object is closed to all but its own principals."""
        record = self._records.get(object_id)
        return object_id in self._closed or (
            record is not None and record.kind is AccessKind.OBJECT and record.restricted
        )

    def holders(self, principals: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return those of some principals to whom a container was opened, and those to whom an object by itself was."""
        known = [(one, self._granted[one]) for one in principals if one in self._granted]
        containers = tuple(one for one, granted in known if granted.containers)
        return containers, tuple(one for one, granted in known if granted.objects)

    def withdrawn(self, object_id: str, version: str, order: int) -> bool:
        """Return whether the source has withdrawn this state of an object, so that nothing of its content is shown.

        ``order`` is the state's place on the object's scale: one behind the record's place is a restore, which "*"
        does not reach (a record without a place, 0, reaches every state). A version withdrawn by name stays so.
        """
        record = self._records.get(object_id)
        if record is None or not record.withdrawn:
            return object_id in self._closed
        by_name = version != "" and version in record.withdrawn
        return by_name or (EVERY_VERSION in record.withdrawn and (record.order == 0 or order <= record.order))

    def grants_of(self, principal: str) -> Grants:
        """Return what a principal may open by itself (EVERYONE's grants are asked for separately)."""
        found = self._granted.get(principal, _Granted())
        return Grants(containers=frozenset(found.containers), objects=frozenset(found.objects))

    def principals(self) -> frozenset[str]:
        """Return all principals that may open anything."""
        return frozenset(self._granted)

    def _give_grants(self, record: Access) -> frozenset[str]:
        given = principals_of(record)
        for principal in given:
            granted = self._granted.setdefault(principal, _Granted())
            (granted.objects if record.kind is AccessKind.OBJECT else granted.containers).add(record.id)
        return given

    def _withdraw_grants(self, record: Access | None) -> frozenset[str]:
        taken = principals_of(record) if record else frozenset()
        for principal in taken:
            granted = self._granted[principal]
            granted.containers.discard(record.id if record else "")
            granted.objects.discard(record.id if record else "")
            if not granted.containers and not granted.objects:
                del self._granted[principal]
        return taken


class AccessView(AccessState):
    """The state, kept up to date from ``access.v1``: ``load`` first, then run ``follow`` as a part of the service.

    ``changed`` is told the id of every record that was taken.
    """

    def __init__(
        self, bus: Bus, on_loss: Loss | None = None, *, changed: Callable[[str], None] = lambda _: None
    ) -> None:
        super().__init__()
        self._changed = changed
        self._codec = Codec("access")
        self._on_loss = on_loss
        self._ends: dict[int, int] = {}
        self._view = View(bus, topics.ACCESS.name(bus.prefix), self._take)

    async def load(self) -> None:
        """Read all that is there now. Raises Retry when the topic or Kafka is missing."""
        await self._view.load()

    async def follow(self) -> None:
        """Go on reading for ever."""
        await self._view.follow()

    async def caught_up(self) -> None:
        """Return once all that was published at the time of the call is known here; ``follow`` must be running."""
        await self._view.caught_up()

    @property
    def ends(self) -> Mapping[int, int]:
        """Per partition that held anything, the offset behind the last record that is known here."""
        return self._ends

    async def stop(self) -> None:
        """Close."""
        await self._view.stop()

    def _take(self, received: Received) -> None:
        before = self.get(received.key)
        try:
            taken_from = losers(before, self._applied(received))
        except (Reject, ValueError) as error:
            _log.error("access record cannot be read, so nobody may open it", id=received.key, reason=str(error))
            self.close(received.key)
            taken_from = frozenset({EVERYONE})
        self._ends[received.partition.number] = received.offset + 1
        if taken_from and self._on_loss is not None:
            self._on_loss(received.partition.number, received.offset, taken_from)
        self._changed(received.key)

    def _applied(self, received: Received) -> Access | None:
        if received.value is None:
            self.forget(received.key)
            return None
        record = access_in(self._codec.decode(received.value))
        self.apply(record)
        return record
