"""The embedding of the text, many records at once."""

from collections.abc import Sequence

from services.common.embedding import embed, to_bytes
from services.enrich.draft import Draft
from services.enrich.steps import Knowledge


def add_vectors(drafts: Sequence[Draft], _: Knowledge) -> None:
    """Give every draft with a text its vector."""
    texts = [draft for draft in drafts if draft.text]
    if texts:
        for draft, vector in zip(texts, to_bytes(embed([draft.text for draft in texts])), strict=True):
            draft.vector = vector
