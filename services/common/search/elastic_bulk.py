"""The bulk request: its bytes, and what each item of the answer means for its record."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Any

import orjson

from services.common.search import Outcome, Verdict, Write

_LONGEST_ID = 512
"""Bytes that Elasticsearch takes as _id."""
ANSWER = "errors,items.*.status,items.*.error.type,items.*.error.reason,items.*.error.caused_by.reason"
"""filter_path of the answer: the rest is never looked at, and most of its bytes."""

DONE = Outcome(verdict=Verdict.DONE)
_STALE = Outcome(verdict=Verdict.STALE, reason="a newer state is stored")


def document_id(id_: str) -> str:
    """Return the ``_id`` of a document: its id, or a hash of it where it is longer than Elasticsearch takes."""
    data = id_.encode()
    return id_ if len(data) <= _LONGEST_ID else "long:" + b64encode(blake2b(data, digest_size=32).digest()).decode()


def lines(write: Write, index: str) -> bytes:
    """Return the lines of one write, without the last line feed; raises TypeError for what JSON cannot hold."""
    action: dict[str, Any] = {"_index": index, "_id": document_id(write.id)}
    if write.version is not None:
        action |= {"version": write.version, "version_type": "external_gte"}
    if write.document is None:
        return orjson.dumps({"delete": action})
    return orjson.dumps({"index": action}) + b"\n" + orjson.dumps(write.document)


def outcomes(answer: Mapping[str, Any]) -> list[Outcome]:
    """Return the outcome of each item, in order."""
    return [_outcome(next(iter(item.values()))) for item in answer["items"]]


def whole(status: int, reason: str, count: int) -> Sequence[Outcome]:
    """Return the outcomes where the answer was one error for the whole request."""
    return [Outcome(verdict=_verdict(status), reason=_sentence(status, reason))] * count


def _outcome(item: Mapping[str, Any]) -> Outcome:
    status = int(item["status"])
    error = item.get("error")
    if status < 300 or (status == 404 and not error):  # deleting what is not there is as good as done
        return DONE
    if status == 409:
        return _STALE
    return Outcome(verdict=_verdict(status), reason=_sentence(status, _reason(error or {})))


def _verdict(status: int) -> Verdict:
    if status in (408, 429) or status >= 500:
        return Verdict.PRESSURE
    return Verdict.FATAL if status in (401, 403, 404) else Verdict.REJECTED


def _reason(error: Mapping[str, Any]) -> str:
    cause = error.get("caused_by", {}).get("reason", "")
    return f"{error.get('type', 'unknown')}: {cause or error.get('reason', '')}"


def _sentence(status: int, reason: str) -> str:
    # A reason of Elasticsearch may quote the value that it did not like: enough to find it, not the whole text.
    return f"Elasticsearch answered {status}: {reason[:200]}"
