"""Which pages of other sites may ask: none, unless the settings name their origin; and never with cookies."""

from collections.abc import Sequence

import aiohttp_cors
from aiohttp import web

_EXPOSED = (
    "ETag",
    "Link",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "Watercooler-Reset",
    "Watercooler-Stream-Seconds",
)
_TAKEN = ("Authorization", "Content-Type", "If-None-Match", "Last-Event-ID", "X-Watercooler-As")
_AGE = 3_600
_OPEN = ("/v1/", "/openapi", "/registry/")


def allow(app: web.Application, origins: Sequence[str]) -> None:
    """Let pages of these origins (``*``: of any) read the API; call it once all routes are there."""
    if not origins:
        return
    options = aiohttp_cors.ResourceOptions(  # type: ignore[no-untyped-call]  # the library is typed in part
        allow_credentials=False,  # so a page elsewhere cannot ask as whoever is logged in here
        expose_headers=_EXPOSED,
        allow_headers=_TAKEN,
        allow_methods="*",
        max_age=_AGE,
    )
    cors = aiohttp_cors.setup(app, defaults=dict.fromkeys(origins, options))
    for route in list(app.router.routes()):
        if route.resource is not None and route.resource.canonical.startswith(_OPEN):
            cors.add(route)
