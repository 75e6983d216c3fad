"""Bodies that are sent, read into checked values; and what is stored of them, acknowledged."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from aiohttp import web
from pydantic import BaseModel, ConfigDict, ValidationError

from services.common.bus import Unpublished
from services.gateway.keys import REMEMBERED
from services.gateway.problems import Problem

_JSON = ("application/json", "application/activity+json")


class Body(BaseModel):
    """What may be sent: nothing that is not named, and no type for another."""

    model_config = ConfigDict(extra="forbid", strict=True, str_strip_whitespace=False)


_B = TypeVar("_B", bound=Body)


async def read(request: web.Request, form: type[_B]) -> _B:
    """Return the body; an empty one where nothing was sent. Raises Problem that names the wrong field."""
    sent = (await request.read()).strip()
    if sent and request.content_type not in _JSON:
        raise Problem(415, "bad-body", "application/json is expected.")
    try:
        return form.model_validate_json(sent or b"{}")
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "body"
        raise Problem(400, "bad-body", f"{where}: {first['msg']}.") from None


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
