"""Two requests that aiokafka 0.14 lacks, in its own terms: topic ids, and changing single settings of topics.

Formats: kafka.apache.org/protocol, Metadata v12 and IncrementalAlterConfigs v0.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from io import BytesIO
from uuid import UUID

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import NodeNotReadyError, for_code
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import (
    AbstractType,
    Array,
    Boolean,
    CompactArray,
    CompactString,
    Int8,
    Int16,
    Int32,
    Schema,
    String,
    TaggedFields,
)

_TEXT = String("utf-8")
_COMPACT = CompactString("utf-8")
_TOPIC_RESOURCE = 2
_SET = 0
_NOT_THERE = (3, 5)
"""Codes of a topic that is unknown, or just being made and without a leader."""


class Uuid(AbstractType[UUID]):  # type: ignore[misc]
    """Sixteen bytes."""

    @classmethod
    def encode(cls, value: UUID) -> bytes:
        """Return the bytes."""
        return value.bytes

    @classmethod
    def decode(cls, data: BytesIO) -> UUID:
        """Read the bytes."""
        return UUID(bytes=data.read(16))


class MetadataResponse_v12(Response):  # type: ignore[misc]  # noqa: N801 - aiokafka's manner
    """Brokers and topics with their ids."""

    API_KEY = 3
    API_VERSION = 12
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "brokers",
            CompactArray(
                ("node_id", Int32), ("host", _COMPACT), ("port", Int32), ("rack", _COMPACT), ("tags", TaggedFields)
            ),
        ),
        ("cluster_id", _COMPACT),
        ("controller_id", Int32),
        (
            "topics",
            CompactArray(
                ("error_code", Int16),
                ("topic", _COMPACT),
                ("topic_id", Uuid),
                ("is_internal", Boolean),
                (
                    "partitions",
                    CompactArray(
                        ("error_code", Int16),
                        ("partition", Int32),
                        ("leader", Int32),
                        ("leader_epoch", Int32),
                        ("replicas", CompactArray(Int32)),
                        ("isr", CompactArray(Int32)),
                        ("offline_replicas", CompactArray(Int32)),
                        ("tags", TaggedFields),
                    ),
                ),
                ("topic_authorized_operations", Int32),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class MetadataRequest_v12(RequestStruct):  # type: ignore[misc]  # noqa: N801
    """Asks for topics by name."""

    API_KEY = 3
    API_VERSION = 12
    FLEXIBLE_VERSION = True
    RESPONSE_TYPE = MetadataResponse_v12
    SCHEMA = Schema(
        ("topics", CompactArray(("topic_id", Uuid), ("topic", _COMPACT), ("tags", TaggedFields))),
        ("allow_auto_topic_creation", Boolean),
        ("include_topic_authorized_operations", Boolean),
        ("tags", TaggedFields),
    )


class TopicsRequest(Request[MetadataRequest_v12]):  # type: ignore[misc]
    """Asks for topics by name; never creates one."""

    API_KEY = 3

    def __init__(self, topics: Iterable[str]) -> None:
        self._topics: list[tuple[UUID, str, dict[int, bytes]]] = [(UUID(int=0), topic, {}) for topic in topics]

    def build(self, request_struct_class: type[MetadataRequest_v12]) -> MetadataRequest_v12:
        """Return the request."""
        return request_struct_class(self._topics, False, False, {})


class IncrementalAlterConfigsResponse_v0(Response):  # type: ignore[misc]  # noqa: N801
    """What became of each resource."""

    API_KEY = 44
    API_VERSION = 0
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "resources",
            Array(("error_code", Int16), ("error_message", _TEXT), ("resource_type", Int8), ("resource_name", _TEXT)),
        ),
    )


class IncrementalAlterConfigsRequest_v0(RequestStruct):  # type: ignore[misc]  # noqa: N801
    """Changes single settings and leaves the others."""

    API_KEY = 44
    API_VERSION = 0
    RESPONSE_TYPE = IncrementalAlterConfigsResponse_v0
    SCHEMA = Schema(
        (
            "resources",
            Array(
                ("resource_type", Int8),
                ("resource_name", _TEXT),
                ("configs", Array(("name", _TEXT), ("operation", Int8), ("value", _TEXT))),
            ),
        ),
        ("validate_only", Boolean),
    )


class SetTopicConfigsRequest(Request[IncrementalAlterConfigsRequest_v0]):  # type: ignore[misc]
    """Sets some settings of one topic."""

    API_KEY = 44

    def __init__(self, topic: str, config: Mapping[str, str]) -> None:
        self._resource = (_TOPIC_RESOURCE, topic, [(name, _SET, value) for name, value in config.items()])

    def build(self, request_struct_class: type[IncrementalAlterConfigsRequest_v0]) -> IncrementalAlterConfigsRequest_v0:
        """Return the request."""
        return request_struct_class([self._resource], False)


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicFacts:
    """What the cluster says of a topic. ``id`` is another one when the topic was deleted and made again."""

    name: str
    id: str
    partitions: int
    replicas: int
    ready: bool
    """Every partition has a leader."""


async def describe(client: AIOKafkaClient, topics: Iterable[str]) -> dict[str, TopicFacts]:
    """Return the topics that are there, by name. Raises errors of Kafka, also where it refuses to describe one."""
    answer = await client.send(_some_node(client), TopicsRequest(topics))
    found: dict[str, TopicFacts] = {}
    for code, name, id_, _, partitions, *_ in answer.topics:
        if code == 0:
            replicas = max((len(partition[4]) for partition in partitions), default=0)
            ready = bool(partitions) and all(partition[2] >= 0 for partition in partitions)
            found[name] = TopicFacts(name=name, id=str(id_), partitions=len(partitions), replicas=replicas, ready=ready)
        elif code not in _NOT_THERE:
            raise for_code(code)(name)
    return found


async def set_configs(client: AIOKafkaClient, topic: str, config: Mapping[str, str]) -> None:
    """Set settings of a topic and leave its others as they are. Raises errors of Kafka."""
    answer = await client.send(_some_node(client), SetTopicConfigsRequest(topic, config))
    for code, message, *_ in answer.resources:
        if code:
            raise for_code(code)(message)


def _some_node(client: AIOKafkaClient) -> int:
    node: int | None = client.get_random_node()
    if node is None:
        raise NodeNotReadyError("no broker is known")
    return node
