"""What every connector keeps: a folder as the others, settings explained, the same ids however often it is read."""

import hashlib
import hmac
import json
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

import pytest
from pydantic import SecretStr, ValidationError

import services.ingest.connectors as connectors
from services.common.envelope import fingerprint
from services.common.model import Activity
from services.ingest import registry
from services.ingest.connector import Connector, Delivery, Receiver, Tools
from tests.fixtures.gitrepo import GitRepo
from tests.fixtures.mediawiki import MediaWiki
from tests.fixtures.synapse import Synapse

FOLDERS = Path(connectors.__path__[0])
NAMES = registry.available()
RULES = (
    "stable ids",
    "resumes from cursor",
    "obeys rate limits",
    "recorded samples",
    "deletes and edits",
    "typed",
    "limits documented",
)
SECRET = "a secret of the contract, long enough"

Read = Callable[[], Awaitable[list[Activity]]]
"""Opens the source anew and reads all that it holds."""


def test_every_folder_is_registered() -> None:
    folders = {path.parent.name for path in FOLDERS.glob("*/connector.py")}
    assert folders == set(NAMES) != set()


@pytest.mark.parametrize("name", NAMES)
def test_a_folder_holds_the_same_files_as_every_other(name: str) -> None:
    found = {path.name for path in (FOLDERS / name).iterdir()}
    assert {"__init__.py", "connector.py", "parse.py", "settings.py", "README.md"} <= found


@pytest.mark.parametrize("name", NAMES)
def test_the_readme_answers_every_rule_of_quality_and_names_the_limits(name: str) -> None:
    text = (FOLDERS / name / "README.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| ([a-z ]+) \| (.+) \|$", text, re.MULTILINE))
    answers = {rule: rows.get(rule, "nothing is said") for rule in RULES}
    wrong = {rule: said for rule, said in answers.items() if not re.match(r"(done|exempt: \w)", said)}
    assert not wrong
    assert "## Limits" in text
    assert f'kind = "{name}"' in text


@pytest.mark.parametrize("name", NAMES)
def test_settings_are_explained_closed_and_hide_their_secrets(name: str) -> None:
    model = registry.load(name).settings
    assert [key for key, field in model.model_fields.items() if not field.description] == []
    assert model.model_config.get("extra") == "forbid"
    with pytest.raises(ValidationError):
        model.model_validate({"no_such_setting": 1})
    secrets = [key for key in model.model_fields if re.search("token|secret|password", key)]
    assert [key for key in secrets if model.model_fields[key].annotation is not SecretStr] == []


@pytest.mark.parametrize("name", NAMES)
def test_it_is_registered_under_its_own_name(name: str) -> None:
    kind = registry.load(name)
    assert (kind.name, kind.version.isdigit()) == (name, True)


async def everything(connector: Connector) -> list[Activity]:
    """All of every container, in order."""
    found: list[Activity] = []
    for container in await connector.discover():
        async for batch in connector.backfill(container, ""):
            found += batch.activities
    return found


@asynccontextmanager
async def opened(name: str, folder: Path, **options: Any) -> AsyncIterator[Connector]:
    kind = registry.load(name)
    tools = Tools(source="tried", mask=lambda text: hashlib.sha256(text.encode()).hexdigest()[:16], state=folder)
    async with kind.open(kind.settings.model_validate(options), tools) as connector:
        yield connector


def reading(name: str, folder: Path, options: Mapping[str, Any]) -> Read:
    async def read() -> list[Activity]:
        async with opened(name, folder, **options) as connector:
            return await everything(connector)

    return read


@pytest.fixture
def git(gitrepo: Callable[[], GitRepo], tmp_path: Path) -> Read:
    repo = gitrepo()
    for number in range(3):
        repo.commit(f"Change {number}", {"a.txt": str(number)})
    repo.tag("v1", "First")
    return reading("git", tmp_path / "state", {"url": repo.url})


@pytest.fixture
def wiki(mediawiki: MediaWiki, tmp_path: Path) -> Read:
    mediawiki.edit("Contract", "one")
    mediawiki.edit("Contract", "two")
    time.sleep(1.05 - time.time() % 1)  # the running second is left to the next look
    return reading("mediawiki", tmp_path, {"url": mediawiki.url, "requests_per_second": 1000})


@pytest.fixture
def chat(synapse: Synapse, tmp_path: Path) -> Read:
    mark = uuid4().hex[:8]
    user, reader = synapse.register(f"ann-{mark}"), synapse.register(f"reader-{mark}")
    room = user.create_room("contract")
    reader.join(room)
    user.send(room, "hello")
    return reading("matrix", tmp_path, {"url": synapse.url, "access_token": reader.token})


@pytest.fixture
def sender(tmp_path: Path) -> Read:
    said = {
        "id": "1",
        "type": "Create",
        "verb": "deploy.done",
        "published": "2026-03-01T10:00:00Z",
        "actor": {"id": "ci"},
        "object": {"id": "deploy/1", "type": "Note", "title": "Live"},
    }
    body = json.dumps(said).encode()
    mark = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    delivery = Delivery(
        method="POST",
        path="",
        headers={"x-hub-signature-256": f"sha256={mark}", "content-type": "application/json"},
        body=body,
    )

    async def read() -> list[Activity]:
        async with opened("webhook", tmp_path, secret=SECRET, signature="github") as connector:
            return list((await cast("Receiver", connector).receive(delivery)).batch.activities)

    return read


REPLAYS = {"git": "git", "mediawiki": "wiki", "matrix": "chat", "webhook": "sender"}
"""Fixture that reads a real source of each connector."""


def test_every_connector_is_read_twice_below() -> None:
    assert set(REPLAYS) == set(NAMES)


@pytest.mark.integration
@pytest.mark.may_block("servers are driven by blocking calls")
@pytest.mark.parametrize("name", sorted(REPLAYS))
async def test_reading_twice_says_the_same_in_the_same_order(name: str, request: pytest.FixtureRequest) -> None:
    read: Read = request.getfixturevalue(REPLAYS[name])
    first, again = await read(), await read()
    assert [(one.id, fingerprint(one)) for one in first] == [(one.id, fingerprint(one)) for one in again] != []
    assert len({one.id for one in first}) == len(first)


@pytest.mark.integration
@pytest.mark.may_block("servers are driven by blocking calls")
@pytest.mark.parametrize("name", sorted(REPLAYS))
async def test_what_is_read_is_its_sources_own_and_says_who_may_open_it(
    name: str, request: pytest.FixtureRequest
) -> None:
    read: Read = request.getfixturevalue(REPLAYS[name])
    for one in await read():
        assert one.id.startswith("tried:"), one.id
        assert one.object.id.startswith("tried:"), one.object.id
        assert one.actor.id.startswith("tried:"), one.actor.id
        assert one.audience.container.startswith("tried:"), one.id
        assert (one.provenance.source, one.provenance.connector) == ("tried", name)
        assert one.order > 0
        assert "@" not in one.actor.address_hash
