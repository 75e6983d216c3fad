"""The scorers that the product has to beat, functions from what may be known at T to scores of shape (n, m)."""

from collections.abc import Callable, Mapping

from services.enrich.judge.baselines import collaborative, content, simple
from services.enrich.judge.look import Look
from services.enrich.judge.metrics import Scores

Baseline = Callable[[Look], Scores]

BASELINES: Mapping[str, Baseline] = {
    "random": simple.random,
    "recency": simple.recency,
    "popularity": simple.popularity,
    "item-item-cf": collaborative.item_item,
    "als": collaborative.als,
    "bpr": collaborative.bpr,
    "pagerank": collaborative.pagerank,
    "tf-idf": content.profile,
    "embedding": content.embedding,
    "experts-first": content.experts_first,
    "experts": content.experts,
}
"""By the names under which they stand in the table."""
