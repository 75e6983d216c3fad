"""Write the tables of docs/settings.md, docs/metrics.md and docs/topics.md anew from the code.

Each page is written by hand but for what stands between the two marks; that is made here, and a test compares.
"""

import sys
from collections.abc import Iterable, Sequence
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.metrics import MetricWrapperBase
from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from services.common import metrics
from services.common.commands.topics import kept
from services.common.settings import PREFIX, Settings, Source
from services.common.settings_sources import CONNECTORS
from services.common.topics import TOPICS

FOLDER = Path(__file__).parent.parent / "docs"
BEGIN = "<!-- made by `make docs` from the code; do not edit up to the next mark -->"
END = "<!-- end of what `make docs` makes -->"


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def settings() -> str:
    """Return the settings of all services, then what every source and each connector takes."""
    rows = [
        (f"`{name}`", f"`{PREFIX}{name.upper()}`", type_of(info), default_of(info), info.description or "")
        for name, info in Settings.model_fields.items()
    ]
    points = sorted(entry_points(group=CONNECTORS), key=lambda one: one.name)
    return "\n\n".join(
        (
            table(("in watercooler.toml", "variable", "takes", "default", "what it does"), rows),
            "## Every source\n\n" + options(Source),
            *(f"## Sources of kind `{one.name}`\n\n" + options(one.load().settings) for one in points),
        )
    )


def options(model: type[BaseModel]) -> str:
    """Return a model's fields as a table."""
    rows = [
        (f"`{name}`", type_of(info), default_of(info), info.description or "")
        for name, info in model.model_fields.items()
    ]
    return table(("option", "takes", "default", "what it does"), rows) if rows else "No options of its own."


def type_of(info: FieldInfo) -> str:
    """Return what a field takes, in words."""
    kind: Any = info.annotation
    if get_origin(kind) is Literal:
        return ", ".join(f"`{value}`" for value in get_args(kind))
    if kind is SecretStr:
        return "secret"
    if kind == list[str]:
        return "list of texts; in the variable with commas"
    words = {"str": "text", "int": "whole number", "float": "number", "bool": "`true` or `false`", "Path": "path"}
    return words.get(getattr(kind, "__name__", ""), str(kind).replace("services.common.settings.", ""))


def default_of(info: FieldInfo) -> str:
    """Return a field's default, as it would be written."""
    value = info.get_default(call_default_factory=True)
    if value is PydanticUndefined:
        return "(needed)"
    if isinstance(value, SecretStr) or value in ("", None, [], (), {}):
        return ""
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def metric_table() -> str:
    """Return every metric with its labels."""
    kinds = {Counter: "counter", Gauge: "gauge", Histogram: "histogram"}
    rows = [
        (
            f"`{exposed(one)}`",
            kinds[type(one)],
            " ".join(f"`{label}`" for label in one._labelnames),
            one._documentation,
        )
        for one in declared()
    ]
    return table(("name", "kind", "labels", "what it says"), rows)


def declared() -> list[MetricWrapperBase]:
    """Return the metrics of the one table, in its order."""
    return [one for one in vars(metrics).values() if isinstance(one, MetricWrapperBase)]


def exposed(metric: MetricWrapperBase) -> str:
    """Return the name as Prometheus reads it."""
    return str(metric._name) + ("_total" if isinstance(metric, Counter) else "")


def topic_table() -> str:
    """Return every topic: who writes it, how it is keyed and kept."""
    rows = [
        (
            f"`{one.suffix}`",
            one.doc,
            one.key,
            one.placed_by,
            kept(one),
            f"`{one.schema}`",
            ", ".join(one.writers),
            "yes" if one.shared else "",
        )
        for one in TOPICS
    ]
    return table(("topic", "holds", "key", "placed by", "kept", "schema", "written by", "for other teams"), rows)


PAGES = {"settings.md": settings, "metrics.md": metric_table, "topics.md": topic_table}


def page(name: str) -> str:
    """Return a page with its made part anew; raises ValueError when the marks are not there."""
    before, _, rest = (FOLDER / name).read_text(encoding="utf-8").partition(BEGIN)
    _, found, after = rest.partition(END)
    if not found:
        raise ValueError(f"docs/{name} lacks the marks of `make docs`")
    return f"{before}{BEGIN}\n\n{PAGES[name]()}\n\n{END}{after}"


def main() -> int:
    """Write every page; with --check only say which are old."""
    old = [name for name in PAGES if page(name) != (FOLDER / name).read_text(encoding="utf-8")]
    for name in old:
        if "--check" not in sys.argv:
            (FOLDER / name).write_text(page(name), encoding="utf-8")
        print(f"docs/{name}")
    return 1 if old and "--check" in sys.argv else 0


if __name__ == "__main__":
    sys.exit(main())
