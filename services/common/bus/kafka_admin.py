"""Topics on Kafka: created from the table, compared with it, never repartitioned."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, for_code

from services.common.bus import Difference
from services.common.errors import Retry, Stop
from services.common.topics import Topic


class KafkaAdmin:
    """Admin over aiokafka's admin client."""

    def __init__(self, client: AIOKafkaAdminClient, prefix: str, partitions: int, replication: int) -> None:
        self._client = client
        self._prefix = prefix
        self._partitions = partitions
        self._replication = replication

    @classmethod
    async def start(cls, client: Mapping[str, Any], prefix: str, partitions: int, replication: int) -> "KafkaAdmin":
        """Return a started admin; raises Retry when Kafka does not answer."""
        admin = AIOKafkaAdminClient(**client)
        try:
            await admin.start()
        except KafkaError as error:
            await admin.close()
            raise Retry(f"Kafka does not answer at {client['bootstrap_servers']}; is it running?") from error
        return cls(admin, prefix, partitions, replication)

    async def diff(self, topics: Iterable[Topic]) -> Sequence[Difference]:
        """Return what differs between the table and the cluster."""
        wanted = {topic.name(self._prefix): topic for topic in topics}
        found = {d["topic"]: d for d in await self._describe(list(wanted))}
        configs = await self._configs(list(found))
        differences: list[Difference] = []
        for name, topic in wanted.items():
            if name not in found:
                differences.append(Difference(topic=name, setting="topic", wanted="present", found=None))
                continue
            count = len(found[name]["partitions"])
            if count != self._partitions:
                differences.append(
                    Difference(topic=name, setting="partitions", wanted=str(self._partitions), found=str(count))
                )
            differences += _config_differences(name, topic.config, configs[name])
        return differences

    async def apply(self, topics: Iterable[Topic]) -> Sequence[Difference]:
        """Create what is missing and mend settings; raises Stop when a topic has other partitions."""
        table = {topic.name(self._prefix): topic for topic in topics}
        differences = await self.diff(table.values())
        for one in differences:
            if one.setting == "partitions":
                raise Stop(
                    f"topic {one.topic} has {one.found} partitions, not {one.wanted}; changing that would break the"
                    " order per object: set WATERCOOLER_KAFKA_PARTITIONS to the number it has"
                )
        missing = [d.topic for d in differences if d.setting == "topic"]
        await self._create([(name, table[name]) for name in missing])
        for name in {d.topic for d in differences} - set(missing):
            await self._client.alter_configs([ConfigResource(ConfigResourceType.TOPIC, name, dict(table[name].config))])
        return differences

    async def _create(self, topics: Sequence[tuple[str, Topic]]) -> None:
        if not topics:
            return
        new = [
            NewTopic(name, self._partitions, self._replication, topic_configs=dict(topic.config))
            for name, topic in topics
        ]
        answer = await self._client.create_topics(new)
        for name, code, *_ in answer.topic_errors:
            error = for_code(code)
            # Two services may start at once: what the other one created in between is as good as ours.
            if code and error.__name__ != "TopicAlreadyExistsError":
                raise Stop(f"Kafka did not create topic {name}: {error.description}")

    async def _describe(self, names: Sequence[str]) -> list[dict[str, Any]]:
        described: list[dict[str, Any]] = await self._client.describe_topics(list(names)) if names else []
        return [d for d in described if d["error_code"] == 0]

    async def _configs(self, names: Sequence[str]) -> dict[str, dict[str, str]]:
        if not names:
            return {}
        answers = await self._client.describe_configs([ConfigResource(ConfigResourceType.TOPIC, n) for n in names])
        return {
            resource[3]: {entry[0]: entry[1] for entry in resource[4]}
            for answer in answers
            for resource in answer.resources
        }

    async def incarnation(self, topic: str) -> str:
        """Return an id that changes when the topic is deleted and made again."""
        raise NotImplementedError

    async def stop(self) -> None:
        """Close."""
        await self._client.close()


def _config_differences(name: str, wanted: Mapping[str, str], found: Mapping[str, str]) -> list[Difference]:
    return [
        Difference(topic=name, setting=key, wanted=value, found=found.get(key))
        for key, value in wanted.items()
        if found.get(key) != value
    ]
