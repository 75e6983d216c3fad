"""What a home server sends to an application service. Pure.

Transactions come in order, and again until they are answered with 2xx and JSON; a repetition gives the same activities.
"""

import hmac
from collections.abc import Iterable

import orjson
from pydantic import SecretStr

from services.common.errors import Reject
from services.ingest.connector import Delivery, Receipt, Unverified
from services.ingest.connectors.matrix.client import Event

TRANSACTIONS = "transactions"


def verify(delivery: Delivery, hs_token: SecretStr, source: str) -> None:
    """Raise Unverified unless the sender knows ``hs_token``; compared in constant time. Without a token nobody does."""
    expected = hs_token.get_secret_value().encode()
    scheme, _, token = delivery.headers.get("authorization", "").partition(" ")
    # Servers from before 2022 put the token into the address.
    given = token if scheme.lower() == "bearer" else delivery.query.get("access_token", "")
    if not hmac.compare_digest(given.encode(errors="replace"), expected) or not expected:
        raise Unverified(f"source {source}: the sender does not know the hs_token of this source")


def is_transaction(delivery: Delivery) -> bool:
    """True for a delivery of events."""
    return delivery.method == "PUT" and TRANSACTIONS in delivery.path.split("/")


def events_by_room(body: bytes) -> dict[str, list[Event]]:
    """Return a transaction's events by room, in order; raises Reject when the body is none."""
    rooms: dict[str, list[Event]] = {}
    try:
        for event in orjson.loads(body)["events"]:
            if not isinstance(event["room_id"], str) or not isinstance(event["type"], str):
                raise TypeError("room_id and type must be text")
            rooms.setdefault(event["room_id"], []).append(event)
    except (orjson.JSONDecodeError, KeyError, TypeError) as error:
        raise Reject(f"the body is no transaction of a home server: {type(error).__name__} {error}") from error
    return rooms


def is_invited(events: Iterable[Event], user: str) -> bool:
    """True when the last thing said of the user's membership is an invitation."""
    told = [event for event in events if event["type"] == "m.room.member" and event.get("state_key") == user]
    return bool(told) and told[-1].get("content", {}).get("membership") == "invite"


def other(delivery: Delivery) -> Receipt:
    """Answer what else a home server asks: a ping, and users and rooms, of which we have none."""
    if delivery.path.rstrip("/").endswith("ping"):
        return Receipt()
    return Receipt(status=404, answer={"errcode": "M_NOT_FOUND", "error": "not provided here"})
