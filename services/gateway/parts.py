"""The parts of the gateway, made once and put where handlers find them."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from secrets import token_bytes

from aiohttp import web

from services.common import logs, topics
from services.common.access import AccessView
from services.common.bus import Bus
from services.common.errors import Reject, Retry, Stop
from services.common.run import Part
from services.common.search import Search
from services.common.settings import Settings
from services.gateway import keys
from services.gateway.addresses import Addresses
from services.gateway.api_tokens import ApiTokens
from services.gateway.auth import Auth
from services.gateway.deliveries.office import Office
from services.gateway.desk import Desk
from services.gateway.feedback import FeedbackBox
from services.gateway.fence import Fence
from services.gateway.foryou import ForYou
from services.gateway.indexed import Indexed
from services.gateway.meetings import Meetings, ToMeet
from services.gateway.names import Names
from services.gateway.people import Directory
from services.gateway.rates import Rates
from services.gateway.reactions import Reactions
from services.gateway.recommendations import Recommendations
from services.gateway.remembered import Remembered
from services.gateway.sealed import Sealer, secret_of
from services.gateway.sessions import Sessions
from services.gateway.speaking.groups import Groups
from services.gateway.speaking.mouth import Mouth
from services.gateway.speaking.pace import Pace
from services.gateway.stream import makers
from services.gateway.stream.admission import Admission
from services.gateway.stream.counts import Counts
from services.gateway.stream.hub import Hub
from services.gateway.stream.replay import AT_ONCE
from services.gateway.stream.streams import Streams
from services.gateway.stream.tokens import StreamTokens
from services.gateway.trends import Trends
from services.gateway.turns import Turns
from services.gateway.unread import Unread

_LOOK = 2.0
"""Seconds between two looks whether the index answers."""
_log = logs.get(__name__)


@dataclass
class Parts:
    """Everything that handlers use."""

    settings: Settings
    bus: Bus
    search: Search
    access: AccessView
    fence: Fence
    names: Names
    directory: Directory
    recommendations: Recommendations
    reactions: Reactions
    meetings: Meetings
    trends: Trends
    feedback: FeedbackBox
    mouth: Mouth
    hub: Hub
    for_you_hub: Hub
    turns: Turns
    desk: Desk
    unread: Unread
    auth: Auth
    remembered: Remembered
    streams: Streams
    stream_tokens: StreamTokens
    counts: Counts
    sealer: Sealer
    office: Office
    search_answers: bool = field(default=False)

    @classmethod
    def make(cls, settings: Settings, bus: Bus, search: Search) -> "Parts":
        """Return the parts over a log and an index; nothing is asked of either yet. Raises Stop for wrong settings."""
        fence, directory = Fence(search), Directory(bus)
        access = AccessView(bus, fence.lost)
        names, remembered = Names(access), Remembered(bus)
        sealer = Sealer(secret_of(settings) if settings.auth == "oidc" else token_bytes())
        maker = makers.activities(access, names.learn)
        recommendations, reactions, meetings = Recommendations(bus), Reactions(bus), Meetings(bus)
        for_you = makers.recommendations(access, directory, reactions)
        sessions = Sessions.make(settings, remembered, sealer)
        auth = Auth(settings, directory, tokens=ApiTokens(remembered), sessions=sessions)
        turns = Turns(settings.gateway_turns)
        desk = Desk(search, access, fence, turns)
        unread = Unread(desk=desk, remembered=remembered, reactions=reactions)
        hub = Hub(bus, topics.ENRICHED.name(bus.prefix), maker, access)
        streams = Streams(auth.again, remembered, seconds=settings.gateway_stream_seconds)
        return cls(
            settings=settings,
            bus=bus,
            search=search,
            access=access,
            fence=fence,
            names=names,
            directory=directory,
            recommendations=recommendations,
            reactions=reactions,
            meetings=meetings,
            trends=Trends(bus),
            feedback=FeedbackBox(bus, (recommendations, meetings), reactions),
            mouth=Mouth(bus, access),
            hub=hub,
            for_you_hub=Hub(bus, topics.RECOMMENDATION.name(bus.prefix), for_you, access),
            turns=turns,
            desk=desk,
            unread=unread,
            auth=auth,
            remembered=remembered,
            sealer=sealer,
            streams=streams,
            stream_tokens=StreamTokens(remembered),
            counts=Counts(unread, desk, hub, streams, remembered),
            office=Office(settings, bus, desk=desk, access=access, auth=auth, remembered=remembered),
        )

    def put(self, app: web.Application) -> None:
        """Put the parts where handlers find them."""
        app[keys.SETTINGS] = self.settings
        app[keys.AUTH] = self.auth
        app[keys.TURNS] = self.turns
        app[keys.DESK] = self.desk
        app[keys.HUB] = self.hub
        app[keys.FOR_YOU_HUB] = self.for_you_hub
        app[keys.REMEMBERED] = self.remembered
        app[keys.STREAMS] = self.streams
        app[keys.STREAM_TOKENS] = self.stream_tokens
        app[keys.INDEXED] = Indexed(self.hub, self.desk)
        app[keys.DIRECTORY] = self.directory
        app[keys.NAMES] = self.names
        app[keys.SEALER] = self.sealer
        app[keys.OFFICE] = self.office
        app[keys.RECOMMENDATIONS] = self.recommendations
        app[keys.REACTIONS] = self.reactions
        app[keys.FOR_YOU] = ForYou(desk=self.desk, held=self.recommendations, reactions=self.reactions)
        app[keys.TRENDS] = self.trends
        app[keys.TO_MEET] = ToMeet(
            desk=self.desk,
            access=self.access,
            held=self.meetings,
            reactions=self.reactions,
            directory=self.directory,
        )
        app[keys.FEEDBACK] = self.feedback
        app[keys.UNREAD] = self.unread
        app[keys.ADDRESSES] = Addresses(self.settings.gateway_proxies)
        app[keys.RATES] = Rates(self.settings.gateway_requests_per_minute)
        app[keys.ACCESS] = self.access
        app[keys.MOUTH] = self.mouth
        app[keys.GROUPS] = Groups(self.access, self.mouth)
        app[keys.PACE] = Pace(self.settings.gateway_says_per_minute)
        app[keys.REPLAYS] = asyncio.Semaphore(AT_ONCE)
        app[keys.ADMISSION] = Admission(
            in_all=self.settings.gateway_streams,
            per_person=self.settings.gateway_streams_per_person,
            per_address=self.settings.gateway_streams_per_address,
        )

    async def load(self) -> None:
        """Read what is held in memory. Raises Retry when Kafka or a topic is missing."""
        await self.feedback.start()
        await self.remembered.start()
        await self.mouth.start()
        await self.auth.start()
        await self.office.start()
        await self.access.load()  # first: what may be opened is known before anything that is to be
        self.fence.begin(self.access.ends)
        await asyncio.gather(
            self.directory.load(),
            self.recommendations.load(),
            self.reactions.load(),
            self.remembered.load(),
            self.meetings.load(),
            self.trends.load(),
            self.hub.load(),
            self.for_you_hub.load(),
        )

    def running(self) -> Sequence[Part]:
        """Return what runs for as long as the gateway does."""
        return (
            self.access.follow(),
            self.directory.follow_accounts(),
            self.directory.follow_people(),
            self.recommendations.follow(),
            self.reactions.follow(),
            self.remembered.follow(),
            self.streams.watch(),
            self.stream_tokens.sweep(),
            self.counts.run(),
            self.auth.tokens.sweep(),
            self.auth.sessions.sweep(),
            self.meetings.follow(),
            self.trends.follow(),
            self.hub.follow(),
            self.hub.beat(),
            self.for_you_hub.follow(),
            self.for_you_hub.beat(),
            *self.office.running(),
            self._watch_search(),
        )

    async def _watch_search(self) -> None:
        while True:
            before = self.search_answers
            try:
                await self.desk.answers()
                self.search_answers = True
            except (Retry, Reject, Stop, TimeoutError) as error:
                self.search_answers = False
                if before:
                    _log.warning("search does not answer", reason=str(error))
            await asyncio.sleep(_LOOK)

    def missing(self) -> str:
        """Return what is missing for the whole way to be open; empty when nothing is."""
        return "" if self.search_answers else "search is not up yet"

    async def stop(self) -> None:
        """Close everything."""
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self.search.stop)
            await self.stop_reading()

    async def stop_reading(self) -> None:
        """Close what reads and writes the log, and the way to the identity provider; all of it, whatever fails."""
        async with AsyncExitStack() as stack:  # the last one first
            for one in (
                self.office,
                self.auth,
                self.feedback,
                self.access,
                self.directory,
                self.recommendations,
                self.mouth,
                self.remembered,
                self.reactions,
                self.meetings,
                self.trends,
                self.hub,
                self.for_you_hub,
            ):
                stack.push_async_callback(one.stop)
