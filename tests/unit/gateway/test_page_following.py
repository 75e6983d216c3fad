"""The page of what one follows, and the inbox: what is new, marked as read; all of it by forms alone."""

from dataclasses import replace

import pytest

from tests.unit.gateway.pages import read, send, sent
from tests.unit.gateway.world import HALL, ROOM, World, said, world


async def some(w: World) -> None:
    await w.opened(HALL)
    await w.opened(ROOM)
    await w.happens(said(1, who="bob", text="the heron is back"), said(2, who="cat", where=ROOM))
    await w.happens(replace(said(3, who="dan"), tags=("release",), thread="chat:1", mention_people=("ann",)))


@pytest.mark.parametrize(
    ("ref", "where", "words"),
    [
        ("bob", "/people/bob", "the heron"),
        (ROOM, f"/?container={ROOM}", "message 2"),
        ("release", "/?tag=release", "message 3"),
    ],
)
async def test_what_is_followed_on_its_page_is_in_the_feed_until_it_is_left(ref: str, where: str, words: str) -> None:
    async with world() as w:
        await some(w)
        assert 'value="follow"' in await read(w, where)
        assert "You follow it now" in await sent(w, "/follow", {"ref": ref, "act": "follow", "back": where})
        text = await read(w, "/following")
        assert words in text
        assert f'name="ref" value="{ref}"' in text
        assert "You follow it no more" in await sent(w, "/follow", {"ref": ref, "act": "unfollow"})
        assert "You follow nothing yet" in await read(w, "/following")


async def test_a_conversation_is_followed_from_the_page_of_what_began_it() -> None:
    async with world() as w:
        await some(w)
        assert 'name="ref" value="chat:1"' in await read(w, "/objects/chat%3A1")
        await sent(w, "/follow", {"ref": "chat:1", "act": "follow"})
        text = await read(w, "/following")
        assert "message 3" in text
        assert '<a href="/objects/chat%3A1">the heron is back</a> <span class="count">Conversation</span>' in text
        async with w.listening(feed="following") as stream:
            await w.happens(replace(said(4, who="dan"), thread="chat:1"), said(5, who="dan"), index=False)
            assert '"for":["thread"]' in (await stream.until(1))[0].data


async def test_a_search_is_kept_and_followed_and_removed() -> None:
    async with world() as w:
        await some(w)
        form = {"name": "birds", "query": "q=heron&mode=lexical", "back": "/search?q=heron"}
        assert "The search is kept" in await sent(w, "/searches", form)
        text = await read(w, "/following")
        assert "the heron is back" in text
        assert '<a href="/search?q=heron">birds</a>' in text
        assert "kept no more" in await sent(w, "/searches", {"name": "birds", "act": "remove"})
        assert "You follow nothing yet" in await read(w, "/following")


async def test_what_is_new_is_marked_until_it_was_read() -> None:
    async with world() as w:
        await some(w)
        await sent(w, "/follow", {"ref": "bob", "act": "follow"})
        text = await read(w, "/following")
        assert ("1 new" in text, 'class="new-mark"' in text, "(1) Following" in text) == (True, True, True)
        until = text.partition('name="until" value="')[2].partition('"')[0]
        after = await sent(w, "/read", {"feed": "following", "until": until, "back": "/following"})
        assert "Marked as read" in after
        assert "Nothing new since just now" in after
        assert 'class="new-mark"' not in after
        assert "Marked as read" not in await read(w, "/following")


async def test_the_inbox_has_mentions_and_what_rules_found_and_every_page_says_how_much_is_unread() -> None:
    async with world() as w:
        await some(w)
        rule = {"rule": "if says heron then notify and mark birds", "on": True}
        assert (await w.client.put("/v1/me/rules/birds?as=ann", json=rule)).status == 200
        assert '<span class="unread" data-unread="inbox"><span>2<' in await read(w, "/people")
        assert "message 3" in await read(w, "/mentions")
        text = await read(w, "/notifications")
        assert ("the heron is back" in text, '<span class="label">birds</span>' in text) == (True, True)
        await sent(w, "/read", {"feed": "notifications", "until": "2026-03-02", "back": "/notifications"})
        assert '<span class="unread" data-unread="inbox"><span>1<' in await read(w, "/people")
        assert '<span class="unread" data-unread="inbox" hidden>' in await read(w, "/people", as_="bob")


async def test_what_is_no_form_of_ours_is_an_error_page() -> None:
    async with world() as w:
        for path, form in (
            ("/follow", {}),
            ("/follow", {"ref": "x" * 1_001}),
            ("/read", {"feed": "all", "until": "2026-03-01"}),
            ("/read", {"feed": "following", "until": "soon"}),
            ("/searches", {"name": "", "query": "q=x"}),
            ("/searches", {"name": "x", "query": "mode=lexical"}),
        ):
            answer = await send(w, path, form)
            assert (answer.status, answer.content_type) == (400, "text/html"), (path, form)


async def test_a_form_never_leads_to_another_site() -> None:
    async with world() as w:
        for evil in ("https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"):
            answer = await send(w, "/follow", {"ref": "bob", "act": "follow", "back": evil}, follow=False)
            assert answer.headers["Location"] == "/?as=ann"


async def test_nobody_in_particular_is_asked_who_they_are() -> None:
    async with world() as w:
        assert "say who you are" in await read(w, "/following", as_="", status=401)
