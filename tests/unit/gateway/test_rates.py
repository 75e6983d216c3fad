"""How often one may ask, how it is said, and which pages of other sites may ask at all."""

from tests.unit.gateway.world import HALL, said, world

SITE = "https://portal.example"


async def test_who_asks_too_often_is_told_when_to_come_back_and_others_go_on() -> None:
    async with world(gateway_requests_per_minute=3) as w:
        for left in (2, 1, 0):
            answer = await w.get("/v1/me")
            assert answer.headers["RateLimit-Policy"] == '"asker";q=3;w=60'
            assert answer.headers["RateLimit"].startswith(f'"asker";r={left};t=')
        refused = await w.get("/v1/me")
        assert (refused.status, (await refused.json(content_type=None))["type"]) == (429, "/docs#too-often")
        assert 1 <= int(refused.headers["Retry-After"]) <= 60
        assert refused.headers["RateLimit"].startswith('"asker";r=0;t=')
        assert (await w.get("/v1/me", as_="bob")).status == 200
        assert (await w.get("/healthz")).status == 200


async def test_problems_say_what_is_left_too() -> None:
    async with world() as w:
        assert "RateLimit" in (await w.get("/v1/objects/absent")).headers
        assert "RateLimit" not in (await w.client.get("/docs")).headers


async def test_a_page_of_a_site_that_is_named_may_ask_and_read_the_headers() -> None:
    async with world(gateway_cors_origins=[SITE]) as w:
        await w.opened(HALL)
        await w.happens(said(1))
        answer = await w.get("/v1/activities", headers={"Origin": SITE})
        assert answer.headers["Access-Control-Allow-Origin"] == SITE
        assert "Access-Control-Allow-Credentials" not in answer.headers
        exposed = answer.headers["Access-Control-Expose-Headers"].upper()
        assert all(name in exposed for name in ("LINK", "ETAG", "RATELIMIT", "RETRY-AFTER"))
        stream = await w.get("/v1/stream", headers={"Origin": SITE})
        assert stream.headers["Access-Control-Allow-Origin"] == SITE
        stream.close()


async def test_what_a_page_may_send_is_asked_first() -> None:
    async with world(gateway_cors_origins=[SITE]) as w:
        asked = {
            "Origin": SITE,
            "Access-Control-Request-Method": "PUT",
            "Access-Control-Request-Headers": "authorization,content-type",
        }
        answer = await w.client.options("/v1/me/streams/page", headers=asked)
        assert (answer.status, answer.headers["Access-Control-Allow-Methods"]) == (200, "PUT")
        answer = await w.client.options("/v1/me/streams/page", headers=asked | {"Origin": "https://other.example"})
        assert answer.status == 403


async def test_other_sites_may_not() -> None:
    async with world(gateway_cors_origins=[SITE]) as w:
        assert (await w.get("/v1/me", headers={"Origin": "https://other.example"})).status == 403
    async with world() as w:
        answer = await w.get("/v1/me", headers={"Origin": SITE})
        assert (answer.status, "Access-Control-Allow-Origin" in answer.headers) == (403, False)
