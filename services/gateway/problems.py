"""Errors as RFC 9457 problems: one sentence for people, a stable type for programs, nothing of our inside."""

from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any

import orjson
from aiohttp import web

from services.common import logs
from services.common.errors import Reject, Retry, Stop
from services.gateway.fence import Behind
from services.gateway.turns import Busy

_log = logs.get(__name__)

CONTENT_TYPE = "application/problem+json"
TITLES: Mapping[str, str] = {
    "bad-request": "The request cannot be understood",
    "bad-parameter": "A parameter is wrong",
    "bad-cursor": "The cursor is not one of ours",
    "bad-body": "The body is wrong",
    "who-asks": "Nobody is named who asks",
    "bad-token": "The token cannot be used",
    "not-here": "Not from here",
    "not-allowed": "You may not do this",
    "login": "Logging in did not work",
    "not-found": "There is nothing here that you may open",
    "method": "The method is not for this resource",
    "too-much": "There is as much of it as there may be",
    "too-large": "The request is too large",
    "too-slow": "The request came too slowly",
    "bad-rule": "The rule is not one",
    "too-many": "Too many live streams",
    "too-often": "Too many requests",
    "not-yours": "It is somebody else's",
    "not-a-member": "Not a member of the group",
    "closed-thing": "It is closed to some",
    "not-yet": "Not available for the moment",
    "too-busy": "More is asked for than can be answered",
    "mistake": "A mistake of ours",
}
"""Types of problems, stable: ``/docs#<type>`` is the ``type`` of a problem document."""

_BY_STATUS = {404: "not-found", 405: "method", 413: "too-large", 500: "mistake", 503: "not-yet"}
_DETAILS = {
    404: "No resource has this address; see /docs.",
    405: "See the Allow header for what is possible here.",
    413: "Send less; the limits stand at /docs.",
}
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Problem(Exception):
    """Ends a request with a problem document. ``more`` holds extension members."""

    def __init__(
        self,
        status: int,
        kind: str,
        detail: str,
        *,
        retry_after: float | None = None,
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(detail)
        self.status, self.kind, self.detail, self.more = status, kind, detail, more
        self.headers = dict(headers or {})
        if retry_after is not None:
            self.headers["Retry-After"] = str(max(1, round(retry_after)))

    def document(self) -> dict[str, Any]:
        """Return the members of the problem document."""
        about = {"type": f"/docs#{self.kind}", "title": TITLES[self.kind], "status": self.status, "detail": self.detail}
        return about | self.more

    def response(self) -> web.Response:
        """Return the answer."""
        headers = {"Cache-Control": "no-store", **self.headers}
        return web.Response(
            status=self.status, body=orjson.dumps(self.document()), content_type=CONTENT_TYPE, headers=headers
        )


def not_found() -> Problem:
    """Return the one answer to what is absent and to what the asker may not open, so that it tells neither."""
    return Problem(404, "not-found", "Nothing with this id is there, or you may not open it.")


def search_away() -> Problem:
    """Return the answer while Elasticsearch cannot be asked."""
    return Problem(503, "not-yet", "search is not up yet", retry_after=5)


def of(error: Exception) -> Problem:
    """Return what an error means to who asked; what is not meant for them goes to the log only."""
    match error:
        case Problem():
            return error
        case Reject():
            kind = "bad-cursor" if "cursor" in str(error) else "bad-parameter"
            return Problem(400, kind, str(error))
        case web.HTTPException() if error.status >= 400:
            kind = _BY_STATUS.get(error.status, "bad-request")
            allow = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else {}
            detail = _DETAILS.get(error.status, HTTPStatus(error.status).phrase)
            return Problem(error.status, kind, detail, headers=allow)
        case Behind():
            return Problem(503, "not-yet", str(error), retry_after=1)
        case Busy():
            return Problem(503, "too-busy", "More is asked for than can be answered now; ask again.", retry_after=1)
        case Retry() | TimeoutError():
            _log.warning("cannot answer for now", reason=str(error))
            return search_away()
        case Stop():
            _log.error("cannot answer until somebody mends it", reason=str(error))
            return search_away()
    _log.exception("a request failed", error=type(error).__name__)
    return Problem(500, "mistake", "The gateway made a mistake; its log says which.")


async def expected(request: web.Request) -> web.Response | None:
    """Let a client that asks first send its body (RFC 9110, 10.1.1). aiohttp's own answers 500 to bytes over 127."""
    if request.headers.get("Expect", "").lower() != "100-continue":
        return Problem(417, "bad-request", "Nothing but 100-continue may be expected.").response()
    await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    request.writer.output_size = 0  # as aiohttp's own: it is no part of the answer
    return None


@web.middleware
async def as_problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn every error into a problem document (the page's own errors are made by its views)."""
    try:
        return await handler(request)
    except web.HTTPException as answer:
        if answer.status < 400:
            raise
        return of(answer).response()
    except Exception as error:
        return of(error).response()
