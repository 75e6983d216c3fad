"""Cursors: where a page ended, opaque to whoever passes them on. No state is kept for them anywhere.

By time a cursor holds the sort keys of a hit. By relevance it holds the ranking itself, as far as it reaches:
scores shift while documents arrive, so asking again and skipping would lose and repeat hits.
"""

import json
import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, replace
from typing import Any

from services.common.errors import Reject

_LONGEST = 4_000
"""Characters; cursors travel in URLs, and servers take lines of 8 KiB."""
_UNPACKED = 65_536
"""Bytes that a cursor may unpack to: nobody can send one that grows without end."""
_RANKED = 1_000
"""Ids of a ranking: as many as a page may have."""


_BEFORE_ALL, _AFTER_ALL = -62_135_596_800_000, 253_402_300_799_999
"""The years 1 and 9999 in ms since 1970: nothing was published before or after."""


@dataclass(frozen=True, slots=True)
class Place:
    """The hits after (or before) one place in time. ``at`` is ms since 1970."""

    at: int
    id: str
    back: bool = False

    def packed(self) -> str:
        """Return the cursor."""
        return _pack(["t", self.at, self.id, int(self.back)])

    @classmethod
    def end(cls, *, newest: bool) -> "Place":
        """Return the place behind the last hit, to read back from; ``newest``: the newest hit comes first."""
        return cls(_BEFORE_ALL if newest else _AFTER_ALL, "", back=True)


@dataclass(frozen=True, slots=True)
class Ranking:
    """A ranking as it was when it was asked for, and the hit that the page starts at."""

    ids: tuple[str, ...]
    total: int
    start: int = 0

    def packed(self) -> str:
        """Return the cursor."""
        return _pack(["r", self.start, self.total, *self.ids])

    def fitting(self) -> "Ranking":
        """Return as much of the ranking as a cursor holds."""
        ranking = self
        while len(ranking.ids) > 1 and len(ranking.packed()) > _LONGEST:
            ranking = replace(ranking, ids=ranking.ids[: len(ranking.ids) * 3 // 4])
        return ranking

    def last(self, size: int) -> str:
        """Return the cursor of the last page."""
        return replace(self, start=(len(self.ids) - 1) // size * size).packed() if self.ids else ""

    def around(self, size: int) -> tuple[str, str]:
        """Return the cursors of the next and the previous page, each empty where there is none."""
        after = replace(self, start=self.start + size)
        before = replace(self, start=max(0, self.start - size))
        return (
            after.packed() if after.start < len(self.ids) else "",
            before.packed() if self.start else "",
        )


def unpacked(cursor: str) -> Place | Ranking:
    """Return what a cursor says; raises Reject for one that is not ours."""
    try:
        match _unpack(cursor):
            case ["t", int(at), str(id_), 0 | 1 as back] if _BEFORE_ALL <= at <= _AFTER_ALL:
                return Place(at, id_, bool(back))
            case ["r", int(start), int(total), *ids] if _is_ranking(start, total, ids):
                return Ranking(tuple(ids), total, start)
    except (ValueError, zlib.error, RecursionError):
        pass  # the one sentence below says all that the asker can use
    raise Reject("the cursor is not one of ours; use those that a page was given with, unchanged")


def _is_ranking(start: int, total: int, ids: list[Any]) -> bool:
    return 0 <= start <= _RANKED and 0 <= total < 2**31 and len(ids) <= _RANKED and all(isinstance(i, str) for i in ids)


def _pack(value: list[Any]) -> str:
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
    return urlsafe_b64encode(zlib.compress(text)).rstrip(b"=").decode()


def _unpack(cursor: str) -> Any:
    if len(cursor) > 4 * _LONGEST:
        raise ValueError("too long")
    data = zlib.decompressobj()
    text = data.decompress(urlsafe_b64decode(cursor.encode() + b"=" * (-len(cursor) % 4)), _UNPACKED)
    if not data.eof:
        raise ValueError("does not end")
    return json.loads(text)
