"""Structured logs on standard error. No text of people: ids, counts and error types only."""

import logging
import re
import sys
import traceback
from collections.abc import Iterator
from typing import TextIO

import structlog

from services.common.errors import WatercoolerError

_FRAMES = 20
_SELDOM = 30.0
"""Seconds between two equal messages of aiokafka."""

_SECRET = re.compile(r"(?i)((?:access_token|token|code)=)[^&\s\"']+")

Logger = structlog.stdlib.BoundLogger


def configure(service: str, *, form: str = "json", level: str = "info", stream: TextIO | None = None) -> None:
    """Send structlog and the libraries' own logs to one stream in one form, each line with the service's name.

    The stream is standard error unless another one is given.
    """
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer() if form == "json" else structlog.dev.ConsoleRenderer(colors=False)
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _where_only,
                _redacted,
                renderer,
            ],
        )
    )
    handler.addFilter(_Seldom())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for noisy in ("elastic_transport", "aiokafka", "kafka"):
        logging.getLogger(noisy).setLevel(logging.WARNING if level != "debug" else logging.DEBUG)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(service=service)


def _redacted(_: object, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Cover secrets that stand in addresses, whichever library writes them."""
    for name, value in event.items():
        if isinstance(value, str) and "=" in value:
            event[name] = _SECRET.sub(r"\1(redacted)", value)
    return event


def _where_only(_: object, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Put an exception into the event as its type and the lines it came through.

    Neither its text nor the values of variables, where people's words may stand, unless it is one of ours: those are
    written for the log.
    """
    given = event.pop("exc_info", None)
    found = sys.exc_info()[1] if given is True else given[1] if isinstance(given, tuple) else given
    if isinstance(found, BaseException):
        event["exception"] = "\n".join(_traces(found))
    return event


def _traces(error: BaseException | None) -> Iterator[str]:
    while error is not None:
        text = f": {error}" if isinstance(error, WatercoolerError) else ""
        yield f"{type(error).__name__}{text}"
        for frame in traceback.extract_tb(error.__traceback__)[-_FRAMES:]:
            yield f"  {frame.filename}:{frame.lineno} {frame.name}"
        for one in error.exceptions if isinstance(error, BaseExceptionGroup) else ():
            yield from _traces(one)
        error = error.__cause__ or error.__context__


class _Seldom(logging.Filter):
    """Lets a message of aiokafka through once in a while: with Kafka away it says the same many times a second."""

    def __init__(self) -> None:
        super().__init__()
        self._last: dict[tuple[str, str], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether the record is written."""
        if not record.name.startswith("aiokafka"):
            return True
        said = (record.name, str(record.msg))
        if record.created - self._last.get(said, 0.0) < _SELDOM:
            return False
        self._last[said] = record.created
        return True


def get(name: str) -> Logger:
    """Return the logger of a module."""
    logger: Logger = structlog.stdlib.get_logger(name)
    return logger
