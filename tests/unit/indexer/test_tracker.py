"""Whatever order records are done in, no offset is committed past one that is not."""

from hypothesis import given
from hypothesis import strategies as st

from services.indexer.tracker import Offsets

_GAPS = st.lists(st.integers(min_value=1, max_value=5), min_size=1, max_size=40)


@given(gaps=_GAPS, data=st.data())
def test_nothing_undone_is_ever_below_the_committed_offset(gaps: list[int], data: st.DataObject) -> None:
    offsets, log, position = Offsets(), [], 100
    for gap in gaps:  # compaction leaves gaps
        position += gap
        log.append(position)
        offsets.taken(position)
    undone = set(log)
    for one in data.draw(st.permutations(log)):
        offsets.done(one)
        undone.discard(one)
        safe = offsets.to_commit()
        if undone:
            assert safe is None or safe <= min(undone)
        if safe is not None:
            assert all(earlier not in undone for earlier in log if earlier < safe)
            offsets.committed(safe)
            assert offsets.to_commit() is None
    assert offsets.idle


@given(gaps=_GAPS, data=st.data())
def test_all_done_is_all_committed(gaps: list[int], data: st.DataObject) -> None:
    offsets, log = Offsets(), [sum(gaps[: n + 1]) for n in range(len(gaps))]
    for one in log:
        offsets.taken(one)
    for one in data.draw(st.permutations(log)):
        offsets.done(one)
    assert offsets.to_commit() == log[-1] + 1


def test_nothing_taken_is_nothing_to_commit() -> None:
    assert Offsets().to_commit() is None


def test_what_is_open_holds_the_offset_where_reading_must_start_again() -> None:
    offsets = Offsets()
    for one in (7, 9, 10):
        offsets.taken(one)
    offsets.done(9)
    offsets.done(10)
    assert offsets.to_commit() == 7
    assert not offsets.idle
