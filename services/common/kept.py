"""A key of this installation's own: made once, and kept in the state folder for its owner alone."""

import os
import secrets
from pathlib import Path
from tempfile import NamedTemporaryFile

from services.common.errors import Stop

_LENGTH = 64
"""Characters of a key: 32 random bytes in hex."""


def kept_key(path: Path, variable: str) -> bytes:
    """Return the key in a file, made where there is none.

    Raises Stop, naming the variable, where it can be neither read nor written, or is no whole key: everybody could
    guess an empty one.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            _make(path)
        key = path.read_bytes()
    except OSError as error:
        raise Stop(f"{path} cannot be kept ({error.strerror}); set WATERCOOLER_STATE or {variable}") from error
    if len(key) < _LENGTH:
        raise Stop(f"{path} holds no whole key; put it back from a backup, set {variable}, or delete it for a new one")
    return key


def _make(path: Path) -> None:
    """Write a new key whole before it has its name; who makes one at the same time keeps the first."""
    with NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.") as made:  # for its owner alone
        made.write(secrets.token_hex(_LENGTH // 2).encode())
        made.flush()
        os.fsync(made.fileno())
        try:
            os.link(made.name, path)
        except FileExistsError:
            return
