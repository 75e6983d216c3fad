"""Health and metrics of a service over HTTP: ``/healthz`` (alive), ``/readyz`` (able), ``/metrics`` (Prometheus)."""

from collections.abc import Callable

from aiohttp import web

from services.common import metrics

Ready = Callable[[], str]
"""Returns an empty string when able, else one sentence saying what is missing."""


def add_routes(app: web.Application, ready: Ready) -> None:
    """Add the three routes to an application."""

    async def healthz(_: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def readyz(_: web.Request) -> web.Response:
        missing = ready()
        body = {"status": "waiting", "missing": missing} if missing else {"status": "ok"}
        return web.json_response(body, status=503 if missing else 200)

    async def show_metrics(_: web.Request) -> web.Response:
        return web.Response(body=metrics.exposition(), headers={"Content-Type": metrics.CONTENT_TYPE})

    app.router.add_get("/healthz", healthz)
    app.router.add_get("/readyz", readyz)
    app.router.add_get("/metrics", show_metrics)
