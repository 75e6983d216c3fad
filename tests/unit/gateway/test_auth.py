"""Who may ask: this machine in demo mode, nobody with none; and as whom."""

import pytest

from services.common import topics
from services.common.bus.memory import MemoryBus
from services.common.errors import Stop
from services.common.model import EPOCH
from services.common.search.memory import MemorySearch
from services.gateway.loopback import is_loopback
from services.gateway.parts import Parts
from tests.fixtures.stack import eventually
from tests.unit.gateway.test_api_tokens import OIDC
from tests.unit.gateway.world import settings, world


def parts(**changed: object) -> Parts:
    return Parts.make(settings(**changed), MemoryBus(), MemorySearch())


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.4", "example.org", ""])
def test_demo_mode_refuses_to_listen_beyond_this_machine(host: str) -> None:
    with pytest.raises(Stop, match="loopback"):
        parts(host=host)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "[::1]", "127.8.8.8"])
def test_loopback(host: str) -> None:
    assert is_loopback(host)
    parts(host=host)


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"oidc_issuer": ""}, "oidc_issuer"),
        ({"oidc_client_id": ""}, "oidc_client_id"),
        ({"oidc_issuer": "http://login.example"}, "https"),
        ({"public_url": "http://watercooler.example"}, "https"),
        ({"host": "0.0.0.0", "public_url": ""}, "https"),
    ],
)
def test_settings_that_would_let_in_the_wrong_ones_are_refused_at_once(changed: dict[str, str], named: str) -> None:
    parts(**OIDC)
    with pytest.raises(Stop, match=named):
        parts(**{**OIDC, **changed})


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Forwarded-For": "10.0.0.1"},
        {"Forwarded": "for=10.0.0.1"},
        {"Via": "1.1 proxy"},
        {"X-Forwarded-Prefix": "/x"},
        {"CF-Connecting-IP": "10.0.0.1"},
        {"X-Real-Ip": "127.0.0.1"},
        {"Host": "watercooler.example"},
        {"Host": "127.0.0.1.example"},
        {"Host": "[::1"},
        {"Origin": "https://elsewhere.example"},
    ],
)
async def test_strangers_are_refused(headers: dict[str, str]) -> None:
    async with world() as w:
        for path in ("/v1/me", "/v1/stream", "/", "/v1/activities"):
            answer = await w.get(path, headers=headers)
            assert answer.status == 403, path


async def test_none_means_nobody() -> None:
    async with world(auth="none") as w:
        for path in ("/v1/me", "/v1/stream", "/v1/activities", "/v1/search?q=x", "/"):
            assert (await w.get(path)).status == 401, path
        for path in ("/healthz", "/metrics", "/openapi.json", "/docs", "/registry/subjects"):
            assert (await w.get(path)).status == 200, path


async def test_the_asker_is_named_by_address_header_or_cookie() -> None:
    async with world() as w:
        assert (await w.json("/v1/me", as_="ann"))["id"] == "ann"
        assert (await w.json("/v1/me", as_="", headers={"X-Watercooler-As": "bob"}))["id"] == "bob"
        assert (await w.json("/v1/me", as_="", headers={"Cookie": "watercooler_as=carl"}))["id"] == "carl"
        assert (await w.json("/v1/me", as_=""))["id"] == ""


async def test_an_asker_has_the_accounts_that_are_theirs() -> None:
    async with world() as w:
        record = {
            "account": "chat:a1",
            "person": "ann",
            "name": "Ann A.",
            "handle": "",
            "addressHash": "",
            "automated": False,
            "evidence": "configured",
            "source": "chat",
            "recorded": EPOCH,
        }
        await w.publish(topics.ACCOUNT, "chat:a1", record)
        await eventually(
            lambda: w.parts.directory.accounts_of("ann"), what="the account is known", within=5, pause=0.01
        )
        assert w.parts.auth.as_person("ann").principals == ("everyone", "ann", "chat:a1")
        me = await w.json("/v1/me")
        assert (me["accounts"], me["name"]) == (["chat:a1"], "Ann A.")
        await w.publish(topics.ACCOUNT, "chat:a1", record | {"person": ""})
        await eventually(lambda: not w.parts.directory.accounts_of("ann"), what="it is undone", within=5, pause=0.01)
