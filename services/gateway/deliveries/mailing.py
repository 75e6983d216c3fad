"""The way to the mail server: over TLS, logged in where it asks for that, and what went wrong in words for the log.

What mail libraries and servers say may hold addresses, so none of it is passed on.
"""

import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage

import aiosmtplib

from services.common.errors import Stop
from services.common.settings import Settings

_SECONDS = 30.0


class Refused(Exception):
    """The mail server will not take mail for this address, however often it is tried."""


class Unsent(Exception):
    """The mail was not taken this time; the text says why."""


@dataclass(frozen=True, slots=True)
class MailServer:
    """Sends one mail at a time, each over a connection of its own."""

    settings: Settings
    tls: ssl.SSLContext | None

    @classmethod
    def of(cls, settings: Settings) -> "MailServer | None":
        """Return the mail server of the settings, None where there is none. Raises Stop for what cannot be meant."""
        if not settings.smtp_host:
            return None
        if not settings.mail_from:
            raise Stop("smtp_host needs mail_from, whom digests come from; set WATERCOOLER_MAIL_FROM")
        if settings.smtp_security == "none" and settings.smtp_username:
            raise Stop("smtp_password would be sent in the clear; set smtp_security to starttls or tls")
        return cls(settings, _tls(settings) if settings.smtp_security != "none" else None)

    async def send(self, mail: EmailMessage) -> None:
        """Send; returns once the server has taken it. Raises Refused and Unsent."""
        s = self.settings
        try:
            await aiosmtplib.send(
                mail,
                hostname=s.smtp_host,
                port=s.smtp_port,
                use_tls=s.smtp_security == "tls",
                start_tls=s.smtp_security == "starttls",
                username=s.smtp_username or None,
                password=s.smtp_password.get_secret_value() or None,
                tls_context=self.tls,
                timeout=_SECONDS,
            )
        except aiosmtplib.SMTPRecipientsRefused as error:
            code = error.recipients[0].code
            if all(one.code >= 500 for one in error.recipients):
                raise Refused(f"the mail server does not take mail for your address ({code})") from None
            raise Unsent(f"{s.smtp_host} does not take mail for this address for now ({code})") from None
        except (aiosmtplib.SMTPException, OSError) as error:
            raise Unsent(self._why(error)) from None

    def _why(self, error: Exception) -> str:
        s = self.settings
        at = f"{s.smtp_host}:{s.smtp_port}"
        for one in _causes(error):
            match one:
                case ssl.SSLCertVerificationError():
                    return f"the certificate of {at} is not trusted: {one.verify_message}; see smtp_ca_file"
                case ssl.SSLError():
                    return f"{at} does not speak TLS as smtp_security={s.smtp_security} expects; see smtp_port"
                case aiosmtplib.SMTPAuthenticationError():
                    return f"{at} refuses smtp_username with smtp_password ({one.code})"
                case aiosmtplib.SMTPResponseException():
                    return f"{at} answered {one.code}"
        if type(error) is aiosmtplib.SMTPException:  # what the server does not offer
            return f"{at} offers no {'login' if 'AUTH' in str(error) else 'STARTTLS'}; see smtp_security, smtp_username"
        return f"{at} does not answer ({type(error).__name__})"


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _tls(settings: Settings) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=settings.smtp_ca_file or None)
    except OSError as error:  # ssl.SSLError is one
        raise Stop(f"WATERCOOLER_SMTP_CA_FILE: {settings.smtp_ca_file} cannot be read as a PEM certificate") from error
