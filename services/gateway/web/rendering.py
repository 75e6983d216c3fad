"""Templates: escaped by default, and given what every page shows."""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from services.gateway.web import present

_CODE = re.compile(r"`([^`\n]+)`")


def coded(text: str) -> Markup:
    """Return a title with what stands in backticks as code; everything else is text."""
    return Markup(_CODE.sub(r"<code>\1</code>", str(escape(text))))  # noqa: S704 - escaped just now


@cache
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("services.gateway.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["coded"] = coded
    return made


def render(template: str, context: Mapping[str, Any]) -> str:
    """Return a page as HTML."""
    everywhere = {
        "viewer": None,
        "people": (),
        "signed_in": False,
        "section": "",
        "q": "",
        "flash": "",
        "unread": 0,
        "acting": "",
        "here": "/",
        "phrases": present.phrases(),
    }
    return _environment().get_template(template).render(everywhere | dict(context))
