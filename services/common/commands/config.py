"""`watercooler config`: what is configured, and what is wrong with it."""

import os
import re
from collections.abc import Iterator, Mapping
from typing import Any

import click
from pydantic import SecretStr
from yarl import URL

from services.common import settings as configuration
from services.common.commands.shared import as_json, dump, print_table
from services.common.errors import Stop
from services.common.settings import ELSEWHERE, PREFIX, Settings, config_file
from services.common.settings_sources import mistakes, variables

_SECRET = re.compile(r"token|secret|password|passwd|key|credential|signature", re.IGNORECASE)


@click.group(epilog="\b\nExamples:\n  watercooler config check\n  watercooler config show --json")
def config() -> None:
    """Check the configuration, or show what holds and where it comes from."""


@config.command(epilog="\b\nExample:\n  WATERCOOLER_CONFIG=/etc/watercooler.toml watercooler config check")
def check() -> None:
    """Explain every mistake in watercooler.toml and in WATERCOOLER_* variables, each with its place."""
    settings = configuration.load()
    of_sources = variables(settings.sources)
    others = {name: value for name, value in os.environ.items() if name not in of_sources}
    found = [*unknown_variables(others), *mistakes(settings.sources, config_file())]
    if found:
        raise Stop("\n".join(found))
    where = str(config_file()) if config_file().is_file() else f"no {config_file()}, only variables and defaults"
    click.echo(f"No mistakes: {where}, {len(settings.sources)} sources.")


def unknown_variables(environ: Mapping[str, str]) -> Iterator[str]:
    """Yield a line for each WATERCOOLER_* variable that nothing reads."""
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    secrets = {PREFIX + name.upper() + "_FILE" for name in configuration.secrets()}
    for name in sorted(environ):
        first = name.split("__")[0]
        if (
            name.startswith(PREFIX)
            and first not in known | secrets | ELSEWHERE
            and not name.startswith(PREFIX + "TEST_")
        ):
            yield f"{name} is not a setting; see docs/settings.md for those there are"


@config.command(epilog="\b\nExample:\n  watercooler config show")
@as_json
def show(json_: bool) -> None:
    """Show every setting that holds. Secrets are only said to be set or not."""
    settings = configuration.load()
    values = {name: shown(getattr(settings, name)) for name in Settings.model_fields if name != "sources"}
    sources = [source_shown(source.model_dump()) for source in settings.sources]
    if json_:
        click.echo(dump({**values, "sources": sources}))
        return
    default = {name: shown(info.get_default(call_default_factory=True)) for name, info in Settings.model_fields.items()}
    rows = [(name, str(value), "" if value == default[name] else "set") for name, value in values.items()]
    print_table(("setting", "value", ""), rows, empty="")
    print_table(
        ("source", "kind", "options"),
        [(one.pop("name"), one.pop("kind"), dump(one)) for one in sources],
        empty="No sources are configured.",
    )


def shown(value: Any, name: str = "") -> Any:
    """Return a value as it may be shown: of a secret only whether it is set, of a URL all but who logs in."""
    if isinstance(value, SecretStr):
        return "(set)" if value.get_secret_value() else "(not set)"
    if isinstance(value, Mapping):
        return {key: shown(one, str(key)) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [shown(one, name) for one in value]
    if isinstance(value, bool | int | float) or value is None:
        return value
    if _SECRET.search(name) and not name.endswith("_file"):
        return "(set)" if value else "(not set)"
    return _without_user(str(value))


def source_shown(source: Mapping[str, Any]) -> dict[str, Any]:
    """Return a source's settings as they may be shown."""
    return {name: shown(value, name) for name, value in source.items()}


def _without_user(text: str) -> str:
    if "://" not in text:
        return text
    try:
        url = URL(text)
    except ValueError:
        return "(not a URL)"
    # Without a user yarl drops the password too.
    hidden = url.with_user(None).with_user("(set)") if url.user or url.password else url
    return str(hidden.with_query(dict.fromkeys(url.query, "(set)"))) if url.query else str(hidden)
