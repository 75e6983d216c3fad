"""``POST /v1/feedback``: what the asker did with what was shown."""

from typing import Annotated, Literal

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from services.common.bus import Unpublished
from services.gateway import filters as asked
from services.gateway.feedback import Feedback, Kind
from services.gateway.handlers import bodies
from services.gateway.handlers.me import somebody
from services.gateway.keys import FEEDBACK
from services.gateway.problems import Problem

MOST = 100


class Given(BaseModel):
    """One act, as sent."""

    model_config = ConfigDict(extra="forbid", strict=True)

    subject: str = Field(min_length=1, max_length=1_000)
    kind: Kind
    undone: bool = False
    value: float = Field(default=0.0, ge=-1e9, le=1e9, allow_inf_nan=False)
    surface: Literal["", "for-you", "stream", "search", "people", "object", "mail"] = ""
    rank: int = Field(default=0, ge=0, le=10_000)
    dial: float = Field(default=-1.0, ge=-1, le=1, allow_inf_nan=False)

    def by(self, person: str) -> Feedback:
        """Return the act as somebody's."""
        return Feedback(person=person, **self.model_dump())


_BODY: TypeAdapter[list[Given]] = TypeAdapter(Annotated[list[Given], Field(min_length=1, max_length=MOST)])


async def take(request: web.Request) -> web.Response:
    """Store one act or a list of them; answers once Kafka has acknowledged."""
    asked.only(request.query)
    asker = somebody(request)
    if request.content_type not in ("application/json", "application/activity+json"):
        raise Problem(415, "bad-body", "application/json is expected.")
    given = _read(await bodies.received(request))
    await store(request, [one.by(asker.person) for one in given])
    return web.Response(status=204)


async def store(request: web.Request, acts: list[Feedback]) -> None:
    """Return once Kafka has acknowledged; raises Problem where it does not."""
    try:
        await request.app[FEEDBACK].put(acts)
    except Unpublished as error:
        raise Problem(503, "not-yet", "Kafka does not take it for the moment.", retry_after=5) from error


def _read(body: bytes) -> list[Given]:
    text = body.strip()
    try:
        return _BODY.validate_json(text if text.startswith(b"[") else b"[" + text + b"]")
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(str(part) for part in first["loc"][1:]) or "body"
        raise Problem(400, "bad-body", f"{where}: {first['msg']}.") from None
