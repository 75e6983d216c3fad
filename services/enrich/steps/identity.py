"""Accounts become people."""

from services.enrich.draft import Draft
from services.enrich.steps import Knowledge


def find_people(draft: Draft, knowledge: Knowledge) -> None:
    """Find the person behind the actor (none for bots) and behind each co-author."""
    people, activity = knowledge.people, draft.activity
    if not draft.automated:
        draft.person = people.person_of(activity.actor)
    found = dict.fromkeys(people.person_of_id(one) for one in activity.coauthors)
    draft.coauthor_people = tuple(person for person in found if person and person != draft.person)
