"""Every rule of the protocol, on a world where the right answer is known; docs/evaluate.md has them."""

import pytest

from tests.unit.enrich.judge.made import Asked, busy, committed, edited, said

ANN, BOB, CAT = busy("ann", "den"), busy("bob", "lab"), busy("cat", "lab")


@pytest.mark.parametrize(
    ("times", "day", "counts"), [(20, -30, True), (19, -30, False), (20, -59, True), (20, -61, False)]
)
def test_a_person_has_20_actions_and_the_last_within_60_days(times: int, day: float, *, counts: bool) -> None:
    asked = Asked(busy("ann", "den", times, day), said("bob", "new", 1))
    assert ("ann" in asked.people) is counts


def test_actions_of_more_than_a_year_ago_do_not_make_a_person() -> None:
    assert "ann" not in Asked(busy("ann", "den", 19, -366), said("ann", "late", -1), said("bob", "new", 1)).people


@pytest.mark.parametrize(("before", "comes_up"), [(-6.9, False), (-7.1, True), (-100, True)])
def test_a_thread_comes_up_after_seven_days_of_silence_before_the_week(before: float, *, comes_up: bool) -> None:
    asked = Asked(ANN, said("bob", "old", before), said("bob", "old", 2))
    assert ("old" in asked.objects) is comes_up


def test_an_area_of_code_comes_up_in_every_week_in_which_it_is_touched() -> None:
    asked = Asked(ANN, committed("bob", -1, "src/net/http/get.py"), committed("bob", 2, "src/net/http/put.py"))
    assert asked.objects == ["code:src/net/http"]


def test_the_first_event_of_the_week_is_the_trigger_and_no_later_one() -> None:
    asked = Asked(ANN, said("bob", "new", 3), said("cat", "new", 1), said("cat", "new", 2))
    assert asked.world.activities[asked.week.triggers[0]] == asked.world.activities[20]
    assert len(asked.week.triggers) == 1


def test_a_commit_of_more_than_40_files_is_passed_over() -> None:
    few, many = ([f"a/f{n}" for n in range(40)], [f"b/f{n}" for n in range(41)])
    assert Asked(ANN, committed("bob", 1, *few), committed("bob", 1, *many)).objects == ["code:a"]


def test_a_commit_belongs_to_its_two_most_frequent_areas_three_folders_deep() -> None:
    files = ["a/b/c/d/e.py", "a/b/c/f.py", "g/h.py", "g/i.py", "j/k.py", "l.py"]
    asked = Asked(ANN, committed("bob", 1, *files))
    assert asked.objects == ["code:a/b/c", "code:g"]
    assert [asked.world.containers[n] for n in asked.week.containers] == ["code:a/b", "code:g"]


def test_an_edit_belongs_to_its_first_three_pages_in_their_site() -> None:
    asked = Asked(ANN, edited("bob", 1, "a.md", "b/c.md", "d.md", "e.md"))
    assert asked.objects == ["site:a.md", "site:b/c.md", "site:d.md"]
    assert {asked.world.containers[n] for n in asked.week.containers} == {"site"}


def test_who_touched_the_object_at_any_time_wrote_the_trigger_or_is_mentioned_in_it_is_no_candidate() -> None:
    early = said("ann", "new", -700)
    asked = Asked(ANN, BOB, CAT, busy("dan", "lab"), early, said("bob", "new", 1, mentions=["cat"]))
    assert [person for person in asked.people if asked.of("candidates", person, "new")] == ["dan"]


def test_co_authors_engage_as_the_author_does() -> None:
    asked = Asked(
        ANN, BOB, committed("cat", 1, "a/x", coauthors=["ann"]), committed("cat", 2, "a/x", coauthors=["bob"])
    )
    assert not asked.of("candidates", "ann", "code:a")
    assert asked.of("engaged", "bob", "code:a")


@pytest.mark.parametrize(("there", "unexpected"), [(2, True), (3, False)])
def test_three_actions_in_a_container_make_a_person_at_home(there: int, *, unexpected: bool) -> None:
    asked = Asked(ANN, busy("ann", "hall", there), said("bob", "new", 1))
    assert asked.of("candidates", "ann", "new") is unexpected


@pytest.mark.parametrize(("there", "unexpected"), [(3, True), (4, False)])
def test_of_who_does_much_one_percent_is_asked(there: int, *, unexpected: bool) -> None:
    asked = Asked(busy("ann", "den", 400 - there), busy("ann", "hall", there), said("bob", "new", 1))
    assert asked.of("candidates", "ann", "new") is unexpected


@pytest.mark.parametrize(("day", "counts"), [(1.1, True), (14.9, True), (15.1, False)])
def test_who_engages_within_14_days_of_the_trigger_is_positive(day: float, *, counts: bool) -> None:
    asked = Asked(ANN, said("bob", "new", 1), said("ann", "new", day))
    assert asked.of("engaged", "ann", "new") is counts
    assert asked.of("positive", "ann", "new") is counts
    assert not asked.of("summoned", "ann", "new")


def test_who_is_mentioned_and_never_comes_is_summoned() -> None:
    asked = Asked(ANN, said("bob", "new", 1), said("cat", "new", 2, mentions=["ann"]))
    assert asked.of("summoned", "ann", "new")
    assert not asked.of("engaged", "ann", "new")


def test_who_is_mentioned_before_taking_part_is_summoned_and_positive_once() -> None:
    asked = Asked(ANN, said("bob", "new", 1), said("cat", "new", 2, mentions=["ann"]), said("ann", "new", 3))
    assert asked.of("summoned", "ann", "new")
    assert not asked.of("engaged", "ann", "new")
    assert asked.week.positive.sum() == 1


def test_who_is_mentioned_after_taking_part_is_not_summoned() -> None:
    asked = Asked(ANN, said("bob", "new", 1), said("ann", "new", 2), said("bob", "new", 3, mentions=["ann"]))
    assert not asked.of("summoned", "ann", "new")
    assert asked.of("engaged", "ann", "new")


def test_nobody_summons_themselves_and_a_call_after_14_days_is_none() -> None:
    late = said("bob", "new", 15.1, mentions=["ann"])
    asked = Asked(ANN, BOB, said("cat", "new", 1), late)
    assert not asked.week.positive.any()
    asked = Asked(ANN, said("cat", "new", 1), said("ann", "other", 1.5), said("ann", "new", 2, mentions=["ann"]))
    assert not asked.of("summoned", "ann", "new")


def test_zero_is_no_action_in_the_container_and_a_stranger_shared_no_object_with_the_author() -> None:
    shared = [said("bob", "old", -500), said("cat", "old", -499)]
    asked = Asked(ANN, BOB, CAT, busy("bob", "hall", 1), shared, said("dan", "b", -300), said("cat", "new", 1))
    assert [p for p in asked.people if asked.of("zero", p, "new")] == ["ann"]
    assert asked.of("zero_stranger", "ann", "new")
    asked = Asked(ANN, BOB, CAT, shared, said("cat", "new", 1))
    assert [p for p in asked.people if asked.of("zero_stranger", p, "new")] == ["ann"]
    assert asked.of("zero", "bob", "new")


def test_what_bots_do_is_no_event() -> None:
    asked = Asked(ANN, said("ci[bot]", "new", 1), said("bob", "new", 2))
    assert asked.world.activities[asked.week.triggers[0]] == asked.world.activities[-1]
    assert "ci[bot]" not in asked.world.people


def test_the_time_of_coming_is_that_of_the_first_engagement_or_call() -> None:
    asked = Asked(ANN, said("bob", "new", 1), said("cat", "new", 2, mentions=["ann"]), said("ann", "new", 3))
    waited = asked.week.found[asked.people.index("ann"), 0] - asked.week.at[0]
    assert waited == 86_400_000_000
