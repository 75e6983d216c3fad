"""What git prints, where it is odd; the rest is tested with a real repository."""

import pytest
from pydantic import ValidationError

from services.common.errors import Reject
from services.common.model import Method
from services.ingest.connectors.git import parse
from services.ingest.connectors.git.settings import GitSettings

SHA = "a" * 40


def repository(**options: str) -> parse.Repository:
    return parse.Repository(source="tool", settings=GitSettings(url="/srv/tool.git", **options), mask=str.upper)


def entry(at: str) -> str:
    """Return a commit of a time as `git log` prints it."""
    return "\x1f".join((SHA, "", "Ann", "ann@example.org", at, "Ann", "ann@example.org", at, "Say it", ""))


@pytest.mark.parametrize("at", ["253402300800", "99999999999999999999", "-99999999999999", "", "soon", "nan"])
def test_a_commit_of_a_time_that_there_is_not_is_refused_alone(at: str) -> None:
    assert parse.commit(repository(), entry("1772366400"), Method.POLL).published.year == 2026
    with pytest.raises(Reject, match="of a time that there is not"):
        parse.commit(repository(), entry(at), Method.POLL)


@pytest.mark.parametrize("url", ["https://ann:pass@git.example/x.git", "https://token@git.example/x", "http://a@b/c"])
def test_an_address_that_readers_would_see_a_secret_in_is_refused(url: str) -> None:
    with pytest.raises(ValidationError, match="username"):
        GitSettings(url=url)
    for good in ("https://git.example/@ann/x.git", "ssh://git@git.example/x.git", "git@git.example:x.git"):
        GitSettings(url=good)
