"""One real Elasticsearch node, with its data in a folder. This set has no users and no TLS: it is bound to loopback."""

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path

import aiohttp

from services.standalone import jvm, launcher, patches, ports, priority
from services.standalone.java import Java
from services.standalone.process import Server

MAIN = "org.elasticsearch.server/org.elasticsearch.bootstrap.Elasticsearch"
_LUCENE = "org.apache.lucene.core/org.apache.lucene"
# As Elasticsearch's own launcher sets them.
_PROPERTIES = {
    "file.encoding": "UTF-8",
    "io.netty.noUnsafe": "true",
    "io.netty.noKeySetOptimization": "true",
    "io.netty.recycler.maxCapacityPerThread": "0",
    "es.networkaddress.cache.ttl": "60",
    "es.networkaddress.cache.negative.ttl": "10",
    "log4j.shutdownHookEnabled": "false",
    "log4j2.disable.jmx": "true",
    "log4j2.formatMsgNoLookups": "true",
    "java.locale.providers": "CLDR",
    "jdk.attach.allowAttachSelf": "true",
    "org.apache.lucene.vectorization.upperJavaFeatureVersion": "25",
    "org.apache.lucene.store.defaultReadAdvice": "normal",
    "org.apache.lucene.store.MMapDirectory.sharedArenaMaxPermits": "1",
    "es.distribution.type": "zip",
    "es.java.type": "ES_JAVA_HOME",
}


async def start(state: Path, port: int, java: Java, home: Path, *, heap: str = "512m", lasting: bool = False) -> Server:
    """Start `home`'s Elasticsearch on a loopback port, data under `state`/elasticsearch; return once it answers.

    Stop when the port is taken, when the folder is in use, or when it does not come up.
    """
    folder = state / "elasticsearch"
    home = await asyncio.to_thread(home.resolve)
    ports.require(port, "Elasticsearch", "WATERCOOLER_ELASTICSEARCH_PORT")
    modules = await asyncio.to_thread(_prepare, folder, home, java)
    server = Server(
        "Elasticsearch",
        port,
        priority.polite("elasticsearch", command(java, home, modules, folder, heap, lasting=lasting)),
        folder,
        environ={"LIBFFI_TMPDIR": str(folder / "tmp"), "ES_TMPDIR": str(folder / "tmp")},
        unroot=os.geteuid() == 0,  # it refuses to run as root
        stdin=launcher.message(settings(home, folder, port), str(folder / "config"), str(folder / "logs")),
    )
    await server.ready(lambda: answers(server))
    return server


def _prepare(folder: Path, home: Path, java: Java) -> list[Path]:
    """Make the folders the node expects and return where its modules are, first found first used."""
    for name in ("config", "data", "logs", "tmp"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (home / "plugins").mkdir(exist_ok=True)
    jvm.write_logging(folder / "config" / "log4j2.properties", folder / "logs" / "elasticsearch.log")
    lib = home / "lib"
    if java.modules >= patches.OPTIONAL:
        return [lib]
    return [patches.patched(lib, home / "patched"), lib]


def settings(home: Path, folder: Path, port: int) -> dict[str, str | Sequence[str]]:
    """The node's settings."""
    return {
        "path.home": str(home),
        "path.data": [str(folder / "data")],
        "path.logs": str(folder / "logs"),
        "cluster.name": "watercooler",
        "node.name": "standalone",
        "discovery.type": "single-node",
        "network.host": ports.HOST,
        "http.port": str(port),
        "transport.port": str(ports.free()),
        # A nearly full disk would make every index read-only.
        "cluster.routing.allocation.disk.threshold_enabled": "false",
        "action.destructive_requires_name": "false",
    }


def command(java: Java, home: Path, modules: Sequence[Path], folder: Path, heap: str, *, lasting: bool) -> list[str]:
    """The server's command line, as the launcher would make it for a heap such as 512m."""
    (bridge,) = (home / "lib" / "entitlement-bridge").glob("*.jar")
    optional = [name for name in ("jdk.management.agent", "jdk.incubator.vector") if name in java.modules]
    exported = ["org.elasticsearch.entitlement", "java.logging", "java.net.http", "java.naming", "jdk.net", "jdk.zipfs"]
    exported += [name for name in optional if name == "jdk.management.agent"]
    return [
        java.program,
        *(f"-Xms{heap}", f"-Xmx{heap}", "-Xss1m", "-XX:MaxDirectMemorySize=256m"),
        *(jvm.LASTING if lasting else jvm.QUICK_START),
        *("-XX:G1HeapRegionSize=4m", "-XX:InitiatingHeapOccupancyPercent=30", "-XX:G1ReservePercent=15"),
        *("-XX:-OmitStackTraceInFastThrow", "-XX:+EnableDynamicAgentLoading"),
        f"-XX:ErrorFile={folder}/hs_err_pid%p.log",
        *(f"-D{name}={value}" for name, value in _PROPERTIES.items()),
        f"-Des.path.home={home}",
        f"-Djava.io.tmpdir={folder / 'tmp'}",
        *(f"--add-opens={_LUCENE}.{name}=org.elasticsearch.server" for name in _OPENED),
        "--add-opens=java.base/jdk.internal.misc=ALL-UNNAMED",
        "--add-opens=java.base/java.nio=ALL-UNNAMED",
        "--enable-native-access=org.elasticsearch.nativeaccess,org.apache.lucene.core,ALL-UNNAMED",
        f"--patch-module=java.base={bridge}",
        f"--add-exports=java.base/org.elasticsearch.entitlement.bridge={','.join(exported)}",
        f"--module-path={':'.join(map(str, modules))}",
        f"--add-modules={','.join(['jdk.net', *optional, 'ALL-MODULE-PATH'])}",
        *("-m", MAIN),
    ]


_OPENED = ("codecs.lucene99", "codecs.hnsw", "internal.vectorization")


async def answers(server: Server) -> bool:
    """True when the node has a state that can be searched."""
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session,
            session.get(f"{server.url}/_cluster/health?wait_for_status=yellow&timeout=1s") as response,
        ):
            return response.status == 200
    except (aiohttp.ClientError, TimeoutError):
        return False
