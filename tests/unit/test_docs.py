"""The documentation names every setting, metric and topic, as they are in the code."""

import re

import pytest

from services.common.settings import PREFIX, Settings
from services.common.topics import TOPICS
from tools.docs import FOLDER, PAGES, declared, exposed, page


def text(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", PAGES)
def test_the_made_part_of_a_page_is_up_to_date(name: str) -> None:
    assert page(name) == text(name), "run `make docs`"


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_documented_and_explained(name: str) -> None:
    assert f"`{PREFIX}{name.upper()}`" in text("settings.md")
    assert Settings.model_fields[name].description


@pytest.mark.parametrize("metric", declared(), ids=exposed)
def test_every_metric_is_documented_with_a_unit_or_a_count_in_its_name(metric: object) -> None:
    name = exposed(metric)  # type: ignore[arg-type]
    assert f"`{name}`" in text("metrics.md")
    assert name.startswith("watercooler_")


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: str(topic.suffix))
def test_every_topic_is_documented(topic: object) -> None:
    assert f"`{topic.suffix}`" in text("topics.md")  # type: ignore[attr-defined]


def test_every_test_that_the_table_of_what_was_tried_names_is_there() -> None:
    table = text("security.md").partition("## What was tried")[2]
    named = set(re.findall(r"`((?:tests/[\w/]+/)?test_\w+\.py)`", table))
    assert len(named) > 10
    for name in named:
        assert (FOLDER.parent / (name if "/" in name else f"tests/unit/gateway/{name}")).is_file(), name
