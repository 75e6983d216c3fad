"""The server that sources deliver to: verified first, read then, answered 2xx only once Kafka has it.

Two budgets a second: one of each address, before anything is read, and one of each source, of which only what its
sender has signed takes: a stranger cannot use it up.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from aiohttp import web
from aiolimiter import AsyncLimiter

from services.common import logs, metrics
from services.common.deadletters import FromSource
from services.common.errors import Reject, Retry, Stop, WatercoolerError
from services.common.health import Ready, add_routes
from services.ingest.addresses import Addresses, spend
from services.ingest.connector import Batch, Delivery, Receipt, Receiver, Unverified
from services.ingest.intake import Intake, LettersOf
from services.ingest.worker import Worker

LARGEST = 8 * 1024 * 1024
"""Bytes of a delivery. A home server sends up to 100 events of 64 KiB at once, and the same again until it is taken."""
PER_SECOND = 1_000.0
"""Signed deliveries of one source that are taken."""
_NOT_THIS_ONE = frozenset({401, 403, 404, 503})
_SLOWEST = 30.0
"""Seconds that a body may take to arrive, and Kafka to acknowledge: a sender gives up about then and comes again."""
Handler = Callable[[web.Request], Awaitable[web.Response]]
_log = logs.get(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """Where a source delivers. ``prefixes`` are its paths beside ``/hooks/<source>``."""

    worker: Worker
    prefixes: Sequence[str] = ()

    @property
    def source(self) -> str:
        """The source's name."""
        return self.worker.source


def problem(status: int, title: str, detail: str, headers: Mapping[str, str] | None = None) -> web.Response:
    """Return an RFC 9457 problem. ``detail`` is one sentence for the sender: what, and what to do."""
    return web.json_response(
        {"type": "about:blank", "status": status, "title": title, "detail": detail},
        status=status,
        headers=headers,
        content_type="application/problem+json",
    )


def _nowhere() -> web.Response:
    return problem(404, "Not found", "No source of this name takes deliveries.")


def _later() -> web.Response:
    return problem(503, "Not now", "The delivery was not stored; send it again.", {"Retry-After": "5"})


def _too_many(who: str) -> web.Response:
    return problem(429, "Too many", f"{who} delivers too much at once; come again.", {"Retry-After": "1"})


class _UsedUp(Exception):
    """The source's budget has nothing left for a delivery that its sender has signed."""


class Doors:
    """Answers deliveries of all sources."""

    def __init__(
        self,
        doors: Sequence[Door],
        intake: Intake,
        letters: LettersOf,
        *,
        per_second: float = PER_SECOND,
        per_address: float = PER_SECOND,
    ) -> None:
        self._doors = {door.source: door for door in doors}
        self._intake = intake
        self._letters = letters
        self._addresses = Addresses(per_address)
        self._budgets = {door.source: AsyncLimiter(per_second, 1) for door in doors}

    def application(self, ready: Ready) -> web.Application:
        """Return the server with health and metrics beside."""
        app = web.Application(client_max_size=LARGEST, middlewares=[_guard])
        app.router.add_route("*", "/hooks/{source}", self._limited(self._hook))
        app.router.add_route("*", "/hooks/{source}/{rest:.*}", self._limited(self._hook))
        for prefix in {prefix for door in self._doors.values() for prefix in door.prefixes}:
            app.router.add_route("*", prefix + "/{rest:.*}", self._limited(self._prefixed(prefix)))
        add_routes(app, ready)
        return app

    def _limited(self, handler: Handler) -> Handler:
        """Refuse an address that asks too much, before its body is read."""

        async def handle(request: web.Request) -> web.Response:
            if not await self._addresses.let_in(request.remote or ""):
                metrics.RECORDS.labels("ingest", "hooks", "refused").inc()
                return _too_many("This address")
            return await handler(request)

        return handle

    async def _hook(self, request: web.Request) -> web.Response:
        door = self._doors.get(request.match_info["source"])
        if door is None:
            return _nowhere()
        return await self._take(door, await _delivery(request))

    def _prefixed(self, prefix: str) -> Handler:
        """Of several sources behind one path, the one that verifies the delivery takes it."""

        async def handle(request: web.Request) -> web.Response:
            delivery = await _delivery(request)
            answers = [problem(404, "Not found", "No source takes deliveries here.")]
            for door in self._doors.values():
                if prefix in door.prefixes:
                    answers.append(await self._take(door, delivery))
                    if answers[-1].status not in _NOT_THIS_ONE:
                        return answers[-1]
            # One that is not open could not say whether the delivery is its own: so it has to come again.
            return next((one for one in answers if one.status == 503), answers[-1])

        return handle

    async def _take(self, door: Door, delivery: Delivery) -> web.Response:
        if not self._budgets[door.source].has_capacity():
            return _too_many("This source")
        connector = door.worker.connector
        if connector is None:
            _log.warning("delivery refused for now", source=door.source, reason=door.worker.problem)
            return _later()
        if not isinstance(connector, Receiver):
            return _nowhere()
        return await self._answer(door.source, connector, delivery)

    async def _answer(self, source: str, receiver: Receiver, delivery: Delivery) -> web.Response:
        try:
            async with asyncio.timeout(_SLOWEST):
                receipt = await self._receive(source, receiver, delivery)
        except Unverified as error:
            metrics.RECORDS.labels("ingest", source, "unverified").inc()
            return problem(401, "Not verified", str(error))
        except _UsedUp:
            return _too_many("This source")
        except Reject as error:
            if not await spend(self._budgets[source]):
                return _too_many("This source")
            await self._put_aside(FromSource(source=source, value=delivery.body, key=delivery.path), error)
            return problem(422, "Not understood", str(error))
        except (Retry, TimeoutError) as error:
            _log.warning("delivery refused for now", source=source, reason=str(error) or type(error).__name__)
            return _later()
        return web.json_response(dict(receipt.answer), status=receipt.status, headers=dict(receipt.headers))

    async def _put_aside(self, delivery: FromSource, error: Reject) -> None:
        """Keep what was not understood. Many in a row are the sender's mistake, which is told so; we go on."""
        try:
            await self._letters(delivery.source).put(delivery, error)
        except Stop as flood:
            _log.error("many deliveries are not understood", source=delivery.source, reason=str(flood))

    async def _receive(self, source: str, receiver: Receiver, delivery: Delivery) -> Receipt:
        receipt = await receiver.receive(delivery)
        # What holds nothing may also be a handshake, which nobody signs.
        if receipt.batch != Batch() and not await spend(self._budgets[source]):
            raise _UsedUp
        await self._intake.take(source, receipt.batch)
        return receipt


async def _delivery(request: web.Request) -> Delivery:
    try:
        async with asyncio.timeout(_SLOWEST):
            body = await request.read()
    except TimeoutError as error:
        raise web.HTTPRequestTimeout from error
    return Delivery(
        method=request.method,
        path=request.match_info.get("rest", ""),
        headers={name.lower(): value for name, value in request.headers.items()},
        body=body,
        query=dict(request.query),
    )


@web.middleware
async def _guard(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Turn every error into a problem without internals."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        return problem(error.status, error.reason, _DETAILS.get(error.status, error.reason))
    except WatercoolerError as error:
        _log.error("delivery failed", reason=str(error))
        return _later()
    except Exception:  # the sender is not told what went wrong inside; the log is
        _log.exception("delivery failed by a mistake in its connector")
        return problem(500, "Failed", "The delivery was not stored; the operator's log says why.")


_DETAILS = {
    404: "There is nothing here; sources deliver to /hooks/<source>.",
    408: "The body did not arrive in time.",
    413: f"A delivery may have {LARGEST} bytes at most.",
}
