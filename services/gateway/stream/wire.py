"""How events look on the wire: server-sent events and, by ``Accept``, JSON lines. Pure."""

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any

import orjson

from services.gateway.stream.events import Made
from services.gateway.stream.selection import UNNAMED, Names

HEARTBEAT = b":\n\n"
LAST_CHUNK = b"0\r\n\r\n"


class Form(Enum):
    """The form that a reader asked for."""

    SSE = "text/event-stream"
    LINES = "application/x-ndjson"


def event(form: Form, id_: str, made: Made, names: Names = UNNAMED) -> bytes:
    """Return one event. ``names`` are the questions that it answers, where the reader asked several."""
    answers = b"" if names == UNNAMED else b'"for":%s,' % orjson.dumps(names)
    if form is Form.LINES:
        kind = b'"event":"%s",' % made.kind.encode() if made.kind else b""
        return b'{"cursor":"%s",%s%s"activity":%s}\n' % (id_.encode(), kind, answers, made.data)
    kind = b"event: %s\n" % made.kind.encode() if made.kind else b""
    data = b'{%s"activity":%s}' % (answers, made.data) if answers else made.data
    return b"id: %s\n%sdata: %s\n\n" % (id_.encode(), kind, data)


def cursor(form: Form, id_: str) -> bytes:
    """Return a block that only moves the reader's position."""
    return b'{"cursor":"%s"}\n' % id_.encode() if form is Form.LINES else b"id: %s\n\n" % id_.encode()


def opening(form: Form, id_: str, retry: int) -> bytes:
    """Return what a stream begins with: when to come back (ms), and the position, before any event."""
    return cursor(form, id_) if form is Form.LINES else b"retry: %d\n" % retry + cursor(form, id_)


def heartbeat(form: Form, id_: str) -> bytes:
    """Return a comment and the position, so that a filtered, idle reader moves on too."""
    return cursor(form, id_) if form is Form.LINES else HEARTBEAT + cursor(form, id_)


def said(form: Form, id_: str, kind: str, what: Mapping[str, Any]) -> bytes:
    """Return an event about the stream itself: ``reset`` and ``subscriptions``."""
    text = orjson.dumps(what)
    if form is Form.LINES:
        return b'{"cursor":"%s","event":"%s","%s":%s}\n' % (id_.encode(), kind.encode(), kind.encode(), text)
    return b"id: %s\nevent: %s\ndata: %s\n\n" % (id_.encode(), kind.encode(), text)


def aside(form: Form, kind: str, what: Mapping[str, Any]) -> bytes:
    """Return an event that does not move the reader's position: the last id still holds."""
    text = orjson.dumps(what)
    if form is Form.LINES:
        return b'{"event":"%s","%s":%s}\n' % (kind.encode(), kind.encode(), text)
    return b"event: %s\ndata: %s\n\n" % (kind.encode(), text)


def goodbye(form: Form, why: str, retry: int) -> bytes:
    """Return what ends a stream on purpose: why, and to come back after ``retry`` ms. The last id still holds."""
    again = b"" if form is Form.LINES else b"retry: %d\n" % retry
    return again + aside(form, "end", {"reason": why, "retry": retry})


def chunk(blocks: bytes) -> bytes:
    """Return the bytes as one chunk of HTTP/1.1's chunked coding (RFC 9112, section 7.1)."""
    return b"%x\r\n%s\r\n" % (len(blocks), blocks)


def joined(blocks: Sequence[bytes], *, chunked: bool) -> bytes:
    """Return several blocks as one write."""
    body = b"".join(blocks)
    return chunk(body) if chunked and body else body
