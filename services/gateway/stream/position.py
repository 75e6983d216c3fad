"""Where a reader of a topic is: the offset to go on from, per partition, and which incarnation of the topic it is of.

As text it is the ``id:`` of an event: opaque, about 30 to 80 characters, with a check sum, so that a damaged or made-up
one is told from one that is merely old.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error, crc_hqx
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b

_FORM = 1
_MARK = 4
_LONGEST = 20_000
"""Characters: a thousand partitions with offsets of nine bytes each."""


class NotAPosition(Exception):
    """The text is not one of ours."""


@dataclass(frozen=True, slots=True)
class Position:
    """``offsets[n]`` is the offset of the next record of partition ``n``; ``mark`` names the topic's incarnation."""

    mark: bytes
    offsets: tuple[int, ...]

    def text(self) -> str:
        """Return the position as an id."""
        return packed(self.mark, self.offsets)

    def covers(self, other: Sequence[int]) -> bool:
        """Return whether this is at or behind the other in every partition: nothing of the other is missing here."""
        return all(mine >= its for mine, its in zip(self.offsets, other, strict=True))


def mark_of(topic: str, incarnation: str) -> bytes:
    """Return what stands for one incarnation of one topic in ids."""
    return blake2b(f"{topic}\0{incarnation}".encode(), digest_size=_MARK).digest()


def packed(mark: bytes, offsets: Iterable[int]) -> str:
    """Return the id of a position."""
    body = bytearray((_FORM,))
    body += mark
    for offset in offsets:
        while offset > 127:
            body.append(offset & 127 | 128)
            offset >>= 7
        body.append(offset)
    body += crc_hqx(body, 0).to_bytes(2)
    return urlsafe_b64encode(body).rstrip(b"=").decode()


def unpacked(text: str) -> Position:
    """Return the position that an id stands for; raises NotAPosition."""
    if len(text) > _LONGEST or not text.isascii():
        raise NotAPosition
    try:
        body = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (Error, ValueError) as error:
        raise NotAPosition from error
    if len(body) < 1 + _MARK + 3 or body[0] != _FORM or crc_hqx(body[:-2], 0) != int.from_bytes(body[-2:]):
        raise NotAPosition
    return Position(bytes(body[1 : 1 + _MARK]), tuple(_numbers(body[1 + _MARK : -2])))


def _numbers(data: bytes) -> Iterable[int]:
    number = shift = 0
    for byte in data:
        number |= (byte & 127) << shift
        shift += 7
        if shift > 70:
            raise NotAPosition
        if not byte & 128:
            yield number
            number = shift = 0
    if shift:
        raise NotAPosition
