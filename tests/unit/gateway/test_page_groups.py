"""The pages of groups: made, joined, spoken in and left by forms; a closed one is not there for others."""

from urllib.parse import quote, unquote

import pytest

from tests.unit.gateway.pages import read, send, sent
from tests.unit.gateway.speech import Speech
from tests.unit.gateway.world import World, world


async def made(w: World, **form: str) -> str:
    """Make a group; returns the address of its page."""
    answer = await send(w, "/groups", {"name": "Birds", "about": "What flies", **form}, follow=False)
    assert answer.status == 303
    await Speech(w).settle()
    return answer.headers["Location"].partition("?")[0]


async def test_a_group_is_made_joined_spoken_in_and_left() -> None:
    async with world() as w:
        page = await made(w)
        id_ = unquote(page.removeprefix("/groups/"))
        text = await read(w, page, as_="bob")
        assert ("What flies" in text, 'name="content"' in text) == (True, False)
        assert "You are in the group now" in await sent(w, "/groups/part", {"id": id_, "act": "join"}, as_="bob")
        said = {"content": "a heron!", "group": id_, "back": page}
        assert "Said" in await sent(w, "/say", said, as_="bob")
        await Speech(w).settle()
        assert "a heron!" in await read(w, page)
        assert "2 members" in await read(w, "/groups", as_="cat")
        assert "You have left" in await sent(w, "/groups/part", {"id": id_, "act": "leave"}, as_="bob")
        assert "1 member<" in await read(w, "/groups", as_="cat")


async def test_a_closed_group_is_absent_for_others_until_a_member_lets_them_in() -> None:
    async with world() as w:
        await Speech(w).call("bob", "bobby")
        page = await made(w, open="no")
        id_ = unquote(page.removeprefix("/groups/"))
        assert "Birds" not in await read(w, "/groups", as_="bob")
        await read(w, page, as_="bob", status=404)
        assert (await send(w, "/groups/part", {"id": id_, "act": "join"}, as_="bob")).status == 404
        assert "They are in the group" in await sent(w, "/groups/part", {"id": id_, "act": "let-in", "who": "@bobby"})
        await w.grant()
        assert "Closed: only members" in await read(w, page, as_="bob")
        left = await sent(w, "/groups/part", {"id": id_, "act": "leave"}, as_="bob")
        assert "You have left" in left
        assert "Birds" not in left


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"act": "let-in", "who": "nobody"}, "nobody is called nobody"),
        ({"act": "let-in", "who": " "}, "members"),
        ({"act": "close"}, "join, leave or let-in"),
    ],
)
async def test_what_cannot_be_done_to_a_group_is_said(form: dict[str, str], words: str) -> None:
    async with world() as w:
        id_ = unquote((await made(w)).removeprefix("/groups/"))
        answer = await send(w, "/groups/part", {"id": id_, **form})
        assert (answer.status, words in await answer.text()) == (400, True)


async def test_a_group_without_a_name_is_refused_and_its_name_cannot_run() -> None:
    async with world() as w:
        assert (await send(w, "/groups", {"name": " "})).status == 400
        page = await made(w, name="<script>alert(1)</script>", about="<img src=x onerror=alert(1)>")
        for text in (await read(w, page), await read(w, "/groups")):
            assert "<script>alert" not in text
            assert "<img" not in text


async def test_a_person_shows_in_their_groups_members_by_name() -> None:
    async with world() as w:
        await Speech(w).call("ann", "annie")
        page = await made(w)
        assert f'<a href="/people/{quote("ann")}">Ann</a>' in await read(w, page, as_="bob")
