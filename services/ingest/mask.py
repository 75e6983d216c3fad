"""A keyed hash for personal values that are needed only to be compared: mail addresses, IP addresses."""

import hmac
from collections.abc import Callable
from hashlib import sha256

from services.common.kept import kept_key
from services.common.settings import Settings

_DIGITS = 32


def keyed(settings: Settings) -> Callable[[str], str]:
    """Return the hash function of this installation (HMAC-SHA-256, 128 bits in hex, of the value in lower case).

    The key is the setting ``hash_key``, else one made once and kept in the state folder for its owner alone. With
    another key, accounts that share an address are no longer known to.
    """
    key = settings.hash_key.get_secret_value().encode() or kept_key(settings.state / "hash.key", "WATERCOOLER_HASH_KEY")
    return lambda value: hmac.new(key, value.strip().lower().encode(), sha256).hexdigest()[:_DIGITS]
