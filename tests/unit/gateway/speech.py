"""What people say at the gateway, taken on its way as enrichment and index would take it."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from aiohttp import ClientResponse

from services.common import topics
from services.common.bus import Received
from services.common.codec import Codec
from services.common.model import Activity
from services.common.records import activity_in
from services.enrich.people import Known
from services.enrich.pipeline import Knowledge, enrich
from tests.unit.gateway.world import World

_codec = Codec("activity")


async def records(w: World, topic: topics.Topic) -> list[Received]:
    """Return all that a topic holds, in the order of each partition."""
    reader, name = await w.bus.reader(), topic.name(w.bus.prefix)
    bounds = await reader.bounds(name)
    await reader.start_at({partition: first for partition, (first, _) in bounds.items()})
    count = sum(end - first for first, end in bounds.values())
    found: list[Received] = []
    while len(found) < count:
        found += await reader.poll(limit=1_000, wait=0.2)
    await reader.stop()
    return found


async def said_here(w: World) -> list[Activity]:
    """Return the activities that the gateway has published, in the order of their time."""
    every = [activity_in(_codec.decode(one.value or b"")) for one in await records(w, topics.ACTIVITY)]
    return sorted(every, key=lambda one: one.published)


@dataclass
class Speech:
    """One organisation in which people speak."""

    w: World
    knowledge: Knowledge = field(default_factory=Knowledge)
    seen: set[str] = field(default_factory=set)

    async def call(self, person: str, handle: str) -> None:
        """Give a person an account with a handle at a source."""
        account = {"account": f"chat:{person}", "person": person, "name": person.title(), "handle": handle}
        about = {"addressHash": "", "automated": False, "evidence": "configured", "source": "chat"}
        record = account | about | {"recorded": self.w.parts.mouth.clock()}
        await self.w.publish(topics.ACCOUNT, f"chat:{person}", record)
        self.knowledge.people.apply(
            Known(account=f"chat:{person}", person=person, handle=handle, evidence="configured", source="chat")
        )

    async def send(self, path: str, body: Any = None, *, as_: str = "ann", method: str = "POST", **headers: str) -> Any:
        """Send something; returns the good answer's JSON, None where it has none. Then it is enriched and indexed."""
        answer = await self.ask(path, body, as_=as_, method=method, **headers)
        assert answer.status in (200, 201, 204), await answer.text()
        await self.settle()
        return None if answer.status == 204 else await answer.json(content_type=None)

    async def ask(
        self, path: str, body: Any = None, *, as_: str = "ann", method: str = "POST", **headers: str
    ) -> ClientResponse:
        """Send something; returns the answer, whatever it is."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.w.client.request(method, f"{path}?as={as_}", json=body, headers=sent)

    async def settle(self) -> None:
        """Take what was published on its way."""
        new = [one for one in await said_here(self.w) if one.id not in self.seen]
        self.seen |= {one.id for one in new}
        await self.w.parts.access.caught_up()
        await self.w.grant()
        await self.w.happens(*await asyncio.to_thread(enrich, new, self.knowledge))
