"""What a real home server delivered."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from services.common.errors import Reject
from services.ingest.connector import Delivery, Unverified
from services.ingest.connectors.matrix import appservice
from services.ingest.connectors.matrix.memory import Kind, known_of
from services.ingest.connectors.matrix.settings import MatrixSettings

SAMPLES = Path(__file__).parent / "samples"
TOKEN = SecretStr("hs-token-1")


def sample(name: str) -> dict[str, Any]:
    recorded: dict[str, Any] = json.loads((SAMPLES / f"{name}.json").read_text())
    return recorded


def delivered(name: str, **changes: Any) -> Delivery:
    recorded = sample(name)
    headers = {key.lower(): value for key, value in recorded["headers"].items()}
    values = {"method": recorded["method"], "path": recorded["path"], "headers": headers}
    return Delivery(**{**values, "body": json.dumps(recorded["body"]).encode(), **changes})


def test_a_transaction_is_verified_and_sorted_by_room() -> None:
    delivery = delivered("transaction-state")
    appservice.verify(delivery, TOKEN, "chat")
    assert appservice.is_transaction(delivery)
    ((room, events),) = appservice.events_by_room(delivery.body).items()
    assert room.startswith("!")
    assert [event["type"] for event in events][:2] == ["m.room.canonical_alias", "m.room.join_rules"]


@pytest.mark.parametrize("header", ["Bearer wrong", "Bearer", "Basic hs-token-1", "hs-token-1", "Bearer \udcff", ""])
def test_who_does_not_know_the_token_is_refused(header: str) -> None:
    with pytest.raises(Unverified):
        appservice.verify(delivered("transaction-state", headers={"authorization": header}), TOKEN, "chat")


def test_the_token_may_stand_in_the_address() -> None:
    appservice.verify(delivered("transaction-state", headers={}, query={"access_token": "hs-token-1"}), TOKEN, "chat")


def test_without_a_configured_token_nobody_is_let_in() -> None:
    with pytest.raises(Unverified):
        appservice.verify(delivered("transaction-state", headers={"authorization": "Bearer "}), SecretStr(""), "chat")


def test_an_emptied_reaction_is_told_from_an_emptied_message() -> None:
    body = delivered("transaction-redacted-reaction").body
    ((_, (event,)),) = appservice.events_by_room(body).items()
    assert known_of(event).kind is Kind.OTHER


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b'{"events": 1}', b'{"events": [{"room_id": 1, "type": "x"}]}'])
def test_what_is_no_transaction_is_rejected(body: bytes) -> None:
    with pytest.raises(Reject):
        appservice.events_by_room(body)


def test_the_token_is_not_shown() -> None:
    settings = MatrixSettings.model_validate({"url": "https://m.example.org/", "access_token": "secret-token"})
    assert "secret-token" not in repr(settings)
    assert settings.url == "https://m.example.org"
