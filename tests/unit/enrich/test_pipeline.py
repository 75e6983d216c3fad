from collections.abc import Sequence

from services.enrich.draft import Draft
from services.enrich.pipeline import Knowledge, enrich
from services.enrich.steps import Knowledge as Asked
from tests.unit.enrich.made import activity


def fail(draft: Draft, _: Asked) -> None:
    raise ZeroDivisionError("with private words")


def tag(draft: Draft, _: Asked) -> None:
    draft.tags = ("tagged",)


def fail_on_second(drafts: Sequence[Draft], _: Asked) -> None:
    for draft in drafts:
        if draft.activity.id.startswith("chat:2"):
            raise KeyError("private")
        draft.vector = b"v"


def test_a_failing_step_leaves_a_note_without_words_and_the_others_go_on() -> None:
    [one] = enrich([activity()], Knowledge(), (fail, tag), ())
    assert (one.notes, one.tags) == (("fail: ZeroDivisionError",), ("tagged",))


def test_a_failing_batch_step_costs_only_the_record_to_blame() -> None:
    first, second, third = enrich([activity(n) for n in (1, 2, 3)], Knowledge(), (), (fail_on_second,))
    assert (first.vector, second.vector, third.vector) == (b"v", b"", b"v")
    assert (first.notes, second.notes) == ((), ("fail_on_second: KeyError",))


def test_everything_together() -> None:
    text = "Could the incremental parser keep its tokens when a buffer wraps around? See https://wiki.example/parser."
    page = activity(1, "Parser notes", object_url="https://wiki.example/parser")
    _, one = enrich([page, activity(2, text)], Knowledge())
    assert one.text == text
    assert one.person == "chat:ann"
    assert one.language == "en"
    assert len(one.vector) == 512
    assert [(link.href, link.object) for link in one.links] == [("https://wiki.example/parser", "chat:1")]
    assert "incremental parser" in " ".join(one.phrases)
    assert one.notes == ()
    assert not one.automated


def test_the_same_again_gives_the_same() -> None:
    activities = [activity(n, f"About queue number {n} and its retry, see chat:{n - 1}") for n in range(5)]
    assert enrich(activities, Knowledge()) == enrich(activities, Knowledge())
