"""The promises of the index, over the twin and over Elasticsearch."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from functools import reduce
from typing import Any, cast
from uuid import uuid4

import pytest

from services.common.access import EVERYONE
from services.common.errors import Reject
from services.common.search import MARKED, Hit, Page, Query, Search, Verdict, Write
from services.common.search.conditions import Condition, Either, Every, Has, Not, Published, Says
from services.common.search.elastic import ElasticSearch
from services.common.search.elastic_client import Client
from services.common.search.memory import MemorySearch

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture(params=["memory", pytest.param("elastic", marks=pytest.mark.integration)])
def url(request: pytest.FixtureRequest) -> str:
    """Where Elasticsearch is; empty for the twin. Not async, since the server's own fixture runs a loop."""
    return str(request.getfixturevalue("elastic")) if request.param == "elastic" else ""


@pytest.fixture
async def search(url: str) -> AsyncIterator[Search]:
    if not url:
        yield MemorySearch()
        return
    prefix = f"t-{uuid4().hex[:10]}-"
    index = ElasticSearch(Client(url), prefix)
    await index.prepare()
    yield index
    await index.remove_all()
    await index.stop()


def activity(name: str, minute: int = 0, **changed: Any) -> Write:
    document = {
        "id": name,
        "published": (START + timedelta(minutes=minute)).isoformat(),
        "container": "chat:hall",
        "object": f"object of {name}",
        "restricted": False,
        **changed,
    }
    return Write(kind="activities", id=name, document=document, version=0)


def obj(name: str, version: int | None = None, **changed: Any) -> Write:
    document = {
        "id": name,
        "published": START.isoformat(),
        "container": "chat:hall",
        "restricted": False,
        "title": name,
        **changed,
    }
    return Write(kind="objects", id=name, document=document, version=version)


def grant(principal: str, containers: list[str], objects: list[str] | None = None, part: int = 1) -> Write:
    document = {
        "id": principal,
        "principal": principal,
        "containers": containers,
        "objects": objects or [],
        "parts": part,
    }
    return Write(kind="grants", id=principal if part == 1 else f"{principal}#{part}", document=document)


async def fill(search: Search, *writes: Write) -> None:
    outcomes = await search.write(writes)
    assert [o.verdict for o in outcomes] == [Verdict.DONE] * len(writes), outcomes
    for kind in {write.kind for write in writes}:
        await search.refresh(kind)


def everything(**changed: Any) -> Query:
    return Query(**{"kind": "activities", "principals": None, **changed})


def ids(page: Page) -> list[str]:
    return [hit.id for hit in page.hits]


async def test_a_lower_version_is_stale_and_changes_nothing(search: Search) -> None:
    await fill(search, obj("page", 5, title="second edit"))
    late, same = await search.write([obj("page", 4, title="first edit"), obj("page", 5, title="enriched again")])
    assert (late.verdict, same.verdict) == (Verdict.STALE, Verdict.DONE)
    assert (await search.get("objects", ["page"], principals=None))["page"]["title"] == "enriched again"


async def test_a_tombstone_keeps_a_late_update_out_and_lets_a_restore_in(search: Search) -> None:
    await fill(search, obj("page", 9, title="", deleted=True))
    (late,) = await search.write([obj("page", 8, title="old text")])
    assert late.verdict is Verdict.STALE
    await fill(search, obj("page", 10, title="restored"))
    assert (await search.get("objects", ["page"], principals=None))["page"]["title"] == "restored"


async def test_deleting_twice_is_done_twice(search: Search) -> None:
    await fill(search, grant("ada", ["chat:hall"]))
    delete = Write(kind="grants", id="ada", document=None)
    assert [o.verdict for o in await search.write([delete, delete])] == [Verdict.DONE, Verdict.DONE]
    assert await search.get("grants", ["ada"], principals=None) == {}


async def test_a_document_that_does_not_fit_is_rejected_and_its_neighbours_are_written(search: Search) -> None:
    bad = activity("bad", colour="blue")
    outcomes = await search.write([activity("a"), bad, activity("b")])
    assert [o.verdict for o in outcomes] == [Verdict.DONE, Verdict.REJECTED, Verdict.DONE]
    assert "colour" in outcomes[1].reason
    await search.refresh("activities")
    assert await search.count("activities") == 2


async def test_what_was_written_is_got_at_once(search: Search) -> None:
    await search.write([activity("a", verb="wiki.edit")])
    assert (await search.get("activities", ["a", "b"], principals=None))["a"]["verb"] == "wiki.edit"


@pytest.mark.parametrize("length", [511, 513, 3_000])
async def test_long_ids_are_ids_too(search: Search, length: int) -> None:
    name = "ä" + "x" * (length - 2)
    await fill(search, activity(name))
    assert list(await search.get("activities", [name], principals=None)) == [name]
    assert ids(await search.find(everything())) == [name]


@pytest.mark.parametrize("order", ["newest", "oldest"])
async def test_paging_by_time_goes_on_and_back_without_loss(search: Search, order: Any) -> None:
    names = [f"a{number:02}" for number in range(11)]
    await fill(search, *(activity(name, number // 3) for number, name in enumerate(names)))  # three at each time
    expected = names if order == "oldest" else names[::-1]
    read = everything(order=order, size=4)
    pages = [await search.find(read)]
    while pages[-1].next:
        # What arrives while somebody reads must not move the pages.
        await fill(search, activity(f"new{len(pages)}", 60 if order == "newest" else -60))
        pages.append(await search.find(everything(order=order, size=4, cursor=pages[-1].next)))
    assert [ids(p) for p in pages] == [expected[:4], expected[4:8], expected[8:]]
    assert pages[0].previous == ""
    back = await search.find(everything(order=order, size=4, cursor=pages[-1].previous))
    assert ids(back) == expected[4:8]
    assert ids(await search.find(everything(order=order, size=4, cursor=back.next))) == expected[8:]
    first = await search.find(everything(order=order, size=4, cursor=back.previous))
    assert ids(first) == expected[:4]
    arrived = await search.find(everything(order=order, size=4, cursor=first.previous))
    assert ids(arrived) == ["new2", "new1"] if order == "newest" else ["new1", "new2"]
    assert arrived.previous == ""


@pytest.mark.parametrize("order", ["newest", "oldest"])
async def test_what_has_no_time_is_paged_through_as_well(search: Search, order: Any) -> None:
    await search.write([grant(who, ["chat:hall"]) for who in ("ada", "bob", "carl")])
    first = await search.find(everything(kind="grants", order=order, size=2))
    second = await search.find(everything(kind="grants", order=order, size=2, cursor=first.next))
    assert sorted(ids(first) + ids(second)) == ["ada", "bob", "carl"]


@pytest.mark.parametrize("order", ["newest", "oldest", "relevance"])
async def test_the_last_page_is_there_at_once(search: Search, order: Any) -> None:
    names = [f"a{number:02}" for number in range(11)]
    await fill(search, *(activity(name, number, title="heron") for number, name in enumerate(names)))
    asked = {"order": order, "size": 4, "text": "heron" if order == "relevance" else ""}
    first = await search.find(everything(**asked))
    last = await search.find(everything(**asked, cursor=first.last))
    before = await search.find(everything(**asked, cursor=last.previous))
    assert (last.next, last.last) == ("", first.last)
    assert set(ids(last)) | set(ids(before)) | set(ids(first)) == set(names)
    if order != "relevance":
        ordered = names if order == "oldest" else names[::-1]
        assert (ids(before), ids(last)) == (ordered[3:7], ordered[7:])


async def test_paging_by_relevance_shows_the_ranking_as_it_was(search: Search) -> None:
    names = [f"a{number}" for number in range(7)]
    await fill(search, *(activity(name, title="heron", text="heron " * n) for n, name in enumerate(names)))
    asked = everything(text="heron", order="relevance", size=3)
    first = await search.find(asked)
    await fill(search, *(activity(f"late{n}", title="heron heron heron") for n in range(5)))
    second = await search.find(everything(text="heron", order="relevance", size=3, cursor=first.next))
    third = await search.find(everything(text="heron", order="relevance", size=3, cursor=second.next))
    assert sorted(ids(first) + ids(second) + ids(third)) == names
    assert third.next == ""
    assert ids(await search.find(everything(text="heron", order="relevance", size=3, cursor=third.previous))) == ids(
        second
    )


@pytest.mark.parametrize(
    "cursor", ["x", "e30", "%%%", "AAAA", "eJyLVlAqUdIx0FEyVNJRMoxVAAAh9QPK", "a" * 20_000, "\ud800", "ü"]
)
async def test_a_cursor_that_is_not_ours_is_refused(search: Search, cursor: str) -> None:
    with pytest.raises(Reject, match="cursor"):
        await search.find(everything(cursor=cursor))


async def test_a_cursor_of_another_order_is_refused(search: Search) -> None:
    await fill(search, activity("a"), activity("b", 1))
    cursor = (await search.find(everything(size=1))).next
    with pytest.raises(Reject, match="order"):
        await search.find(everything(size=1, order="relevance", cursor=cursor))


@pytest.mark.parametrize(
    "wrong",
    [
        {"text": "x" * 2_000},
        {"size": 0},
        {"size": 100_000},
        {"filters": {"as2": ("x",)}},
        {"facets": ("no",)},
        {"where": Has("as2", ("x",))},
        {"where": Has("tags", tuple(str(n) for n in range(1_001)))},
        {"where": Says("")},
        {"where": Either(tuple(Says(str(n)) for n in range(601)))},
        {"where": reduce(lambda one, _: Not(one), range(31), cast(Condition, Has("tags")))},
    ],
)
async def test_a_query_beyond_the_limits_is_refused(search: Search, wrong: dict[str, Any]) -> None:
    with pytest.raises(Reject):
        await search.find(everything(**wrong))


async def test_no_grant_means_no(search: Search) -> None:
    await fill(search, activity("a"), obj("o", 1))
    for asker in ((), (EVERYONE,), (EVERYONE, "ada")):
        page = await search.find(everything(principals=asker, facets=("container",)))
        assert (page.hits, page.total, page.facets["container"]) == ([], 0, {}) or not page.hits
        assert page.total == 0
        assert page.facets["container"] == {}
        assert await search.get("objects", ["o"], principals=asker) == {}


async def test_grants_open_containers_and_their_withdrawal_closes_them(search: Search) -> None:
    await fill(search, activity("open"), activity("closed", 1, container="chat:board"))
    await search.write([grant(EVERYONE, ["chat:hall"]), grant("ada", ["chat:board"])])
    assert ids(await search.find(everything(principals=(EVERYONE,)))) == ["open"]
    assert ids(await search.find(everything(principals=(EVERYONE, "ada")))) == ["closed", "open"]
    assert list(await search.get("activities", ["open", "closed"], principals=(EVERYONE,))) == ["open"]
    await search.write([grant("ada", [])])
    assert ids(await search.find(everything(principals=(EVERYONE, "ada")))) == ["open"]
    assert list(await search.get("activities", ["open", "closed"], principals=(EVERYONE, "ada"))) == ["open"]


async def test_a_restricted_object_needs_a_grant_of_its_own(search: Search) -> None:
    await fill(search, activity("a", object="wiki:7", restricted=True), obj("wiki:7", 1, restricted=True))
    await search.write([grant(EVERYONE, ["chat:hall"]), grant("ada", [], ["wiki:7"])])
    for kind, name in (("activities", "a"), ("objects", "wiki:7")):
        assert ids(await search.find(everything(kind=kind, principals=(EVERYONE,)))) == []
        assert ids(await search.find(everything(kind=kind, principals=(EVERYONE, "ada")))) == [name]
        assert list(await search.get(kind, [name], principals=(EVERYONE,))) == []  # type: ignore[arg-type]
        assert list(await search.get(kind, [name], principals=(EVERYONE, "ada"))) == [name]  # type: ignore[arg-type]


async def test_a_mark_that_comes_later_closes_what_was_written_before(search: Search) -> None:
    await fill(search, activity("a", object="wiki:7"), obj("wiki:7", 1), activity("b", 1))
    await search.write([grant(EVERYONE, ["chat:hall"]), grant(MARKED, [], ["wiki:7"])])
    assert ids(await search.find(everything(principals=(EVERYONE,)))) == ["b"]
    assert list(await search.get("activities", ["a", "b"], principals=(EVERYONE,))) == ["b"]
    assert await search.get("objects", ["wiki:7"], principals=(EVERYONE, MARKED)) == {}
    assert ids(await search.find(everything(kind="objects", principals=(EVERYONE, MARKED)))) == []
    await search.write([grant("ada", [], ["wiki:7"])])
    assert ids(await search.find(everything(principals=(EVERYONE, "ada")))) == ["b", "a"]
    assert set(await search.get("activities", ["a", "b"], principals=(EVERYONE, "ada"))) == {"a", "b"}


async def test_a_grant_in_parts_counts_whole(search: Search) -> None:
    await fill(search, activity("a"), activity("b", 1, container="chat:board"))
    await search.write([grant("ada", ["chat:hall"]), grant("ada", ["chat:board"], part=2)])
    first = Write(kind="grants", id="ada", document={"principal": "ada", "containers": ["chat:hall"], "parts": 2})
    await search.write([first])
    assert ids(await search.find(everything(principals=("ada",)))) == ["b", "a"]
    assert set(await search.get("activities", ["a", "b"], principals=("ada",))) == {"a", "b"}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("rolling deployments", True),
        ("deployment", True),
        ("cafe", True),
        ("getUserName", True),
        ("username", False),
        ("user name", True),
        ("src/foo/bar_baz.py", True),
        ("bar_baz", True),
        ("T12345", True),
        ("heron", False),
        ("deployment heron", False),
        ('AND OR "(', False),
        ("*", False),
        ("title:Rolling", False),
        ("<script>alert(1)</script>", False),
    ],
)
async def test_text_finds_prose_names_and_paths_and_is_never_a_language(search: Search, text: str, found: bool) -> None:
    document: dict[str, Any] = {
        "title": "Rolling deployment at the Café",
        "text": "getUserName() in src/foo/bar_baz.py, see T12345.",
    }
    await fill(search, activity("a", **document))
    for order in ("newest", "relevance"):
        assert bool((await search.find(everything(text=text, order=order))).hits) == found


async def test_highlights_are_safe_html(search: Search) -> None:
    await fill(search, activity("a", title="<script>heron</script>", text="a heron & <b>more</b>"))
    for order in ("newest", "relevance"):
        page = await search.find(everything(text="heron", highlight=True, order=order))
        marked = " ".join(fragment for field in page.hits[0].highlights.values() for fragment in field)
        assert "<mark>" in marked
        assert "heron" in marked
        assert "<script>" not in marked
        assert "<b>" not in marked


async def test_filters_windows_and_facets(search: Search) -> None:
    await fill(
        search,
        activity("a", 0, verb="wiki.edit", tags=["x", "y"], automated=False),
        activity("b", 1, verb="wiki.edit", tags=["x"], automated=True),
        activity("c", 2, verb="chat.post", tags=["z"], automated=False),
    )
    edits = everything(filters={"verb": ("wiki.edit", "git.push")}, without={"automated": ("true",)})
    assert ids(await search.find(edits)) == ["a"]
    window = everything(since=START + timedelta(minutes=1), until=START + timedelta(minutes=2))
    assert ids(await search.find(window)) == ["b"]
    page = await search.find(everything(facets=("tags", "automated"), size=1))
    assert page.total == 3
    assert page.facets == {"tags": {"x": 2, "y": 1, "z": 1}, "automated": {"false": 2, "true": 1}}
    counted = await search.find(everything(text="nothing", order="relevance", facets=("tags",)))
    assert counted.facets == {"tags": {}}


@pytest.mark.parametrize(
    ("where", "found"),
    [
        (Has("verb", ("wiki.edit", "git.push")), "ab"),
        (Has("tags"), "ab"),
        (Not(Has("tags")), "c"),
        (Says("heron"), "ac"),
        (Says("heron", "title"), "c"),
        (Published(since=START + timedelta(minutes=1), until=START + timedelta(minutes=2)), "b"),
        (Published(since=START + timedelta(days=1), until=START + timedelta(days=2), field="recorded"), "c"),
        (Either((Has("tags", ("y",)), Says("otter"))), "ab"),
        (Every((Has("tags", ("x",)), Not(Either((Says("otter"), Has("verb", ("no",))))))), "a"),
        (Either(), ""),
        (Every(), "abc"),
    ],
)
async def test_conditions_join_by_and_or_and_not(search: Search, where: Condition, found: str) -> None:
    await fill(
        search,
        activity("a", 0, verb="wiki.edit", tags=["x", "y"], text="a grey heron"),
        activity("b", 1, verb="wiki.edit", tags=["x"], text="an otter"),
        activity("c", 2, verb="chat.post", title="Herons", recorded=(START + timedelta(days=1)).isoformat()),
    )
    assert sorted(ids(await search.find(everything(where=where)))) == list(found)


def direction(axis: int) -> list[float]:
    return [1.0 if number == axis else 0.01 for number in range(256)]


async def test_words_and_meaning_are_fused_and_both_obey_access(search: Search) -> None:
    await fill(
        search,
        obj("both", 1, title="heron", vector=direction(3)),
        obj("meaning", 1, title="bird", vector=direction(3)),
        obj("words", 1, title="heron", vector=direction(9)),
        obj("hidden", 1, title="heron", vector=direction(3), container="chat:board"),
        obj("neither", 1, title="stone", vector=direction(9)),
    )
    await search.write([grant(EVERYONE, ["chat:hall"])])
    asked: dict[str, Any] = {
        "kind": "objects",
        "text": "heron",
        "vector": direction(3),
        "order": "relevance",
        "principals": (EVERYONE,),
    }
    page = await search.find(everything(**asked))
    assert ids(page)[0] == "both"
    assert set(ids(page)[1:3]) <= {"meaning", "words", "neither"}
    assert "hidden" not in ids(page)
    scores = [hit.score for hit in page.hits]
    assert scores == sorted(scores, reverse=True)
    near = await search.find(everything(**{**asked, "text": "", "size": 2}))
    assert set(ids(near)) == {"both", "meaning"}


async def test_the_vector_is_not_handed_out(search: Search) -> None:
    await fill(search, obj("o", 1, vector=direction(3)))
    hit: Hit = (await search.find(everything(kind="objects"))).hits[0]
    assert "vector" not in hit.document
    assert "vector" not in (await search.get("objects", ["o"], principals=None))["o"]


async def test_what_is_known_to_be_empty_is_not_looked_up(search: Search) -> None:
    await fill(search, activity("a", object="wiki:7", restricted=True), activity("b", 1, object="wiki:8"))
    await search.write([grant(EVERYONE, ["chat:hall"]), grant("ada", [], ["wiki:7"]), grant(MARKED, [], ["wiki:8"])])
    who = (EVERYONE, "ada")
    assert ids(await search.find(everything(principals=who))) == ["a"]
    assert ids(await search.find(everything(principals=(EVERYONE,), holders=("ada",)))) == ["a"]
    assert ids(await search.find(everything(principals=who, holders=()))) == []
    assert ids(await search.find(everything(principals=(), holders=who))) == []


async def test_several_questions_have_an_answer_each(search: Search) -> None:
    await fill(search, activity("a", text="heron"), activity("b", 1, thread="t"), obj("o", 1, thread="t"))
    asked = [everything(), everything(kind="objects"), everything(text="heron", order="relevance", threads=True)]
    assert [ids(page) for page in await search.find_all(asked)] == [["b", "a"], ["o"], ["a"]]
    assert [ids(page) for page in await search.find_all(asked[:2])] == [["b", "a"], ["o"]]
    assert await search.find_all([]) == []
    with pytest.raises(Reject, match="field"):
        await search.find_all([everything(), everything(filters={"as2": ("x",)})])


async def test_how_much_of_each_conversation_matches_is_counted(search: Search) -> None:
    said = {"a": ("t", "heron"), "b": ("t", "heron too"), "c": ("t", "otter"), "d": ("u", "heron"), "e": ("v", "otter")}
    await fill(search, *(activity(one, thread=thread, text=text) for one, (thread, text) in said.items()))
    asked: dict[str, Any] = {"text": "heron", "threads": True}
    for order in ("relevance", "newest"):
        assert (await search.find(everything(**asked, order=order))).threads == {"t": 2, "u": 1}
    first = await search.find(everything(**asked, order="relevance", size=2))
    second = await search.find(everything(**asked, order="relevance", size=2, cursor=first.next))
    assert (set(first.threads) | set(second.threads), len(second.threads)) == ({"t", "u"}, 1)
