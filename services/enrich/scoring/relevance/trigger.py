"""What is to be scored: an object that comes up, by the one activity that brings it up. Pure."""

from collections import OrderedDict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.common.embedding import DIMENSIONS, embed, from_bytes
from services.common.model import Enriched, micros
from services.enrich.scoring.engagements import Engagement, in_thread, people_of
from services.enrich.scoring.relevance.words import Text, text_of, title_of

CONVERSATION, CODE, OTHER = range(3)
_MOST_SAID = 150
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
    def of(cls, one: Enriched, engagement: Engagement, *, said: "Said | None" = None) -> "Trigger":
        """Return the trigger that an activity is for one of its engagements; ``said`` where it is at hand."""
        activity, said = one.activity, said or Said.of(one)
        home = activity.audience.container
        return cls(
            object=engagement.object,
            container=engagement.container,
            around=around(one, engagement),
            people=people_of(one),
            mentioned=one.mention_people,
            at=micros(activity.published),
            kind=kind_of(one),
            text=said.text,
            vector=said.vector,
            length=len(one.text),
            question=asks(one),
            code="`" in activity.object.content or "<code" in activity.object.content,
            links=len(activity.links),
            tags=(home, engagement.container, *one.tags),
        )


def asks(one: Enriched) -> bool:
    """Return whether an activity asks something."""
    return "?" in one.text


def around(one: Enriched, engagement: Engagement) -> str:
    """Return what a container is a part of: its repository, or else its source."""
    home = one.activity.audience.container
    return home if engagement.container != home or kind_of(one) == CODE else one.activity.provenance.source


def kind_of(one: Enriched) -> int:
    """Return whether an activity belongs to a conversation, to code, or to something else."""
    if in_thread(one.activity):
        return CONVERSATION
    return CODE if one.activity.object.type in _CODE else OTHER


@dataclass(frozen=True, slots=True)
class Said:
    """What an activity says, as its terms and as a vector; taken from it once, since several ask."""

    text: Text
    vector: NDArray[np.float32]

    @classmethod
    def of(cls, one: Enriched) -> "Said":
        """Return what an activity says."""
        return cls(text_of(one), vector_of(one))


class Titles:
    """Vectors of the names of threads, the newest kept: a message says little without them."""

    def __init__(self, most: int = 10_000) -> None:
        self._most = most
        self._vectors: OrderedDict[str, NDArray[np.float32]] = OrderedDict()

    def vector(self, title: str) -> NDArray[np.float32]:
        """Return a title's vector."""
        found = self._vectors.get(title)
        if found is None:
            found = self._vectors[title] = embed([title])[0]
            if len(self._vectors) > self._most:
                self._vectors.popitem(last=False)
        return found


_TITLES = Titles()


def vector_of(one: Enriched) -> NDArray[np.float32]:
    """Return the unit vector of what an activity says, a message together with its thread's name; zeros for nothing.

    The field ``vector`` is of the text alone, the mean of its words' vectors; so the name counts by its words.
    """
    own = from_bytes(one.vector) if one.vector else np.zeros(DIMENSIONS, dtype=np.float32)
    title = title_of(one) if not one.activity.object.title else ""
    if not title:
        return own
    named, said = len(title.split()), min(len(one.text.split()), _MOST_SAID)
    both = own * np.float32(said) + _TITLES.vector(title) * np.float32(named)
    length = float(np.linalg.norm(both))
    return (both / length).astype(np.float32) if length else both.astype(np.float32)
