"""What every answer says to a browser, and where it never leads."""

from urllib.parse import quote

import pytest

from services.gateway.auth import COOKIE
from services.gateway.handlers.login import local
from services.gateway.web.site import POSTS
from tests.unit.gateway.world import HALL, said, world

EVERYWHERE = (
    "/",
    "/search?q=x",
    "/people",
    "/for-you",
    "/docs",
    "/static/live.js",
    "/static/none.js",
    "/v1/activities",
    "/v1/nothing",
    "/v1/activities?limit=x",
    "/openapi.json",
    "/metrics",
    "/healthz",
    "/objects/none",
)
ELSEWHERE = (
    "//evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "https://evil.example",
    "javascript:alert(1)",
    "///evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "evil.example",
    "",
    " /x",
    "/\u2028x",
    "/" + "x" * 5_000,
    "/\r\nSet-Cookie: a=b",
)


@pytest.mark.parametrize("path", EVERYWHERE)
async def test_every_answer_keeps_frames_sniffing_and_foreign_scripts_out(path: str) -> None:
    async with world() as w:
        headers = (await w.get(path)).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert (headers["X-Frame-Options"], headers["X-Content-Type-Options"]) == ("DENY", "nosniff")
    assert headers["Referrer-Policy"] == "same-origin"
    assert "Access-Control-Allow-Origin" not in headers


@pytest.mark.parametrize("path", ELSEWHERE)
def test_logging_in_never_leads_to_another_site(path: str) -> None:
    assert local(path) == "/"


@pytest.mark.parametrize("path", ["/", "/search?q=a&tag=b", "/objects/chat%3A1", "/people/ann#x"])
def test_logging_in_leads_back_to_where_one_was(path: str) -> None:
    assert local(path) == path


@pytest.mark.parametrize("path", ["/view-as", *POSTS])
async def test_forms_lead_to_pages_of_ours_and_write_no_header(path: str) -> None:
    names = ("content", "about", "subject", "as", "back", "query", "name", "id", "feed", "ref")
    async with world() as w:
        await w.opened(HALL)
        await w.happens(said(1))
        for evil in ("//evil.example", "chat:1\r\nSet-Cookie: a=b", "https://evil.example", "/\\evil.example"):
            for kind in ("useful", "not-useful", "follow"):
                form = dict.fromkeys(names, evil) | {"kind": kind}
                answer = await w.client.post(
                    path, data=form, headers={"X-Watercooler-As": "ann"}, allow_redirects=False
                )
                where = answer.headers.get("Location", "/")
                assert answer.status < 500
                assert where.startswith("/")
                assert not where.startswith(("//", "/\\"))
                assert "a" not in answer.cookies


async def test_nothing_sent_in_an_address_comes_back_as_a_header_of_its_own() -> None:
    evil = quote("x\r\nSet-Cookie: a=b\r\n\r\n<script>")
    async with world() as w:
        for path in (
            f"/v1/activities?q={evil}",
            f"/v1/search?q={evil}",
            f"/v1/people/{evil}",
            f"/?tag={evil}",
            f"/login?next={evil}",
        ):
            answer = await w.client.get(path, allow_redirects=False)
            assert not answer.cookies
            assert "\n" not in "".join(answer.headers.values())


async def test_demo_modes_cookie_is_for_this_site_and_not_for_scripts() -> None:
    async with world() as w:
        answer = await w.client.post("/view-as", data={"as": "ann"}, allow_redirects=False)
    cookie = answer.cookies[COOKIE]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Strict", "/")
