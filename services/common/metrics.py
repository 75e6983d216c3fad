"""Every metric, once. Names follow Prometheus' conventions; docs/metrics.md explains them and a test compares."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

REGISTRY = CollectorRegistry()
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)

RECORDS = Counter("watercooler_records_total", "Records handled.", ["service", "stage", "outcome"], registry=REGISTRY)
LAG_RECORDS = Gauge(
    "watercooler_lag_records", "Records not yet read.", ["service", "topic", "partition"], registry=REGISTRY
)
LAG_SECONDS = Gauge(
    "watercooler_lag_seconds", "Age of the newest record handled.", ["service", "topic"], registry=REGISTRY
)
FRESHNESS = Histogram(
    "watercooler_freshness_seconds",
    "From taking an activity in to where it arrived.",
    ["arrived"],
    buckets=_SECONDS,
    registry=REGISTRY,
)
DEADLETTERS = Counter("watercooler_deadletters_total", "Records given up.", ["service", "error"], registry=REGISTRY)
BULK_SECONDS = Histogram("watercooler_bulk_seconds", "Duration of bulk requests.", buckets=_SECONDS, registry=REGISTRY)
BULK_PRESSURE = Counter(
    "watercooler_bulk_pressure_total", "Documents that the index was too busy for.", registry=REGISTRY
)
BULK_HELD = Gauge("watercooler_bulk_held_records", "Records that the indexer holds in memory.", registry=REGISTRY)
SOURCE_STATE = Gauge(
    "watercooler_source_up", "1 when the source was read without an error.", ["source"], registry=REGISTRY
)
SOURCE_REQUESTS = Counter(
    "watercooler_source_requests_total", "Requests to a source.", ["source", "status"], registry=REGISTRY
)
STREAM_READERS = Gauge("watercooler_stream_readers", "Live readers now.", registry=REGISTRY)
STREAM_EVENTS = Counter("watercooler_stream_events_total", "Events handed to live readers.", registry=REGISTRY)
STREAM_CUT = Counter("watercooler_stream_cut_total", "Readers cut.", ["reason"], registry=REGISTRY)
RULE_DELIVERIES = Counter(
    "watercooler_rule_deliveries_total", "Tries to send what rules ask for.", ["kind", "outcome"], registry=REGISTRY
)
REQUESTS = Histogram(
    "watercooler_request_seconds",
    "Duration of HTTP requests.",
    ["route", "status"],
    buckets=_SECONDS,
    registry=REGISTRY,
)

TURNS = Counter(
    "watercooler_turns_total",
    "Requests that ask the index: at once, waited, refused, gone.",
    ["how"],
    registry=REGISTRY,
)
TURNS_WAITING = Gauge("watercooler_turns_waiting", "Requests that wait to ask the index now.", registry=REGISTRY)

CONTENT_TYPE = CONTENT_TYPE_LATEST


def exposition() -> bytes:
    """Return all metrics in Prometheus' text format."""
    return generate_latest(REGISTRY)
