"""Signatures of deliveries, checked in constant time before anything else is read.

Formats: github.com/standard-webhooks/standard-webhooks (spec), docs.github.com "Validating webhook deliveries".
"""

import hmac
from collections.abc import Mapping
from hashlib import sha256

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from services.ingest.connector import Delivery, Unverified
from services.ingest.connectors.webhook.settings import WebhookSettings

_GITHUB = "x-hub-signature-256"


def verify(settings: WebhookSettings, delivery: Delivery) -> None:
    """Return when the sender has signed the delivery; raises Unverified otherwise."""
    check = _standard if settings.signature == "standard" else _github
    check(settings.secret.get_secret_value(), delivery.headers, delivery.body)


def _standard(secret: str, headers: Mapping[str, str], body: bytes) -> None:
    try:
        Webhook(secret).verify(body, dict(headers), json_parse=False)
    except (WebhookVerificationError, ValueError) as error:  # ValueError: headers or body that are no text at all
        raise Unverified(
            "The delivery is not signed as agreed: webhook-id, webhook-timestamp (within 5 minutes) and"
            " webhook-signature must fit the body and the secret."
        ) from error


def _github(secret: str, headers: Mapping[str, str], body: bytes) -> None:
    expected = "sha256=" + hmac.new(secret.encode(), body, sha256).hexdigest()
    given = headers.get(_GITHUB, "")
    if not hmac.compare_digest(expected.encode(), given.encode(errors="replace")):
        raise Unverified(f"The delivery is not signed as agreed: {_GITHUB} must fit the body and the secret.")
