"""The message that Elasticsearch's own launcher writes to the server's standard input (its ServerArgs).

Written by hand because the launcher itself is a second Java process, which a single node can do without.
"""

from collections.abc import Mapping, Sequence

_KEYSTORE = "org.elasticsearch.common.settings.KeyStoreWrapper"
_KEYSTORE_FORMAT = 7
_LIST = b"\x07"
_STRING = b"\x00"


def message(settings: Mapping[str, str | Sequence[str]], config: str, logs: str) -> bytes:
    """Encode the start message: not a daemon, no pid file, an empty keystore, settings, folders (all ASCII)."""
    flags = bytes([False, False])  # daemonize, quiet
    keystore = string(_KEYSTORE) + _KEYSTORE_FORMAT.to_bytes(4, "big") + b"\0\0" + vint(0) + b"\0"
    encoded = b"".join(string(name) + value(content) for name, content in sorted(settings.items()))
    return flags + b"\0" + keystore + vint(len(settings)) + encoded + string(config) + string(logs)


def vint(number: int) -> bytes:
    """A number, seven bits a byte, lowest first."""
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*encoded, number])


def string(text: str) -> bytes:
    """A text with its length in characters before it."""
    return vint(len(text)) + text.encode("ascii")


def value(content: str | Sequence[str]) -> bytes:
    """A setting's value: a text, or a list of them."""
    if isinstance(content, str):
        return _STRING + string(content)
    return _LIST + vint(len(content)) + b"".join(_STRING + string(each) for each in content)
