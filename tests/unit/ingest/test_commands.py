"""`watercooler sources` and `import` at the command line: what is said to good and to bad input (docs/bad-input.md)."""

import json
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from services.common.errors import Stop
from services.common.settings import Source
from services.ingest import registry
from services.ingest.commands import import_, sources

Run = Callable[..., Result]
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run `watercooler sources ...` in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("WATERCOOLER_SOURCES", raising=False)
    return lambda *arguments: CliRunner().invoke(sources, arguments)


def test_a_source_is_written_once_and_listed(run: Run) -> None:
    added = run("add", "wiki", "mediawiki", "url=https://wiki.example/api.php?a=b")
    assert "sources check wiki" in added.output
    [block] = tomllib.loads(Path("watercooler.toml").read_text())["sources"]
    assert block == {"name": "wiki", "kind": "mediawiki", "url": "https://wiki.example/api.php?a=b"}
    listed = json.loads(run("list", "--json").output)
    assert listed["sources"] == [{"name": "wiki", "kind": "mediawiki", "enabled": True}]
    assert set(listed["connectors"]) >= {"git", "mediawiki", "matrix", "webhook"}


BAD = {
    "a name with capitals": (("add", "Wiki", "git", "url=."), "lower-case"),
    "an option without a value": (("add", "x", "git", "url"), "KEY=VALUE"),
    "no such connector": (("add", "x", "telegraph"), "there is no connector 'telegraph'; there are git"),
    "an option that is missing": (("add", "x", "git"), "url: Field required"),
    "an option that there is not": (("add", "x", "git", "url=.", "colour=red"), "colour: Extra inputs"),
    "a secret that is missing": (("add", "my.hooks", "webhook"), "WATERCOOLER_SOURCE_MY_HOOKS_SECRET"),
    "the same name again": (("add", "taken", "git", "url=."), "there is a source named taken already"),
    "a check of none": (("check", "nobody"), "no source is named nobody"),
}


@pytest.mark.parametrize("what", BAD)
def test_bad_input_is_answered_in_one_sentence_and_changes_nothing(what: str, run: Run) -> None:
    run("add", "taken", "git", "url=.")
    before = Path("watercooler.toml").read_text()
    arguments, words = BAD[what]
    done = run(*arguments)
    said = str(done.exception) if isinstance(done.exception, Stop) else done.output
    assert done.exit_code != 0
    assert words in said
    assert Path("watercooler.toml").read_text() == before


def test_a_source_that_does_not_answer_is_named_and_the_exit_code_says_so(run: Run, tmp_path: Path) -> None:
    run("add", "gone", "git", f"url={tmp_path / 'nothing-here'}")
    done = run("check")
    assert done.exit_code == 1
    assert done.output.startswith("gone: ")
    assert "nothing-here" in done.output


@pytest.mark.parametrize("by_file", [False, True])
def test_a_secret_comes_by_variable_or_file(by_file: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "secret").write_text(f"{SECRET}\n")
    monkeypatch.setenv(
        *(
            ("WATERCOOLER_SOURCE_X_SECRET_FILE", str(tmp_path / "secret"))
            if by_file
            else ("WATERCOOLER_SOURCE_X_SECRET", SECRET)
        )
    )
    options = registry.options_of(Source(name="x", kind="webhook"), registry.load("webhook"))
    assert options.model_dump()["secret"].get_secret_value() == SECRET


def test_a_mistake_in_a_secret_does_not_show_it() -> None:
    source = Source.model_validate({"name": "x", "kind": "webhook", "secret": "not-base64-but-long-enough!"})
    with pytest.raises(Stop) as error:
        registry.options_of(source, registry.load("webhook"))
    assert "base64" in str(error.value)
    assert "long-enough" not in str(error.value)


@pytest.mark.parametrize("secret", ["YWJjZGVmZ2hpamtsbW5vcA==", "YWJjZGVmZ2hpamtsbW5vcA", SECRET])
def test_a_secret_may_be_padded_or_not(secret: str) -> None:
    source = Source.model_validate({"name": "x", "kind": "webhook", "secret": secret})
    registry.options_of(source, registry.load("webhook"))


def test_help_shows_how_it_is_used() -> None:
    done = CliRunner().invoke(import_, ["--help"])
    assert "watercooler import year.jsonl.gz" in done.output
