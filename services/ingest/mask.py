"""A keyed hash for personal values that are needed only to be compared: mail addresses, IP addresses."""

import hmac
import os
import secrets
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from services.common.errors import Stop
from services.common.settings import Settings

_DIGITS = 32


def keyed(settings: Settings) -> Callable[[str], str]:
    """Return the hash function of this installation (HMAC-SHA-256, 128 bits in hex, of the value in lower case).

    The key is the setting ``hash_key``, else one made once and kept in the state folder for its owner alone. With
    another key, accounts that share an address are no longer known to.
    """
    key = settings.hash_key.get_secret_value().encode() or _kept(settings.state / "hash.key")
    return lambda value: hmac.new(key, value.strip().lower().encode(), sha256).hexdigest()[:_DIGITS]


def _kept(path: Path) -> bytes:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        made = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_bytes()
    except OSError as error:
        raise Stop(
            f"{path} cannot be written ({error.strerror}); set WATERCOOLER_STATE or WATERCOOLER_HASH_KEY"
        ) from error
    with os.fdopen(made, "wb") as out:
        key = secrets.token_hex(32).encode()
        out.write(key)
    return key
