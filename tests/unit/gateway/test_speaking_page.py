"""The page's forms for speaking, and what people write as it is shown: Markdown, and nothing that could run."""

import pytest

from services.gateway.web.markdown import rendered
from tests.unit.gateway.speech import Speech, said_here
from tests.unit.gateway.world import world


async def test_the_page_says_something_and_shows_it_as_markdown() -> None:
    async with world() as w:
        s = Speech(w)
        form = {"content": "The **heron**\r\nis back <script>alert(1)</script>"}
        sent = await w.client.post("/say?as=ann", data=form, allow_redirects=False)
        assert (sent.status, sent.headers["Location"]) == (303, "/?as=ann")
        await s.settle()
        note = (await said_here(w))[0].object
        text = await (await w.get(f"/objects/{note.id}")).text()
        assert "<strong>heron</strong>" in text
        assert "<script>alert" not in text
        reply = {"content": "indeed", "about": note.id}
        answered = await w.client.post("/say?as=bob", data=reply, allow_redirects=False)
        assert answered.headers["Location"].startswith("/objects/watercooler%3Anote-")


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
