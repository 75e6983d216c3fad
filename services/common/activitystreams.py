"""The activity as ActivityStreams 2.0 JSON: what the gateway gives, what files hold that are imported.

One form for both, so that what is read from us can be given to us again. Fields: docs/import-form.md. An activity's
own fields are those of the Avro schema in camel case; times are RFC 3339 in UTC.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar, cast

import orjson

from services.common.envelope import rfc3339
from services.common.errors import Reject
from services.common.model import (
    Account,
    AccountType,
    Activity,
    ActivityType,
    Audience,
    Container,
    Enriched,
    Link,
    Method,
    Object,
    Provenance,
    Visibility,
)

Json = dict[str, Any]
CONTEXT = "https://www.w3.org/ns/activitystreams"
MEDIA_TYPE = "application/activity+json"

_T = TypeVar("_T")
_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")
_LONGEST_ID = 1_000
_LATEST = datetime(9999, 1, 1, tzinfo=UTC)


def as_json(enriched: Enriched) -> Json:
    """Return an enriched activity as plain JSON values; fields that say nothing are left out."""
    activity = enriched.activity
    found: Json = {
        "@context": CONTEXT,
        "id": activity.id,
        "type": activity.type.value,
        "verb": activity.verb,
        "published": rfc3339(activity.published),
        "recorded": rfc3339(activity.recorded),
        "actor": _account_json(activity.actor),
        "object": _object_json(activity.object),
        "context": [_container_json(c) for c in activity.context],
        "audience": _said({"visibility": activity.audience.visibility.value, "container": activity.audience.container}),
        "provenance": _provenance_json(activity.provenance),
    }
    found |= _said(
        {
            "target": activity.target and _container_json(activity.target),
            "origin": activity.origin and _container_json(activity.origin),
            "tags": list(enriched.tags or activity.tags),
            "mentions": list(activity.mentions),
            "links": [_said(_link_json(link)) for link in enriched.links or activity.links],
            "files": list(activity.files),
            "coauthors": list(activity.coauthors),
            "withdraws": list(activity.withdraws),
            "ext": dict(activity.ext),
            "person": enriched.person,
            "thread": enriched.thread,
            "text": enriched.text,
            "language": enriched.language,
            "phrases": list(enriched.phrases),
            "automated": enriched.automated,
            "burst": enriched.burst,
        }
    )
    return found


def _said(fields: Mapping[str, Any]) -> Json:
    return {name: value for name, value in fields.items() if value}


def _account_json(account: Account) -> Json:
    return {"id": account.id, "type": account.type.value} | _said({"name": account.name, "handle": account.handle})


def _object_json(thing: Object) -> Json:
    return {"id": thing.id, "type": thing.type} | _said(
        {
            "title": thing.title,
            "content": thing.content,
            "mediaType": thing.media_type if thing.media_type != "text/plain" else "",
            "url": thing.url,
            "version": thing.version,
            "previousVersion": thing.previous_version,
            "order": thing.order,
            "inReplyTo": thing.in_reply_to,
            "attributedTo": thing.attributed_to,
            "language": thing.language,
            "truncated": thing.truncated,
        }
    )


def _container_json(container: Container) -> Json:
    return {"id": container.id, "type": container.type} | _said({"name": container.name, "url": container.url})


def _link_json(link: Link) -> Json:
    return {"href": link.href, "object": link.object, "title": link.title}


def _provenance_json(provenance: Provenance) -> Json:
    return {"source": provenance.source, "method": provenance.method.value} | _said(
        {
            "connector": provenance.connector,
            "nativeType": provenance.native_type,
            "nativeId": provenance.native_id,
            "authenticated": provenance.authenticated,
        }
    )


def parse_line(line: bytes, *, source: str = "") -> Activity:
    """Return the activity of one line of the import form.

    ``source`` stands in where ``provenance.source`` is missing. Raises Reject with one sentence: which field is
    wrong, and how. The line's number is the caller's to add.
    """
    try:
        record = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise Reject(f"not JSON: {error}") from error
    return parse(record, source=source)


def parse(record: Any, *, source: str = "") -> Activity:
    """Return the activity of a decoded record of the import form; raises Reject as ``parse_line`` does."""
    if not isinstance(record, dict):
        raise Reject(f"an activity is a JSON object, not {_kind(record)}")
    audience = _Fields(record.get("audience", {}), "audience")
    context = tuple(_container(one, f"context[{n}]") for n, one in enumerate(_list(record, "context")))
    fields = _Fields(record, "")
    return Activity(
        id=fields.identity("id"),
        type=fields.one_of("type", ActivityType, ActivityType.UNKNOWN, required=True),
        verb=fields.text("verb", required=True),
        published=fields.time("published"),
        actor=_account(record.get("actor"), "actor"),
        object=_object(record.get("object")),
        target=_container(record["target"], "target") if record.get("target") else None,
        origin=_container(record["origin"], "origin") if record.get("origin") else None,
        context=context,
        audience=Audience(
            visibility=audience.one_of("visibility", Visibility, Visibility.UNKNOWN),
            container=audience.text("container") or _deciding(context),
        ),
        tags=fields.texts("tags"),
        mentions=fields.texts("mentions"),
        links=tuple(_link(one, f"links[{n}]") for n, one in enumerate(_list(record, "links"))),
        files=fields.texts("files"),
        coauthors=fields.texts("coauthors"),
        withdraws=fields.texts("withdraws"),
        provenance=_provenance(record.get("provenance", {}), source),
        ext=fields.mapping("ext"),
    )


def _deciding(context: tuple[Container, ...]) -> str:
    """The innermost place that is not a thread: its access record decides where nothing else is said."""
    return next((c.id for c in reversed(context) if c.type != "Thread"), "")


def _account(record: Any, at: str) -> Account:
    fields = _Fields(record, at)
    return Account(
        id=fields.identity("id"),
        type=fields.one_of("type", AccountType, AccountType.PERSON),
        name=fields.text("name"),
        handle=fields.text("handle"),
        address_hash=fields.text("addressHash"),
    )


def _object(record: Any) -> Object:
    fields = _Fields(record, "object")
    return Object(
        id=fields.identity("id"),
        type=fields.text("type", required=True),
        url=fields.text("url"),
        title=fields.text("title"),
        version=fields.text("version"),
        previous_version=fields.text("previousVersion"),
        order=fields.whole("order"),
        in_reply_to=fields.text("inReplyTo"),
        attributed_to=fields.text("attributedTo"),
        content=fields.text("content"),
        media_type=fields.text("mediaType") or "text/plain",
        language=fields.text("language"),
        truncated=fields.flag("truncated"),
    )


def _container(record: Any, at: str) -> Container:
    fields = _Fields(record, at)
    return Container(
        id=fields.identity("id"),
        type=fields.text("type", required=True),
        name=fields.text("name"),
        url=fields.text("url"),
    )


def _link(record: Any, at: str) -> Link:
    fields = _Fields(record, at)
    return Link(href=fields.text("href", required=True), object=fields.text("object"), title=fields.text("title"))


def _provenance(record: Any, source: str) -> Provenance:
    fields = _Fields(record, "provenance")
    named = fields.text("source") or source
    if not named:
        raise Reject("provenance.source is missing")
    return Provenance(
        source=named,
        connector=fields.text("connector"),
        connector_version=fields.text("connectorVersion"),
        method=fields.one_of("method", Method, Method.IMPORT),
        native_type=fields.text("nativeType"),
        native_id=fields.text("nativeId"),
        authenticated=fields.flag("authenticated"),
        mapping=fields.whole("mapping"),
    )


def _list(record: Json, name: str) -> list[Any]:
    value = record.get(name)
    if value is None:
        return []
    if not isinstance(value, list):
        raise Reject(f"{name} is {_kind(value)}, not a list")
    return value


class _Fields:
    """Reads the fields of one JSON object; every error names the field by its path."""

    __slots__ = ("_at", "_record")

    def __init__(self, record: Any, at: str) -> None:
        if not isinstance(record, dict):
            raise Reject(f"{at} is missing" if record is None else f"{at} is {_kind(record)}, not an object")
        self._record = record
        self._at = f"{at}." if at else ""

    def text(self, name: str, *, required: bool = False) -> str:
        value = self._record.get(name)
        if value is None or value == "":
            if required:
                raise Reject(f"{self._at}{name} is missing")
            return ""
        if not isinstance(value, str):
            raise Reject(f"{self._at}{name} is {_kind(value)}, not text")
        return value

    def identity(self, name: str) -> str:
        value = self.text(name, required=True)
        if len(value) > _LONGEST_ID:
            raise Reject(f"{self._at}{name} has {len(value)} characters; {_LONGEST_ID} are allowed")
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        values = self._record.get(name)
        if not values:
            return ()
        if not isinstance(values, list):
            raise Reject(f"{self._at}{name} is {_kind(values)}, not a list")
        for n, value in enumerate(values):
            if not isinstance(value, str):
                raise Reject(f"{self._at}{name}[{n}] is {_kind(value)}, not text")
        return tuple(values)

    def time(self, name: str) -> datetime:
        value = self.text(name, required=True)
        try:
            at = datetime.fromisoformat(value).astimezone(UTC) if _TIME.fullmatch(value) else None
        except (ValueError, OverflowError):
            at = None
        if at is None:
            raise Reject(f"{self._at}{name} {value[:40]!r} is not an RFC 3339 time such as 2026-01-31T09:30:00Z")
        if at > _LATEST:
            raise Reject(f"{self._at}{name} {value[:40]!r} is too late to be a time")
        return at

    def whole(self, name: str) -> int:
        value = self._record.get(name)
        if value is None:
            return 0
        if not isinstance(value, int) or isinstance(value, bool):
            raise Reject(f"{self._at}{name} is {_kind(value)}, not a whole number")
        if not 0 <= value < 2**59:
            raise Reject(f"{self._at}{name} is {value}; it must lie in 0..2^59")
        return value

    def flag(self, name: str) -> bool:
        value = self._record.get(name)
        if value is not None and not isinstance(value, bool):
            raise Reject(f"{self._at}{name} is {_kind(value)}, not true or false")
        return bool(value)

    def one_of(self, name: str, kinds: Callable[[str], _T], otherwise: _T, *, required: bool = False) -> _T:
        value = self.text(name, required=required)
        if not value:
            return otherwise
        try:
            return kinds(value)
        except ValueError:
            known = ", ".join(one.value for one in cast("list[Any]", kinds))
            raise Reject(f"{self._at}{name} {value[:40]!r} is not one of {known}") from None

    def mapping(self, name: str) -> dict[str, str]:
        values = self._record.get(name)
        if not values:
            return {}
        if not isinstance(values, dict) or not all(isinstance(value, str) for value in values.values()):
            raise Reject(f"{self._at}{name} is not an object of texts")
        return dict(values)


def _kind(value: object) -> str:
    names = {dict: "an object", list: "a list", str: "a text", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")
