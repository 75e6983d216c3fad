"""Names of people and places as they come by, so that a facet or a label shows more than ids. Bounded.

A name belongs to what it was read in: it is given only to those who may open that.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.common.access import AccessState
from services.common.envelope import rfc3339
from services.common.model import Enriched
from services.gateway.auth import Asker
from services.gateway.places import container_of

_MOST = 50_000
_SAYINGS = 16
"""Things kept per id that its name was read in; the place with most of them gives way."""


@dataclass(frozen=True, slots=True)
class _Said:
    published: str
    name: str
    container: str
    object: str


class Names:
    """The newest name per id that an asker may know."""

    def __init__(self, access: AccessState) -> None:
        self._access = access
        self._said: dict[str, list[_Said]] = {}
        self._ids: dict[str, set[str]] = {}
        self._nameless: set[tuple[str, tuple[str, ...]]] = set()

    def looked_for(self, id_: str, asker: Asker) -> bool:
        """Return whether the asker knows a name for the id, or it has been looked for in vain."""
        return (id_, asker.principals) in self._nameless or bool(self.get(id_, asker))

    def has_none(self, id_: str, asker: Asker) -> None:
        """Remember that no name was found, so that it is not looked for again and again."""
        if len(self._nameless) >= _MOST:
            self._nameless.clear()
        self._nameless.add((id_, asker.principals))

    def get(self, id_: str, asker: Asker) -> str:
        """Return a name, empty where none was seen in what the asker may open."""
        may_open = self._access.may_open
        known = self._said.get(id_, ())
        return next((one.name for one in known if may_open(asker.principals, one.container, one.object)), "")

    def called(self, name: str, asker: Asker) -> frozenset[str]:
        """Return the ids whose newest name that the asker may know is this one, in whatever case."""
        wanted = name.lower()
        return frozenset(id_ for id_ in self._ids.get(wanted, ()) if self.get(id_, asker).lower() == wanted)

    def _put(self, id_: str, said: _Said) -> None:
        if not said.name or not id_:
            return
        if id_ not in self._said and len(self._said) >= _MOST:
            self._forget(next(iter(self._said)))
        self._ids.setdefault(said.name.lower(), set()).add(id_)
        others = [one for one in self._said.get(id_, ()) if one.object != said.object or one.published > said.published]
        newest_first = sorted((*others, said), key=lambda one: one.published, reverse=True)
        self._said[id_] = newest_first if len(newest_first) <= _SAYINGS else _thinned(newest_first)

    def _forget(self, id_: str) -> None:
        del self._said[id_]
        self._ids = {name: left for name, ids in self._ids.items() if (left := ids - {id_})}

    def learn(self, e: Enriched) -> None:
        """Take the names in an enriched activity."""
        a = e.activity
        about = (rfc3339(a.published), container_of(a), a.object.id)
        self._learn(e.person or a.actor.id, a.actor.name, [(c.id, c.type, c.name) for c in a.context], about)

    def learn_json(self, activity: Mapping[str, Any]) -> None:
        """Take the names in an activity as ActivityStreams JSON."""
        places = [(c["id"], c.get("type", ""), c.get("name", "")) for c in activity.get("context", ())]
        named = activity.get("audience", {}).get("container")
        container = named or next((id_ for id_, type_, _ in reversed(places) if type_ != "Thread"), "")
        actor = activity["actor"]
        about = (activity["published"], container, activity["object"]["id"])
        self._learn(activity.get("person") or actor["id"], actor.get("name", ""), places, about)

    def _learn(self, who: str, name: str, places: list[tuple[str, str, str]], about: tuple[str, str, str]) -> None:
        published, container, thing = about
        self._put(who, _Said(published, name, container, thing))
        for id_, type_, called in places:
            if type_ != "Thread":
                self._put(id_, _Said(published, called, container, thing))


def _thinned(newest_first: list[_Said]) -> list[_Said]:
    """Return all but the oldest of the place that has most, so that every reader's places stay."""
    crowded = Counter(one.container for one in newest_first).most_common(1)[0][0]
    last = max(n for n, one in enumerate(newest_first) if one.container == crowded)
    return newest_first[:last] + newest_first[last + 1 :]
