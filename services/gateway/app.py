"""The application: its routes, and what every request passes through. Wiring only."""

from time import monotonic

from aiohttp import web

from services.common import health, metrics
from services.gateway import cors, keys
from services.gateway.auth import Asker
from services.gateway.claims import READER
from services.gateway.parts import Parts
from services.gateway.problems import Handler, as_problems, expected
from services.gateway.respond import secured
from services.gateway.routes import ROUTES, Route
from services.gateway.stream import tokens
from services.gateway.visits import visiting
from services.gateway.web import frame, site

LARGEST = 256 * 1024
"""Bytes of a request's body: the longest note, each of its characters written as two escapes of six, fits."""


def build(parts: Parts) -> web.Application:
    """Return the application over these parts."""
    app = web.Application(middlewares=[measured, secured, counted, as_problems, frame.errors], client_max_size=LARGEST)
    parts.put(app)
    for route in ROUTES:
        handler = route.handler if route.open else _asked(route)
        if route.method == "GET":
            app.router.add_get(route.path, handler, allow_head=not route.streams, expect_handler=expected)
        else:
            app.router.add_route(route.method, route.path, handler, expect_handler=expected)
    site.add_routes(app)
    health.add_routes(app, parts.missing)
    cors.allow(app, parts.settings.gateway_cors_origins)

    async def drain(_: web.Application) -> None:
        await parts.streams.drain(parts.settings.gateway_drain_seconds)

    app.on_shutdown.append(drain)
    return app


def _asked(route: Route) -> Handler:
    async def handler(request: web.Request) -> web.StreamResponse:
        if route.streams:  # bounded by how many there may be at once; a browser would not try again after 429
            request[keys.ASKER] = await _who(request)
        else:
            request[keys.ASKER] = asker = await request.app[keys.AUTH].asker(request, route.scope)
            request[keys.STANDING] = await request.app[keys.RATES].take(
                asker.person or request.app[keys.ADDRESSES].of(request)
            )
            with visiting(request):
                return await route.handler(request)
        return await route.handler(request)

    return handler


async def _who(request: web.Request) -> Asker:
    """Return who asks for a stream: by a token for this one stream, or as for everything else."""
    auth, token = request.app[keys.AUTH], tokens.given(request.query)
    if not token:
        return await auth.asker(request)
    auth.admits(request)
    found = auth.again(await request.app[keys.STREAM_TOKENS].take(token, list(request.query.items())))
    if found is None or READER not in found.roles:  # who asked for it may not read any more
        raise tokens.refused()
    return found


@web.middleware
async def counted(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Say on every answer how many more there may be."""
    response = await handler(request)
    if keys.STANDING in request and not response.prepared:
        response.headers.update(request[keys.STANDING].headers())
    return response


@web.middleware
async def measured(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Measure how long requests take, by route."""
    began = monotonic()
    response = await handler(request)
    resource = request.match_info.route.resource
    route = resource.canonical if resource is not None else "none"
    if response.content_type not in ("text/event-stream", "application/x-ndjson"):
        metrics.REQUESTS.labels(route, str(response.status)).observe(monotonic() - began)
    return response
