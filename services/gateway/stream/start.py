"""Where a reader begins in each feed: behind the id that it brings, at a time, at either end, or nowhere any more."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from services.gateway.stream.hub import Hub
from services.gateway.stream.position import BETWEEN, Position, Shown, start_of
from services.gateway.stream.replay import Lost, check

EARLIEST, LATEST = "earliest", "latest"


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """The place in one feed. ``lost`` is the reason where the one asked for is gone; then this is the head."""

    position: Position
    lost: str = ""
    shown: Shown = frozenset()


@dataclass(frozen=True, slots=True)
class Asked:
    """What the reader brought: places by the mark of the feed that they are of."""

    places: tuple[tuple[Position, Shown], ...] = ()
    earliest: bool = False
    since: datetime | None = None


def read(given: str, *, also: str = "", since: datetime | None = None) -> Asked:
    """Return what an id (or earliest, or latest) asks for; raises NotAPosition.

    ``also`` is an older id that may name records which the reader knows already. A time counts where no id is given.
    """
    if given in ("", LATEST, EARLIEST):
        return Asked(earliest=given == EARLIEST, since=since if not given else None)
    known = {place.mark: shown for place, shown in _places(also)} if also not in (LATEST, EARLIEST) else {}
    return Asked(tuple((place, shown | known.get(place.mark, frozenset())) for place, shown in _places(given)))


def _places(text: str) -> list[tuple[Position, Shown]]:
    return [start_of(part) for part in text.split(BETWEEN)] if text else []


async def find(hubs: Mapping[str, Hub], asked: Asked) -> dict[str, Start]:
    """Return the place in each feed; raises Retry where it is not known yet."""
    marks = {hub.mark for hub in hubs.values()}
    strange = any(place.mark not in marks for place, _ in asked.places)
    found = {}
    for feed, hub in hubs.items():
        place, shown = await _place(hub, asked)
        if place is None:
            # A feed that the reader had no place in begins at the head; but not where a place was of no feed of now.
            found[feed] = Start(position=hub.position(), lost="incarnation" if strange else "")
            continue
        try:
            await check(hub, place, shown)
            found[feed] = Start(position=place, shown=shown)
        except Lost as error:
            found[feed] = Start(position=hub.position(), lost=str(error))
    return found


async def _place(hub: Hub, asked: Asked) -> tuple[Position | None, Shown]:
    if asked.earliest:
        return await hub.earliest(), frozenset()
    if asked.since is not None:
        return await hub.since(asked.since), frozenset()
    return next(((place, shown) for place, shown in asked.places if place.mark == hub.mark), (None, frozenset()))
