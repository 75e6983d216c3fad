from typing import Any

import pytest

from services.common.model import Account, AccountType, Container, Link
from services.enrich.people import Known
from services.enrich.pipeline import Knowledge
from services.enrich.steps.automated import mark_automated
from services.enrich.steps.burst import mark_burst
from services.enrich.steps.identity import find_people
from services.enrich.steps.language import detect_language
from services.enrich.steps.links import resolve_links
from services.enrich.steps.mentions import resolve_mentions
from services.enrich.steps.phrases import find_phrases, phrases
from services.enrich.steps.tags import find_tags
from services.enrich.steps.thread import find_thread
from services.enrich.steps.vector import add_vectors
from tests.unit.enrich.made import ROOM, activity, draft


@pytest.mark.parametrize(
    ("handle", "name", "kind", "automated"),
    [
        ("dependabot[bot]", "", AccountType.PERSON, True),
        ("ci-bot", "", AccountType.PERSON, True),
        ("bot_builder", "", AccountType.PERSON, True),
        ("", "renovate[bot]", AccountType.PERSON, True),
        ("ann", "Ann", AccountType.SERVICE, True),
        ("ann", "Ann", AccountType.APPLICATION, True),
        ("abbot", "Lucie Bot", AccountType.PERSON, False),
        ("robot", "Botond", AccountType.PERSON, False),
    ],
)
def test_bots_are_marked(handle: str, name: str, kind: AccountType, automated: bool) -> None:
    one = draft(actor=Account(id="x:1", type=kind, name=name, handle=handle))
    mark_automated(one, Knowledge())
    assert one.automated is automated


def test_an_account_record_can_say_that_it_is_a_bot() -> None:
    knowledge, one = Knowledge(), draft()
    knowledge.people.apply(Known(account="chat:ann", automated=True))
    mark_automated(one, knowledge)
    assert one.automated


def test_people_are_found_for_actor_and_coauthors_each_once() -> None:
    knowledge = Knowledge()
    knowledge.people.apply(Known(account="git:ann", person="chat:ann", evidence="configured"))
    one = draft(coauthors=("git:ann", "git:bob", "git:bob"))
    find_people(one, knowledge)
    assert (one.person, one.coauthor_people) == ("chat:ann", ("git:bob",))


def test_a_bot_is_no_person() -> None:
    one = draft()
    one.automated = True
    find_people(one, Knowledge())
    assert one.person == ""


@pytest.mark.parametrize(
    ("context", "reply", "thread"),
    [((ROOM, Container(id="t1", type="Thread")), "chat:0", "t1"), ((ROOM,), "chat:0", "chat:0"), ((), "", "chat:1")],
)
def test_the_thread(context: tuple[Container, ...], reply: str, thread: str) -> None:
    one = draft(context=context, object_in_reply_to=reply)
    find_thread(one, Knowledge())
    assert one.thread == thread


def test_links_lead_to_objects_that_have_come_by() -> None:
    knowledge = Knowledge()
    knowledge.places.learn(activity(1, object_url="https://x.example/a/", object_type="PullRequest", object_id="g/r#7"))
    knowledge.places.learn(activity(2, object_title="Main page", object_type="Page", object_id="wiki:9"))
    one = draft(
        body="see https://X.example/a#comment-3, (https://y.example/b_(c)) and #7, not ab#7 or #8.",
        links=(Link(href="ext:1", object="known"),),
    )
    one.hrefs = ("[[Main page]]",)
    resolve_links(one, knowledge)
    assert [(link.href, link.object) for link in one.links] == [
        ("ext:1", "known"),
        ("[[Main page]]", "wiki:9"),
        ("https://X.example/a#comment-3", "g/r#7"),
        ("https://y.example/b_(c)", ""),
        ("#7", "g/r#7"),
    ]


def test_places_forget_the_oldest() -> None:
    from services.enrich.places import Places

    places = Places(limit=2)
    for number in range(3):
        places.learn(activity(number, object_url=f"https://x.example/{number}"))
    assert [places.object_at(f"https://x.example/{n}") for n in range(3)] == ["", "chat:1", "chat:2"]
    assert places.object_at("https://[broken") == ""


def test_mentions_are_looked_up_at_the_same_source_only() -> None:
    knowledge = Knowledge()
    knowledge.people.apply(Known(account="chat:bob", person="bob", handle="Bob", source="chat", evidence="configured"))
    knowledge.people.apply(Known(account="git:eve", person="eve", handle="eve", source="git", evidence="configured"))
    knowledge.places.learn(activity(9, by="carl"))
    one = draft(body="cc @bob, @carl and @eve; mail x@bob.example", mentions=("chat:dora", "@bob"))
    one.person = "chat:ann"
    resolve_mentions(one, knowledge)
    assert one.mention_people == ("chat:dora", "bob", "chat:carl")


def test_tags_from_source_text_and_files() -> None:
    one = draft(
        body="#Release of #infra-team, colour #ffaa00, #include <x>, http://x.example/#anchor and a#b",
        tags=("given",),
        files=("src/parser/lexer/a.rs", "src/parser/b.rs", "README.md"),
    )
    find_tags(one, Knowledge())
    assert one.tags == ("given", "release", "infra-team", "src/parser")


@pytest.mark.parametrize(
    ("text", "said", "language"),
    [
        ("Der Zug kommt heute leider eine Stunde zu spät an.", "", "de"),
        ("The train is an hour late today, unfortunately.", "", "en"),
        ("The train is an hour late today, unfortunately.", "fr", "fr"),
        ("short", "", ""),
        ("", "", ""),
    ],
)
def test_language(text: str, said: str, language: str) -> None:
    one = draft(body=text, object_language=said)
    detect_language(one, Knowledge())
    assert one.language == language


def test_phrases_are_the_weightiest_runs_of_words() -> None:
    found = phrases("The incremental parser drops tokens. An incremental parser is slow; see https://x.example/aaa-bbb")
    assert "incremental parser" in " ".join(found)
    assert not any("x.example" in one for one in found)
    assert len(found) <= 5


def test_other_languages_have_no_phrases() -> None:
    one = draft(body="Der inkrementelle Parser verliert Zeichen")
    one.language = "de"
    find_phrases(one, Knowledge())
    assert one.phrases == ()


def test_a_burst_is_ten_minutes_of_one_actor_in_one_container() -> None:
    def burst(**changes: Any) -> str:
        one = draft(**changes)
        mark_burst(one, Knowledge())
        return one.burst

    assert burst(number=1) == burst(number=2, hours=0.1) != ""
    assert len({burst(), burst(hours=0.2), burst(by="bob")}) == 3


def test_vectors_are_given_to_texts_only() -> None:
    with_text, without = draft(body="hello world"), draft(body="")
    add_vectors([with_text, without], Knowledge())
    assert (len(with_text.vector), without.vector) == (512, b"")
