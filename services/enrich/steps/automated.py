"""Bots: what the source or an account record says, and names that bots wear."""

import re

from services.common.model import AccountType
from services.enrich.draft import Draft
from services.enrich.steps import Knowledge

_BOT = re.compile(r"\[bot\]$|(?:^|[-_.])bot$|^bot[-_.]", re.IGNORECASE)


def mark_automated(draft: Draft, knowledge: Knowledge) -> None:
    """Mark what a service, an application or an account with a bot's handle did."""
    actor = draft.activity.actor
    draft.automated = (
        actor.type in (AccountType.SERVICE, AccountType.APPLICATION)
        or knowledge.people.automated(actor.id)
        or bool(_BOT.search(actor.handle) or _BOT.search(actor.name))
    )
