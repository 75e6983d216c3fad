"""Batches -> Kafka: notes and access records first, then accounts, then activities; returns when all is stored.

Of a withdrawal every reader learns by the object's access record, before the activity that tells of it
(docs/adr/0001-withdrawal.md). Of a container without any record the audience of its first activity is taken.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from services.common import metrics, topics
from services.common.access import AccessView
from services.common.bus import Outgoing, Publisher, Unpublished
from services.common.clock import Clock, now
from services.common.codec import Codec
from services.common.deadletters import DeadLetters, FromSource
from services.common.errors import Reject
from services.common.model import (
    Access,
    AccessKind,
    Account,
    AccountType,
    Activity,
    Visibility,
)
from services.common.records import access_out
from services.common.withdrawal import withdrawal
from services.ingest.connector import Batch, Failure
from services.ingest.cursors import Cursors
from services.ingest.introductions import Introductions
from services.ingest.prepare import Prepared, prepare

_AT_ONCE = 250
"""Activities encoded at one go: the event loop waits as long."""


LettersOf = Callable[[str], DeadLetters]
"""Where a source's failures are put aside. Each source has a guard of its own, so that one's flood stops only it."""


class Intake:
    """Publishes what connectors found. One for all sources of the process."""

    def __init__(
        self,
        publisher: Publisher,
        access: AccessView,
        cursors: Cursors,
        introductions: Introductions,
        letters: LettersOf,
        *,
        prefix: str,
        clock: Clock = now,
    ) -> None:
        self._publisher = publisher
        self._access = access
        self._cursors = cursors
        self._introductions = introductions
        self._letters = letters
        self._prefix = prefix
        self._clock = clock
        self._activities = Codec("activity")
        self._accesses = Codec("access")
        self._accounts = Codec("account")

    async def take(self, source: str, batch: Batch) -> None:
        """Return once Kafka has acknowledged the batch. Raises Retry or Stop when it did not; all may come again."""
        await self._cursors.note(source, batch.notes)
        await self._say(source, batch.access)
        await self._introduce(source, batch.accounts)
        for start in range(0, len(batch.activities), _AT_ONCE):
            await self._store(source, prepare(batch.activities[start : start + _AT_ONCE], self._clock()))
            await asyncio.sleep(0)
        await self._give_up(source, batch.failures, among=len(batch.activities))

    async def take_prepared(self, source: str, prepared: Prepared, failures: Sequence[Failure]) -> None:
        """As ``take``, for activities that have been prepared elsewhere."""
        # What a connector has told of an account is more than activities do.
        told_by = self._introductions.told_by
        await self._introduce(source, [one for one in prepared.accounts if told_by(one.id) in ("", source)])
        await self._store(source, prepared)
        await self._give_up(source, failures, among=len(prepared.records))

    async def _store(self, source: str, prepared: Prepared) -> None:
        await self._say(source, self._implied(source, prepared.telling))
        topic = topics.ACTIVITY.name(self._prefix)
        await self._publish(
            source,
            [
                Outgoing(
                    topic=topic,
                    key=one.key,
                    value=self._activities.framed(one.body),
                    headers=one.headers,
                    place=one.place,
                )
                for one in prepared.records
            ],
        )
        metrics.RECORDS.labels("ingest", source, "published").inc(len(prepared.records))

    def _implied(self, source: str, activities: Iterable[Activity]) -> list[Access]:
        """The access records that activities call for: of their containers' first mention, of what they withdraw."""
        found: dict[str, Access] = {}
        for activity in activities:
            container = activity.audience.container
            if container and container not in found and self._access.get(container) is None:
                found[container] = container_access(activity, source)
            if activity.withdraws:
                of = activity.object.id
                found[of] = withdrawal(activity, found.get(of) or self._access.get(of), source)
        return list(found.values())

    async def _say(self, source: str, records: Sequence[Access]) -> None:
        news = [one for one in records if not _same(one, self._access.get(one.id))]
        stamped = [replace(one, recorded=self._clock(), source=one.source or source) for one in news]
        await self._publish(
            source,
            [
                Outgoing(
                    topic=topics.ACCESS.name(self._prefix), key=one.id, value=self._accesses.encode(access_out(one))
                )
                for one in stamped
            ],
        )
        for one in stamped:  # the view will read them as well, but what follows must know at once
            self._access.apply(one)

    async def _introduce(self, source: str, accounts: Sequence[Account]) -> None:
        records = (self._introductions.news(self._introduction(source, one)) for one in accounts)
        news = [one for one in records if one is not None]
        topic = topics.ACCOUNT.name(self._prefix)
        await self._publish(
            source, [Outgoing(topic=topic, key=one["account"], value=self._accounts.encode(one)) for one in news]
        )
        for one in news:
            self._introductions.said(one)

    def _introduction(self, source: str, account: Account) -> dict[str, Any]:
        automated = account.type in (AccountType.SERVICE, AccountType.APPLICATION)
        return {
            "account": account.id,
            "person": "" if automated or account.type is not AccountType.PERSON else account.id,
            "name": account.name,
            "handle": account.handle,
            "addressHash": account.address_hash,
            "automated": automated,
            "evidence": "self",
            "source": source,
            "recorded": self._clock(),
        }

    async def _publish(self, source: str, records: Sequence[Outgoing]) -> None:
        """Publish; what is too large for the topic goes aside, anything else is raised."""
        if not records:
            return
        try:
            await self._publisher.publish(records)
        except Unpublished as failed:
            others = [error for _, error in failed.failures if not isinstance(error, Reject)]
            if others:
                raise others[0] from failed
            for record, error in failed.failures:
                await self._letters(source).put(FromSource(source=source, value=None, key=record.key), error)

    async def _give_up(self, source: str, failures: Sequence[Failure], *, among: int) -> None:
        """Put aside what could not be mapped; the good ones stand between them, as they did at the source."""
        letters = self._letters(source)
        between = among // (len(failures) + 1)
        for failure in failures:
            letters.good(between)
            metrics.RECORDS.labels("ingest", source, "rejected").inc()
            await letters.put(FromSource(source=source, value=failure.value, key=failure.key), failure.error)
        letters.good(among - between * len(failures))


def container_access(activity: Activity, source: str) -> Access:
    """Return the record of a container of which nobody has said anything, as its first activity's audience says.

    Only PUBLIC can be taken from there: of whom else a container is open to an activity says nothing.
    """
    audience = activity.audience
    place = next((c for c in activity.context if c.id == audience.container), None)
    return Access(
        id=audience.container,
        kind=AccessKind.CONTAINER,
        visibility=audience.visibility if audience.visibility is Visibility.PUBLIC else Visibility.UNKNOWN,
        name=place.name if place else "",
        url=place.url if place else "",
        source=source,
    )


def _same(one: Access, known: Access | None) -> bool:
    """Return whether the record says nothing new; when and by whom it was said is no news."""
    return known is not None and replace(one, recorded=known.recorded, source=known.source) == known
