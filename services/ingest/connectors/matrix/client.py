"""The client-server API of a home server: only the calls that reading needs."""

import json
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any
from urllib.parse import quote

from pydantic import SecretStr

from services.common.http import Http
from services.common.model import micros

Event = dict[str, Any]

PREFIX = "/_matrix/client/v3"
TIMES = "/_matrix/client/v1"
REFUSED = (403, 404)
"""Answers about one room or event that is not ours to read; no trouble of the whole source."""
NOTHING: dict[str, list[str]] = {"types": []}


class MatrixClient:
    """Calls as the reading account. Errors are those of ``Http``."""

    def __init__(self, http: Http, token: SecretStr) -> None:
        self._http = http
        self._headers = {"Authorization": f"Bearer {token.get_secret_value()}"}

    async def whoami(self) -> tuple[str, bool]:
        """Return the user id that the access token stands for, and whether it is an application service's."""
        me = await self._ask("GET", "/account/whoami")
        return str(me["user_id"]), "device_id" not in me

    async def joined_rooms(self) -> list[str]:
        """Return the ids of the rooms that the reading account is in."""
        return sorted((await self._ask("GET", "/joined_rooms"))["joined_rooms"])

    async def join(self, room: str) -> bool:
        """Join a room by id or alias; False when the server does not let us."""
        return await self._may("POST", f"{PREFIX}/join/{_quote(room)}", json={}) is not None

    async def state(self, room_id: str) -> list[Event] | None:
        """Return all state events of a room; None when it is not ours to read."""
        state: list[Event] | None = await self._may("GET", f"{PREFIX}/rooms/{_quote(room_id)}/state")
        return state

    async def event(self, room_id: str, event_id: str) -> Event | None:
        """Return one event as it is now; None when there is none that we may see."""
        event: Event | None = await self._may("GET", f"{PREFIX}/rooms/{_quote(room_id)}/event/{_quote(event_id)}")
        return event

    async def pages(
        self, room_id: str, size: int, start: str | None, end: str | None = None
    ) -> AsyncIterator[tuple[list[Event], str]]:
        """Yield events oldest first, page by page, each with the place from which to go on; ends at the newest event.

        ``start`` is such a place, or None for the beginning of what the reading account may see.
        """
        more: str | None = start
        while True:
            limits = {"dir": "f", "limit": str(size), **({"to": end} if end else {})}
            place = {"from": more} if more else {}
            page = await self._may("GET", f"{PREFIX}/rooms/{_quote(room_id)}/messages", params={**limits, **place})
            if page is None or not page.get("chunk"):
                return
            yield page["chunk"], str(page.get("end") or more or page["start"])
            more = page.get("end")
            if more is None:
                return

    async def place_at(self, room_id: str, at: datetime) -> str | None:
        """Return the place in a room before the first event since a time; None when there is none."""
        stamp, room = {"ts": str(micros(at) // 1000), "dir": "f"}, _quote(room_id)
        first = await self._may("GET", f"{TIMES}/rooms/{room}/timestamp_to_event", params=stamp)
        if first is None:
            return None
        event = _quote(first["event_id"])
        around = await self._may("GET", f"{PREFIX}/rooms/{room}/context/{event}", params={"limit": "0"})
        return None if around is None else str(around["start"])

    async def sync(self, since: str | None, wait: float, size: int) -> dict[str, Any]:
        """Return what is new since a place (None: where we are now, without history); waits up to ``wait`` seconds."""
        rooms: dict[str, Any] = {"timeline": {"limit": size}, "ephemeral": NOTHING, "account_data": NOTHING}
        wanted = {"presence": NOTHING, "account_data": NOTHING, "room": rooms if since else {"rooms": []}}
        place = {"since": since} if since else {}
        parameters = {"filter": json.dumps(wanted), "timeout": str(int(wait * 1000)), **place}
        return await self._ask("GET", "/sync", params=parameters, timeout=wait + 60)

    async def _ask(self, method: str, path: str, **more: Any) -> dict[str, Any]:
        return dict((await self._http.request(method, PREFIX + path, headers=self._headers, **more)).json())

    async def _may(self, method: str, path: str, **more: Any) -> Any:
        """The answer, None when it is a refusal about one room or event."""
        answer = await self._http.request(method, path, headers=self._headers, allow=REFUSED, **more)
        return None if answer.status in REFUSED else answer.json()


def _quote(part: str) -> str:
    return quote(part, safe="")
