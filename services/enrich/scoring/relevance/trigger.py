"""What is to be scored: an object that comes up, by the one activity that brings it up. Pure."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.common.embedding import DIMENSIONS, from_bytes
from services.common.model import Enriched, micros
from services.enrich.scoring.engagements import Engagement, in_thread, people_of
from services.enrich.scoring.relevance.words import Text, text_of

CONVERSATION, CODE, OTHER = range(3)
_CODE = frozenset({"Commit", "PullRequest", "Review", "MergeRequest", "Change", "Branch"})


@dataclass(frozen=True, slots=True)
class Trigger:
    """One object, as far as the activity that brings it up tells. ``people`` are its authors; ``at`` in micros."""

    object: str
    container: str
    around: str
    """What its container is a part of: the repository of an area, the source of a channel."""
    people: tuple[str, ...]
    mentioned: tuple[str, ...]
    at: int
    kind: int
    text: Text
    vector: NDArray[np.float32]
    length: int
    question: bool
    code: bool
    links: int
    tags: tuple[str, ...]

    @classmethod
    def of(cls, one: Enriched, engagement: Engagement) -> "Trigger":
        """Return the trigger that an activity is for one of its engagements."""
        activity = one.activity
        home = activity.audience.container
        return cls(
            object=engagement.object,
            container=engagement.container,
            around=around(one, engagement),
            people=people_of(one),
            mentioned=one.mention_people,
            at=micros(activity.published),
            kind=kind_of(one),
            text=text_of(one),
            vector=vector_of(one),
            length=len(one.text),
            question="?" in one.text,
            code="`" in activity.object.content or "<code" in activity.object.content,
            links=len(activity.links),
            tags=(home, engagement.container, *one.tags),
        )


def around(one: Enriched, engagement: Engagement) -> str:
    """Return what a container is a part of: its repository, or else its source."""
    home = one.activity.audience.container
    return home if engagement.container != home or kind_of(one) == CODE else one.activity.provenance.source


def kind_of(one: Enriched) -> int:
    """Return whether an activity belongs to a conversation, to code, or to something else."""
    if in_thread(one.activity):
        return CONVERSATION
    return CODE if one.activity.object.type in _CODE else OTHER


def vector_of(one: Enriched) -> NDArray[np.float32]:
    """Return the vector of an activity's text; zeros where there is none."""
    return from_bytes(one.vector) if one.vector else np.zeros(DIMENSIONS, dtype=np.float32)
