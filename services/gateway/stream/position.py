"""Where a reader of a topic is: the offset to go on from, per partition, and which incarnation of the topic it is of.

As text it is the ``id:`` of an event: opaque, about 30 to 80 characters, with a check sum, so that a damaged or made-up
one is told from one that is merely old.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error, crc_hqx
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b

Shown = frozenset[tuple[int, int]]
"""Records by partition and offset."""
BETWEEN = "~"
"""Stands between the places in several feeds, where one connection reads them all."""
_SHOWN = "."
"""Stands before the records behind a position that a page has shown already."""
_MOST_SHOWN = 200
"""They travel in an address, which is 8 KB at most."""
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
    return _sealed(bytes((_FORM,)) + mark, offsets)


def unpacked(text: str) -> Position:
    """Return the position that an id stands for; raises NotAPosition."""
    body = _opened(text)
    if len(body) < 1 + _MARK + 1 or body[0] != _FORM:
        raise NotAPosition
    return Position(body[1 : 1 + _MARK], tuple(_numbers(body[1 + _MARK :])))


def with_shown(position: Position, shown: Shown) -> str:
    """Return the id of a position from which on some records are known already, as after a page that showed them."""
    if not shown or len(shown) > _MOST_SHOWN:
        return position.text()  # too many to say: they come once more, which their ids tell
    numbers = (number for record in sorted(shown) for number in record)
    return position.text() + _SHOWN + _sealed(b"", numbers)


def start_of(text: str) -> tuple[Position, Shown]:
    """Return the position and the records known already that ``with_shown`` wrote; raises NotAPosition."""
    place, _, known = text.partition(_SHOWN)
    numbers = list(_numbers(_opened(known))) if known else []
    if len(numbers) % 2 or len(numbers) > 2 * _MOST_SHOWN:
        raise NotAPosition
    return unpacked(place), frozenset(zip(numbers[::2], numbers[1::2], strict=True))


def _sealed(head: bytes, numbers: Iterable[int]) -> str:
    body = bytearray(head)
    for number in numbers:
        while number > 127:
            body.append(number & 127 | 128)
            number >>= 7
        body.append(number)
    body += crc_hqx(body, 0).to_bytes(2)
    return urlsafe_b64encode(body).rstrip(b"=").decode()


def _opened(text: str) -> bytes:
    if len(text) > _LONGEST or not text.isascii():
        raise NotAPosition
    try:
        body = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (Error, ValueError) as error:
        raise NotAPosition from error
    if len(body) < 3 or crc_hqx(body[:-2], 0) != int.from_bytes(body[-2:]):
        raise NotAPosition
    return body[:-2]


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
