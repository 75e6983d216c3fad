"""The conversation, or the thing, that an activity belongs to."""

from services.enrich.draft import Draft
from services.enrich.steps import Knowledge


def find_thread(draft: Draft, _: Knowledge) -> None:
    """Take the innermost thread among the containers, else what is replied to, else the object itself."""
    activity = draft.activity
    threads = [one.id for one in activity.context if one.type == "Thread"]
    draft.thread = threads[-1] if threads else activity.object.in_reply_to or activity.object.id
