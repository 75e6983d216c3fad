"""What scoring is made of: views, the replay of the log, and the streams over them."""

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

from services.common import topics
from services.common.access import EVERYONE, AccessView
from services.common.bus import Bus
from services.common.settings import Settings
from services.common.topics import Topic
from services.enrich.accounts import AccountView
from services.enrich.people import People
from services.enrich.scoring import views
from services.enrich.scoring.activities import Activities, Scoring
from services.enrich.scoring.issued import Issued
from services.enrich.scoring.noticed import Noticed
from services.enrich.scoring.profiles import Profiles
from services.enrich.scoring.recommend import Asked, Recommender
from services.enrich.scoring.relevance import Relevance
from services.enrich.scoring.replay import Replay
from services.enrich.scoring.selections import Rules, Selections
from services.enrich.scoring.streams import Stream
from services.enrich.scoring.weighing import weights_in

_TAIL = 500_000
"""Activities back from the end that the state is built from."""


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What the streams are made of."""

    followers: Sequence[Any]
    access: AccessView
    people: People
    left: views.Left
    feedback: views.Feedback
    replay: Replay
    profiles: Profiles
    selections: Selections
    noticed: Noticed

    @classmethod
    def make(cls, settings: Settings, bus: Bus, executor: Executor) -> "Parts":
        """Return the parts; nothing is read yet."""
        noticed, left = Noticed(), views.Left()
        access, accounts = AccessView(bus, changed=noticed.place), AccountView(bus)
        persons, erasures, issued = views.Persons(bus, left), views.Erasures(bus, left), Issued(bus)

        def may_open(person: str, container: str, thing: str) -> bool:
            return access.may_open((EVERYONE, person, *accounts.people.accounts_of(person)), container, thing)

        asked = Asked(may_open=may_open, left=left.__contains__, unit=persons.unit)
        scoring = Scoring(lambda: Recommender(Relevance(weights_in(settings.state)), asked), issued, left, bus.prefix)

        def followed(person: str, subject: str, on: bool) -> None:
            if not subject.startswith("search:"):  # a saved search, which says nothing to the scorer
                scoring.follows(person, subject, on=on)

        feedback = views.Feedback(bus, left, noticed.person, followed)
        rules = Rules(
            access=access,
            people=accounts.people,
            left=left,
            feedback=feedback,
            daily=settings.recommendations_daily,
            share=settings.recommendations_held_out,
        )
        profiles = Profiles(bus, left)
        for listener in (noticed.left, scoring.leaves, profiles.leaves):
            left.listen(listener)
        return cls(
            followers=(access, accounts, persons, erasures, issued, feedback),
            access=access,
            people=accounts.people,
            left=left,
            feedback=feedback,
            replay=Replay(bus, topics.ENRICHED, scoring, executor, _TAIL),
            profiles=profiles,
            selections=Selections(bus, rules, noticed, issued.shared),
            noticed=noticed,
        )

    @property
    def streams(self) -> Sequence[tuple[str, Topic, Stream]]:
        """The streams by name, with what each reads."""
        return (
            ("activities", topics.ENRICHED, Activities(self.replay)),
            ("profiles", topics.CONTRIBUTION, self.profiles),
            ("selections", topics.CANDIDATE, self.selections),
        )

    def forget(self) -> None:
        """Drop what is kept per partition: they are being dealt out anew."""
        self.replay.assign(None)
        self.profiles.forget()
        self.selections.forget()
