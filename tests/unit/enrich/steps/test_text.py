import pytest

from services.enrich.pipeline import Knowledge
from services.enrich.steps.text import extract_text
from tests.unit.enrich.made import draft


def read(content: str, media_type: str = "text/plain", *, title: str = "", kind: str = "Note") -> tuple[str, str]:
    one = draft(content=content, object_media_type=media_type, object_title=title, object_type=kind, body="")
    one.text = ""
    extract_text(one, Knowledge())
    return one.text, " ".join(one.hrefs)


@pytest.mark.parametrize(
    ("content", "media_type", "text", "hrefs"),
    [
        ("two  spaces\n\n\n\nparagraph", "text/plain", "two spaces\n\nparagraph", ""),
        ("<p>Hello <b>you</b></p><script>alert(1)</script>", "text/html", "Hello you", ""),
        ("a &lt; b &amp; c<br>next", "text/html; charset=utf-8", "a < b & c\nnext", ""),
        ('<a href="https://x.example/1">one</a> <a href="#top">up</a>', "text/html", "one up", "https://x.example/1"),
        ("<mx-reply>quoted</mx-reply>answer", "text/html", "answer", ""),
        ("# Head\n\nSome *text* with `code`", "text/markdown", "Head\n\nSome text with code", ""),
        ("[one](https://x.example/1)\n\n```\nx = 1\n```", "text/markdown", "one\n\nx = 1", "https://x.example/1"),
        ("<b>raw</b> kept", "text/markdown", "raw kept", ""),
        ("'''Bold''' [[Main page|main]]", "text/x-wiki", "Bold main", "[[Main page]]"),
        ("[https://x.example/1 one] {{template|x}}", "text/x-wiki", "one", "https://x.example/1"),
        ("broken [[link and <div unclosed", "text/x-wiki", "broken [[link and <div unclosed", ""),
        ("", "text/html", "", ""),
    ],
)
def test_bodies_become_plain_text(content: str, media_type: str, text: str, hrefs: str) -> None:
    assert read(content, media_type) == (text, hrefs)


def test_trailers_of_a_commit_are_left_out() -> None:
    message = "Fix it\n\nBecause.\n\nSigned-off-by: A <a@x.example>\nCloses #12"
    assert read(message, kind="Commit")[0] == "Fix it\n\nBecause."


def test_a_last_paragraph_with_other_lines_stays() -> None:
    message = "Fix it\n\nNote: this one\nis prose"
    assert read(message, kind="Commit")[0] == message


def test_a_title_that_the_body_repeats_stands_once() -> None:
    assert read("Fix it\n\nBecause.", title="Fix it")[0] == "Fix it\n\nBecause."
    assert read("Because.", title="Fix  it")[0] == "Fix it\n\nBecause."
    assert read("", title="Only a title")[0] == "Only a title"


def test_a_huge_body_is_cut() -> None:
    assert len(read("<p>" + "word " * 100_000, "text/html")[0]) < 70_000
