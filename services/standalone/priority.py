"""Who goes first where the machine is busy: the way from a source to a live reader. What is looked at later gives way.

Scoring and indexing are queues that catch up; a live feed that is late is no live feed.
"""

from collections.abc import Mapping, Sequence

NICENESS: Mapping[str, int] = {"elasticsearch": 5, "index": 10, "score": 10}
"""Niceness (0 to 19, see nice(1)) of the parts that give way; 0 for all others."""


def polite(part: str, command: Sequence[str]) -> list[str]:
    """Return the command as it is run for a part of the stack."""
    niceness = NICENESS.get(part, 0)
    return ["nice", "-n", str(niceness), *command] if niceness else list(command)
