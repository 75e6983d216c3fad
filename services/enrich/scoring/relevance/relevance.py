"""Whom a new object is relevant to: observes what happens, selects, scores and explains. Pure."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from services.common.model import Enriched
from services.enrich.scoring.relevance.decay import weight
from services.enrich.scoring.relevance.explain import Explanation, explain
from services.enrich.scoring.relevance.features import Inputs
from services.enrich.scoring.relevance.follows import Follows
from services.enrich.scoring.relevance.likeness import Likeness
from services.enrich.scoring.relevance.people import NOBODY
from services.enrich.scoring.relevance.persons import Persons
from services.enrich.scoring.relevance.select import Selector
from services.enrich.scoring.relevance.state import TIES, Limits, State
from services.enrich.scoring.relevance.trigger import Said, Trigger
from services.enrich.scoring.relevance.weights import Features, Scores, Weights


class Relevance:
    """The scorer. ``clock`` is the largest event time observed, in micros; scores are as of then."""

    def __init__(self, weights: Weights | None = None, limits: Limits | None = None) -> None:
        self.weights = weights or Weights.shipped()
        self._state = State(limits)
        self._follows = Follows()
        self._likeness = Likeness(self._state)
        self._inputs = Inputs(self._state, self._follows, self._likeness)
        self._selector = Selector(self._state, self._follows, self._likeness)

    @property
    def clock(self) -> int:
        """The largest event time observed, in micros."""
        return self._state.clock

    def observe(self, one: Enriched, said: Said | None = None) -> None:
        """Take in an activity; once, however often it comes. Known ones that come with other people move to them.

        ``said`` is what it says, where that is at hand.
        """
        self._state.observe(one, said)

    def withdraw(self, object_id: str) -> None:
        """Let the text of an object, of a thread or of an activity's object, be found and shown no more."""
        self._state.withdraw(object_id)

    def forget(self, person: str) -> None:
        """Remove a person: profile, ties, evidence, follows."""
        self._state.forget(person)
        self._follows.forget(person)

    def follow(self, person: str, kind: str, ref: str, on: bool = True) -> None:
        """Take note of what a person follows ("person", "container", "tag"). Raises ValueError for other kinds."""
        self._follows.put(person, kind, ref, on)
        self._state.people.slot(person)

    def gate(self, person: str, container: str) -> bool:
        """Return whether an object there is unexpected: fewer than max(3, 1 %) of the person's actions of a year."""
        return self._state.away(self._state.people.find(person), container)

    def strangers(self, people: Sequence[str], container: str, least: int = 0) -> NDArray[np.bool_]:
        """Return of which people ``gate`` is true who have ``least`` actions of a year."""
        state, slots = self._state, self._state.people.slots(people)
        actions = state.people.actions[slots]
        there = state.here.at(container, slots)
        found: NDArray[np.bool_] = (there < np.maximum(3.0, 0.01 * actions)) & (actions >= least)
        return found

    def actions(self, person: str, container: str = "") -> int:
        """Return how often a person acted within the year before the clock, in a container or at all."""
        slot = self._state.people.find(person)
        if container:
            return int(self._state.here.get(container, slot))
        return int(self._state.people.actions[slot])

    def select(self, trigger: Trigger, most: int = 250) -> list[str]:
        """Return candidates, the most promising first; nobody who began it, is mentioned or was there before."""
        return self._selector.select(trigger, most)

    def look_around(self, trigger: Trigger) -> None:
        """Take note of a trigger, scored here or not: what is kept for a while is kept from the same moment on."""
        self._inputs.look_around(trigger)
        self._selector.look_around()

    def features(self, triggers: Sequence[Trigger], people: Sequence[Sequence[str]]) -> list[Features]:
        """Return the model's inputs for each trigger and its people."""
        slots = [self._state.people.slots(those) for those in people]
        everyone = np.unique(np.concatenate(slots)) if slots else np.zeros(0, dtype=np.int64)
        persons = Persons.of(self._state, everyone)
        return [
            Features(
                those,
                self._inputs.table(trigger, persons.at(np.searchsorted(everyone, at))),
                self._unexpectedness(trigger, at),
            )
            for trigger, those, at in zip(triggers, people, slots, strict=True)
        ]

    def score_batch(self, triggers: Sequence[Trigger], people: Sequence[Sequence[str]]) -> list[Scores]:
        """Return the scores of each trigger's people. Who is not known is scored as a newcomer."""
        return [self.weights.score(features) for features in self.features(triggers, people)]

    def score(self, trigger: Trigger, people: Sequence[str]) -> Scores:
        """Return the scores of these people."""
        return self.score_batch([trigger], [people])[0]

    def explain(self, trigger: Trigger, person: str, contributions: Mapping[str, float] | None = None) -> Explanation:
        """Return why the trigger is relevant to a person, by the largest contributions that can be shown.

        ``contributions`` are those of a score at hand; without them the person is scored once more.
        """
        if contributions is None:
            contributions = self.score(trigger, [person]).of(0).contributions
        return explain(self._state, trigger, person, contributions, self._likeness.of(trigger))

    def _unexpectedness(self, trigger: Trigger, slots: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return how far from a person's own the object is, 0..1: the mean of three shares.

        How little the person is in its container, by the gate's measure; how little the person has to do with its
        author; and the self-information of its container, -log2 of the share of people who are there (Vargas and
        Castells, RecSys 2011), over that of a container of one.
        """
        state = self._state
        here = state.here.at(trigger.container, slots)
        place = 1.0 - np.minimum(here / np.maximum(3.0, 0.01 * state.people.actions[slots]), 1.0)
        author = state.people.find(trigger.people[0]) if trigger.people else NOBODY
        scale = weight(state.clock, TIES)
        shared = state.ties.at(author, slots) / scale
        everyone = state.people.active + 2.0
        rare = np.log2(everyone / (state.here.size(trigger.container) + 1.0)) / np.log2(everyone)
        found: NDArray[np.float64] = (place + 1.0 / (1.0 + shared) + min(max(rare, 0.0), 1.0)) / 3.0
        return found
