"""Bursts: what one actor does in one container within the same ten minutes shares an id, by which readers fold it.

The id comes from the activity alone, so that every worker, every replay and every order of arrival agree; a burst of
one is no burst, and a reader that counts equal ids sees which is which. (Counting here could not see the records of
other partitions.)
"""

from hashlib import blake2b

from services.common.model import micros
from services.enrich.draft import Draft
from services.enrich.steps import Knowledge

WINDOW_SECONDS = 600


def mark_burst(draft: Draft, _: Knowledge) -> None:
    """Give the activity the id of its actor's ten minutes in its container."""
    activity = draft.activity
    container = activity.audience.container or (activity.context[-1].id if activity.context else "")
    if container:
        window = micros(activity.published) // (WINDOW_SECONDS * 1_000_000)
        name = f"{activity.actor.id}\0{container}\0{window}"
        draft.burst = blake2b(name.encode(), digest_size=9).hexdigest()
