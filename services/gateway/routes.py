"""Every address of the API, once: who answers, and what it takes. The application and the OpenAPI are made of this."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from services.common.activitystreams import MEDIA_TYPE
from services.common.recommendation import MIDDLE
from services.gateway import feeds, filters, paging, trends
from services.gateway.handlers import (
    activities,
    digest,
    docs,
    feed,
    feedback,
    following,
    groups,
    login,
    me,
    meeting,
    notes,
    objects,
    people,
    preferences,
    registry,
    rules,
    search,
    searches,
    stream,
    streams,
    tokens,
    topics,
)
from services.gateway.handlers.bodies import Body
from services.gateway.problems import Handler
from services.gateway.stream import sets


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One query parameter. ``schema`` is JSON Schema."""

    name: str
    doc: str
    schema: dict[str, Any]
    many: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One address. ``open`` ones are answered without asking who asks; ``media`` is what a good answer is.

    ``form`` is what is sent, where it is read by ``handlers.bodies``; ``body`` names another schema of the description,
    and ``many`` of it may be a list.
    ``scope`` is what a token needs where the method does not say it.
    """

    method: str
    path: str
    handler: Handler
    name: str
    doc: str
    parameters: Sequence[Parameter] = ()
    media: Sequence[str] = (MEDIA_TYPE, "application/json")
    good: int = 200
    open: bool = False
    answer: str = "Object"
    many: bool = False
    form: type[Body] | None = None
    streams: bool = False
    scope: str = ""


def _text(name: str, doc: str, **schema: Any) -> Parameter:
    return Parameter(name=name, doc=doc, schema={"type": "string", **schema})


_BOUND = {"maxLength": filters.LONGEST}
_VALUES = {
    "source": "Short name of a source.",
    "type": "ActivityStreams type of the activity (of the object, in a search).",
    "verb": "Our finer verb, such as git.commit.",
    "actor": "Source account that acted.",
    "person": "Person who acted, co-authors among them.",
    "container": "Place it happened in, at any depth.",
    "tag": "Tag.",
    "mention": "Person who is mentioned.",
    "thread": "Conversation, by the id of what began it.",
}
_FILTERS = tuple(
    Parameter(name=name, doc=f"{_VALUES[name]} Given more than once, any of them.", schema=_BOUND, many=True)
    for name in filters.FIELDS
)
_SPAN = (
    _text("since", "Published at or after this time (ISO 8601)."),
    _text("until", "Published before this time (ISO 8601)."),
)
_WORDS = _text("q", "Words, never a query language.", maxLength=filters.TEXT)
_LIMIT = Parameter(
    name="limit", doc="Items of a page.", schema={"type": "integer", "minimum": 1, "maximum": paging.MOST}
)
_CURSOR = _text("cursor", "Opaque; from next, prev or last of another page of the same question.")
_FEED = _text("feed", "Which feed.", enum=list(sets.FEEDS), default="all")
_PAGING = (
    _LIMIT,
    _CURSOR,
    _text("live", "Opaque; carries the first page's place on the stream from page to page."),
    _text("view", "`collection`: the collection that the pages are of, instead of a page.", enum=["collection"]),
)
_JSON = ("application/json",)
_HTML = ("text/html",)
_REGISTRY = ("application/vnd.schemaregistry.v1+json",)
_LISTS = {"subjects": "Texts", "versions": "Numbers", "schema-versions": "Uses", "schema-types": "Texts"}
"""What the registry answers with where it is no object."""

_FOLLOWING = (
    Route(
        method="GET",
        path="/v1/me/following",
        handler=following.feed,
        name="following",
        doc="What I follow, newest first and never ranked. `unread` counts what is newer than my read mark.",
        parameters=(_LIMIT, _CURSOR),
        answer="Page",
    ),
    Route(
        method="PUT",
        path="/v1/me/following/read",
        handler=following.mark,
        name="read",
        doc="How far I have read what I follow: up to a time, or up to now.",
        good=204,
        form=following.Mark,
    ),
    Route(method="GET", path="/v1/me/follows", handler=following.every, name="follows", doc="What I follow."),
    Route(
        method="PUT",
        path="/v1/me/follows/{ref:.+}",
        handler=following.follow,
        name="follow",
        doc="Follow a person, a container, a tag or a conversation by its id, or a saved search by search:NAME.",
        good=204,
    ),
    Route(
        method="DELETE",
        path="/v1/me/follows/{ref:.+}",
        handler=following.unfollow,
        name="unfollow",
        doc="Follow it no more.",
        good=204,
    ),
    Route(method="GET", path="/v1/me/searches", handler=searches.every, name="searches", doc="My saved searches."),
    Route(
        method="PUT",
        path="/v1/me/searches/{name}",
        handler=searches.put,
        name="save-search",
        doc="Keep a question under a name.",
        good=204,
        form=searches.Saved,
    ),
    Route(
        method="DELETE",
        path="/v1/me/searches/{name}",
        handler=searches.remove,
        name="remove-search",
        doc="Keep it no more.",
        good=204,
    ),
)

_RULES = (
    Route(method="GET", path="/v1/me/rules", handler=rules.every, name="rules", doc="My rules."),
    Route(
        method="POST",
        path="/v1/me/rules/dry-run",
        handler=rules.dry_run,
        name="dry-run",
        doc="What a rule would have held for in the last 30 days, and how much it `would` have sent.",
        form=rules.Try,
        scope="read",
    ),
    Route(
        method="POST",
        path="/v1/me/rules/{name}/secret",
        handler=rules.new_secret,
        name="new-rule-secret",
        doc="A new secret for the webhook of a rule; told here and never again.",
    ),
    Route(
        method="PUT",
        path="/v1/me/rules/{name}",
        handler=rules.put,
        name="put-rule",
        doc="Keep a rule, or switch it on or off; answers with its dry run, and once with the secret of a webhook.",
        form=rules.Given,
    ),
    Route(
        method="DELETE",
        path="/v1/me/rules/{name}",
        handler=rules.remove,
        name="remove-rule",
        doc="Remove a rule.",
        good=204,
    ),
    Route(
        method="GET",
        path="/v1/me/digest",
        handler=digest.show,
        name="digest",
        doc="How often my digest by mail comes, and where to.",
    ),
    Route(
        method="PUT",
        path="/v1/me/digest",
        handler=digest.choose,
        name="choose-digest",
        doc="How often my digest by mail comes: every day, every week, or never.",
        form=digest.Choice,
    ),
    Route(
        method="GET",
        path="/v1/digest/stop",
        handler=digest.ask_to_stop,
        name="ask-to-stop-digest",
        doc="Asks whether somebody's digests are to end; linked to in each.",
        parameters=(_text("token", "Says whose."),),
        media=("text/html",),
        open=True,
    ),
    Route(
        method="POST",
        path="/v1/digest/stop",
        handler=digest.stop,
        name="stop-digest",
        doc="Ends somebody's digests: the one click of RFC 8058.",
        parameters=(_text("token", "Says whose."),),
        media=("text/html",),
        open=True,
    ),
    Route(
        method="GET",
        path="/v1/me/notifications",
        handler=following.notifications,
        name="notifications",
        doc="What my rules notify me of, newest first. `unread` counts what is newer than my read mark.",
        parameters=(_LIMIT, _CURSOR),
        answer="Page",
    ),
    Route(
        method="PUT",
        path="/v1/me/notifications/read",
        handler=following.mark_notifications,
        name="read-notifications",
        doc="How far I have read what my rules notify me of: up to a time, or up to now.",
        good=204,
        form=following.Mark,
    ),
)
_SPEAKING = (
    Route(
        method="GET",
        path="/v1/me/mentions",
        handler=following.mentions,
        name="mentions",
        doc="What mentions me, newest first. `unread` counts what is newer than my read mark.",
        parameters=(_LIMIT, _CURSOR),
        answer="Page",
    ),
    Route(
        method="PUT",
        path="/v1/me/mentions/read",
        handler=following.mark_mentions,
        name="read-mentions",
        doc="How far I have read what mentions me: up to a time, or up to now.",
        good=204,
        form=following.Mark,
    ),
    Route(
        method="POST",
        path="/v1/notes",
        handler=notes.post,
        name="note",
        doc="Say something in Markdown: to everyone, to a group, or about an object. Idempotency-Key is honoured.",
        good=201,
        media=_JSON,
        form=notes.Note,
    ),
    Route(
        method="POST",
        path="/v1/notes/{id}/replies",
        handler=notes.reply,
        name="reply",
        doc="Answer to a note, where it stands. Idempotency-Key is honoured.",
        good=201,
        media=_JSON,
        form=notes.Said,
    ),
    Route(
        method="PUT",
        path="/v1/notes/{id}",
        handler=notes.edit,
        name="edit-note",
        doc="Correct what I said.",
        media=_JSON,
        form=notes.Said,
    ),
    Route(
        method="DELETE",
        path="/v1/notes/{id}",
        handler=notes.remove,
        name="remove-note",
        doc="Take back what I said: its text is gone from the log and the index.",
        good=204,
    ),
    Route(method="GET", path="/v1/groups", handler=groups.every, name="groups", doc="Groups that I may open."),
    Route(
        method="POST",
        path="/v1/groups",
        handler=groups.make,
        name="make-group",
        doc="Make a group, open to everyone or closed to all but its members.",
        good=201,
        form=groups.Group,
    ),
    Route(method="GET", path="/v1/groups/{id}", handler=groups.one, name="group", doc="A group and its members."),
    Route(
        method="POST",
        path="/v1/groups/{id}/join",
        handler=groups.join,
        name="join",
        doc="Join an open group.",
        good=204,
    ),
    Route(
        method="POST", path="/v1/groups/{id}/leave", handler=groups.leave, name="leave", doc="Leave a group.", good=204
    ),
    Route(
        method="POST",
        path="/v1/groups/{id}/members",
        handler=groups.let_in,
        name="let-in",
        doc="Let people into a group that I am in.",
        good=204,
        form=groups.Members,
    ),
)

ROUTES: tuple[Route, ...] = (
    Route(
        method="GET",
        path="/v1/activities",
        handler=activities.page,
        name="activities",
        doc="Everything I may see, newest first. `stream` says from where to go on live without a gap.",
        parameters=(*_FILTERS, *_SPAN, _WORDS, *_PAGING),
        answer="Page",
    ),
    Route(
        method="GET",
        path="/v1/activities/{id:.+}",
        handler=activities.one,
        name="activity",
        doc="One activity.",
        answer="Activity",
    ),
    Route(
        method="GET",
        path="/v1/objects/{id:.+}",
        handler=objects.one,
        name="object",
        doc="One object in its newest state, with its history and its conversation.",
    ),
    Route(
        method="GET",
        path="/v1/search",
        handler=search.search,
        name="search",
        doc="Search by words, by meaning, or both fused. Highlights are HTML with <mark> only.",
        parameters=(
            _WORDS,
            _text("mode", "How to look.", enum=["lexical", "semantic", "hybrid"], default="hybrid"),
            _text("group", "The best hit of each conversation, or all.", enum=["conversation", "none"]),
            *(one for one in _FILTERS if one.name not in filters.OF_ACTS),
            *_SPAN,
            *_PAGING,
        ),
        answer="Page",
    ),
    Route(
        method="GET",
        path="/v1/people",
        handler=people.search,
        name="people",
        doc="Who knows about it, by what they did that I may open.",
        parameters=(_WORDS, _LIMIT),
    ),
    Route(
        method="GET",
        path="/v1/people/{id:.+}",
        handler=people.one,
        name="person",
        doc="What a person did last, and where, as far as I may open it.",
        parameters=_PAGING,
        answer="Page",
    ),
    Route(method="GET", path="/v1/me", handler=me.me, name="me", doc="Who I am."),
    Route(
        method="GET",
        path="/v1/me/for-you",
        handler=me.for_you,
        name="for-you",
        doc="What I would not have looked for: each item with its score's terms and a reason in words.",
        parameters=(
            Parameter(
                name="surprise",
                doc="The dial: 0 familiar, 1 surprising.",
                schema={"type": "number", "minimum": 0, "maximum": 1, "default": MIDDLE},
            ),
            _LIMIT,
        ),
    ),
    Route(
        method="GET",
        path="/v1/me/settings",
        handler=preferences.read,
        name="settings",
        doc="What I have set: where my dial stands (`surprise`), and whether I want recommendations.",
        media=_JSON,
        answer="Settings",
    ),
    Route(
        method="PUT",
        path="/v1/me/settings",
        handler=preferences.put,
        name="put-settings",
        doc="Set them; what is left out stays as it is.",
        good=204,
        form=preferences.Settings,
    ),
    *_FOLLOWING,
    *_SPEAKING,
    *_RULES,
    Route(
        method="GET",
        path="/v1/me/tokens",
        handler=tokens.mine,
        name="my-tokens",
        doc="My API tokens: what each is for and when it ends, never the token itself.",
    ),
    Route(
        method="POST",
        path="/v1/me/tokens",
        handler=tokens.create,
        name="create-token",
        doc="A new API token. Its text is in this answer only; send it as `Authorization: Bearer`.",
        media=_JSON,
        good=201,
        form=tokens.Given,
        answer="Token",
    ),
    Route(
        method="DELETE",
        path="/v1/me/tokens/{id}",
        handler=tokens.remove,
        name="revoke-token",
        doc="Take one of my API tokens back, at once.",
        good=204,
    ),
    Route(
        method="GET",
        path="/v1/tokens",
        handler=tokens.every,
        name="tokens",
        doc="All API tokens, or one person's; for administrators.",
        parameters=(_text("person", "Whose.", **_BOUND),),
    ),
    Route(
        method="DELETE",
        path="/v1/tokens/{id}",
        handler=tokens.remove_any,
        name="revoke-any-token",
        doc="Take anybody's API token back, at once; for administrators.",
        good=204,
    ),
    Route(
        method="GET",
        path="/login",
        handler=login.login,
        name="login",
        doc="Off to the identity provider, and back to `next`.",
        parameters=(_text("next", "Address of ours to go to afterwards."),),
        media=_HTML,
        good=303,
        open=True,
    ),
    Route(
        method="GET",
        path="/login/callback",
        handler=login.callback,
        name="login-callback",
        doc="Back from the identity provider.",
        parameters=tuple(_text(one, "As the identity provider gives it.") for one in ("code", "state", "iss", "error")),
        media=_HTML,
        good=303,
        open=True,
    ),
    Route(
        method="POST",
        path="/logout",
        handler=login.logout,
        name="logout",
        doc="End the session.",
        media=_HTML,
        open=True,
    ),
    Route(
        method="GET",
        path="/v1/me/people",
        handler=meeting.people,
        name="to-meet",
        doc="People I am not linked to and should meet: our common ground that both of us may open, and who could"
        " introduce us. To decline, silently: feedback `not-useful` about the person.",
        parameters=(_LIMIT,),
    ),
    Route(
        method="GET",
        path="/v1/trends",
        handler=meeting.rising,
        name="trends",
        doc="What rises, what jumps from one place to another, and groups on the same work unaware of each other;"
        " counted from what I may open.",
        parameters=(
            _text("kind", "Only these.", enum=list(trends.KINDS)),
            _text("container", "Only what has to do with this place.", **_BOUND),
            _LIMIT,
        ),
    ),
    Route(
        method="GET",
        path="/v1/topics",
        handler=topics.every,
        name="topics",
        doc="Tags that most activities have which I may open: everywhere, in a place, or of a unit's people.",
        parameters=(
            _text("container", "Only what is in this place.", **_BOUND),
            _text("unit", "Only what several people of this unit did.", **_BOUND),
            _LIMIT,
        ),
    ),
    Route(
        method="GET",
        path="/v1/topics/{topic:.+}",
        handler=topics.one,
        name="topic",
        doc="How a topic (a tag or any words) connects places and units, and how it grew, counted from what I may open."
        " People appear in numbers only, and not where they are fewer than three.",
        parameters=(_text("until", "As it was before this time (ISO 8601)."),),
        answer="Topic",
    ),
    Route(
        method="POST",
        path="/v1/feedback",
        handler=feedback.take,
        name="feedback",
        doc="What I did with what I was shown: one act or a list. Answered once it is stored.",
        good=204,
        form=feedback.Given,
        many=True,
    ),
    Route(
        method="GET",
        path="/v1/stream",
        handler=stream.stream,
        name="stream",
        doc="The live feed, from the head or from behind Last-Event-ID. JSON lines by `Accept: application/x-ndjson`.",
        parameters=(
            *_FILTERS,
            *_SPAN,
            _WORDS,
            _FEED,
            _text("set", "Name of a set of subscriptions, instead of feed and filters."),
            _text(
                "counts",
                "`unread`: also say how much is unread in one's own feeds, at the beginning and when that changes.",
                enum=[stream.COUNTS],
            ),
            _text("last_event_id", "As the header Last-Event-ID, which wins. Or earliest, or latest."),
            _text("access_token", "A token of /v1/stream-token, for readers that cannot send a header."),
        ),
        media=("text/event-stream", "application/x-ndjson"),
        streams=True,
    ),
    Route(
        method="POST",
        path="/v1/stream-token",
        handler=streams.token,
        name="stream-token",
        scope="read",
        doc="A token that opens the stream with this query string, once, within a minute.",
        media=_JSON,
        good=201,
        form=streams.Ask,
        answer="StreamToken",
    ),
    Route(
        method="GET",
        path="/v1/me/streams",
        handler=streams.every,
        name="stream-sets",
        doc="My sets of subscriptions.",
        media=_JSON,
    ),
    Route(
        method="GET",
        path="/v1/me/streams/{name}",
        handler=streams.one,
        name="stream-set",
        doc="One set of subscriptions.",
        media=_JSON,
        answer="StreamSet",
    ),
    Route(
        method="PUT",
        path="/v1/me/streams/{name}",
        handler=streams.put,
        name="put-stream-set",
        doc="Make or change a set: feeds and filters by name. Streams that read it change without reconnecting.",
        good=204,
        form=streams.Set,
    ),
    Route(
        method="DELETE",
        path="/v1/me/streams/{name}",
        handler=streams.remove,
        name="remove-stream-set",
        doc="Remove a set; streams that read it end.",
        good=204,
    ),
    *(
        Route(
            method="GET",
            path=path,
            handler=handler,
            name=name,
            doc=f"{doc} of any feed, or of any question to it, for readers of feeds.",
            parameters=(*_FILTERS, *_SPAN, _WORDS, _FEED, _LIMIT, _CURSOR),
            media=(media,),
            answer="JsonFeed",
        )
        for path, handler, name, doc, media in (
            ("/v1/feed.atom", feed.atom, "feed-atom", "Atom", feeds.ATOM),
            ("/v1/feed.json", feed.json, "feed-json", "JSON Feed", feeds.JSON_FEED),
        )
    ),
    *(
        Route(
            method="GET",
            path=f"/registry{path}",
            handler=handler,
            name=name,
            doc=doc,
            media=_REGISTRY,
            open=True,
            answer=_LISTS.get(name, "Object"),
        )
        for path, handler, name, doc in (
            ("/subjects", registry.subjects, "subjects", "Subjects of the schema registry."),
            ("/subjects/{subject}/versions", registry.versions, "versions", "Versions of a subject."),
            ("/subjects/{subject}/versions/{version}", registry.version, "version", "One version, or latest."),
            (
                "/subjects/{subject}/versions/{version}/schema",
                registry.version_schema,
                "version-schema",
                "The schema of a version.",
            ),
            (r"/schemas/ids/{id:\d+}", registry.by_id, "schema", "A schema by the id in a record."),
            (r"/schemas/ids/{id:\d+}/schema", registry.by_id_schema, "schema-text", "The schema alone."),
            (r"/schemas/ids/{id:\d+}/versions", registry.id_versions, "schema-versions", "Where a schema is used."),
            ("/schemas/types", registry.types, "schema-types", "Kinds of schemas."),
            ("/config", registry.config, "registry-config", "The rule of change."),
            ("/config/{subject}", registry.config, "registry-subject-config", "The rule of change of a subject."),
        )
    ),
    Route(
        method="GET",
        path="/openapi.json",
        handler=docs.openapi,
        name="openapi",
        doc="This description, in OpenAPI 3.1.",
        media=_JSON,
        open=True,
    ),
    Route(
        method="GET",
        path="/openapi-3.2.json",
        handler=docs.openapi_next,
        name="openapi-next",
        doc="This description, in OpenAPI 3.2, which says what the events of a stream are.",
        media=_JSON,
        open=True,
    ),
    Route(
        method="GET",
        path="/docs",
        handler=docs.page,
        name="docs",
        doc="The API to read.",
        media=("text/html",),
        open=True,
    ),
)
