"""Mentions: accounts that the source names, and @handles in the text where the source has such an account."""

import re

from services.enrich.draft import Draft
from services.enrich.steps import Knowledge

_HANDLE = re.compile(r"(?<![\w@/.`])@([A-Za-z0-9][\w.-]{0,62}\w)")
_MOST = 50


def resolve_mentions(draft: Draft, knowledge: Knowledge) -> None:
    """Find the people mentioned; handles are looked up at the same source only, and names never are."""
    source = draft.activity.provenance.source
    accounts = [_account(one, source, knowledge) for one in draft.activity.mentions]
    if "@" in draft.body:
        handles = list(dict.fromkeys(_HANDLE.findall(draft.body)))[:_MOST]
        accounts += [_by_handle(handle, source, knowledge) for handle in handles]
    people = dict.fromkeys(knowledge.people.person_of_id(one) for one in accounts if one)
    draft.mention_people = tuple(one for one in people if one and one != draft.person)


def _account(mention: str, source: str, knowledge: Knowledge) -> str:
    return _by_handle(mention.removeprefix("@"), source, knowledge) or mention


def _by_handle(handle: str, source: str, knowledge: Knowledge) -> str:
    return knowledge.people.account_by_handle(source, handle) or knowledge.places.account(source, handle)
