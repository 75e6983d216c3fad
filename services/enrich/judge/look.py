"""What a plain scorer may know at T: the history up to T, and of each trigger its text, author and container."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from services.enrich.judge import words
from services.enrich.judge.weeks import HISTORY, Week, authors_of
from services.enrich.judge.world import Ints, World


@dataclass(frozen=True)
class Look:
    """One week. Tables over people have a row for every person of the world; ``rows`` are those of the week."""

    rows: Ints
    """The n people who are scored."""
    containers: Ints
    """Of the m objects."""
    at: Ints
    """Time of each trigger, micros."""
    authors: sparse.csr_array
    """Ones where a person authored a trigger; shape (m, people)."""
    asked: sparse.csr_array
    """Word counts of the triggers; shape (m, words)."""
    asked_vectors: NDArray[np.float32]
    person: Ints
    """Of each engagement in H, as are object, container and event (counted from 0)."""
    object: Ints
    container: Ints
    event: Ints
    time: Ints
    start: int
    said: sparse.csr_array
    """Word counts of the events in H; shape (events, words)."""
    vectors: NDArray[np.float32]
    sizes: tuple[int, int, int]
    """Numbers of people, objects and containers in the world."""

    @cached_property
    def took_part(self) -> sparse.csr_array:
        """How often each person engaged in each object; shape (people, objects)."""
        return self._table(self.object, self.sizes[1])

    @cached_property
    def at_home(self) -> sparse.csr_array:
        """How often each person engaged in each container; shape (people, containers)."""
        return self._table(self.container, self.sizes[2])

    @cached_property
    def acted(self) -> sparse.csr_array:
        """Ones where a person took part in an event; shape (people, events)."""
        found = self._table(self.event, self.said.shape[0])
        found.data[:] = 1.0
        return found

    @cached_property
    def belongs(self) -> sparse.csr_array:
        """Ones where an event belongs to an object; shape (objects, events)."""
        ones = np.ones(len(self.event), dtype=np.float32)
        found = sparse.coo_array((ones, (self.object, self.event)), shape=(self.sizes[1], self.said.shape[0])).tocsr()
        found.data[:] = 1.0
        return found

    @cached_property
    def begun(self) -> sparse.csr_array:
        """Ones where an event is the first of an object within H; shape (objects, events)."""
        objects, rows = np.unique(self.object, return_index=True)
        ones = np.ones(len(objects), dtype=np.float32)
        shape = (self.sizes[1], self.said.shape[0])
        return sparse.coo_array((ones, (objects, self.event[rows])), shape=shape).tocsr()

    @cached_property
    def compared(self) -> tuple[sparse.csr_array, sparse.csr_array]:
        """TF-IDF of all that was said in each object, and of the triggers; unit rows, shapes (objects | m, words)."""
        documents = self.belongs @ self.said
        idf = words.weights(documents[np.flatnonzero(np.diff(documents.indptr))])
        return words.weighted(documents, idf), words.weighted(self.asked, idf)

    def _table(self, columns: Ints, width: int) -> sparse.csr_array:
        ones = np.ones(len(columns), dtype=np.float32)
        return sparse.coo_array((ones, (self.person, columns)), shape=(self.sizes[0], width)).tocsr()


def look(world: World, said: sparse.csr_array, week: Week) -> Look:
    """Return what may be known at the week's T; ``said`` has the word counts of all events of the world."""
    engaged = world.engaged
    span = engaged.between(week.start - HISTORY, week.start)
    first = int(engaged.event[span.start]) if span.stop > span.start else 0
    end = int(engaged.event[span.stop - 1]) + 1 if span.stop > span.start else 0
    return Look(
        rows=week.people,
        containers=week.containers,
        at=week.at,
        authors=authors_of(world, week.triggers),
        asked=said[week.triggers],
        asked_vectors=world.vectors[week.triggers].astype(np.float32),
        person=engaged.person[span],
        object=engaged.object[span],
        container=engaged.container[span],
        event=engaged.event[span] - first,
        time=engaged.time[span],
        start=week.start,
        said=said[first:end],
        vectors=world.vectors[first:end].astype(np.float32),
        sizes=(len(world.people), len(world.objects), len(world.containers)),
    )
