"""Names of people and places as they come by, so that a facet or a switch shows more than ids. Bounded."""

from collections.abc import Mapping
from typing import Any

from services.common.model import Enriched

_MOST = 50_000


class Names:
    """The newest name seen per id."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._nameless: set[str] = set()

    def looked_for(self, id_: str) -> bool:
        """Return whether the id has a name, or has been looked for in vain."""
        return id_ in self._names or id_ in self._nameless

    def has_none(self, id_: str) -> None:
        """Remember that no name was found, so that it is not looked for again and again."""
        if len(self._nameless) >= _MOST:
            self._nameless.clear()
        self._nameless.add(id_)

    def get(self, id_: str) -> str:
        """Return a name, empty where none was seen."""
        return self._names.get(id_, "")

    def put(self, id_: str, name: str) -> None:
        """Take a name."""
        if not name or not id_:
            return
        if id_ not in self._names and len(self._names) >= _MOST:
            del self._names[next(iter(self._names))]
        self._names[id_] = name

    def learn(self, e: Enriched) -> None:
        """Take the names in an enriched activity."""
        activity = e.activity
        self.put(e.person or activity.actor.id, activity.actor.name)
        for place in activity.context:
            if place.type != "Thread":
                self.put(place.id, place.name)

    def learn_json(self, activity: Mapping[str, Any]) -> None:
        """Take the names in an activity as ActivityStreams JSON."""
        actor = activity["actor"]
        self.put(activity.get("person") or actor["id"], actor.get("name", ""))
        for place in activity.get("context", ()):
            if place.get("type") != "Thread":
                self.put(place["id"], place.get("name", ""))
