"""With what code a service ends."""

import pytest

from services.common import run
from services.common.bus import Outgoing, Unpublished
from services.common.errors import Reject, Retry, Stop

RECORD = Outgoing(topic="t", key="k", value=None)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Stop("mend it"), run.EXIT_STOPPED),
        (Retry("later"), run.EXIT_RETRY),
        (Unpublished([(RECORD, Retry("Kafka is away"))]), run.EXIT_RETRY),
        (Unpublished([(RECORD, Reject("too large")), (RECORD, Stop("not granted"))]), run.EXIT_STOPPED),
        (ExceptionGroup("several", [ValueError(), Unpublished([(RECORD, Retry("away"))])]), run.EXIT_RETRY),
        (ValueError("a mistake"), run.EXIT_FAILED),
    ],
)
def test_the_error_says_with_what_code_a_service_ends(error: Exception, code: int) -> None:
    assert run._code(error) == code
