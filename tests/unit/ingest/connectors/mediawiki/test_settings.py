"""What a wiki's settings take."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import pytest
from pydantic import ValidationError

from services.ingest.connector import Tools
from services.ingest.connectors.mediawiki.api import WikiApi
from services.ingest.connectors.mediawiki.connector import _site
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


class _Wiki:
    """As much of a wiki as is asked for what it is."""

    async def query(self, **_: str) -> dict[str, Any]:
        return {"general": {"sitename": "W"}, "namespaces": {"0": {"name": ""}}}

    async def rows(self, *_: str, **__: str) -> AsyncIterator[dict[str, Any]]:
        for row in list[dict[str, Any]]():
            yield row


async def test_readers_see_no_secret_of_an_address(tmp_path: Path) -> None:
    settings = MediaWikiSettings.model_validate({"url": "https://ann:hunter2@w.example/w"})
    site = await _site(settings, Tools(source="wiki", mask=str.upper, state=tmp_path), cast(WikiApi, _Wiki()))
    assert site.page_url(7) == "https://w.example/w/index.php?curid=7"


def test_the_password_is_not_shown() -> None:
    settings = MediaWikiSettings.model_validate({"url": "https://w", "password": "hunter2"})
    assert "hunter2" not in repr(settings)
