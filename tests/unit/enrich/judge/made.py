"""Worlds of a few people, made by hand: what happened is said in days after a Monday, T."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from services.common.model import Account, Activity, ActivityType, Audience, Container, Object, Provenance, micros
from services.enrich.judge.weeks import Week, week
from services.enrich.judge.world import Builder, World
from services.enrich.pipeline import Knowledge, enrich
from services.enrich.steps.automated import mark_automated
from services.enrich.steps.identity import find_people
from services.enrich.steps.mentions import resolve_mentions
from services.enrich.steps.text import extract_text
from services.enrich.steps.thread import find_thread

MONDAY = datetime(2024, 7, 1, tzinfo=UTC)
T = micros(MONDAY)
_STEPS = (mark_automated, find_people, find_thread, extract_text, resolve_mentions)


def said(
    by: str, thread: str, day: float, text: str = "", *, channel: str = "hall", mentions: Sequence[str] = ()
) -> Activity:
    """Return a message in a thread."""
    context = (Container(id=channel, type="Channel", name=channel), Container(id=thread, type="Thread", name=thread))
    return _activity("chat.message", "Note", by, day, content=text, context=context, mentions=tuple(mentions))


def committed(by: str, day: float, *files: str, repository: str = "code", coauthors: Sequence[str] = ()) -> Activity:
    """Return a commit."""
    context = (Container(id=repository, type="Repository", name=repository),)
    return _activity("git.commit", "Commit", by, day, context=context, files=files, coauthors=tuple(coauthors))


def edited(by: str, day: float, *files: str, site: str = "site") -> Activity:
    """Return an edit of pages."""
    context = (Container(id=site, type="Wiki", name=site),)
    return _activity("wiki.edit", "Article", by, day, context=context, files=files)


def busy(by: str, channel: str, times: int = 20, day: float = -30) -> list[Activity]:
    """Return so many messages of somebody, each in a thread of its own."""
    return [said(by, f"{by} {channel} {n}", day + n / 1_000, channel=channel) for n in range(times)]


_numbers = iter(range(10**9))


def _activity(verb: str, kind: str, by: str, day: float, *, content: str = "", **fields: Any) -> Activity:
    number = next(_numbers)
    return Activity(
        id=f"{verb}:{number}",
        type=ActivityType.CREATE,
        verb=verb,
        published=MONDAY + timedelta(days=day),
        actor=Account(id=by, name=by),
        object=Object(id=f"{kind}/{number}", type=kind, content=content),
        audience=Audience(container=fields["context"][0].id),
        provenance=Provenance(source=verb.partition(".")[0]),
        **fields,
    )


def world(*activities: Activity | list[Activity]) -> World:
    """Return the world of these activities, in the order of their time."""
    flat = [one for given in activities for one in (given if isinstance(given, list) else [given])]
    builder = Builder()
    builder.add(enrich(sorted(flat, key=lambda one: one.published), Knowledge(), _STEPS, ()))
    return builder.world()


class Asked:
    """Asks the week that begins at T about people and objects by name."""

    def __init__(self, *activities: Activity | list[Activity]) -> None:
        self.world = world(*activities)
        self.week: Week = week(self.world, T)
        self.people = [self.world.people[number] for number in self.week.people]
        self.objects = [self.world.objects[number] for number in self.week.objects]

    def of(self, table: str, person: str, thing: str) -> bool:
        """Return a flag of a pair, such as ``candidates``."""
        flags = getattr(self.week, table)
        return bool(flags[self.people.index(person), self.objects.index(thing)])
