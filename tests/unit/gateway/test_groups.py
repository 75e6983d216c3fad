"""Groups: containers that people make; open to everyone, or closed to all but their members."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from services.common.model import Access, ActivityType
from tests.unit.gateway.speech import Speech, said_here
from tests.unit.gateway.world import world


@pytest.fixture
async def s() -> AsyncIterator[Speech]:
    async with world() as w:
        yield Speech(w)


async def contents(s: Speech, as_: str) -> list[str]:
    page = await s.w.json("/v1/activities?type=Create&verb=note.post", as_=as_)
    return [one["object"]["content"] for one in page["orderedItems"]]


async def test_a_closed_group_is_its_members_alone(s: Speech) -> None:
    group = await s.send("/v1/groups", {"name": "Board", "open": False, "members": ["bob"]})
    await s.send("/v1/notes", {"content": "between us", "group": group["id"]})
    assert await contents(s, "bob") == ["between us"]
    assert await contents(s, "cat") == []
    assert (await s.w.json("/v1/groups", as_="cat"))["orderedItems"] == []
    hidden = await s.ask(f"/v1/groups/{group['id']}/join", as_="cat")
    absent = await s.ask("/v1/groups/watercooler:group-none/join", as_="cat")
    assert (hidden.status, await hidden.text()) == (404, await absent.text())


async def test_who_is_let_in_reads_and_who_leaves_reads_no_more(s: Speech) -> None:
    group = await s.send("/v1/groups", {"name": "Board", "open": False})
    await s.send("/v1/notes", {"content": "between us", "group": group["id"]})
    await s.send(f"/v1/groups/{group['id']}/members", {"members": ["cat"]})
    assert await contents(s, "cat") == ["between us"]
    await s.send(f"/v1/groups/{group['id']}/leave", as_="cat")
    assert await contents(s, "cat") == []
    assert [one.type for one in await said_here(s.w)] == [
        ActivityType.CREATE,
        ActivityType.CREATE,
        ActivityType.JOIN,
        ActivityType.LEAVE,
    ]


async def test_an_open_group_is_read_by_all_and_spoken_in_by_its_members(s: Speech) -> None:
    group = await s.send("/v1/groups", {"name": "Birds", "about": "Sightings"})
    note = {"content": "a heron", "group": group["id"]}
    refused = await s.ask("/v1/notes", note, as_="bob")
    assert (refused.status, (await refused.json(content_type=None))["type"]) == (409, "/docs#not-a-member")
    await s.send(f"/v1/groups/{group['id']}/join", as_="bob")
    await s.send("/v1/notes", note, as_="bob")
    assert await contents(s, "cat") == ["a heron"]
    seen = await s.w.json(f"/v1/groups/{group['id']}", as_="cat")
    assert [one["id"] for one in seen["members"]] == ["ann", "bob"]
    assert (seen["open"], seen["member"], seen["name"]) == (True, False, "Birds")


async def test_joining_twice_is_joining_once(s: Speech) -> None:
    group = await s.send("/v1/groups", {"name": "Birds"})
    for _ in range(2):
        await s.send(f"/v1/groups/{group['id']}/join", as_="bob")
    assert len(await said_here(s.w)) == 2


async def test_a_member_whose_change_was_lost_to_another_process_is_in_all_the_same(s: Speech) -> None:
    group = await s.send("/v1/groups", {"name": "Birds"})
    mouth, access = s.w.parts.mouth, s.w.parts.access
    lost: list[Access] = []

    async def losing(record: Access, allow: Any = mouth.allow) -> None:
        await allow(record)
        if not lost:  # another process has read the group before this change, and writes it now
            lost.append(record)
            await allow(replace(record, principals=("ann", "cat")))

    mouth.allow = losing  # type: ignore[method-assign]
    await s.send(f"/v1/groups/{group['id']}/join", as_="bob")
    now = access.get(group["id"])
    assert now is not None
    assert set(now.principals) == {"ann", "bob", "cat"}


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/v1/groups", {}, 400),
        ("/v1/groups", {"name": " "}, 400),
        ("/v1/groups", {"name": "a\nb"}, 400),
        ("/v1/groups", {"name": "x" * 201}, 400),
        ("/v1/groups", {"name": "x", "open": "yes"}, 400),
        ("/v1/groups", {"name": "x", "members": [""]}, 400),
        ("/v1/groups", {"name": "x", "open": False, "members": ["everyone"]}, 400),
        ("/v1/groups", {"name": "x", "open": False, "members": ["group:eng"]}, 400),
        ("/v1/groups", {"name": "x", "open": False, "members": ["(restricted)"]}, 400),
        ("/v1/groups/chat:hall/join", None, 404),
        ("/v1/groups/none/members", {"members": ["bob"]}, 404),
        ("/v1/groups/none/members", {"members": []}, 400),
    ],
)
async def test_bad_input(s: Speech, path: str, body: Any, status: int) -> None:
    assert (await s.ask(path, body)).status == status
    assert (await s.ask(path, body, as_="")).status == 401


async def test_who_is_not_in_a_group_cannot_leave_it_or_let_others_in(s: Speech) -> None:
    group = await s.send("/v1/groups", {"name": "Birds"})
    assert (await s.ask(f"/v1/groups/{group['id']}/leave", as_="bob")).status == 409
    assert (await s.ask(f"/v1/groups/{group['id']}/members", {"members": ["bob"]}, as_="bob")).status == 409
