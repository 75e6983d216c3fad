"""Templates: escaped by default, and given what every page shows."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from services.gateway.web import present


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("services.gateway.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


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
