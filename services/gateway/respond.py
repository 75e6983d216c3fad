"""JSON answers: ActivityStreams media types, a weak ETag over the body, and headers that every answer has."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

import orjson
from aiohttp import web

from services.common.activitystreams import MEDIA_TYPE
from services.gateway.problems import Handler

_LD_JSON = 'application/ld+json; profile="https://www.w3.org/ns/activitystreams"'
_LONGEST = 7_000
"""Characters of a Link header; clients refuse one over 8,190, and cursors and questions may be long."""
_NEXT = frozenset({"next", "prev", "alternate"})
VARY = "Accept, Authorization, Cookie, Origin, X-Watercooler-As"
SECURITY: Mapping[str, str] = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
        " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
}


@web.middleware
async def secured(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Put the security headers on every answer (a stream has its own put on before it begins)."""
    response = await handler(request)
    if not response.prepared:
        for name, value in SECURITY.items():
            response.headers.setdefault(name, value)
    return response


@dataclass(frozen=True, slots=True)
class Link:
    """One relation of the Link header (RFC 8288); without an address there is none."""

    url: str
    rel: str
    about: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        about = "".join(f'; {name}="{value}"' for name, value in self.about.items())
        return f'<{self.url}>; rel="{self.rel}"{about}'


def answer(
    request: web.Request,
    body: Any,
    *,
    kind: str = "",
    links: Iterable[Link] = (),
    status: int = 200,
    same: Any = None,
) -> web.Response:
    """Return ``body`` as JSON, or 304 where the asker has it already.

    ``same`` is what tells whether it is; the whole body where nothing else is given.
    """
    kind = kind or negotiated(request)
    seed = None if same is None else orjson.dumps([kind, same])
    return answer_bytes(request, orjson.dumps(body), kind=kind, links=links, status=status, same=seed)


def answer_bytes(
    request: web.Request,
    body: bytes,
    *,
    kind: str,
    links: Iterable[Link] = (),
    status: int = 200,
    same: bytes | None = None,
) -> web.Response:
    """Return a body with its ETag, or 304."""
    tag = f'W/"{blake2b(body if same is None else same, digest_size=12).hexdigest()}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache", "Vary": VARY}
    if joined := _joined(links):
        headers["Link"] = joined
    asked = request.headers.get("If-None-Match", "")
    if status == 200 and (asked.strip() == "*" or tag in [one.strip() for one in asked.split(",")]):
        return web.Response(status=304, headers=headers)
    return web.Response(status=status, body=body, headers={**headers, "Content-Type": kind})


def _joined(links: Iterable[Link]) -> str:
    """Return the Link header: what one goes on by first, and no more than clients take. The body says it all."""
    kept, left = [], _LONGEST
    for link in sorted((one for one in links if one.url), key=lambda one: one.rel not in _NEXT):
        text = str(link)
        if len(text) + 2 <= left:
            kept.append(text)
            left -= len(text) + 2
    return ", ".join(kept)


def negotiated(request: web.Request) -> str:
    """Return the media type for ActivityStreams JSON that the asker understands."""
    accept = request.headers.get("Accept", "")
    if "application/ld+json" in accept:
        return _LD_JSON
    return "application/json" if "application/json" in accept else MEDIA_TYPE
