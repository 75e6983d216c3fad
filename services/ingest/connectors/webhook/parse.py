"""A delivery's events -> activities. No I/O.

Every id that a sender names is put under its source's name: a sender can speak of its own things only, and neither
withdraw nor open those of another source.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import orjson
from cloudevents.core.base import BaseCloudEvent
from cloudevents.core.bindings.http import HTTPMessage, from_http_event
from cloudevents.core.exceptions import CloudEventValidationError
from cloudevents.core.formats.json import JSONFormat

from services.common import activitystreams
from services.common.errors import Reject
from services.common.model import (
    Account,
    AccountType,
    Activity,
    ActivityType,
    Audience,
    Container,
    Link,
    Method,
    Object,
    Provenance,
    Visibility,
    activity_id,
)

CLOSED = "#restricted"
"""Ends the id of the container that decides for what a sender keeps closer than the place it stands in."""
MOST = 1_000
"""Events in one delivery."""
_EVENT = "application/cloudevents+json"
_BATCH = "application/cloudevents-batch+json"
_OPENNESS = (Visibility.UNKNOWN, Visibility.DIRECT, Visibility.RESTRICTED, Visibility.PUBLIC)
_TITLE = ("title", "name", "summary", "subject")
_CONTENT = ("text", "content", "description", "body", "message")
_URL = ("url", "html_url", "link", "href")
_WHO = ("actor", "user", "author", "sender")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """The source that a delivery is from. ``cap`` is the most that its activities may be open to."""

    source: str
    name: str
    cap: Visibility

    @property
    def container(self) -> Container:
        """Where activities are that name no place."""
        return Container(id=f"{self.source}:inbox", type="Inbox", name=self.name)

    def own(self, id_: str) -> str:
        """Return an id under the source's name."""
        return id_ if not id_ or id_.startswith(f"{self.source}:") else f"{self.source}:{id_}"


def activities(sender: Sender, headers: Mapping[str, str], body: bytes, now: datetime) -> list[Activity]:
    """Return what a delivery says: CloudEvents (binary, structured, batch) or activities in the import form.

    Raises Reject naming the event and the field that is wrong; nothing of the delivery is taken then.
    """
    media = headers.get("content-type", "").partition(";")[0].strip().lower()
    if media in (_EVENT, _BATCH) or "ce-specversion" in headers:
        return [_of_event(sender, event, now) for event in _events(media, headers, body)]
    decoded = _json(body)
    several = decoded if isinstance(decoded, list) else [decoded]
    return [_of_record(sender, record, at) for at, record in _numbered(several)]


def _events(media: str, headers: Mapping[str, str], body: bytes) -> list[BaseCloudEvent]:
    if media != _BATCH:
        return [_event(headers, body, "the event")]
    several = _json(body)
    if not isinstance(several, list):
        raise Reject("a batch of CloudEvents is a JSON list")
    return [_event({"content-type": _EVENT}, orjson.dumps(one), at) for at, one in _numbered(several)]


def _event(headers: Mapping[str, str], body: bytes, at: str) -> BaseCloudEvent:
    try:
        return from_http_event(HTTPMessage(headers=dict(headers), body=body), JSONFormat())
    except CloudEventValidationError as error:
        raise Reject(f"{at} is not a CloudEvent: {_words(error)}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:  # what the library lets through of bad input
        raise Reject(f"{at} is not a CloudEvent: {type(error).__name__}") from error


def _words(error: CloudEventValidationError) -> str:
    return "; ".join(sorted(f"{name} is missing or wrong" for name in error.errors))


def _of_event(sender: Sender, event: BaseCloudEvent, now: datetime) -> Activity:
    data = event.get_data()
    if isinstance(data, bytes | str):
        data = _json(data.encode() if isinstance(data, str) else data) if data else {}
    native = f"{event.get_source()}/{event.get_id()}"
    if isinstance(data, dict) and "actor" in data and "object" in data and "verb" in data:
        return _of_record(sender, {"id": native, **data}, f"event {event.get_id()}")
    return _generic(sender, event, native, data if isinstance(data, dict) else {}, now)


def _generic(sender: Sender, event: BaseCloudEvent, native: str, data: Mapping[str, Any], now: datetime) -> Activity:
    kind = event.get_type()
    return _bounded(
        sender,
        Activity(
            id=activity_id(sender.source, native, "", "event"),
            type=ActivityType.CREATE,
            verb=f"event.{kind}",
            published=event.get_time() or now,
            actor=_who(data, event.get_source()),
            object=Object(
                id=event.get_subject() or native,
                type="Note",
                title=_first(data, _TITLE) or kind,
                content=_first(data, _CONTENT),
                url=_first(data, _URL),
                version=event.get_id(),
            ),
            audience=Audience(visibility=sender.cap),
            provenance=Provenance(source=sender.source, native_type=kind, native_id=event.get_id()),
        ),
    )


def _who(data: Mapping[str, Any], source: str) -> Account:
    for name in _WHO:
        value = data.get(name)
        if isinstance(value, str) and value:
            return Account(id=value, name=value)
        if isinstance(value, dict) and isinstance(value.get("id") or value.get("login"), str):
            id_ = value.get("id") if isinstance(value.get("id"), str) else value["login"]
            return Account(id=str(id_), name=str(value.get("name") or value.get("login") or id_))
    return Account(id=source, type=AccountType.SERVICE, name=source)


def _first(data: Mapping[str, Any], names: Iterable[str]) -> str:
    return next((value for name in names if isinstance(value := data.get(name), str) and value), "")


def _of_record(sender: Sender, record: Any, at: str) -> Activity:
    try:
        return _bounded(sender, activitystreams.parse(record, source=sender.source))
    except Reject as error:
        raise Reject(f"{at}: {error}") from error


def _bounded(sender: Sender, activity: Activity) -> Activity:
    """Return the activity under the sender's name and within its cap, whatever it says of itself."""
    context = tuple(_own(sender, one) for one in activity.context) or (sender.container,)
    place = next((c for c in reversed(context) if c.type != "Thread"), sender.container)
    said = activity.audience.visibility
    visibility = sender.cap if said is Visibility.UNKNOWN else min(said, sender.cap, key=_OPENNESS.index)
    closed = CLOSED if visibility is not sender.cap else ""
    return replace(
        activity,
        id=sender.own(activity.id),
        actor=replace(activity.actor, id=sender.own(activity.actor.id), address_hash=""),
        object=replace(
            activity.object,
            id=sender.own(activity.object.id),
            in_reply_to=sender.own(activity.object.in_reply_to),
            attributed_to=sender.own(activity.object.attributed_to),
        ),
        target=_own(sender, activity.target) if activity.target else None,
        origin=_own(sender, activity.origin) if activity.origin else None,
        context=context,
        audience=Audience(visibility=visibility, container=place.id + closed),
        mentions=tuple(sender.own(one) for one in activity.mentions),
        coauthors=tuple(sender.own(one) for one in activity.coauthors),
        links=tuple(Link(href=one.href, title=one.title) for one in activity.links),
        provenance=replace(
            activity.provenance,
            source=sender.source,
            connector="webhook",
            connector_version="1",
            method=Method.WEBHOOK,
            authenticated=True,
        ),
    )


def deciding(activity: Activity) -> Container:
    """Return the place whose access record decides, with the name of the place it belongs to."""
    id_ = activity.audience.container
    place = next((one for one in activity.context if one.id == id_.removesuffix(CLOSED)), None)
    return replace(place, id=id_) if place else Container(id=id_, type="Inbox")


def _own(sender: Sender, container: Container) -> Container:
    return replace(container, id=sender.own(container.id))


def _json(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Reject(f"the body is not JSON: {error}") from error


def _numbered(several: Sequence[Any]) -> list[tuple[str, Any]]:
    if len(several) > MOST:
        raise Reject(f"{len(several)} events are more than the {MOST} that one delivery may hold")
    return [(f"[{number}]", one) for number, one in enumerate(several)]
