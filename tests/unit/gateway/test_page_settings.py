"""The page of settings, and what is set: the dial, opting out, mutes, and tokens that are shown once."""

from typing import Any

import pytest

from services.common.errors import Retry
from tests.unit.gateway.pages import read, send, sent
from tests.unit.gateway.test_for_you import recommend
from tests.unit.gateway.world import HALL, World, said, world


async def put(w: World, body: object, status: int = 204) -> None:
    answer = await w.client.put("/v1/me/settings?as=ann", json=body)
    assert answer.status == status, await answer.text()


async def test_the_dial_that_is_set_holds_wherever_none_is_given() -> None:
    async with world() as w:
        assert await w.json("/v1/me/settings") == {"surprise": 0.5, "recommendations": True}
        await put(w, {"surprise": 1})
        assert await w.json("/v1/me/settings") == {"surprise": 1.0, "recommendations": True}
        assert (await w.json("/v1/me/for-you"))["surprise"] == 1.0
        assert (await w.json("/v1/me/for-you?surprise=0"))["surprise"] == 0.0
        assert 'name="surprise" min="0" max="1" step="0.25" value="1.0"' in await read(w, "/for-you")
        assert (await w.json("/v1/me/for-you", as_="bob"))["surprise"] == 0.5


async def test_who_has_opted_out_is_recommended_nothing_until_they_come_back() -> None:
    async with world() as w:
        await w.opened(HALL)
        await w.happens(said(1, who="bob", text="for ann"))
        await recommend(w, "chat:1", 1.0)
        assert "for ann" in await read(w, "/for-you")
        assert "are stored" in await sent(w, "/settings", {"surprise": "0.5"})
        text = await read(w, "/for-you")
        assert ("for ann" in text, "You have opted out" in text) == (False, True)
        await sent(w, "/settings", {"surprise": "0.75", "recommendations": "yes"})
        assert "for ann" in await read(w, "/for-you")
        assert await w.json("/v1/me/settings") == {"surprise": 0.75, "recommendations": True}


@pytest.mark.parametrize("body", [{"surprise": 2}, {"surprise": "1"}, {"recommendations": 1}, {"dial": 1}])
async def test_wrong_settings_are_refused_and_change_nothing(body: dict[str, object]) -> None:
    async with world() as w:
        await put(w, body, status=400)
        assert (await send(w, "/settings", {"surprise": "2"})).status == 400
        assert await w.json("/v1/me/settings") == {"surprise": 0.5, "recommendations": True}


async def test_a_token_is_shown_once_serves_and_is_taken_back() -> None:
    async with world(public_url="http://watercooler.example") as w:
        answer = await send(w, "/settings/tokens", {"label": "<laptop>", "read": "yes", "days": "30"})
        text = await answer.text()
        assert (answer.status, answer.headers["Cache-Control"]) == (200, "no-store")
        secret = text.partition('aria-label="Token">')[2].partition("<")[0]
        assert f"Bearer {secret}' http://watercooler.example/v1/me" in text
        bearer = {"Authorization": f"Bearer {secret}"}
        assert (await w.get("/v1/me", as_="", headers=bearer)).status == 200
        assert (await w.client.put("/v1/me/settings", json={}, headers=bearer)).status == 403
        listed = await read(w, "/settings")
        assert ("&lt;laptop&gt;" in listed, secret in listed) == (True, False)
        id_ = secret.split("_")[1]
        assert (await send(w, "/settings/tokens/revoke", {"id": id_}, as_="bob")).status == 404
        assert "serves nobody" in await sent(w, "/settings/tokens/revoke", {"id": id_})
        assert (await w.get("/v1/me", as_="", headers=bearer)).status == 401


@pytest.mark.parametrize("form", [{}, {"label": "x"}, {"label": "x", "read": "yes", "days": "9999"}])
async def test_a_token_for_nothing_or_for_ever_is_refused(form: dict[str, str]) -> None:
    async with world() as w:
        assert (await send(w, "/settings/tokens", form)).status == 400


async def test_what_is_muted_is_listed_by_name_and_can_be_heard_again() -> None:
    async with world() as w:
        await w.opened(HALL)
        await w.happens(said(1, who="bob"))
        await w.client.post("/v1/feedback?as=ann", json={"subject": HALL, "kind": "mute"})
        assert 'aria-label="Unmute hall"' in await read(w, "/settings")
        assert "Muted no more" in await sent(w, "/settings/unmute", {"subject": HALL})
        assert 'aria-label="Unmute hall"' not in await read(w, "/settings")
        assert (await send(w, "/settings/unmute", {"subject": HALL})).status == 404


async def test_settings_can_be_changed_while_the_index_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(*_: object, **__: object) -> None:
        raise Retry("away")

    async with world() as w:
        await w.client.post("/v1/feedback?as=ann", json={"subject": "a tag", "kind": "mute"})
        monkeypatch.setattr(w.parts.desk, "find", away)
        monkeypatch.setattr(w.parts.desk, "get", away)
        assert 'aria-label="Unmute a tag"' in await read(w, "/settings")
        assert "are stored" in await sent(w, "/settings", {"surprise": "1", "recommendations": "yes"})


async def test_addresses_that_are_shown_are_those_that_the_operator_has_named() -> None:
    async with world(public_url="http://watercooler.example/") as w:
        assert "http://watercooler.example/v1/activities" in await read(w, "/docs")
        page = await w.json("/v1/activities")
        assert page["id"].startswith("http://watercooler.example/v1/activities")
        feed = await w.json("/v1/feed.json")
        assert feed["home_page_url"].startswith("http://watercooler.example/")


async def test_a_digest_is_chosen_where_mail_can_be_sent_and_its_address_is_shown_in_part() -> None:
    mail: dict[str, Any] = {"smtp_host": "mail.example", "mail_from": "water@cooler.example"}
    async with world(**mail, sealing_key="of the tests", public_url="http://water.example") as w:
        form = {"every": "week", "address": "ann@example.org"}
        assert "are stored" in await sent(w, "/settings/digest", form)
        text = await read(w, "/settings")
        assert ('value="week" selected' in text, "@example.org" in text, "ann@example.org" in text) == (
            True,
            True,
            False,
        )
        assert (await w.json("/v1/me/digest"))["every"] == "week"
        for wrong in ({"every": "hour"}, {"every": "day", "address": "nobody"}):
            assert (await send(w, "/settings/digest", wrong)).status == 400
    async with world() as w:
        assert "the operator has named no mail server" in await read(w, "/settings")
