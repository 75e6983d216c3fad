"""Loopback ports: is one free, which one is."""

import errno
import socket

from services.common.errors import Stop

HOST = "127.0.0.1"


def free() -> int:
    """A loopback port that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def require(port: int, purpose: str, setting: str) -> None:
    """Stop, naming the setting that changes it, when `port` cannot be listened on for `purpose`."""
    with socket.socket() as probe:
        # As the servers do: a port whose last connections are still fading away counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            what = (
                "is used by another program"
                if error.errno == errno.EADDRINUSE
                else f"cannot be used ({error.strerror})"
            )
            raise Stop(
                f"Port {port} for {purpose} {what}: stop that program, or set {setting} to another port."
            ) from None


def open_at(port: int) -> bool:
    """True when something accepts connections on the loopback port."""
    try:
        socket.create_connection((HOST, port), timeout=1).close()
    except OSError:
        return False
    return True
