"""What a record of ``enriched.v1`` says to scoring."""

from services.common import envelope
from services.common.bus import Received
from services.common.codec import Codec
from services.common.errors import Reject
from services.common.model import EVERY_VERSION, ActivityType, Enriched
from services.common.records import enriched_in


def decode(codec: Codec, record: Received) -> Enriched | None:
    """Return the enriched activity; None for a tombstone. Raises Reject."""
    if record.value is None:
        return None
    try:
        return enriched_in(codec.decode(record.value))
    except ValueError as error:
        raise Reject(f"enriched: {error}") from error


def gone(one: Enriched, record: Received) -> bool:
    """Return whether the record says that the object's text is withdrawn."""
    activity = one.activity
    return (
        envelope.REDACTED in record.headers
        or EVERY_VERSION in activity.withdraws
        or activity.type is ActivityType.DELETE
    )
