"""Files pinned by size and sha256, and how one that has arrived is checked and put into place."""

import hashlib
import json
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from services.common.errors import Stop

DATA = Path(__file__).parent / "data"


class DamagedError(Exception):
    """What has arrived is not what was pinned; nothing of it was kept."""


@dataclass(frozen=True, slots=True)
class Item:
    """One file to have: a whole file of the repository, or a part cut out of a zip archive there."""

    path: str  # in the repository
    name: str  # in the folder it goes to
    sha256: str  # of the file as it ends up
    size: int  # bytes, as it ends up
    transfer: int  # bytes to fetch
    offset: int | None = None  # where the part begins in the archive; None for a whole file
    deflated: bool = False

    def missing(self, folder: Path) -> bool:
        """True when the file is not in `folder` yet. Its name is given to checked files only, so the size is enough."""
        target = folder / self.name
        return not target.is_file() or target.stat().st_size != self.size

    def part(self, folder: Path) -> Path:
        """Where bytes are kept while they arrive."""
        return folder / ".parts" / f"{self.name.replace('/', '_')}.{self.sha256[:8]}"


@dataclass(frozen=True, slots=True)
class Lock:
    """A list of pinned files under data/, and the folder of the cache that they make up."""

    folder: str
    items: tuple[Item, ...]

    def missing(self, cache: Path) -> list[Item]:
        """The files that are not in the cache yet."""
        return [item for item in self.items if item.missing(cache / self.folder)]


def lock(name: str) -> Lock:
    """Read the lock `data/NAME.lock.json`. Its digest is part of the folder, so that a changed lock is a new folder."""
    text = (DATA / f"{name}.lock.json").read_bytes()
    content = json.loads(text)
    digest = hashlib.sha256(text).hexdigest()[:8]
    return Lock(f"{name}-{content['version']}-{digest}", tuple(Item(**entry) for entry in content["items"]))


def settle(item: Item, folder: Path) -> None:
    """Unpack what has arrived, check it and move it into place; DamagedError, and nothing kept, when it is wrong."""
    part = item.part(folder)
    content = part.read_bytes()
    try:
        if item.deflated:
            content = zlib.decompress(content, -zlib.MAX_WBITS)
    except zlib.error:
        content = b""
    if hashlib.sha256(content).hexdigest() != item.sha256:
        part.unlink()
        raise DamagedError(item.name)
    target = folder / item.name
    target.parent.mkdir(parents=True, exist_ok=True)
    if item.deflated:
        write(part.write_bytes, content, part)
    part.replace(target)


def write(writer: Callable[[bytes], int], content: bytes, file: Path) -> None:
    """Write, or Stop with a sentence when the disk is full or the folder not writable."""
    try:
        writer(content)
    except OSError as error:
        raise Stop(
            f"{file.parent} cannot be written ({error.strerror}): make room, or set WATERCOOLER_CACHE "
            "to another folder; what has arrived is kept."
        ) from error
