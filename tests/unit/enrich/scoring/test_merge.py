from hypothesis import given
from hypothesis import strategies as some

from services.enrich.scoring.merge import Merge

_LOGS = some.dictionaries(some.integers(0, 3), some.lists(some.integers(0, 50), max_size=12), max_size=4)


def merged(logs: dict[int, list[int]], reads: list[int]) -> list[tuple[int, int]]:
    """Read the logs in portions of these sizes, one partition after the other, and merge what may come each time."""
    merge: Merge[tuple[int, int]] = Merge()
    read = dict.fromkeys(logs, 0)
    found: list[tuple[int, int]] = []
    turn = 0
    while any(read[p] < len(logs[p]) for p in logs):
        for partition in sorted(logs):
            size = reads[turn % len(reads)]
            turn += 1
            for offset in range(read[partition], min(read[partition] + size, len(logs[partition]))):
                merge.put(partition, logs[partition][offset], (partition, offset))
                read[partition] = offset + 1
            found += merge.ready(p for p in logs if read[p] < len(logs[p]))
    return found + list(merge.ready())


@given(_LOGS, some.lists(some.integers(1, 5), min_size=1, max_size=5), some.lists(some.integers(1, 5), min_size=1))
def test_the_order_does_not_depend_on_how_much_is_read_at_once(
    logs: dict[int, list[int]], one: list[int], other: list[int]
) -> None:
    assert merged(logs, one) == merged(logs, other)


@given(_LOGS)
def test_nothing_is_lost_and_every_partition_keeps_its_order(logs: dict[int, list[int]]) -> None:
    found = merged(logs, [3])
    for partition, log in logs.items():
        assert [offset for p, offset in found if p == partition] == list(range(len(log)))
    if all(log == sorted(log) for log in logs.values()):
        times = [logs[p][offset] for p, offset in found]
        assert times == sorted(times)


def test_a_partition_with_more_to_give_holds_the_others_up_and_an_idle_one_does_not() -> None:
    merge: Merge[str] = Merge()
    merge.put(0, 5, "late")
    assert list(merge.ready(unread=[1])) == []
    merge.put(1, 3, "early")
    assert list(merge.ready(unread=[1])) == ["early"]
    assert list(merge.ready()) == ["late"]
    assert len(merge) == 0
