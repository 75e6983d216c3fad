"""The page as a browser without scripts uses it: forms are sent, and the answer is read where it leads."""

from typing import Any
from urllib.parse import quote

from aiohttp import ClientResponse

from tests.unit.gateway.world import World


async def read(w: World, path: str, *, as_: str = "ann", status: int = 200) -> str:
    """Return a page as somebody sees it."""
    answer = await w.get(path, as_=as_)
    assert (answer.status, answer.content_type) == (status, "text/html"), await answer.text()
    return await answer.text()


async def send(w: World, path: str, form: dict[str, Any], *, as_: str = "ann", follow: bool = True) -> ClientResponse:
    """Send a form; returns the page that it leads to."""
    return await w.client.post(f"{path}?as={quote(as_)}", data=form, allow_redirects=follow)


async def sent(w: World, path: str, form: dict[str, Any], *, as_: str = "ann") -> str:
    """Send a form that is good; returns the page that it leads to."""
    answer = await send(w, path, form, as_=as_)
    text = await answer.text()
    assert (answer.status, len(answer.history)) == (200, 1), text
    return text
