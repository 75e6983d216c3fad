"""The connector over a real home server: rooms, members, live reading, deliveries, restarts, a server that is busy."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web

from services.common.errors import Reject, Retry, Stop
from services.common.model import Access, Activity, Container, Method, Visibility
from services.ingest.connector import Batch, Connector, Delivery, Receipt, Receiver, Tools, Unverified
from services.ingest.connectors.matrix import CONNECTOR
from tests.fixtures.faultproxy import FaultProxy
from tests.fixtures.synapse import Synapse, User
from tests.integration.ingest.connectors.conftest import Look

pytestmark = [pytest.mark.integration, pytest.mark.may_block("the server is driven by blocking calls")]

HS_TOKEN = "hs-token-for-tests-deliveries"


def opened(tools: Tools, url: str, token: str, **options: Any) -> AbstractAsyncContextManager[Connector]:
    quick = {"url": url, "access_token": token, "sync_seconds": 1, "requests_per_second": 1000, **options}
    return CONNECTOR.open(CONNECTOR.settings.model_validate(quick), tools)


@pytest.fixture(scope="module")
def alice(synapse: Synapse) -> User:
    return synapse.register("alice")


@pytest.fixture(scope="module")
def bob(synapse: Synapse) -> User:
    return synapse.register("bob")


@pytest.fixture(scope="module")
def reader(synapse: Synapse) -> User:
    return synapse.register("reader")


@pytest.fixture
async def chat(synapse: Synapse, reader: User, tools: Tools) -> AsyncIterator[Connector]:
    async with opened(tools, synapse.url, reader.token) as connector:
        yield connector


@pytest.fixture
def room(alice: User, reader: User) -> str:
    made = alice.create_room("ops")
    reader.join(made)
    return made


def place(room: str) -> Container:
    return Container(id=f"tried:room/{room}", type="Channel")


def saying(text: str) -> Callable[[list[Activity]], bool]:
    return lambda found: any(one.object.content == text for one in found)


def of_room(found: list[Activity], room: str) -> list[Activity]:
    """What was found in one room: Synapse remembers an answer to a first sync for two minutes, so "now" may be past."""
    return [one for one in found if one.audience.container == place(room).id]


async def past_of(chat: Connector, room: str) -> list[Activity]:
    return [one async for batch in chat.backfill(place(room), "") for one in batch.activities]


async def next_access(batches: AsyncIterator[Batch], right: Callable[[Access], bool]) -> Access:
    async with asyncio.timeout(20):
        async for batch in batches:
            for access in batch.access:
                if right(access):
                    return access
    raise AssertionError("the live side ended")


async def test_live_goes_on_from_its_cursor_and_gives_the_ids_of_the_backfill(
    alice: User, chat: Connector, room: str, watch: Look
) -> None:
    live = chat.live("")
    first = await anext(live)
    message = alice.send(room, "one")
    alice.edit(room, message, "two")
    seen, cursor = await watch(live, saying("two"))
    await live.aclose()  # type: ignore[attr-defined]
    alice.send(room, "three")
    resumed, _ = await watch(chat.live(cursor), saying("three"))
    again, _ = await watch(chat.live(first.cursor), saying("three"))
    past = await past_of(chat, room)
    ways = [{one.id for one in of_room(way, room)} for way in (seen + resumed, again, past)]
    assert ways[0] == ways[1] == ways[2]
    assert len(past) == 3


async def test_what_a_sync_leaves_out_is_fetched(
    synapse: Synapse, alice: User, reader: User, room: str, tools: Tools, watch: Look
) -> None:
    async with opened(tools, synapse.url, reader.token, page_size=3) as chat:
        cursor = (await anext(chat.live(""))).cursor
        for number in range(10):
            alice.send(room, f"message {number}")
        found, _ = await watch(chat.live(cursor), saying("message 9"))
    assert [one.object.content for one in of_room(found, room)] == [f"message {number}" for number in range(10)]


async def test_an_invitation_is_accepted_and_the_room_is_its_members(
    alice: User, bob: User, reader: User, chat: Connector
) -> None:
    live = chat.live("")
    await anext(live)
    closed = alice.create_room("closed", public=False)
    alice.invite(closed, reader)
    access = await next_access(live, lambda one: one.name == "closed")
    assert access.visibility is Visibility.RESTRICTED
    assert access.principals == ("tried:user/@alice:test.local", "tried:user/@reader:test.local")
    alice.invite(closed, bob)
    bob.join(closed)
    assert (await next_access(live, lambda one: len(one.principals) == 3)).id == place(closed).id
    alice.kick(closed, bob)
    assert (await next_access(live, lambda one: len(one.principals) == 2)).id == place(closed).id
    alice.kick(closed, reader)
    gone = await next_access(live, lambda one: one.id == place(closed).id)
    assert gone.visibility is Visibility.UNKNOWN  # who leaves later would not be heard of


async def test_a_room_that_is_closed_later_is_closed_here(alice: User, chat: Connector, room: str) -> None:
    assert (await chat.access(place(room))).visibility is Visibility.PUBLIC
    live = chat.live("")
    await anext(live)
    alice.set_state(room, "m.room.join_rules", {"join_rule": "invite"})
    access = await next_access(live, lambda one: one.id == place(room).id)
    assert (access.visibility, len(access.principals)) == (Visibility.RESTRICTED, 2)
    assert replace(await chat.access(place(room)), recorded=access.recorded) == access


async def test_encrypted_and_uninvited_rooms_are_not_read(alice: User, reader: User, chat: Connector) -> None:
    encrypted = alice.create_room("secret", encrypted=True)
    reader.join(encrypted)
    alice.send_event(encrypted, "m.room.encrypted", {"algorithm": "m.megolm.v1.aes-sha2", "ciphertext": "x"})
    uninvited = alice.create_room("not ours")
    found = {container.id for container in await chat.discover()}
    assert place(encrypted).id not in found
    assert place(uninvited).id not in found
    assert (await chat.access(place(uninvited))).visibility is Visibility.UNKNOWN
    for room in (encrypted, uninvited):
        assert await past_of(chat, room) == []


async def test_a_room_that_is_encrypted_later_says_no_more_but_its_members_are_followed(
    alice: User, bob: User, reader: User, chat: Connector, watch: Look
) -> None:
    closed = alice.create_room("turning secret", public=False, invite=[bob, reader])
    bob.join(closed)
    reader.join(closed)
    live = chat.live("")
    alice.send(closed, "in the clear")
    await watch(live, saying("in the clear"))
    alice.set_state(closed, "m.room.encryption", {"algorithm": "m.megolm.v1.aes-sha2"})
    alice.send(closed, "still in the clear, by a careless client")
    alice.kick(closed, bob)
    other = alice.create_room("other")
    reader.join(other)
    alice.send(other, "elsewhere")
    found: list[Activity] = []
    principals: tuple[str, ...] = ()
    async with asyncio.timeout(20):
        async for batch in live:
            found += batch.activities
            principals = next((one.principals for one in batch.access if one.id == place(closed).id), principals)
            if saying("elsewhere")(found):
                break
    assert not saying("still in the clear, by a careless client")(found)
    assert principals == ("tried:user/@alice:test.local", "tried:user/@reader:test.local")


async def test_rooms_named_in_the_settings_are_joined(
    synapse: Synapse, alice: User, reader: User, tools: Tools
) -> None:
    alice.create_room("by alias", room_alias_name="by-alias")
    rooms = ["#by-alias:test.local", "#nowhere:test.local"]
    async with opened(tools, synapse.url, reader.token, rooms=rooms) as chat:
        assert "by alias" in {container.name for container in await chat.discover()}
        assert {account.handle for account in await chat.accounts()} >= {"@alice:test.local", "@reader:test.local"}


async def test_reconcile_tells_of_a_redaction_that_was_missed(alice: User, chat: Connector, room: str) -> None:
    secret = alice.send(room, "password is hunter2")
    await past_of(chat, room)
    alice.redact(room, secret)
    alice.send(room, "carry on")
    batches = [batch async for batch in chat.reconcile(place(room))]
    found = {one.id: one for batch in batches for one in batch.activities}
    assert {one.verb for one in found.values()} == {"chat.delete", "chat.message"}
    assert [one.withdraws for one in found.values() if one.verb == "chat.delete"] == [("*",)]
    assert {batch.cursor for batch in batches} == {""}


async def test_redacting_one_edit_after_a_restart_takes_its_text_back(
    synapse: Synapse, alice: User, reader: User, room: str, tools: Tools
) -> None:
    notes: dict[str, str] = {}
    message = alice.send(room, "the first wording")
    leak = alice.edit(room, message, "the password is hunter2")
    async with opened(tools, synapse.url, reader.token) as before:
        async for batch in before.backfill(place(room), ""):
            notes |= batch.notes
        cursor = (await anext(before.live(""))).cursor
    assert notes == {leak: message}
    alice.redact(room, leak)
    async with opened(replace(tools, noted=lambda key: notes.get(key, "")), synapse.url, reader.token) as after:
        ways = [after.live(cursor), after.reconcile(place(room)), after.backfill(place(room), "")]
        for way in ways:
            found: dict[str, Activity] = {}
            async with asyncio.timeout(20):
                async for batch in way:
                    found |= {one.verb: one for one in of_room(list(batch.activities), room)}
                    if "chat.unedit" in found:
                        break
            hidden, shown = found["chat.hide"], found["chat.unedit"]
            assert (hidden.object.id, hidden.withdraws) == (f"tried:event/{message}", (leak,))
            assert (shown.object.id, shown.object.content) == (f"tried:event/{message}", "the first wording")
            assert "chat.delete" not in found


async def test_a_busy_server_is_asked_again(
    synapse: Synapse,
    alice: User,
    reader: User,
    room: str,
    tools: Tools,
    faultproxy: Callable[[str], FaultProxy],
    watch: Look,
) -> None:
    proxy = faultproxy(synapse.url)
    async with opened(tools, proxy.url, reader.token) as chat:
        cursor = (await anext(chat.live(""))).cursor
        alice.send(room, "patience")
        proxy.refuse(429, retry_after=1, times=1)
        found, _ = await watch(chat.live(cursor), saying("patience"))
        assert proxy.answers[429] == 1
        assert len(of_room(found, room)) == 1
        proxy.refuse(429, retry_after=600, match="/messages")
        with pytest.raises(Retry) as caught:
            await past_of(chat, room)
        assert caught.value.after == pytest.approx(600, abs=5)


async def test_a_wrong_token_stops(synapse: Synapse, tools: Tools) -> None:
    async with opened(tools, synapse.url, "wrong") as chat:
        with pytest.raises(Stop, match="'access_token'"):
            await chat.discover()


class Hook:
    """Takes deliveries as the webhook server does, and keeps what they held."""

    def __init__(self) -> None:
        self.receipts: list[tuple[str, Receipt]] = []
        self.receiver: Receiver | None = None
        self.refuse = 0
        self.ended = asyncio.Event()
        self.url = ""

    async def take(self, request: web.Request) -> web.Response:
        delivery = Delivery(
            method=request.method,
            path=request.match_info["rest"],
            headers={name.lower(): value for name, value in request.headers.items()},
            body=await request.read(),
        )
        if self.refuse or self.receiver is None:
            self.refuse -= 1
            return web.json_response({}, status=500)
        receipt = await self.receiver.receive(delivery)
        self.receipts.append((delivery.path, receipt))
        if saying("the end")(self.activities()):
            self.ended.set()
        return web.json_response(dict(receipt.answer), status=receipt.status)

    def activities(self) -> list[Activity]:
        return [one for _, receipt in self.receipts for one in receipt.batch.activities]


@pytest.fixture
async def hook() -> AsyncIterator[Hook]:
    hook, app = Hook(), web.Application()
    app.router.add_route("*", "/hooks/tried/{rest:.*}", hook.take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    hook.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hooks/tried"
    yield hook
    await runner.cleanup()


async def test_transactions_give_what_reading_gives(synapse: Synapse, alice: User, tools: Tools, hook: Hook) -> None:
    service = await asyncio.to_thread(synapse.add_service, hook.url, "deliveries")
    async with opened(tools, synapse.url, service.as_token, hs_token=service.hs_token) as chat:
        assert isinstance(chat, Receiver)
        hook.receiver, hook.refuse = chat, 1
        await asyncio.to_thread(_converse, synapse.service_user(service), alice)
        await asyncio.wait_for(hook.ended.wait(), 60)
        delivered = hook.activities()
        rooms = {one.audience.container for one in delivered}
        (room,) = rooms  # the room that nobody invited the service to is left out
        room_id = room.removeprefix("tried:room/")
        read = await past_of(chat, room_id)
        with pytest.raises(TimeoutError):  # Synapse lets no application service sync: nothing is asked, nothing fails
            await asyncio.wait_for(anext(chat.live("")), 1)
    assert {one.id for one in delivered} == {one.id for one in read}
    assert {one.provenance.method for one in delivered} == {Method.WEBHOOK}
    assert hook.refuse == 0  # the first was refused, and came again


async def test_an_application_service_that_takes_no_deliveries_is_a_mistake(synapse: Synapse, tools: Tools) -> None:
    service = await asyncio.to_thread(synapse.add_service, "http://127.0.0.1:9", "deaf")
    async with opened(tools, synapse.url, service.as_token) as chat:
        with pytest.raises(Stop, match="'hs_token'"):
            await anext(chat.live(""))


def _converse(service: User, alice: User) -> None:
    other = alice.create_room("not for the service")
    alice.send(other, "among us")
    room = alice.create_room("delivered")
    alice.invite(room, service)  # which it accepts by itself
    while service.id not in alice.call("GET", f"/rooms/{room}/joined_members")["joined"]:
        time.sleep(0.1)
    message = alice.send(room, "hello")
    alice.edit(room, message, "hello all")
    alice.react(room, message)
    alice.send(room, "the end")


async def test_deliveries_are_verified_first_and_understood(synapse: Synapse, reader: User, tools: Tools) -> None:
    def delivery(token: str, body: bytes = b"{}", path: str = "transactions/1", method: str = "PUT") -> Delivery:
        return Delivery(method=method, path=path, headers={"authorization": f"Bearer {token}"}, body=body)

    async with opened(tools, synapse.url, reader.token, hs_token=HS_TOKEN) as chat:
        assert isinstance(chat, Receiver)
        for token in ("", "wrong", HS_TOKEN + "x"):
            with pytest.raises(Unverified):
                await chat.receive(delivery(token, b"not even JSON"))
        for body in (b"not JSON", b"[]", b"{}", json.dumps({"events": [{"type": "m.room.message"}]}).encode()):
            with pytest.raises(Reject):
                await chat.receive(delivery(HS_TOKEN, body))
        assert (await chat.receive(delivery(HS_TOKEN, path="ping", method="POST"))).status == 200
        assert (await chat.receive(delivery(HS_TOKEN, path="users/@x:test.local", method="GET"))).status == 404
    async with opened(tools, synapse.url, reader.token) as chat:
        assert isinstance(chat, Receiver)
        with pytest.raises(Unverified):
            await chat.receive(delivery(""))
