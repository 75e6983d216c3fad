"""A key of this installation's own: made once, and kept in the state folder for its owner alone."""

import os
import secrets
from pathlib import Path

from services.common.errors import Stop


def kept_key(path: Path, variable: str) -> bytes:
    """Return the key in a file, made where there is none; Stop, naming the variable, when it cannot be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        made = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_bytes()
    except OSError as error:
        raise Stop(f"{path} cannot be written ({error.strerror}); set WATERCOOLER_STATE or {variable}") from error
    with os.fdopen(made, "wb") as out:
        key = secrets.token_hex(32).encode()
        out.write(key)
    return key
