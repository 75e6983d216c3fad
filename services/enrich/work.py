"""What becomes of a batch of one partition's records: pure, and heavy enough to run in a thread.

Each record comes out as records to publish, or with the error for which it is given up. Repetitions come out with
nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from services.common import envelope
from services.common.access import EVERYONE
from services.common.bus import Outgoing, Received
from services.common.codec import Codec
from services.common.errors import Reject
from services.common.model import EVERY_VERSION, REDACTED_GENERATION, Activity, ActivityType, Enriched
from services.common.records import activity_in, activity_out, enriched_out
from services.common.withdrawal import blank, without_content
from services.enrich.pipeline import Knowledge, enrich
from services.enrich.seen import Repetition, Seen, hash_of

_MARK = b"1"


class Access(Protocol):
    """What is asked about access (services.common.access.AccessState)."""

    def may_open(self, principals: Sequence[str], container: str, object_id: str = "") -> bool: ...

    def withdrawn(self, object_id: str, version: str, order: int) -> bool: ...


@dataclass(slots=True)
class Result:
    """What becomes of one record."""

    record: Received
    error: Reject | None = None
    enriched: Outgoing | None = None
    public: Outgoing | None = None
    hash: int = 0
    plain: dict[str, Any] = field(default_factory=dict)
    """The activity as it was decoded."""


@dataclass(frozen=True, slots=True)
class Worker:
    """Decodes, compares with what has been, enriches and encodes; ``enriched`` and ``public`` are full names."""

    enriched: str
    public: str
    knowledge: Knowledge
    access: Access
    activity_codec: Codec
    enriched_codec: Codec

    def containers(self, activities: Sequence[Activity]) -> frozenset[str]:
        """Return the containers that decide about the activities."""
        return frozenset(one.audience.container for one in activities)

    def decode(self, records: Sequence[Received]) -> "list[tuple[Result, Activity | None]]":
        """Return each record with its activity, or with the reason why there is none."""
        return [self._decoded(record) for record in records]

    def _decoded(self, record: Received) -> "tuple[Result, Activity | None]":
        if record.value is None:  # an erased activity; erasure follows it in each topic by itself
            return Result(record), None
        try:
            plain = self.activity_codec.decode(record.value)
            return Result(record, plain=plain), activity_in(plain)
        except Reject as error:
            return Result(record, error=error), None
        except ValueError as error:
            return Result(record, error=Reject(f"activity: {error}")), None

    def finish(self, decoded: "Sequence[tuple[Result, Activity | None]]", seen: Seen) -> list[Result]:
        """Return what becomes of the decoded records, in their order."""
        given = [(result, activity) for result, activity in decoded if activity is not None]
        prints = [_fingerprint(result.record, activity) for result, activity in given]
        hashes = [hash_of(activity.id, one) for (_, activity), one in zip(given, prints, strict=True)]
        verdicts = seen.judge(hashes)
        wanted = [
            (result, activity, mark, number, verdict)
            for (result, activity), mark, number, verdict in zip(given, prints, hashes, verdicts, strict=True)
            if verdict is not Repetition.RECENT
        ]
        done = enrich([activity for _, activity, *_ in wanted], self.knowledge)
        for (result, _, mark, number, verdict), one in zip(wanted, done, strict=True):
            result.hash = number
            self._fill(result, one, mark, redelivered=verdict is Repetition.OLD)
        return [result for result, _ in decoded]

    def _fill(self, result: Result, one: Enriched, fingerprint: str, *, redelivered: bool) -> None:
        activity = one.activity
        withdrawn = self.access.withdrawn(activity.object.id, activity.object.version, activity.order)
        redacted = envelope.REDACTED in result.record.headers or (withdrawn and not activity.withdraws)
        plain = result.plain
        if withdrawn or redacted:
            one = blank(one)
            plain = activity_out(one.activity)
        if redacted:
            one = replace(one, generation=REDACTED_GENERATION)
        headers = (*_headers(result.record, activity), *(((envelope.REDELIVERED, _MARK),) if redelivered else ()))
        result.enriched = Outgoing(
            topic=self.enriched,
            key=activity.id,
            value=self.enriched_codec.encode(enriched_out(one, plain)),
            headers=(
                *headers,
                (envelope.FINGERPRINT, fingerprint.encode()),
                *(((envelope.REDACTED, _MARK),) if redacted else ()),
            ),
            partition=result.record.partition.number,
        )
        # After the Delete that follows a withdrawal, activities without content would only bring the object back.
        if not redacted and self.access.may_open((EVERYONE,), activity.audience.container, activity.object.id):
            result.public = Outgoing(
                topic=self.public,
                key=activity.object.id,
                value=self._public_value(one, result),
                headers=(*headers, *container_header(activity.audience.container)),
                partition=result.record.partition.number,
            )

    def _public_value(self, one: Enriched, result: Result) -> bytes:
        """Return what other teams get: content as plain text; a Delete where all was withdrawn."""
        activity = one.activity
        if EVERY_VERSION in activity.withdraws or activity.type is ActivityType.DELETE:
            return self.activity_codec.encode(activity_out(public_delete(activity)))
        thing = activity.object
        if thing.media_type == "text/plain" or not thing.content:
            return result.record.value or b""  # it is what it has to be, to the last byte
        title = " ".join(thing.title.split())
        plain = {"content": one.text.removeprefix(title).lstrip(), "mediaType": "text/plain", "language": one.language}
        return self.activity_codec.encode({**result.plain, "object": {**result.plain["object"], **plain}})


CONTAINER = "container"
"""Header of public.v1: the container that decides, so that what turns restricted is found without decoding."""


def container_header(container: str) -> envelope.Headers:
    """Return the header that names the deciding container."""
    return ((CONTAINER, container.encode()),)


def public_delete(activity: Activity) -> Activity:
    """Return the Delete that follows something which is no longer for everyone."""
    bare = without_content(activity)
    return replace(bare, type=ActivityType.DELETE, object=replace(bare.object, type="Tombstone"))


def _fingerprint(record: Received, activity: Activity) -> str:
    given = record.headers.get(envelope.FINGERPRINT)
    return given.decode(errors="replace") if given else envelope.fingerprint(activity)


_OURS = frozenset({envelope.FINGERPRINT, envelope.REDACTED, envelope.REDELIVERED})


def _headers(record: Received, activity: Activity) -> envelope.Headers:
    """Return the CloudEvents headers (and whatever else, such as ``traceparent``) that the record came with."""
    if "ce_id" not in record.headers or "ce_subject" not in record.headers:
        return envelope.headers(activity)
    return tuple(pair for pair in record.headers.items() if pair[0] not in _OURS)
