"""Wiring of `watercooler score`: views, history, the Faust app inside our own runner, health."""

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from aiohttp import web
from faust.types import TP

from services.common import health, metrics, topics
from services.common.bus.kafka import KafkaBus
from services.common.deadletters import DeadLetters, Flood
from services.common.errors import Stop
from services.common.run import Part, serving
from services.common.settings import Settings
from services.enrich.garbage import calm
from services.enrich.scoring.app import add_agents, assigned, build, committed, mine
from services.enrich.scoring.parts import Parts
from services.enrich.scoring.replay import Replay
from services.enrich.scoring.society import Live as Society
from services.enrich.scoring.society import Surroundings
from services.enrich.scoring.streams import SERVICE, Dealing, Failure, Tools, handle, settled

_MEASURE_EVERY = 5.0
_LOOK_EVERY = 1.0
_DEAL_EVERY = 0.05
_TURN = 0.0001
"""Seconds that a thread computes while another one waits for its turn, by default fifty times as many. Whoever lets the
others have theirs for a moment (each word to Kafka, each product of two vectors does) would wait for as long."""


@asynccontextmanager
async def service(settings: Settings) -> AsyncIterator[Sequence[Part]]:
    """The scoring service, for services.common.run."""
    bus = KafkaBus(settings.kafka_settings(), settings.topic_prefix)
    async with AsyncExitStack() as stack:
        publisher = await bus.publisher()
        stack.push_async_callback(publisher.stop)
        # Two threads: what each person is given must not wait until some hundred activities are taken in and scored.
        scoring, giving = (stack.enter_context(ThreadPoolExecutor(1, name)) for name in (SERVICE, "give"))
        parts = Parts.make(settings, bus, scoring)
        for follower in parts.followers:
            stack.push_async_callback(follower.stop)
            await follower.load()
        stack.push_async_callback(parts.replay.stop)
        flood = Flood(in_a_row=settings.deadletters_in_a_row, of_thousand=settings.deadletters_of_thousand)
        letters = DeadLetters(publisher, SERVICE, prefix=bus.prefix, flood=flood)
        failure = Failure()
        app = build(settings, asyncio.get_running_loop())
        dealing = Dealing(lambda: mine(app))
        tools = Tools(publisher, letters, giving, failure, dealing)

        streams = parts.streams

        async def dealt_anew() -> None:
            await settled([stream for _, _, stream in streams])
            dealing.number += 1
            parts.forget()

        add_agents(app, bus.prefix, tools, streams, dealt_anew)
        around = Surroundings(
            access=parts.access,
            people=parts.people,
            left=parts.left,
            feedback=parts.feedback,
            share=settings.recommendations_held_out,
        )
        society = Society(
            bus,
            publisher,
            around,
            mine=lambda: 0 in assigned(app, topics.ENRICHED.name(bus.prefix)),
            busy=lambda: parts.replay.behind,
        )
        stack.push_async_callback(society.stop)
        await society.load()
        site = web.Application()
        health.add_routes(site, lambda: _missing(app, parts.replay))
        await stack.enter_async_context(serving(site, settings.host, settings.score_port))
        calm()
        sys.setswitchinterval(_TURN)
        yield (
            *(follower.follow() for follower in parts.followers),
            parts.replay.follow(),
            *society.running(),
            failure.raised(),
            _running(app),
            _dealing(app, topics.ENRICHED.name(bus.prefix), parts.replay),
            _looking_again(app, topics.CANDIDATE.name(bus.prefix), parts, tools),
            _measuring(app, tools),
        )


async def _running(app: Any) -> None:
    """Run the app; raises Stop when it gives up. Cancelled, it leaves the group."""
    try:
        await app.start()
        await app.wait_until_stopped()
    finally:
        await app.stop()
    raise Stop(f"Faust has given up ({app.crash_reason!r}); the log says why")


async def _dealing(app: Any, topic: str, replay: Replay) -> None:
    """For ever: tell the replay which partitions this worker has, once the group has dealt them, and what is done."""
    while True:
        if replay.dealt:
            replay.stored(committed(app, topic))
        elif assigned(app, topic):
            replay.assign(committed(app, topic))
        await asyncio.sleep(_DEAL_EVERY)


async def _looking_again(app: Any, topic: str, parts: Parts, tools: Tools) -> None:
    """For ever: let what changes beside the streams (access, opting out, what people say) have its effect."""
    while True:
        await asyncio.sleep(_LOOK_EVERY)
        await parts.selections.load(assigned(app, topic))
        if parts.noticed:
            await handle([], parts.selections, tools)
        if parts.profiles.leaving:
            await handle([], parts.profiles, tools)


async def _measuring(app: Any, tools: Tools) -> None:
    """Keep the lag up to date, for ever."""
    while True:
        await asyncio.sleep(_MEASURE_EVERY)
        for partition in mine(app):
            end = app.consumer.highwater(TP(*partition))
            position = tools.positions.get(partition)
            if end is not None and position is not None:
                lag = max(0, end - position)
                metrics.LAG_RECORDS.labels(SERVICE, partition.topic, str(partition.number)).set(lag)


def _missing(app: Any, replay: Replay) -> str:
    if not app.started or app.rebalancing or not mine(app):
        return "no partition of enriched.v1 is assigned to this worker yet"
    return "" if replay.loaded else "what was before is still being read"
