"""What the wiki's answers are read against: its names, its people, its scale of order. Pure."""

import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from services.common.model import Account, AccountType, Container, Visibility, micros

SPECIAL = -1
USER_SPACES = (2, 3)
HALF_SECOND = 500_000

_NAMES_OF_SPACES = {SPECIAL: "Special", 2: "User", 3: "User talk"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One wiki as its ``siteinfo`` describes it. ``mask`` is a keyed hash for what must not be stored in clear."""

    source: str
    api_url: str
    name: str
    namespaces: Mapping[int, str]
    visibility: Visibility
    mask: Callable[[str], str]
    bots: frozenset[int] = frozenset()
    longest: int = 200_000

    @property
    def container(self) -> str:
        """Id of the container whose access record decides: MediaWiki's read right is one for the whole wiki."""
        return f"{self.source}:wiki"

    @property
    def index_url(self) -> str:
        """Address of the wiki's pages for people."""
        return self.api_url.rpartition("/")[0] + "/index.php"

    def page_url(self, pageid: int) -> str:
        """Address of a page by number: it outlives a rename and never holds an IP address."""
        return f"{self.index_url}?curid={pageid}"

    def context(self, namespace: int) -> tuple[Container, ...]:
        """The wiki and the namespace in it, outermost first."""
        return (
            Container(id=self.container, type="Wiki", name=self.name, url=self.index_url),
            self.namespace(namespace),
        )

    def namespace(self, number: int) -> Container:
        """A namespace as a container."""
        name = self.namespaces.get(number, str(number)) or "(Main)"
        return Container(id=f"{self.source}:ns/{number}", type="Namespace", name=name)


def instant(timestamp: str) -> datetime:
    """Return the time that the wiki writes with whole seconds and ``Z``; ValueError if it is none."""
    return datetime.fromisoformat(timestamp).astimezone(UTC)


def revision_order(timestamp: str, revid: int) -> int:
    """Place of a revision on the scale of its page, in micros: its second, then its number within the second.

    The wiki's clock has whole seconds, so two edits within one would tie and the second be lost.
    """
    return micros(instant(timestamp)) + revid % HALF_SECOND


def log_order(timestamp: str, logid: int) -> int:
    """Place of a deletion, restoration or hiding: in its second, after the revisions.

    A page that is deleted was written before; one that is restored shows the newest revision of that second.
    """
    return micros(instant(timestamp)) + HALF_SECOND + logid % HALF_SECOND


def account(site: Site, row: Mapping[str, Any]) -> Account:
    """Return who did it, from a revision or a log entry; nobody in particular when the wiki hides the name."""
    if row.get("userhidden") or "user" not in row:
        # A reader with enough rights gets the hidden name beside the flag: the flag decides.
        return Account(id=f"{site.source}:user/hidden", type=AccountType.UNKNOWN, name="(hidden)")
    name, number = str(row["user"]), int(row.get("userid", 0))
    if is_address(name):
        alias = alias_of(site, name)
        return Account(id=f"{site.source}:user/{alias}", type=AccountType.UNKNOWN, name=alias, handle=alias)
    kind = AccountType.SERVICE if number in site.bots else AccountType.PERSON
    # Number 0 with a name is an author from another wiki whose pages were imported.
    return Account(id=f"{site.source}:user/{number or name}", type=kind, name=name, handle=name)


def is_address(name: str) -> bool:
    """True when a user name is an IP address, which is how the wiki names those who did not log in."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def alias_of(site: Site, address: str) -> str:
    """Return the lasting stand-in for an IP address, which is personal and is not stored."""
    return f"anonymous-{site.mask(ipaddress.ip_address(address).exploded)[:12]}"


def title_of(site: Site, namespace: int, title: str) -> str:
    """Return a page's title; in the spaces of users with the stand-in for an IP address."""
    prefix, colon, name = title.partition(":")
    root, slash, rest = name.partition("/")
    if namespace in USER_SPACES and is_address(root):
        return f"{prefix}{colon}{alias_of(site, root)}{slash}{rest}"
    return title


def summary_of(site: Site, row: Mapping[str, Any]) -> str:
    """Return the summary of an edit or the reason of a log entry, without authors' IP addresses; empty when hidden."""
    return "" if row.get("commenthidden") else without_addresses(site, str(row.get("comment", "")))


def without_addresses(site: Site, text: str) -> str:
    """Return a text with stand-ins for the IP addresses of authors, as signatures and automatic summaries name them.

    An address that is no author's, such as a router's in an article, stays.
    """
    spaces = tuple({name, site.namespaces.get(number, name)} for number, name in _NAMES_OF_SPACES.items())
    special, *people = ("|".join(sorted(map(re.escape, names))) for names in spaces)
    for name in set(_author_link(special, "|".join(people)).findall(text)):
        if is_address(name):
            text = text.replace(name, alias_of(site, name))
    return text


@lru_cache(maxsize=64)
def _author_link(special: str, people: str) -> re.Pattern[str]:
    """Links to what an author has contributed, or to an author's pages, in the wiki's language or in English."""
    return re.compile(
        rf"\[\[\s*(?:(?:{special}):[^/|\]]+/|(?:{people}):)([0-9a-fA-F.:]{{3,45}})(?=[|\]#/])", re.IGNORECASE
    )


def second_of(at: datetime) -> int:
    """Return whole seconds since 1970."""
    return micros(at) // 1_000_000


def timestamp_of(second: int) -> str:
    """Return whole seconds since 1970 as the wiki writes them."""
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
