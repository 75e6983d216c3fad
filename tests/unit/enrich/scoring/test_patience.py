import pytest

from services.common.errors import Retry, Stop
from services.enrich.scoring.patience import patiently


class Asked:
    """Fails as often as it is told, then answers with how often it was asked."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.times = 0

    async def __call__(self) -> int:
        self.times += 1
        if self.errors:
            raise self.errors.pop(0)
        return self.times


async def test_what_may_pass_is_asked_again() -> None:
    assert await patiently(Asked(Retry("away"), Retry("still away")), pause=0) == 3


async def test_patience_ends() -> None:
    with pytest.raises(Retry, match="away"):
        await patiently(Asked(Retry("away"), Retry("away")), patience=-1, pause=0)


async def test_what_a_person_has_to_mend_is_not_asked_again() -> None:
    asked = Asked(Stop("not allowed"))
    with pytest.raises(Stop):
        await patiently(asked, pause=0)
    assert asked.times == 1
