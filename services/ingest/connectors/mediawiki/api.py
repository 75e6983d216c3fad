"""The wiki's action API: one request at a time, its errors by name, its lists page by page."""

from collections.abc import AsyncIterator, Iterator, Sequence
from itertools import islice
from typing import Any

from pydantic import SecretStr

from services.common.clock import now
from services.common.errors import Retry, Stop
from services.common.http import Answer, Http
from services.common.http_rules import retry_after

Row = dict[str, Any]

MOST = 50
"""Numbers in one request; more are for bots only."""
CLOSED = frozenset({"readapidenied", "permissiondenied"})
ENDED = frozenset({"assertuserfailed", "assertnameduserfailed"})
CONTENT = "ids|timestamp|flags|comment|user|userid|sha1|content|contentmodel|tags"
LOG = "ids|title|type|timestamp|details|user|userid|comment|tags"


class WikiApi:
    """Reading calls, always in format version 2. ``logged_in`` makes the wiki refuse once the session has ended."""

    def __init__(self, source: str, url: str, http: Http, maxlag: int) -> None:
        self._source = source
        self._url = url
        self._http = http
        self._fixed = {"format": "json", "formatversion": "2", "maxlag": str(maxlag), "errorformat": "plaintext"}

    async def log_in(self, username: str, password: SecretStr) -> None:
        """Start a session unless one is open; raises Stop when the wiki does not accept the account."""
        if "assert" in self._fixed:
            return
        tokens = await self.query(meta="tokens", type="login")
        form = {
            "lgname": username,
            "lgpassword": password.get_secret_value(),
            "lgtoken": tokens["tokens"]["logintoken"],
        }
        answer = await self._http.post(self._url, data={**self._fixed, **form, "action": "login"})
        result = self._checked(answer).get("login", {})
        if result.get("result") != "Success":
            raise Stop(
                f"source {self._source}: the wiki does not accept {username} ({result.get('result', 'no answer')});"
                " check the settings 'username' and 'password' of this source"
            )
        self._fixed["assert"] = "user"

    async def query(self, **parameters: str) -> Row:
        """Return the ``query`` part of one answer; raises Retry, Stop or Reject by the wiki's error code."""
        return dict((await self._ask(parameters)).get("query", {}))

    async def time(self) -> str:
        """Return the wiki's own time, as it writes it."""
        return str((await self._ask({"curtimestamp": "1"}))["curtimestamp"])

    async def rows(self, listing: str, **parameters: str) -> AsyncIterator[Row]:
        """Yield all rows of a list, asking for the next page when the last one is used up."""
        async for query in self._pages({"list": listing, **parameters}):
            for row in query.get(listing, ()):
                yield row

    async def revisions(self, numbers: Sequence[int], fields: str = CONTENT) -> dict[int, tuple[Row, Row]]:
        """Return page and revision by revision number, as far as they exist and are not deleted."""
        found: dict[int, tuple[Row, Row]] = {}
        for some in _chunks(numbers):
            async for query in self._pages({**_shown(fields), "revids": "|".join(map(str, some))}):
                for page in query.get("pages", ()):
                    found.update({row["revid"]: (page, row) for row in page.get("revisions", ())})
        return found

    async def shown_at(self, pageid: int, timestamp: str, count: int = 10) -> tuple[Row, list[Row]] | None:
        """Return a page and its newest revisions not later than a second, newest first; None when it is gone."""
        query = await self.query(
            **_shown(CONTENT), pageids=str(pageid), rvstart=timestamp, rvdir="older", rvlimit=str(count)
        )
        page: Row = next(iter(query.get("pages", ())), {})
        rows: list[Row] = page.get("revisions", [])
        return (page, rows) if rows else None

    async def history_of(self, pageid: int) -> AsyncIterator[int]:
        """Yield the numbers of all revisions of a page, oldest first."""
        wanted = {"prop": "revisions", "pageids": str(pageid), "rvprop": "ids", "rvdir": "newer", "rvlimit": "max"}
        async for query in self._pages(wanted):
            for page in query.get("pages", ()):
                for row in page.get("revisions", ()):
                    yield row["revid"]

    async def _pages(self, parameters: dict[str, str]) -> AsyncIterator[Row]:
        more: Row | None = {}
        while more is not None:
            answer = await self._ask({**parameters, **more})
            yield answer.get("query", {})
            more = answer.get("continue")

    async def _ask(self, parameters: dict[str, str]) -> Row:
        return self._checked(await self._http.get(self._url, params={**self._fixed, "action": "query", **parameters}))

    def _checked(self, answer: Answer) -> Row:
        body = answer.json()
        if not isinstance(body, dict):
            raise Retry(f"source {self._source}: {self._url} did not answer as a wiki's API; check the setting 'url'")
        errors = body.get("errors") or ([body["error"]] if "error" in body else [])
        if errors:
            raise self._error(str(errors[0].get("code", "")), answer)
        return body

    def _error(self, code: str, answer: Answer) -> Retry | Stop:
        what = f"source {self._source}: the wiki answers {code!r}"
        if code in ENDED:
            self._fixed.pop("assert", None)
            return Retry(f"{what}, the session has ended and is begun anew")
        if code in CLOSED:
            return Stop(f"{what}, it does not let us read; check 'username' and 'password' of this source")
        # Most others are passing troubles (maxlag, ratelimited, internal_api_error_*); none is the fault of one record.
        return Retry(f"{what}, it is asked again later", after=retry_after(answer.headers, now()))


def _shown(fields: str) -> dict[str, str]:
    return {"prop": "revisions|info", "inprop": "subjectid", "rvprop": fields, "rvslots": "main"}


def _chunks(numbers: Sequence[int]) -> Iterator[list[int]]:
    source = iter(numbers)
    while some := list(islice(source, MOST)):
        yield some
