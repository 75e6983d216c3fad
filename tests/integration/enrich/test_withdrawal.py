"""What the source withdraws, or what is no longer for everyone, on real Kafka."""

import asyncio
from dataclasses import replace

import pytest

from services.common import envelope, topics
from services.common.model import Access, AccessKind, Activity, ActivityType, Visibility, micros
from tests.fixtures.stack import eventually
from tests.integration.enrich.conftest import ROOM, START, Place, activity, as_enriched

pytestmark = pytest.mark.integration
SECRET = "the password is swordfish"


def deletion(of: Activity, number: int = 100) -> Activity:
    gone = activity(number, object_id=of.object.id)
    tombstone = replace(gone.object, type="Tombstone", content="")
    return replace(gone, type=ActivityType.DELETE, verb="chat.redact", object=tombstone, withdraws=("*",))


async def withdraw(place: Place, gone: Activity) -> None:
    """As ingest does: the access record first."""
    record = Access(
        id=gone.object.id, kind=AccessKind.OBJECT, withdrawn=gone.withdraws, order=gone.order, recorded=START
    )
    await place.access(record)
    await place.put(gone)


async def latest_texts(place: Place) -> list[str]:
    """What a fresh reader of the newest record per key can find."""
    newest = {one.key: as_enriched(one) for one in await place.records(topics.ENRICHED)}
    return [f"{one.text} {one.activity}" for one in newest.values()]


async def test_deleted_text_is_in_no_newest_record_and_public_is_told(place: Place) -> None:
    first, edit, other = activity(1, SECRET), activity(2, f"{SECRET}!", object_id="chat:1"), activity(3)
    place.start("enrich")
    await place.put(first, edit, other)

    async def there() -> bool:
        return len(await place.records(topics.ENRICHED)) == 3

    await eventually(there, what="three activities")
    assert any(SECRET in text for text in await latest_texts(place))
    await withdraw(place, deletion(first))

    async def no_secret() -> bool:
        return not any(SECRET in text for text in await latest_texts(place))

    await eventually(no_secret, what="the text is gone from every newest record")
    newest = {one.key: one for one in await place.records(topics.ENRICHED)}
    assert newest[first.id].headers[envelope.REDACTED] == b"1"
    assert as_enriched(newest[first.id]).generation >= 1_000_000
    assert as_enriched(newest[other.id]).text == "message number 3"
    assert [(one.type, one.object.type) for one in await place.public() if one.object.id == "chat:1"][-1] == (
        ActivityType.DELETE,
        "Tombstone",
    )
    assert await place.end("enrich") == 0


async def test_a_late_copy_of_deleted_text_is_kept_out(place: Place) -> None:
    first = activity(1, SECRET)
    place.start("enrich")
    await withdraw(place, deletion(first))
    await place.put(first)  # a backfill that comes behind

    async def there() -> bool:
        return first.id in {one.key for one in await place.records(topics.ENRICHED)}

    await eventually(there, what="the late copy is through")
    assert not any(SECRET in f"{one.text} {one.activity}" for one in await place.enriched())
    assert not any(SECRET in f"{one}" for one in await place.public())
    assert await place.end("enrich") == 0


async def test_a_restore_is_shown_again(place: Place) -> None:
    first = activity(1, SECRET)
    gone = deletion(first)
    place.start("enrich")
    await place.put(first)
    await withdraw(place, gone)
    back = activity(200, "restored words", object_id=first.object.id)
    assert micros(back.published) > gone.order
    await place.put(replace(back, type=ActivityType.UNDO, verb="chat.restore"))

    async def restored() -> bool:
        return any("restored words" in text for text in await latest_texts(place))

    await eventually(restored, what="the restored text")
    assert await place.end("enrich") == 0


async def test_a_hidden_version_is_redacted_and_the_others_stay(place: Place) -> None:
    versions = [
        replace(one, object=replace(one.object, version=str(number)))
        for number, one in enumerate((activity(1, SECRET), activity(2, "fine", object_id="chat:1")))
    ]
    place.start("enrich")
    await place.put(*versions)
    hide = activity(100, object_id="chat:1")
    hide = replace(hide, type=ActivityType.UPDATE, object=replace(hide.object, content=""), withdraws=("0",))
    await withdraw(place, hide)

    async def hidden() -> bool:
        texts = await latest_texts(place)
        return len(texts) == 3 and not any(SECRET in text for text in texts)

    await eventually(hidden, what="the hidden version is without its text")
    assert any("fine" in text for text in await latest_texts(place))
    await asyncio.sleep(1)  # what follows access records would have had its turn
    assert ActivityType.DELETE not in {one.type for one in await place.public()}
    assert await place.end("enrich") == 0


async def test_what_turns_restricted_is_deleted_for_other_teams(place: Place) -> None:
    place.start("enrich")
    await place.put(activity(1), activity(2))

    async def public() -> bool:
        return len(await place.public()) == 2

    await eventually(public, what="two public activities")
    await place.open(ROOM.id, Visibility.RESTRICTED)

    async def told() -> bool:
        return {one.object.id for one in await place.public() if one.type is ActivityType.DELETE} == {
            "chat:1",
            "chat:2",
        }

    await eventually(told, what="a Delete for each")
    await place.put(activity(3))

    async def enriched() -> bool:
        return len(await place.records(topics.ENRICHED)) == 3

    await eventually(enriched, what="the third one, for those who may")
    assert "chat:3" not in {one.object.id for one in await place.public()}
    assert await place.end("enrich") == 0


async def test_what_nobody_has_opened_never_becomes_public(place: Place) -> None:
    place.start("enrich")
    one = activity(1)
    closed = replace(one, audience=replace(one.audience, container="chat:closed"))
    await place.put(closed)

    async def enriched() -> bool:
        return len(await place.records(topics.ENRICHED)) == 1

    await eventually(enriched, what="the activity")
    assert await place.public() == []
    assert await place.end("enrich") == 0
