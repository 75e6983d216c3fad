"""How events look on the wire: server-sent events and, by ``Accept``, JSON lines. Pure."""

from collections.abc import Sequence
from enum import Enum

import orjson

from services.gateway.stream.events import Made

HEARTBEAT = b":\n\n"


class Form(Enum):
    """The form that a reader asked for."""

    SSE = "text/event-stream"
    LINES = "application/x-ndjson"


def event(form: Form, id_: str, made: Made) -> bytes:
    """Return one event."""
    if form is Form.LINES:
        kind = b'"event":"%s",' % made.kind.encode() if made.kind else b""
        return b'{"cursor":"%s",%s"activity":%s}\n' % (id_.encode(), kind, made.data)
    kind = b"event: %s\n" % made.kind.encode() if made.kind else b""
    return b"id: %s\n%sdata: %s\n\n" % (id_.encode(), kind, made.data)


def cursor(form: Form, id_: str) -> bytes:
    """Return a block that only moves the reader's position."""
    return b'{"cursor":"%s"}\n' % id_.encode() if form is Form.LINES else b"id: %s\n\n" % id_.encode()


def opening(form: Form, id_: str, retry: int) -> bytes:
    """Return what a stream begins with: when to come back (ms), and the position, before any event."""
    return cursor(form, id_) if form is Form.LINES else b"retry: %d\n" % retry + cursor(form, id_)


def heartbeat(form: Form, id_: str) -> bytes:
    """Return a comment and the position, so that a filtered, idle reader moves on too."""
    return cursor(form, id_) if form is Form.LINES else HEARTBEAT + cursor(form, id_)


def reset(form: Form, id_: str, reason: str, refill: str) -> bytes:
    """Return what says that events were missed, from which position the stream goes on, and where to refill from."""
    said = orjson.dumps({"reason": reason, "refill": refill})
    if form is Form.LINES:
        return b'{"cursor":"%s","event":"reset","reset":%s}\n' % (id_.encode(), said)
    return b"id: %s\nevent: reset\ndata: %s\n\n" % (id_.encode(), said)


def goodbye(form: Form, retry: int) -> bytes:
    """Return what ends a stream on purpose: come back after ``retry`` ms (an empty line where no lines can say so)."""
    return b"\n" if form is Form.LINES else b"retry: %d\n: the stream ends, come back\n\n" % retry


def chunk(blocks: bytes) -> bytes:
    """Return the bytes as one chunk of HTTP/1.1's chunked coding (RFC 9112, section 7.1)."""
    return b"%x\r\n%s\r\n" % (len(blocks), blocks)


def joined(blocks: Sequence[bytes], *, chunked: bool) -> bytes:
    """Return several blocks as one write."""
    body = b"".join(blocks)
    return chunk(body) if chunked and body else body
