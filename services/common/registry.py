"""A schema registry, where one is configured: our schemas are registered there, and records carry its ids.

API: docs.confluent.io, "Schema Registry API reference", POST /subjects/(subject)/versions; others speak it too.
"""

from collections.abc import Iterable

import orjson

from services.common import schemas
from services.common.errors import Stop
from services.common.http import Answer, Http, HttpOptions, opened
from services.common.settings import Settings
from services.common.topics import TOPICS, Topic

_REFUSED = frozenset({409, 422})


async def learn(settings: Settings, topics: Iterable[Topic] = TOPICS) -> None:
    """Register all schemas and use the registry's ids from now on; without a registry nothing happens.

    Raises Retry when it does not answer, Stop when it refuses us or a schema.
    """
    url = settings.schema_registry.get_secret_value()
    if not url:
        return
    options = HttpOptions(requests=100, setting="WATERCOOLER_SCHEMA_REGISTRY")
    async with opened("schema registry", url.rstrip("/") + "/", options) as http:
        ids = {}
        for topic in topics:
            for name in schemas.versions(topic.schema):
                ids[await _register(http, f"{topic.name(settings.topic_prefix)}-value", name)] = name
    schemas.learn(ids)


async def _register(http: Http, subject: str, name: str) -> int:
    answer = await http.post(f"subjects/{subject}/versions", json={"schema": schemas.text(name)}, allow=_REFUSED)
    if answer.status in _REFUSED:
        raise Stop(f"the schema registry refuses {name} as {subject}: {_message(answer)}")
    return int(answer.json()["id"])


def _message(answer: Answer) -> str:
    try:
        return str(orjson.loads(answer.body)["message"])[:500]
    except (ValueError, KeyError, TypeError):
        return f"status {answer.status}"
