"""What a wiki's settings take."""

import pytest
from pydantic import ValidationError

from services.ingest.connectors.mediawiki.settings import MediaWikiSettings


@pytest.mark.parametrize(
    "url", ["https://w.example.org/w", "https://w.example.org/w/", "https://w.example.org/w/api.php"]
)
def test_the_wiki_or_its_api_may_be_named(url: str) -> None:
    assert MediaWikiSettings.model_validate({"url": url}).url == "https://w.example.org/w/api.php"


@pytest.mark.parametrize(
    "wrong", [{}, {"url": "w.example.org"}, {"url": "https://w", "pol_seconds": 1}, {"url": "https://w", "maxlag": 0}]
)
def test_mistakes_are_found(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        MediaWikiSettings.model_validate(wrong)


def test_the_password_is_not_shown() -> None:
    settings = MediaWikiSettings.model_validate({"url": "https://w", "password": "hunter2"})
    assert "hunter2" not in repr(settings)
