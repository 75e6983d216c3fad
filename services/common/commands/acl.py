"""Who may do what on Kafka, as the commands of Kafka's own tool: one principal per service, nothing else for others."""

from collections.abc import Iterator, Sequence
from shlex import join

from services.common.topics import DEADLETTER, TOPICS

SERVICES = ("ingest", "enrich", "indexer", "gateway")
_GROUPS = {
    "enrich": ("enrich", "redact", "retract", "correct", "score"),
    "indexer": ("indexer",),
    "ingest": ("ingest",),
    "gateway": ("gateway", "rules"),
}


def commands(prefix: str, bootstrap: str, principal: str, teams: Sequence[str]) -> Iterator[str]:
    """Yield lines of shell. ``principal`` is a form such as ``User:watercooler-{}``; teams read what is shared."""
    head = ["kafka-acls.sh", "--bootstrap-server", bootstrap, "--add"]
    for service in SERVICES:
        yield f"# {service}"
        who = ["--allow-principal", principal.format(service)]
        for rights in _service(prefix, service):
            yield join([*head, *who, *rights])
    yield "# an operator: watercooler topics apply|diff, dlq, reindex"
    who = ["--allow-principal", principal.format("operator")]
    for rights in _operator(prefix):
        yield join([*head, *who, *rights])
    for team in teams:
        yield f"# {team}, another team: what everyone may open, and requests to forget a person"
        for rights in _team(prefix, team):
            yield join([*head, "--allow-principal", f"User:{team}", *rights])


def _operations(*names: str) -> list[str]:
    return [part for name in names for part in ("--operation", name)]


def _prefixed(*resource: str) -> list[str]:
    return ["--resource-pattern-type", "prefixed", *resource]


def _service(prefix: str, service: str) -> Iterator[list[str]]:
    yield [*_operations("Read", "Describe", "DescribeConfigs"), *_prefixed("--topic", prefix)]
    for topic in TOPICS:
        if service in topic.writers or topic is DEADLETTER:
            yield [*_operations("Write"), "--topic", topic.name(prefix)]
    for group in _GROUPS[service]:
        yield [*_operations("Read", "Describe"), *_prefixed("--group", prefix + group)]
    if service == "enrich":
        yield [*_operations("Write", "Describe"), *_prefixed("--transactional-id", f"{prefix}enrich-")]
        # What the scoring application keeps for itself: its tables' changelogs and its re-keyed streams.
        yield [
            *_operations("Create", "Write", "AlterConfigs", "DescribeConfigs"),
            *_prefixed("--topic", f"{prefix}score"),
        ]


def _operator(prefix: str) -> Iterator[list[str]]:
    operations = _operations("Create", "Read", "Write", "Describe", "DescribeConfigs", "AlterConfigs")
    yield [*operations, *_prefixed("--topic", prefix)]
    yield [*_operations("Read", "Describe"), *_prefixed("--group", prefix)]


def _team(prefix: str, team: str) -> Iterator[list[str]]:
    for topic in TOPICS:
        if topic.shared:
            yield [*_operations("Read", "Describe"), "--topic", topic.name(prefix)]
        if topic.shared and "subscribers" in topic.writers:
            yield [*_operations("Write"), "--topic", topic.name(prefix)]
    yield [*_operations("Read", "Describe"), *_prefixed("--group", f"{team}.")]
