"""A real home server's rooms are written in, edited, redacted and reacted to; every way of reading says the same."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from pydantic import SecretStr

from services.common.http import HttpOptions, opened
from services.common.model import Activity, ActivityType, Method
from services.ingest.connectors.matrix.client import MatrixClient
from services.ingest.connectors.matrix.memory import Memory
from services.ingest.connectors.matrix.parse import Scene
from services.ingest.connectors.matrix.reader import Reader
from services.ingest.connectors.matrix.room import Server, room_of
from tests.fixtures.synapse import Synapse, User

pytestmark = [pytest.mark.integration, pytest.mark.may_block("the server is driven by blocking calls")]


@dataclass
class Reading:
    """The reading half of the connector, as one member of the rooms."""

    client: MatrixClient
    reader: Reader
    server: Server

    def afresh(self) -> "Reading":
        """After a restart: nothing is remembered."""
        return Reading(self.client, Reader(self.client, Memory()), self.server)

    async def room(self, room_id: str, start: str | None = None) -> tuple[list[Activity], str]:
        """All activities of a room from a place on, and the place from which to go on."""
        state = await self.client.state(room_id)
        assert state is not None
        scene = Scene(server=self.server, room=room_of(room_id, state), method=Method.BACKFILL)
        found: list[Activity] = []
        place = start or ""
        async for events, after in self.client.pages(room_id, 4, start):
            found += (await self.reader.found(scene, events)).activities
            place = after
        return found, place


@pytest.fixture(scope="module")
def people(synapse: Synapse) -> tuple[User, User]:
    return synapse.register("alice"), synapse.register("bob")


@pytest.fixture
async def reading(synapse: Synapse, people: tuple[User, User]) -> AsyncIterator[Reading]:
    _, bob = people
    async with opened("chat", synapse.url, HttpOptions(requests=1000)) as http:
        client = MatrixClient(http, SecretStr(bob.token))
        server = Server(source="chat", homeserver="test.local", reader=(await client.whoami())[0])
        yield Reading(client, Reader(client, Memory()), server)


@pytest.fixture
def room(people: tuple[User, User]) -> str:
    alice, bob = people
    made = alice.create_room("ops")
    bob.join(made)
    return made


def final(activities: list[Activity], object_id: str) -> Activity:
    """The state of an object that wins in the index."""
    states = [one for one in activities if one.object.id == object_id and one.type is not ActivityType.LIKE]
    return max(reversed(states), key=lambda activity: activity.order)


async def test_messages_edits_threads_and_reactions(reading: Reading, room: str, people: tuple[User, User]) -> None:
    alice, bob = people
    first = alice.send(room, "db is down")
    alice.edit(room, first, "db is up")
    thread = bob.thread_reply(room, first, "in thread")
    bob.edit(room, thread, "in the thread")
    bob.react(room, first)
    found, _ = await reading.room(room)
    assert [one.verb for one in found] == ["chat.message", "chat.edit", "chat.message", "chat.edit", "chat.react"]
    assert final(found, f"chat:event/{first}").object.content == "db is up"
    assert [one.context[-1].id for one in found[2:4]] == [f"chat:event/{first}"] * 2
    assert found[0].actor.name == "alice"


async def test_a_redacted_message_with_edits(reading: Reading, room: str, people: tuple[User, User]) -> None:
    alice, _ = people
    secret = alice.send(room, "password is hunter1")
    alice.edit(room, secret, "password is hunter2")
    before, place = await reading.room(room)
    alice.redact(room, secret, "leaked hunter2")
    after, _ = await reading.room(room, place)
    assert [(one.verb, one.withdraws) for one in after] == [("chat.delete", ("*",))]
    assert after[0].order > max(one.order for one in before)
    again, _ = await reading.afresh().room(room)  # a backfill after the fact
    assert "hunter" not in repr(again)
    assert [one.id for one in again] == [after[0].id]


async def test_only_the_edit_is_redacted(reading: Reading, room: str, people: tuple[User, User]) -> None:
    alice, _ = people
    message = alice.send(room, "first words")
    edit = alice.edit(room, message, "second words, secret")
    _, place = await reading.room(room)
    alice.redact(room, edit)
    found, _ = await reading.room(room, place)
    hidden, shown = found
    assert (hidden.verb, hidden.withdraws) == ("chat.hide", (edit,))
    assert (shown.verb, shown.object.content, shown.withdraws) == ("chat.unedit", "first words", ())
    assert {one.object.id for one in found} == {f"chat:event/{message}"}


async def test_a_removed_reaction(reading: Reading, room: str, people: tuple[User, User]) -> None:
    alice, bob = people
    message = alice.send(room, "lunch?")
    reaction = bob.react(room, message)
    _, place = await reading.room(room)
    bob.redact(room, reaction)
    found, _ = await reading.room(room, place)
    assert [(one.type, one.object.id) for one in found] == [(ActivityType.UNDO, f"chat:event/{message}")]
    later, _ = await reading.afresh().room(room)
    assert [one.verb for one in later] == ["chat.message"]  # what is gone was never there


async def test_edits_that_do_not_count(reading: Reading, room: str, people: tuple[User, User]) -> None:
    alice, bob = people
    message = alice.send(room, "mine")
    edit = alice.edit(room, message, "still mine")
    bob.edit(room, message, "not yours")
    alice.edit(room, edit, "an edit of an edit")
    found, _ = await reading.room(room)
    assert [one.object.content for one in found] == ["mine", "still mine"]


async def test_reading_goes_on_where_it_stopped(reading: Reading, room: str, people: tuple[User, User]) -> None:
    alice, _ = people
    for number in range(9):
        alice.send(room, f"message {number}")
    first, place = await reading.room(room)
    alice.send(room, "one more")
    second, _ = await reading.room(room, place)
    assert [one.object.content for one in second] == ["one more"]
    again, _ = await reading.room(room)
    assert [one.id for one in again] == [one.id for one in first + second]
