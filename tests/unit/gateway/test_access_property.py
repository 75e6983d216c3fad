"""Nothing that a person may not see appears anywhere, not even as a number.

Every address is asked as every person, of a random organisation and of the same one from which everything forbidden was
removed: the answers must be equal.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings

from services.gateway.picture import counting
from services.gateway.web import thing
from tests.unit.gateway.organisation import EVERYONE, PEOPLE, PLACES, Deed, Offer, Organisation, happen, organisations
from tests.unit.gateway.questions import QUESTIONS, SAYS_NOTHING, addresses, answers
from tests.unit.gateway.world import World, world

Worlds = Callable[[], AbstractAsyncContextManager[World]]


def deed(number: int, place: int, thing: int = 0, who: str = "ann") -> Deed:
    return Deed(
        number=number, who=who, place=PLACES[place], thing=thing, thread="chat:t0", word="heron", coauthor="cat"
    )


RICH = Organisation(
    places={PLACES[0]: EVERYONE, PLACES[1]: frozenset({"bob"}), PLACES[2]: EVERYONE},
    closed={f"{PLACES[0]}/1": frozenset({"chat:cat"})},
    deeds=[deed(0, 0), deed(1, 0, 1), deed(2, 1, who="bob"), deed(3, 2), deed(4, 0, 2), deed(5, 1, 1), deed(6, 0)],
    offers=[Offer(person="ann", deed=0, evidence=2), Offer(person="ann", deed=4, evidence=0)],
    later_places={PLACES[2]: frozenset({"group:eng", "cat"}), PLACES[1]: frozenset({"ann"})},
    later_closed={f"{PLACES[0]}/2": frozenset({"bob"})},
    deleted=frozenset({f"{PLACES[0]}/0"}),
    opted_out=frozenset({"bob"}),
)
"""Something of everything: restricted, revoked, opened, closed by itself before and after, deleted, opted out."""


@pytest.fixture(autouse=True)
def no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """The page of an object gives the index some time; it is as long for what is absent as for what is forbidden."""
    monkeypatch.setattr(thing, "_INDEX_SECONDS", 0.0)


@pytest.fixture(autouse=True)
def every_number_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """The picture of a topic keeps small numbers to itself; here they must be right as well."""
    monkeypatch.setattr(counting, "LEAST", 1)


async def compare(o: Organisation, worlds: Worlds = world, people: Sequence[str] = PEOPLE) -> None:
    """Ask of the organisation and of what each of some people may see of it."""
    async with worlds() as whole:
        await happen(whole, o)
        for person in people:
            async with worlds() as left:
                await happen(left, o.seen_by(person), as_now=True)
                expected = await answers(left, o, person)
            given = await answers(whole, o, person)
            for question, answer in expected.items():
                assert given[question] == answer, f"{person}: {question}"


@settings(
    max_examples=8, deadline=None, suppress_health_check=list(HealthCheck), phases=(Phase.explicit, Phase.generate)
)
@example(RICH)
@given(organisations())
async def test_everything_answers_as_if_what_is_forbidden_were_not_there(o: Organisation) -> None:
    await compare(o)


async def test_every_address_is_asked() -> None:
    async with world() as w:
        assert addresses(w) == QUESTIONS.keys() | SAYS_NOTHING
