"""What the index holds of an object when its states arrive late, twice, at once, or were taken back."""

from itertools import count

import pytest

from services.common.model import Access, AccessKind
from tests.integration.indexer.world import World, deletion, page, redacted, running, until

pytestmark = pytest.mark.integration
_FRESH = count(9_000)


async def shown(world: World, number: int) -> str:
    return str((await world.document("objects", f"wiki:page/{number}")).get("text", ""))


async def marker(world: World) -> None:
    """Say something in every partition and wait until it is there: what was said before is then there as well."""
    marks = [page(next(_FRESH)) for _ in range(12)]
    await world.say(*marks)
    for mark in marks:
        name = mark.activity.id

        async def there(name: str = name) -> bool:
            return bool(await world.document("activities", name))

        await until(there)


async def test_a_late_backfill_does_not_overwrite_a_newer_edit(world: World) -> None:
    async with running(world):
        await world.say(page(1, order=20, text="newest"))
        await marker(world)
        await world.say(page(1, order=10, text="from the backfill"), page(1, order=20, text="newest"))
        await marker(world)
        assert await shown(world, 1) == "newest"
        assert await world.document("activities", "wiki:page/1@10#wiki.edit")


async def test_a_second_edit_within_the_same_second_is_not_lost(world: World) -> None:
    async with running(world):
        await world.say(page(1, order=1_000_000, text="first"), page(1, order=1_000_001, text="second"))
        await marker(world)
        assert await shown(world, 1) == "second"
        assert len(await world.search.get("activities", [f"wiki:page/1@{n}#wiki.edit" for n in (1_000_000, 1_000_001)],
                                          principals=None)) == 2  # fmt: skip


async def test_of_two_equal_places_the_last_in_the_log_wins(world: World) -> None:
    async with running(world):
        await world.say(*(page(1, order=5, text=f"try {n}") for n in range(50)))
        await marker(world)
        assert await shown(world, 1) == "try 49"


async def test_a_tombstone_keeps_a_late_update_out_and_a_restore_comes_through(world: World) -> None:
    async with running(world):
        await world.say(page(1, order=10, text="herons"), deletion(1, order=20), page(1, order=15, text="late herons"))
        await marker(world)
        document = await world.document("objects", "wiki:page/1")
        assert (document["deleted"], document.get("text"), document.get("title")) == (True, None, None)
        await world.say(page(1, order=30, text="herons again", verb="wiki.restore"))
        await marker(world)
        assert await shown(world, 1) == "herons again"
        assert (await world.document("objects", "wiki:page/1"))["deleted"] is False


async def test_redacted_text_is_not_found_and_no_late_copy_brings_it_back(world: World) -> None:
    await world.open_hall()
    async with running(world):
        states = [page(1, order=10, text="secretword one"), page(1, order=11, text="secretword two")]
        await world.say(*states)
        await marker(world)
        assert len(await world.found(text="secretword")) == 2
        await world.say(deletion(1, order=20), *map(redacted, states))
        await world.say(*states)  # a backfill that had read them before they were deleted
        await marker(world)
        assert await world.found(text="secretword") == []
        assert await world.found("objects", text="secretword") == []
        for state in states:
            assert "secretword" not in str(await world.document("activities", state.activity.id))


async def test_what_was_withdrawn_is_never_written_with_its_text(world: World) -> None:
    await world.open_hall()
    hidden = Access(id="wiki:page/1", kind=AccessKind.OBJECT, withdrawn=("10",), order=11, source="wiki")
    async with running(world):
        await world.allow(hidden)
        await world.say(page(1, order=10, text="secretword"), page(1, order=11, text="harmless"))
        await marker(world)
        assert await world.found(text="secretword") == []
        assert await world.found(text="harmless") == ["wiki:page/1@11#wiki.edit"]


async def test_an_erased_activity_is_gone(world: World) -> None:
    state = page(1, text="forget me")
    async with running(world):
        await world.say(state)
        await marker(world)
        await world.say_bytes(state.activity.id, None)

        async def gone() -> bool:
            return not await world.document("activities", state.activity.id)

        await until(gone)
