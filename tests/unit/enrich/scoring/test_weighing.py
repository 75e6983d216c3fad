"""Weights in use, kept and gone back to."""

from dataclasses import replace
from pathlib import Path

import pytest

from services.common.errors import Stop
from services.enrich.scoring import weighing
from services.enrich.scoring.relevance import Weights


def test_without_training_those_shipped_are_in_use(tmp_path: Path) -> None:
    assert weighing.weights_in(tmp_path) is Weights.shipped()


def test_one_goes_back_and_forth(tmp_path: Path) -> None:
    new = replace(Weights.shipped(), name="own")
    weighing.install(tmp_path, new)
    assert weighing.weights_in(tmp_path).name == "own"
    assert weighing.restore(tmp_path).name == Weights.shipped().name
    assert weighing.weights_in(tmp_path).text() == Weights.shipped().text()
    assert weighing.restore(tmp_path).name == "own"


def test_nothing_to_go_back_to_is_said(tmp_path: Path) -> None:
    with pytest.raises(Stop, match="no weights to go back to"):
        weighing.restore(tmp_path)
