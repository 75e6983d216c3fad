"""``/v1/me/digest``: what one's rules put into a digest by mail, how often; ``/v1/digest/stop``: no more of them."""

from typing import Any

from aiohttp import web
from pydantic import Field

from services.common.envelope import rfc3339
from services.gateway import filters as asked
from services.gateway.deliveries.mailboxes import address_in, masked
from services.gateway.deliveries.schedule import Every
from services.gateway.handlers import bodies
from services.gateway.handlers.me import somebody
from services.gateway.keys import AUTH, OFFICE
from services.gateway.problems import Problem
from services.gateway.respond import answer
from services.gateway.web.rendering import render


class Choice(bodies.Body):
    """How often digests come. ``address`` is taken in demo mode only: else it is that of the login."""

    every: Every
    address: str = Field("", max_length=254)


async def show(request: web.Request) -> web.Response:
    """Answer with how often the asker's digest comes, and where to."""
    asked.only(request.query)
    return answer(request, shown(request, somebody(request).person))


def shown(request: web.Request, person: str) -> dict[str, Any]:
    """Return how often somebody's digest comes, and where to."""
    postman = request.app[OFFICE].postman
    last = postman.schedule.sent_until(person)
    return {
        "type": "Digest",
        "every": postman.schedule.every(person),
        "address": masked(postman.mailboxes.of(person)),
        "possible": postman.possible,
        "last": rfc3339(last) if last else "",
    }


async def choose(request: web.Request) -> web.Response:
    """Keep how often the asker's digest comes."""
    asked.only(request.query)
    person = somebody(request).person
    await choose_as(request, person, await bodies.read(request, Choice))
    return answer(request, shown(request, person))


async def choose_as(request: web.Request, person: str, given: Choice) -> None:
    """Keep how often somebody's digest comes, and in demo mode where to."""
    postman = request.app[OFFICE].postman
    address = _address(request, given.address) if given.address else ""
    with bodies.kafka():
        if address:
            await postman.mailboxes.put(person, address)
        await postman.schedule.choose(person, given.every)
    await postman.caught_up()


def _address(request: web.Request, text: str) -> str:
    if request.app[AUTH].mode != "demo":
        raise Problem(409, "not-yours", "The address is that of your login; change it at the identity provider.")
    found = address_in(text)
    if not found:
        raise Problem(400, "bad-body", "address: a mail address as in ann@example.org is expected.")
    return found


async def ask_to_stop(request: web.Request) -> web.Response:
    """Ask once more, since programs that look at mails open what they link to."""
    return _page(_token(request))


async def stop(request: web.Request) -> web.Response:
    """End somebody's digests, by the link or the button of a mail program (RFC 8058)."""
    postman = request.app[OFFICE].postman
    with bodies.kafka():
        await postman.schedule.choose(postman.named(_token(request)), "never")
    return _page("")


def _token(request: web.Request) -> str:
    asked.only(request.query, "token")
    token = asked.one(request.query, "token")
    if not request.app[OFFICE].postman.named(token):
        raise Problem(404, "not-found", "This link ends nobody's digests (any more); PUT /v1/me/digest does.")
    return token


def _page(token: str) -> web.Response:
    html = render("digest_stop.html", {"token": token})
    return web.Response(text=html, content_type="text/html", headers={"Cache-Control": "no-store"})
