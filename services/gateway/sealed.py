"""Cookies that only we can read and make (JWE, AES-256-GCM): the gateway keeps no sessions of its own."""

from collections.abc import Callable, Mapping
from hashlib import sha256
from time import time
from typing import Any

from joserfc import jwe, jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from services.common.kept import kept_key
from services.common.settings import Settings

_HEADER = {"alg": "dir", "enc": "A256GCM"}
_REGISTRY = jwe.JWERegistry(algorithms=list(_HEADER.values()))
_LONGEST = 4_096


class Sealer:
    """Seals values for a purpose and a time. ``clock`` gives seconds since 1970."""

    def __init__(self, secret: bytes, clock: Callable[[], float] = time) -> None:
        self._key = OctKey.import_key(sha256(b"watercooler cookies\0" + secret).digest())
        self._clock = clock

    def seal(self, purpose: str, value: Mapping[str, Any], seconds: float) -> str:
        """Return a text that stands for a value during so many seconds."""
        claims = {**value, "aud": purpose, "exp": int(self._clock() + seconds)}
        return jwt.encode(dict(_HEADER), claims, self._key, registry=_REGISTRY)

    def opened(self, purpose: str, text: str) -> dict[str, Any] | None:
        """Return the value; None for what is not ours, of another purpose, or too old."""
        if not text or len(text) > _LONGEST:
            return None
        try:
            token = jwt.decode(text, self._key, registry=_REGISTRY)
        except (JoseError, ValueError):
            return None
        claims = token.claims
        good = claims.get("aud") == purpose and isinstance(claims.get("exp"), int) and claims["exp"] > self._clock()
        return claims if good else None


def secret_of(settings: Settings) -> bytes:
    """Return the setting ``session_key``, else one made once and kept in the state folder for its owner alone."""
    given = settings.session_key.get_secret_value().encode()
    return given or kept_key(settings.state / "session.key", "WATERCOOLER_SESSION_KEY")
