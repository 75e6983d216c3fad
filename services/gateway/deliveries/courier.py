"""Follows what happens and sends it to the receivers of rules; offsets move only when that is done or owed."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from time import monotonic

from services.common import logs, topics
from services.common.access import AccessView
from services.common.bus import Bus, Consumer, Partition, Received, Unpublished
from services.common.bus.placing import partition_of
from services.common.errors import Retry
from services.common.model import micros
from services.gateway.auth import Asker
from services.gateway.claims import READER
from services.gateway.deliveries.owed import Owed
from services.gateway.deliveries.standing import Hook, Standing
from services.gateway.deliveries.webhook import Sending, Webhooks
from services.gateway.stream.events import Made, Maker
from services.gateway.stream.fanout import may_read

_AT_ONCE = 100
_BUDGET = 5.0
"""Seconds that one receiver may take for a batch; what is left then is owed, so that it holds up nobody else."""
_PAUSE = 5.0
_LOOK = 1.0
_log = logs.get(__name__)

AsPerson = Callable[[str], Asker]
Item = tuple[str, bytes]
"""Id of an activity, and the JSON of it."""


def group(prefix: str) -> str:
    """Return the name of the consumer group."""
    return f"{prefix}rules"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What is needed to decide and to send."""

    standing: Standing
    owed: Owed
    access: AccessView
    webhooks: Webhooks
    as_person: AsPerson
    sending: Callable[[Hook, str, bytes], Sending]
    make: Maker


class Courier:
    """A member of the group; run ``run`` as a part of the service. It joins when the first rule sends something."""

    def __init__(self, bus: Bus, tools: Tools) -> None:
        self._bus = bus
        self._tools = tools
        self._topic = topics.ENRICHED.name(bus.prefix)
        self._consumer: Consumer | None = None
        self._partitions = 1

    def owns(self, person: str) -> bool:
        """Return whether this process is the one that sees to what is owed to a person: one of all has it."""
        if self._consumer is None:
            return False
        mine = {one.number for one in self._consumer.assignment()}
        return partition_of(person, self._partitions) in mine

    async def run(self) -> None:
        """For ever: act on what happens."""
        while not self._tools.standing.everybody():  # noqa: ASYNC110 - a process that nobody needs reads nothing
            await asyncio.sleep(_LOOK)
        while True:
            try:
                await self._follow()
            except Retry as error:  # a broker that starts anew must not end the gateway
                _log.warning("rules wait for Kafka", reason=str(error))
                await asyncio.sleep(_PAUSE)

    async def _follow(self) -> None:
        self._partitions = await self._count()
        self._consumer = consumer = await self._bus.consumer([self._topic], group(self._bus.prefix))
        try:
            while True:
                records = await consumer.poll(limit=_AT_ONCE, wait=1.0)
                if records:
                    await self._done(consumer, records)
        finally:
            self._consumer = None
            await consumer.stop()

    async def _count(self) -> int:
        reader = await self._bus.reader()
        try:
            return len(await reader.bounds(self._topic))
        finally:
            await reader.stop()

    async def _done(self, consumer: Consumer, records: Sequence[Received]) -> None:
        while True:
            try:
                await self.act(records)
                break
            except (Unpublished, Retry) as error:  # again, all of it: ids tell receivers what they have already
                _log.warning("what rules ask for is tried again", reason=str(error))
                await asyncio.sleep(_PAUSE)
        ends: dict[Partition, int] = {one.partition: one.offset + 1 for one in records}
        try:
            await consumer.commit(ends)
        except Retry as error:  # the group has moved on: at worst it is sent again
            _log.warning("offsets of rules were not stored", reason=str(error))

    async def act(self, records: Sequence[Received]) -> None:
        """Send what rules ask for among these records, or owe it. Raises Unpublished and Retry."""
        hooks = self._tools.standing.hooks()
        since = min((micros(hook.since) // 1_000 for hook in hooks), default=None)
        news = [one for one in records if since is not None and one.timestamp >= since]
        if not news:
            return
        await self._tools.access.caught_up()  # what may be opened now, not when the view was read last
        found = await self._found(news, hooks)
        await asyncio.gather(*(self._send(hook, items) for hook, items in found.items()))

    async def _found(self, records: Sequence[Received], hooks: Sequence[Hook]) -> Mapping[Hook, list[Item]]:
        askers = {one: self._tools.as_person(one) for one in {hook.person for hook in hooks}}
        found: defaultdict[Hook, list[Item]] = defaultdict(list)
        for record in records:
            made = self._tools.make(record)
            if made is not None and not made.kind:
                for hook in hooks:
                    if self._wants(hook, made, askers[hook.person]):
                        found[hook].append((record.key, made.data))
            await asyncio.sleep(0)
        return found

    def _wants(self, hook: Hook, made: Made, asker: Asker) -> bool:
        if made.facts.published < micros(hook.since) or not made.facts.hold(hook.condition):
            return False
        own = self._tools.standing.of(hook.person)
        muted = own is None or made.facts.hold(own.muted)
        may = READER in asker.roles and may_read(self._tools.access, made, asker.principals, asker.person)
        return may and not muted

    async def _send(self, hook: Hook, items: Sequence[Item]) -> None:
        """Send in order until one is not taken or time is up; owe the rest."""
        owed, tools, taken = self._tools.owed, self._tools, 0
        after: float | None = None
        if not owed.count(hook.person, hook.name):  # else they have to wait behind what is owed
            deadline = monotonic() + _BUDGET
            for activity, body in items:
                result = await tools.webhooks.send(tools.sending(hook, activity, body))
                if result.failed:
                    after = result.after
                    break
                taken += 1
                if monotonic() > deadline:
                    break
        if left := [activity for activity, _ in items[taken:]]:
            await owed.owe(hook, left, after)
