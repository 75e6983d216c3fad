import pytest

from services.enrich.scoring.holdout import held_out


@pytest.mark.parametrize("share", [0.05, 0.2, 0.5])
def test_about_the_share_is_held_out_for_every_person_alike(share: float) -> None:
    for person in ("ann", "bob"):
        out = sum(held_out(person, f"chat:{number}", share=share) for number in range(4_000))
        assert out / 4_000 == pytest.approx(share, abs=0.03)


def test_nothing_or_everything_can_be_held_out() -> None:
    assert not any(held_out("ann", str(number), share=0.0) for number in range(1_000))
    assert all(held_out("ann", str(number), share=1.0) for number in range(1_000))


def test_a_larger_share_keeps_out_what_a_smaller_one_does() -> None:
    things = [("ann", str(number)) for number in range(1_000)]
    small = {one for one in things if held_out(*one, share=0.1)}
    assert small
    assert small < {one for one in things if held_out(*one, share=0.3)}


def test_who_and_what_are_both_part_of_it_and_do_not_run_together() -> None:
    decided = {
        held_out("ann", str(number), share=0.5) == held_out("bob", str(number), share=0.5) for number in range(99)
    }
    assert decided == {True, False}
    joined = {held_out("a", f"b{number}", share=0.5) == held_out(f"ab{number}", share=0.5) for number in range(99)}
    assert joined == {True, False}


def test_a_wrong_share_is_refused() -> None:
    with pytest.raises(ValueError, match="from 0 to 1"):
        held_out("ann", "chat:1", share=1.5)
