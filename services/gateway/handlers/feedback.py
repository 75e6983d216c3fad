"""``POST /v1/feedback``: what the asker did with what was shown."""

from typing import Annotated, Literal

from aiohttp import web
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from services.gateway import filters as asked
from services.gateway.feedback import Feedback, Kind
from services.gateway.handlers import bodies
from services.gateway.handlers.me import somebody
from services.gateway.keys import FEEDBACK

MOST = 100


class Given(bodies.Body):
    """What somebody did with what they were shown."""

    model_config = ConfigDict(title="Feedback")

    subject: str = Field(min_length=1, max_length=1_000)
    kind: Kind
    undone: bool = False
    value: float = Field(default=0.0, ge=-1e9, le=1e9, allow_inf_nan=False)
    surface: Literal["", "for-you", "stream", "search", "people", "object", "mail"] = ""
    rank: int = Field(default=0, ge=0, le=10_000, description="Place in the list that was shown, from 1.")
    dial: float = Field(
        default=-1.0, ge=-1, le=1, allow_inf_nan=False, description="Where the dial stood; -1: nowhere."
    )

    def by(self, person: str) -> Feedback:
        """Return the act as somebody's."""
        return Feedback(person=person, **self.model_dump())


_BODY: TypeAdapter[list[Given]] = TypeAdapter(Annotated[list[Given], Field(min_length=1, max_length=MOST)])


async def take(request: web.Request) -> web.Response:
    """Store one act or a list of them; answers once Kafka has acknowledged."""
    asked.only(request.query)
    asker = somebody(request)
    bodies.must_be_json(request)
    given = _read(await bodies.received(request))
    await store(request, [one.by(asker.person) for one in given])
    return web.Response(status=204)


async def store(request: web.Request, acts: list[Feedback]) -> None:
    """Return once Kafka has acknowledged; raises Problem where it does not."""
    with bodies.kafka():
        await request.app[FEEDBACK].put(acts)


def _read(body: bytes) -> list[Given]:
    text = body.strip()
    try:
        return _BODY.validate_json(text if text.startswith(b"[") else b"[" + text + b"]")
    except ValidationError as error:
        raise bodies.wrong(error, within=1) from None
