"""The table of routes as OpenAPI 3.1. Pure."""

import re
from collections.abc import Iterable
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from services.gateway import problems
from services.gateway.feedback import KINDS

if TYPE_CHECKING:
    from services.gateway.routes import Parameter, Route

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
        "next": {"type": "string", "description": "Absent where there is nothing more; a short page is not the last."},
        "prev": _STRING,
        "totalItems": {"type": "integer", "description": "Exact up to 10,000."},
        "orderedItems": {"type": "array", "items": {"$ref": "#/components/schemas/Activity"}},
        "stream": {"type": "string", "description": "Address of the live feed that goes on from this page."},
        "facets": {"type": "object"},
    },
}
_FEEDBACK = {
    "type": "object",
    "additionalProperties": False,
    "required": ["subject", "kind"],
    "properties": {
        "subject": {"type": "string", "minLength": 1, "maxLength": 1000},
        "kind": {
            "enum": list(KINDS),
        },
        "undone": {"type": "boolean"},
        "value": {"type": "number"},
        "surface": {"enum": ["", "for-you", "stream", "search", "people", "object", "mail"]},
        "rank": {"type": "integer", "minimum": 0, "description": "Place in the list that was shown, from 1."},
        "dial": {"type": "number", "minimum": -1, "maximum": 1, "description": "Where the dial stood; -1: nowhere."},
    },
}
_STREAM_SET = {
    "type": "object",
    "additionalProperties": False,
    "required": ["subscriptions"],
    "properties": {
        "subscriptions": {
            "type": "object",
            "maxProperties": 20,
            "description": "By name, each as the query string of a stream: feed=all&container=...",
            "additionalProperties": {"type": "string", "maxLength": 4000},
        }
    },
}
_STREAM_QUERY = {
    "type": "object",
    "additionalProperties": False,
    "properties": {"query": {"type": "string", "maxLength": 4000, "description": "Query string of the stream."}},
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


def template(path: str) -> str:
    """Return a path in OpenAPI's form.

    >>> template("/v1/objects/{id:.+}")
    '/v1/objects/{id}'
    """
    return _NAME.sub(r"{\1}", path)


def document(routes: "Iterable[Route]") -> dict[str, Any]:
    """Return the description of the API."""
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(template(route.path), {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Watercooler",
            "version": version("watercooler"),
            "description": "An activity stream for the inside of an organisation. Every error is an RFC 9457 problem.",
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": {
                "Activity": _ACTIVITY,
                "Page": _PAGE,
                "Feedback": _FEEDBACK,
                "StreamSet": _STREAM_SET,
                "StreamQuery": _STREAM_QUERY,
                "StreamToken": _STREAM_TOKEN,
                "Object": {"type": "object"},
                "Problem": _PROBLEM,
            }
        },
    }


def _operation(route: "Route") -> dict[str, Any]:
    parameters = [_in_path(name) for name, _ in _NAME.findall(route.path)]
    parameters += [_in_query(one) for one in route.parameters]
    if route.streams:
        parameters.append({"name": "Last-Event-ID", "in": "header", "schema": _STRING})
    found: dict[str, Any] = {
        "operationId": route.name,
        "summary": route.doc,
        "parameters": parameters,
        "responses": {str(route.good): _good(route), "default": _problem()},
    }
    if route.body:
        one = {"$ref": f"#/components/schemas/{route.body}"}
        many = {"type": "array", "items": one, "minItems": 1, "maxItems": 100}
        schema = {"oneOf": [one, many]} if route.many else one
        found["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    return found


def _good(route: "Route") -> dict[str, Any]:
    if route.good == 204:
        return {"description": "Done."}
    json = {"$ref": f"#/components/schemas/{route.answer}"}
    schemas = {media: json if media.endswith("json") and "ndjson" not in media else {} for media in route.media}
    return {"description": route.doc, "content": {media: {"schema": schema} for media, schema in schemas.items()}}


def _problem() -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": "A problem.", "content": {problems.CONTENT_TYPE: {"schema": schema}}}


def _in_path(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": _STRING}


def _in_query(one: "Parameter") -> dict[str, Any]:
    schema = {"type": "array", "items": {"type": "string", **one.schema}, "maxItems": 20} if one.many else one.schema
    return {"name": one.name, "in": "query", "description": one.doc, "schema": schema}
