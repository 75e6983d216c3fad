from pathlib import Path

import pytest

from services.common.errors import Stop
from services.standalone import sources


def told(*given: str) -> list[tuple[str, str, object]]:
    return [(source.name, source.kind, source.options()["url"]) for source in sources.parse(given)]


def test_addresses_are_named_by_repository_or_host() -> None:
    assert told(
        "git:https://code.example/team/Some_Project.git",
        "mediawiki:https://wiki.example/w/api.php",
        "matrix:https://chat.example",
    ) == [
        ("some_project", "git", "https://code.example/team/Some_Project.git"),
        ("wiki.example", "mediawiki", "https://wiki.example/w/api.php"),
        ("chat.example", "matrix", "https://chat.example"),
    ]


def test_a_folder_is_named_by_itself_and_given_in_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "My Code").mkdir()
    monkeypatch.chdir(tmp_path / "My Code")
    assert told("git:.") == [("my-code", "git", str(tmp_path / "My Code"))]


def test_equal_names_are_kept_apart() -> None:
    parsed = sources.parse(["git:https://a.example/x", "git:https://b.example/x"], taken=["x"])
    assert [source.name for source in parsed] == ["x-2", "x-3"]


@pytest.mark.parametrize("wrong", ["git", "git:", ":x", "fax:123", "https://wiki.example"])
def test_what_is_not_understood_is_shown_with_an_example(wrong: str) -> None:
    with pytest.raises(Stop, match=r"is not understood: write KIND:WHERE with one of git, mediawiki, matrix, such as"):
        sources.parse([wrong])
