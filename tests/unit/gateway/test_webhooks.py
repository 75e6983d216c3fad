"""Webhooks of rules: signed, only what the owner may open, brought in the end or given up with a notice."""

import socket
from datetime import timedelta
from typing import Any

import orjson
import pytest
from aiohttp import ClientTimeout
from standardwebhooks import Webhook
from yarl import URL

from services.common.bus import Bus
from services.common.bus.memory import MemoryBus
from services.common.clock import now
from services.common.envelope import REDACTED
from services.common.errors import Retry
from services.common.search.memory import MemorySearch
from services.gateway.deliveries import collector, courier, owed, webhook
from services.gateway.deliveries.targets import NoTarget, target
from services.gateway.deliveries.webhook import Sending, Webhooks
from tests.fixtures.stack import eventually
from tests.unit.gateway.receiver import Receiver, receiver
from tests.unit.gateway.test_rules import put, recent
from tests.unit.gateway.world import HALL, ROOM, World, world

_HERE: dict[str, Any] = {"webhook_loopback": True, "sealing_key": "of the tests"}


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for module, name in ((collector, "_LOOK"), (courier, "_LOOK"), (courier, "_PAUSE")):
        monkeypatch.setattr(module, name, 0.01)
    monkeypatch.setattr(collector, "_FIRST", 0.05)


async def sending(w: World, to: Receiver, rule: str = "if says heron", name: str = "birds") -> str:
    """Switch a rule on; return its secret."""
    await w.opened(HALL)
    return str((await put(w, name, f'{rule} then webhook "{to.url}"'))["secret"])


def news(number: int, **more: Any) -> Any:
    """Return what has just happened, after the rules were made."""
    return recent(number, days=-1 / 24, text="a heron", **more)


async def got(to: Receiver, count: int) -> list[str]:
    await eventually(lambda: len(to.got) >= count, what=f"{count} requests", pause=0.01)
    return [orjson.loads(one.body)["id"] for one in to.got]


async def test_what_a_rule_holds_for_is_posted_signed() -> None:
    async with receiver() as to, world(**_HERE) as w:
        secret = await sending(w, to)
        await w.happens(news(1), recent(2, days=-1 / 24, text="an otter"), news(3))
        assert sorted(await got(to, 2)) == ["chat:1#chat.message", "chat:3#chat.message"]
        for one in to.got:
            assert Webhook(secret).verify(one.body, one.headers)["type"] == "Create"
        assert to.got[0].headers["content-type"] == "application/activity+json"
        assert len(set(to.ids)) == 2


async def test_the_secret_is_told_once_and_a_new_one_signs_from_then_on() -> None:
    async with receiver() as to, world(**_HERE) as w:
        first = await sending(w, to)
        assert "secret" not in await put(w, "birds", f"if says heron then webhook {to.url}")
        assert first not in str(await w.json("/v1/me/rules"))
        answer = await w.client.post("/v1/me/rules/birds/secret?as=ann")
        second = (await answer.json(content_type=None))["secret"]
        assert (second != first, answer.headers["Cache-Control"]) == (True, "no-store")
        await w.happens(news(1))
        await got(to, 1)
        assert Webhook(second).verify(to.got[0].body, to.got[0].headers)
        assert (await w.client.post("/v1/me/rules/absent/secret?as=ann")).status == 404


async def test_only_what_the_owner_may_open_and_has_not_muted_is_sent() -> None:
    async with receiver() as to, world(**_HERE) as w:
        await sending(w, to, "if anything")
        await w.opened(ROOM, "bob")
        await put(w, "quiet", "if from bob then mute")
        await w.happens(news(1, where=ROOM), news(2, who="bob"), recent(3, days=1, text="before the rule"))
        await w.happens(news(4), mark=REDACTED)
        await w.happens(news(5))
        assert await got(to, 1) == ["chat:5#chat.message"]


async def test_a_receiver_that_fails_gets_it_in_the_end_under_the_same_id() -> None:
    async with receiver(500, "cut", 302, 429, location="/elsewhere", retry_after="0") as to, world(**_HERE) as w:
        await sending(w, to)
        await w.happens(news(1))
        assert set(await got(to, 5)) == {"chat:1#chat.message"}
        assert (len(set(to.ids)), to.elsewhere) == (1, 0)
        await eventually(lambda: not w.parts.office.owed.owing(), what="nothing is owed", pause=0.01)
        await w.happens(news(2))
        assert (await got(to, 6))[5] == "chat:2#chat.message"


async def test_a_slow_receiver_holds_up_nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook, "_TIMEOUT", ClientTimeout(total=0.3))
    async with receiver("slow", "slow") as slow, receiver() as other, world(**_HERE) as w:
        await sending(w, slow)
        await sending(w, other, name="others")
        await w.happens(news(1), news(2))
        assert len(await got(other, 2)) == 2
        await eventually(lambda: len(set(slow.ids)) == 2, what="the slow one has both", pause=0.01)


async def test_a_pause_that_is_asked_for_is_kept() -> None:
    async with receiver(429, retry_after="60") as to, world(**_HERE) as w:
        await sending(w, to)
        await w.happens(news(1))
        await eventually(lambda: w.parts.office.owed.count("ann", "birds"), what="it is owed", pause=0.01)
        (debt,) = w.parts.office.owed.of("ann", "birds")
        assert debt.due - debt.at > timedelta(seconds=59)
        assert [one["waiting"] for one in (await w.json("/v1/me/rules"))["orderedItems"]] == [1]


@pytest.mark.parametrize("pause", ["\N{SUPERSCRIPT TWO}", "9" * 20])
async def test_a_receiver_that_asks_for_no_time_there_is_ends_nothing(pause: str) -> None:
    async with receiver(503, retry_after=pause) as to, receiver() as other, world(**_HERE) as w:
        await sending(w, to)
        await sending(w, other, name="others")
        await w.happens(news(1))
        await got(other, 1)
        await w.happens(news(2))
        assert len(await got(other, 2)) == 2


class _Starting(MemoryBus):
    """A broker that is just being started when the first rule is made."""

    refused = 0

    async def consumer(self, *args: Any, **more: Any) -> Any:
        if not self.refused:
            self.refused += 1
            raise Retry("Kafka does not answer")
        return await super().consumer(*args, **more)


async def test_a_rule_that_is_made_while_kafka_starts_sends_all_the_same() -> None:
    async with receiver() as to, world(bus := _Starting("t."), **_HERE) as w:
        await sending(w, to)
        await w.happens(news(1))
        assert (await got(to, 1), bus.refused) == (["chat:1#chat.message"], 1)


async def test_what_is_owed_outlives_the_process() -> None:
    bus: Bus = MemoryBus("t.")
    search = MemorySearch()
    async with receiver(then=503, retry_after="1") as to:
        async with world(bus, search, **_HERE) as w:
            await sending(w, to)
            await w.happens(news(1), news(2))
            await eventually(lambda: w.parts.office.owed.count("ann", "birds") == 2, what="both are owed", pause=0.01)
        to.then, before = 204, len(to.got)
        async with world(bus, search, **_HERE):
            ids = await got(to, before + 2)
            assert sorted(ids[before:]) == ["chat:1#chat.message", "chat:2#chat.message"]


async def test_what_may_not_be_opened_any_more_is_not_brought() -> None:
    async with receiver(503, retry_after="1") as to, world(**_HERE) as w:
        await sending(w, to)
        await w.happens(news(1))
        await got(to, 1)
        await w.opened(HALL, "bob")
        w.parts.office.collector._clock = lambda: now() + timedelta(minutes=11)
        await eventually(lambda: not w.parts.office.owed.owing(), what="nothing is owed", pause=0.01)
        assert len(to.got) == 1


@pytest.mark.parametrize(("status", "hours", "why"), [(500, 1e-9, "it answered 500"), (410, 24, "gone for good")])
async def test_a_rule_is_switched_off_with_a_notice(status: int, hours: float, why: str) -> None:
    async with receiver(then=status) as to, world(**_HERE, webhook_hours=hours) as w:
        await sending(w, to)
        await w.happens(news(1))
        await eventually(lambda: not w.parts.office.standing.hooks(), what="the rule is off", pause=0.01)
        (rule,) = (await w.json("/v1/me/rules"))["orderedItems"]
        assert (rule["on"], why in rule["stopped"]["reason"]) == (False, True)
        await eventually(lambda: not w.parts.office.owed.owing(), what="nothing is owed", pause=0.01)
        (notice,) = (await w.json("/v1/me/notifications"))["notices"]
        assert "birds" in notice["text"]
        assert why in notice["text"]
        await w.client.put("/v1/me/notifications/read?as=ann", json={})
        assert (await w.json("/v1/me/notifications"))["notices"] == []
        assert "stopped" not in str(await put(w, "birds", f"if says heron then webhook {to.url}"))


async def test_who_owes_too_much_is_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(owed, "MOST", 2)
    async with receiver(then=503, retry_after="60") as to, world(**_HERE) as w:
        await sending(w, to)
        await w.happens(news(1), news(2), news(3))
        await eventually(lambda: not w.parts.office.standing.hooks(), what="the rule is off", pause=0.01)


async def test_a_dry_run_says_how_much_would_be_sent_and_sends_nothing() -> None:
    async with receiver() as to, world(**_HERE) as w:
        await w.opened(HALL)
        await w.happens(recent(1, text="heron"), recent(2, text="heron"))
        body = {"rule": f"if says heron then webhook {to.url} and notify"}
        answer = await (await w.client.post("/v1/me/rules/dry-run?as=ann", json=body)).json(content_type=None)
        assert answer["would"] == {"notifications": 2, "webhooks": 2}
        assert to.got == []


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://hooks.example/in", "https only"),
        ("ftp://hooks.example/in", "https only"),
        ("https://ann:pass@hooks.example/in", "no user"),
        ("https://hooks.example:22/in", "ports"),
        ("https://hooks.example/in#part", "fragment"),
        ("https://localhost/in", "inside"),
        ("https://127.0.0.1/in", "inside"),
        ("https://169.254.169.254/latest", "inside"),
        ("https://10.1.2.3/", "inside"),
        ("https://[::1]/", "inside"),
        ("https://[::ffff:10.0.0.1]/", "inside"),
        ("https://[64:ff9b::7f00:1]/", "inside"),
        ("https://[2002:7f00:1::]/", "inside"),
        ("https://127.1/", "inside"),
        ("https://2130706433/", "inside"),
        ("hooks.example", "a URL"),
        ("https://", "a URL"),
        ("https://[::1", "URL"),
        ("https://hooks.example/" + "x" * 1_000, "at most"),
    ],
)
def test_where_nothing_is_sent(url: str, why: str) -> None:
    with pytest.raises(NoTarget, match=why):
        target(url, loopback=False)


async def test_a_rule_that_sends_inside_is_refused() -> None:
    async with world() as w:
        for url in ("https://127.0.0.1/x", "http://hooks.example/"):
            body = {"rule": f"if anything then webhook {url}", "on": True}
            answer = await w.client.put("/v1/me/rules/x?as=ann", json=body)
            problem = await answer.json(content_type=None)
            assert (answer.status, problem["type"], problem["column"]) == (400, "/docs#bad-rule", 26)
        two = {"rule": "if anything then webhook https://a.example/ and webhook https://b.example/"}
        assert (await w.client.put("/v1/me/rules/x?as=ann", json=two)).status == 400


@pytest.mark.parametrize("address", ["127.0.0.1", "169.254.169.254", "10.0.0.7", "::1", "fd00::1"])
async def test_a_name_that_resolves_inside_is_not_connected_to(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    asked: list[str] = []

    def resolve(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        asked.append(host)
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        where = (address, 443, 0, 0) if ":" in address else (address, 443)
        return [(family, socket.SOCK_STREAM, 6, "", where)]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    hooks = Webhooks(loopback=False)
    await hooks.start()
    try:
        one = Sending(url="https://hooks.example/in", secret="whsec_" + "A" * 44, id="msg_1", body=b"{}")
        result = await hooks.send(one)
    finally:
        await hooks.stop()
    assert ("inside" in result.failed, asked) == (True, ["hooks.example"])


async def test_a_host_that_no_resolver_takes_is_a_failure_like_others() -> None:
    hooks = Webhooks(loopback=False)
    await hooks.start()
    try:
        one = Sending(url="https://hooks..example/in", secret="whsec_" + "A" * 44, id="msg_1", body=b"{}")
        assert "could not be reached" in (await hooks.send(one)).failed
    finally:
        await hooks.stop()


def test_on_loopback_development_may_send_to_any_port() -> None:
    assert target("http://127.0.0.1:9999/in", loopback=True) == URL("http://127.0.0.1:9999/in")
    with pytest.raises(NoTarget):
        target("http://10.0.0.1:9999/in", loopback=True)
