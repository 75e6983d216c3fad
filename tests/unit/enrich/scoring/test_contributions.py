"""Activities re-keyed to people: who has one, and who has it no more."""

from dataclasses import replace

from services.common.model import Enriched
from services.enrich.scoring.contributions import contributions
from tests.unit.enrich.made import activity


def said() -> Enriched:
    """Return a message of ann's, who is person 1 now."""
    return Enriched(activity=activity(1), person="person:1", text="the cache of the parser is cold")


def terms(*, gone: bool = False, formerly: tuple[str, ...] = (), left: str = "") -> dict[str, bool]:
    """Return for whom the message says something with (True) or without terms."""
    found = contributions(said(), lambda person: person == left, gone=gone, formerly=formerly)
    return {one["person"]: bool(one["terms"]) for one in found}


def test_an_activity_is_its_persons() -> None:
    assert terms() == {"person:1": True}


def test_a_corrected_one_is_nothing_any_more_to_whom_it_was_counted_for() -> None:
    assert terms(formerly=("chat:ann",)) == {"person:1": True, "chat:ann": False}


def test_a_withdrawn_one_is_nothing_to_either() -> None:
    assert terms(gone=True, formerly=("chat:ann",)) == {"person:1": False, "chat:ann": False}


def test_who_has_left_neither_has_one_nor_is_named_in_anothers() -> None:
    assert terms(left="person:1") == {}
    together = replace(said(), coauthor_people=("person:2",), mention_people=("person:3",))
    [one] = contributions(together, lambda person: person == "person:2", gone=False)
    assert (one["person"], one["people"]) == ("person:1", ["person:3"])
