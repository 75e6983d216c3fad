"""The pages of topics: which there are, and a picture of how one connects places and units, to walk on from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote, urlencode

from aiohttp import web

from services.common.errors import Reject
from services.gateway import filters as asked
from services.gateway import trends
from services.gateway.handlers import topics as answers
from services.gateway.keys import ACCESS, ASKER, DESK, NAMES, TRENDS
from services.gateway.picture import gathering
from services.gateway.picture.counting import Connection, Key, Node
from services.gateway.picture.gathering import Grown
from services.gateway.web import drawing, viewers
from services.gateway.web.cards import AWAY, NOT_YET
from services.gateway.web.frame import show

_RISING = 8
_BARS = 100
"""Height of the tallest bar."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A span of the topic's life: how tall it is drawn, and the address of the picture as it was at its end."""

    label: str
    activities: int
    height: float
    href: str
    reached: bool
    current: bool


async def every(request: web.Request) -> web.StreamResponse:
    """Show which topics there are, everywhere or in a place or a unit; or go to the one that was typed."""
    asked.only(request.query, "q", "container", "unit")
    if typed := asked.text(request.query):
        raise web.HTTPSeeOther(topic_href(typed))
    container, unit = (asked.value(request.query, name) for name in ("container", "unit"))
    found: Sequence[tuple[str, int]] = ()
    problem, where = "", unit
    try:
        found = await answers.listed(request)
        where = await _name(request, container) if container else unit
    except AWAY:
        problem = NOT_YET
    rising = () if container or unit else trends.seen(request.app[TRENDS], request.app[ACCESS], request[ASKER])
    labels = dict.fromkeys(one.label for one in rising if one.label and one.kind != "same-work")
    return await show(
        request,
        "topics.html",
        "topics",
        found=[(name, count, topic_href(name)) for name, count in found],
        rising=[(label, topic_href(label)) for label in list(labels)[:_RISING]],
        topic="",
        where=where,
        feed=f"/?{urlencode({'container': container})}" if container else "",
        problem=problem,
    )


async def _name(request: web.Request, container: str) -> str:
    await viewers.learn(request, [container], None)
    return request.app[NAMES].get(container, request[ASKER]) or container


def topic_href(topic: str, until: datetime | None = None) -> str:
    """Return the address of a topic's picture, as it is or as it was."""
    query = f"?{urlencode({'until': until.astimezone(UTC).isoformat()})}" if until else ""
    return f"/topics/{quote(topic, safe='')}{query}"


async def one(request: web.Request) -> web.StreamResponse:
    """Show the picture of a topic, and the same in words."""
    asked.only(request.query, "until")
    until, topic = asked.read(request.query).until, answers.named(request)
    life: Sequence[Grown] = ()
    problem = ""
    try:
        life = await gathering.gather(request.app[DESK], request[ASKER], topic)
    except AWAY:
        problem = NOT_YET
    except Reject as error:
        problem = f"{error}."
    whole = answers.at(request, topic, life, None)
    now = answers.at(request, topic, life, until) if until else whole
    names = {node.key: node.name for node in now.nodes}
    picture = drawing.drawn(now, whole)
    return await show(
        request,
        "topic.html",
        "topics",
        topic=topic,
        picture=picture,
        width=drawing.WIDTH,
        places=[(node, href(node.key), people_of(node)) for node in now.of("place")],
        units=[(node, href(node.key), people_of(node)) for node in now.of("unit")],
        links=[(*(names[key] for key in one.between), in_common(one)) for one in now.connections],
        lines=[(line, _said(line.connection, names)) for line in picture.lines],
        spots=[(spot, href(spot.node.key), f"{spot.node.name}: {what(spot.node)}") for spot in picture.spots],
        near=[(name, count, topic_href(name)) for name, count in now.near],
        more=now.more,
        bars=bars(topic, life, until),
        until=until.date() if until else None,
        activities=sum(one.activities for one in life if until is None or one.span.start < until),
        sample=gathering.SAMPLE,
        whole=topic_href(topic),
        more_of_it=urlencode({"q": topic}),
        problem=problem,
    )


def _said(connection: Connection, names: Mapping[Key, str]) -> str:
    return f"{' and '.join(names[key] for key in connection.between)}: {in_common(connection)} in common"


def href(key: Key) -> str:
    """Return where a node leads: to the topics of the place or the unit."""
    kind, id_ = key
    return f"/topics?{urlencode({'container' if kind == 'place' else 'unit': id_})}"


def what(node: Node) -> str:
    """Return what is done in a node, in words."""
    return f"{_counted(node.things, 'thing')}, {people_of(node)}"


def people_of(node: Node) -> str:
    """Return how many people are active there, in words."""
    return _counted(node.people, "people", "people") if node.people else "a few people"


def in_common(connection: Connection) -> str:
    """Return what two nodes have in common, in words."""
    people = _counted(connection.people, "people", "people") if connection.people else ""
    both = {kind for kind, _ in connection.between} == {"place"}
    few = "a few things" if both and not connection.people else ""
    things = _counted(connection.things, "thing") if connection.things else few
    return " and ".join(filter(None, (people, things)))


def _counted(count: int, one: str, many: str = "") -> str:
    return f"{count:,} {one if count == 1 else many or f'{one}s'}"


def bars(topic: str, life: Sequence[Grown], until: datetime | None) -> list[Bar]:
    """Return how a topic grew; each bar leads to the picture at the end of its span, the last one to that of today."""
    most = max((one.activities for one in life), default=1) or 1
    last = life[-1].span if life else None
    return [
        Bar(
            label=one.span.label,
            activities=one.activities,
            height=round(max(_BARS * one.activities / most, 2 if one.activities else 0), 1),
            href=topic_href(topic, None if one.span is last else one.span.end),
            reached=until is None or one.span.start < until,
            current=one.span.end == until or (until is None and one.span is last),
        )
        for one in life
    ]
