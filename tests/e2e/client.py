"""A person with curl: asks the gateway of a stack as somebody, and reads the log as an operator would."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from aiohttp import ClientSession
from aiokafka import AIOKafkaConsumer, TopicPartition
from elasticsearch import AsyncElasticsearch

from tests.fixtures.stack import Stack


async def get(stack: Stack, path: str, *, as_: str = "person:1", **params: str) -> str:
    """Return the body of a page or resource as text, whatever its status."""
    async with (
        ClientSession() as session,
        session.get(f"{stack.url()}{path}", params={"as": as_, **params}) as answer,
    ):
        return await answer.text()


async def page_of(stack: Stack, object_id: str, *, as_: str = "person:1") -> str:
    """Return what the API says of an object, as text."""
    return await get(stack, f"/v1/objects/{quote(object_id, safe='')}", as_=as_)


def import_lines(stack: Stack, lines: Iterable[dict[str, Any]], *, name: str) -> None:
    """Import activities in the import form through the command."""
    path = Path(stack.folder) / f"{name}.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in lines), encoding="utf-8")
    stack.run("import", str(path), "--source", name)


def configure(stack: Stack, *sources: dict[str, str | float | list[str]]) -> None:
    """Write the sources into the stack's configuration file."""
    tables = [
        "[[sources]]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in one.items()) for one in sources
    ]
    (stack.folder / "watercooler.toml").write_text("\n".join(tables), encoding="utf-8")


async def log_of(stack: Stack, topic: str) -> dict[str, bytes | None]:
    """Return the newest value of each key of a topic, read committed: what is left after compaction."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=stack.environ["WATERCOOLER_KAFKA"], isolation_level="read_committed", enable_auto_commit=False
    )
    await consumer.start()
    try:
        partitions = [TopicPartition(f"{stack.prefix}{topic}", n) for n in range(4)]
        consumer.assign(partitions)
        await consumer.seek_to_beginning()
        ends = await consumer.end_offsets(partitions)
        newest: dict[str, bytes | None] = {}
        while any([await consumer.position(p) < end for p, end in ends.items()]):
            for batch in (await consumer.getmany(timeout_ms=500)).values():
                newest.update({record.key.decode(): record.value for record in batch})
        return newest
    finally:
        await consumer.stop()


async def documents(stack: Stack) -> str:
    """Return every document of every index of the stack as text."""
    prefix = stack.environ["WATERCOOLER_INDEX_PREFIX"]
    async with AsyncElasticsearch(stack.environ["WATERCOOLER_ELASTICSEARCH"]) as client:
        await client.indices.refresh(index=f"{prefix}*")
        found = await client.search(index=f"{prefix}*", size=1000)
        return json.dumps(found["hits"]["hits"])
