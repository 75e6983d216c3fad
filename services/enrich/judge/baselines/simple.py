"""Scorers that know hardly anything: whoever is not clearly better than these has found nothing."""

import numpy as np

from services.enrich.judge.look import Look
from services.enrich.judge.metrics import Scores


def random(look: Look) -> Scores:
    """Everything alike: ties are broken by a hash that knows nothing."""
    return np.zeros((len(look.rows), len(look.at)))


def recency(look: Look) -> Scores:
    """The newest first."""
    return np.broadcast_to(look.at.astype(np.float64), (len(look.rows), len(look.at)))


def popularity(look: Look) -> Scores:
    """What lies in the busiest container first."""
    busy = np.bincount(look.container, minlength=look.sizes[2]).astype(np.float64)
    return np.broadcast_to(busy[look.containers], (len(look.rows), len(look.at)))
