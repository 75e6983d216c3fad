"""The page of rules: written in the small language, tried before it is switched on, and undone."""

from urllib.parse import quote

import pytest

from services.common.clock import now
from services.gateway.deliveries.owed import NOTICE
from services.gateway.rules import language, own
from tests.unit.gateway.pages import read, send, sent
from tests.unit.gateway.world import HALL, World, said, world

RULE = "if says heron then notify and mark birds"


async def some(w: World) -> None:
    await w.opened(HALL)
    await w.opened("chat:bobs", "bob")
    at = now()
    text = "the heron is back"
    await w.happens(said(1, who="bob", text=text, published=at), said(2, who="bob", text="an otter", published=at))
    await w.happens(said(3, who="bob", text="a secret heron", where="chat:bobs", published=at))


def tried(rule: str, name: str = "birds") -> str:
    return f"/rules?name={quote(name)}&rule={quote(rule)}"


async def test_a_rule_is_tried_then_switched_on_and_notifies() -> None:
    async with world() as w:
        await some(w)
        text = await read(w, tried(RULE))
        assert "it would have held for 1 activity" in text
        assert ("the heron is back" in text, "secret heron" in text) == (True, False)
        assert "You have no rules yet" in text
        assert "switched on" in await sent(w, "/rules", {"name": "birds", "rule": RULE, "on": "yes"})
        assert "the heron is back" in await read(w, "/notifications")


async def test_a_rule_is_switched_off_and_removed() -> None:
    async with world() as w:
        await some(w)
        await sent(w, "/rules", {"name": "birds", "rule": RULE, "on": "yes"})
        text = await sent(w, "/rules", {"name": "birds", "rule": RULE, "on": "no"})
        assert ("switched off" in text, 'class="label off"' in text, 'class="label on"' in text) == (True, True, False)
        assert "the heron is back" not in await read(w, "/notifications")
        assert "is removed" in await sent(w, "/rules/remove", {"name": "birds"})
        assert "You have no rules yet" in await read(w, "/rules")
        assert (await send(w, "/rules/remove", {"name": "birds"})).status == 404


@pytest.mark.parametrize(
    ("rule", "good", "bad"),
    [
        ("if tag x adn from me then mute", "if tag x ", "adn from me then mute"),
        ("if tag x", "if tag x", " "),
        ("if says <b> then <script>", "if says &lt;b&gt; then ", "&lt;script&gt;"),
    ],
)
async def test_a_mistake_is_shown_where_it_stands(rule: str, good: str, bad: str) -> None:
    async with world() as w:
        text = await read(w, tried(rule))
        assert f"<code>{good}<mark>{bad}</mark></code>" in text
        assert "expected is one of" in text
        assert 'aria-invalid="true"' in text
        assert "Switch it on" not in text


@pytest.mark.parametrize("form", [{}, {"name": "x"}, {"name": "", "rule": RULE}, {"name": "x", "rule": "if"}])
async def test_what_is_no_rule_is_not_kept(form: dict[str, str]) -> None:
    async with world() as w:
        assert (await send(w, "/rules", {**form, "on": "yes"})).status == 400
        assert "You have no rules yet" in await read(w, "/rules")


async def test_new_rules_get_names_that_no_other_has() -> None:
    async with world() as w:
        for name in ("my rule", "my rule 2"):
            await sent(w, "/rules", {"name": name, "rule": RULE})
        assert 'value="my rule 3"' in await read(w, "/rules")


async def test_the_page_explains_every_condition_and_action() -> None:
    async with world() as w:
        text = await read(w, "/rules")
        for form in (*language.CONDITIONS, *language.ACTIONS):
            assert f"<dt><code>{form}</code></dt>" in text


@pytest.mark.parametrize("form", language.CONDITIONS)
def test_every_condition_is_written_as_the_page_says(form: str) -> None:
    assert language.parse(f"if {form} then notify", "ann").actions


async def test_the_secret_of_a_webhook_is_shown_once_and_renewed() -> None:
    async with world(sealing_key="of the tests") as w:
        rule = "if says heron then webhook https://hooks.example.org/birds"
        answer = await send(w, "/rules", {"name": "birds", "rule": rule, "on": "no"})
        secret = secret_in(await answer.text())
        assert (answer.status, answer.headers["Cache-Control"], secret[:6]) == (200, "no-store", "whsec_")
        listed = await read(w, "/rules")
        assert (secret in listed, "New secret" in listed) == (False, True)
        assert "switched off" in await sent(w, "/rules", {"name": "birds", "rule": rule, "on": "no"})
        renewed = await send(w, "/rules/secret", {"name": "birds"})
        assert secret_in(await renewed.text()) not in ("", secret)
        assert (await send(w, "/rules/secret", {"name": "birds"}, as_="bob")).status == 404


async def test_a_webhook_to_a_place_inside_is_a_mistake_shown_where_it_stands() -> None:
    async with world() as w:
        text = await read(w, tried("if anything then webhook https://127.0.0.1/x"))
        assert "<code>if anything then webhook <mark>https://127.0.0.1/x</mark></code>" in text


async def test_why_a_rule_was_switched_off_is_said_in_the_inbox_and_at_the_rule_until_it_was_read() -> None:
    async with world() as w:
        stopped = {"at": "2026-03-01T12:00:00Z", "reason": "the receiver <b>is away</b>"}
        await w.parts.remembered.put("ann", own.PREFIX + "birds", {"rule": RULE, "on": False, "stopped": stopped})
        await w.parts.remembered.put("ann", NOTICE + "birds", {"at": stopped["at"], "text": "birds: is away"})
        await w.parts.remembered.caught_up()
        assert "the receiver &lt;b&gt;is away" in await read(w, "/rules")
        assert "birds: is away" in await read(w, "/notifications")
        assert "birds: is away" not in await read(w, "/mentions")
        await sent(w, "/read", {"feed": "notifications", "until": "2026-03-02"})
        assert "birds: is away" not in await read(w, "/notifications")


def secret_in(text: str) -> str:
    return text.partition('aria-label="Secret">')[2].partition("<")[0]
