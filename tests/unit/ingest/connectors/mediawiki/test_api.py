"""What the wiki's answers mean, and how lists are read to their end."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

import orjson
import pytest
from pydantic import SecretStr
from yarl import URL

from services.common.errors import Retry, Stop
from services.common.http import Answer
from services.ingest.connectors.mediawiki.api import WikiApi
from services.ingest.connectors.mediawiki.changes import ENTRY, REVISION, Change, merged

URL_OF_API = "http://wiki.example.org/w/api.php"


class Replay:
    """Stands where the HTTP client stands: answers from a list, and keeps what it was asked."""

    def __init__(self, *bodies: Any, headers: Mapping[str, str] | None = None) -> None:
        self.asked: list[dict[str, str]] = []
        self._bodies = list(bodies)
        self._headers = headers or {}

    async def get(self, url: str, *, params: dict[str, str]) -> Answer:
        self.asked.append(params)
        body = orjson.dumps(self._bodies.pop(0))
        return Answer(status=200, url=URL(url), headers=self._headers, body=body)

    async def post(self, url: str, *, data: dict[str, str]) -> Answer:
        return await self.get(url, params=data)


def api(replay: Replay) -> WikiApi:
    return WikiApi("wiki", URL_OF_API, replay, maxlag=5)  # type: ignore[arg-type]


def error(code: str) -> dict[str, Any]:
    return {"errors": [{"code": code, "text": "words of the wiki", "module": "main"}]}


async def test_a_lagging_wiki_is_asked_again_after_its_own_time() -> None:
    with pytest.raises(Retry) as caught:
        await api(Replay(error("maxlag"), headers={"Retry-After": "7"})).query(meta="siteinfo")
    assert caught.value.after == 7


@pytest.mark.parametrize("code", ["ratelimited", "readonly", "internal_api_error_DBQueryError", "anything-new"])
async def test_other_troubles_pass(code: str) -> None:
    with pytest.raises(Retry, match=code):
        await api(Replay(error(code))).query(meta="siteinfo")


async def test_a_closed_wiki_stops_and_names_the_settings() -> None:
    with pytest.raises(Stop, match="'username'"):
        await api(Replay(error("readapidenied"))).query(meta="siteinfo")


async def test_the_older_form_of_errors() -> None:
    with pytest.raises(Stop):
        await api(Replay({"error": {"code": "readapidenied", "info": "x"}})).query(meta="siteinfo")


async def test_a_list_is_read_to_its_end() -> None:
    pages = [
        {"continue": {"rccontinue": "20261123225432|3", "continue": "-||"}, "query": {"recentchanges": [{"rcid": 1}]}},
        {"query": {"recentchanges": [{"rcid": 3}]}},
    ]
    replay = Replay(*pages)
    assert [row["rcid"] async for row in api(replay).rows("recentchanges", rclimit="1")] == [1, 3]
    assert replay.asked[1]["rccontinue"] == "20261123225432|3"
    assert replay.asked[1]["maxlag"] == "5"


async def test_numbers_are_asked_for_in_portions_and_the_missing_left_out() -> None:
    page = {"pageid": 1, "revisions": [{"revid": 1}]}
    replay = Replay({"query": {"pages": [page], "badrevids": {"2": {"missing": True}}}}, {"query": {}})
    assert set(await api(replay).revisions(range(1, 61))) == {1}
    assert [asked["revids"].count("|") + 1 for asked in replay.asked] == [50, 10]


async def test_a_session_that_has_ended_is_begun_anew() -> None:
    tokens = {"query": {"tokens": {"logintoken": "t"}}}
    replay = Replay(
        tokens, {"login": {"result": "Success"}}, error("assertuserfailed"), tokens, {"login": {"result": "Success"}}
    )
    wiki = api(replay)
    await wiki.log_in("Reader@x", SecretStr("p"))
    with pytest.raises(Retry):
        await wiki.query(meta="siteinfo")
    assert replay.asked[2]["assert"] == "user"
    await wiki.log_in("Reader@x", SecretStr("p"))
    assert len(replay.asked) == 5


async def test_a_wrong_password_stops_without_showing_it() -> None:
    replay = Replay({"query": {"tokens": {"logintoken": "t"}}}, {"login": {"result": "Failed", "reason": "no"}})
    with pytest.raises(Stop) as caught:
        await api(replay).log_in("Reader@x", SecretStr("hunter2"))
    assert "hunter2" not in str(caught.value)


async def changes(*which: tuple[int, int, int]) -> AsyncIterator[Change]:
    for second, kind, number in which:
        yield Change(second, kind, number, {})


async def test_two_lists_are_merged_by_time_with_revisions_before_entries() -> None:
    revisions = changes((1, REVISION, 9), (2, REVISION, 10), (2, REVISION, 11))
    entries = changes((2, ENTRY, 1), (3, ENTRY, 2))
    assert [change.number async for change in merged(revisions, entries)] == [9, 10, 11, 1, 2]
