"""Which container decides over an activity."""

from services.common.model import Activity


def container_of(activity: Activity) -> str:
    """Return the id of the container whose access record decides; empty (nobody may open it) where none is named."""
    named = activity.audience.container
    return named or next((c.id for c in reversed(activity.context) if c.type != "Thread"), "")
