"""What a real home server sent -> activities."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from services.common.errors import Reject
from services.common.model import AccountType, Activity, ActivityType, Method, Visibility
from services.ingest.connectors.matrix import parse
from services.ingest.connectors.matrix.memory import Kind, Known, Memory, known_of, redacts
from services.ingest.connectors.matrix.room import Room, Server, access_of, room_of

SAMPLES = Path(__file__).parent / "samples"
SERVER = Server(source="chat", homeserver="test.local", reader="@bot:test.local")


def sample(name: str) -> Any:
    return json.loads((SAMPLES / f"{name}.json").read_text())


def timeline() -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = sample("messages")["chunk"]
    return events


def room() -> Room:
    return room_of(timeline()[0]["room_id"], [event for event in timeline() if "state_key" in event])


SCENE = parse.Scene(server=SERVER, room=room(), method=Method.BACKFILL)


def message(name: str) -> Activity:
    activity = parse.message(SCENE, sample(name))
    assert activity is not None
    return activity


def test_a_message() -> None:
    activity = message("event-message")
    first = "$ZQaCWcT_Davhb6uv6F99h6a2YhAIOHs0FeqrlIeOtvk"
    assert activity.id == f"chat:event/{first}#chat.message"
    assert (activity.type, activity.object.type, activity.object.content) == (
        ActivityType.CREATE,
        "Note",
        "db is down 😀",
    )
    assert (activity.actor.id, activity.actor.name) == ("chat:user/@alice:test.local", "alice")
    assert [place.name for place in activity.context] == ["test.local", "ops"]
    assert activity.audience.visibility is Visibility.PUBLIC


def test_a_room_id_without_a_server_is_taken_whole() -> None:
    assert ":" not in room().id
    assert message("event-message").audience.container == f"chat:room/{room().id}"


def test_an_edited_message_keeps_its_first_text() -> None:
    assert "m.replace" in sample("event-message")["unsigned"]["m.relations"]
    assert message("event-message").object.content == "db is down 😀"


def test_html_and_mentions() -> None:
    activity = message("event-html_message")
    assert (activity.object.content, activity.object.media_type) == ("<b>on it</b>", "text/html")
    assert activity.mentions == ("chat:user/@alice:test.local",)


def test_a_reply_says_only_its_own_words() -> None:
    activity = message("event-reply")
    assert activity.object.content == "thanks"
    assert activity.object.in_reply_to == "chat:event/$h9PgugPBdSDwGQUKT-ZX7BKhERh5Xbqy7rTC8cqTvVs"


def test_a_reply_in_a_thread_has_the_thread_as_innermost_place() -> None:
    activity = message("event-thread_reply")
    assert activity.context[-1].id == activity.object.in_reply_to == message("event-message").object.id
    assert activity.context[-1].type == "Thread"


def test_an_edit_is_a_newer_state_of_the_same_object() -> None:
    activity = parse.edit(SCENE, sample("event-edit"), known_of(sample("event-message")))
    assert activity is not None
    created = message("event-message")
    assert activity.object.id == created.object.id
    assert (activity.type, activity.object.content) == (ActivityType.UPDATE, "db is up")
    assert activity.order > created.order
    assert activity.object.version == "$dwCt9eeVwAfu5c6C0Ci7DoY1k2AswoGkSRNwn3xehrk"


def test_an_edit_keeps_the_thread_of_its_message() -> None:
    original = known_of(sample("event-thread_reply"))
    replacing = sample("event-edit")
    replacing["sender"] = original.sender
    activity = parse.edit(SCENE, replacing, original)
    assert activity is not None
    assert activity.context[-1].id == "chat:event/" + original.thread


@pytest.mark.parametrize(
    "original",
    [
        None,
        Known(kind=Kind.MESSAGE, sender="@mallory:test.local"),
        Known(kind=Kind.EDIT, sender="@alice:test.local"),
        Known(kind=Kind.REDACTED, sender="@alice:test.local"),
    ],
)
def test_a_void_edit_is_dropped(original: Known | None) -> None:
    assert parse.edit(SCENE, sample("event-edit"), original) is None


def test_a_redacted_message_has_nothing_to_say_and_its_redaction_withdraws_all() -> None:
    emptied, redaction = sample("event-redacted"), sample("event-redaction")
    assert parse.message(SCENE, emptied) is None
    activity = parse.redaction(SCENE, redaction, known_of(emptied))
    assert activity is not None
    assert (activity.type, activity.withdraws) == (ActivityType.DELETE, ("*",))
    assert activity.object.id == f"chat:event/{emptied['event_id']}"
    assert "leaked secret" not in repr(activity)


def test_no_later_edit_outranks_a_redaction() -> None:
    target = "$ZQaCWcT_Davhb6uv6F99h6a2YhAIOHs0FeqrlIeOtvk"
    redaction = {**sample("event-redaction"), "content": {"redacts": target}}
    gone = parse.redaction(SCENE, redaction, known_of(sample("event-message")))
    later = {**sample("event-edit"), "origin_server_ts": redaction["origin_server_ts"] + 86_400_000}
    late = parse.edit(SCENE, later, known_of(sample("event-message")))
    assert gone is not None
    assert late is not None
    assert gone.order > late.order
    assert gone.order < 2**63 // 16


def test_an_unknown_or_other_target_of_a_redaction_gives_nothing() -> None:
    assert parse.redaction(SCENE, sample("event-redaction"), None) is None
    assert parse.redaction(SCENE, sample("event-redaction"), Known(kind=Kind.OTHER, sender="@alice:test.local")) is None


def test_a_reaction_and_its_end() -> None:
    target = "$ZQaCWcT_Davhb6uv6F99h6a2YhAIOHs0FeqrlIeOtvk"
    relation = {"rel_type": "m.annotation", "event_id": target, "key": "👍"}
    reacting = {**sample("event-html_message"), "type": "m.reaction", "content": {"m.relates_to": relation}}
    liked = parse.reaction(SCENE, reacting)
    assert liked is not None
    assert (liked.type, liked.object.id, liked.ext) == (ActivityType.LIKE, f"chat:event/{target}", {"key": "👍"})
    redaction = {**sample("event-redaction"), "content": {"redacts": reacting["event_id"]}}
    undone = parse.redaction(SCENE, redaction, known_of(reacting))
    assert undone is not None
    assert (undone.type, undone.object.id) == (ActivityType.UNDO, liked.object.id)
    assert undone.id.startswith(f"chat:event/{reacting['event_id']}@")


def test_a_removed_reaction_has_nothing_to_say() -> None:
    assert parse.reaction(SCENE, sample("event-reaction")) is None


def test_words_are_no_reaction() -> None:
    relation = {"rel_type": "m.annotation", "event_id": "$a", "key": "password is hunter2"}
    reacting = {**sample("event-html_message"), "type": "m.reaction", "content": {"m.relates_to": relation}}
    activity = parse.reaction(SCENE, reacting)
    assert activity is not None
    assert activity.ext == {}


def test_without_its_edit_the_message_reads_as_before() -> None:
    original = sample("event-message")
    redaction = {**sample("event-redaction"), "content": {"redacts": "$edit"}}
    del original["unsigned"]["m.relations"]["m.replace"]
    activity = parse.unedit(SCENE, redaction, original)
    assert activity is not None
    assert activity.object.content == "db is down 😀"
    assert activity.object.version == original["event_id"]
    assert parse.unedit(SCENE, redaction, sample("event-redacted")) is None


def test_a_redacted_edit_is_withdrawn_from_its_message() -> None:
    redaction = {**sample("event-redaction"), "content": {"redacts": sample("event-edit")["event_id"]}}
    activity = parse.redaction(SCENE, redaction, known_of(sample("event-edit")))
    assert activity is not None
    assert activity.object.id == message("event-message").object.id
    assert activity.withdraws == (sample("event-edit")["event_id"],)


def test_a_notice_is_a_bots() -> None:
    notice = next(event for event in timeline() if event["content"].get("msgtype") == "m.notice")
    activity = parse.message(SCENE, notice)
    assert activity is not None
    assert activity.actor.type is AccountType.SERVICE


def test_the_same_event_by_another_way_is_the_same_activity() -> None:
    synced = sample("sync-incremental")["rooms"]["join"][room().id]["timeline"]["events"][0]
    paged = next(event for event in timeline() if event["event_id"] == synced["event_id"])
    one, two = parse.message(SCENE, synced), parse.message(SCENE, paged)
    assert one == two is not None


def test_an_event_without_its_fields_is_rejected_without_its_text() -> None:
    broken = {key: value for key, value in sample("event-message").items() if key != "sender"}
    with pytest.raises(Reject) as caught:
        parse.message(SCENE, broken)
    assert "db is down" not in str(caught.value)


def test_memory_keeps_what_was_known_before_the_redaction_and_forgets_the_oldest() -> None:
    memory = Memory(size=2)
    for event in (sample("event-edit"), sample("event-message")):
        memory.add(event)
    emptied = {**sample("event-redacted"), "event_id": sample("event-edit")["event_id"]}
    assert memory.add(emptied).kind is Kind.EDIT
    memory.add(sample("event-reply"))
    assert memory.get(sample("event-edit")["event_id"]) is None


def test_where_a_redaction_names_its_target() -> None:
    assert redacts({"content": {"redacts": "$new"}}) == "$new"
    assert redacts({"content": {}, "redacts": "$old"}) == "$old"


def test_an_open_room_is_for_everyone_and_any_other_for_its_members() -> None:
    everyone = access_of(SERVER, room())
    assert (everyone.visibility, everyone.principals, everyone.name) == (Visibility.PUBLIC, (), "ops")
    members = ("chat:user/@activitybot:test.local", "chat:user/@alice:test.local", "chat:user/@bob:test.local")
    for closed in (replace(room(), join_rule="invite"), replace(room(), history="joined")):
        assert access_of(SERVER, closed).visibility is Visibility.RESTRICTED
    assert access_of(replace(SERVER, open_rooms=False), room()).principals == members


def test_history_from_before_joining_stays_closed_to_the_late() -> None:
    members = {"@early:s": ("Early", 1), "@bot:test.local": ("Bot", 5), "@late:s": ("Late", 9)}
    closed = Room(id="!r", join_rule="invite", history="joined", members=members)
    assert access_of(SERVER, closed).principals == ("chat:user/@bot:test.local", "chat:user/@early:s")


def test_a_room_is_encrypted_or_not() -> None:
    assert not room().encrypted
    encryption = {"type": "m.room.encryption", "state_key": "", "content": {"algorithm": "m.megolm.v1.aes-sha2"}}
    assert room_of("!r", [encryption]).encrypted
