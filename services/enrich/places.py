"""Where links lead: addresses and short references of objects that have come by, newest kept, bounded. Pure."""

import re
from collections import OrderedDict

from services.common.model import Activity

_NUMBERED = re.compile(r"[#!/](\d{1,9})$")
_NUMBERED_TYPES = frozenset({"PullRequest", "Issue", "Ticket", "Question", "Change"})
_TITLED_TYPES = frozenset({"Page", "Article", "Document"})


class Places:
    """Learns from each activity; answers with the id of an object, or an empty string."""

    def __init__(self, limit: int = 100_000) -> None:
        self._limit = limit
        self._objects: OrderedDict[str, str] = OrderedDict()
        self._handles: OrderedDict[str, str] = OrderedDict()

    def learn(self, activity: Activity) -> None:
        """Remember how the object and the actor of an activity may be referred to."""
        one = activity.object
        if one.url:
            self._remember(self._objects, normal(one.url), one.id)
        container = activity.audience.container
        number = _NUMBERED.search(one.id) if one.type in _NUMBERED_TYPES else None
        if number:
            self._remember(self._objects, f"{container} #{number[1]}", one.id)
        if one.title and one.type in _TITLED_TYPES:
            self._remember(self._objects, f"{container} [[{one.title}]]", one.id)
        if activity.actor.handle:
            key = f"{activity.provenance.source} @{activity.actor.handle.lower()}"
            self._remember(self._handles, key, activity.actor.id)

    def object_at(self, url: str) -> str:
        """Return the object at an address; a fragment is left out where only the page without it is known."""
        found = self._objects.get(normal(url))
        return found or self._objects.get(normal(url.partition("#")[0]), "")

    def object_numbered(self, container: str, number: str) -> str:
        """Return the issue or pull request with this number in the same place."""
        return self._objects.get(f"{container} #{number}", "")

    def object_titled(self, container: str, title: str) -> str:
        """Return the page of this title in the same place."""
        return self._objects.get(f"{container} [[{title}]]", "")

    def account(self, source: str, handle: str) -> str:
        """Return the account of this handle at the same source."""
        return self._handles.get(f"{source} @{handle.lower()}", "")

    def _remember(self, table: OrderedDict[str, str], key: str, value: str) -> None:
        table[key] = value
        table.move_to_end(key)
        if len(table) > self._limit:
            table.popitem(last=False)


def normal(url: str) -> str:
    """Return an address in the form in which equal ones are equal strings."""
    scheme, mark, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme.lower()}{mark}{host.lower()}{slash}{path}".rstrip("/")
