"""Feeds of one's own as conditions, how far each was read, and how much of it is new."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.common.search import Query
from services.common.search.conditions import Condition, Either, Every, Has, Not, Published
from services.gateway import follows
from services.gateway.auth import Asker
from services.gateway.desk import Desk
from services.gateway.reactions import Reactions
from services.gateway.remembered import Remembered
from services.gateway.rules.own import Own
from services.gateway.stream.selection import Feed

INBOX: tuple[Feed, ...] = ("mentions", "notifications")
READ = "read/"
"""Names of settings that hold how far a feed was read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """Knows what is in a person's own feeds, and what of it is unread: newer than the read mark, and not their own."""

    desk: Desk
    remembered: Remembered
    reactions: Reactions

    def condition(self, person: str, feed: Feed) -> Condition:
        """Return what holds of the activities of a feed."""
        if feed == "mentions":
            return Has("mentions", (person,))
        rules = Own.of(self.remembered, person)
        if feed == "notifications":
            return rules.without_muted(rules.doing("notify"))
        saved = follows.searches(self.remembered, person)
        return rules.without_muted(follows.followed(self.reactions.follows(person), saved))

    def notifying(self, person: str) -> Condition | None:
        """Return what somebody's rules notify them of; None where none does."""
        rules = Own.of(self.remembered, person)
        return self.condition(person, "notifications") if rules.doing("notify").parts else None

    def read_until(self, person: str, feed: Feed) -> datetime | None:
        """Return the read mark of a feed; None where nothing was marked as read yet."""
        value = self.remembered.get(person, READ + feed)
        return datetime.fromisoformat(value["until"]) if value else None

    async def count(self, asker: Asker, feeds: Sequence[Feed]) -> int:
        """Return how many activities are unread in any of some feeds, each counted once."""
        (found,) = await self.counts(asker, [feeds])
        return found

    async def counts(self, asker: Asker, wanted: Sequence[Sequence[Feed]]) -> list[int]:
        """Return ``count`` of each of some groups of feeds, asked at once."""
        pages = await self.desk.find_all(asker, [self.query(asker.person, feeds) for feeds in wanted])
        return [page.total for page in pages]

    def query(self, person: str, feeds: Sequence[Feed]) -> Query:
        """Return the question for what is unread in any of some feeds; its total says how much."""
        where = Either(tuple(self._unread(person, feed) for feed in feeds))
        return Query(kind="activities", principals=(), where=where, size=1)

    def _unread(self, person: str, feed: Feed) -> Condition:
        read = self.read_until(person, feed)
        newer = (Published(since=read),) if read else ()
        return Every((self.condition(person, feed), Not(Has("person", (person,))), *newer))
