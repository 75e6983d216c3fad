"""Surroundings of places beside a plain computation."""

import math
import random

import numpy as np
import pytest

from services.enrich.scoring.relevance.places import Places, crowd
from services.enrich.scoring.relevance.state import State
from tests.unit.enrich.scoring.relevance.worlds import message


def wandering() -> State:
    """Return a state in which twenty people are in some of ten rooms each."""
    chance, state = random.Random(5), State()
    for number in range(600):
        person = chance.randrange(20)
        room = f"room {(person + chance.randrange(4)) % 10}"
        state.observe(
            message(number, f"p{person}", "hello there", thread=f"t{number % 90}", room=room, hours=number / 10)
        )
    return state


def plainly_alike(state: State, container: str, person: str) -> float:
    """Return the cosines of the person's other places to this one, weighed by how much the person is there."""
    slot = state.people.find(person)
    level = {room: {p: math.log1p(state.here.get(room, p)) for p in range(1, 21)} for room in state.here}
    length = {room: math.sqrt(sum(v * v for v in of.values())) for room, of in level.items()}
    mine = {room: of[slot] for room, of in level.items()}
    products = {
        room: sum(of[p] * level[container][p] for p in of) / length[room] / length[container]
        for room, of in level.items()
        if room != container
    }
    return sum(mine[room] * product for room, product in products.items()) / (sum(mine.values()) + 1.0)


def test_places_are_alike_by_the_people_in_them() -> None:
    state = wandering()
    places = Places(state)
    people = [f"p{n}" for n in range(20)]
    alike, lift = places.alike(places.place("room 3"), state.people.slots([*people, "nobody"]))
    assert alike[:20] == pytest.approx([plainly_alike(state, "room 3", person) for person in people])
    assert alike[20] == lift[20] == 0.0
    assert np.ptp(lift[:20]) > 0.1


def test_a_place_that_nobody_was_in_has_no_surroundings() -> None:
    state = wandering()
    places, slots = Places(state), state.people.slots(["p1", "p2"])
    assert places.alike(places.place("nowhere"), slots)[0].tolist() == [0.0, 0.0]
    assert crowd(places.place("nowhere"), slots).tolist() == [0.0, 0.0]


def test_places_are_noted_anew_when_much_was_added() -> None:
    state = wandering()
    places, slots = Places(state), state.people.slots(["p1"])
    before = places.alike(places.place("room 9"), slots)[0]
    for number in range(1_000, 2_200):
        state.observe(message(number, "p1", "hello", thread=f"u{number}", room="room 8", hours=60))
    assert places.alike(places.place("room 9"), slots)[0] != before
