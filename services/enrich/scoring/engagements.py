"""What somebody engages in by an activity: objects, each in its container. Scoring and its judge both go by this. Pure.

A chat message belongs to its thread, in its channel. A commit belongs to the two areas of the code that it touches most
(a single file's history says too little about who works there), and what touches very much, such as a renaming, to
none. An edit of pages belongs to each of its first three. Everything else is an object of its own.
"""

from collections import Counter
from dataclasses import dataclass

from services.common.model import Activity, ActivityType, Enriched

_MOST_FILES = 40
_MOST_AREAS = 2
_MOST_PAGES = 3
_FOLDERS_OF_AREA = 3
_FOLDERS_OF_CONTAINER = 2
_NOT_ENGAGING = frozenset(
    {
        ActivityType.UNKNOWN,
        ActivityType.DELETE,
        ActivityType.REMOVE,
        ActivityType.ANNOUNCE,
        ActivityType.LIKE,
        ActivityType.UNDO,
        ActivityType.JOIN,
        ActivityType.LEAVE,
        ActivityType.FOLLOW,
        ActivityType.FLAG,
    }
)


@dataclass(frozen=True, slots=True)
class Engagement:
    """An object that people take part in, and the container that it lies in."""

    object: str
    container: str


def engagements(one: Enriched) -> tuple[Engagement, ...]:
    """Return what the activity's people engage in by it; nothing for a like, a deletion or a commit of many files."""
    activity = one.activity
    if activity.type in _NOT_ENGAGING:
        return ()
    home = activity.audience.container or (activity.context[0].id if activity.context else "")
    if in_thread(activity):
        return (Engagement(one.thread, home),)
    if activity.object.type == "Commit":
        return _areas(home, activity.files)
    if activity.files:
        return tuple(Engagement(f"{home}:{file}", home) for file in dict.fromkeys(activity.files[:_MOST_PAGES]))
    return (Engagement(activity.object.id, home),)


def _areas(repository: str, files: tuple[str, ...]) -> tuple[Engagement, ...]:
    if len(files) > _MOST_FILES:
        return ()
    areas = Counter("/".join(file.split("/")[:-1][:_FOLDERS_OF_AREA]) for file in files)
    return tuple(
        Engagement(f"{repository}:{area}", f"{repository}:{'/'.join(area.split('/')[:_FOLDERS_OF_CONTAINER])}")
        for area, _ in areas.most_common(_MOST_AREAS)
    )


def in_thread(activity: Activity) -> bool:
    """Return whether the activity is a message of a thread."""
    return any(container.type == "Thread" for container in activity.context)


def people_of(one: Enriched) -> tuple[str, ...]:
    """Return who engages: the actor and the co-authors, each once, no bots."""
    return tuple(dict.fromkeys(person for person in (one.person, *one.coauthor_people) if person))
