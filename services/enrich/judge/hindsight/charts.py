"""Charts as inline SVG, in the page's own colours, so that they follow it into the dark; without scripts."""

import sys
from collections.abc import Mapping, Sequence
from typing import Any
from xml.etree.ElementTree import Element

import pygal
from markupsafe import Markup
from pygal.style import Style

# pygal hooks an importer of an old kind into Python, for plug-ins that we have none of; Python warns at every import.
sys.meta_path[:] = [one for one in sys.meta_path if not isinstance(one, pygal.PluginImportFixer)]

_STEPS = 6
_STYLE = Style(
    background="transparent",
    plot_background="transparent",
    foreground="var(--ink)",
    foreground_strong="var(--ink)",
    foreground_subtle="var(--soft)",
    guide_stroke_color="var(--line)",
    major_guide_stroke_color="var(--line)",
    guide_stroke_dasharray="none",
    major_guide_stroke_dasharray="none",
    colors=("var(--one)", "var(--three)", "var(--two)"),
    value_colors=("var(--ink)",) * 3,
    font_family="inherit",
    opacity="1",
    opacity_hover=".8",
    label_font_size=13,
    major_label_font_size=13,
    legend_font_size=14,
    value_font_size=13,
)


def stacked(labels: Sequence[str], series: Mapping[str, Sequence[int]], said: str) -> Markup:
    """Return bars over time, one above the other; ``said`` describes the chart for who cannot see it."""
    every = max(1, len(labels) // 8)
    chart = pygal.StackedBar(**_options(), show_minor_x_labels=False, x_label_rotation=0)
    chart.x_labels, chart.x_labels_major = labels, labels[::every]
    for name, values in series.items():
        chart.add(name, list(values))
    chart.y_labels = _whole(max(map(sum, zip(*series.values(), strict=True)), default=0))
    return _svg(chart, said)


def bars(values: Mapping[str, int], said: str) -> Markup:
    """Return a bar for each name, with its value."""
    chart = pygal.Bar(**_options(), show_legend=False, print_values=True, print_values_position="top")
    chart.x_labels = list(values)
    chart.add("", list(values.values()))
    chart.y_labels = _whole(max(values.values(), default=0))
    return _svg(chart, said)


def _whole(most: int) -> list[int]:
    """Return whole numbers for an axis that reaches to ``most``."""
    step = max(1, -(-most // _STEPS))
    return list(range(0, most + step, step))


def ranked(rows: Sequence[tuple[str, float, Sequence[float] | None, bool]], said: str) -> Markup:
    """Return lying bars with intervals: name, value, interval and whether it is the product's."""
    furthest = max([0.01, *(max((value, *(span or ()))) for _, value, span, _ in rows)])
    options = _options() | {"height": 60 + 26 * len(rows), "range": (0, furthest)}
    chart = pygal.HorizontalBar(**options, show_legend=False, print_values=True, formatter=_figure)
    chart.x_labels = [name for name, *_ in rows]
    chart.add("", [_bar(value, span, ours=ours) for _, value, span, ours in rows])
    return _svg(chart, said)


def _bar(value: float, span: Sequence[float] | None, *, ours: bool) -> dict[str, Any]:
    bar: dict[str, Any] = {"value": value, "color": "var(--one)" if ours else "var(--two)"}
    return bar | ({"ci": {"low": span[0], "high": span[1]}} if span else {})


def _figure(value: float) -> str:
    return f"{value:.3f}".lstrip("0")


def _options() -> dict[str, Any]:
    return {
        "style": _STYLE,
        "js": [],
        "width": 900,
        "height": 300,
        "margin": 8,
        "legend_at_bottom": True,
        "truncate_label": -1,
        "show_y_guides": True,
        "tooltip_border_radius": 4,
    }


def _svg(chart: Any, said: str) -> Markup:
    chart.add_xml_filter(lambda root: _readable(root, said))
    return Markup(chart.render(is_unicode=True, disable_xml_declaration=True))  # noqa: S704 - pygal escapes its labels


def _readable(root: Element, said: str) -> Element:
    """Leave out scripts, and say what is shown to who cannot see it."""
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag == "script":
                parent.remove(child)
    root.set("role", "img")
    root.set("aria-label", said)
    return root
