"""Whether a rule's condition holds for an activity that has just happened, without asking the index. Pure.

The same as the index decides, but for ``says``: here its words must stand in the text as they are written (part of a
word will do), as with ``q`` on the live stream; the index also knows other forms of a word.
"""

from services.common.search.conditions import Condition, Either, Every, Has, Not, Published, Says
from services.gateway.filters import FIELDS, Facts, Filters

_NAMES = {field: name for name, field in FIELDS.items()}
_NOTHING: frozenset[str] = frozenset()


def holds(condition: Condition, facts: Facts) -> bool:
    """Return whether the condition holds for what has these facts."""
    match condition:
        case Has(field, values):
            mine = facts.values.get(_NAMES.get(field, field), _NOTHING)
            return not mine.isdisjoint(values) if values else bool(mine)
        case Says(text):
            return facts.match(Filters(text=text))
        case Published(since, until):
            return facts.match(Filters(since=since, until=until))
        case Every(parts):
            return all(holds(part, facts) for part in parts)
        case Either(parts):
            return any(holds(part, facts) for part in parts)
        case Not(part):
            return not holds(part, facts)
