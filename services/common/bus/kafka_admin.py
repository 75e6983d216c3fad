"""Topics on Kafka: created from the table, compared with it, never repartitioned."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from services.common.bus import Difference
from services.common.bus.kafka_errors import missing, translated
from services.common.bus.kafka_protocol import TopicFacts, describe, set_configs
from services.common.bus.kafka_settings import KafkaSettings
from services.common.bus.kafka_unreached import unreached
from services.common.errors import Stop
from services.common.topics import Topic

_PROPAGATION = 30.0
"""Seconds that the brokers may take to learn of a new topic."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """A topic of the cluster with all its settings, those that are Kafka's defaults included."""

    facts: TopicFacts
    config: Mapping[str, str]


class KafkaAdmin:
    """Admin over aiokafka's admin client, and a plain client for what that one lacks."""

    def __init__(
        self, admin: AIOKafkaAdminClient, client: AIOKafkaClient, settings: KafkaSettings, prefix: str
    ) -> None:
        self._admin = admin
        self._client = client
        self._settings = settings
        self._prefix = prefix

    @classmethod
    async def start(cls, settings: KafkaSettings, prefix: str) -> "KafkaAdmin":
        """Return a started admin; raises Retry when Kafka does not answer."""
        made = cls(AIOKafkaAdminClient(**settings.client()), AIOKafkaClient(**settings.client()), settings, prefix)
        try:
            await made._admin.start()
            await made._client.bootstrap()
        except (KafkaError, TimeoutError) as error:
            await made.stop()
            raise await unreached(settings, error) from error
        except BaseException:
            await made.stop()
            raise
        return made

    async def diff(self, topics: Iterable[Topic]) -> Sequence[Difference]:
        """Return what differs between the table and the cluster."""
        wanted = {topic.name(self._prefix): topic for topic in topics}
        found = await self.describe(wanted)
        return [one for name, topic in wanted.items() for one in self._differences(name, topic, found.get(name))]

    def _differences(self, name: str, topic: Topic, found: Described | None) -> list[Difference]:
        if found is None:
            return [Difference(topic=name, setting="topic", wanted="present", found=None)]
        if found.facts.partitions != self._settings.partitions:
            counts = str(self._settings.partitions), str(found.facts.partitions)
            return [Difference(topic=name, setting="partitions", wanted=counts[0], found=counts[1])]
        return [
            Difference(topic=name, setting=key, wanted=value, found=found.config.get(key))
            for key, value in topic.config.items()
            if found.config.get(key) != value
        ]

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
        await self._create([(one.topic, table[one.topic]) for one in differences if one.setting == "topic"])
        for one in differences:
            if one.setting != "topic":
                with translated(f"setting {one.setting} of topic {one.topic}"):
                    await set_configs(self._client, one.topic, {one.setting: one.wanted or ""})
        if differences:
            await self._until_known(list(table.values()))
        return differences

    async def _create(self, topics: Sequence[tuple[str, Topic]]) -> None:
        if not topics:
            return
        settings = self._settings
        new = [
            NewTopic(name, settings.partitions, settings.replication, topic_configs=dict(topic.config))
            for name, topic in topics
        ]
        with translated("creating topics"):
            answer = await self._admin.create_topics(new)
        for name, code, message, *_ in answer.topic_errors:
            # Two services may start at once: what the other one created in between is as good as ours.
            if code and for_code(code) is not TopicAlreadyExistsError:
                raise Stop(f"Kafka did not create topic {name}: {message or for_code(code).description}")

    async def _until_known(self, topics: Sequence[Topic]) -> None:
        """Wait until the brokers know what the controller has decided, so that who comes next finds it."""
        names = [topic.name(self._prefix) for topic in topics]
        with translated(f"waiting for the brokers to know of {', '.join(names)}"):
            async with asyncio.timeout(_PROPAGATION):
                while not await self._ready(names) or await self.diff(topics):  # noqa: ASYNC110 - nothing tells us
                    await asyncio.sleep(0.1)

    async def _ready(self, names: Sequence[str]) -> bool:
        found = await describe(self._client, names)
        return all(name in found and found[name].ready for name in names)

    async def describe(self, names: Iterable[str]) -> Mapping[str, Described]:
        """Return those of the topics that are there, by name."""
        with translated("describing topics"):
            facts = await describe(self._client, list(names))
            configs = await self._configs(list(facts))
        return {name: Described(facts=one, config=configs[name]) for name, one in facts.items()}

    async def _configs(self, names: Sequence[str]) -> dict[str, dict[str, str]]:
        if not names:
            return {}
        answers = await self._admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, n) for n in names])
        found: dict[str, dict[str, str]] = {}
        for answer in answers:
            for code, message, _, name, entries in answer.resources:
                if code:
                    error: type[KafkaError] = for_code(code)
                    raise error(message)
                found[name] = {entry[0]: entry[1] for entry in entries}
        return found

    async def incarnation(self, topic: str) -> str:
        """Return Kafka's own id of the topic; another one when the topic was deleted and made again."""
        with translated(f"asking for topic {topic}"):
            found = await describe(self._client, [topic])
        if topic not in found:
            raise missing(topic)
        return found[topic].id

    async def stop(self) -> None:
        """Close."""
        await self._admin.close()
        await self._client.close()
