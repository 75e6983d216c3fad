"""What a real wiki sent -> activities."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from services.common.errors import Reject
from services.common.model import AccountType, Activity, ActivityType, Method, Visibility
from services.ingest.connectors.mediawiki import parse
from services.ingest.connectors.mediawiki.site import Site, alias_of, log_order, revision_order, summary_of, title_of

SAMPLES = Path(__file__).parent / "samples"
SITE = Site(
    source="wiki",
    api_url="http://wiki.example.org/w/api.php",
    name="TestWiki",
    namespaces={0: "", 1: "Talk", 2: "User", 3: "User talk", 14: "Category"},
    visibility=Visibility.PUBLIC,
    mask=lambda text: f"{sum(text.encode()):x}".rjust(16, "0"),
    bots=frozenset({3}),
)


def sample(name: str) -> Any:
    return json.loads((SAMPLES / f"{name}.json").read_text())["query"]


def revisions() -> dict[int, tuple[dict[str, Any], dict[str, Any]]]:
    number_of = {row["user"]: row["userid"] for row in sample("recentchanges")["recentchanges"]}
    pages = sample("allrevisions")["allrevisions"]
    rows = [(page, row | {"userid": number_of[row["user"]]}) for page in pages for row in page["revisions"]]
    return {row["revid"]: (page, row) for page, row in rows}


def revision(number: int) -> Activity:
    return parse.revision(SITE, *revisions()[number], Method.BACKFILL)


def log_entry(number: int, shown: int | None) -> Activity:
    entry = next(row for row in sample("logevents")["logevents"] if row["logid"] == number)
    page, row = revisions()[shown] if shown else (None, None)
    activity = parse.log_entry(SITE, entry, page, row, Method.POLL)
    assert activity is not None
    return activity


def test_a_new_page() -> None:
    activity = revision(2)
    assert (activity.id, activity.type, activity.verb) == (
        "wiki:page/2@2#wiki.create",
        ActivityType.CREATE,
        "wiki.create",
    )
    assert activity.actor.id == "wiki:user/4"
    assert activity.actor.handle == "Alice"
    assert activity.object.content.startswith("== Summary ==")
    assert activity.object.media_type == "text/x-wiki"
    assert activity.object.url == "http://wiki.example.org/w/index.php?curid=2"
    assert activity.ext["summary"] == "create page ünïcode 😀"
    assert [place.name for place in activity.context] == ["TestWiki", "(Main)"]
    assert activity.audience.container == "wiki:wiki"


def test_edits_within_one_second_keep_their_order() -> None:
    second, third, fourth = revision(3), revision(4), revision(5)
    assert second.published == third.published == fourth.published
    assert second.order < third.order < fourth.order
    assert third.object.previous_version == second.object.version


def test_a_bot_is_a_service_whatever_the_edit_says() -> None:
    assert revision(5).actor.type is AccountType.SERVICE
    assert revision(4).actor.type is AccountType.PERSON


def test_a_talk_page_is_commented_on_and_answers_its_page() -> None:
    page, row = revisions()[6]
    activity = parse.revision(SITE, {**page, "subjectid": 2}, row, Method.BACKFILL)
    assert (activity.verb, activity.object.type) == ("wiki.comment", "Page")
    assert activity.object.in_reply_to == "wiki:page/2"
    assert activity.id == "wiki:page/3@6#wiki.create"  # must not change when the page is moved out of the talk space


def test_what_is_hidden_stays_out_even_if_the_reader_may_see_it() -> None:
    _, row = revisions()[8]
    assert row["user"] == "Alice"
    assert row["slots"]["main"]["content"] == "v1"
    activity = revision(8)
    assert activity.object.content == ""
    assert activity.ext == {}
    assert "Alice" not in repr(activity)


def test_an_ip_address_is_nowhere() -> None:
    activity = revision(15)
    assert "127.0.0.1" not in repr(activity)
    assert activity.actor.name == alias_of(SITE, "127.0.0.1")
    assert activity.actor.type is AccountType.UNKNOWN


@pytest.mark.parametrize("address", ["192.0.2.7", "2001:DB8:0:0:0:0:0:1"])
def test_an_ip_address_in_titles_and_automatic_summaries(address: str) -> None:
    title = title_of(SITE, 3, f"User talk:{address}/archive")
    summary = summary_of(SITE, {"comment": f"Reverted edits by [[Special:Contributions/{address}|{address}]]"})
    assert title == f"User talk:{alias_of(SITE, address)}/archive"
    assert address not in summary
    assert title_of(SITE, 0, address) == address  # an article about an address
    assert summary_of(SITE, {"comment": f"router is {address}"}) == f"router is {address}"


@pytest.mark.parametrize(
    "signature",
    [
        "[[Special:Contributions/192.0.2.7|192.0.2.7]] 10:00, 1 May 2026 (UTC)",
        "[[Spezial:Beiträge/192.0.2.7|192.0.2.7]] ([[Benutzer Diskussion:192.0.2.7|Diskussion]])",
        "[[user talk:192.0.2.7#Hello|192.0.2.7]]",
    ],
)
def test_an_ip_address_in_a_signature(signature: str) -> None:
    german = replace(SITE, namespaces={**SITE.namespaces, -1: "Spezial", 2: "Benutzer", 3: "Benutzer Diskussion"})
    page, row = revisions()[6]
    row["slots"]["main"]["content"] = f"Really? --{signature}"
    activity = parse.revision(german, page, row, Method.POLL)
    assert "192.0.2.7" not in activity.object.content
    assert alias_of(german, "192.0.2.7") in activity.object.content


def test_what_the_wiki_writes_by_itself_is_no_news() -> None:
    rows = [row for _, row in revisions().values()]
    known = parse.hashes(rows)
    assert [row["revid"] for row in rows if not parse.is_news(row, known)] == [14, 12, 13]  # protection, move, redirect


def test_the_same_text_as_an_older_revision_is_news() -> None:
    page, row = revisions()[11]  # a rollback to the text of revision 9
    assert parse.is_news(row, parse.hashes(row for _, row in revisions().values()))
    assert parse.revision(SITE, page, row, Method.POLL).object.version == "11"


def test_parents_to_ask_for() -> None:
    rows = [revisions()[4][1], revisions()[5][1]]
    assert parse.unknown_parents(rows, {}) == [3]
    assert parse.unknown_parents(rows, {3: "x"}) == []


def test_a_deletion_withdraws_everything() -> None:
    activity = log_entry(8, None)
    assert (activity.id, activity.type) == ("wiki:page/4@log8#wiki.delete", ActivityType.DELETE)
    assert activity.withdraws == ("*",)
    assert activity.object.type == "Tombstone"
    assert activity.object.content == ""
    assert activity.order > revision(7).order


def test_a_restoration_in_the_second_of_the_deletion_comes_after_it_and_shows_the_text() -> None:
    deleted, restored = log_entry(8, None), log_entry(10, 7)
    assert deleted.published == restored.published
    assert restored.order > deleted.order
    assert (restored.object.id, restored.object.version, restored.object.content) == ("wiki:page/4", "7", "bad")


def test_a_move_names_both_titles_and_keeps_the_text() -> None:
    activity = log_entry(9, 12)
    assert (activity.type, activity.object.id) == (ActivityType.MOVE, "wiki:page/5")
    assert activity.object.title == "Ops/Runbook"
    assert activity.object.content == "v2 ok"
    assert activity.ext == {"summary": "reorg", "old": "Runbook", "new": "Ops/Runbook"}
    assert revision(11).order < activity.order == revision(12).order


def test_hiding_withdraws_the_revisions_named() -> None:
    activity = log_entry(11, None)
    assert (activity.verb, activity.withdraws, activity.object.content) == ("wiki.hide", ("8",), "")


def test_hiding_only_names_withdraws_no_text() -> None:
    entry = next(row for row in sample("logevents")["logevents"] if row["logid"] == 11)
    entry["params"]["new"]["content"] = False
    assert parse.log_entry(SITE, entry, None, None, Method.POLL) is None
    assert parse.hidden_revisions(entry) == (8,)


@pytest.mark.parametrize("params", [[], {}, {"type": "logging", "ids": [3]}])
def test_parameters_may_be_an_empty_list(params: Any) -> None:
    entry = next(row for row in sample("logevents")["logevents"] if row["logid"] == 11)
    assert parse.log_entry(SITE, {**entry, "params": params}, *revisions()[12], Method.POLL) is None


def test_protections_and_hidden_entries_are_passed_over() -> None:
    entries = sample("logevents")["logevents"]
    assert [parse.log_entry(SITE, row, None, None, Method.POLL) for row in entries if row["type"] == "protect"] == [
        None
    ]
    hidden = {key: value for key, value in entries[7].items() if key not in {"title", "ns", "params"}}
    assert parse.log_entry(SITE, {**hidden, "actionhidden": True}, None, None, Method.POLL) is None


def test_a_row_without_its_fields_is_rejected_without_its_text() -> None:
    page, row = revisions()[3]
    broken = {key: value for key, value in row.items() if key != "timestamp"}
    with pytest.raises(Reject) as caught:
        parse.revision(SITE, page, broken, Method.POLL)
    assert "revid=3" in str(caught.value)
    assert "Root cause" not in str(caught.value)


def test_a_long_page_is_cut_and_says_so() -> None:
    activity = parse.revision(replace(SITE, longest=7), *revisions()[2], Method.POLL)
    assert (activity.object.content, activity.object.truncated) == ("== Summ", True)


def test_categories_are_tags() -> None:
    page, row = revisions()[2]
    row["slots"]["main"]["content"] = "x [[Category:On call|sort]] [[category:Data_bases]] [[Other:No]]"
    assert parse.revision(SITE, page, row, Method.POLL).tags == ("On call", "Data bases")


def test_the_scale_within_a_second() -> None:
    at = "2026-01-01T00:00:00Z"
    scale = [revision_order(at, 1), revision_order(at, 499_999), log_order(at, 1), log_order(at, 499_999)]
    assert sorted(set(scale)) == scale
    assert scale[-1] < revision_order("2026-01-01T00:00:01Z", 500_000)
