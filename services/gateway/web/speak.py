"""The page's own forms for speaking: a note to everyone, and an answer to what is shown. They work without scripts."""

from urllib.parse import quote

from aiohttp import web

from services.gateway import filters as asked
from services.gateway.handlers import notes
from services.gateway.handlers.me import somebody
from services.gateway.problems import Problem


async def say(request: web.Request) -> web.StreamResponse:
    """Say what the form holds, and go to where it can be read."""
    asked.only(request.query)
    asker = somebody(request)
    fields = {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
    content, about = fields.get("content", ""), fields.get("about", "")
    if not 0 < len(content) <= notes.LONGEST or len(about) > notes.LONGEST_ID:
        raise Problem(400, "bad-body", f"content: 1 to {notes.LONGEST} characters are expected.")
    # Browsers send line ends as in mail.
    await notes.post_as(request, asker, content.replace("\r\n", "\n"), about=about)
    return web.Response(status=303, headers={"Location": f"/objects/{quote(about, safe='')}" if about else "/"})
