"""Who somebody is, by the claims of an identity provider. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from services.common.access import EVERYONE
from services.common.search import APPLIED, MARKED
from services.common.settings import Settings
from services.gateway.problems import Problem

GROUP = "group:"
"""What a group's principal begins with: ``group:eng`` in ``access.v1`` is ``eng`` or ``/eng`` of the claim."""
READER, ADMIN = "reader", "admin"
_RESERVED = frozenset({EVERYONE, MARKED, APPLIED})
_LONGEST = 512
_GROUPS = 500

PersonOf = Callable[[str], str]
"""Returns the person behind a source account, empty where none is known (``account.v1``)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Somebody as the identity provider knows them. ``groups`` are sorted, without a leading slash."""

    person: str
    groups: tuple[str, ...] = ()


class Claims:
    """Reads claims as the settings say."""

    def __init__(self, settings: Settings, person_of: PersonOf) -> None:
        self._person_claim = settings.oidc_person_claim
        self._account = settings.oidc_account
        self._groups_claim = settings.oidc_groups_claim
        self._readers = _listed(settings.oidc_reader_groups)
        self._admins = _listed(settings.oidc_admin_groups)
        self._person_of = person_of

    def identity(self, claims: Mapping[str, Any]) -> Identity:
        """Return who it is; raises Problem where the claims name nobody that there may be."""
        value = claims.get(self._person_claim)
        if not isinstance(value, str) or not value.strip() or len(value) > _LONGEST or not value.isprintable():
            raise Problem(403, "not-allowed", f"The identity provider gives no usable claim {self._person_claim}.")
        person = self._person_of(self._account.replace("{}", value)) or value
        if not is_person(person):
            raise Problem(403, "not-allowed", "The identity provider names somebody who cannot be a person here.")
        return Identity(person=person, groups=self._groups(claims))

    def roles(self, groups: tuple[str, ...]) -> frozenset[str]:
        """Return the roles that groups give; without reader groups in the settings everybody is a reader."""
        admin = not self._admins.isdisjoint(groups)
        reader = admin or not self._readers or not self._readers.isdisjoint(groups)
        return frozenset(([READER] if reader else []) + ([ADMIN] if admin else []))

    def _groups(self, claims: Mapping[str, Any]) -> tuple[str, ...]:
        found: Any = claims
        for name in self._groups_claim.split("."):  # as in Keycloak's realm_access.roles
            found = found.get(name, ()) if isinstance(found, Mapping) else ()
        given = [found] if isinstance(found, str) else found if isinstance(found, list | tuple) else []
        named = {one.strip().lstrip("/") for one in given[:_GROUPS] if isinstance(one, str)}
        return tuple(sorted(one for one in named if one and len(one) <= _LONGEST and one.isprintable()))


def is_person(text: str) -> bool:
    """Return whether a text can name a person: not everyone, no group, and none of the index's own lists."""
    return bool(text.strip()) and text.isprintable() and text not in _RESERVED and not text.startswith(GROUP)


def _listed(text: str) -> frozenset[str]:
    return frozenset(one.strip().lstrip("/") for one in text.split(",") if one.strip())
