"""How many live streams there may be: in this process, per person and per address. Nobody is put out for another."""

from collections import Counter

from services.gateway.problems import Problem


class Admission:
    """Counts streams."""

    def __init__(self, *, in_all: int, per_person: int, per_address: int) -> None:
        self._in_all = in_all
        self._per_person = per_person
        self._per_address = per_address
        self._people: Counter[str] = Counter()
        self._addresses: Counter[str] = Counter()

    def full(self, person: str, address: str) -> bool:
        """Return whether one more would be one too many."""
        return bool(self._refusal(person, address))

    def enter(self, person: str, address: str) -> None:
        """Count a stream until it leaves; raises Problem when there are too many already."""
        if refusal := self._refusal(person, address):
            raise Problem(503, "too-many", refusal, retry_after=5)
        self._addresses[address] += 1
        self._people[person] += 1

    def leave(self, person: str, address: str) -> None:
        """Count a stream no more."""
        for counter, key in ((self._addresses, address), (self._people, person)):
            counter[key] -= 1
            if not counter[key]:
                del counter[key]

    def _refusal(self, person: str, address: str) -> str:
        if self._addresses.total() >= self._in_all:
            return _full("this gateway has", self._in_all)
        if self._addresses[address] >= self._per_address:
            return _full("your address has", self._per_address)
        if person and self._people[person] >= self._per_person:
            return _full("you have", self._per_person)
        return ""


def _full(who: str, most: int) -> str:
    return f"{who} {most} live streams already; close one or try again."
