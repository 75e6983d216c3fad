"""Bodies that are sent, read into checked values; and what is stored of them, acknowledged."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar
from urllib.parse import parse_qsl

from aiohttp import web
from pydantic import BaseModel, ConfigDict, ValidationError

from services.common.activitystreams import MEDIA_TYPE
from services.common.bus import Unpublished
from services.gateway.keys import REMEMBERED
from services.gateway.problems import Problem

_JSON = ("application/json", MEDIA_TYPE)
_FORM = "application/x-www-form-urlencoded"
BLANK = b" \t\r\n"
"""What may stand around JSON (RFC 8259, section 2); other blanks are no JSON."""
_FIELDS = 50
_SLOWEST = 30.0
"""Seconds in which a body has to arrive: who sends it a byte at a time holds a connection and nothing else."""


class Body(BaseModel):
    """What may be sent: nothing that is not named, and no type for another."""

    model_config = ConfigDict(extra="forbid", strict=True, str_strip_whitespace=False)


_B = TypeVar("_B", bound=Body)


async def received(request: web.Request) -> bytes:
    """Return the body. Raises Problem for one that is too slow or broken, aiohttp's own error for one too large."""
    try:
        async with asyncio.timeout(_SLOWEST):
            return await request.read()
    except TimeoutError:
        raise Problem(408, "too-slow", f"A body has to arrive within {_SLOWEST:.0f} seconds.") from None
    except web.RequestPayloadError:
        raise Problem(400, "bad-body", "The body is not in the encoding that its headers name.") from None


async def fields(request: web.Request) -> dict[str, str]:
    """Return the fields of a form as the page's own are sent. Raises Problem for any other."""
    if request.content_type != _FORM:
        raise Problem(415, "bad-body", f"{_FORM} is expected.")
    try:
        text = (await received(request)).decode()
        return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=_FIELDS, errors="strict"))
    except ValueError:
        raise Problem(400, "bad-body", f"At most {_FIELDS} fields in UTF-8 are expected.") from None


async def read(request: web.Request, form: type[_B]) -> _B:
    """Return the body; an empty one where nothing was sent. Raises Problem that names the wrong field."""
    sent = (await received(request)).strip(BLANK)
    if sent:
        must_be_json(request)
    try:
        return form.model_validate_json(sent or b"{}")
    except ValidationError as error:
        raise wrong(error) from None


def wrong(error: ValidationError, *, within: int = 0) -> Problem:
    """Return the problem of a body: its first wrong field, without the first ``within`` steps of the way to it."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    where = ".".join(str(part) for part in first["loc"][within:]) or "body"
    return Problem(400, "bad-body", f"{where}: {first['msg']}.")


def must_be_json(request: web.Request) -> None:
    """Raise Problem for a body of another type."""
    if request.content_type not in _JSON:
        raise Problem(415, "bad-body", "application/json is expected.")


@contextmanager
def kafka() -> Iterator[None]:
    """Turn what Kafka does not take into the answer that says so."""
    try:
        yield
    except Unpublished as error:
        raise Problem(503, "not-yet", "Kafka does not take it for the moment.", retry_after=5) from error


async def remember(request: web.Request, person: str, name: str, value: dict[str, Any] | None) -> None:
    """Set something of a person, or take it away with None; returns once it is stored and known here."""
    with kafka():
        await request.app[REMEMBERED].put(person, name, value)
    await request.app[REMEMBERED].caught_up()
