"""Relevance of new objects to people: the scorer of recommendations, the same live and under the judge. Pure."""

from services.enrich.scoring.relevance.explain import Evidence, Explanation, reason
from services.enrich.scoring.relevance.relevance import Relevance
from services.enrich.scoring.relevance.state import Limits
from services.enrich.scoring.relevance.trigger import Said, Trigger
from services.enrich.scoring.relevance.weights import Features, Scored, Scores, Weights

__all__ = [
    "Evidence",
    "Explanation",
    "Features",
    "Limits",
    "Relevance",
    "Said",
    "Scored",
    "Scores",
    "Trigger",
    "Weights",
    "reason",
]
