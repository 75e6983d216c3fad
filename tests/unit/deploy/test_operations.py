"""docs/operations.md keeps up with the code: log lines, exit codes, commands, alerts."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import yaml

from services.__main__ import cli
from services.common import run
from services.common.settings import Settings

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
LOUD = ("warning", "error", "exception", "critical")


def loud_events() -> Iterator[str]:
    """Yield the event of every log call that asks for attention."""
    for path in (ROOT / "services").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(
                    func=ast.Attribute(value=logger, attr=level), args=[ast.Constant(value=str(event)), *_]
                ) if level in LOUD and "log" in ast.unparse(logger):
                    yield event


@pytest.mark.parametrize("event", sorted(set(loud_events())))
def test_every_log_line_that_asks_for_attention_is_explained(event: str) -> None:
    assert f"`{event}`" in PAGE


@pytest.mark.parametrize("code", [value for name, value in vars(run).items() if name.startswith("EXIT_")])
def test_every_exit_code_is_explained(code: int) -> None:
    assert f"\n| {code} | " in PAGE


def test_every_alert_is_explained() -> None:
    alerts = yaml.safe_load((ROOT / "deploy/prometheus/alerts.yaml").read_text())
    for group in alerts["groups"]:
        for rule in group["rules"]:
            assert f"\n| {rule['alert']} | " in PAGE


def test_every_command_that_is_named_exists() -> None:
    named = set(re.findall(r"watercooler ([a-z]+)(?: ([a-z]+))?(?= |`|$|\n|\|)", PAGE))
    assert {"up", "topics", "dlq", "reindex"} <= {first for first, _ in named}
    for first, second in named:
        command = cli.get_command(click.Context(cli), first)
        assert command is not None, first
        if isinstance(command, click.Group) and second:
            assert second in command.commands, f"{first} {second}"


def test_every_setting_that_is_named_exists() -> None:
    for name in re.findall(r"WATERCOOLER_([A-Z_]+[A-Z])", PAGE):
        field = name.removesuffix("_FILE").lower()
        assert {field, name.lower()} & set(Settings.model_fields) or name in ("X", "X_FILE"), name
