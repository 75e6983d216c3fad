"""Health, readiness and metrics of a service, over HTTP."""

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from services.common import health, metrics


async def test_what_a_service_says_of_itself() -> None:
    missing = "the views are being loaded"
    app = web.Application()
    health.add_routes(app, lambda: missing)
    async with TestClient(TestServer(app)) as client:
        assert (await client.get("/healthz")).status == 200
        waiting = await client.get("/readyz")
        assert (waiting.status, await waiting.json()) == (503, {"status": "waiting", "missing": missing})
        missing = ""
        assert (await client.get("/readyz")).status == 200
        metrics.DEADLETTERS.labels("thing", "Reject").inc()
        shown = await client.get("/metrics")
        assert shown.headers["Content-Type"].startswith("text/plain")
        assert 'watercooler_deadletters_total{error="Reject",service="thing"} 1.0' in await shown.text()
