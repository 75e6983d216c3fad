"""With a registry configured, records carry its ids, and those with our own are read as well."""

import json
from collections.abc import AsyncIterator, Iterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from services.common import registry, schemas
from services.common.codec import Codec
from services.common.errors import Retry, Stop
from services.common.records import activity_out
from services.common.settings import load
from services.common.topics import TOPICS
from tests.unit.common.samples import FULL


class Registry:
    """Gives ids from 1 on, the same for the same schema, as real ones do."""

    def __init__(self) -> None:
        self.subjects: dict[str, list[str]] = {}
        self.ids: dict[str, int] = {}
        self.refuses = 0
        app = web.Application()
        app.router.add_post("/base/subjects/{subject}/versions", self._register)
        self.server = TestServer(app)

    async def _register(self, request: web.Request) -> web.Response:
        if self.refuses:
            return web.json_response({"error_code": 409, "message": "too strict"}, status=self.refuses)
        schema = (await request.json())["schema"]
        self.subjects.setdefault(request.match_info["subject"], []).append(json.loads(schema)["name"])
        return web.json_response({"id": self.ids.setdefault(schema, len(self.ids) + 1)})


@pytest.fixture
async def real() -> AsyncIterator[Registry]:
    made = Registry()
    await made.server.start_server()
    yield made
    await made.server.close()


@pytest.fixture(autouse=True)
def forget() -> Iterator[None]:
    yield
    schemas.by_id.cache_clear()
    schemas._registered.cache_clear()


async def test_records_carry_the_registrys_ids_and_both_are_read(real: Registry) -> None:
    before = Codec("activity").encode(activity_out(FULL))
    early = Codec("activity")
    await registry.learn(load({}, schema_registry=str(real.server.make_url("/base")), topic_prefix="w."))
    after = early.encode(activity_out(FULL))
    assert before[1:5] == (1_000_000).to_bytes(4, "big")
    assert after[1:5] == real.ids[schemas.text("activity/v1")].to_bytes(4, "big")
    assert early.decode(before) == early.decode(after)
    assert real.subjects["w.activity.v1-value"] == real.subjects["w.public.v1-value"] == ["Activity"]
    assert len(real.subjects) == len(TOPICS)


async def test_without_a_registry_nothing_changes() -> None:
    await registry.learn(load({}))
    assert Codec("activity").schema_id == 1_000_000


async def test_a_refusal_stops_and_an_absence_is_tried_again(real: Registry) -> None:
    settings = load({}, schema_registry=str(real.server.make_url("/base")))
    real.refuses = 409
    with pytest.raises(Stop, match=r"refuses activity/v1 as watercooler\.activity\.v1-value: too strict"):
        await registry.learn(settings)
    real.refuses = 401
    with pytest.raises(Stop, match="WATERCOOLER_SCHEMA_REGISTRY"):
        await registry.learn(settings)
    real.refuses = 500
    with pytest.raises(Retry):
        await registry.learn(settings)
