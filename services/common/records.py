"""Model values as the plain records of the schemas, and back, side by side."""

from typing import Any

from services.common.model import (
    Access,
    AccessKind,
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

Plain = dict[str, Any]


def _account_out(a: Account) -> Plain:
    return {"id": a.id, "type": a.type.value, "name": a.name, "handle": a.handle, "addressHash": a.address_hash}


def _account_in(r: Plain) -> Account:
    return Account(
        id=r["id"], type=AccountType(r["type"]), name=r["name"], handle=r["handle"], address_hash=r["addressHash"]
    )


def _object_out(o: Object) -> Plain:
    return {
        "id": o.id,
        "type": o.type,
        "url": o.url,
        "title": o.title,
        "version": o.version,
        "previousVersion": o.previous_version,
        "order": o.order,
        "inReplyTo": o.in_reply_to,
        "attributedTo": o.attributed_to,
        "content": o.content,
        "mediaType": o.media_type,
        "language": o.language,
        "truncated": o.truncated,
    }


def _object_in(r: Plain) -> Object:
    return Object(
        id=r["id"],
        type=r["type"],
        url=r["url"],
        title=r["title"],
        version=r["version"],
        previous_version=r["previousVersion"],
        order=r["order"],
        in_reply_to=r["inReplyTo"],
        attributed_to=r["attributedTo"],
        content=r["content"],
        media_type=r["mediaType"],
        language=r["language"],
        truncated=r["truncated"],
    )


def _container_out(c: Container) -> Plain:
    return {"id": c.id, "type": c.type, "name": c.name, "url": c.url}


def _container_in(r: Plain) -> Container:
    return Container(id=r["id"], type=r["type"], name=r["name"], url=r["url"])


def _link_out(link: Link) -> Plain:
    return {"href": link.href, "object": link.object, "title": link.title}


def _link_in(r: Plain) -> Link:
    return Link(href=r["href"], object=r["object"], title=r["title"])


def _provenance_out(p: Provenance) -> Plain:
    return {
        "source": p.source,
        "connector": p.connector,
        "connectorVersion": p.connector_version,
        "method": p.method.value,
        "nativeType": p.native_type,
        "nativeId": p.native_id,
        "authenticated": p.authenticated,
        "mapping": p.mapping,
    }


def _provenance_in(r: Plain) -> Provenance:
    return Provenance(
        source=r["source"],
        connector=r["connector"],
        connector_version=r["connectorVersion"],
        method=Method(r["method"]),
        native_type=r["nativeType"],
        native_id=r["nativeId"],
        authenticated=r["authenticated"],
        mapping=r["mapping"],
    )


def activity_out(a: Activity) -> Plain:
    """Return the record of schema ``activity``."""
    return {
        "id": a.id,
        "type": a.type.value,
        "verb": a.verb,
        "published": a.published,
        "recorded": a.recorded,
        "actor": _account_out(a.actor),
        "object": _object_out(a.object),
        "target": _container_out(a.target) if a.target else None,
        "origin": _container_out(a.origin) if a.origin else None,
        "context": [_container_out(c) for c in a.context],
        "audience": {"visibility": a.audience.visibility.value, "container": a.audience.container},
        "tags": a.tags,
        "mentions": a.mentions,
        "links": [_link_out(link) for link in a.links],
        "files": a.files,
        "coauthors": a.coauthors,
        "withdraws": a.withdraws,
        "provenance": _provenance_out(a.provenance),
        "ext": a.ext,
    }


def activity_in(r: Plain) -> Activity:
    """Return the activity in a record of schema ``activity``."""
    return Activity(
        id=r["id"],
        type=ActivityType(r["type"]),
        verb=r["verb"],
        published=r["published"],
        recorded=r["recorded"],
        actor=_account_in(r["actor"]),
        object=_object_in(r["object"]),
        target=_container_in(r["target"]) if r["target"] else None,
        origin=_container_in(r["origin"]) if r["origin"] else None,
        context=tuple(_container_in(c) for c in r["context"]),
        audience=Audience(visibility=Visibility(r["audience"]["visibility"]), container=r["audience"]["container"]),
        tags=tuple(r["tags"]),
        mentions=tuple(r["mentions"]),
        links=tuple(_link_in(link) for link in r["links"]),
        files=tuple(r["files"]),
        coauthors=tuple(r["coauthors"]),
        withdraws=tuple(r["withdraws"]),
        provenance=_provenance_in(r["provenance"]),
        ext=r["ext"],
    )


def enriched_out(e: Enriched, activity: Plain | None = None) -> Plain:
    """Return the record of schema ``enriched``; ``activity`` is that of its activity where it is at hand already."""
    return {
        "activity": activity_out(e.activity) if activity is None else activity,
        "person": e.person,
        "coauthorPeople": e.coauthor_people,
        "mentionPeople": e.mention_people,
        "thread": e.thread,
        "text": e.text,
        "language": e.language,
        "tags": e.tags,
        "phrases": e.phrases,
        "links": [_link_out(link) for link in e.links],
        "vector": e.vector,
        "automated": e.automated,
        "burst": e.burst,
        "notes": e.notes,
        "generation": e.generation,
    }


def enriched_in(r: Plain) -> Enriched:
    """Return the enriched activity in a record of schema ``enriched``."""
    return Enriched(
        activity=activity_in(r["activity"]),
        person=r["person"],
        coauthor_people=tuple(r["coauthorPeople"]),
        mention_people=tuple(r["mentionPeople"]),
        thread=r["thread"],
        text=r["text"],
        language=r["language"],
        tags=tuple(r["tags"]),
        phrases=tuple(r["phrases"]),
        links=tuple(_link_in(link) for link in r["links"]),
        vector=r["vector"],
        automated=r["automated"],
        burst=r["burst"],
        notes=tuple(r["notes"]),
        generation=r["generation"],
    )


def access_out(a: Access) -> Plain:
    """Return the record of schema ``access``."""
    return {
        "id": a.id,
        "kind": a.kind.value,
        "visibility": a.visibility.value,
        "principals": a.principals,
        "restricted": a.restricted,
        "withdrawn": a.withdrawn,
        "order": a.order,
        "name": a.name,
        "url": a.url,
        "source": a.source,
        "recorded": a.recorded,
    }


def access_in(r: Plain) -> Access:
    """Return the access record in a record of schema ``access``."""
    return Access(
        id=r["id"],
        kind=AccessKind(r["kind"]),
        visibility=Visibility(r["visibility"]),
        principals=tuple(r["principals"]),
        restricted=r["restricted"],
        withdrawn=tuple(r["withdrawn"]),
        order=r["order"],
        name=r["name"],
        url=r["url"],
        source=r["source"],
        recorded=r["recorded"],
    )
