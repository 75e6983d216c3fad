"""The forms for speaking: to say something, to answer, correct it and take it back. They work without scripts."""

from urllib.parse import quote

from aiohttp import web

from services.gateway.handlers import notes
from services.gateway.handlers.me import somebody
from services.gateway.web import forms


async def say(request: web.Request) -> web.StreamResponse:
    """Say what the form holds, and go back to where it can be read."""
    asker, sent = somebody(request), await forms.fields(request)
    given = {name: sent[name] for name in ("content", "about", "group") if name in sent}
    await notes.post_as(request, asker, forms.checked(notes.Note, given))
    return forms.went(request, forms.back(sent, _page(sent["about"]) if sent.get("about") else "/"), "posted")


async def edit(request: web.Request) -> web.StreamResponse:
    """Correct what one said, and show it."""
    asker, sent = somebody(request), await forms.fields(request)
    given = forms.checked(notes.Said, {name: sent[name] for name in ("content",) if name in sent})
    await notes.edit_as(request, asker, sent.get("id", ""), given)
    return forms.went(request, forms.back(sent, _page(sent["id"])), "edited")


async def remove(request: web.Request) -> web.StreamResponse:
    """Take back what one said."""
    asker, sent = somebody(request), await forms.fields(request)
    await notes.remove_as(request, asker, sent.get("id", ""))
    return forms.went(request, forms.back(sent, _page(sent["id"])), "deleted")


def _page(object_id: str) -> str:
    return f"/objects/{quote(object_id, safe='')}"
