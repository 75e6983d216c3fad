"""What deploy/ names exists: metrics and their labels, commands, settings."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from services.__main__ import COMMANDS
from services.common.metrics import REGISTRY
from services.common.settings import PREFIX, Settings

DEPLOY = Path(__file__).parents[3] / "deploy"
ADDED_BY_THE_SCRAPE = {"job", "part", "le"}


def metrics() -> dict[str, set[str]]:
    """Return the labels by the name of each series that the services expose."""
    known: dict[str, set[str]] = {}
    for metric in REGISTRY._names_to_collectors:  # the registry has no public list of names
        labels = getattr(REGISTRY._names_to_collectors[metric], "_labelnames", ())
        known[metric] = set(labels)
    return known


def expressions() -> list[tuple[str, str]]:
    """Return every PromQL expression of the alerts and the dashboard, with its title."""
    alerts = yaml.safe_load((DEPLOY / "prometheus/alerts.yaml").read_text())
    found = [(rule["alert"], rule["expr"]) for group in alerts["groups"] for rule in group["rules"]]
    dashboard = json.loads((DEPLOY / "grafana/watercooler.json").read_text())
    found += [(panel["title"], target["expr"]) for panel in dashboard["panels"] for target in panel["targets"]]
    return found


def labels_named(expression: str) -> set[str]:
    grouped = re.findall(r"\b(?:by|on) \(([^)]*)\)", expression)
    matched = re.findall(r"\{([^}]*)\}", expression)
    return {one.strip() for part in grouped for one in part.split(",")} | {
        name for part in matched for name in re.findall(r"(\w+)\s*[=!]", part)
    }


@pytest.mark.parametrize(("title", "expression"), expressions(), ids=lambda value: value[:30])
def test_every_metric_and_label_exists(title: str, expression: str) -> None:
    named = set(re.findall(r"\bwatercooler_\w+", expression))
    known = metrics()
    assert named or "up{" in expression
    assert named <= set(known), title
    assert labels_named(expression) <= ADDED_BY_THE_SCRAPE.union(*(known[one] for one in named)), title


def test_every_metric_is_shown_or_watched() -> None:
    everything = " ".join(expression for _, expression in expressions())
    for metric in REGISTRY.collect():
        assert metric.name in everything, f"{metric.name} stands in no panel and no alert"


def test_legends_and_annotations_use_labels_that_the_expression_keeps() -> None:
    dashboard = json.loads((DEPLOY / "grafana/watercooler.json").read_text())
    for panel in dashboard["panels"]:
        for target in panel["targets"]:
            used = set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
            kept = labels_named(target["expr"]) or metrics().get(target["expr"], set())
            assert used <= kept, panel["title"]


def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    return loaded


def test_compose_runs_commands_and_sets_settings_that_exist() -> None:
    ours = {name: one for name, one in compose()["services"].items() if one.get("image") == "watercooler"}
    assert {"ingest", "enrich", "score", "index", "gateway"} <= set(ours)
    for one in ours.values():
        assert one["command"][0] in COMMANDS
        names = {name.removeprefix(PREFIX).lower() for name in one["environment"]}
        assert names <= set(Settings.model_fields)


def test_compose_publishes_on_loopback_only() -> None:
    published = [port for one in compose()["services"].values() for port in one.get("ports", [])]
    assert published
    assert all(port.startswith("127.0.0.1:") for port in published)


def test_prometheus_scrapes_the_ports_that_the_services_have() -> None:
    config = yaml.safe_load((DEPLOY / "prometheus/prometheus.yaml").read_text())
    for job in config["scrape_configs"]:
        for one in job["static_configs"]:
            port = Settings.model_fields[f"{one['labels']['part']}_port"].default
            assert one["targets"] == [f"127.0.0.1:{port}"]
