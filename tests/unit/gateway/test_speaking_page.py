"""The page's forms for speaking, and what people write as it is shown: Markdown, and nothing that could run."""

from html import unescape
from urllib.parse import quote, unquote

import pytest

from services.gateway.web.markdown import rendered
from tests.unit.gateway.pages import read, send, sent
from tests.unit.gateway.speech import Speech, said_here
from tests.unit.gateway.world import HALL, said, world


async def test_the_page_says_something_and_shows_it_as_markdown() -> None:
    async with world() as w:
        s = Speech(w)
        form = {"content": "The **heron**\r\nis back <script>alert(1)</script>"}
        answer = await w.client.post("/say?as=ann", data=form, allow_redirects=False)
        assert (answer.status, answer.headers["Location"]) == (303, "/?as=ann")
        await s.settle()
        note = (await said_here(w))[0].object
        text = await (await w.get(f"/objects/{note.id}")).text()
        assert "<strong>heron</strong>" in text
        assert "<script>alert" not in text
        reply = {"content": "indeed", "about": note.id}
        answered = await w.client.post("/say?as=bob", data=reply, allow_redirects=False)
        assert answered.headers["Location"].startswith("/objects/watercooler%3Anote-")


async def test_a_note_is_corrected_and_taken_back_on_its_page_before_the_index_knows() -> None:
    async with world() as w:
        s = Speech(w)
        await sent(w, "/say", {"content": "the *heron* is back"})
        await s.settle()
        page = f"/objects/{quote((await said_here(w))[0].object.id, safe='')}"
        id_ = unquote(page.removeprefix("/objects/"))
        assert '<textarea id="corrected"' in await read(w, page)
        assert '<textarea id="corrected"' not in await read(w, page, as_="bob")
        assert f'<a href="{page}#change">' in await read(w, "/")
        assert "the *otter* is back</textarea>" in await sent(
            w, "/notes/edit", {"id": id_, "content": "the *otter* is back"}
        )
        assert (await send(w, "/notes/edit", {"id": id_, "content": "mine"}, as_="bob")).status == 403
        assert (await send(w, "/notes/delete", {"id": id_}, as_="bob")).status == 403
        gone = await sent(w, "/notes/delete", {"id": id_})
        assert ("Taken back" in gone, "Deleted at its source" in gone, "otter" in gone) == (True, True, False)


async def test_what_is_said_about_a_thing_comes_live_into_its_conversation() -> None:
    async with world() as w:
        await w.opened(HALL)
        await w.happens(said(1))
        text = await read(w, "/objects/chat%3A1")
        address = unescape(text.partition('data-stream="')[2].partition('"')[0])
        async with w.listening(address=address, as_="") as stream:
            await sent(w, "/say", {"content": "indeed", "about": "chat:1", "back": "/objects/chat%3A1"})
            await Speech(w).settle()
            assert '"indeed"' in (await stream.until(1))[0].data


async def test_a_form_without_text_or_about_nothing_is_an_error_page() -> None:
    async with world() as w:
        for form, status in (({}, 400), ({"content": "x" * 20_001}, 400), ({"content": "x", "about": "none"}, 404)):
            answer = await w.client.post("/say?as=ann", data=form, allow_redirects=False)
            assert (answer.status, answer.content_type) == (status, "text/html")
        assert await said_here(w) == []


@pytest.mark.parametrize(
    "evil",
    [
        "<script>alert(1)</script>",
        "[x](javascript:alert(1))",
        "[x](data:text/html;base64,PHNjcmlwdD4=)",
        "<a href=x onclick=alert(1)>x</a>",
        "![x](https://elsewhere.example/pixel.png)",
        "<svg/onload=alert(1)>",
        '[x](https://a.example "onmouseover=alert(1)")',
        "`<img src=x onerror=alert(1)>`",
    ],
)
def test_nothing_that_is_written_can_run(evil: str) -> None:
    html = rendered(evil)
    for bad in ("<script", "<svg", "<img", 'href="javascript', 'href="data', "<a onclick", " onmouseover="):
        assert bad not in html, html


def test_markdown_is_markdown_and_too_much_of_it_is_left_as_it_is() -> None:
    assert "<li>one</li>" in rendered("* one\n* two")
    assert 'rel="noopener noreferrer nofollow"' in rendered("[x](https://a.example)")
    assert rendered("x" * 64_001) == ""
