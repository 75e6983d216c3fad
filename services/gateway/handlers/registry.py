"""``/registry``: the read part of the Confluent Schema Registry's API over the checked-in schemas.

Paths and answers: docs.confluent.io, "Schema Registry API Reference". Errors are problem documents that carry that
API's ``error_code`` and ``message`` as well, so that its clients understand them.
"""

import json
from typing import Any

import orjson
from aiohttp import web

from services.common import schemas
from services.common.topics import TOPICS
from services.gateway.keys import SETTINGS
from services.gateway.problems import Problem
from services.gateway.respond import answer_bytes

_TYPE = "application/vnd.schemaregistry.v1+json"
_VALUE = "-value"
_MOST = 2**31
_DIGITS = 10


async def subjects(request: web.Request) -> web.Response:
    """Answer with the subjects: one per topic, by the TopicNameStrategy."""
    return _say(request, sorted(_subjects(request)))


async def versions(request: web.Request) -> web.Response:
    """Answer with the versions of a subject."""
    return _say(request, [number for number, _ in _versions(_schema_of(request))])


async def version(request: web.Request) -> web.Response:
    """Answer with one version of a subject."""
    number, name = _version(request)
    return _say(
        request,
        {
            "subject": request.match_info["subject"],
            "version": number,
            "id": schemas.schema_id(name),
            "schemaType": "AVRO",
            "schema": _compact(name),
        },
    )


async def version_schema(request: web.Request) -> web.Response:
    """Answer with the schema alone of one version of a subject."""
    return answer_bytes(request, _compact(_version(request)[1]).encode(), kind=_TYPE)


async def by_id(request: web.Request) -> web.Response:
    """Answer with a schema."""
    return _say(request, {"schemaType": "AVRO", "schema": _compact(_named(request))})


async def by_id_schema(request: web.Request) -> web.Response:
    """Answer with a schema alone."""
    return answer_bytes(request, _compact(_named(request)).encode(), kind=_TYPE)


async def id_versions(request: web.Request) -> web.Response:
    """Answer with where a schema is used."""
    name = _named(request)
    subject, _, number = name.partition("/v")
    found = [{"subject": s, "version": int(number)} for s, of in sorted(_subjects(request).items()) if of == subject]
    return _say(request, found)


async def types(request: web.Request) -> web.Response:
    """Answer with the kinds of schemas."""
    return _say(request, ["AVRO"])


async def config(request: web.Request) -> web.Response:
    """Answer with the rule of change: every version can be read by every other."""
    return _say(request, {"compatibilityLevel": "FULL_TRANSITIVE"})


def _say(request: web.Request, body: Any) -> web.Response:
    return answer_bytes(request, orjson.dumps(body), kind=_TYPE)


def _subjects(request: web.Request) -> dict[str, str]:
    prefix = request.app[SETTINGS].topic_prefix
    return {topic.name(prefix) + _VALUE: topic.schema for topic in TOPICS}


def _schema_of(request: web.Request) -> str:
    subject = request.match_info["subject"]
    found = _subjects(request).get(subject)
    if found is None:
        raise _absent(40401, "Subject not found.")
    return found


def _versions(subject: str) -> list[tuple[int, str]]:
    found = (name for name in schemas.table() if name.partition("/v")[0] == subject)
    return sorted((int(name.partition("/v")[2]), name) for name in found)


def _version(request: web.Request) -> tuple[int, str]:
    given = request.match_info["version"]
    known = _versions(_schema_of(request))
    if given in ("latest", "-1"):
        return known[-1]
    if not (given.isascii() and given.isdigit() and len(given) <= _DIGITS and 0 < int(given) < _MOST):
        raise Problem(
            422,
            "bad-parameter",
            "version: a number from 1 or latest is expected.",
            error_code=42202,
            message="The specified version is not a valid version id.",
        )
    for number, name in known:
        if number == int(given):
            return number, name
    raise _absent(40402, "Version not found.")


def _named(request: web.Request) -> str:
    given = request.match_info["id"]
    name = schemas.by_id().get(int(given)) if len(given) <= _DIGITS else None
    if name is None:
        raise _absent(40403, "Schema not found.")
    return name


def _compact(name: str) -> str:
    return json.dumps(json.loads(schemas.text(name)), separators=(",", ":"))


def _absent(code: int, message: str) -> Problem:
    return Problem(404, "not-found", message, error_code=code, message=message)
