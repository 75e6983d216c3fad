"""What a partition of ``enriched.v1`` has had, between two lives of a worker: a file, and the log behind it.

The file in the state folder says up to which offset it is complete and of which incarnation of the topic; the rest is
read from the log at assignment (headers only). Without a file, or with one of another topic, the whole partition is
read. The file holds nothing but facts about committed records, so it does not matter which worker wrote it last, a
fenced one included; it is replaced in one step, so it is never half there.
"""

import zipfile
from collections.abc import Iterable
from pathlib import Path
from tempfile import NamedTemporaryFile

import numpy as np

from services.common import logs
from services.common.bus import Partition, Reader, Received
from services.common.envelope import FINGERPRINT
from services.enrich.seen import Seen, hash_of

_BATCH = 2_000
_SAVE_EVERY = 50_000
"""Records after which the file is written anew."""
_log = logs.get(__name__)


class Memory:
    """The ``seen`` of one partition, complete up to an offset, with its file."""

    def __init__(self, folder: Path, partition: Partition, incarnation: str) -> None:
        self.seen = Seen()
        self._path = folder / f"{partition.topic}-{partition.number}.npz"
        self._partition = partition
        self._incarnation = incarnation
        self._offset = 0
        self._saved = 0
        self._restore()

    async def catch_up(self, reader: Reader) -> None:
        """Read what was committed since; nobody may have a transaction open there, or its records would be missed."""
        first, end = (await reader.bounds(self._partition.topic))[self._partition]
        offset = max(first, self._offset)
        if offset < end:
            await reader.start_at({self._partition: offset})
            while await reader.position(self._partition) < end:
                self.seen.add(map(_hash, await reader.poll(limit=_BATCH, wait=0.2)))
        self._offset = end

    def add(self, hashes: Iterable[int], offset: int) -> None:
        """Take in what has been committed; ``offset`` is behind the last of them in ``enriched.v1``."""
        self.seen.add(hashes)
        self._offset = max(offset, self._offset)

    def save(self, *, after: int = _SAVE_EVERY) -> None:
        """Write the file when at least ``after`` records came in since the last time. Blocks; call it in a thread."""
        if self._offset - self._saved < after:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=self._path.parent, prefix=self._path.stem, suffix=".part", delete=False) as file:
            arrays = {**self.seen.arrays(), "incarnation": np.str_(self._incarnation), "offset": np.int64(self._offset)}
            np.savez(file, **arrays)  # type: ignore[arg-type]  # the stub takes the names for its own flag
        Path(file.name).replace(self._path)
        self._saved = self._offset

    def _restore(self) -> None:
        try:
            with self._path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                if str(arrays["incarnation"]) == self._incarnation:
                    self.seen.restore({name: arrays[name] for name in arrays.files})
                    self._offset = self._saved = int(arrays["offset"])
        except FileNotFoundError:
            return
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            _log.warning("file of known activities cannot be used, the log is read", error=type(error).__name__)
            self.seen = Seen()


def _hash(record: Received) -> int:
    return hash_of(record.key, record.headers.get(FINGERPRINT, b"").decode(errors="replace"))
