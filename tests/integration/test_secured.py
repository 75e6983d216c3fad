"""Kafka over TLS with SASL/SCRAM and access rules: the right settings work, and of the wrong ones it is said which."""

import argparse
import asyncio
import base64
import os
import re
import shlex
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest
import trustme
from aiohttp import ClientSession
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # public names, not listed as such
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from services.common.bus import Outgoing
from services.common.bus.kafka import KafkaBus, KafkaSettings
from services.common.errors import Stop
from services.common.topics import PUBLIC, TOPICS
from services.standalone import ports
from services.standalone.install import Installed, prepare
from services.standalone.process import Server
from tests.e2e.load import write
from tests.fixtures.process import missing
from tests.fixtures.stack import Stack, environment, eventually

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

PASSWORD = "between us"
SERVICES = {"ingest": (), "enrich": ("enrich", "score"), "indexer": ("index",), "gateway": ("gateway",)}
USERS = ("admin", "our-team", "stranger", *(f"watercooler-{principal}" for principal in SERVICES))
PREFIX = "secured."
PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=SASL_SSL://127.0.0.1:{port},INSIDE://127.0.0.1:{inside},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=SASL_SSL://127.0.0.1:{port},INSIDE://127.0.0.1:{inside}
listener.security.protocol.map=SASL_SSL:SASL_SSL,INSIDE:PLAINTEXT,CONTROLLER:PLAINTEXT
controller.listener.names=CONTROLLER
inter.broker.listener.name=INSIDE
sasl.enabled.mechanisms=SCRAM-SHA-512
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
ssl.keystore.type=PEM
ssl.keystore.location={folder}/server.pem
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS;User:admin
allow.everyone.if.no.acl.found=false
log.dirs={folder}/data
offsets.topic.replication.factor=1
offsets.topic.num.partitions=2
transaction.state.log.replication.factor=1
transaction.state.log.num.partitions=2
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
auto.create.topics.enable=false
"""


@dataclass
class Secured:
    """A Kafka that asks who one is."""

    folder: Path
    installed: Installed
    port: int = field(default_factory=ports.free)
    inside: int = field(default_factory=ports.free)

    @property
    def authority(self) -> str:
        """File with the certificate authority."""
        return str(self.folder / "ca.pem")

    def settings(self, user: str, **changed: str) -> KafkaSettings:
        """How a user of it speaks to it."""
        right = {"username": user, "password": PASSWORD, "ca_file": self.authority}
        return KafkaSettings(
            bootstrap=f"127.0.0.1:{self.port}",
            security="SASL_SSL",
            partitions=2,
            replication=1,
            patience=5,
            **{**right, **changed},
        )

    def environ(self, user: str, **changed: str) -> dict[str, str]:
        """The same as variables of a service."""
        secret = self.folder / "password"
        secret.write_text(PASSWORD + "\n")
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("WATERCOOLER_")}
        return {
            **inherited,
            "WATERCOOLER_KAFKA": f"127.0.0.1:{self.port}",
            "WATERCOOLER_KAFKA_SECURITY": "SASL_SSL",
            "WATERCOOLER_KAFKA_USERNAME": user,
            "WATERCOOLER_KAFKA_PASSWORD_FILE": str(secret),
            "WATERCOOLER_KAFKA_CA_FILE": self.authority,
            "WATERCOOLER_KAFKA_PARTITIONS": "2",
            "WATERCOOLER_KAFKA_REPLICATION": "1",
            "WATERCOOLER_TOPIC_PREFIX": PREFIX,
            **changed,
        }

    def watercooler(self, *arguments: str, **environ: str) -> "subprocess.CompletedProcess[str]":
        """Run the command to its end."""
        command = [sys.executable, "-m", "services", *arguments]
        return subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60, check=False)

    def java(self, *arguments: str) -> list[str]:
        """A command of Kafka's."""
        return [str(self.installed.java.program), "-cp", str(self.installed.kafka / "libs" / "*"), *arguments]

    def prepare(self) -> None:
        """Make certificates, settings and users."""
        authority = trustme.CA()
        authority.cert_pem.write_to_path(self.authority)
        mine = authority.issue_cert("127.0.0.1")
        key = load_pem_private_key(mine.private_key_pem.bytes(), None)
        plain = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())  # the one form that Kafka reads
        (self.folder / "server.pem").write_bytes(plain + b"".join(one.bytes() for one in mine.cert_chain_pems))
        chosen = {"port": self.port, "inside": self.inside, "controller": ports.free(), "folder": self.folder}
        (self.folder / "server.properties").write_text(PROPERTIES.format(**chosen))
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        users = [f"--add-scram=SCRAM-SHA-512=[name={user},password={PASSWORD}]" for user in USERS]
        command = self.java("kafka.tools.StorageTool", "format", "-t", cluster)
        command += ["-c", str(self.folder / "server.properties"), *users]
        subprocess.run(command, check=True, capture_output=True, timeout=60)

    async def start(self) -> Server:
        """Start it; returns once an admin is let in."""
        server = Server(
            "Kafka", self.port, self.java("kafka.Kafka", str(self.folder / "server.properties")), self.folder
        )

        async def answers() -> bool:
            if not ports.open_at(self.port):
                return False
            admin = await KafkaBus(self.settings("admin"), PREFIX).admin()
            await admin.stop()
            return True

        await server.ready(answers)
        return server


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    """A Kafka over SASL_SSL with the topics made by its admin."""
    loop, server = asyncio.new_event_loop(), None
    try:
        one = Secured(tmp_path_factory.mktemp("secured"), loop.run_until_complete(prepare()))
        one.prepare()
        server = loop.run_until_complete(one.start())
        loop.run_until_complete(make_topics(one))
        yield one
    except Stop as error:
        missing(f"not run: Kafka: {error}")
    finally:
        if server is not None:
            server.kill()
        loop.close()


async def make_topics(secured: Secured) -> None:
    admin = await KafkaBus(secured.settings("admin"), PREFIX).admin()
    await admin.apply(TOPICS)
    await admin.stop()


async def test_an_admin_writes_and_reads(secured: Secured) -> None:
    bus = KafkaBus(secured.settings("admin"), PREFIX)
    publisher, reader = await bus.publisher(), await bus.reader()
    await publisher.publish([Outgoing(topic=PUBLIC.name(PREFIX), key="one", value=b"said")])
    bounds = await reader.bounds(PUBLIC.name(PREFIX))
    await reader.start_at({place: first for place, (first, _) in bounds.items()})
    assert [record.value for record in await reader.poll(limit=10, wait=10)] == [b"said"]
    await reader.stop()
    await publisher.stop()


async def test_a_wrong_password_is_said_and_not_shown(secured: Secured) -> None:
    wrong = secured.environ("admin") | {"WATERCOOLER_KAFKA_PASSWORD": "guessed-it"}
    del wrong["WATERCOOLER_KAFKA_PASSWORD_FILE"]
    done = await asyncio.to_thread(secured.watercooler, "topics", "diff", **wrong)
    assert done.returncode == 1
    assert "does not know us" in done.stderr
    assert "WATERCOOLER_KAFKA_USERNAME" in done.stderr
    assert "guessed-it" not in done.stderr + done.stdout
    assert "Traceback" not in done.stderr


async def test_a_server_whose_authority_is_not_trusted_gets_nothing(secured: Secured) -> None:
    stranger = trustme.CA()
    other = secured.folder / "other.pem"
    stranger.cert_pem.write_to_path(other)
    wrong = secured.environ("admin", WATERCOOLER_KAFKA_CA_FILE=str(other))
    done = await asyncio.to_thread(secured.watercooler, "topics", "diff", **wrong)
    assert done.returncode == 1
    assert "WATERCOOLER_KAFKA_CA_FILE" in done.stderr
    assert PASSWORD not in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("security", ["SSL", "SASL_SSL", "SASL_PLAINTEXT"])
async def test_a_server_that_speaks_otherwise_is_said_to_do_so(secured: Secured, kafka: str, security: str) -> None:
    wrong = secured.environ("admin", WATERCOOLER_KAFKA=kafka, WATERCOOLER_KAFKA_SECURITY=security)
    done = await asyncio.to_thread(secured.watercooler, "topics", "diff", **wrong)
    assert done.returncode == 1
    assert "WATERCOOLER_KAFKA_SECURITY" in done.stderr
    assert "Traceback" not in done.stderr


async def test_a_file_that_is_no_certificate_is_named(secured: Secured) -> None:
    wrong = secured.environ("admin", WATERCOOLER_KAFKA_CA_FILE=str(secured.folder / "password"))
    done = await asyncio.to_thread(secured.watercooler, "topics", "diff", **wrong)
    assert done.returncode == 1
    assert "WATERCOOLER_KAFKA_CA_FILE" in done.stderr
    assert "Traceback" not in done.stderr


async def test_a_stranger_is_refused_with_the_way_to_be_let_in(secured: Secured) -> None:
    bus = KafkaBus(secured.settings("stranger"), PREFIX)
    with pytest.raises(Stop, match="watercooler topics acl"):
        await read_one(bus, TOPICS[0].name(PREFIX))


def grant(secured: Secured) -> None:
    """Do what the printed commands say: one with Kafka's own tool, which then knows the form, the others by its API."""
    printed = secured.watercooler("topics", "acl", "--team", "our-team", **secured.environ("admin"))
    lines = [shlex.split(line) for line in printed.stdout.splitlines() if not line.startswith("#")]
    assert len(lines) > 20
    inside = ["--bootstrap-server", f"127.0.0.1:{secured.inside}"]
    tool = secured.java("org.apache.kafka.tools.AclCommand", *inside, *lines[0][3:])
    subprocess.run(tool, check=True, capture_output=True, timeout=60)
    admin = AdminClient({"bootstrap.servers": inside[1]})
    wanted = [binding for line in lines[1:] for binding in bindings(line[3:])]
    for future in admin.create_acls(wanted, request_timeout=30).values():
        future.result()


def bindings(options: Sequence[str]) -> Iterator[AclBinding]:
    """Read the options of kafka-acls.sh."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--add", action="store_true", required=True)
    parser.add_argument("--allow-principal", required=True)
    parser.add_argument("--operation", action="append", required=True)
    parser.add_argument("--resource-pattern-type", default="literal")
    kinds = parser.add_mutually_exclusive_group(required=True)
    for kind in ("topic", "group", "transactional-id"):
        kinds.add_argument(f"--{kind}")
    read = parser.parse_args(options)
    kind, name = next((one, getattr(read, one)) for one in ("topic", "group", "transactional_id") if getattr(read, one))
    for operation in read.operation:
        words = re.sub(r"(?<!^)(?=[A-Z])", "_", operation).upper()
        yield AclBinding(
            ResourceType[kind.upper()],
            name,
            ResourcePatternType[read.resource_pattern_type.upper()],
            read.allow_principal,
            "*",
            AclOperation[words],
            AclPermissionType.ALLOW,
        )


@pytest.mark.timeout(600)
async def test_each_service_can_do_its_part_with_the_rights_that_are_printed(
    secured: Secured, elastic: str, tmp_path: Path
) -> None:
    await asyncio.to_thread(grant, secured)
    environ, service_ports = environment("unused", elastic, tmp_path)
    stacks = {
        principal: Stack(tmp_path, environ | secured.environ(f"watercooler-{principal}"), service_ports)
        for principal in SERVICES
    }
    try:
        for principal, services in SERVICES.items():
            if services:
                stacks[principal].start(*services)
        for principal, services in SERVICES.items():
            await stacks[principal].ready(*services)
        path = write(tmp_path / "some.jsonl.gz", 100)
        await asyncio.to_thread(stacks["ingest"].run, "import", str(path))
        for principal, topic, least in (("enrich", "public", 100), ("enrich", "profile", 1)):
            reading = partial(stacks["gateway"].run, "topics", "tail", topic, "--from-beginning", "--to-end", "--json")

            async def holds(reading: Callable[[], str] = reading, least: int = least) -> bool:
                return len((await asyncio.to_thread(reading)).splitlines()) >= least

            await eventually(holds, what=f"{topic} holds {least}", stack=stacks[principal], pause=2)
        await eventually(partial(found, stacks["gateway"]), what="search finds it", stack=stacks["indexer"])
        ended = [(name, one.processes[name].poll()) for one in stacks.values() for name in one.processes]
        assert {code for _, code in ended} == {None}
    finally:
        for one in stacks.values():
            await asyncio.to_thread(one.stop)


async def found(stack: Stack) -> bool:
    """Whether somebody finds an imported activity by its word."""
    asked = {"q": "n42", "as": "person:1"}
    async with ClientSession() as session, session.get(f"{stack.url()}/v1/search", params=asked) as answer:
        return answer.status == 200 and "load:note:42" in await answer.text()


async def test_another_team_reads_what_is_shared_and_nothing_else(secured: Secured) -> None:
    await asyncio.to_thread(grant, secured)
    bus = KafkaBus(secured.settings("our-team"), PREFIX)
    await read_one(bus, PUBLIC.name(PREFIX))
    for topic in TOPICS:
        if not topic.shared:
            with pytest.raises(Stop, match="does not let us"):
                await read_one(bus, topic.name(PREFIX))


async def read_one(bus: KafkaBus, topic: str) -> None:
    """Read the beginning of a topic, or raise why that is refused."""
    reader = await bus.reader()
    try:
        bounds = await reader.bounds(topic)
        await reader.start_at({place: first for place, (first, _) in bounds.items()})
        await reader.poll(limit=1, wait=1)
    finally:
        await reader.stop()
