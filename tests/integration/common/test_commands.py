"""The commands of an operator, on real Kafka, through the command line's own front."""

import asyncio
import json
import shlex
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from click.testing import CliRunner, Result

from services.__main__ import cli
from services.common import topics
from services.common.bus import Outgoing, Partition, Received
from services.common.bus.kafka import KafkaBus, KafkaSettings
from services.common.codec import Codec
from services.common.deadletters import DeadLetters, Flood, FromSource
from services.common.errors import Reject, Stop
from services.common.records import activity_out
from services.common.topics import ACTIVITY, TOPICS
from tests.unit.common.samples import FULL

pytestmark = pytest.mark.integration


@pytest.fixture
def bus(kafka: str, monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> Iterator[KafkaBus]:
    """A log of the test's own, and the variables that point the commands to it."""
    prefix = f"m{uuid4().hex[:8]}."
    for name, value in (
        ("KAFKA", kafka),
        ("KAFKA_PARTITIONS", "2"),
        ("KAFKA_REPLICATION", "1"),
        ("TOPIC_PREFIX", prefix),
    ):
        monkeypatch.setenv(f"WATERCOOLER_{name}", value)
    monkeypatch.chdir(str(tmp_path))
    yield KafkaBus(KafkaSettings(bootstrap=kafka, partitions=2, replication=1), prefix)
    asyncio.run(_delete(kafka, [topic.name(prefix) for topic in TOPICS]))


async def _delete(kafka: str, names: list[str]) -> None:
    client = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await client.start()
    await client.delete_topics(names)
    await client.close()


def invoke(*arguments: str, entered: str = "") -> Result:
    return CliRunner().invoke(cli, list(arguments), input=entered)


def lines(*arguments: str) -> list[str]:
    result = invoke(*arguments)
    assert result.exit_code == 0, result.output
    return result.output.splitlines()


@pytest.fixture
def made(bus: KafkaBus) -> KafkaBus:
    lines("topics", "apply")
    return bus


def publish(bus: KafkaBus, *records: Outgoing) -> None:
    async def work() -> None:
        publisher = await bus.publisher()
        await publisher.publish(records)
        await publisher.stop()

    asyncio.run(work())


def activity(bus: KafkaBus, number: int) -> Outgoing:
    value = Codec("activity").encode(activity_out(replace(FULL, id=f"wiki:{number}")))
    return Outgoing(topic=ACTIVITY.name(bus.prefix), key=f"wiki:{number}", value=value, partition=number % 2)


def give_up(bus: KafkaBus, *origins: Received | FromSource) -> None:
    async def work() -> None:
        publisher = await bus.publisher()
        letters = DeadLetters(publisher, "enrich", prefix=bus.prefix, flood=Flood(in_a_row=1000))
        for origin in origins:
            await letters.put(origin, Reject("no such field"))
        await publisher.stop()

    asyncio.run(work())


def received(bus: KafkaBus, number: int, value: bytes | None = b"poison") -> Received:
    return Received(
        partition=Partition(ACTIVITY.name(bus.prefix), number % 2),
        offset=number,
        key=f"wiki:{number}",
        value=value,
        headers={"ce_id": b"1"},
        timestamp=1,
    )


def test_topics_are_compared_created_and_then_as_they_should_be(bus: KafkaBus) -> None:
    before = invoke("topics", "diff", "--json")
    assert before.exit_code == 1
    assert {one["topic"] for one in json.loads(before.output)} == {topic.name(bus.prefix) for topic in TOPICS}
    assert invoke("topics", "apply").exit_code == 0
    after = invoke("topics", "diff")
    assert (after.exit_code, after.output) == (0, "All topics are as they should be.\n")


def test_describe_shows_every_topic_and_what_is_missing(bus: KafkaBus) -> None:
    rows = json.loads("".join(lines("topics", "describe", "--json")))
    assert [row["topic"] for row in rows] == [topic.name(bus.prefix) for topic in TOPICS]
    assert {row["partitions"] for row in rows} == {None}
    assert "missing" in "".join(lines("topics", "describe", "activity"))
    lines("topics", "apply")
    [row] = json.loads("".join(lines("topics", "describe", "public", "--json")))
    assert (row["partitions"], row["replicas"], row["kept"], row["shared"]) == (2, 1, "delete (30 d)", True)


def test_tail_prints_what_a_person_can_read(made: KafkaBus) -> None:
    publish(made, *(activity(made, n) for n in range(4)))
    time.sleep(0.01)
    publish(made, activity(made, 4), activity(made, 5))
    shown = "\n".join(lines("topics", "tail", "activity", "-n", "2"))
    assert "wiki:4" in shown
    assert "wiki:5" in shown
    assert "wiki:3" not in shown
    assert '"verb": "wiki.edit"' in shown
    assert '"published": "2026-03-01T12:00:00.123456Z"' in shown


def test_tail_gives_a_script_one_whole_record_a_line(made: KafkaBus) -> None:
    publish(made, *(activity(made, n) for n in range(4)), replace(activity(made, 9), value=None))
    found = [json.loads(x) for x in lines("topics", "tail", "activity.v1", "--from-beginning", "--to-end", "--json")]
    assert sorted(one["key"] for one in found) == ["wiki:0", "wiki:1", "wiki:2", "wiki:3", "wiki:9"]
    by_key = {one["key"]: one for one in found}
    assert by_key["wiki:9"]["value"] is None
    assert by_key["wiki:1"]["value"]["object"]["title"] == FULL.object.title
    assert by_key["wiki:1"]["partition"] == 1
    first = lines("topics", "tail", ACTIVITY.name(made.prefix), "--from-beginning", "-n", "1", "--json")
    assert len(first) == 1


def test_tail_passes_over_a_record_that_cannot_be_read_and_shows_no_escape_codes(made: KafkaBus) -> None:
    bad = Outgoing(topic=ACTIVITY.name(made.prefix), key="bad\x1b[2J", value=b"junk", partition=0)
    publish(made, bad, activity(made, 2))
    result = invoke("topics", "tail", "activity", "--from-beginning", "--to-end")
    assert "cannot be read" in result.output
    assert "wiki:2" in result.output
    assert "\x1b[2J" not in result.output


def test_a_topic_that_is_none_or_missing_is_one_sentence(bus: KafkaBus) -> None:
    assert isinstance(invoke("topics", "tail", "nope").exception, Stop)
    error = invoke("topics", "tail", "activity", "-n", "1").exception
    assert f"Kafka has no topic {bus.prefix}activity.v1; create it" in str(error)


def test_acl_names_each_service_and_only_what_it_writes(bus: KafkaBus) -> None:
    commands = [shlex.split(line) for line in lines("topics", "acl", "--team", "sales") if not line.startswith("#")]
    assert {command[0] for command in commands} == {"kafka-acls.sh"}

    def writes(principal: str) -> set[str]:
        return {
            command[command.index("--topic") + 1].removeprefix(bus.prefix)
            for command in commands
            if principal in command and "Write" in command and "--topic" in command and "prefixed" not in command
        }

    assert writes("User:watercooler-ingest") >= {"activity.v1", "access.v1", "deadletter.v1"}
    assert writes("User:watercooler-indexer") == {"deadletter.v1"}
    assert writes("User:sales") == {"erasure.v1"}
    read = [command for command in commands if "User:sales" in command and "Read" in command and "--topic" in command]
    assert {command[command.index("--topic") + 1] for command in read} == {
        f"{bus.prefix}public.v1",
        f"{bus.prefix}erasure.v1",
    }


def test_letters_are_listed_shown_replayed_and_dropped(made: KafkaBus) -> None:
    give_up(made, *(received(made, n) for n in range(3)))
    listed = json.loads("".join(lines("dlq", "list", "--json")))
    assert [(one["key"], one["service"], one["reason"]) for one in listed] == [
        (f"wiki:{n}", "enrich", "no such field") for n in range(3)
    ]
    ids = {one["key"]: one["id"] for one in listed}
    assert "3 from enrich (Reject)" in lines("dlq", "list")
    shown = json.loads("".join(lines("dlq", "show", ids["wiki:1"], "--json")))
    assert (shown["raw"], shown["headers"], shown["bytes"]) == ("poison", {"ce_id": "1"}, 6)

    assert lines("dlq", "replay", ids["wiki:1"]) == ["1 replayed"]
    [again] = [json.loads(x) for x in lines("topics", "tail", "activity", "--from-beginning", "--to-end", "--json")]
    assert (again["key"], again["partition"], again["headers"]) == ("wiki:1", 1, {"ce_id": "1"})

    assert lines("dlq", "drop", ids["wiki:0"]) == ["1 dropped"]
    left = json.loads("".join(lines("dlq", "list", "--json")))
    assert [one["key"] for one in left] == ["wiki:2"]
    assert "no letter" in str(invoke("dlq", "drop", ids["wiki:0"]).exception)


def test_all_that_match_are_settled_after_a_question(made: KafkaBus) -> None:
    give_up(made, received(made, 0), received(made, 1), FromSource(source="wiki", value=b"{", key="rc/9"))
    name = ACTIVITY.name(made.prefix)
    assert invoke("dlq", "drop", "--all", "--topic", name, entered="n\n").exit_code == 1
    assert len(json.loads("".join(lines("dlq", "list", "--json")))) == 3
    assert invoke("dlq", "drop", "--all", "--topic", name, entered="y\n").output.endswith("2 dropped\n")
    assert lines("dlq", "drop", "--all", "--yes") == ["1 dropped"]
    assert lines("dlq", "list") == ["There are no dead letters."]
    assert lines("dlq", "drop", "--all", "--yes") == ["0 dropped"]


def test_a_letter_by_reference_is_fetched_from_where_it_lies(made: KafkaBus) -> None:
    publish(made, activity(made, 0), activity(made, 2))
    give_up(made, replace(received(made, 0, None), offset=1), replace(received(made, 0, None), offset=77))
    first, second = json.loads("".join(lines("dlq", "list", "--json")))
    assert lines("dlq", "replay", first["id"]) == ["1 replayed"]
    assert len(lines("topics", "tail", "activity", "--from-beginning", "--to-end", "--json")) == 3
    assert "no longer kept" in str(invoke("dlq", "replay", second["id"]).exception)


def test_what_never_lay_in_a_topic_is_not_replayed(made: KafkaBus) -> None:
    give_up(made, FromSource(source="wiki", value=b"{", key="rc/9"))
    [letter] = json.loads("".join(lines("dlq", "list", "--json")))
    assert "came from source wiki" in str(invoke("dlq", "replay", letter["id"]).exception)


def test_a_readable_letter_is_shown_decoded(made: KafkaBus) -> None:
    give_up(made, replace(received(made, 0), value=activity(made, 0).value))
    [letter] = json.loads("".join(lines("dlq", "list", "--json")))
    assert json.loads("".join(lines("dlq", "show", letter["id"], "--json")))["value"]["id"] == "wiki:0"


def test_what_is_no_letter_is_listed_as_such(made: KafkaBus) -> None:
    topic = topics.DEADLETTER.name(made.prefix)
    publish(made, Outgoing(topic=topic, key="odd", value=b"\xff\xfe"), Outgoing(topic=topic, key="gone", value=None))
    [letter] = json.loads("".join(lines("dlq", "list", "--json")))
    assert (letter["key"], letter["error"]) == ("odd", "NotALetter")
    assert datetime.fromisoformat(letter["at"]) > datetime(2020, 1, 1, tzinfo=UTC)
    assert lines("dlq", "drop", letter["id"]) == ["1 dropped"]


@pytest.mark.parametrize("how", ["replay", "drop"])
def test_letters_are_named_or_all(bus: KafkaBus, how: str) -> None:
    for arguments in ([], ["0-1", "--all"]):
        result = invoke("dlq", how, *arguments)
        assert result.exit_code == 2
        assert "name letters by id, or use --all" in result.output


def test_without_kafka_a_command_says_so(bus: KafkaBus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATERCOOLER_KAFKA", "127.0.0.1:9")
    for command in (["topics", "diff"], ["dlq", "list"], ["topics", "tail", "activity"]):
        assert "no Kafka could be reached at 127.0.0.1:9, is it running?" in str(invoke(*command).exception)


@pytest.mark.parametrize(
    "command",
    [
        *(["topics", *rest] for rest in ([], ["apply"], ["diff"], ["describe"], ["tail"], ["acl"])),
        *(["dlq", *rest] for rest in ([], ["list"], ["show"], ["replay"], ["drop"])),
        *(["config", *rest] for rest in ([], ["check"], ["show"])),
    ],
    ids=" ".join,
)
def test_every_help_has_an_example(command: list[str]) -> None:
    result = invoke(*command, "--help")
    assert result.exit_code == 0
    assert "Example" in result.output
    assert "watercooler " + command[0] in result.output
