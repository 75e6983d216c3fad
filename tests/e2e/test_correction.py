"""Somebody else turns out to be behind an account: index and profiles follow, and no reader is shown the past again."""

import asyncio
import json
from collections import Counter
from datetime import UTC, datetime

import pytest

from services.common.bus import Outgoing
from services.common.bus.kafka import KafkaBus
from services.common.bus.kafka_settings import KafkaSettings
from services.common.codec import Codec
from services.common.topics import ACCOUNT
from tests.e2e.client import get, import_lines, log_of
from tests.e2e.load import activity
from tests.fixtures.sse import StreamReader
from tests.fixtures.stack import Stack, eventually

pytestmark = [pytest.mark.e2e, pytest.mark.may_block("drives processes and waits for them")]

WRONG = "person:wrong"


async def link(stack: Stack, account: str, person: str) -> None:
    """Say who is behind an account, as an administrator does; an empty person undoes it."""
    record = {
        **dict.fromkeys(("name", "handle", "addressHash", "source"), ""),
        **{"account": account, "person": person, "automated": False, "evidence": "configured"},  # noqa: PIE800
        "recorded": datetime.now(UTC),
    }
    bus = KafkaBus(KafkaSettings(bootstrap=stack.environ["WATERCOOLER_KAFKA"]), stack.prefix)
    publisher = await bus.publisher()
    value = Codec("account").encode(record)
    await publisher.publish([Outgoing(topic=ACCOUNT.name(stack.prefix), key=account, value=value)])
    await publisher.stop()


async def activities_of(stack: Stack, person: str) -> int:
    body = json.loads(await get(stack, "/v1/activities", person=person))
    return int(body["totalItems"])


async def words_of(stack: Stack, person: str) -> int:
    """Return of how many words a person's profile is."""
    value = (await log_of(stack, "profile.v1")).get(person)
    return len(Codec("profile").decode(value)["terms"]) if value else 0


async def test_a_wrong_merge_is_made_and_undone_everywhere(stack: Stack) -> None:
    stack.start("enrich", "score", "index", "gateway")
    await stack.ready()
    reader = StreamReader(url=stack.url, person="person:1")
    reading = asyncio.create_task(reader.run())
    await eventually(lambda: reader.last_id, what="the reader has an id to come back with", stack=stack)
    lines = [activity(number) for number in range(60)]
    mine = Counter(one["actor"]["id"] for one in lines)
    (account, count), *_ = mine.most_common(1)
    import_lines(stack, lines, name="load")

    async def belongs_to(person: str, former: str) -> bool:
        counted = [await activities_of(stack, one) for one in (person, former)]
        words = [await words_of(stack, one) for one in (person, former)]
        return counted == [count, 0] and words[0] > 0 and words[1] == 0

    await eventually(lambda: belongs_to(account, WRONG), what="all of it is there", stack=stack, pause=1)
    await link(stack, account, WRONG)
    await eventually(lambda: belongs_to(WRONG, account), what="the past follows the link", stack=stack, pause=1)
    await link(stack, account, "")
    await eventually(lambda: belongs_to(account, WRONG), what="the link is undone", stack=stack, pause=1)
    import_lines(stack, [activity(100)], name="later")
    await eventually(lambda: "load:chat:100" in reader.ids, what="what comes later arrives", stack=stack)
    assert Counter(reader.ids) == Counter({one["id"] for one in lines} | {"load:chat:100"})
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
