"""Search as in chat and code hosts: qualifiers, conversations as one hit, other words where these find nothing."""

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from services.common.model import Enriched
from services.common.search.conditions import Every, Has, Not, Published
from services.gateway import qualifiers
from services.gateway.finding import told
from services.gateway.problems import Problem
from services.gateway.spelling import corrected
from tests.unit.gateway.speech import Speech
from tests.unit.gateway.world import HALL, NOON, ROOM, World, said, world


def nobody(_: str) -> frozenset[str]:
    return frozenset()


NOTHING = qualifiers.Known(people=nobody, places=nobody)


def test_qualifiers_are_conditions_and_the_rest_are_words() -> None:
    found = qualifiers.read('std::io from:me -in:"chat:a b" error http://x.example after:2026-03-01', "ann", NOTHING)
    assert found.words == "std::io error http://x.example"
    midnight = NOON.replace(hour=0)
    parts = (Has("people", ("ann",)), Not(Has("context", ("chat:a b",))), Published(since=midnight))
    assert found.where == Every(parts)
    assert qualifiers.read("plain words", "ann", NOTHING) == qualifiers.Question("plain words")


@pytest.mark.parametrize("wrong", ["before:soon", "has:luck", 'from:""', " ".join(["tag:x"] * 21), "after:2026-13-01"])
def test_a_qualifier_with_a_wrong_value_is_an_error(wrong: str) -> None:
    with pytest.raises(Problem) as error:
        qualifiers.read(wrong, "ann", NOTHING)
    assert error.value.status == 400


async def some(w: World) -> None:
    await w.opened(HALL)
    await w.opened(ROOM)
    await w.happens(
        threaded(1, "t1", text="a heron at https://a.example"),
        threaded(2, "t1", text="the heron again", who="bob"),
        threaded(3, "t2", text="another heron", where=ROOM, who="bob"),
        replace(threaded(4, "t4", text="a heron with tags"), tags=("birds",)),
    )


def threaded(number: int, thread: str, **more: Any) -> Enriched:
    return replace(said(number, **more), thread=f"chat:{thread}")


async def numbers(w: World, q: str, **more: str) -> list[int]:
    page = await w.json("/v1/search", params={"q": q, "mode": "lexical", **more})
    return sorted(int(one["object"]["id"].removeprefix("chat:")) for one in page["orderedItems"])


@pytest.mark.parametrize(
    ("q", "found"),
    [
        ("heron from:bob", [2, 3]),
        ("heron -from:bob", [1, 4]),
        ("heron from:@robert", [2, 3]),
        ("heron from:me", [1, 4]),
        (f"heron in:{ROOM}", [3]),
        ("heron in:Room", [3]),
        ('heron from:"bob"', [2, 3]),
        ("heron has:link", [1]),
        ("heron has:tag", [4]),
        ("heron tag:birds", [4]),
        ("from:bob", [2, 3]),
        ("heron before:2026-03-01", []),
        ("heron after:2026-03-01 type:note source:chat", [1, 2, 3, 4]),
        ("heron type:PullRequest", []),
    ],
)
async def test_what_is_typed_is_narrowed_by_qualifiers(q: str, found: list[int]) -> None:
    async with world() as w:
        await Speech(w).call("bob", "Robert")
        await some(w)
        assert await numbers(w, q, group="none") == found


async def test_a_place_is_found_by_its_newest_name_and_by_those_alone_who_may_know_it() -> None:
    async with world() as w:
        await w.opened(HALL)
        await w.opened(ROOM, "bob")
        named = [replace(said(n).activity.context[0], id=ROOM, name=name) for n, name in ((1, "Old"), (2, "Herons"))]
        await w.happens(*(said(n, text="x", where=ROOM, context=(one,)) for n, one in enumerate(named, start=1)))
        await w.happens(said(3, text="x"))
        for who in ("ann", "bob"):
            await w.json("/v1/activities", as_=who)
        names = w.parts.names
        known = {
            (name, who): names.called(name, w.parts.auth.as_person(who))
            for who in ("ann", "bob")
            for name in ("old", "herons")
        }
        assert {key for key, ids in known.items() if ids} == {("herons", "bob")}
        assert known["herons", "bob"] == {ROOM}


@pytest.mark.parametrize("mode", ["lexical", "hybrid"])
async def test_a_conversation_is_one_hit_that_says_how_much_of_it_was_found(mode: str) -> None:
    async with world() as w:
        await some(w)
        page = await w.json("/v1/search", params={"q": "heron", "mode": mode})
        found = {one["conversation"]["id"]: one["conversation"]["found"] for one in page["orderedItems"]}
        assert found == {"chat:t1": 2, "chat:t2": 1, "chat:t4": 1}


async def test_other_words_are_offered_from_what_may_be_opened_alone() -> None:
    async with world() as w:
        await w.opened(HALL)
        await w.opened(ROOM, "bob")
        await w.happens(said(1, text="the kingfisher dives"), said(2, text="classified", where=ROOM))
        asked = {"q": "kingfischer from:ann", "mode": "lexical"}
        assert (await w.json("/v1/search", params=asked))["didYouMean"] == "from:ann kingfisher"
        assert "didYouMean" not in await w.json("/v1/search", params={"q": "kingfisher"})
        assert (await w.json("/v1/search", params={"q": "clasified"}, as_="bob"))["didYouMean"] == "classified"
        assert "didYouMean" not in await w.json("/v1/search", params={"q": "clasified"})
        assert "from:ann kingfisher" in await (await w.get("/search", params=asked | {"mode": "hybrid"})).text()


def test_only_unknown_words_are_replaced_and_only_by_what_is_like_them() -> None:
    known = Counter({"heron": 3, "herons": 1, "release": 2})
    assert corrected("herron release", known) == "heron release"
    assert corrected("heron release", known) == ""
    assert corrected("herron zebra", known) == ""


def test_of_a_whole_text_of_unknown_words_nothing_is_made() -> None:
    assert corrected("herron " * 6, Counter({"heron": 1})) == " ".join(["heron"] * 6)
    assert corrected("herron " * 7, Counter({"heron": 1})) == ""


def test_newer_and_more_specific_things_tell_more_of_a_person() -> None:
    new: dict[str, Any] = {"people": ["ann"], "published": NOON.isoformat()}
    old, crowd = new | {"published": "2020-01-01T00:00:00+00:00"}, new | {"people": ["ann", "bob", "cat", "dan"]}
    assert told(new, 0, NOON)["ann"] > told(old, 0, NOON)["ann"] > 0
    assert told(new, 0, NOON)["ann"] == 2 * told(crowd, 0, NOON)["ann"]
    assert told(new, 0, NOON)["ann"] > told(new, 5, NOON)["ann"]


async def test_bad_input() -> None:
    async with world() as w:
        for query in ("q=before:soon", "q=x&group=some", "q=has:luck"):
            answer = await w.get(f"/v1/search?{query}")
            assert answer.status == 400
            assert (await answer.json(content_type=None))["type"] == "/docs#bad-parameter"
