"""A made-up organisation of any size, in shape like a real one: topics, people who keep to a few, texts about them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from services.common.model import (
    Account,
    Activity,
    ActivityType,
    Audience,
    Container,
    Enriched,
    Object,
    Provenance,
    Visibility,
)

START = datetime(2025, 1, 1, tzinfo=UTC)
_TOPICS = 400
_WORDS_OF_TOPIC = 60
_COMMON_WORDS = 3_000
_WORDS = 40
_VECTOR = 256
_PLACES = 200


@dataclass
class Crowd:
    """``people`` of whom few do most (Zipf), each in two or three topics; deterministic by ``seed``."""

    people: int
    seed: int = 1
    pace: float = 20.0
    """Seconds between two activities."""

    def __post_init__(self) -> None:
        self.random = np.random.default_rng(self.seed)
        self.centres = self.random.normal(size=(_TOPICS, _VECTOR))
        self.topics_of = self.random.integers(0, _TOPICS, size=(self.people, 3))
        busy = 1 / np.arange(1, self.people + 1) ** 0.8
        self.busy = np.cumsum(busy / busy.sum())
        order = np.argsort(self.topics_of[:, 0], kind="stable")
        self.by_topic = np.split(order, np.searchsorted(self.topics_of[order, 0], np.arange(1, _TOPICS)))
        self.sums = np.zeros((self.people, _VECTOR), dtype=np.float32)
        """Sum of the vectors of what each has written: the profile of a plain scorer."""
        self.number = 0
        self.at = START

    def activities(self, objects: int, answers: int = 1) -> Iterator[Enriched]:
        """Yield this many new objects with their first activity and some answers by people of the same topic."""
        for _ in range(objects):
            first = self.begin()
            yield first
            for _ in range(answers):
                yield self.answer(first)

    def begin(self) -> Enriched:
        """Return the first activity of a new object."""
        person = int(np.searchsorted(self.busy, self.random.random()))
        topic = int(self.topics_of[min(person, self.people - 1), self.random.integers(0, 3)])
        return self._activity(min(person, self.people - 1), topic, f"o:{self.number}")

    def answer(self, first: Enriched) -> Enriched:
        """Return an answer by somebody who keeps to the topic, if there is one."""
        topic = int(first.tags[0])
        crowd = self.by_topic[topic]
        person = int(self.random.choice(crowd)) if len(crowd) else int(self.random.integers(0, self.people))
        return self._activity(person, topic, first.activity.object.id)

    def _activity(self, person: int, topic: int, thing: str) -> Enriched:
        self.number += 1
        self.at += timedelta(seconds=self.pace)
        own = self.random.zipf(1.5, _WORDS // 2) % _WORDS_OF_TOPIC
        common = self.random.zipf(1.3, _WORDS // 2) % _COMMON_WORDS
        text = " ".join([*(f"topic{topic}word{n}" for n in own), *(f"common{n}" for n in common)])
        vector = self.centres[topic] + self.random.normal(size=_VECTOR)
        self.sums[person] += vector
        place = f"place:{topic % _PLACES}"
        activity = Activity(
            id=f"a:{self.number}",
            type=ActivityType.CREATE,
            verb="chat.message",
            published=self.at,
            actor=Account(id=f"p{person}", name=f"Person {person}"),
            object=Object(id=thing, type="Issue", title=text[:60], content=text),
            context=(Container(id=place, type="Channel", name=place),),
            audience=Audience(visibility=Visibility.PUBLIC, container=place),
            provenance=Provenance(source="bench"),
        )
        return Enriched(
            activity=activity,
            person=f"p{person}",
            thread=thing,
            text=text,
            language="en",
            tags=(str(topic),),
            vector=(vector / np.linalg.norm(vector)).astype("<f2").tobytes(),
        )
