"""A real SMTP server (aiosmtpd) on this machine that keeps what it takes, and may refuse."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session


@dataclass
class MailServer:
    """``recipients`` and ``data`` are answers to RCPT and DATA, one after the other; afterwards all is taken."""

    port: int = 0
    recipients: list[str] = field(default_factory=list)
    data: list[str] = field(default_factory=list)
    mails: list[EmailMessage] = field(default_factory=list)
    tries: int = 0
    logins: list[tuple[bytes, bytes]] = field(default_factory=list)

    def login(self, _: SMTP, __: Session, ___: Envelope, ____: str, given: LoginPassword) -> AuthResult:
        """Let in whoever has the password ``herons``."""
        self.logins.append((given.login, given.password))
        return AuthResult(success=given.password == b"herons", handled=False)

    async def handle_RCPT(self, _: SMTP, __: Session, envelope: Envelope, address: str, ___: list[str]) -> str:
        """Take a recipient, or do not."""
        self.tries += 1
        if self.recipients:
            return self.recipients.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _: SMTP, __: Session, envelope: Envelope) -> str:
        """Take a mail, or do not."""
        if self.data:
            return self.data.pop(0)
        assert isinstance(envelope.content, bytes)
        made = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(made, EmailMessage)
        self.mails.append(made)
        return "250 OK"


@asynccontextmanager
async def mail_server(
    *,
    recipients: tuple[str, ...] = (),
    data: tuple[str, ...] = (),
    certificate: ssl.SSLContext | None = None,
    security: str = "none",
) -> AsyncIterator[MailServer]:
    """Run a mail server. One with a certificate asks for a login; behind STARTTLS it takes nothing without one."""
    made = MailServer(recipients=list(recipients), data=list(data))
    loop = asyncio.get_running_loop()
    starttls, tls = (certificate if security == one else None for one in ("starttls", "tls"))

    def served() -> SMTP:
        return SMTP(
            made,
            hostname="mail.test",
            loop=loop,
            tls_context=starttls,
            require_starttls=starttls is not None,
            authenticator=made.login if certificate else None,
            auth_required=starttls is not None,
            auth_require_tls=starttls is not None,  # it does not know of TLS that lies under the whole connection
        )

    server = await loop.create_server(served, "127.0.0.1", 0, ssl=tls)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        await server.wait_closed()
