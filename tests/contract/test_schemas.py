"""Schemas only grow: every version reads every other, released files stay, and others can read our wire format."""

import copy
import json
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from threading import Thread
from typing import Any

import avro.schema
import pytest
from avro.compatibility import ReaderWriterCompatibilityChecker, SchemaCompatibilityType

from services.common import schemas
from services.common.codec import Codec
from services.common.errors import Reject
from services.common.records import access_in, access_out, activity_in, activity_out, enriched_in, enriched_out
from services.common.topics import TOPICS
from tests.unit.common.samples import FULL, FULL_ENRICHED
from tools.lock_schemas import LOCK, digests

SUBJECTS = sorted({name.split("/")[0] for name in schemas.table()})
Plain = dict[str, Any]


def breaches(older: Plain, newer: Plain) -> list[str]:
    """Return why two versions cannot read each other, both ways."""
    found = []
    for reader, writer, way in ((newer, older, "new reads old"), (older, newer, "old reads new")):
        result = ReaderWriterCompatibilityChecker().get_compatibility(  # type: ignore[no-untyped-call]
            avro.schema.parse(json.dumps(reader)), avro.schema.parse(json.dumps(writer))
        )
        if result.compatibility is not SchemaCompatibilityType.compatible:
            found.append(f"{way}: {result.messages}")
    return found


def loaded(name: str) -> Plain:
    plain: Plain = json.loads(schemas.text(name))
    return plain


@pytest.mark.parametrize("subject", SUBJECTS)
def test_every_version_reads_every_other(subject: str) -> None:
    versions = [loaded(name) for name in schemas.versions(subject)]
    for n, newer in enumerate(versions):
        for older in versions[: n + 1]:
            assert breaches(older, newer) == []


def changed(change: Callable[[Plain], object]) -> tuple[Plain, Plain]:
    older = loaded("activity/v1")
    newer = copy.deepcopy(older)
    change(newer)
    return older, newer


def field(schema: Plain, name: str) -> Plain:
    return next(one for one in schema["fields"] if one["name"] == name)


def test_a_field_with_a_default_may_come_and_a_symbol_where_the_enum_has_a_default() -> None:
    assert not breaches(*changed(lambda s: s["fields"].append({"name": "x", "type": "string", "default": ""})))
    assert not breaches(*changed(lambda s: field(s, "type")["type"]["symbols"].append("Arrive")))


@pytest.mark.parametrize(
    ("breach", "change"),
    [
        ("old reads new|new reads old", lambda s: s["fields"].append({"name": "x", "type": "string"})),
        ("old reads new", lambda s: s["fields"].remove(field(s, "verb"))),
        ("reads", lambda s: field(s, "verb").update(type="int")),
        ("reads", lambda s: field(s, "verb").update(name="word")),
        ("reads", lambda s: field(s, "type")["type"].update(name="Kind")),
    ],
    ids=["required field", "field gone", "other type", "other name", "other enum"],
)
def test_a_planted_breach_is_seen(breach: str, change: Callable[[Plain], object]) -> None:
    found = breaches(*changed(change))
    assert found
    assert any(way in "".join(found) for way in breach.split("|"))


def test_a_symbol_without_a_default_of_the_enum_is_seen() -> None:
    older, newer = changed(lambda s: field(s, "type")["type"]["symbols"].append("Arrive"))
    for schema in (older, newer):
        del field(schema, "type")["type"]["default"]
    assert breaches(older, newer)


def enums(schema: Any) -> Iterator[Plain]:
    if isinstance(schema, list):
        for one in schema:
            yield from enums(one)
    elif isinstance(schema, dict):
        if schema.get("type") == "enum":
            yield schema
        for one in schema.values():
            yield from enums(one)


@pytest.mark.parametrize("name", sorted(schemas.table()))
def test_every_enum_has_a_default_so_that_an_old_reader_survives_a_new_symbol(name: str) -> None:
    for enum in enums(loaded(name)):
        assert enum["default"] in enum["symbols"], enum["name"]


@pytest.mark.parametrize("name", sorted(schemas.table()))
def test_everything_is_explained(name: str) -> None:
    schema = loaded(name)
    assert schema["namespace"] == "watercooler"
    assert schema["doc"]
    assert [one["name"] for one in schema["fields"] if not one.get("doc")] == []


def test_released_files_have_not_changed() -> None:
    assert digests() == json.loads(LOCK.read_text())


def test_every_file_has_an_id_of_its_own_that_no_registry_gives() -> None:
    assert schemas.table().keys() == digests().keys()
    numbers = list(schemas.table().values())
    assert len(set(numbers)) == len(numbers)
    assert min(numbers) >= schemas.FIRST_ID == 1_000_000


def test_versions_are_numbered_without_a_gap_and_ids_grow_with_them() -> None:
    for subject in SUBJECTS:
        names = schemas.versions(subject)
        assert names == [f"{subject}/v{n}" for n in range(1, len(names) + 1)]
        for older, newer in pairwise(names):
            assert schemas.table()[older] < schemas.table()[newer]


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: str(topic.suffix))
def test_every_topic_has_its_schema(topic: Any) -> None:
    assert Codec(topic.schema).schema_id >= schemas.FIRST_ID


def test_the_model_goes_through_the_bytes_and_back() -> None:
    activities, enriched = Codec("activity"), Codec("enriched")
    assert activity_in(activities.decode(activities.encode(activity_out(FULL)))) == FULL
    assert enriched_in(enriched.decode(enriched.encode(enriched_out(FULL_ENRICHED)))) == FULL_ENRICHED


def test_bytes_that_are_none_of_ours_are_rejected_with_a_reason() -> None:
    codec = Codec("access")
    good = codec.encode(access_out(access_in(EMPTY_ACCESS)))
    for bad, reason in (
        (b"", "too few"),
        (b"\x00\x00", "too few"),
        (b"\x01" + good[1:], "first byte is 1"),
        (b"\x00\x00\x00\x00\x07" + good[5:], "schema id 7"),
        (Codec("activity").encode(activity_out(FULL)), "not one of this subject"),
        (good[:-1], "does not match"),
        (good + b"\x00", "bytes are left"),
        (good[:5] + b"\xff" * 40, "does not match"),
    ):
        with pytest.raises(Reject, match=reason):
            codec.decode(bad)


EMPTY_ACCESS: Plain = {
    "id": "wiki",
    "kind": "CONTAINER",
    "visibility": "PUBLIC",
    "principals": (),
    "restricted": False,
    "withdrawn": (),
    "order": 0,
    "name": "",
    "url": "",
    "source": "wiki",
    "recorded": FULL.recorded,
}


@pytest.fixture
def registry() -> Iterator[str]:
    """The read part of a registry's API, as small as a deserializer needs it."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.split("?")[0]
            known = path.startswith("/schemas/ids/")
            answer: Plain = {"error_code": 404, "message": f"HTTP 404 Not Found: {path}"}
            if known:
                answer = {"schema": schemas.text(schemas.by_id()[int(path.rsplit("/", 1)[1])])}
            body = json.dumps(answer).encode()
            self.send_response(200 if known else 404)
            self.send_header("Content-Type", "application/vnd.schemaregistry.v1+json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_deserializer_of_others_reads_our_wire_format(registry: str) -> None:
    from confluent_kafka.schema_registry import SchemaRegistryClient
    from confluent_kafka.schema_registry.avro import AvroDeserializer
    from confluent_kafka.serialization import MessageField, SerializationContext

    deserialize = AvroDeserializer(SchemaRegistryClient({"url": registry}))
    read = deserialize(
        Codec("activity").encode(activity_out(FULL)),
        SerializationContext("watercooler.activity.v1", MessageField.VALUE),
    )
    assert read["id"] == FULL.id
    assert read["published"] == FULL.published
    assert read["object"]["title"] == FULL.object.title
