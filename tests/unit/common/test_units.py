"""Units come from a file of the staff; what else is known of a person stays, and a wrong line is named."""

from typing import Any

import pytest

from services.common import topics
from services.common.bus import Outgoing
from services.common.bus.memory import MemoryBus
from services.common.codec import Codec
from services.common.commands.units import _People, read, store
from services.common.errors import Stop
from services.common.model import EPOCH


async def stored(bus: MemoryBus) -> dict[str, dict[str, Any]]:
    """Return what is known of people."""
    people = _People(bus)
    await people.load()
    await people.stop()
    return people.records


def test_lines_are_people_with_their_units_outermost_first() -> None:
    lines = ["# staff\n", 'ann, Engineering,"Compiler, back end"\n', "\n", "bob,Docs\n", "cat\n"]
    assert read(lines) == {"ann": ["Engineering", "Compiler, back end"], "bob": ["Docs"], "cat": []}


@pytest.mark.parametrize("bad", [",Engineering\n", 'ann,"Eng\n', f"ann,{'x' * 201}\n"])
def test_a_wrong_line_is_named(bad: str) -> None:
    with pytest.raises(Stop, match="line 2"):
        read(["bob,Docs\n", bad])


async def test_units_are_stored_and_what_else_is_known_stays() -> None:
    bus = MemoryBus("t.")
    record = {"id": "ann", "name": "Ann", "units": ["Old"], "accounts": ["chat:ann"], "optOut": True, "settings": {}}
    publisher = await bus.publisher()
    value = Codec("person").encode(record | {"recorded": EPOCH})
    await publisher.publish([Outgoing(topic=topics.PERSON.name("t."), key="ann", value=value)])
    await publisher.stop()
    await store(bus, {"ann": ["Engineering"], "bob": ["Docs"]})
    found = await stored(bus)
    assert (found["ann"]["units"], found["ann"]["name"], found["ann"]["optOut"]) == (["Engineering"], "Ann", True)
    assert (found["bob"]["units"], found["bob"]["id"]) == (["Docs"], "bob")
