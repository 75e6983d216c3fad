from pathlib import Path

import pytest

from services.common.errors import Stop
from services.standalone import folder


def test_a_new_folder_is_marked_and_found_good_again(tmp_path: Path) -> None:
    state = folder.prepare(tmp_path / "deep" / "state")
    assert state.is_dir()
    assert folder.prepare(state) == state


@pytest.mark.parametrize("marker", ['{"format": 0}', '{"format": 2}', "[]", "not json"])
def test_data_of_another_version_is_refused(tmp_path: Path, marker: str) -> None:
    (tmp_path / "format.json").write_text(marker)
    with pytest.raises(Stop, match=r"has format \S+ and this version reads format 1: move it away"):
        folder.prepare(tmp_path)


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "letters").mkdir()
    with pytest.raises(Stop, match="has format unknown"):
        folder.prepare(tmp_path)


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Stop, match=r"cannot be written \(Not a directory\): choose another with --state"):
        folder.prepare(tmp_path / "file" / "state")


def test_too_little_room_is_said(tmp_path: Path) -> None:
    with pytest.raises(Stop, match=r"MB left and 1,000,000,000,000 MB are needed: make room"):
        folder.require_room(tmp_path, 10**18)


def test_the_cache_is_the_users_unless_chosen(tmp_path: Path) -> None:
    assert folder.cache({"WATERCOOLER_CACHE": str(tmp_path)}) == tmp_path
    assert folder.cache({"XDG_CACHE_HOME": str(tmp_path)}) == tmp_path / "watercooler"
    assert folder.cache({}) == Path.home() / ".cache" / "watercooler"
