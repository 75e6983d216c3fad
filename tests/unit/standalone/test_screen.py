import io

from rich.console import Console

from services.standalone.parts import State, Status
from services.standalone.screen import LiveScreen, PlainScreen, draw, screen


def plain() -> tuple[PlainScreen, io.StringIO]:
    written = io.StringIO()
    shown = screen(Console(file=written, width=40))
    assert isinstance(shown, PlainScreen)
    return shown, written


def test_without_a_terminal_only_changes_are_written() -> None:
    shown, written = plain()
    status = Status("http://127.0.0.1:8080")
    kafka = status.part("Kafka", "the record")
    shown.show(status)
    kafka.set(State.STARTING)
    shown.show(status)
    shown.show(status)
    kafka.set(State.RESTARTING, "in 1 s; ended with 1: a very long reason that is not folded or cut")
    shown.show(status)
    assert written.getvalue().splitlines() == [
        "Kafka: starting",
        "Kafka: restarting (in 1 s; ended with 1: a very long reason that is not folded or cut)",
    ]


def test_the_page_is_named_as_soon_as_it_opens_and_then_that_all_is_there() -> None:
    shown, written = plain()
    status = Status("http://127.0.0.1:8080", open=True)
    shown.show(status)
    status.ready = True
    shown.show(status)
    shown.show(status)
    assert written.getvalue().splitlines() == [
        "open http://127.0.0.1:8080 (more of it as the other parts arrive)",
        "ready; stop with Ctrl-C or `watercooler down`",
    ]


def test_downloads_are_told_by_tenths() -> None:
    shown, written = plain()
    shown.begin("kafka", 50_000_000)
    for _ in range(50):
        shown.advance("kafka", 1_000_000)
    shown.finish("kafka")
    lines = written.getvalue().splitlines()
    assert lines[:2] == ["kafka: fetching 50 MB", "kafka: 10 %"]
    assert lines[-2:] == ["kafka: 100 %", "kafka: fetched"]
    assert len(lines) == 12


def test_the_table_shows_every_part_with_rate_and_lag_even_when_narrow() -> None:
    status = Status("http://127.0.0.1:8080", open=True, ready=True)
    part = status.part("Elasticsearch", "the search")
    part.set(State.RUNNING, pid=1)
    part.rate, part.lag, part.restarts = 1234.6, 56789, 2
    console = Console(file=io.StringIO(), width=60, record=True)
    console.print(draw(status))
    text = console.export_text()
    for expected in (
        "open http://127.0.0.1:8080",
        "Elasticsearch",
        "running",
        "1,235",
        "56,789",
        "restarts: 2",
        "Ctrl-C",
    ):
        assert expected in text


def test_on_a_terminal_the_table_stays_and_bars_come_and_go() -> None:
    written = io.StringIO()
    with screen(Console(file=written, width=80, force_terminal=True)) as shown:
        assert isinstance(shown, LiveScreen)
        status = Status("http://127.0.0.1:8080")
        status.part("Kafka", "the record")
        shown.begin("kafka", 1000)
        shown.advance("kafka", 500)
        shown.show(status)
        shown.finish("kafka")
        shown.show(status)
    assert "fetching kafka" in written.getvalue()
    assert "the record" in written.getvalue()


def test_what_has_stopped_says_so_and_how_to_go_on() -> None:
    status = Status("http://127.0.0.1:8080")
    status.part("Kafka", "the record").set(State.STOPPED)
    status.part("Elasticsearch", "the search").set(State.GIVEN)
    console = Console(file=io.StringIO(), width=80, record=True)
    console.print(draw(status))
    text = console.export_text()
    assert "has stopped" in text
    assert "`watercooler up` goes on from here" in text
