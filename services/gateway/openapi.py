"""The table of routes as OpenAPI, 3.1 for today's tools and 3.2, which can say what a stream consists of. Pure."""

import re
from collections.abc import Iterable
from importlib.metadata import version as release
from typing import TYPE_CHECKING, Any, Literal

from services.gateway import problems

if TYPE_CHECKING:
    from services.gateway.handlers.bodies import Body
    from services.gateway.routes import Parameter, Route

Version = Literal["3.1.0", "3.2.0"]
_NAME = re.compile(r"\{(\w+)(:[^}]*)?\}")
_STRING = {"type": "string"}
_ACTIVITY = {
    "type": "object",
    "description": "An ActivityStreams 2.0 activity; docs/import-form.md lists its fields.",
    "required": ["id", "type", "verb", "published", "actor", "object"],
    "properties": {
        "id": _STRING,
        "type": _STRING,
        "verb": _STRING,
        "published": {"type": "string", "format": "date-time"},
        "actor": {"type": "object"},
        "object": {"type": "object"},
    },
}
_PAGE = {
    "type": "object",
    "required": ["type", "partOf", "totalItems", "orderedItems"],
    "properties": {
        "type": {"const": "OrderedCollectionPage"},
        "id": _STRING,
        "partOf": _STRING,
        "first": _STRING,
        "last": _STRING,
        "next": {"type": "string", "description": "Absent where there is nothing more; a short page is not the last."},
        "prev": _STRING,
        "totalItems": {"type": "integer", "description": "Exact up to 10,000."},
        "orderedItems": {"type": "array", "items": {"$ref": "#/components/schemas/Activity"}},
        "stream": {"type": "string", "description": "Address of the live feed that goes on from this page."},
        "eventStream": {"type": "string", "description": "The same, by its name in ActivityPub's draft."},
        "facets": {"type": "object"},
    },
}
_STREAM_TOKEN = {
    "type": "object",
    "required": ["token", "expires", "stream"],
    "properties": {
        "token": _STRING,
        "expires": {"type": "string", "format": "date-time"},
        "stream": {"type": "string", "description": "Address to open, with the token in it."},
    },
}
_TOKEN = {
    "type": "object",
    "required": ["id", "person", "label", "scopes", "created", "expires"],
    "properties": {
        "id": _STRING,
        "person": _STRING,
        "label": _STRING,
        "scopes": {"type": "array", "items": {"enum": ["read", "write"]}},
        "created": {"type": "string", "format": "date-time"},
        "expires": {"type": "string", "format": "date-time"},
        "token": {"type": "string", "description": "The token; in the answer that made it only."},
    },
}
_PROBLEM = {
    "type": "object",
    "description": "RFC 9457.",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"enum": [f"/docs#{kind}" for kind in problems.TITLES]},
        "title": _STRING,
        "status": {"type": "integer"},
        "detail": _STRING,
    },
}
_COLLECTION = {
    "type": "object",
    "description": "The collection that pages are of; it has no items itself.",
    "required": ["type", "id", "totalItems", "first"],
    "properties": {
        "type": {"const": "OrderedCollection"},
        **dict.fromkeys(("id", "first", "last", "stream", "eventStream"), _STRING),
        "totalItems": {"type": "integer", "description": "Exact up to 10,000."},
    },
}
_JSON_FEED = {
    "type": "object",
    "description": "JSON Feed 1.1.",
    "required": ["version", "title", "items"],
    "properties": {
        **dict.fromkeys(("version", "title", "home_page_url", "feed_url", "next_url"), _STRING),
        "items": {"type": "array", "items": {"type": "object", "required": ["id"], "properties": {"id": _STRING}}},
    },
}
_TOPIC = {
    "type": "object",
    "description": "How a topic connects places and units. What is too few to say has no count.",
    "required": ["type", "id", "name", "places", "units", "connections", "growth", "near", "morePlaces"],
    "properties": {
        "type": {"const": "Topic"},
        "id": _STRING,
        "name": _STRING,
        "places": {"type": "array", "items": {"type": "object", "required": ["id", "name", "things", "since"]}},
        "units": {"type": "array", "items": {"type": "object", "required": ["name", "things", "people", "since"]}},
        "connections": {"type": "array", "items": {"type": "object", "required": ["between"]}},
        "growth": {
            "type": "array",
            "items": {"type": "object", "required": ["startTime", "endTime", "activities"]},
        },
        "near": {"type": "array", "items": {"type": "object", "required": ["name", "things"]}},
        "morePlaces": {"type": "integer", "description": "Places with fewer things that are left out."},
    },
}
_EVENTS = ("redacted", "withdrawn", "reset", "subscriptions", "unread", "end")
_EVENT = {
    "type": "object",
    "description": "One server-sent event. Its data is an activity, unless `event` says otherwise.",
    "properties": {
        "id": {"type": "string", "description": "Send it back as Last-Event-ID."},
        "event": {"enum": list(_EVENTS)},
        "retry": {"type": "integer"},
        "data": {"type": "string", "contentMediaType": "application/json"},
    },
}
_LINE = {
    "type": "object",
    "description": "One line: an activity behind the position `cursor`, or the position alone, or an event.",
    "properties": {
        "cursor": _STRING,
        "event": {"enum": list(_EVENTS)},
        "for": {"type": "array", "items": _STRING},
        "activity": {"$ref": "#/components/schemas/Activity"},
    },
}
_SCHEMAS = {
    "Activity": _ACTIVITY,
    "Page": _PAGE,
    "Collection": _COLLECTION,
    "Token": _TOKEN,
    "StreamToken": _STREAM_TOKEN,
    "JsonFeed": _JSON_FEED,
    "Topic": _TOPIC,
    "Event": _EVENT,
    "Line": _LINE,
    "Object": {"type": "object"},
    "Texts": {"type": "array", "items": _STRING},
    "Numbers": {"type": "array", "items": {"type": "integer"}},
    "Uses": {"type": "array", "items": {"type": "object"}},
    "Problem": _PROBLEM,
}
_ITEMS = {"text/event-stream": "Event", "application/x-ndjson": "Line"}
_TEXT = ("text/", "application/atom+xml", "application/x-ndjson")


def template(path: str) -> str:
    """Return a path in OpenAPI's form.

    >>> template("/v1/objects/{id:.+}")
    '/v1/objects/{id}'
    """
    return _NAME.sub(r"{\1}", path)


def document(routes: "Iterable[Route]", *, version: Version = "3.1.0") -> dict[str, Any]:
    """Return the description of the API."""
    routes = tuple(routes)
    forms = {_named(route.form): route.form.model_json_schema() for route in routes if route.form}
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(template(route.path), {})[route.method.lower()] = _operation(route, version)
    return {
        "openapi": version,
        "info": {
            "title": "Watercooler",
            "version": release("watercooler"),
            "description": "An activity stream for the inside of an organisation. Every error is an RFC 9457 problem.",
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {"schemas": {**_SCHEMAS, **forms}},
    }


def _operation(route: "Route", version: Version) -> dict[str, Any]:
    parameters = [_in_path(name) for name, _ in _NAME.findall(route.path)]
    parameters += [_in_query(one) for one in route.parameters]
    if route.streams:
        parameters.append({"name": "Last-Event-ID", "in": "header", "schema": _STRING})
    found: dict[str, Any] = {
        "operationId": route.name,
        "summary": route.doc,
        "parameters": parameters,
        "responses": {str(route.good): _good(route, version), "default": _problem()},
    }
    if route.good == 200 and not route.streams:
        found["responses"]["304"] = {"description": "As it was, by If-None-Match."}
    if route.form:
        one = _ref(_named(route.form))
        many = {"type": "array", "items": one, "minItems": 1, "maxItems": 100}
        schema = {"oneOf": [one, many]} if route.many else one
        found["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    return found


def _named(form: "type[Body]") -> str:
    """Return the name of what a body is checked against; its docstring tells of it."""
    return str(form.model_config.get("title") or form.__name__)


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def _good(route: "Route", version: Version) -> dict[str, Any]:
    if route.good == 204:
        return {"description": "Done."}
    if route.good == 303:
        return {"description": route.doc}
    return {"description": route.doc, "content": {media: _content(route, media, version) for media in route.media}}


def _content(route: "Route", media: str, version: Version) -> dict[str, Any]:
    if version == "3.2.0" and media in _ITEMS:
        return {"itemSchema": _ref(_ITEMS[media])}
    if media.startswith(_TEXT):
        return {"schema": _STRING}
    return {"schema": {"oneOf": [_ref("Page"), _ref("Collection")]} if route.answer == "Page" else _ref(route.answer)}


def _problem() -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": "A problem.", "content": {problems.CONTENT_TYPE: {"schema": schema}}}


def _in_path(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": _STRING}


def _in_query(one: "Parameter") -> dict[str, Any]:
    schema = {"type": "array", "items": {"type": "string", **one.schema}, "maxItems": 20} if one.many else one.schema
    return {"name": one.name, "in": "query", "description": one.doc, "schema": schema}
