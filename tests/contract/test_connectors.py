"""What every registered connector keeps, whoever wrote it."""

import importlib
from pathlib import Path

import pytest
from pydantic import BaseModel

import services
from services.common.errors import Stop
from services.common.settings import Source
from services.ingest import registry
from services.ingest.connector import Kind

CONNECTORS = Path(services.__file__).parent / "ingest" / "connectors"
FOLDERS = sorted(folder.name for folder in CONNECTORS.iterdir() if (folder / "connector.py").exists())
RULES = (
    "stable ids",
    "resumes from cursor",
    "obeys rate limits",
    "recorded samples",
    "deletes and edits",
    "typed",
    "limits documented",
)


def test_every_folder_is_registered() -> None:
    assert set(FOLDERS) <= set(registry.available()), "run `make dev`: entry points are read from the installed package"


@pytest.mark.parametrize("name", FOLDERS)
def test_a_connector_is_what_its_entry_point_says(name: str) -> None:
    kind = registry.load(name)
    assert isinstance(kind, Kind)
    assert (kind.name, issubclass(kind.settings, BaseModel)) == (name, True)


@pytest.mark.parametrize("name", FOLDERS)
def test_every_setting_is_explained_and_unknown_ones_are_refused(name: str) -> None:
    fields = registry.load(name).settings.model_fields
    assert [field for field, info in fields.items() if not info.description] == []
    with pytest.raises(Stop, match="nonsense"):
        registry.options_of(Source.model_validate({"name": "x", "kind": name, "nonsense": 1}), registry.load(name))


@pytest.mark.parametrize("name", FOLDERS)
def test_secrets_are_never_shown(name: str) -> None:
    for field, info in registry.load(name).settings.model_fields.items():
        if any(word in field for word in ("token", "secret", "password")):
            assert "Secret" in str(info.annotation), f"{name}.{field} would be shown in logs"


@pytest.mark.parametrize("name", FOLDERS)
def test_the_readme_has_the_quality_table(name: str) -> None:
    text = (CONNECTORS / name / "README.md").read_text(encoding="utf-8").lower()
    assert [rule for rule in RULES if rule not in text] == []


@pytest.mark.parametrize("name", FOLDERS)
def test_the_parsing_half_can_be_had_without_network(name: str) -> None:
    module = importlib.import_module(f"services.ingest.connectors.{name}.parse")
    assert module.__doc__


def test_an_unknown_connector_is_said_so() -> None:
    with pytest.raises(Stop, match="there is no connector 'fax'; there are"):
        registry.load("fax")
