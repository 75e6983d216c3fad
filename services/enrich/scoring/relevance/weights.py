"""The model: a sum of named inputs, each off its mean, over its scale and times its weight; then a logistic. Pure.

A weights file holds coefficients only, no text and no people: for each input its mean, scale and weight.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from services.common.errors import Stop
from services.enrich.scoring.relevance.names import NAMES

Values = NDArray[np.float64]
_FURTHEST = 6.0
"""Scales from the mean: what lies farther out counts as this far, so that no single input decides alone."""
FORM = 1


@dataclass(frozen=True, slots=True)
class Features:
    """Inputs of one trigger's people, shape (n, len(NAMES)); ``unexpectedness`` is decided outside of the model."""

    people: Sequence[str]
    inputs: Values
    unexpectedness: Values


@dataclass(frozen=True, slots=True)
class Scored:
    """One person's score. ``contributions`` in log-odds; with the model's bias they add up to the score's."""

    person: str
    score: float
    relevance: float
    unexpectedness: float
    contributions: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Scores:
    """Scores of one trigger's people.

    ``score`` is the probability that the person takes part within 14 days, or is called in by somebody. ``relevance``
    orders in the same way and spreads over 0..1. ``contributions`` has shape (n, k), a column for each of ``names``.
    """

    people: Sequence[str]
    score: Values
    relevance: Values
    unexpectedness: Values
    contributions: Values
    names: tuple[str, ...] = NAMES

    def of(self, place: int) -> Scored:
        """Return one person's."""
        return Scored(
            self.people[place],
            float(self.score[place]),
            float(self.relevance[place]),
            float(self.unexpectedness[place]),
            dict(zip(self.names, self.contributions[place].tolist(), strict=True)),
        )


@dataclass(frozen=True)
class Weights:
    """``center`` is the log-odds at which relevance is one half; ``about`` says how the weights came to be."""

    name: str
    bias: float
    mean: Values
    scale: Values
    weight: Values
    center: float = -4.0
    about: str = ""

    @staticmethod
    @cache
    def shipped() -> "Weights":
        """Return the weights trained on public data."""
        return _packaged("trained.json")

    @staticmethod
    @cache
    def untrained() -> "Weights":
        """Return the weights set by hand."""
        return _packaged("by_hand.json")

    @staticmethod
    def load(path: Path) -> "Weights":
        """Read a weights file. Raises Stop when it cannot be read or is none."""
        try:
            return _parsed(orjson.loads(path.read_bytes()))
        except OSError as error:
            raise Stop(f"weights {path} cannot be read ({error.strerror}); run `watercooler train`") from error
        except (ValueError, KeyError, TypeError) as error:
            raise Stop(f"{path} is no weights file ({error}); run `watercooler train --restore`") from error

    def text(self) -> bytes:
        """Return the content of a weights file."""
        inputs = {
            name: {"mean": round(float(m), 6), "scale": round(float(s), 6), "weight": round(float(w), 6)}
            for name, m, s, w in zip(NAMES, self.mean, self.scale, self.weight, strict=True)
        }
        head = {"form": FORM, "name": self.name, "about": self.about, "bias": round(self.bias, 6)}
        return orjson.dumps(head | {"center": self.center, "inputs": inputs}, option=orjson.OPT_INDENT_2) + b"\n"

    def score(self, features: Features) -> Scores:
        """Return the scores of a trigger's people."""
        contributions = self.contributions(features.inputs)
        logit = self.bias + contributions.sum(axis=1)
        return Scores(
            people=features.people,
            score=_logistic(logit),
            relevance=_logistic(logit - self.center),
            unexpectedness=features.unexpectedness,
            contributions=contributions,
        )

    def contributions(self, inputs: Values) -> Values:
        """Return what each input adds to the log-odds, shape (n, k)."""
        found: Values = self.standard(inputs) * self.weight
        return found

    def standard(self, inputs: Values) -> Values:
        """Return the inputs off their means, in scales."""
        found: Values = np.clip((inputs - self.mean) / self.scale, -_FURTHEST, _FURTHEST)
        return found


def _logistic(logit: Values) -> Values:
    found: Values = 1.0 / (1.0 + np.exp(-np.clip(logit, -60.0, 60.0)))
    return found


def _packaged(name: str) -> Weights:
    return _parsed(orjson.loads(files(__package__).joinpath(name).read_bytes()))


def _parsed(record: Mapping[str, Any]) -> Weights:
    if record["form"] != FORM:
        raise ValueError(f"form {record['form']}, not {FORM}")
    inputs = record["inputs"]
    missing, unknown = sorted(set(NAMES) - set(inputs)), sorted(set(inputs) - set(NAMES))
    if missing or unknown:
        raise ValueError(f"inputs missing: {missing}, unknown: {unknown}")
    columns = [np.array([float(inputs[name][part]) for name in NAMES]) for part in ("mean", "scale", "weight")]
    if not all(np.isfinite(column).all() for column in columns) or (columns[1] <= 0).any():
        raise ValueError("numbers that are none, or a scale that is not above 0")
    return Weights(
        name=record["name"],
        bias=float(record["bias"]),
        mean=columns[0],
        scale=columns[1],
        weight=columns[2],
        center=float(record["center"]),
        about=str(record["about"]),
    )
