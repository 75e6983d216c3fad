"""Speaking: notes, replies, corrections and what is taken back; all of it by Kafka, and open to whom its place is."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from services.common import topics
from services.common.codec import Codec
from services.common.model import Access, AccessKind, Container
from services.common.records import access_in
from tests.unit.gateway.speech import Speech, records, said_here
from tests.unit.gateway.world import HALL, ROOM, ids, said, world


@pytest.fixture
async def s() -> AsyncIterator[Speech]:
    async with world() as w:
        yield Speech(w)


async def texts(s: Speech, path: str = "/v1/activities", **more: Any) -> list[str]:
    return [one["object"].get("content", "") for one in (await s.w.json(path, **more))["orderedItems"]]


async def test_a_note_to_everyone_is_an_activity_like_any_other(s: Speech) -> None:
    note = await s.send("/v1/notes", {"content": "The *heron* is back"})
    for path in ("/v1/activities", "/v1/search?q=heron", "/v1/activities?person=ann"):
        assert [one["object"]["id"] for one in (await s.w.json(path, as_="bob"))["orderedItems"]] == [note["id"]], path
    assert (await said_here(s.w))[0].id == note["activity"]


async def test_a_place_has_its_access_record_before_its_first_activity(s: Speech) -> None:
    await s.ask("/v1/notes", {"content": "hello"})
    first = access_in(Codec("access").decode((await records(s.w, topics.ACCESS))[0].value or b""))
    note = (await said_here(s.w))[0]
    assert (first.id, first.kind) == (note.audience.container, AccessKind.CONTAINER)
    assert first.recorded <= note.recorded


async def test_a_reply_stands_in_the_same_conversation_and_place(s: Speech) -> None:
    await s.w.opened(ROOM, "ann", "bob")
    await s.w.happens(replace(said(1, where=ROOM), thread="chat:1"))
    about = await s.send("/v1/notes", {"content": "about it", "about": "chat:1"})
    await s.send(f"/v1/notes/{about['id']}/replies", {"content": "indeed"}, as_="bob")
    thing = await s.w.json("/v1/objects/chat:1", as_="bob")
    assert [one["object"]["content"] for one in thing["thread"]["orderedItems"]] == ["about it", "indeed"]
    assert "about it" not in str(await texts(s, as_="cat"))


async def test_a_correction_replaces_the_text_and_keeps_the_history(s: Speech) -> None:
    note = await s.send("/v1/notes", {"content": "hurray for otters"})
    await s.send(f"/v1/notes/{note['id']}", {"content": "hurray for herons"}, method="PUT")
    thing = await s.w.json(f"/v1/objects/{note['id']}")
    assert thing["content"] == "hurray for herons"
    assert thing["previousVersion"] == (await said_here(s.w))[0].object.version
    assert thing["history"]["totalItems"] == 2
    assert await texts(s, "/v1/search?q=otters&mode=lexical") == []


async def test_what_is_taken_back_is_withdrawn_before_anybody_reads_of_it(s: Speech) -> None:
    note = await s.send("/v1/notes", {"content": "the heron password"})
    await s.send(f"/v1/notes/{note['id']}", method="DELETE")
    assert "password" not in await (await s.w.get("/v1/activities")).text()
    assert (await s.w.json(f"/v1/objects/{note['id']}"))["deleted"]
    gone = (await said_here(s.w))[-1]
    assert (gone.verb, gone.withdraws) == ("note.delete", ("*",))
    for method, path in (("PUT", ""), ("DELETE", ""), ("POST", "/replies")):
        answer = await s.ask(f"/v1/notes/{note['id']}{path}", {"content": "again"}, method=method)
        assert answer.status == 404


async def test_only_who_said_it_may_change_it(s: Speech) -> None:
    note = await s.send("/v1/notes", {"content": "mine"})
    await s.w.opened(HALL)
    await s.w.happens(said(1))
    for id_ in (note["id"], "chat:1"):
        for method in ("PUT", "DELETE"):
            answer = await s.ask(f"/v1/notes/{id_}", {"content": "yours"}, method=method, as_="bob")
            assert answer.status == 403, await answer.text()


async def test_at_once_after_it_was_said_it_can_be_answered_corrected_and_taken_back(s: Speech) -> None:
    note = await (await s.ask("/v1/notes", {"content": "quick"})).json()  # neither enriched nor indexed yet
    assert (await s.ask(f"/v1/notes/{note['id']}/replies", {"content": "as a flash"}, as_="bob")).status == 201
    assert (await s.ask(f"/v1/notes/{note['id']}", {"content": "quicker"}, method="PUT")).status == 200
    assert (await s.ask(f"/v1/notes/{note['id']}", method="DELETE")).status == 204
    assert (await s.ask(f"/v1/notes/{note['id']}/replies", {"content": "late"})).status == 404


@pytest.mark.parametrize("settled", [True, False])
async def test_the_same_key_says_it_once(s: Speech, settled: bool) -> None:
    first = await (await s.ask("/v1/notes", {"content": "once"}, Idempotency_Key="k1")).json()
    if settled:
        await s.settle()
        s.w.parts.mouth._recent.clear()  # as after a restart
    assert await (await s.ask("/v1/notes", {"content": "once"}, Idempotency_Key="k1")).json() == first
    for other in ({"as_": "bob", "Idempotency_Key": "k1"}, {"Idempotency_Key": "k2"}):
        answer = await s.ask("/v1/notes", {"content": "once"}, **other)
        assert (await answer.json())["id"] != first["id"]
    assert len(await said_here(s.w)) == 3


async def test_who_is_mentioned_finds_it_by_that(s: Speech) -> None:
    await s.call("bob", "Bobby")
    await s.call("cat", "twin")
    await s.call("dan", "twin")
    note = await s.send("/v1/notes", {"content": "@bobby look, `@cat` and @twin, @nobody", "mentions": ["eve"]})
    assert (note["mentions"], note["unresolved"]) == (["bob", "eve"], ["twin", "nobody"])
    for who, found in (("bob", 1), ("eve", 1), ("cat", 0), ("dan", 0)):
        page = await s.w.json("/v1/me/mentions", as_=who)
        assert (page["totalItems"], page["unread"]) == (found, found), who
    await s.send("/v1/me/mentions/read", as_="bob", method="PUT")
    assert (await s.w.json("/v1/me/mentions", as_="bob"))["unread"] == 0
    assert len(await texts(s, "/v1/activities?mention=bob")) == 1


async def test_of_a_thing_that_is_closed_to_some_nothing_is_said_in_its_place(s: Speech) -> None:
    await s.w.opened(HALL)
    await s.w.allow(Access(id="chat:1", kind=AccessKind.OBJECT, restricted=True, principals=("ann",)))
    await s.w.happens(said(1))
    assert (await s.ask("/v1/notes", {"content": "psst", "about": "chat:1"})).status == 409
    hidden = await s.ask("/v1/notes", {"content": "psst", "about": "chat:1"}, as_="bob")
    absent = await s.ask("/v1/notes", {"content": "psst", "about": "chat:7"}, as_="bob")
    assert (hidden.status, await hidden.text()) == (404, await absent.text())


async def test_a_reply_in_a_thread_stays_in_the_thread(s: Speech) -> None:
    await s.w.opened(HALL)
    e = said(1)
    thread = (*e.activity.context, Container(id="chat:t1", type="Thread"))
    await s.w.happens(replace(e, thread="chat:t1", activity=replace(e.activity, context=thread)))
    await s.send("/v1/notes", {"content": "yes", "about": "chat:1"})
    assert (await said_here(s.w))[0].context[-1].id == "chat:t1"


async def test_nobody_says_more_than_the_pace_allows() -> None:
    async with world(gateway_says_per_minute=2) as w:
        s = Speech(w)
        answers = [await s.ask("/v1/notes", {"content": str(n)}) for n in range(3)]
        assert [one.status for one in answers] == [201, 201, 429]
        assert int(answers[2].headers["Retry-After"]) >= 1
        assert (await s.ask("/v1/notes", {"content": "other"}, as_="bob")).status == 201


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        ({}, 400, "bad-body"),
        ({"content": ""}, 400, "bad-body"),
        ({"content": " \n"}, 400, "bad-body"),
        ({"content": "a\0b"}, 400, "bad-body"),
        ({"content": "x" * 20_001}, 400, "bad-body"),
        ({"content": "x", "html": "y"}, 400, "bad-body"),
        ({"content": "x", "group": "g", "about": "a"}, 400, "bad-body"),
        ({"content": "x", "mentions": ["a"] * 51}, 400, "bad-body"),
        ({"content": "x", "group": "watercooler:group-none"}, 404, "not-found"),
        ({"content": "x", "group": "chat:hall"}, 404, "not-found"),
        ({"content": "x", "about": "none"}, 404, "not-found"),
    ],
)
async def test_bad_notes(s: Speech, body: Any, status: int, kind: str) -> None:
    await s.w.opened(HALL)
    answer = await s.ask("/v1/notes", body)
    assert (answer.status, (await answer.json(content_type=None))["type"]) == (status, f"/docs#{kind}")
    assert (await s.ask("/v1/notes", body, as_="")).status == 401
    assert await said_here(s.w) == []


async def test_a_key_that_is_none_is_refused(s: Speech) -> None:
    assert (await s.ask("/v1/notes", {"content": "x"}, Idempotency_Key="k" * 256)).status == 400
    assert ids((await s.w.json("/v1/activities"))["orderedItems"]) == []
