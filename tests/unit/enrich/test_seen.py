from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common.bus import Partition
from services.enrich.memory import Memory
from services.enrich.seen import Repetition, Seen, hash_of

NEW, RECENT, OLD = Repetition.NEW, Repetition.RECENT, Repetition.OLD


def test_what_is_within_the_window_is_recent_and_what_left_it_is_old() -> None:
    seen = Seen(window=4, block=2)
    seen.add(range(1, 11))
    # The window of 4 is rounded up to whole blocks.
    assert seen.judge([9, 10, 7, 8]) == [RECENT] * 4
    assert seen.judge([1, 2, 5, 6]) == [OLD] * 4
    assert seen.judge([11]) == [NEW]
    assert len(seen) == 10


def test_the_second_of_two_equal_ones_in_a_batch_is_recent() -> None:
    seen = Seen(window=2, block=1)
    seen.add([1, 2, 3, 4])
    assert seen.judge([9, 9, 1, 1]) == [NEW, RECENT, OLD, RECENT]


def test_judging_alone_changes_nothing() -> None:
    seen = Seen()
    assert seen.judge([5]) == [NEW]
    assert seen.judge([5]) == [NEW]


@given(st.lists(st.integers(0, 50), max_size=200))
def test_it_judges_as_a_plain_list_would(numbers: list[int]) -> None:
    window, block = 10, 5
    seen, log = Seen(window, block), list[int]()
    for number in numbers:
        [verdict] = seen.judge([number])
        if number not in log:
            assert verdict is NEW
        elif number in log[-window:]:
            assert verdict is RECENT
        else:
            assert verdict in (RECENT, OLD)
            assert verdict is RECENT or number not in log[-window:]
        if verdict is not RECENT:
            seen.add([number])
            log.append(number)


def test_content_and_id_both_count() -> None:
    assert len({hash_of("a", "1"), hash_of("a", "2"), hash_of("b", "1")}) == 3
    assert hash_of("a", "1") == hash_of("a", "1")


def test_memory_comes_back_from_its_file(tmp_path: Path) -> None:
    partition = Partition("p.enriched.v1", 3)
    memory = Memory(tmp_path, partition, "topic-1")
    memory.seen = Seen(window=4, block=2)
    memory.add(range(9), offset=12)
    memory.save(after=1)
    again = Memory(tmp_path, partition, "topic-1")
    assert again.seen.judge([8, 7]) == [RECENT, RECENT]
    assert again.seen.judge([0, 100]) == [OLD, NEW]
    assert [one.name for one in tmp_path.iterdir()] == ["p.enriched.v1-3.npz"]


def test_a_file_of_another_topic_of_the_same_name_is_not_used(tmp_path: Path) -> None:
    memory = Memory(tmp_path, Partition("t", 0), "topic-1")
    memory.add([1], offset=1)
    memory.save(after=1)
    assert Memory(tmp_path, Partition("t", 0), "topic-2").seen.judge([1]) == [NEW]


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 broken", b"no archive at all"])
def test_a_broken_file_is_not_used(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "t-0.npz").write_bytes(content)
    assert Memory(tmp_path, Partition("t", 0), "topic-1").seen.judge([1]) == [NEW]


def test_it_is_not_written_for_every_batch(tmp_path: Path) -> None:
    memory = Memory(tmp_path, Partition("t", 0), "topic-1")
    memory.add([1], offset=10)
    memory.save()
    assert list(tmp_path.iterdir()) == []


def test_hashes_take_eight_bytes_each_once_they_are_old() -> None:
    seen = Seen(window=1_000, block=500)
    seen.add(range(20_000))
    arrays = seen.arrays()
    assert arrays["older"].dtype == np.uint64
    assert sum(one.nbytes for one in arrays.values()) <= 8 * 20_000
