"""The sample of docs/connectors.md is a connector: what it finds is published, under one id a state."""

import os
from contextlib import AbstractAsyncContextManager
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

from services.common.errors import Stop
from services.common.topics import ACCESS, ACTIVITY
from services.ingest.connector import Connector, Kind, Tools
from tests.unit.ingest.fakes import ground
from tools.docs import FOLDER


@pytest.fixture
def kind() -> Kind:
    spec = spec_from_file_location("connector_example", FOLDER / "connector_example.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    found: Kind = module.CONNECTOR
    return found


def opened(kind: Kind, folder: Path) -> AbstractAsyncContextManager[Connector]:
    tools = Tools(source="mine", mask=str, state=folder)
    return kind.open(kind.settings.model_validate({"folder": str(folder)}), tools)


async def past(one: Connector) -> list[str]:
    base = await ground()
    (place,) = await one.discover()
    async for batch in one.backfill(place, ""):
        await base.intake.take("mine", batch)
    assert [record["id"] for record in await base.log.values(ACCESS)] == [place.id]
    return sorted(record.key for record in await base.log.records(ACTIVITY))


async def test_the_sample_reads_the_past_and_what_changes_under_one_id_a_state(kind: Kind, tmp_path: Path) -> None:
    for number, name in enumerate(("a", "b"), start=1):
        (tmp_path / f"{name}.txt").write_text(f"note {name}")
        os.utime(tmp_path / f"{name}.txt", (number, number))
    async with opened(kind, tmp_path) as one:
        before = await past(one)
        assert len(before) == 2
        live = aiter(one.live(""))
        seen = await anext(live)
        assert [activity.id for activity in seen.activities] == before
        again = aiter(one.live(seen.cursor))
        (tmp_path / "a.txt").write_text("note a, corrected")
        changed = (await anext(again)).activities
        assert [activity.object.id for activity in changed] == ["mine:a.txt"]
        assert changed[0].id not in before


async def test_the_sample_says_what_a_person_has_to_mend(kind: Kind, tmp_path: Path) -> None:
    async with opened(kind, tmp_path / "absent") as one:
        with pytest.raises(Stop, match="is no folder"):
            await one.discover()
