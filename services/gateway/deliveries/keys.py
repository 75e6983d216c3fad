"""This installation's key: secrets of webhooks are made from it, and addresses sealed with it."""

from collections.abc import Callable
from functools import cache

from services.common.kept import kept_key
from services.common.settings import Settings

Key = Callable[[], bytes]
"""Returns the key. Made when it is needed first: most installations never do."""


def key_of(settings: Settings) -> Key:
    """Return the setting ``sealing_key``, else one made once and kept in the state folder."""

    @cache
    def key() -> bytes:
        given = settings.sealing_key.get_secret_value().encode()
        return given or kept_key(settings.state / "sealing.key", "WATERCOOLER_SEALING_KEY")

    return key
