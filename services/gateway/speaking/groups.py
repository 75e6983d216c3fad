"""Groups: containers that people make, open or closed. Members are the principals of the group's access record."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace

from services.common.access import AccessView
from services.common.model import Access, Visibility
from services.gateway.auth import Asker
from services.gateway.problems import Problem
from services.gateway.speaking.acts import GROUP
from services.gateway.speaking.mouth import Mouth

MEMBERS = 5_000
_TRIES = 5

Change = Callable[[Sequence[str]], Sequence[str]]


class Groups:
    """What groups there are, and who is in them."""

    def __init__(self, access: AccessView, mouth: Mouth) -> None:
        self._access = access
        self._mouth = mouth
        self._turn = asyncio.Lock()

    def get(self, asker: Asker, id_: str) -> Access | None:
        """Return a group's record; None where there is none or the asker may not open it."""
        record = self._access.get(id_) if id_.startswith(GROUP) else None
        return record if record is not None and self._access.may_open(asker.principals, id_) else None

    def all(self, asker: Asker) -> list[Access]:
        """Return the groups that the asker may open, by name."""
        found = (self.get(asker, id_) for id_ in self._access.ids(GROUP))
        return sorted((one for one in found if one), key=lambda one: (one.name.lower(), one.id))

    async def change(self, id_: str, change: Change) -> Access:
        """Change who the members are; returns the record that holds now.

        Two processes may change a group at once: the one whose change was lost makes it again.
        """
        async with self._turn:
            for _ in range(_TRIES):
                record = self._access.get(id_)
                members = tuple(change(record.principals)) if record is not None else ()
                if record is None or members == record.principals:
                    break
                if len(members) > MEMBERS:
                    raise Problem(409, "too-much", f"A group takes {MEMBERS} members at most.")
                await self._mouth.allow(replace(record, principals=members, recorded=self._mouth.clock()))
        assert record is not None, "asked of a group that is there"
        return record


def is_open(record: Access) -> bool:
    """Return whether everyone may read a group, and join it."""
    return record.visibility is Visibility.PUBLIC
