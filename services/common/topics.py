"""Every topic, once: name, schema, key, placement and retention (design: docs/overview.md, "Topics")."""

from collections.abc import Mapping
from dataclasses import dataclass, field

DAY_MS = 86_400_000

_COMPACT = {
    "cleanup.policy": "compact",
    "max.compaction.lag.ms": str(DAY_MS),
    # A consumer that was away for a month must still see the tombstone.
    "delete.retention.ms": str(35 * DAY_MS),
}


def _delete(days: int) -> dict[str, str]:
    return {"cleanup.policy": "delete", "retention.ms": str(days * DAY_MS)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """One topic. ``suffix`` follows the prefix setting; murmur2 of the value ``placed_by`` names picks partitions."""

    suffix: str
    schema: str
    key: str
    placed_by: str
    config: Mapping[str, str]
    writers: tuple[str, ...]
    doc: str
    shared: bool = field(default=False)
    """Other teams may read it. All other topics hold what not everyone may open."""

    def name(self, prefix: str) -> str:
        """Return the full name under a prefix such as ``watercooler.``."""
        return prefix + self.suffix


def _topic(
    suffix: str, key: str, config: Mapping[str, str], writers: str, doc: str, *, placed_by: str = "", schema: str = ""
) -> Topic:
    return Topic(
        suffix=suffix,
        schema=schema or suffix.split(".")[0],
        key=key,
        placed_by=placed_by or key,
        config=config,
        writers=tuple(writers.split()),
        doc=doc,
        shared=suffix in ("public.v1", "erasure.v1"),
    )


ACTIVITY = _topic(
    "activity.v1",
    "activity id",
    _COMPACT,
    "ingest gateway",
    "What happened, as taken in and as said here.",
    placed_by="object id",
)
ENRICHED = _topic("enriched.v1", "activity id", _COMPACT, "enrich", "Activities, enriched.", placed_by="object id")
PUBLIC = _topic(
    "public.v1", "object id", _delete(30), "enrich", "For other teams: what everyone may open.", schema="activity"
)
ACCESS = _topic(
    "access.v1",
    "container or object id",
    _COMPACT,
    "ingest gateway",
    "Who may open what, and what its source has withdrawn.",
)
ACCOUNT = _topic("account.v1", "account id", _COMPACT, "ingest gateway", "Person behind an account.")
PERSON = _topic("person.v1", "person id", _COMPACT, "ingest gateway", "People, units, settings of recommendation.")
PROFILE = _topic("profile.v1", "person id", _COMPACT, "enrich", "What a person works on.")
_FOR_A_SEASON = {**_COMPACT, **_delete(90), "cleanup.policy": "compact,delete"}
CANDIDATE = _topic(
    "candidate.v1",
    "person id + object id",
    _FOR_A_SEASON,
    "enrich",
    "What may be recommended: scored and re-keyed to the person, between the parts of scoring.",
    placed_by="person id",
    schema="recommendation",
)
RECOMMENDATION = _topic(
    "recommendation.v1",
    "person id + object id",
    _FOR_A_SEASON,
    "enrich",
    "What is shown to whom, and why.",
    placed_by="person id",
)
TIE = _topic("tie.v1", "pair of person ids", _COMPACT, "enrich", "Who is linked to whom.")
MEETING = _topic(
    "meeting.v1", "pair of person ids", _FOR_A_SEASON, "enrich", "Who should meet, on what common ground, through whom."
)
TREND = _topic(
    "trend.v1", "kind + tag or cluster id + window", _delete(30), "enrich", "What rises, and who is on the same work."
)
FEEDBACK = _topic(
    "feedback.v1", "person + subject + kind", _COMPACT, "gateway", "What people did with it.", placed_by="person id"
)
QUESTION = _topic(
    "question.v1",
    "question + event id",
    _COMPACT,
    "gateway enrich",
    "Questions, routed and answered.",
    placed_by="question id",
)
SETTING = _topic("setting.v1", "person + name", _COMPACT, "gateway", "Settings of people.", placed_by="person id")
CURSOR = _topic("cursor.v1", "source + container", _COMPACT, "ingest", "How far each source has been read.")
ERASURE = _topic(
    "erasure.v1",
    "request + subscriber",
    _COMPACT,
    "gateway subscribers",
    "Requests to forget a person.",
    placed_by="request id",
)
CONTRIBUTION = _topic(
    "contribution.v1",
    "person + activity",
    _COMPACT,
    "enrich",
    "Who took part in what: activities re-keyed to the person, between the parts of scoring.",
    placed_by="person id",
)
DEADLETTER = _topic(
    "deadletter.v1",
    "original key",
    _delete(30),
    "ingest enrich indexer gateway",
    "Records that could not be processed.",
    placed_by="original partition",
)

TOPICS: tuple[Topic, ...] = (
    ACTIVITY,
    ENRICHED,
    PUBLIC,
    ACCESS,
    ACCOUNT,
    PERSON,
    PROFILE,
    CANDIDATE,
    RECOMMENDATION,
    TIE,
    MEETING,
    TREND,
    FEEDBACK,
    QUESTION,
    SETTING,
    CURSOR,
    ERASURE,
    CONTRIBUTION,
    DEADLETTER,
)
"""All topics. `watercooler topics apply|diff|describe` reads nothing else."""
