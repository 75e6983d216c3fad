"""Questions that are made to cost much, or to be read as a query language, against the real Elasticsearch."""

import json
import zlib
from base64 import urlsafe_b64encode
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.integration.gateway.conftest import Servers
from tests.unit.gateway.world import HALL, World, said, world

pytestmark = pytest.mark.integration

WORDS = " ".join(f"{chr(97 + n % 26)}{n}" for n in range(200))[:500]
SYNTAX = (
    "*",
    "h*n",
    "hero?",
    "/her.n/",
    "heron~2",
    "title:heron",
    "text:heron^9",
    "_exists_:title",
    "zebra OR heron",
    "(heron",
    '"heron',
    "heron AND NOT heron",
    "[a TO z]",
    '{"match_all":{}}',
    "+zebra -heron",
    "\\",
    "&&",
    "||",
    "!",
)
BOMBS = (
    *SYNTAX,
    WORDS,
    "a " * 249,
    "* " * 249,
    "x" * 500,
    "ﷺ" * 500,
    "a/b.c-d_e" * 55,
    "A1b2C3" * 83,
    '"' + "a b " * 120 + '"',
    " ".join(f"tag:t{n}" for n in range(20)),
    " ".join(["-in:a"] * 20),
    "before:9999-12-31 after:0001-01-01",
)


def cursor(value: Any) -> str:
    """Return a cursor as ours are made."""
    return urlsafe_b64encode(zlib.compress(json.dumps(value).encode())).rstrip(b"=").decode()


CURSORS = (
    ["t", 253_402_300_799_999, "￿" * 600, 0],
    ["t", -62_135_596_800_000, "\0", 1],
    ["t", 0, "x" * 40_000, 0],
    ["r", 0, 5, *["x" * 1_000] * 60],
    ["r", 900, 2**31 - 1, *(str(n) for n in range(1_000))],
    ["r", 0, 1, "\ud800"],
)


async def answered(w: World, path: str, **query: str) -> Any:
    """Ask; the answer must be good or a refusal with a reason, and tell nothing of what is asked of the index."""
    answer = await w.client.get(f"{path}?{urlencode({'as': 'ann', **query})}")
    text = await answer.text()
    assert answer.status in (200, 400), (path, query, text[:500])
    for inside in ("Elasticsearch", "query_string", "shard", "clause", "parse"):
        assert answer.status == 200 or inside not in text, text
    return json.loads(text)


async def test_no_question_brings_the_index_down_or_is_read_as_a_query_language(servers: Servers) -> None:
    async with world(servers.bus, servers.search) as w:
        await w.opened(HALL)
        await w.happens(said(1, text="the heron stands"), said(2, text="an otter swims"))
        for words in BOMBS:
            for path, more in (
                ("/v1/search", {"mode": "lexical"}),
                ("/v1/search", {"mode": "hybrid", "group": "conversation"}),
                ("/v1/activities", {}),
                ("/v1/people", {}),
            ):
                found = await answered(w, path, q=words, **more)
                if words in SYNTAX and "heron" not in words and more.get("mode") == "lexical":
                    assert found.get("totalItems", 0) == 0, words
        assert (await answered(w, "/v1/search", q="heron", mode="lexical"))["totalItems"] == 1


async def test_every_filter_with_all_the_values_it_may_have_is_answered(servers: Servers) -> None:
    async with world(servers.bus, servers.search) as w:
        await w.opened(HALL)
        await w.happens(said(1, text="heron"))
        for value in ("*", "x" * 40, "\0", "￿" * 40):
            names = ("source", "type", "verb", "person", "container", "tag")
            query = urlencode([("as", "ann"), *((name, f"{value}{n}") for name in names for n in range(20))])
            answer = await w.client.get(f"/v1/activities?{query[:8_000]}")
            assert answer.status == 200, await answer.text()


async def test_made_up_cursors_that_are_whole_are_answered(servers: Servers) -> None:
    async with world(servers.bus, servers.search) as w:
        await w.opened(HALL)
        await w.happens(said(1, text="heron"))
        for value in CURSORS:
            for path in ("/v1/activities", "/v1/search"):
                await answered(w, path, cursor=cursor(value), **({"q": "heron"} if path.endswith("search") else {}))


async def test_the_largest_rules_and_the_longest_list_of_what_is_followed_are_answered(servers: Servers) -> None:
    rule = "if " + " or ".join(f"says w{n}" for n in range(50)) + " then notify"
    async with world(servers.bus, servers.search, gateway_requests_per_minute=1_000_000) as w:
        await w.opened(HALL)
        await w.happens(said(1, text="w7"))
        for n in range(3):
            answer = await w.client.put(f"/v1/me/rules/r{n}?as=ann", json={"rule": rule, "on": True})
            assert answer.status == 200, await answer.text()
            answer = await w.client.put(f"/v1/me/searches/s{n}?as=ann", json={"query": urlencode({"q": WORDS})})
            assert answer.status == 204, await answer.text()
            assert (await w.client.put(f"/v1/me/follows/search:s{n}?as=ann")).status == 204
        for path in ("/v1/me/following", "/v1/me/notifications", "/v1/me/mentions"):
            await answered(w, path)
