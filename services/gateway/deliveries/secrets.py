"""Secrets of webhooks: made from this installation's key and a salt, so that what Kafka keeps gives none away."""

import hmac
from base64 import b64encode
from hashlib import sha256
from secrets import token_hex

_SALT = 16


def new_salt() -> str:
    """Return a salt for a new secret."""
    return token_hex(_SALT)


def secret_of(key: bytes, person: str, rule: str, salt: str) -> str:
    """Return the secret of a person's rule, as Standard Webhooks writes one: ``whsec_`` and 32 bytes in base64."""
    about = "\0".join(("watercooler webhook", person, rule, salt)).encode()
    return "whsec_" + b64encode(hmac.digest(key, about, sha256)).decode()


def message_id(person: str, rule: str, activity: str) -> str:
    """Return the id of what a rule sends about an activity: the same for every try, so that receivers can tell."""
    return "msg_" + sha256("\0".join((person, rule, activity)).encode()).hexdigest()[:32]
