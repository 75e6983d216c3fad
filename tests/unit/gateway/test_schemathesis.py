"""What the OpenAPI says is what is answered: schemathesis asks every address, rightly and wrongly, from outside."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, assume, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
)

from services.gateway.openapi import document
from services.gateway.routes import ROUTES
from tests.unit.gateway.served import LONG, OTHERS_DRAW, served

pytestmark = pytest.mark.filterwarnings(OTHERS_DRAW)
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    negative_data_rejection,
]
SCHEMA = schemathesis.openapi.from_dict(document(ROUTES))
OPERATIONS = {one.ok().label: one.ok() for one in SCHEMA.get_all_operations() if isinstance(one, Ok)}
ENDLESS = {"GET /v1/stream"}  # what answers for ever is tried by test_fuzz.py and the suite of bench/conformance
REFUSABLE = {name for name, one in OPERATIONS.items() if len(one.query) or len(one.body)}
"""Those of which something can be wrong: any text may be an id."""
SECONDS = 20
EMPTY = re.compile(r"=(&|$)")
LONGEST = 8_000
"""Characters of an address: longer ones are refused before anything reads them, in plain text."""


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with served() as one:
        yield one


def examined(port: int, label: str, mode: GenerationMode) -> None:
    """Ask an address many times."""

    @settings(
        max_examples=200 if LONG else 5, derandomize=not LONG, deadline=None, suppress_health_check=list(HealthCheck)
    )
    @given(case=OPERATIONS[label].as_strategy(generation_mode=mode))
    def ask(case: schemathesis.Case[Any]) -> None:
        here, who = f"http://127.0.0.1:{port}", {"X-Watercooler-As": "ann"}
        answer = case.call(base_url=here, headers=who, timeout=SECONDS, allow_redirects=False)
        assume(len(answer.request.path_url) < LONGEST)
        assume(mode.is_positive or not EMPTY.search(answer.request.path_url))  # is as if it were not given
        refused = answer.status_code == 413  # schemathesis does not count it as a refusal
        case.validate_response(answer, checks=CHECKS, excluded_checks=[negative_data_rejection] if refused else [])

    ask()


@pytest.mark.parametrize("label", sorted(OPERATIONS.keys() - ENDLESS))
def test_answers_are_as_described(port: int, label: str) -> None:
    examined(port, label, GenerationMode.POSITIVE)


@pytest.mark.parametrize("label", sorted(REFUSABLE - ENDLESS))
def test_what_is_not_as_described_is_refused(port: int, label: str) -> None:
    examined(port, label, GenerationMode.NEGATIVE)
