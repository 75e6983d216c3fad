from pathlib import Path

import pytest

from services.common.errors import Stop
from services.standalone import sources

TOKEN = {"WATERCOOLER_MATRIX_ACCESS_TOKEN": "secret"}


def told(*given: str) -> list[tuple[str, str, object]]:
    return [(source.name, source.kind, source.options()["url"]) for source in sources.parse(given, environ=TOKEN)]


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
    with pytest.raises(Stop, match=r"is not understood: write KIND:WHERE with one of git, matrix, mediawiki, such as"):
        sources.parse([wrong])


def test_a_needed_secret_comes_from_a_variable_or_a_file(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("from a file\n")
    given = ["matrix:https://chat.example"]
    in_file = {"WATERCOOLER_MATRIX_ACCESS_TOKEN_FILE": str(tmp_path / "token")}
    assert sources.parse(given, environ=TOKEN)[0].options()["access_token"] == "secret"
    assert sources.parse(given, environ=in_file)[0].options()["access_token"] == "from a file"


def test_a_needed_secret_that_is_missing_is_named_with_its_variable(tmp_path: Path) -> None:
    with pytest.raises(Stop, match=r"needs its access token: set WATERCOOLER_MATRIX_ACCESS_TOKEN, or"):
        sources.parse(["matrix:https://chat.example"], environ={})
    with pytest.raises(Stop, match=r"ACCESS_TOKEN_FILE=.*none cannot be read \(No such file or directory\)"):
        sources.parse(["matrix:https://x.y"], environ={"WATERCOOLER_MATRIX_ACCESS_TOKEN_FILE": str(tmp_path / "none")})


def test_what_the_connector_refuses_is_said_before_anything_starts() -> None:
    with pytest.raises(Stop, match=r"source wiki\.example \(mediawiki\) is not set up rightly: url: .*must begin with"):
        sources.parse(["mediawiki:ftp://wiki.example"], environ={})
