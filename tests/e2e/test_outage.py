"""Kafka restarts, Elasticsearch is away: the whole stack under load goes on by itself; nothing is lost or doubled."""

import asyncio
import hashlib
import hmac
import json
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from typing import Any

import psutil
import pytest
from aiohttp import ClientError, ClientSession
from elasticsearch import AsyncElasticsearch
from elasticsearch.helpers import async_scan

from services.common.errors import Stop
from services.standalone.servers import start_kafka
from tests.e2e.load import activity
from tests.e2e.test_kill import enriched_ids
from tests.fixtures.faultproxy import FaultProxy
from tests.fixtures.kafka_elastic import Breakable
from tests.fixtures.process import missing
from tests.fixtures.sse import StreamReader
from tests.fixtures.stack import Stack, environment, eventually

pytestmark = [pytest.mark.e2e, pytest.mark.may_block("drives processes and waits for them"), pytest.mark.timeout(600)]

SECRET = "a secret of the tests, long enough"
SENDERS = ("warm", "kafka", "elastic", "busy", "past", "long")
BATCH = 50
_WARM = 500
ROOM = 96 * 2**20
"""Bytes that a service may have grown by: allocators keep what a batch needed once."""
STATE = {"score": 30_000}
"""Bytes an activity by which a service may grow beside that, since it is there to remember them. Scoring takes 24,000:
for the activity, for ten candidates, for ties and trends. All of it is bounded, by more than this test brings."""
Trouble = Callable[[], Coroutine[Any, Any, None]]


class Broken:
    """A whole stack with a Kafka of its own, and Elasticsearch behind a proxy."""

    def __init__(self, stack: Stack, kafka: Breakable, proxy: FaultProxy, elastic: str) -> None:
        self.stack = stack
        self.kafka = kafka
        self.proxy = proxy
        self.elastic = elastic

    def resident(self) -> dict[str, int]:
        """Bytes of memory of each service."""
        return {name: psutil.Process(p.pid).memory_info().rss for name, p in self.stack.processes.items()}

    async def indexed(self, sender: str) -> set[str]:
        """Ids of a sender's activities in the index, asked of Elasticsearch itself."""
        index = f"{self.stack.environ['WATERCOOLER_INDEX_PREFIX']}activities"
        async with AsyncElasticsearch(self.elastic) as client:
            await client.indices.refresh(index=index)
            query = {"query": {"term": {"source": sender}}, "_source": False}
            return {hit["_id"] async for hit in async_scan(client, index=index, query=query, size=5_000)}


@pytest.fixture(scope="module")
def broken(elastic: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broken]:
    folder = tmp_path_factory.mktemp("outage")
    kafka, proxy = Breakable(start_kafka, folder / "kafka"), FaultProxy(elastic)
    # A loop of its own that is never the current one, so that the tests' loops do not notice.
    loop = asyncio.new_event_loop()
    proxy.start()
    environ, ports = environment(kafka.bootstrap, proxy.url, folder)
    sources = [{"name": one, "kind": "webhook", "signature": "github", "secret": SECRET} for one in SENDERS]
    environ["WATERCOOLER_SOURCES"] = json.dumps(sources)
    stack = Stack(folder, environ, ports)
    try:
        made = Broken(stack, kafka, proxy, elastic)
        loop.run_until_complete(begin(made))
        yield made
    except Stop as error:
        missing(f"not run: Kafka: {error}")
    finally:
        stack.stop()
        proxy.stop()
        if kafka.server is not None:
            kafka.server.kill()
        loop.close()


async def begin(broken: Broken) -> None:
    """Start everything, and let it do some of everything once, so that memory is measured of services at work."""
    stack = broken.stack
    await broken.kafka.start()
    await asyncio.to_thread(stack.run, "topics", "apply")
    stack.start()
    await stack.ready()
    await deliver(stack, "warm", _WARM)

    async def through() -> bool:
        return len(await broken.indexed("warm")) == _WARM

    await eventually(through, what="what warms them up has come through", stack=stack, within=120)


async def deliver(stack: Stack, sender: str, count: int, *, per_second: float = 1_000) -> None:
    """Send activities as a careful sender does: each delivery again until it is taken, and every tenth one twice."""
    async with ClientSession() as session:
        for start in range(0, count, BATCH):
            said = [activity(number, source=sender) for number in range(start, min(start + BATCH, count))]
            body = json.dumps(said).encode()
            for _ in range(2 if start % (10 * BATCH) == 0 else 1):
                check = partial(taken, stack, session, sender, body)
                await eventually(check, what="a delivery is taken", stack=stack)
            await asyncio.sleep(BATCH / per_second)


async def taken(stack: Stack, session: ClientSession, sender: str, body: bytes) -> bool:
    mark = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    headers = {"X-Hub-Signature-256": f"sha256={mark}", "Content-Type": "application/json"}
    try:
        async with session.post(f"{stack.url('ingest')}/hooks/{sender}", data=body, headers=headers) as answer:
            assert answer.status in (202, 503), await answer.text()
            return answer.status == 202
    except (ClientError, TimeoutError):
        return False


@asynccontextmanager
async def reading(stack: Stack) -> AsyncIterator[StreamReader]:
    """A reader of the live stream who comes back whenever he is cut."""
    reader = StreamReader(url=stack.url, person="person:1")
    task = asyncio.create_task(reader.run())
    await eventually(lambda: reader.last_id, what="the reader has an id to come back with", stack=stack)
    yield reader
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def survives(
    broken: Broken,
    sender: str,
    count: int,
    trouble: Trouble,
    *,
    per_second: float = 250,
    within: float = 180,
    room: int = ROOM,
) -> None:
    """Deliver while there is trouble; afterwards everything is everywhere, once, and nobody has ended or grown."""
    stack, wanted = broken.stack, {f"{sender}:chat:{n}" for n in range(count)}
    before, lives = broken.resident(), {name: p.pid for name, p in stack.processes.items()}
    async with reading(stack) as reader:
        async with asyncio.TaskGroup() as group:
            group.create_task(deliver(stack, sender, count, per_second=per_second))
            group.create_task(trouble())
        await eventually(lambda: wanted <= set(reader.ids), what="the reader saw every id", stack=stack, within=within)

        async def all_indexed() -> bool:
            return await broken.indexed(sender) == wanted

        await eventually(all_indexed, what="the index holds exactly the distinct ids", stack=stack, within=within)
        mine = Counter(one for one in reader.ids if one.startswith(f"{sender}:"))
        assert (set(mine), set(mine.values()), reader.resets) == (wanted, {1}, [])
    found = Counter({one: n for one, n in (await enriched_ids(stack)).items() if one.startswith(f"{sender}:")})
    assert (set(found), set(found.values())) == (wanted, {1})
    await stack.ready()
    assert {name: p.pid for name, p in stack.processes.items() if p.poll() is None} == lives
    grown = {name: now - before[name] - STATE.get(name, 0) * count for name, now in broken.resident().items()}
    assert {name: more for name, more in grown.items() if more > room} == {}


async def test_a_broker_restart_in_the_middle_loses_and_doubles_nothing(broken: Broken) -> None:
    async def restart() -> None:
        await asyncio.sleep(3)
        await broken.kafka.stop()
        await asyncio.sleep(2)
        await broken.kafka.start()

    await survives(broken, "kafka", 2_500, restart)


async def without_elasticsearch(proxy: FaultProxy, seconds: float) -> None:
    """Half of the time nobody answers, in the other half it says that it has too much to do."""
    await asyncio.sleep(1)
    proxy.leave()
    await asyncio.sleep(seconds / 2)
    proxy.refuse(429, retry_after=1)
    proxy.come_back()
    await asyncio.sleep(seconds / 2)
    proxy.heal()


async def test_twenty_seconds_without_elasticsearch_lose_and_double_nothing(broken: Broken) -> None:
    await survives(broken, "elastic", 3_000, lambda: without_elasticsearch(broken.proxy, 20))
    assert broken.proxy.answers[429] > 0


def _holds(reader: StreamReader, count: int) -> bool:
    return len(set(reader.ids)) >= count


@contextmanager
def busy_machine(processes: int = 2) -> Iterator[None]:
    """Others compute as much as they can meanwhile."""
    command = [sys.executable, "-c", "while True: pass"]
    burning = [subprocess.Popen(command) for _ in range(processes)]
    try:
        yield
    finally:
        for one in burning:
            one.kill()
            one.wait()


@pytest.mark.slow
@pytest.mark.timeout(1800)
async def test_nothing_is_lost_where_the_machine_has_far_too_much_to_do(broken: Broken) -> None:
    async def nothing() -> None:
        return

    with busy_machine():
        await survives(broken, "busy", 17_500, nothing, per_second=500, within=600, room=4 * ROOM)


@pytest.mark.slow
@pytest.mark.timeout(1800)
async def test_memory_stays_flat_through_both_with_25_000_activities(broken: Broken) -> None:
    async with reading(broken.stack) as reader:  # until what is bounded (the gateway's newest events) is full
        await deliver(broken.stack, "past", 25_000)
        everything = partial(_holds, reader, 25_000)
        await eventually(everything, what="the reader saw the past", stack=broken.stack, within=300)

    async def both() -> None:
        await without_elasticsearch(broken.proxy, 60)
        await broken.kafka.stop()
        await asyncio.sleep(5)
        await broken.kafka.start()

    await survives(broken, "long", 25_000, both)
