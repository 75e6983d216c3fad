from services.common.errors import Stop
from services.standalone.running import told


def test_the_sentence_for_people_is_found_among_what_was_cancelled() -> None:
    meant = Stop("no room")
    group = BaseExceptionGroup("all", [KeyError("x"), ExceptionGroup("inner", [ValueError("y"), meant])])
    assert told(group) is meant


def test_a_full_disk_becomes_a_sentence() -> None:
    error = told(ExceptionGroup("all", [OSError(28, "No space left on device", "/data/status.json")]))
    assert isinstance(error, Stop)
    assert str(error).startswith("No space left on device (/data/status.json): everything was stopped")


def test_a_mistake_of_ours_stays_what_it_is() -> None:
    mistake = KeyError("x")
    assert told(ExceptionGroup("all", [mistake])) is mistake
