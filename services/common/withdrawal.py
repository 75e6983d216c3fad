"""Activities without what their source has withdrawn: that something happened stays, what was said goes."""

from dataclasses import replace

from services.common.model import EVERY_VERSION, Access, AccessKind, Activity, Container, Enriched

_CARRY_TITLES = frozenset({"Thread", "Page"})


def without_content(activity: Activity) -> Activity:
    """Return the activity without any text of its object: who, when, what kind, which ids and containers stay.

    Links to the object go too, since wikis and trackers write titles into them.
    """
    bare = replace(activity.object, title="", content="", url="", media_type="text/plain", language="", truncated=False)
    return replace(
        activity,
        object=bare,
        context=tuple(_nameless(c) if c.type in _CARRY_TITLES else c for c in activity.context),
        target=_nameless(activity.target) if activity.target else None,
        origin=_nameless(activity.origin) if activity.origin else None,
        tags=(),
        mentions=(),
        links=(),
        files=(),
        ext={},
    )


def blank(enriched: Enriched) -> Enriched:
    """Return the enriched activity without content and without what was computed from it."""
    return replace(
        enriched,
        activity=without_content(enriched.activity),
        mention_people=(),
        text="",
        language="",
        tags=(),
        phrases=(),
        links=(),
        vector=b"",
    )


def withdrawal(activity: Activity, known: Access | None, source: str) -> Access:
    """Return the object's record with what the activity withdraws, beside what was withdrawn or restricted before."""
    before = known or Access(id=activity.object.id, kind=AccessKind.OBJECT, source=source)
    every = EVERY_VERSION in activity.withdraws
    return replace(
        before,
        withdrawn=tuple(sorted({*before.withdrawn, *activity.withdraws})),
        order=max(before.order, activity.order) if every else before.order,
    )


def _nameless(container: Container) -> Container:
    return replace(container, name="", url="")
