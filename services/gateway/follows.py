"""What people follow: people, places and tags by id, and their own saved searches. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

from multidict import MultiDict

from services.common.search.conditions import Condition, Either, Has, Not
from services.gateway import filters as asked
from services.gateway.filters import Filters
from services.gateway.reactions import Reactions
from services.gateway.remembered import Remembered
from services.gateway.rules.own import Own
from services.gateway.stream.selection import Feed, Question

MOST = 500
"""Things that one person may follow."""
SEARCH = "search:"
"""A saved search is followed by its name behind this."""
SAVED = "search/"
"""Names of settings that hold saved searches."""
_FIELDS = {name: asked.FIELDS[name] for name in ("person", "container", "tag", "thread")}
"""What a followed id is looked for in, and the field of the index: ids of one kind do not occur as another."""


def searches(remembered: Remembered, person: str) -> Mapping[str, str]:
    """Return a person's saved searches: name and query string."""
    return {name: str(value.get("query", "")) for name, value in remembered.of(person, SAVED).items()}


def question(query: str) -> Filters:
    """Return what a query string asks for; raises Problem that names what is wrong with it."""
    pairs = MultiDict(parse_qsl(query.removeprefix("?"), keep_blank_values=True, max_num_fields=100))
    asked.only(pairs, *asked.FIELDS, "since", "until", "q")
    return asked.read(pairs)


@dataclass(frozen=True, slots=True)
class Mine:
    """What somebody follows, as questions to the stream; what mentions them; what their rules notify of and mute."""

    person: str
    followed: Mapping[str, Filters]
    """By what it is followed: person, container, tag, thread, search:NAME."""
    notified: Either
    muted: Either

    def asked(self, feed: Feed, wanted: Filters) -> dict[str, list[Question]]:
        """Return what of a feed is asked for; of what is followed, by what it is."""
        if feed == "mentions":
            found, unless = {"": Filters(values=(("mention", (self.person,)),))}, Either(())
        elif feed == "notifications":
            found, unless = {"": Filters()}, Either((Not(self.notified), self.muted))
        else:
            found, unless = dict(self.followed), self.muted
        both = {name: filters.narrowed(wanted) for name, filters in found.items()}
        left_out = unless if unless.parts else None
        return {name: [Question(one, left_out, feed=feed)] for name, one in both.items() if one is not None}


def mine(reactions: Reactions, remembered: Remembered, person: str) -> Mine:
    """Return what somebody follows now."""
    ids, named = _split(reactions.follows(person), searches(remembered, person))
    questions = {name: Filters(values=((name, ids),)) for name in _FIELDS} if ids else {}
    rules = Own.of(remembered, person)
    followed = questions | {SEARCH + name: question(query) for name, query in named.items()}
    return Mine(person, followed, notified=rules.doing("notify"), muted=rules.doing("mute"))


def _split(refs: tuple[str, ...], saved: Mapping[str, str]) -> tuple[tuple[str, ...], Mapping[str, str]]:
    """Return the newest ids that are followed, and the saved searches."""
    newest = refs[-MOST:]
    names = (ref.removeprefix(SEARCH) for ref in newest if ref.startswith(SEARCH))
    ids = tuple(ref for ref in newest if not ref.startswith(SEARCH))
    return ids, {name: saved[name] for name in names if name in saved}


def followed(refs: tuple[str, ...], saved: Mapping[str, str]) -> Condition:
    """Return what holds of an activity that somebody follows, by the newest follows; nothing where there are none."""
    ids, named = _split(refs, saved)
    parts: list[Condition] = [Has(field, ids) for field in _FIELDS.values()] if ids else []
    return Either((*parts, *(question(query).condition() for query in named.values())))
