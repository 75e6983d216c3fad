"""Wiring of `watercooler score`: views, history, the Faust app inside our own runner, health."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from aiohttp import web

from services.common import health, metrics, topics
from services.common.access import AccessView
from services.common.bus import Partition
from services.common.bus.kafka import KafkaBus
from services.common.deadletters import DeadLetters, Flood
from services.common.errors import Stop
from services.common.run import Part, serving
from services.common.settings import Settings
from services.enrich.accounts import AccountView
from services.enrich.garbage import calm
from services.enrich.scoring import views
from services.enrich.scoring.app import add_agents, assigned, build, owned
from services.enrich.scoring.contributions import Contributions
from services.enrich.scoring.follow import Followed
from services.enrich.scoring.noticed import Noticed
from services.enrich.scoring.past import History
from services.enrich.scoring.profiles import Profiles
from services.enrich.scoring.recommendations import Candidates
from services.enrich.scoring.selections import Rules, Selections
from services.enrich.scoring.streams import SERVICE, Failure, Tools, handle

_MEASURE_EVERY = 5.0
_LOOK_EVERY = 1.0


@asynccontextmanager
async def service(settings: Settings) -> AsyncIterator[Sequence[Part]]:
    """The scoring service, for services.common.run."""
    bus = KafkaBus(settings.kafka_settings(), settings.topic_prefix)
    async with AsyncExitStack() as stack:
        publisher = await bus.publisher()
        stack.push_async_callback(publisher.stop)
        executor = stack.enter_context(ThreadPoolExecutor(1, SERVICE))
        noticed = Noticed()
        left = views.Left(noticed.left)
        access, accounts = AccessView(bus, changed=noticed.place), AccountView(bus)
        persons, erasures, issued = views.Persons(bus, left), views.Erasures(bus, left), views.Issued(bus)
        feedback = views.Feedback(bus, left, noticed.person)
        followed = Followed(bus, History(), executor)
        followers = (access, accounts, persons, erasures, issued, feedback, followed)
        for follower in followers:
            stack.push_async_callback(follower.stop)
            await follower.load()
        flood = Flood(in_a_row=settings.deadletters_in_a_row, of_thousand=settings.deadletters_of_thousand)
        letters = DeadLetters(publisher, SERVICE, prefix=bus.prefix, flood=flood)
        failure = Failure()
        app = build(settings, asyncio.get_running_loop())
        tools = Tools(publisher, letters, executor, failure)
        rules = Rules(
            access=access,
            people=accounts.people,
            left=left,
            feedback=feedback,
            daily=settings.recommendations_daily,
            share=settings.recommendations_held_out,
        )
        selections = Selections(bus, rules, noticed)
        candidates = Candidates(followed, issued, left, access, accounts.people, bus.prefix)
        add_agents(app, bus.prefix, tools, Contributions(followed, bus.prefix), Profiles(bus), candidates, selections)
        site = web.Application()
        health.add_routes(site, lambda: _missing(app))
        await stack.enter_async_context(serving(site, settings.host, settings.score_port))
        calm()
        yield (
            *(follower.follow() for follower in followers),
            failure.raised(),
            _running(app),
            _looking_again(app, topics.CANDIDATE.name(bus.prefix), selections, noticed, tools),
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


async def _looking_again(app: Any, topic: str, selections: Selections, noticed: Noticed, tools: Tools) -> None:
    """For ever: let what changes beside the stream (access, opting out, what people say) have its effect."""
    while True:
        await asyncio.sleep(_LOOK_EVERY)
        await selections.load(assigned(app, topic))
        if noticed:
            await handle([], selections, tools)


async def _measuring(app: Any, tools: Tools) -> None:
    """Keep the lag up to date, for ever."""
    while True:
        await asyncio.sleep(_MEASURE_EVERY)
        for partition in owned(app):
            end = app.consumer.highwater(partition)
            position = tools.positions.get(Partition(partition.topic, partition.partition))
            if end is not None and position is not None:
                lag = max(0, end - position)
                metrics.LAG_RECORDS.labels(SERVICE, partition.topic, str(partition.partition)).set(lag)


def _missing(app: Any) -> str:
    if app.rebalancing or not owned(app):
        return "no partition of enriched.v1 is assigned to this worker yet"
    return ""
