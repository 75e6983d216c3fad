"""Publishes what people say here, access records first, and remembers the newest of it until the index has it."""

from collections import OrderedDict
from collections.abc import Sequence

from services.common import topics
from services.common.access import AccessView
from services.common.bus import Bus, Outgoing, Publisher
from services.common.clock import Clock, now
from services.common.codec import Codec
from services.common.envelope import FINGERPRINT, fingerprint, headers
from services.common.model import Access, AccessKind, Activity, Visibility
from services.common.records import access_out, activity_out
from services.common.withdrawal import withdrawal
from services.gateway.speaking.acts import EVERYONE, SOURCE

_RECENT = 5_000


class Mouth:
    """``start`` first. Everything returns only once Kafka has acknowledged; raises Unpublished where it does not."""

    def __init__(self, bus: Bus, access: AccessView, clock: Clock = now) -> None:
        self._bus = bus
        self._access = access
        self.clock = clock
        self._activities = Codec("activity")
        self._accesses = Codec("access")
        self._recent: OrderedDict[str, Activity] = OrderedDict()
        self._publisher: Publisher | None = None

    async def start(self) -> None:
        """Open the publisher."""
        self._publisher = await self._bus.publisher()

    async def stop(self) -> None:
        """Close."""
        if self._publisher is not None:
            await self._publisher.stop()

    def recent(self, object_id: str) -> Activity | None:
        """Return what was said last about something here by this process, if that was not long ago."""
        return self._recent.get(object_id)

    async def say(self, activity: Activity) -> None:
        """Publish what somebody did; what it withdraws is known to all readers before."""
        if activity.audience.container == EVERYONE.id and self._access.get(EVERYONE.id) is None:
            await self.allow(_EVERYONE)
        if activity.withdraws:
            await self.allow(withdrawal(activity, self._access.get(activity.object.id), SOURCE))
        await self._publish(
            [
                Outgoing(
                    topic=topics.ACTIVITY.name(self._bus.prefix),
                    key=activity.id,
                    value=self._activities.encode(activity_out(activity)),
                    headers=(*headers(activity), (FINGERPRINT, fingerprint(activity).encode())),
                    place=activity.object.id,
                )
            ]
        )
        self._recent[activity.object.id] = activity
        if len(self._recent) > _RECENT:
            self._recent.popitem(last=False)

    async def allow(self, record: Access) -> None:
        """Publish an access record; it holds here when this returns."""
        topic = topics.ACCESS.name(self._bus.prefix)
        await self._publish([Outgoing(topic=topic, key=record.id, value=self._accesses.encode(access_out(record)))])
        await self._access.caught_up()

    async def _publish(self, records: Sequence[Outgoing]) -> None:
        assert self._publisher is not None, "start first"
        await self._publisher.publish(records)


_EVERYONE = Access(
    id=EVERYONE.id, kind=AccessKind.CONTAINER, visibility=Visibility.PUBLIC, name=EVERYONE.name, source=SOURCE
)
