"""Sends each person's digest when it is due; what was sent is remembered once the mail server has taken it."""

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from secrets import token_hex
from typing import Any

from services.common import logs, metrics
from services.common.bus import Unpublished
from services.common.clock import Clock, now
from services.common.errors import Reject, Retry, Stop
from services.common.search import Query
from services.common.search.conditions import Condition, Every, Not, Published
from services.common.settings import Settings
from services.gateway.auth import Asker
from services.gateway.claims import READER
from services.gateway.deliveries.digest import Post, message
from services.gateway.deliveries.keys import Key
from services.gateway.deliveries.mailboxes import Mailboxes
from services.gateway.deliveries.mailing import MailServer, Refused, Unsent
from services.gateway.deliveries.owed import NOTICE
from services.gateway.deliveries.schedule import Schedule, Window
from services.gateway.deliveries.standing import Outgoing, Standing
from services.gateway.desk import Desk
from services.gateway.items import activity_of
from services.gateway.remembered import Remembered
from services.gateway.sealed import Sealer

STOP = "/v1/digest/stop"
_PURPOSE = "digest"
_LINK_SECONDS = 180 * 86_400.0
_ITEMS = 50
_OLD = timedelta(days=7)
"""What was published so long before a digest's window is no news, even where it was taken in just now."""
_SLACK = timedelta(minutes=2)
"""Time for the index to find what was taken in last."""
_LOOK = 20.0
_FIRST, _LONGEST = 60.0, 3_600.0
_log = logs.get(__name__)
_LATER = (Retry, Reject, Stop, TimeoutError, Unpublished, Unsent)


class Postman:
    """Run ``run`` as a part of the service. Without ``smtp_host`` in the settings nothing is sent."""

    def __init__(
        self,
        settings: Settings,
        *,
        desk: Desk,
        standing: Standing,
        remembered: Remembered,
        as_person: Callable[[str], Asker],
        owns: Callable[[str], bool],
        key: Key,
        page: str,
        clock: Clock = now,
    ) -> None:
        self._sender = settings.mail_from
        self._server = MailServer.of(settings)
        self.mailboxes = Mailboxes(remembered, key, settings.oidc_email_claim)
        self.schedule = Schedule(remembered, settings.mail_hour, clock)
        self._desk = desk
        self._standing = standing
        self._remembered = remembered
        self._as_person = as_person
        self._owns = owns
        self._key = key
        self._page = page
        self._clock = clock
        self._again: dict[str, tuple[int, datetime]] = {}

    @property
    def possible(self) -> bool:
        """Whether there is a mail server to send digests by."""
        return self._server is not None

    async def caught_up(self) -> None:
        """Return once all that was chosen up to now is known here."""
        await self._remembered.caught_up()

    async def run(self) -> None:
        """For ever: look whose digest is due."""
        while True:
            if self.possible:
                await self.look()
            await asyncio.sleep(_LOOK)

    async def look(self) -> None:
        """Look once; one person's trouble is not another's."""
        for person, sends in tuple(self._standing.everybody().items()):
            if sends.mailing is not None and self._owns(person) and self._may_try(person):
                try:
                    await self._see_to(person, sends)
                    self._again.pop(person, None)
                except Refused as error:
                    await self._end(person, str(error))
                except _LATER as error:
                    metrics.RULE_DELIVERIES.labels("mail", "failed").inc()
                    reason = str(error) if isinstance(error, Unsent) else type(error).__name__
                    _log.warning("a digest is sent later", person=person, reason=reason)
                    self._wait(person)

    def _may_try(self, person: str) -> bool:
        return person not in self._again or self._again[person][1] <= self._clock()

    def _wait(self, person: str) -> None:
        times = self._again[person][0] + 1 if person in self._again else 0
        pause = min(_LONGEST, _FIRST * 2 ** min(times, 20)) * random.uniform(0.5, 1.0)  # noqa: S311 - spreads
        self._again[person] = (times, self._clock() + timedelta(seconds=pause))

    async def _see_to(self, person: str, sends: Outgoing) -> None:
        if self.schedule.sent_until(person) is None:  # the first window begins now
            await self.schedule.sent(person, self._clock())
            return
        window = self.schedule.due(person)
        if window is None or self._clock() < window.until + _SLACK:
            return
        address = self.mailboxes.of(person)
        if not address:  # what is found until then is kept for the first mail
            return
        items, total = await self._found(person, sends, window)
        if items:
            await self._send(person, address, window, items, total)
        await self.schedule.sent(person, window.until)

    async def _found(self, person: str, sends: Outgoing, window: Window) -> tuple[Sequence[Mapping[str, Any]], int]:
        asker = self._as_person(person)
        if READER not in asker.roles or sends.mailing is None:
            return (), 0
        query = Query(kind="activities", principals=(), where=within(sends.mailing, sends.muted, window), size=_ITEMS)
        page = await self._desk.find(asker, query)
        return [activity_of(hit.document) for hit in page.hits], page.total

    async def _send(
        self, person: str, address: str, window: Window, items: Sequence[Mapping[str, Any]], total: int
    ) -> None:
        assert self._server is not None, "nothing is due without one"
        stop = f"{self._page}{STOP}?token={self.token(person)}"
        post = Post(person=person, sender=self._sender, recipient=address, page=self._page, stop=stop)
        await self._server.send(message(post, window, self.schedule.every(person), items, total))
        metrics.RULE_DELIVERIES.labels("mail", "sent").inc()

    async def _end(self, person: str, reason: str) -> None:
        at = self._clock().isoformat()
        text = f"Your digest by mail was switched off at {at}: {reason}."
        _log.warning("a digest was switched off", person=person, reason=reason)
        metrics.RULE_DELIVERIES.labels("mail", "failed").inc()
        try:
            await self.schedule.choose(person, "never")
            await self._remembered.put(person, NOTICE + token_hex(8), {"at": at, "text": text})
        except Unpublished as error:
            _log.warning("a digest is switched off later", person=person, reason=str(error))
            self._wait(person)

    def token(self, person: str) -> str:
        """Return a text by which somebody may end their digests without logging in."""
        return Sealer(self._key()).seal(_PURPOSE, {"person": person}, _LINK_SECONDS)

    def named(self, token: str) -> str:
        """Return whom such a text names; empty for one that is not ours or too old."""
        opened = Sealer(self._key()).opened(_PURPOSE, token)
        return str(opened["person"]) if opened else ""


def within(mailing: Condition, muted: Condition, window: Window) -> Condition:
    """Return what belongs into a digest: taken in meanwhile, and not of long ago."""
    taken_in = Published(window.since, window.until, "recorded")
    return Every((mailing, Not(muted), taken_in, Published(window.since - _OLD, None)))
