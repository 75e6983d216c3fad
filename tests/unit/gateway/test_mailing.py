"""The way to a real mail server with a certificate of the test's own: TLS in both forms, logins, what is refused."""

import asyncio
import logging
import ssl
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
import trustme

from services.common.errors import Stop
from services.common.settings import Settings
from services.gateway.deliveries.mailing import MailServer, Unsent
from tests.unit.gateway import mailserver
from tests.unit.gateway.mailserver import mail_server

BOTH = ("starttls", "tls")


@pytest.fixture
def authority(tmp_path: Path) -> trustme.CA:
    made = trustme.CA()
    made.cert_pem.write_to_path(tmp_path / "ca.pem")
    return made


def certificate(authority: trustme.CA, name: str = "127.0.0.1") -> ssl.SSLContext:
    """Return the TLS of a server with a certificate for a name."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(name).configure_cert(context)
    return context


def sender(server: mailserver.MailServer, security: str, **more: Any) -> MailServer:
    given: dict[str, Any] = {
        "smtp_host": "127.0.0.1",
        "smtp_port": server.port,
        "smtp_security": security,
        "smtp_username": "water",
        "smtp_password": "herons",
        "mail_from": "water@cooler.example",
    }
    made = MailServer.of(Settings(**given | more))
    assert made is not None
    return made


def mail() -> EmailMessage:
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = "water@cooler.example", "ann@example.org", "herons"
    made.set_content("two of them")
    return made


async def refused(one: MailServer) -> str:
    with pytest.raises(Unsent) as caught:
        await one.send(mail())
    return str(caught.value)


@pytest.mark.parametrize("security", BOTH)
async def test_mail_goes_over_tls_behind_a_login(security: str, authority: trustme.CA, tmp_path: Path) -> None:
    async with mail_server(certificate=certificate(authority), security=security) as server:
        await sender(server, security, smtp_ca_file=str(tmp_path / "ca.pem")).send(mail())
        assert [one["Subject"] for one in server.mails] == ["herons"]
        assert server.logins == [(b"water", b"herons")]


@pytest.mark.parametrize("security", BOTH)
async def test_an_untrusted_certificate_is_told_neither_mail_nor_password(security: str, authority: trustme.CA) -> None:
    async with mail_server(certificate=certificate(authority), security=security) as server:
        said = await refused(sender(server, security))
        assert f"the certificate of 127.0.0.1:{server.port} is not trusted" in said
        assert "smtp_ca_file" in said
        assert (server.logins, server.mails, server.tries) == ([], [], 0)


async def test_a_certificate_of_another_name_is_refused(authority: trustme.CA, tmp_path: Path) -> None:
    async with mail_server(certificate=certificate(authority, "mail.example"), security="tls") as server:
        said = await refused(sender(server, "tls", smtp_ca_file=str(tmp_path / "ca.pem")))
        assert "is not trusted" in said
        assert "127.0.0.1" in said
        assert server.logins == []


async def test_a_server_that_offers_no_starttls_is_not_sent_to_in_the_clear() -> None:
    async with mail_server() as server:
        assert "offers no STARTTLS" in await refused(sender(server, "starttls"))
        assert (server.logins, server.mails, server.tries) == ([], [], 0)


async def test_tls_to_a_port_that_does_not_speak_it_is_said() -> None:
    async with mail_server() as server:
        assert "does not speak TLS as smtp_security=tls expects" in await refused(sender(server, "tls"))


@pytest.mark.parametrize("security", BOTH)
async def test_a_wrong_password_is_named_and_stands_in_no_log(
    security: str, authority: trustme.CA, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with mail_server(certificate=certificate(authority), security=security) as server:
        one = sender(server, security, smtp_ca_file=str(tmp_path / "ca.pem"), smtp_password="otters-and-herons")
        said = await refused(one)
        assert "refuses smtp_username with smtp_password (535)" in said
        assert server.logins
        told = said + repr(one) + "".join(r.getMessage() for r in caplog.records if not r.name.startswith("mail."))
        assert "otters-and-herons" not in told


async def test_a_server_that_is_not_there_is_said() -> None:
    async with mail_server() as server:
        pass
    assert "does not answer" in await refused(sender(server, "starttls"))


async def test_a_server_that_says_nothing_is_not_waited_for_longer_than_its_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("services.gateway.deliveries.mailing._SECONDS", 0.2)
    silent = await asyncio.get_running_loop().create_server(asyncio.Protocol, "127.0.0.1", 0)
    async with silent:
        here = mailserver.MailServer(port=silent.sockets[0].getsockname()[1])
        assert "does not answer (SMTPConnectTimeoutError)" in await refused(sender(here, "starttls"))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"mail_from": ""}, "WATERCOOLER_MAIL_FROM"),
        ({"smtp_security": "none"}, "in the clear"),
        ({"smtp_ca_file": "no-such-file"}, "WATERCOOLER_SMTP_CA_FILE: no-such-file"),
    ],
)
def test_what_cannot_be_meant_is_refused_at_the_start(wrong: dict[str, str], said: str) -> None:
    with pytest.raises(Stop, match=said):
        sender(mailserver.MailServer(port=25), "starttls", **wrong)
