"""Vectors of texts: 256 dimensions by wordllama, loaded from the package alone, never from the network.

wordllama is the mean of its tokens' vectors. Its own ``embed`` pads every text of a batch to the longest one; here the
tokens of a batch lie in one row instead, which gives the same vectors in less than half the time.
"""

import os
from collections.abc import Sequence
from functools import cache
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # numpy and the model take a third of a second to load; only who embeds pays for it
    import numpy as np
    from numpy.typing import NDArray

DIMENSIONS = 256
LONGEST = 1_000
"""Characters of a text that are read; what follows hardly moves the mean."""


def embed(texts: Sequence[str]) -> "NDArray[np.float32]":
    """Return a unit vector per text, shape (n, 256); zeros where a text has no token."""
    import numpy as np

    tokenizer, table = _model()
    rows = [one.ids for one in tokenizer.encode_batch_fast([t[:LONGEST] for t in texts], add_special_tokens=False)]
    lengths = np.fromiter(map(len, rows), dtype=np.int64, count=len(rows))
    vectors = np.zeros((len(rows), DIMENSIONS), dtype=np.float32)
    filled = lengths > 0
    if filled.any():
        tokens = np.fromiter(chain.from_iterable(rows), dtype=np.int64, count=int(lengths.sum()))
        starts = np.cumsum(lengths) - lengths
        vectors[filled] = np.add.reduceat(table[tokens], starts[filled], axis=0)
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        np.divide(vectors, norms, out=vectors, where=norms > 0)
    return vectors


def to_bytes(vectors: "NDArray[np.float32]") -> list[bytes]:
    """Return each vector as 256 little-endian half floats, the form of the field ``vector``."""
    return [row.tobytes() for row in vectors.astype("<f2")]


def from_bytes(data: bytes) -> "NDArray[np.float32]":
    """Return the vector in a field ``vector``; raises ValueError when it is not of 256 half floats."""
    import numpy as np

    if len(data) != 2 * DIMENSIONS:
        raise ValueError(f"{len(data)} bytes are not a vector of {DIMENSIONS} half floats")
    return np.frombuffer(data, dtype="<f2").astype(np.float32)


@cache
def _model() -> "tuple[Any, NDArray[np.float32]]":
    # Threads of the tokenizer would cost a fifth more of the processor, and every service has work for both cores.
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    import wordllama

    model = wordllama.WordLlama.load(cache_dir=Path(wordllama.__file__).parent, disable_download=True)
    model.tokenizer.no_padding()
    return model.tokenizer, model.embedding
