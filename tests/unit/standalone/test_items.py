import hashlib
import re
from pathlib import Path

import pytest

from services.common.errors import Stop
from services.standalone import items
from services.standalone.items import DamagedError, Item

CONTENT = b"something"
ITEM = Item("a/b.jar", "libs/b.jar", hashlib.sha256(CONTENT).hexdigest(), len(CONTENT), len(CONTENT))


def arrive(folder: Path, content: bytes) -> None:
    ITEM.part(folder).parent.mkdir(exist_ok=True)
    ITEM.part(folder).write_bytes(content)


def test_what_is_right_is_put_into_place(tmp_path: Path) -> None:
    arrive(tmp_path, CONTENT)
    assert ITEM.missing(tmp_path)
    items.settle(ITEM, tmp_path)
    assert not ITEM.missing(tmp_path)
    assert not ITEM.part(tmp_path).exists()


def test_what_is_wrong_is_removed(tmp_path: Path) -> None:
    arrive(tmp_path, b"something else")
    with pytest.raises(DamagedError):
        items.settle(ITEM, tmp_path)
    assert not ITEM.part(tmp_path).exists()
    assert ITEM.missing(tmp_path)


def test_a_file_cut_short_later_counts_as_missing(tmp_path: Path) -> None:
    arrive(tmp_path, CONTENT)
    items.settle(ITEM, tmp_path)
    (tmp_path / ITEM.name).write_bytes(b"some")
    assert ITEM.missing(tmp_path)


def test_a_full_disk_is_said(tmp_path: Path) -> None:
    def full(content: bytes) -> int:
        raise OSError(28, "No space left on device")

    with pytest.raises(Stop, match=r"cannot be written \(No space left on device\): make room"):
        items.write(full, b"x", tmp_path / "file")


@pytest.mark.parametrize(("name", "count", "most"), [("kafka", 47, 50e6), ("elasticsearch", 107, 50e6)])
def test_the_locks_pin_every_file(name: str, count: int, most: float) -> None:
    lock = items.lock(name)
    assert re.fullmatch(rf"{name}-[\d.]+-[0-9a-f]{{8}}", lock.folder)
    assert len(lock.items) == count
    assert len({item.name for item in lock.items}) == count
    assert all(re.fullmatch("[0-9a-f]{64}", item.sha256) for item in lock.items)
    assert not any(item.name.startswith("/") or ".." in item.name for item in lock.items)
    assert sum(item.transfer for item in lock.items) < most
