"""Rules: every text is one or an error that says where; tried on the last 30 days; marked, muted, notified of."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common.clock import now
from services.common.model import Enriched
from services.common.search.conditions import Either, Every, Has, Not, Says
from services.gateway.rules import own
from services.gateway.rules.language import ACTIONS, Action, NoRule, Rule, parse
from tests.unit.gateway.world import HALL, ROOM, World, said, world


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("if tag incident and not from bots", Every((Has("tags", ("incident",)), Not(Has("automated", ("true",)))))),
        ("if tag a, b or says heron", Either((Has("tags", ("a", "b")), Says("heron")))),
        ("IF from me OR mentions ME", Either((Has("people", ("ann",)), Has("mentions", ("ann",))))),
        ('if in chat:hall and (verb "x, y" or type Create)', None),
        ("if not (source git) or anything", Either((Not(Has("source", ("git",))), Every()))),
    ],
)
def test_a_rule_is_a_condition_and_actions(text: str, condition: Any) -> None:
    rule = parse(text + " then notify and mark very-urgent", "ann")
    assert rule.actions == (Action("notify"), Action("mark", "very-urgent"))
    assert condition is None or rule.condition == condition


@pytest.mark.parametrize(
    ("text", "column", "expected"),
    [
        ("", 1, "if"),
        ("tag x then notify", 1, "if"),
        ("if tag x", 9, "then"),
        ("if tag x then dance", 15, "notify"),
        ("if tag x adn tag y then notify", 10, "and"),
        ("if (tag x then mute", 11, ")"),
        ('if says "no end then mute', 9, "a text in quotes"),
        ("if colour red then mute", 4, "tag"),
    ],
)
def test_what_is_no_rule_says_where_and_what_was_expected(text: str, column: int, expected: str) -> None:
    with pytest.raises(NoRule) as wrong:
        parse(text, "ann")
    assert wrong.value.column == column, str(wrong.value)
    assert expected in str(wrong.value)


_PIECES = ["if", "then", "and", "or", "not", "(", ")", ",", "tag", "from", "bots", "x", '"', '"a b"', "mute", "\n", "é"]


@given(st.text(max_size=60) | st.lists(st.sampled_from(_PIECES), max_size=40).map(" ".join))
def test_every_text_is_a_rule_or_an_error(text: str) -> None:
    column = 1
    try:
        assert isinstance(parse(text, "ann"), Rule)
    except NoRule as wrong:
        column = wrong.column
    assert 1 <= column <= len(text) + 1


@pytest.mark.parametrize("text", ["not " * 490 + "tag x", "tag x or " * 60 + "tag y", "x" * 2_001])
def test_a_rule_is_bounded(text: str) -> None:
    with pytest.raises(NoRule, match="at most"):
        parse(f"if {text} then mute", "ann")


def test_parentheses_of_any_depth_are_read() -> None:
    assert parse(f"if {'(' * 900}tag x{')' * 900} then mute", "ann").condition == Has("tags", ("x",))


async def put(w: World, name: str, rule: str, *, on: bool = True) -> Any:
    answer = await w.client.put(f"/v1/me/rules/{name}?as=ann", json={"rule": rule, "on": on})
    assert answer.status == 200, await answer.text()
    return await answer.json(content_type=None)


def recent(number: int, days: float = 1, **more: Any) -> Enriched:
    e = said(number, **more)
    return replace(e, activity=replace(e.activity, published=now() - timedelta(days=days, minutes=-number)))


async def numbers(w: World, path: str) -> list[int]:
    page = await w.json(path)
    return [int(one["id"].removeprefix("chat:").partition("#")[0]) for one in page["orderedItems"]]


async def test_a_dry_run_looks_at_the_last_thirty_days_of_what_may_be_opened() -> None:
    async with world() as w:
        await w.opened(HALL)
        await w.opened(ROOM, "bob")
        await w.happens(recent(1, text="heron"), recent(2, text="heron", where=ROOM), recent(3, text="otter"))
        await w.happens(recent(4, days=31, text="heron"), replace(recent(5, text="heron"), automated=True))
        body = {"rule": "if says heron and not from bots then notify"}
        answer = await (await w.client.post("/v1/me/rules/dry-run?as=ann", json=body)).json(content_type=None)
        assert (answer["totalItems"], answer["days"], answer["actions"]) == (1, 30, ["notify"])
        assert [one["id"] for one in answer["orderedItems"]] == ["chat:1#chat.message"]
        assert (await w.json("/v1/me/rules"))["orderedItems"] == []


async def test_a_rule_that_holds_for_nothing_lately_says_what_it_held_for_before() -> None:
    async with world() as w:
        await w.opened(HALL)
        await w.opened(ROOM, "bob")
        await w.happens(recent(1, days=400, text="heron"), recent(2, days=31, text="heron"), recent(3, text="otter"))
        await w.happens(recent(4, days=50, text="heron", where=ROOM))
        found = {}
        for word in ("heron", "otter", "stork"):
            body = {"rule": f"if says {word} then notify"}
            answer = await w.client.post("/v1/me/rules/dry-run?as=ann", json=body)
            found[word] = await answer.json(content_type=None)
        assert (found["heron"]["totalItems"], found["heron"]["earlier"]["totalItems"]) == (0, 2)
        assert found["heron"]["earlier"]["orderedItems"][0]["id"] == "chat:2#chat.message"
        assert not {"earlier"} & {*found["otter"], *found["stork"]}
        page = await (await w.get("/rules", params={"name": "x", "rule": "if says heron then notify"})).text()
        assert "would have held for 0 activities" in page
        assert "Before that it would have held for 2." in page
        assert "/objects/chat%3A2" in page


async def test_what_is_switched_on_notifies_marks_and_mutes() -> None:
    async with world() as w:
        await w.opened(HALL)
        await w.happens(
            recent(1, text="heron"), recent(2, text="otter", who="bob"), recent(3, text="a heron and otter")
        )
        await w.client.put("/v1/me/follows/chat%3Ahall?as=ann")
        tried = await put(w, "birds", "if says heron then notify and mark bird", on=False)
        assert (tried["totalItems"], tried["on"]) == (2, False)
        assert await numbers(w, "/v1/me/notifications") == []
        await put(w, "birds", "if says heron then notify and mark bird")
        assert await numbers(w, "/v1/me/notifications") == [3, 1]
        assert [one["marks"] for one in (await w.json("/v1/me/following"))["orderedItems"]] == [["bird"], [], ["bird"]]
        await put(w, "quiet", "if from bob or says otter then mute")
        assert await numbers(w, "/v1/me/following") == [1]
        assert await numbers(w, "/v1/me/notifications") == [1]
        assert (await w.client.delete("/v1/me/rules/quiet?as=ann")).status == 204
        assert await numbers(w, "/v1/me/following") == [3, 2, 1]


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "kind"),
    [
        ("PUT", "/x", {"rule": "if tag x then dance"}, 400, "bad-rule"),
        ("PUT", "/x", {"rule": "if tag x then mute", "on": 1}, 400, "bad-body"),
        ("PUT", "/x", {}, 400, "bad-body"),
        ("PUT", "/" + "x" * 65, {"rule": "if tag x then mute"}, 400, "bad-parameter"),
        ("POST", "/dry-run", {"rule": "x" * 2_001}, 400, "bad-body"),
        ("POST", "/dry-run", {"rule": "if"}, 400, "bad-rule"),
        ("DELETE", "/absent", None, 404, "not-found"),
    ],
)
async def test_bad_input(method: str, path: str, body: Any, status: int, kind: str) -> None:
    async with world() as w:
        answer = await w.client.request(method, f"/v1/me/rules{path}?as=ann", json=body)
        problem = await answer.json(content_type=None)
        assert (answer.status, problem["type"]) == (status, f"/docs#{kind}")
        assert ("column" in problem) == (kind == "bad-rule")
        assert (await w.client.request(method, f"/v1/me/rules{path}", json=body)).status == 401


async def test_rules_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own, "MOST", 1)
    async with world() as w:
        await put(w, "a", "if tag x then mute")
        body = {"rule": "if tag x then mute"}
        assert (await w.client.put("/v1/me/rules/b?as=ann", json=body)).status == 409


def test_every_action_that_is_listed_is_understood() -> None:
    for form in ACTIONS:
        written = form.replace("URL", "https://hooks.example/in")
        assert parse(f"if anything then {written}", "ann").does(form.split()[0])
