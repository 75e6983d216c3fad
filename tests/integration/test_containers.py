"""The image, built from deploy/Dockerfile and run by testcontainers beside a real Kafka and Elasticsearch.

Docker is optional: where no engine answers, these tests are named as not run, or fail if WATERCOOLER_REQUIRE holds
"docker". `make test-docker` starts an engine where none runs. Containers share the machine's network, as the servers of
the tests listen on loopback.
"""

import asyncio
import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import docker
import pytest
from aiohttp import ClientSession
from aiokafka.admin import AIOKafkaAdminClient
from docker.errors import BuildError, DockerException
from testcontainers.core.container import DockerContainer
from testcontainers.core.image import DockerImage
from testcontainers.core.wait_strategies import ExecWaitStrategy

from services.__main__ import COMMANDS
from services.common.topics import TOPICS
from tests.fixtures.process import free_port, missing

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

ROOT = Path(__file__).parents[2]
HEALTHY = "import sys, urllib.request as u; sys.exit(u.urlopen(sys.argv[1], timeout=2).status != 200)"


@pytest.fixture(scope="module")
def engine() -> None:
    """Go on only where a Docker engine answers."""
    try:
        client = docker.from_env(timeout=5)
    except DockerException as error:
        missing(f"not run: no Docker engine answers ({error}); make test-docker starts one", "docker")
    client.close()


@pytest.fixture(scope="module")
def image(engine: None) -> Iterator[str]:
    """Name of the image, built from this checkout; the layers stay for the next time."""
    base = {"BASE": one} if (one := os.environ.get("WATERCOOLER_TEST_BASE")) else {}
    built = DockerImage(
        ROOT, tag="watercooler:test", dockerfile_path="deploy/Dockerfile", clean_up=False, buildargs=base
    )
    try:
        built.build()
    except BuildError as error:
        said = "".join(str(line.get("stream", "")) for line in error.build_log if isinstance(line, dict))
        pytest.fail(f"deploy/Dockerfile: {error.msg}\n{said[-3000:]}", pytrace=False)
    except DockerException as error:
        missing(f"not run: the image cannot be built ({error}); set WATERCOOLER_TEST_BASE to a base image", "docker")
    yield str(built)
    built.remove()


def run(image: str, *command: str, environment: dict[str, str] | None = None) -> str:
    """Run a command of the image to its end; returns what it said, fails unless it exits with 0."""
    with DockerContainer(image, env=environment, network_mode="host").with_command(list(command)) as one:
        code = one.wait()
        out, err = (part.decode() for part in one.get_logs())
    assert code == 0, f"watercooler {' '.join(command)} exited with {code}: {err[-2000:]}"
    return out


@pytest.fixture
def environment(kafka: str, elastic: str) -> dict[str, str]:
    """Settings of a container: the servers of the tests, a prefix of its own."""
    mark = uuid4().hex[:8]
    return {
        "WATERCOOLER_KAFKA": kafka,
        "WATERCOOLER_KAFKA_PARTITIONS": "2",
        "WATERCOOLER_KAFKA_REPLICATION": "1",
        "WATERCOOLER_ELASTICSEARCH": elastic,
        "WATERCOOLER_TOPIC_PREFIX": f"c{mark}.",
        "WATERCOOLER_INDEX_PREFIX": f"c{mark}-",
        "WATERCOOLER_GATEWAY_PORT": str(free_port()),
        "WATERCOOLER_AUTH": "demo",
    }


async def topics_under(kafka: str, prefix: str) -> set[str]:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    try:
        return {name for name in await admin.list_topics() if name.startswith(prefix)}
    finally:
        await admin.close()


async def remove(kafka: str, topics: set[str]) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    try:
        await admin.delete_topics(sorted(topics))
    finally:
        await admin.close()


def test_the_image_explains_itself(image: str) -> None:
    said = run(image)
    assert [name for name in COMMANDS if f"  {name} " not in said] == []


def test_a_container_is_not_root_and_finds_git(image: str) -> None:
    client = docker.from_env()
    said = client.containers.run(image, ["-c", "id -un && git --version"], entrypoint="sh", remove=True).decode()
    client.close()
    assert said.splitlines()[0] == "watercooler"
    assert said.splitlines()[1].startswith("git version")


async def test_topics_are_made_from_a_container(image: str, environment: dict[str, str]) -> None:
    kafka, prefix = environment["WATERCOOLER_KAFKA"], environment["WATERCOOLER_TOPIC_PREFIX"]
    await asyncio.to_thread(run, image, "topics", "apply", environment=environment)
    made = await topics_under(kafka, prefix)
    await remove(kafka, made)
    assert made == {topic.name(prefix) for topic in TOPICS}


async def test_a_gateway_in_a_container_answers_and_ends_at_sigterm(image: str, environment: dict[str, str]) -> None:
    kafka, prefix = environment["WATERCOOLER_KAFKA"], environment["WATERCOOLER_TOPIC_PREFIX"]
    await asyncio.to_thread(run, image, "topics", "apply", environment=environment)
    url = f"http://127.0.0.1:{environment['WATERCOOLER_GATEWAY_PORT']}"
    gateway = DockerContainer(image, env=environment, network_mode="host").with_command(["gateway"])
    healthy = ExecWaitStrategy(["python3", "-c", HEALTHY, f"{url}/healthz"]).with_startup_timeout(timedelta(seconds=90))
    gateway.waiting_for(healthy)
    try:
        await asyncio.to_thread(gateway.start)
        async with ClientSession() as session, session.get(f"{url}/metrics") as answer:
            assert answer.status == 200
            assert "watercooler_stream_readers" in await answer.text()
        wrapped = gateway.get_wrapped_container()
        await asyncio.to_thread(wrapped.stop, timeout=30)
        assert await asyncio.to_thread(gateway.wait) == 0
    finally:
        gateway.stop()
        await remove(kafka, await topics_under(kafka, prefix))


def test_a_mistake_in_the_settings_is_one_sentence_and_not_a_trace(image: str) -> None:
    with DockerContainer(image, env={"WATERCOOLER_KAFKA_PARTITIONS": "none"}).with_command(["topics", "diff"]) as one:
        code = one.wait()
        _, err = (part.decode() for part in one.get_logs())
    assert code == 1
    assert "kafka_partitions" in err.lower()
    assert "Traceback" not in err
