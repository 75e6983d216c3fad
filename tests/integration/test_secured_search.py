"""Elasticsearch over TLS that asks for an API key: a door of ours before the real server, which here has no TLS."""

import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest
import trustme
from aiohttp import ClientSession, web

from services.common.errors import Stop, WatercoolerError
from services.common.search.elastic import ElasticSearch
from services.common.settings import Settings
from tests.fixtures.process import free_port

pytestmark = pytest.mark.integration

KEY = "c2VjcmV0OmtleQ=="


@dataclass
class Door:
    """Where it is, and the authority of its certificate."""

    url: str
    authority: Path
    asked: list[str]


@pytest.fixture
async def door(elastic: str, tmp_path: Path) -> AsyncIterator[Door]:
    """TLS and a key before the Elasticsearch of the tests; forwards everything else as it is."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    one = Door(f"https://127.0.0.1:{free_port()}", tmp_path / "ca.pem", [])
    async with ClientSession() as session:

        async def forward(request: web.Request) -> web.Response:
            one.asked.append(request.path)
            if request.headers.get("Authorization") != f"ApiKey {KEY}":
                refused = {"error": {"type": "security_exception", "reason": "unable to authenticate"}, "status": 401}
                return web.json_response(refused, status=401, headers={"X-Elastic-Product": "Elasticsearch"})
            passed = {name: request.headers[name] for name in ("Accept", "Content-Type") if name in request.headers}
            target = elastic.rstrip("/") + request.path_qs
            async with session.request(request.method, target, headers=passed, data=await request.read()) as answer:
                kept = {
                    name: answer.headers[name]
                    for name in ("X-Elastic-Product", "Content-Type")
                    if name in answer.headers
                }
                return web.Response(status=answer.status, body=await answer.read(), headers=kept)

        app = web.Application(client_max_size=1 << 24)
        app.router.add_route("*", "/{rest:.*}", forward)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", int(one.url.rsplit(":", 1)[1]), ssl_context=context).start()
        yield one
        await runner.cleanup()


def search(door: Door, *, key: str = KEY, authority: Path | None = None) -> ElasticSearch:
    """A search port with these credentials, under a prefix of its own."""
    settings = Settings(
        elasticsearch=door.url,
        elasticsearch_ca_file=str(authority or door.authority),
        elasticsearch_api_key=key,
        index_prefix=f"s{uuid4().hex[:8]}-",
    )
    return ElasticSearch.from_settings(settings)


async def test_with_the_right_key_indices_are_made_and_read(door: Door) -> None:
    port = search(door)
    try:
        await port.prepare()
        assert await port.count("activities") == 0
        await port.remove_all()
    finally:
        await port.stop()
    assert door.asked


async def test_a_wrong_key_is_said_and_not_shown(door: Door) -> None:
    port = search(door, key="d3Jvbmc6a2V5")
    with pytest.raises(Stop, match="elasticsearch_api_key") as refused:
        await port.prepare()
    assert "d3Jvbmc6a2V5" not in str(refused.value)
    await port.stop()


async def test_a_certificate_that_is_not_trusted_is_said_and_the_key_not_sent(door: Door, tmp_path: Path) -> None:
    stranger = tmp_path / "stranger.pem"
    trustme.CA().cert_pem.write_to_path(stranger)
    port = search(door, authority=stranger)
    with pytest.raises(Stop, match="elasticsearch_ca_file"):
        await port.prepare()
    await port.stop()
    assert door.asked == []


def test_a_file_that_is_no_certificate_is_named(door: Door, tmp_path: Path) -> None:
    nothing = tmp_path / "nothing.pem"
    nothing.write_text("nothing")
    with pytest.raises(WatercoolerError, match=r"nothing\.pem|elasticsearch"):
        search(door, authority=nothing)
