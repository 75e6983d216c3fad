"""Deliveries: who may, in which forms, and what a sender cannot say."""

import base64
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from standardwebhooks.webhooks import Webhook

from services.common.errors import Reject
from services.common.model import Visibility
from services.ingest.connector import Delivery, Receiver, Tools, Unverified
from services.ingest.connectors.webhook import CONNECTOR, parse, verify
from services.ingest.connectors.webhook.settings import WebhookSettings

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SENDER = parse.Sender(source="ci", name="CI", cap=Visibility.PUBLIC)
EVENT = {
    "specversion": "1.0",
    "id": "7",
    "source": "/ci",
    "type": "deploy.done",
    "time": "2026-03-01T11:30:00Z",
    "data": {"title": "api is live"},
}
RECORD = {
    "id": "1",
    "type": "Create",
    "verb": "note.post",
    "published": "2026-03-01T11:00:00Z",
    "actor": {"id": "alice"},
    "object": {"id": "n1", "type": "Note", "content": "hi"},
}


def structured(**changed: Any) -> tuple[dict[str, str], bytes]:
    return {"content-type": "application/cloudevents+json"}, json.dumps(EVENT | changed).encode()


def github(body: bytes, secret: str = "It's a Secret to Everybody") -> dict[str, str]:
    return {"x-hub-signature-256": "sha256=" + hmac.new(secret.encode(), body, sha256).hexdigest()}


def delivery(body: bytes, headers: Mapping[str, str]) -> Delivery:
    return Delivery(method="POST", path="", headers=headers, body=body)


def test_githubs_published_example_verifies() -> None:
    settings = WebhookSettings(secret=SecretStr("It's a Secret to Everybody"), signature="github")
    good = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    verify.verify(settings, delivery(b"Hello, World!", {"x-hub-signature-256": good}))
    for body, signature in ((b"Hello, World?", good), (b"Hello, World!", good[:-1] + "8"), (b"Hello, World!", "")):
        with pytest.raises(Unverified):
            verify.verify(settings, delivery(body, {"x-hub-signature-256": signature}))


def test_standard_webhooks_published_example_is_what_we_compare_with() -> None:
    signed = Webhook("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").sign(
        "msg_p5jXN8AQM9LWM0D4loKWxJek", datetime.fromtimestamp(1614265330, UTC), '{"test": 2432232314}'
    )
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize("spoilt", ["none", "body", "old", "nonsense", "bytes"])
def test_standard_webhooks_holds_signature_and_time(spoilt: str) -> None:
    secret = base64.b64encode(b"0123456789abcdef01234567").decode()
    body = b'{"a": 1}'
    at = datetime.fromtimestamp(1, UTC) if spoilt == "old" else datetime.now(UTC)
    signed = Webhook(secret).sign("m1", at, body.decode())
    headers = {
        "webhook-id": "m1",
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": "no,commas,here" if spoilt == "nonsense" else signed,
    }
    sent = delivery(b'{"a": 2}' if spoilt == "body" else b"\xff" if spoilt == "bytes" else body, headers)
    settings = WebhookSettings(secret=SecretStr("whsec_" + secret))
    if spoilt == "none":
        verify.verify(settings, sent)
    else:
        with pytest.raises(Unverified):
            verify.verify(settings, sent)


def test_a_cloudevent_becomes_a_note_of_the_sender() -> None:
    [told] = parse.activities(SENDER, *structured(subject="api", time="2026-03-01T10:00:00Z"), NOW)
    assert (told.verb, told.object.title, told.object.id) == ("event.deploy.done", "api is live", "ci:api")
    assert told.published == datetime(2026, 3, 1, 10, tzinfo=UTC)
    assert told.audience.container == "ci:inbox"


def test_binary_and_batch_say_the_same_as_structured() -> None:
    [one] = parse.activities(SENDER, *structured(), NOW)
    binary = {f"ce-{name}": str(EVENT[name]) for name in ("specversion", "id", "source", "type", "time")}
    assert parse.activities(
        SENDER, binary | {"content-type": "application/json"}, json.dumps(EVENT["data"]).encode(), NOW
    ) == [one]
    batch = {"content-type": "application/cloudevents-batch+json"}
    assert parse.activities(SENDER, batch, json.dumps([EVENT, EVENT | {"id": "8"}]).encode(), NOW)[0] == one


def test_an_event_that_holds_an_activity_is_that_activity() -> None:
    told = parse.activities(SENDER, *structured(data={k: v for k, v in RECORD.items() if k != "id"}), NOW)
    assert [one.verb for one in told] == ["note.post"]
    assert told[0].id == "ci:/ci/7"


def test_a_sender_speaks_of_its_own_things_only() -> None:
    stranger = RECORD | {
        "object": {"id": "wiki:page/1", "type": "Tombstone"},
        "withdraws": ["*"],
        "context": [{"id": "wiki:wiki", "type": "Wiki"}],
        "audience": {"visibility": "PUBLIC", "container": "wiki:wiki"},
        "provenance": {"source": "wiki"},
    }
    [told] = parse.activities(SENDER, {}, json.dumps(stranger).encode(), NOW)
    assert told.object.id == "ci:wiki:page/1"
    assert told.audience.container == "ci:wiki:wiki"
    assert told.actor.id == "ci:alice"
    assert told.provenance.source == "ci"


@pytest.mark.parametrize(
    ("cap", "said", "container"),
    [
        ("public", None, "ci:inbox"),
        ("public", "PUBLIC", "ci:inbox"),
        ("public", "RESTRICTED", "ci:inbox#restricted"),
        ("restricted", "PUBLIC", "ci:inbox"),
    ],
)
async def test_nothing_is_more_open_than_the_setting(
    cap: str, said: str | None, container: str, tmp_path: Path
) -> None:
    record = RECORD | ({"audience": {"visibility": said}} if said else {})
    body = json.dumps(record).encode()
    settings = WebhookSettings(
        secret=SecretStr("It's a Secret to Everybody"),
        signature="github",
        visibility="public" if cap == "public" else "restricted",
        principals=("group:ops",),
    )
    async with CONNECTOR.open(settings, Tools(source="ci", mask=str, state=tmp_path)) as sender:
        assert isinstance(sender, Receiver)
        receipt = await sender.receive(delivery(body, github(body)))
    [access] = receipt.batch.access
    assert access.id == receipt.batch.activities[0].audience.container == container
    is_open = cap == "public" and said != "RESTRICTED"
    assert (access.visibility is Visibility.PUBLIC, access.principals) == (is_open, () if is_open else ("group:ops",))


@pytest.mark.parametrize(
    ("headers", "body", "said"),
    [
        ({}, b"", "not JSON"),
        ({}, b"[1]", r"\[0\]: an activity is a JSON object"),
        ({}, json.dumps(RECORD | {"published": "soon"}).encode(), r"\[0\]: published 'soon'"),
        ({}, b"[" + b",".join([b"{}"] * 1001) + b"]", "1001 events are more than the 1000"),
        ({"content-type": "application/cloudevents+json"}, b"{}", "not a CloudEvent"),
        ({"content-type": "application/cloudevents+json"}, b"[]", "not a CloudEvent"),
        ({"content-type": "application/cloudevents-batch+json"}, b"{}", "is a JSON list"),
        ({"ce-specversion": "1.0", "ce-id": "1"}, b"{}", "not a CloudEvent"),
        ({"ce-specversion": "1.0", "ce-id": "1", "ce-source": "s", "ce-type": "t", "ce-time": "x"}, b"", "CloudEvent"),
    ],
)
def test_what_is_wrong_is_said(headers: dict[str, str], body: bytes, said: str) -> None:
    with pytest.raises(Reject, match=said):
        parse.activities(SENDER, headers, body, NOW)


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 16"):
        WebhookSettings(secret=SecretStr("short"))
