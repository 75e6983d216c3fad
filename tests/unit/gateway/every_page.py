"""Every page and something for each to show: for the tests that look at all of them. A new page needs an entry here."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

from services.common.model import Access, AccessKind, Visibility
from services.gateway.app import build
from services.gateway.speaking.acts import GROUP
from tests.unit.gateway.test_for_you import recommend
from tests.unit.gateway.world import HALL, ROOM, World, said, world

STATIC = Path(__file__).parents[3] / "services" / "gateway" / "web" / "static"
PARSERS = f"{GROUP}parsers"
KEPT = {
    "follows/bob": None,
    "follows/parser": None,
    "searches/mine": {"query": "q=parser"},
    "rules/all": {"rule": "if says parser then notify and mark seen", "on": True},
}
"""What ann keeps, by where it is put."""
PAGES: dict[str, tuple[str, ...]] = {
    "/": ("/", "/?container=chat%3Ahall"),
    "/for-you": ("/for-you",),
    "/following": ("/following",),
    "/mentions": ("/mentions",),
    "/notifications": ("/notifications",),
    "/groups": ("/groups",),
    "/groups/{id}": (f"/groups/{quote(PARSERS, safe='')}", "/groups/absent"),
    "/rules": ("/rules", "/rules?name=x&rule=if+says+parser+then+notify", "/rules?name=x&rule=if"),
    "/settings": ("/settings",),
    "/topics": ("/topics", "/topics?container=chat%3Ahall"),
    "/topics/{topic}": ("/topics/parser", "/topics/absent"),
    "/search": ("/search?q=parser", "/search"),
    "/people": ("/people?q=parser", "/people"),
    "/people/{id}": ("/people/bob",),
    "/objects/{id}": ("/objects/chat%3A1", "/objects/absent"),
    "/docs": ("/docs",),
}
"""Addresses to look at, by the path of the page's route. An absent thing shows the page of errors."""
PROGRAMS = re.compile(r"/(v1|registry|static|openapi|login|healthz|readyz|metrics)\b.*")
"""Paths of routes that are for programs."""
ADDRESSES = tuple(address for addresses in PAGES.values() for address in addresses)


@asynccontextmanager
async def lively() -> AsyncIterator[World]:
    """Run a gateway that has something for every page."""
    async with world() as w:
        await w.opened(HALL)
        await w.opened(ROOM)
        long = "https://example.org/" + "x" * 200
        words = ("parser notes", f"parser {long}", "parser of a very-long-" + "name" * 40)
        acts = [
            replace(said(n, text=words[n % 3], who=who, where=where), tags=("parser", "release"))
            for n, (who, where) in enumerate(
                (who, where) for who in ("ann", "bob", "cat", "dan") for where in (HALL, ROOM)
            )
        ]
        await w.happens(*acts)
        await w.happens(replace(said(20, text="parser, ann?", who="bob"), mention_people=("ann",)))
        await w.allow(
            Access(
                id=PARSERS,
                kind=AccessKind.CONTAINER,
                visibility=Visibility.PUBLIC,
                principals=("ann", "bob"),
                name="Parsers",
            )
        )
        await recommend(w, "chat:1", 0.7)
        for path, body in KEPT.items():
            assert (await w.client.put(f"/v1/me/{path}?as=ann", json=body)).status < 300
        yield w


def shown(w: World) -> set[str]:
    """Return the paths of all pages that the application has."""
    found = {
        route.resource.canonical for route in build(w.parts).router.routes() if route.resource and route.method == "GET"
    }
    return {path for path in found if not PROGRAMS.fullmatch(path)}
