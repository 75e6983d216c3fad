"""CloudEvents 1.0 headers of the Kafka protocol binding, binary mode, and our own beside them.

Format: github.com/cloudevents/spec, kafka-protocol-binding.md, section 3.2.
"""

from collections.abc import Mapping
from datetime import datetime
from hashlib import blake2b

import orjson

from services.common.model import Activity
from services.common.records import Plain, activity_out

Headers = tuple[tuple[str, bytes], ...]

FINGERPRINT = "fingerprint"
"""Header with the hex fingerprint of an activity's meaning, see ``fingerprint``."""
REDELIVERED = "redelivered"
"""Header of a repetition that is older than the window of deduplication; live readers skip it."""
WITHDRAWS = "withdraws"
"""Header of an activity that withdraws something, so that it is found without decoding all others."""
REDACTED = "redacted"
"""Header of an activity published again without its content, since the source has withdrawn it."""

CORRECTED = "corrected"
"""Header of an enriched activity that is there again since another person is behind an account of it: its generation.
Live readers have had it and skip it."""
FORMERLY = "formerly"
"""Beside it: the people (JSON list of ids) that it was counted for and no longer is."""


def formerly(headers: Mapping[str, bytes]) -> frozenset[str]:
    """Return the people that an enriched activity was counted for before it was corrected, and no longer is."""
    return frozenset(orjson.loads(headers.get(FORMERLY, b"[]")))


def rfc3339(at: datetime) -> str:
    """Return a UTC time as RFC 3339 with ``Z``."""
    return at.replace(tzinfo=None).isoformat(timespec="auto") + "Z"


def headers(activity: Activity) -> Headers:
    """Return the CloudEvents headers of an activity."""
    return (
        ("ce_specversion", b"1.0"),
        ("ce_id", activity.id.encode()),
        ("ce_source", f"/sources/{activity.provenance.source}".encode()),
        ("ce_type", f"watercooler.{activity.verb}".encode()),
        ("ce_time", rfc3339(activity.published).encode()),
        ("ce_subject", activity.object.id.encode()),
        ("content-type", b"application/avro"),
        *(((WITHDRAWS, b"1"),) if activity.withdraws else ()),
    )


def fingerprint(activity: Activity) -> str:
    """Return a hash of what the activity says, whatever way and whenever it came in (blake2b, 128 bits, hex)."""
    return fingerprint_of(activity_out(activity))


def fingerprint_of(plain: Plain) -> str:
    """As ``fingerprint``, for one that has been made a plain record already."""
    said = plain | {"recorded": None, "provenance": plain["provenance"]["source"]}
    return blake2b(orjson.dumps(said), digest_size=16).hexdigest()
