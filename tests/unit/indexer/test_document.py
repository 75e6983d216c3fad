"""Which documents an activity becomes, in which versions, and what of a withdrawn one is left."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from services.common.model import (
    Account,
    Activity,
    ActivityType,
    Audience,
    Container,
    Enriched,
    Object,
    Provenance,
)
from services.common.search import Write
from services.common.search.indices import definition
from services.indexer.document import object_version, writes

AT = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)


def enriched(generation: int = 0, **changed: Any) -> Enriched:
    thing: dict[str, Any] = {"id": "wiki:page/7", "type": "Article", "title": "Herons", "content": "They stand."}
    thing |= {"order": 42, **changed.pop("object", {})}
    activity = Activity(
        **{
            "id": "wiki:page/7@42#wiki.edit",
            "type": ActivityType.UPDATE,
            "verb": "wiki.edit",
            "published": AT,
            "recorded": AT,
            "actor": Account(id="wiki:user/1", name="Ada"),
            "object": Object(**thing),
            "provenance": Provenance(source="wiki"),
            "context": (Container(id="wiki:ns/0", type="Space"), Container(id="wiki:talk/7", type="Thread")),
            **changed,
        }
    )
    vector = np.full(256, 0.5, dtype="<f2").tobytes()
    return Enriched(
        activity=activity, person="ada", coauthor_people=("bo",), text="They stand.", tags=("birds",),
        vector=vector, generation=generation,
    )  # fmt: skip


def by_kind(found: list[Write]) -> dict[str, Write]:
    return {write.kind: write for write in found}


def made(e: Enriched, *, withdrawn: bool = False, restricted: bool = False) -> dict[str, Write]:
    return by_kind(writes(e, withdrawn=withdrawn, restricted=restricted))


def test_a_state_becomes_an_activity_and_an_object_in_its_version() -> None:
    found = made(enriched(generation=2))
    assert found["activities"].id == "wiki:page/7@42#wiki.edit"
    assert found["activities"].version == 2
    assert found["objects"].id == "wiki:page/7"
    assert found["objects"].version == 42 * 16 + 2
    document = found["objects"].document
    assert document is not None
    assert (document["title"], document["text"], document["people"]) == ("Herons", "They stand.", ["ada", "bo"])
    assert document["published"] == "2026-03-01T12:00:00.123456Z"


@pytest.mark.parametrize("kind", ["activities", "objects"])
def test_every_field_stands_in_the_mapping(kind: Any) -> None:
    document = made(enriched(tags=("x",), files=("a.py",)))[kind].document
    assert document is not None
    assert set(document) <= set(definition(kind)["mappings"]["properties"])


def test_the_container_is_the_one_named_else_the_innermost_that_is_no_thread() -> None:
    document = made(enriched())["activities"].document
    assert document is not None
    assert document["container"] == "wiki:ns/0"
    document = made(enriched(audience=Audience(container="wiki:board")))["activities"].document
    assert document is not None
    assert document["container"] == "wiki:board"
    document = made(enriched(context=()))["activities"].document
    assert document is not None
    assert "container" not in document


def test_what_was_withdrawn_keeps_place_and_time_but_no_word() -> None:
    for write in made(enriched(tags=("secret",), files=("secret.txt",)), withdrawn=True).values():
        assert write.document is not None
        assert {"title", "text", "tags", "files", "vector", "url"} & set(write.document) == set()
        assert "They stand" not in str(write.document)
        assert "secret" not in str(write.document)
        assert write.document["container"] == "wiki:ns/0"


def test_a_deletion_is_a_tombstone_without_text_even_before_access_is_known() -> None:
    gone = enriched(type=ActivityType.DELETE, withdraws=("*",), object={"type": "Tombstone", "order": 43})
    document = made(gone)["objects"].document
    assert document is not None
    assert document["deleted"] is True
    assert "They stand" not in str(document)
    assert made(gone)["objects"].version == 43 * 16


@pytest.mark.parametrize(
    ("changed", "version"),
    [
        ({"type": ActivityType.CREATE, "object": {"title": "", "content": ""}}, 42 * 16),
        ({"type": ActivityType.UPDATE, "object": {"content": ""}}, 42 * 16),  # a page that was emptied
        ({"type": ActivityType.UNDO, "object": {"title": "", "content": ""}}, None),  # a reaction taken back
        ({"type": ActivityType.LIKE, "object": {"title": "", "content": ""}}, None),
        ({"type": ActivityType.ACCEPT, "object": {"content": ""}}, 0),  # stands in until a state comes
        ({"type": ActivityType.ACCEPT}, 42 * 16),  # a merge with its text
        ({"type": ActivityType.UPDATE, "withdraws": ("41",), "object": {"content": ""}}, None),  # an old version hidden
        ({"object": {"order": 0}}, (int(AT.timestamp()) * 1_000_000 + 123456) * 16),
    ],
)
def test_the_version_of_the_object(changed: dict[str, Any], version: int | None) -> None:
    assert object_version(enriched(**changed)) == version


def test_a_redacted_copy_beats_every_copy_with_text() -> None:
    redacted = enriched(1_000_000, object={"title": "", "content": ""})
    found, late = made(replace(redacted, text="", vector=b"")), made(enriched(3))
    assert found["activities"].version == 1_000_000 > (late["activities"].version or 0)
    assert found["objects"].version == 42 * 16 + 15 > (late["objects"].version or 0)
    assert found["activities"].document is not None
    assert found["activities"].document["redacted"] is True


@pytest.mark.parametrize("vector", [b"", b"\x00" * 512, b"\x00\x7c" * 256, b"\x01\x02"])
def test_a_vector_without_direction_is_left_out(vector: bytes) -> None:
    document = made(replace(enriched(), vector=vector))["objects"].document
    assert document is not None
    assert "vector" not in document
