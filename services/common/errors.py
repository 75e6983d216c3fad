"""Errors raised on purpose. The type says what happens next; nothing reads the text but people."""


class WatercoolerError(Exception):
    """Root of every error raised on purpose. Its text is one sentence: what, where, and what to do."""


class Retry(WatercoolerError):
    """Worth another try with the same record, later.

    ``after`` is the pause in seconds that the other side asked for, or None.
    """

    def __init__(self, message: str, *, after: float | None = None) -> None:
        super().__init__(message)
        self.after = after


class Reject(WatercoolerError):
    """This record can never succeed: dead-letter it and carry on."""


class Stop(WatercoolerError):
    """Going on would do harm, such as a revoked token or a wrong setting: stop the service."""
