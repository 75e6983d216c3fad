"""Random organisations, what of them each person may see, and how they come to a gateway. The model is a few lines."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from hypothesis import strategies as st

from services.common import topics
from services.common.envelope import REDACTED
from services.common.model import (
    EPOCH,
    EVERY_VERSION,
    REDACTED_GENERATION,
    Access,
    AccessKind,
    Account,
    ActivityType,
    Container,
    Enriched,
    Object,
    Visibility,
)
from services.common.withdrawal import blank
from tests.fixtures.stack import eventually
from tests.unit.gateway.world import HALL, NOON, World, said

PEOPLE = ("ann", "bob", "cat")
GROUPS = ("group:eng", "group:board")
PRINCIPALS = (*PEOPLE, *(f"chat:{one}" for one in PEOPLE), *GROUPS)
PLACES = ("chat:p0", "chat:p1", "chat:p2")
THREADS = ("chat:t0", "chat:t1")
SHARED = ("heron", "otter")
UNIT = "birds"
"""Unit of all people."""
LAST = 900
"""Number of the message in a place that is always open, published after all others: a stream that gives it is read."""

Openers = frozenset[str] | None
"""Who may open a place or a closed object; None: there is no record (nobody a place, everybody an object)."""
EVERYONE = frozenset({"everyone"})


@dataclass(frozen=True, kw_only=True)
class Deed:
    """One message. Things of one place stay there: ``thing`` picks one of its three."""

    number: int
    who: str
    place: str
    thing: int
    thread: str
    word: str
    coauthor: str

    @property
    def object(self) -> str:
        """Id of what it is about."""
        return f"{self.place}/{self.thing}"

    def enriched(self) -> Enriched:
        """Return the activity. Its text, tag and title occur nowhere else; the place has its name from it, too."""
        only = f"only{self.number}"
        thing = Object(id=self.object, type="Note", title=f"Title {only}", content=f"{self.word} {only}", version=only)
        context = (
            Container(id=self.place, type="Channel", name=f"Place {only}"),
            Container(id=self.thread, type="Thread", name=f"Thread {only}"),
        )
        e = said(self.number, text=f"{self.word} {only}", where=self.place, who=self.who)
        activity = replace(
            e.activity,
            actor=Account(id=f"chat:{self.who}", name=f"{self.who} {only}"),
            object=thing,
            context=context,
            mentions=(f"chat:{self.coauthor}",) if self.coauthor else (),
            coauthors=(f"chat:{self.coauthor}",) if self.coauthor else (),
        )
        people = (self.coauthor,) if self.coauthor else ()
        return replace(e, activity=activity, thread=self.thread, tags=(only, self.word), coauthor_people=people)


@dataclass(frozen=True, kw_only=True)
class Offer:
    """A recommendation: to whom, of which deed, resting on which other one."""

    person: str
    deed: int
    evidence: int


@dataclass(frozen=True, kw_only=True)
class Organisation:
    """What was done, who could open it at first, and what has changed since."""

    places: Mapping[str, Openers]
    closed: Mapping[str, frozenset[str]]
    deeds: Sequence[Deed]
    offers: Sequence[Offer] = ()
    later_places: Mapping[str, Openers] = field(default_factory=dict)
    later_closed: Mapping[str, frozenset[str]] = field(default_factory=dict)
    deleted: frozenset[str] = frozenset()
    opted_out: frozenset[str] = frozenset()

    def may_see(self, person: str, deed: Deed) -> bool:
        """The model: the place is open to one of the person's principals, and so is the thing if it is closed."""
        closed = {**self.closed, **self.later_closed}.get(deed.object)
        return self.may_open(person, deed.place) and (closed is None or bool(_own(person) & closed))

    def may_open(self, person: str, place: str) -> bool:
        """The model: a place is open to one of the person's principals, whether something has happened there or not."""
        return bool(_own(person) & ({**self.places, **self.later_places}[place] or frozenset()))

    def seen_by(self, person: str) -> "Organisation":
        """Return the organisation from which everything was removed that the person may not see."""
        kept = [one for one in self.deeds if self.may_see(person, one)]
        numbers, things = {one.number for one in kept}, {one.object for one in kept}
        places = [one for one in self.places if self.may_open(person, one)]
        now_open, now_closed = {**self.places, **self.later_places}, {**self.closed, **self.later_closed}
        return Organisation(
            places={name: openers for name, openers in now_open.items() if name in places},
            closed={name: openers for name, openers in now_closed.items() if name in things},
            deeds=kept,
            offers=[one for one in self.offers if {one.deed, one.evidence} <= numbers],
            deleted=self.deleted & things,
            opted_out=self.opted_out,
        )


def _own(person: str) -> frozenset[str]:
    return frozenset({"everyone", person, f"chat:{person}"})


_SOME = st.frozensets(st.sampled_from(PRINCIPALS), max_size=3)
_OPENERS = st.just(EVERYONE) | _SOME
_THINGS = st.sampled_from([f"{place}/{n}" for place in PLACES for n in range(3)])


@st.composite
def organisations(draw: st.DrawFn) -> Organisation:
    """Return a strategy of organisations of three people, three places and up to seven messages."""
    numbers = range(draw(st.integers(1, 7)))
    deeds = [
        Deed(
            number=number,
            who=draw(st.sampled_from(PEOPLE)),
            place=draw(st.sampled_from(PLACES)),
            thing=draw(st.integers(0, 2)),
            thread=draw(st.sampled_from(THREADS)),
            word=draw(st.sampled_from(SHARED)),
            coauthor=draw(st.sampled_from(("", *PEOPLE))),
        )
        for number in numbers
    ]
    deed = st.sampled_from(numbers)
    offers = st.builds(Offer, person=st.sampled_from(PEOPLE), deed=deed, evidence=deed)
    return Organisation(
        places={name: draw(st.none() | _OPENERS) for name in PLACES},
        closed=draw(st.dictionaries(_THINGS, _SOME, max_size=2)),
        deeds=deeds,
        offers=draw(st.lists(offers, max_size=4, unique_by=lambda one: (one.person, deeds[one.deed].object))),
        later_places=draw(st.dictionaries(st.sampled_from(PLACES), st.none() | _OPENERS, max_size=2)),
        later_closed=draw(st.dictionaries(_THINGS, _SOME, max_size=2)),
        deleted=draw(st.frozensets(_THINGS, max_size=1)),
        opted_out=draw(st.frozensets(st.sampled_from(PEOPLE), max_size=1)),
    )


async def happen(w: World, o: Organisation, *, as_now: bool = False) -> None:
    """Let it all happen, in order; then one last message that everyone sees.

    ``as_now``: what is deleted in the end never had any content.
    """
    await w.opened(HALL)
    await w.allow(*(_place(name, openers) for name, openers in o.places.items() if openers is not None))
    await w.allow(*(_closed(name, openers) for name, openers in o.closed.items()))
    for person in PEOPLE:
        await _introduce(w, person, opted_out=person in o.opted_out)
    deeds = [one.enriched() for one in o.deeds]
    await w.happens(*(blank(e) if as_now and e.activity.object.id in o.deleted else e for e in deeds))
    by_number = {one.number: one for one in o.deeds}
    for offer in o.offers:
        await _recommend(w, offer.person, by_number[offer.deed], [by_number[offer.evidence]])
    await w.allow(*(_place(name, openers) for name, openers in o.later_places.items()))
    await w.allow(*(_closed(name, openers) for name, openers in o.later_closed.items()))
    count = len(deeds) + await _delete(w, o, deeds)
    await _the_last(w, count)


async def _the_last(w: World, count: int) -> None:
    """Publish what everyone sees, once memory holds all that came before; wait until it is known as well."""
    ring = w.parts.hub.ring
    await eventually(lambda: ring.end >= count, what="all is in memory", within=20, pause=0.002)
    last = Deed(number=LAST, who="dan", place=HALL, thing=0, thread=THREADS[0], word="last", coauthor="")
    await w.happens(replace(last.enriched(), mention_people=PEOPLE))
    for person in PEOPLE:
        await _recommend(w, person, last, [])

    def known() -> bool:
        held = [{r.object for r in w.parts.recommendations.of(one)} for one in PEOPLE]
        return ring.end > count and all(last.object in one for one in held)

    await eventually(known, what="the last is in memory", within=20, pause=0.002)
    for event in ring.slice(ring.first, ring.end):
        assert event.made, "every record can be read"  # and names are learned: it must not matter who asks first


async def _delete(w: World, o: Organisation, deeds: Sequence[Enriched]) -> int:
    """Delete things as a source does: the act, the record, and what was said before again without its content."""
    count = 0
    for thing in sorted(o.deleted & {e.activity.object.id for e in deeds}):
        before = [e for e in deeds if e.activity.object.id == thing]
        stone = Object(id=thing, type="Tombstone", version="gone")
        act = replace(
            before[0].activity,
            id=f"{thing}@gone#chat.delete",
            type=ActivityType.DELETE,
            verb="chat.delete",
            published=NOON + timedelta(minutes=800),
            object=stone,
            withdraws=(EVERY_VERSION,),
        )
        closed = {**o.closed, **o.later_closed}.get(thing)
        record = Access(id=thing, kind=AccessKind.OBJECT, withdrawn=(EVERY_VERSION,), order=act.order)
        if closed is not None:
            record = replace(record, restricted=True, principals=tuple(sorted(closed)))
        await w.allow(record)
        again = [replace(blank(e), generation=REDACTED_GENERATION) for e in before]
        await w.happens(blank(Enriched(activity=act, person=before[0].person, thread=before[0].thread)))
        await w.happens(*again, mark=REDACTED)
        count += 1 + len(again)
    return count


def _place(name: str, openers: frozenset[str] | None) -> Access:
    visibility = Visibility.UNKNOWN if openers is None else Visibility.RESTRICTED
    principals = tuple(sorted(openers or ()))
    if openers == EVERYONE:
        visibility, principals = Visibility.PUBLIC, ()
    return Access(id=name, kind=AccessKind.CONTAINER, visibility=visibility, principals=principals)


def _closed(name: str, openers: frozenset[str]) -> Access:
    return Access(id=name, kind=AccessKind.OBJECT, restricted=True, principals=tuple(sorted(openers)))


async def _introduce(w: World, person: str, *, opted_out: bool) -> None:
    account = {"account": f"chat:{person}", "person": person, "name": "", "handle": "", "addressHash": ""}
    about = {"automated": False, "evidence": "configured", "source": "chat", "recorded": EPOCH}
    await w.publish(topics.ACCOUNT, f"chat:{person}", account | about)
    record = {"id": person, "name": "", "units": [UNIT], "accounts": [], "optOut": opted_out, "settings": {}}
    await w.publish(topics.PERSON, person, record | {"recorded": EPOCH})
    await eventually(lambda: w.parts.directory.accounts_of(person), what="the account is known", within=20, pause=0.002)


async def _recommend(w: World, person: str, deed: Deed, evidence: Sequence[Deed]) -> None:
    record = {
        "person": person,
        "object": deed.object,
        "score": 0.7,
        "terms": {"topic": 0.5, "novelty": 0.2},
        "reason": f"because of only{deed.number}",
        "container": deed.place,
        "published": NOON + timedelta(minutes=deed.number),
        "recorded": NOON,
        "activity": deed.enriched().activity.id,
        "evidence": [one.object for one in evidence],
        "evidenceContainers": [one.place for one in evidence],
        "withdrawn": False,
        "heldOut": False,
        "model": "test",
    }
    await w.publish(topics.RECOMMENDATION, f"{person}|{deed.object}", record, place=person)
