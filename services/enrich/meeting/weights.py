"""Weights of the people-links model: JSON with a coefficient per named input. Reads its own files."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from services.common.errors import Stop
from services.enrich.meeting.graph import Floats

_FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Weights:
    """``bias`` is the log-odds of the average pair; ``means`` and ``coefficients`` by input, in the model's order."""

    model: str
    bias: float
    names: tuple[str, ...]
    means: Floats
    coefficients: Floats

    def contributions(self, inputs: Floats) -> Floats:
        """Return what each input adds, shape as the inputs (pairs, names)."""
        return np.asarray((inputs - self.means) * self.coefficients)

    def score(self, inputs: Floats) -> Floats:
        """Return the log-odds per pair."""
        return np.asarray(self.bias + (inputs - self.means) @ self.coefficients)


def read(text: str, names: tuple[str, ...] | None = None) -> Weights:
    """Return the weights in a JSON text. Raises Stop where they are not of these inputs."""
    record: dict[str, Any] = json.loads(text)
    inputs = record["inputs"]
    if names is not None and tuple(inputs) != names:
        raise Stop(f"weights {record['model']} are of other inputs ({', '.join(inputs)}); take those of this version")
    means, coefficients = (np.array([one[key] for one in inputs.values()]) for key in ("mean", "coefficient"))
    return Weights(record["model"], record["bias"], tuple(inputs), means, coefficients)


@cache
def shipped() -> Weights:
    """Return the weights that come with the program."""
    return read((_FOLDER / "weights.json").read_text(encoding="utf-8"))


@cache
def untrained() -> Weights:
    """Return weights set by hand, of one size for every input's usual spread."""
    return read((_FOLDER / "untrained.json").read_text(encoding="utf-8"))
