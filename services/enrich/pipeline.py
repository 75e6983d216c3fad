"""The steps, in order. To add one: write steps/<name>.py, add a line here, add a test.

Steps do no I/O. One that fails on a record leaves ``<step>: <error type>`` in the record's notes (never its text),
and the record goes on: a mistake in one step must not hold back the stream.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from services.common.model import Activity, Enriched
from services.enrich.draft import Draft
from services.enrich.people import People
from services.enrich.places import Places
from services.enrich.steps.automated import mark_automated
from services.enrich.steps.burst import mark_burst
from services.enrich.steps.identity import find_people
from services.enrich.steps.language import detect_language
from services.enrich.steps.links import resolve_links
from services.enrich.steps.mentions import resolve_mentions
from services.enrich.steps.phrases import find_phrases
from services.enrich.steps.tags import find_tags
from services.enrich.steps.text import extract_text
from services.enrich.steps.thread import find_thread
from services.enrich.steps.vector import add_vectors


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What steps may look up beside the activity."""

    people: People = field(default_factory=People)
    places: Places = field(default_factory=Places)


Step = Callable[[Draft, Knowledge], None]
BatchStep = Callable[[Sequence[Draft], Knowledge], None]

STEPS: Sequence[Step] = (
    mark_automated,
    find_people,
    find_thread,
    extract_text,
    resolve_links,
    resolve_mentions,
    find_tags,
    detect_language,
    find_phrases,
    mark_burst,
)
BATCH_STEPS: Sequence[BatchStep] = (add_vectors,)
"""Steps that are much cheaper on many records at once; on a failure they are tried record by record."""
LOOKING_UP: Sequence[Step] = (mark_automated, find_people, resolve_links, resolve_mentions)
"""Those of STEPS that ask the knowledge, and so need the activities in their order; the others need nothing else."""


def enrich(
    activities: Sequence[Activity],
    knowledge: Knowledge,
    steps: Sequence[Step] = STEPS,
    batch_steps: Sequence[BatchStep] = BATCH_STEPS,
) -> list[Enriched]:
    """Return the activities enriched, in their order; learns from each where later ones may lead."""
    drafts = []
    for activity in activities:
        draft = Draft(activity)
        for step in steps:
            _isolated(step, draft, knowledge)
        knowledge.places.learn(activity)
        drafts.append(draft)
    for batch_step in batch_steps:
        _batch(batch_step, drafts, knowledge)
    return [draft.done() for draft in drafts]


def begin(activities: Sequence[Activity]) -> list[Draft]:
    """Do all the steps that look nothing up: in any process, many at once. ``complete`` does the rest."""
    drafts = [Draft(activity) for activity in activities]
    nothing = Knowledge()
    for draft in drafts:
        for step in STEPS:
            if step not in LOOKING_UP:
                _isolated(step, draft, nothing)
    for batch_step in BATCH_STEPS:
        _batch(batch_step, drafts, nothing)
    return drafts


def complete(drafts: Sequence[Draft], knowledge: Knowledge) -> list[Enriched]:
    """Return what ``enrich`` would have made of the activities of such drafts, in their order."""
    for draft in drafts:
        for step in LOOKING_UP:
            _isolated(step, draft, knowledge)
        knowledge.places.learn(draft.activity)
    return [draft.done() for draft in drafts]


def _isolated(step: Step, draft: Draft, knowledge: Knowledge) -> None:
    try:
        step(draft, knowledge)
    except Exception as error:  # steps do no I/O, so whatever it is, it is this step's mistake on this record
        draft.notes += (f"{step.__name__}: {type(error).__name__}",)


def _batch(step: BatchStep, drafts: Sequence[Draft], knowledge: Knowledge) -> None:
    try:
        step(drafts, knowledge)
    except Exception:  # one of them is to blame; find it by giving each alone

        def alone(draft: Draft, knowledge: Knowledge) -> None:
            step([draft], knowledge)

        alone.__name__ = step.__name__
        for draft in drafts:
            _isolated(alone, draft, knowledge)
