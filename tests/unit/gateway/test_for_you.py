"""The For-you list over twins: the dial, reasons that tell nothing closed, feedback, newcomers, and its page."""

import json
from typing import Any

import pytest

from services.common import topics
from services.common.codec import Codec
from services.common.recommendation import Evidence, Recommendation, recommendation_out
from tests.fixtures.stack import eventually
from tests.unit.gateway.world import HALL, NOON, ROOM, World, said, world


async def recommend(w: World, thing: str, score: float, **changed: Any) -> None:
    one = Recommendation(
        **{
            "person": "ann",
            "object": thing,
            "score": score,
            "terms": {"words": score},
            "reason": f"because of {thing}",
            "plain": "because of something",
            "container": HALL,
            "author": "bob",
            "model": "test",
            "published": NOON,
            **changed,
        }
    )
    await w.publish(topics.RECOMMENDATION, one.key, recommendation_out(one, NOON), place=one.person)
    hidden = one.withdrawn or one.held_out
    await eventually(
        lambda: w.parts.recommendations.get(one.person, thing) == (None if hidden else one),
        what="the recommendation is held",
        within=5,
        pause=0.01,
    )


async def shown(w: World, **params: str) -> list[str]:
    found = await w.json("/v1/me/for-you", params=params)
    return [one["object"]["id"] for one in found["orderedItems"]]


async def test_for_you_gives_reasons_and_obeys_the_dial() -> None:
    async with world() as w:
        await w.opened(HALL)
        await w.happens(said(1, who="bob"), said(2, who="bob"))
        await recommend(w, "chat:1", 1.2, surprise=0.1)
        await recommend(w, "chat:2", 1.0, surprise=0.9)
        for surprise, first in (("0", "chat:1"), ("0.5", "chat:1"), ("1", "chat:2")):
            found = await w.json("/v1/me/for-you", params={"surprise": surprise})
            assert found["orderedItems"][0]["object"]["id"] == first
            assert found["orderedItems"][0]["reason"] == f"because of {first}"


async def test_what_is_hardly_relevant_stays_below_however_surprising_it_is() -> None:
    async with world() as w:
        await w.opened(HALL)
        await w.happens(said(1, who="bob"), said(2, who="bob"))
        await recommend(w, "chat:1", 2.0, surprise=0.2)
        await recommend(w, "chat:2", -3.0, surprise=1.0)
        assert await shown(w, surprise="1") == ["chat:1", "chat:2"]


async def test_for_you_holds_nothing_that_may_not_be_opened_and_no_reason_that_rests_on_it() -> None:
    async with world() as w:
        await w.opened(HALL)
        await w.opened(ROOM, "bob")
        await w.happens(*(said(n, who="bob") for n in (1, 2, 5)), said(3, who="bob", where=ROOM))
        await recommend(w, "chat:1", 1.0, evidence=(Evidence("chat:5", HALL),))
        await recommend(w, "chat:2", 0.9, evidence=(Evidence("chat:3", ROOM),))
        await recommend(w, "chat:3", 1.0, container=ROOM)
        found = await w.json("/v1/me/for-you")
        told = {one["object"]["id"]: (one["reason"], one["evidence"]) for one in found["orderedItems"]}
        assert told == {"chat:1": ("because of chat:1", ["chat:5"]), "chat:2": ("because of something", [])}


async def test_a_reason_whose_evidence_is_closed_later_becomes_poorer_at_once() -> None:
    async with world() as w:
        await w.opened(HALL)
        await w.opened(ROOM)
        await w.happens(said(1, who="bob"), said(3, who="bob", where=ROOM))
        await recommend(w, "chat:1", 1.0, evidence=(Evidence("chat:3", ROOM),))
        assert (await w.json("/v1/me/for-you"))["orderedItems"][0]["reason"] == "because of chat:1"
        await w.opened(ROOM, "bob")
        assert (await w.json("/v1/me/for-you"))["orderedItems"][0]["reason"] == "because of something"


@pytest.mark.parametrize("gone", [{"withdrawn": True}, {"held_out": True}])
async def test_what_is_withdrawn_or_held_out_is_not_shown(gone: dict[str, bool]) -> None:
    async with world() as w:
        await w.opened(HALL)
        await w.happens(said(1, who="bob"))
        await recommend(w, "chat:1", 1.0)
        await recommend(w, "chat:1", 1.0, **gone)
        assert await shown(w) == []


async def react(w: World, subject: str, kind: str, **more: Any) -> None:
    answer = await w.client.post("/v1/feedback?as=ann", json={"subject": subject, "kind": kind, **more})
    assert answer.status == 204


@pytest.mark.parametrize(
    ("subject", "kind"),
    [("chat:1", "not-useful"), ("chat:1", "less"), ("chat:1", "mute"), (HALL, "mute"), ("bob", "mute")],
)
async def test_what_is_not_wanted_is_hidden_at_once_and_comes_back_when_that_is_taken_back(
    subject: str, kind: str
) -> None:
    async with world() as w:
        await w.opened(HALL)
        await w.happens(said(1, who="bob"))
        await recommend(w, "chat:1", 1.0)
        await react(w, subject, kind)
        assert await shown(w) == []
        await react(w, subject, kind, undone=True)
        assert await shown(w) == ["chat:1"]


async def test_a_newcomer_with_three_follows_gets_a_list_with_true_reasons() -> None:
    async with world() as w:
        await w.opened(HALL)
        await w.opened(ROOM)
        tagged = said(3, who="dora", where=ROOM, tags=("parsers",))
        await w.happens(said(1, who="bob", where=ROOM), said(2, who="carl"), tagged, said(4, who="ann", where=HALL))
        for subject in ("bob", HALL, "parsers"):
            await react(w, subject, "follow")
        found = await w.json("/v1/me/for-you")
        reasons = {one["object"]["id"]: one["reason"] for one in found["orderedItems"]}
        assert reasons == {
            "chat:1": "Bob, whom you follow, has a part in it.",
            "chat:2": "New in hall, which you follow.",
            "chat:3": "It is about parsers, which you follow.",
        }


async def test_somebody_without_follows_and_history_gets_an_empty_list() -> None:
    async with world() as w:
        await w.opened(HALL)
        await w.happens(said(1, who="bob"))
        assert await shown(w) == []


async def log_of_feedback(w: World) -> list[dict[str, Any]]:
    topic = topics.FEEDBACK.name(w.bus.prefix)
    reader = await w.bus.reader()
    await reader.start_at({p: first for p, (first, _) in (await reader.bounds(topic)).items()})
    return [Codec("feedback").decode(r.value or b"") for r in await reader.poll(limit=100, wait=1)]


async def test_feedback_is_logged_with_the_terms_of_that_moment() -> None:
    async with world() as w:
        await recommend(w, "chat:1", 1.5)
        await react(w, "chat:1", "new-to-me", surface="for-you", rank=3, dial=0.75)
        [one] = await log_of_feedback(w)
        assert (one["terms"], one["score"], one["model"], one["container"]) == ({"words": 1.5}, 1.5, "test", HALL)
        assert (one["rank"], one["dial"], one["surface"]) == (3, 0.75, "for-you")


async def test_the_first_exposure_is_not_written_over() -> None:
    async with world() as w:
        await react(w, "chat:1", "seen", surface="for-you", rank=1)
        await react(w, "chat:1", "seen", surface="for-you", rank=2)
        assert [one["rank"] for one in await log_of_feedback(w)] == [1]


async def test_the_page_logs_what_it_shows_and_what_is_opened_from_it() -> None:
    async with world() as w:
        await w.opened(HALL)
        await w.happens(said(1, who="bob"))
        await recommend(w, "chat:1", 1.5)
        page = await (await w.get("/for-you", params={"surprise": "1"})).text()
        link = page.partition('<h2><a href="')[2] or page.partition('class="plain" href="')[2]
        await w.client.get(link.partition('"')[0].replace("&amp;", "&") + "&as=ann")
        acts = [(one["kind"], one["rank"], one["dial"], one["terms"]) for one in await log_of_feedback(w)]
        assert acts == [("seen", 1, 1.0, {"words": 1.5}), ("opened", 1, 1.0, {"words": 1.5})]


async def test_the_page_works_without_scripts_and_says_what_it_did() -> None:
    async with world() as w:
        await w.opened(HALL)
        await w.happens(said(1, who="bob"))
        await recommend(w, "chat:1", 1.5)
        form = {"subject": "chat:1", "kind": "less", "rank": "1", "surprise": "0.75"}
        answer = await w.client.post("/for-you/feedback?as=ann", data=form, allow_redirects=False)
        assert (answer.status, answer.headers["Location"]) == (303, "/for-you?surprise=0.75&done=less&about=chat%3A1")
        page = await (await w.client.get(answer.headers["Location"] + "&as=ann")).text()
        assert "Hidden; you will see less from there." in page
        assert "because of chat:1" not in page
        answer = await w.client.post("/for-you/feedback?as=ann", data={"subject": "chat:1", "kind": "steal"})
        assert answer.status == 400


async def test_for_you_is_live_tells_no_closed_reason_and_takes_back() -> None:
    async with world() as w:
        await w.opened(HALL)
        await w.opened(ROOM, "bob")
        async with w.listening(feed="for-you") as ann, w.listening(feed="for-you", as_="bob") as bob:
            await ann.begun()
            await bob.begun()
            await recommend(w, "chat:1", 1.0, evidence=(Evidence("chat:3", ROOM),))
            await recommend(w, "chat:2", 1.0, held_out=True)
            await recommend(w, "chat:4", 1.0, person="bob", evidence=(Evidence("chat:3", ROOM),))
            await recommend(w, "chat:1", 1.0, withdrawn=True)
            [gone] = await ann.until(1, "withdrawn")
            [mine], [his] = await ann.until(1), await bob.until(1)
        assert json.loads(mine.data)["reason"] == "because of something"
        assert json.loads(his.data)["reason"] == "because of chat:4"
        assert json.loads(gone.data) == {"type": "Undo", "object": "chat:1"}
