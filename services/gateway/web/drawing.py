"""Where the nodes of a topic's picture stand and how its lines run: numbers for an SVG that the server writes. Pure.

Nodes stand on the two sides of an ellipse with their names outwards, so that names never lie over each other; lines
bend inwards. The order puts what is connected side by side.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import hypot, log2, sqrt

from services.gateway.picture.counting import Connection, Counted, Key, Node

WIDTH = 600
_ROW = 52
_LEAST_HEIGHT = 200
_RADIUS_X = 105
_SMALLEST, _LARGEST = 7.0, 22.0
_THICKEST = 9.0
_GAP = 8
_LONG, _SHORT = 24, 13
"""Characters of a name beside its node, on a wide screen and on a narrow one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """A node as drawn. ``number`` is its place in the picture; ``side`` is -1 left, 1 right."""

    node: Node
    number: int
    x: float
    y: float
    radius: float
    side: int

    @property
    def label_x(self) -> float:
        """Where the name begins (or ends, on the left)."""
        return round(self.x + self.side * (self.radius + _GAP), 1)

    @property
    def anchor(self) -> str:
        """SVG's text-anchor of the name."""
        return "start" if self.side > 0 else "end"

    @property
    def long(self) -> str:
        """The name on a wide screen."""
        return _cut(self.node.name, _LONG)

    @property
    def short(self) -> str:
        """The name on a narrow screen."""
        return _cut(self.node.name, _SHORT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A connection as drawn, between the nodes of these numbers. ``path`` is SVG's d."""

    connection: Connection
    ends: tuple[int, int]
    path: str
    width: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """A picture of ``WIDTH`` x ``height``."""

    height: int
    spots: Sequence[Spot]
    lines: Sequence[Line]


def drawn(now: Counted, whole: Counted) -> Drawing:
    """Return the picture of a topic at one time; nodes stand where they do in the whole of it."""
    order = ordered(whole)
    height = max(_LEAST_HEIGHT, _ROW * (len(order) + 1) // 2 + _ROW // 2)
    current = {node.key: node for node in now.nodes}
    largest = max((node.things for node in whole.nodes), default=1)
    spots = [
        _spot(current[key], number, len(order), height, largest) for number, key in enumerate(order) if key in current
    ]
    by_key = {spot.node.key: spot for spot in spots}
    pairs = [(one, [by_key[key] for key in one.between]) for one in now.connections if set(one.between) <= set(by_key)]
    return Drawing(height=height, spots=spots, lines=[_line(one, ends[0], ends[1], height) for one, ends in pairs])


def ordered(picture: Counted) -> list[Key]:
    """Return the nodes, each beside the one left over that it has most in common with."""
    weights: dict[frozenset[Key], int] = {frozenset(c.between): c.people + c.things + 1 for c in picture.connections}
    left = [node.key for node in picture.nodes]
    found = left[:1]
    while len(found) < len(left):
        rest = [key for key in left if key not in found]
        found.append(max(rest, key=lambda key: _weight(weights, found[-1], key)))
    return found


def _weight(weights: Mapping[frozenset[Key], int], one: Key, other: Key) -> int:
    return weights.get(frozenset((one, other)), 0)


def _spot(node: Node, number: int, count: int, height: int, largest: int) -> Spot:
    """Go down the right side with the first half, and up the left side with the second."""
    half = (count + 1) // 2
    side = 1 if number < half else -1
    rows = half if side > 0 else count - half
    row = number if side > 0 else count - 1 - number
    y = height / 2 + (row - (rows - 1) / 2) * _ROW
    x = WIDTH / 2 + side * _RADIUS_X * sqrt(max(0.15, 1 - ((y - height / 2) / (height / 2)) ** 2))
    radius = _SMALLEST + (_LARGEST - _SMALLEST) * sqrt(node.things / largest)
    return Spot(node=node, number=number, x=round(x, 1), y=round(y, 1), radius=round(radius, 1), side=side)


def _line(connection: Connection, one: Spot, other: Spot, height: int) -> Line:
    inwards = 0.5 * min(1.0, hypot(one.x - other.x, one.y - other.y) / WIDTH * 2)
    ways = ((one.x, other.x, WIDTH / 2), (one.y, other.y, height / 2))
    bend_x, bend_y = ((a + b) / 2 * (1 - inwards) + middle * inwards for a, b, middle in ways)
    return Line(
        connection=connection,
        ends=(one.number, other.number),
        path=f"M{one.x} {one.y}Q{bend_x:.1f} {bend_y:.1f} {other.x} {other.y}",
        width=round(min(_THICKEST, 1 + 1.3 * log2(1 + connection.people + connection.things)), 1),
    )


def _cut(name: str, most: int) -> str:
    return name if len(name) <= most else name[: most - 1] + "…"
