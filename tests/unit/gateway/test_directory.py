"""Who is behind which account, and what people are called: as the newest records say, and nothing else."""

from typing import Any

from services.common import topics
from services.common.model import EPOCH
from tests.unit.gateway.world import World, world


async def account(w: World, id_: str, **changed: Any) -> None:
    """Say who is behind an account."""
    said = {"account": id_, "person": "ann", "name": "Ann", "handle": "", "addressHash": "", "automated": False}
    record = {**said, "evidence": "self", "source": "chat", "recorded": EPOCH, **changed}
    await w.publish(topics.ACCOUNT, id_, record)


async def person(w: World, name: str) -> None:
    """Say what somebody is called."""
    said = {"id": "ann", "name": name, "units": [], "accounts": [], "optOut": False, "settings": {}, "recorded": EPOCH}
    await w.publish(topics.PERSON, "ann", said)


async def known(w: World) -> tuple[str, tuple[str, ...]]:
    """Return name and accounts, once all that was said is known."""
    directory = w.parts.directory
    await directory._account_view.caught_up()
    await directory._person_view.caught_up()
    return directory.name_of("ann"), directory.accounts_of("ann")


async def test_an_account_that_turns_out_to_be_a_program_is_nobodys_any_more() -> None:
    async with world() as w:
        await account(w, "chat:ann")
        assert await known(w) == ("Ann", ("chat:ann",))
        await account(w, "chat:ann", automated=True)
        assert await known(w) == ("", ())


async def test_a_name_goes_with_the_record_that_said_it() -> None:
    async with world() as w:
        await account(w, "chat:ann", name="Annie")
        await person(w, "Ann Example")
        assert await known(w) == ("Ann Example", ("chat:ann",))
        await person(w, "")
        assert await known(w) == ("Annie", ("chat:ann",))
        await w.publish(topics.ACCOUNT, "chat:ann", None)
        assert (await known(w), w.parts.directory.people()) == (("", ()), ())
