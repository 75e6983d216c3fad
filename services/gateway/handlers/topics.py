"""``/v1/topics``: which topics there are, and how one connects places and units."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from aiohttp import web

from services.common.activitystreams import CONTEXT
from services.common.envelope import rfc3339
from services.gateway import filters as asked
from services.gateway import paging
from services.gateway.keys import ASKER, DESK, DIRECTORY
from services.gateway.picture import gathering
from services.gateway.picture.counting import Connection, Counted, Node, counted
from services.gateway.picture.gathering import Grown
from services.gateway.respond import answer


async def every(request: web.Request) -> web.Response:
    """Answer with topics, most active first."""
    asked.only(request.query, "container", "unit", "limit")
    found = await listed(request)
    here = paging.address(request, request.query.items())
    items = [{"type": "Topic", "name": name, "activities": count} for name, count in found[: paging.size(request)]]
    return answer(request, {"@context": CONTEXT, **paging.collection(here, items, len(items))})


async def listed(request: web.Request) -> list[tuple[str, int]]:
    """Return the topics of everything, of a place or of a unit, and of how many activities each is."""
    container, unit = (asked.value(request.query, name) for name in ("container", "unit"))
    desk, asker = request.app[DESK], request[ASKER]
    if container and unit:
        raise asked.wrong("unit", "a container or a unit is expected, not both")
    if unit:
        return await gathering.topics_of_unit(desk, asker, request.app[DIRECTORY].members(unit))
    return await gathering.topics(desk, asker, container=container)


async def one(request: web.Request) -> web.Response:
    """Answer with the picture of a topic, now or at an earlier time."""
    asked.only(request.query, "until")
    until, topic = asked.read(request.query).until, named(request)
    life = await gathering.gather(request.app[DESK], request[ASKER], topic)
    found = at(request, topic, life, until)
    here = paging.address(request, request.query.items())
    picture = {
        "places": [_node(node) for node in found.of("place")],
        "units": [_node(node) for node in found.of("unit")],
        "connections": [_connection(one) for one in found.connections],
        "growth": [_grown(one) for one in life],
        "near": [{"type": "Topic", "name": name, "things": count} for name, count in found.near],
        "morePlaces": found.more,
    }
    return answer(request, {"@context": CONTEXT, "type": "Topic", "id": here, "name": topic, **picture})


def named(request: web.Request) -> str:
    """Return the topic that an address names."""
    topic = request.match_info["topic"].strip()
    if not 0 < len(topic) <= asked.TEXT:
        raise asked.wrong("topic", f"1 to {asked.TEXT} characters are expected")
    return topic


def at(request: web.Request, topic: str, life: Sequence[Grown], until: datetime | None) -> Counted:
    """Return a topic as it was before a time, or as it is."""
    acts = [act for one in life for act in one.acts if until is None or act.published < until]
    return counted(acts, request.app[DIRECTORY].unit_of, topic=topic)


def _node(node: Node) -> dict[str, Any]:
    found = {"type": node.type, "name": node.name, "things": node.things, "since": rfc3339(node.since)}
    return _id(node) | found | ({"people": node.people} if node.people else {})


def _id(node: Node) -> dict[str, str]:
    return {"id": node.key[1]} if node.key[0] == "place" else {}


def _connection(one: Connection) -> dict[str, Any]:
    between = [{kind: id_} for kind, id_ in one.between]
    counts = {name: count for name, count in (("people", one.people), ("things", one.things)) if count}
    return {"between": between, **counts}


def _grown(one: Grown) -> dict[str, Any]:
    span = {"startTime": rfc3339(one.span.start), "endTime": rfc3339(one.span.end)}
    return {**span, "activities": one.activities}
