"""What people engage in by an activity."""

from dataclasses import replace
from typing import Any

from services.common.model import ActivityType, Container, Enriched
from services.enrich.scoring.engagements import engagements, people_of
from tests.unit.enrich.made import activity


def _engaged(**changes: Any) -> list[tuple[str, str]]:
    thread = changes.pop("thread", "")
    return [(one.object, one.container) for one in engagements(Enriched(activity=activity(**changes), thread=thread))]


def _commit(*files: str) -> list[tuple[str, str]]:
    return _engaged(object_type="Commit", files=files)


def test_a_message_belongs_to_its_thread_in_its_channel() -> None:
    context = (Container(id="chat:room", type="Channel"), Container(id="chat:t1", type="Thread"))
    assert _engaged(context=context, thread="chat:t1") == [("chat:t1", "chat:room")]


def test_a_commit_belongs_to_the_two_areas_that_it_touches_most() -> None:
    found = _commit("a/b/c/d/one.py", "x/y/two.py", "x/y/three.py", "a/b/c/four.py", "z/five.py")
    assert found == [("chat:room:a/b/c", "chat:room:a/b"), ("chat:room:x/y", "chat:room:x/y")]


def test_a_file_at_the_top_belongs_to_the_repository_itself() -> None:
    assert _commit("README.md") == [("chat:room:", "chat:room:")]


def test_a_commit_of_very_many_files_or_of_none_belongs_nowhere() -> None:
    assert _commit(*(f"src/{n}.py" for n in range(41))) == []
    assert _commit() == []


def test_an_edit_belongs_to_each_of_its_first_three_pages() -> None:
    found = _engaged(object_type="Article", files=("a.md", "b/c.md", "d.md", "e.md"))
    assert found == [(f"chat:room:{file}", "chat:room") for file in ("a.md", "b/c.md", "d.md")]


def test_anything_else_is_an_object_of_its_own() -> None:
    assert _engaged(object_type="PullRequest", object_id="code#7") == [("code#7", "chat:room")]


def test_a_like_or_a_deletion_is_no_engagement() -> None:
    assert _engaged(type=ActivityType.LIKE) == _engaged(type=ActivityType.DELETE) == []


def test_coauthors_engage_as_the_author_does_and_bots_do_not() -> None:
    one = Enriched(activity=activity(), person="ann", coauthor_people=("bob", "ann"))
    assert people_of(one) == ("ann", "bob")
    assert people_of(replace(one, person="")) == ("bob", "ann")
