"""What statuses and headers of a source mean."""

from datetime import UTC, datetime

import pytest
from yarl import URL

from services.common.errors import Reject, Retry, Stop
from services.common.http_rules import LONGEST_PAUSE, failure, is_public, may_follow, retry_after, shown

NOW = datetime(2026, 10, 21, 7, 28, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "120"}, 120),
        ({"Retry-After": " 0 "}, 0),
        ({"Retry-After": "Wed, 21 Oct 2026 07:30:00 GMT"}, 120),
        ({"Retry-After": "Wed, 21 Oct 2026 07:30:00 -0000"}, 120),
        ({"Retry-After": "Wed, 21 Oct 2020 07:28:00 GMT"}, 0),
        ({"Retry-After": "-5"}, None),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "1e9"}, None),
        ({"Retry-After": "\N{SUPERSCRIPT TWO}"}, None),
        ({"Retry-After": "9" * 400}, LONGEST_PAUSE),
        ({"Retry-After": "Fri, 31 Dec 9999 23:59:59 GMT"}, LONGEST_PAUSE),
        ({"Retry-After": "Wed, 21 Oct 2026 07:30:00 +99999999999999999999"}, None),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "9" * 400}, LONGEST_PAUSE),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(NOW.timestamp()) + 60)}, 60),
        ({"X-RateLimit-Remaining": "5", "X-RateLimit-Reset": str(int(NOW.timestamp()) + 60)}, None),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "never"}, None),
    ],
)
def test_the_pause_a_source_asks_for(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers, NOW) == seconds


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (301, Stop),
        (400, Reject),
        (401, Stop),
        (403, Stop),
        (404, Reject),
        (408, Retry),
        (409, Reject),
        (410, Reject),
        (425, Retry),
        (429, Retry),
        (500, Retry),
        (503, Retry),
        (599, Retry),
    ],
)
def test_the_status_says_what_happens_next(status: int, kind: type[Exception]) -> None:
    assert type(failure("wiki", "token", URL("https://wiki.example/x"), status, {}, NOW)) is kind


@pytest.mark.parametrize("status", [200, 201, 204, 206, 304])
def test_success_is_no_failure(status: int) -> None:
    assert failure("wiki", "token", URL("https://wiki.example/x"), status, {}, NOW) is None


def test_a_refusal_names_source_and_setting() -> None:
    error = failure("wiki", "token_file", URL("https://wiki.example/x?token=hunter2"), 401, {}, NOW)
    assert "source wiki" in str(error)
    assert "'token_file'" in str(error)
    assert "hunter2" not in str(error)


def test_a_forbidden_that_names_a_pause_is_a_spent_budget() -> None:
    error = failure("git", "token", URL("https://git.example/x"), 403, {"Retry-After": "30"}, NOW)
    assert isinstance(error, Retry)
    assert error.after == 30


def test_a_shown_url_has_no_secrets() -> None:
    assert shown(URL("https://ann:pw@wiki.example/a?token=1#f")) == "https://wiki.example/a"


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111"])
def test_public_addresses(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "169.254.169.254",
        "0.0.0.0",
        "224.0.0.1",
        "100.64.0.1",
        "::1",
        "::",
        "fe80::1%eth0",
        "fc00::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::127.0.0.1",
        "::ffff:0:127.0.0.1",
        "64:ff9b::127.0.0.1",
        "64:ff9b:1::127.0.0.1",
        "2002:7f00:1::",
        "fec0::1",
        "127.1",
        "2130706433",
        "127.0.0.1.",
        "",
    ],
)
def test_addresses_inside(address: str) -> None:
    assert not is_public(address)


ORIGINS = frozenset({URL("http://wiki.example"), URL("https://git.example:8443")})


@pytest.mark.parametrize("url", ["http://wiki.example/a", "https://wiki.example/a", "https://git.example:8443/x"])
def test_known_origins_and_their_encrypted_form_are_followed(url: str) -> None:
    assert may_follow(URL(url), ORIGINS)


@pytest.mark.parametrize(
    "url",
    [
        "http://evil.example/",
        "http://wiki.example:8080/",
        "https://wiki.example:8443/",
        "http://git.example:8443/",
        "https://git.example/",
        "http://wiki.example.evil.example/",
        "http://wiki.example@evil.example/",
    ],
)
def test_other_origins_are_not(url: str) -> None:
    assert not may_follow(URL(url), ORIGINS)
