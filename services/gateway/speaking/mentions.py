"""Who is meant by ``@handle`` in what people say here. Pure."""

import re
from collections.abc import Callable, Iterable

_HANDLE = re.compile(r"(?<![\w@/.`])@([A-Za-z0-9][\w.-]{0,62}\w)")
_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`", re.DOTALL)
MOST = 50

Called = Callable[[str], frozenset[str]]
"""Returns the people with an account of this handle, at whatever source."""


def mentioned(text: str, called: Called) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the people whom a text mentions, and the handles that nobody or more than one person has.

    What stands in code is no mention.
    """
    handles = list(dict.fromkeys(_HANDLE.findall(_CODE.sub(" ", text))))[:MOST]
    found = {handle: called(handle) for handle in handles}
    people = _once(next(iter(who)) for who in found.values() if len(who) == 1)
    return people, tuple(handle for handle, who in found.items() if len(who) != 1)


def _once(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))
