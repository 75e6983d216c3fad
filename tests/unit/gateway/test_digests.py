"""Digests by mail, over a real mail server: what rules ask for, once a day or week, never what may not be read."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from itertools import pairwise
from typing import Any

import pytest

from services.common import topics
from services.common.bus import Bus
from services.common.bus.memory import MemoryBus
from services.common.model import Enriched
from services.common.search.memory import MemorySearch
from services.gateway.deliveries import courier, postman
from services.gateway.deliveries.mailboxes import address_in
from services.gateway.deliveries.schedule import Window, boundary, windows
from tests.fixtures.stack import eventually
from tests.unit.gateway.mailserver import MailServer, mail_server
from tests.unit.gateway.test_rules import put
from tests.unit.gateway.world import HALL, ROOM, World, said, world

MONDAY = datetime(2026, 3, 2, 7, tzinfo=UTC)


async def nothing(_: postman.Postman) -> None:
    """Send nothing, for ever."""
    await asyncio.Event().wait()


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.at = MONDAY - timedelta(hours=12)

    def __call__(self) -> datetime:
        return self.at


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(courier, "_LOOK", 0.01)
    monkeypatch.setattr(postman.Postman, "run", nothing)  # the tests look, by their own clock
    return made


def of(server: MailServer) -> dict[str, Any]:
    return {
        "smtp_host": "127.0.0.1",
        "smtp_port": server.port,
        "smtp_security": "none",
        "mail_from": "Watercooler <water@cooler.example>",
        "sealing_key": "of the tests",
        "public_url": "https://water.example",
    }


def taken_in(number: int, **more: Any) -> Enriched:
    """Return what was said and taken in an hour before the digest of Monday."""
    e = said(number, **{"text": f"heron {number}", **more})
    at = MONDAY - timedelta(hours=1, minutes=-number)
    return replace(e, activity=replace(e.activity, published=at, recorded=at))


async def begun(w: World, clock: Clock, rule: str = "if says heron then mail", every: str = "day") -> None:
    """Let ann have a rule that mails and an address, and her first window begin."""
    one = w.parts.office.postman
    one._clock = one.schedule._clock = clock
    await w.opened(HALL)
    await put(w, "birds", rule)
    answer = await w.client.put("/v1/me/digest?as=ann", json={"every": every, "address": "ann@example.org"})
    assert answer.status == 200, await answer.text()
    await eventually(lambda: w.parts.office.courier.owns("ann"), what="this process sees to ann", pause=0.01)
    await look(w)


async def look(w: World, at: datetime | None = None) -> None:
    one = w.parts.office.postman
    if at is not None:
        one._clock.at = at  # type: ignore[attr-defined]  # the clock of begun
    await one.look()
    await w.parts.remembered.caught_up()


def text_of(mail: EmailMessage, kind: str = "plain") -> str:
    part = mail.get_body((kind,))
    assert part is not None
    return str(part.get_content())


async def test_a_digest_holds_what_was_taken_in_since_the_last_one(clock: Clock) -> None:
    async with mail_server() as server, world(**of(server)) as w:
        await begun(w, clock)
        await w.happens(taken_in(1), taken_in(2, text="an otter"), taken_in(3, text="heron <b>three</b>"))
        await look(w, MONDAY)
        assert server.mails == []  # the index is given time
        await look(w, MONDAY + timedelta(minutes=3))
        await look(w, MONDAY + timedelta(minutes=4))
        (mail,) = server.mails
        assert (mail["To"], mail["Subject"]) == ("ann@example.org", "2 things that your rules found today")
        assert "heron 1" in text_of(mail)
        assert "otter" not in text_of(mail)
        assert "https://water.example/objects/chat%3A1" in text_of(mail)
        assert "heron &lt;b&gt;three&lt;/b&gt;" in text_of(mail, "html")
        assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        await look(w, MONDAY + timedelta(days=1, minutes=3))
        assert len(server.mails) == 1  # nothing happened: nothing is sent


async def test_only_what_may_be_opened_then_and_is_not_muted_is_mailed(clock: Clock) -> None:
    async with mail_server() as server, world(**of(server)) as w:
        await begun(w, clock, "if anything then mail")
        await put(w, "quiet", "if from bob then mute")
        await w.opened(ROOM)
        await w.happens(taken_in(1), taken_in(2, where=ROOM), taken_in(3, who="bob"))
        await w.opened(ROOM, "bob")
        await look(w, MONDAY + timedelta(minutes=3))
        (mail,) = server.mails
        assert mail["Subject"].startswith("1 thing ")


async def test_weekly_comes_on_monday(clock: Clock) -> None:
    async with mail_server() as server, world(**of(server)) as w:
        clock.at = MONDAY - timedelta(days=3)
        await begun(w, clock, every="week")
        await w.happens(taken_in(1))
        await look(w, MONDAY - timedelta(days=1))
        assert server.mails == []
        await look(w, MONDAY + timedelta(minutes=3))
        assert "this week" in server.mails[0]["Subject"]


async def test_a_server_that_is_busy_is_asked_again_and_nothing_is_lost_or_doubled(clock: Clock) -> None:
    bus: Bus = MemoryBus("t.")
    search = MemorySearch()
    async with mail_server(data=("451 later",), recipients=("450 busy",)) as server:
        async with world(bus, search, **of(server)) as w:
            await begun(w, clock)
            await w.happens(taken_in(1))
            for minutes in (3, 3.1, 10):  # refused, too soon, refused
                await look(w, MONDAY + timedelta(minutes=minutes))
            assert (server.tries, server.mails) == (2, [])
        for _ in range(2):  # another process sends it, and the next does not
            async with world(bus, search, **of(server)) as w:
                await begun(w, clock)
                await look(w, MONDAY + timedelta(hours=1))
        assert len(server.mails) == 1


async def test_an_address_that_is_refused_ends_the_digest_with_a_notice(clock: Clock) -> None:
    async with mail_server(recipients=("550 no such user",)) as server, world(**of(server)) as w:
        await begun(w, clock)
        await w.happens(taken_in(1))
        await look(w, MONDAY + timedelta(minutes=3))
        assert (await w.json("/v1/me/digest"))["every"] == "never"
        assert "550" in (await w.json("/v1/me/notifications"))["notices"][0]["text"]


async def test_the_link_in_a_mail_ends_digests_when_it_is_confirmed(clock: Clock) -> None:
    async with mail_server() as server, world(**of(server)) as w:
        await begun(w, clock)
        await w.happens(taken_in(1))
        await look(w, MONDAY + timedelta(minutes=3))
        link = server.mails[0]["List-Unsubscribe"].strip("<>").removeprefix("https://water.example")
        assert "No more of these" in await (await w.client.get(link)).text()
        assert (await w.json("/v1/me/digest"))["every"] == "day"
        assert (await w.client.post(link, data={"List-Unsubscribe": "One-Click"})).status == 200
        await w.parts.remembered.caught_up()
        assert (await w.json("/v1/me/digest"))["every"] == "never"
        assert (await w.client.post(link + "x")).status == 404


async def test_an_address_is_kept_sealed_and_shown_in_part(clock: Clock) -> None:
    async with mail_server() as server, world(**of(server)) as w:
        await begun(w, clock)
        shown = await w.json("/v1/me/digest")
        assert (shown["address"], shown["possible"]) == ("a...@example.org", True)
        reader = await w.bus.reader()
        bounds = await reader.bounds(topics.SETTING.name(w.bus.prefix))
        await reader.start_at({partition: first for partition, (first, _) in bounds.items()})
        records = [one.value or b"" for one in await reader.poll(limit=1_000, wait=1)]
        assert any(b"sealed" in one for one in records)
        assert not any(b"example.org" in one for one in records)
        await reader.stop()


@pytest.mark.parametrize(
    ("claims", "known"),
    [
        ({"email": "ann@example.org"}, "ann@example.org"),
        ({"email": "ann@example.org", "email_verified": True}, "ann@example.org"),
        ({"email": "ann@example.org", "email_verified": False}, ""),
        ({"email": ["ann@example.org"]}, ""),
        ({}, ""),
    ],
)
async def test_the_address_is_that_of_the_login(claims: dict[str, Any], known: str) -> None:
    async with world(sealing_key="of the tests") as w:
        boxes = w.parts.office.postman.mailboxes
        await boxes.learn("ann", claims)
        await w.parts.remembered.caught_up()
        assert (boxes.of("ann"), boxes.of("bob")) == (known, "")


async def test_what_is_found_before_an_address_is_known_is_in_the_first_mail(clock: Clock) -> None:
    async with mail_server() as server, world(**of(server)) as w:
        await begun(w, clock)
        await w.parts.remembered.put("ann", "address", None)
        await w.parts.remembered.caught_up()
        await w.happens(taken_in(1))
        await look(w, MONDAY + timedelta(minutes=3))
        assert server.mails == []
        await w.parts.office.postman.mailboxes.put("ann", "ann@example.org")
        await w.parts.remembered.caught_up()
        await look(w, MONDAY + timedelta(days=1, minutes=3))
        assert "heron 1" in text_of(server.mails[0])


@pytest.mark.parametrize("body", [{"every": "hour"}, {"every": "day", "address": "ann"}, {"address": "a@b.example"}])
async def test_a_wrong_choice_is_refused(body: dict[str, str]) -> None:
    async with world(sealing_key="of the tests") as w:
        assert (await w.client.put("/v1/me/digest?as=ann", json=body)).status == 400
        assert not (await w.json("/v1/me/digest"))["possible"]


async def test_a_dry_run_says_how_many_mails_it_would_have_been() -> None:
    async with world() as w:
        await w.opened(HALL)
        day = boundary("day", 7, datetime.now(UTC))
        for number, days in ((1, 2), (2, 2), (3, 9)):
            e = said(number, text="heron")
            at = day - timedelta(days=days, hours=-1, minutes=-number)
            await w.happens(replace(e, activity=replace(e.activity, published=at, recorded=at)))
        body = {"rule": "if says heron then mail"}
        answer = await (await w.client.post("/v1/me/rules/dry-run?as=ann", json=body)).json(content_type=None)
        assert (answer["totalItems"], answer["would"]) == (3, {"mails": 2})


def test_windows_follow_each_other_without_a_gap() -> None:
    found = windows("week", 7, MONDAY + timedelta(hours=1), 30)
    assert found[0] == Window(since=MONDAY - timedelta(days=7), until=MONDAY)
    assert all(later.since == earlier.until for later, earlier in pairwise(found))
    assert boundary("day", 7, MONDAY - timedelta(minutes=1)) == MONDAY - timedelta(days=1)
    assert boundary("week", 7, MONDAY - timedelta(minutes=1)) == MONDAY - timedelta(days=7)


@pytest.mark.parametrize("text", ["", "ann", "ann@", "@example.org", "ann@example", "a\nb@example.org", 7, "x" * 300])
def test_what_is_no_address(text: object) -> None:
    assert address_in(text) == ""
