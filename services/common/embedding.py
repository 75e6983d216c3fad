"""Vectors of texts: 256 dimensions by wordllama, from the files of its package alone, never from the network.

Only its weights and its tokenizer are used: importing it would take 25 MB for nothing. wordllama is the mean of its
tokens' vectors. Its own ``embed`` pads every text of a batch to the longest one; here each text's tokens are summed
alone, and a word that has come by before is not taken apart again. That gives the same vectors in a fraction of the
time.
"""

import os
import re
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:  # numpy and the model take a third of a second to load; only who embeds pays for it
    import numpy as np
    from numpy.typing import NDArray

DIMENSIONS = 256
LONGEST = 1_000
"""Characters of a text that are read; what follows hardly moves the mean."""


def embed(texts: Sequence[str], *, sparing: bool = False) -> "NDArray[np.float32]":
    """Return a unit vector per text, shape (n, 256); zeros where a text has no token.

    With ``sparing`` the weights stay in their file, of which the system keeps what is used: the same vectors, at half
    the speed and for some 45 MB less. For processes that embed now and then.
    """
    import numpy as np

    words, table = _words(), _table(sparing=sparing)
    vectors = np.zeros((len(texts), DIMENSIONS), dtype=np.float32)
    for row, tokens in enumerate(words.tokens([text[:LONGEST] for text in texts])):
        if tokens:  # text by text: the rows of a whole batch would not fit into the processor's cache
            table[tokens].astype(np.float32, copy=False).sum(axis=0, out=vectors[row])
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


class _Words:
    """Tokens of texts, with a memory for words.

    No token of the model reaches over the beginning of a word or over a line's end, so a text's tokens are those of
    its words, one after another.
    """

    _MARK = "\u2581"
    """What the tokenizer has in the place of a blank, and before a text."""
    _WORD = re.compile(f"{_MARK}+[^{_MARK}\n]*|[^{_MARK}\n]+|\n+")
    _MOST = 100_000
    _LONGEST = 32
    """Characters of a word that is kept: longer ones hardly come again."""

    def __init__(self, tokenizer: Any) -> None:
        from tokenizers import normalizers

        self._tokenizer = tokenizer
        self._tokenizer.normalizer = normalizers.Sequence([])  # it marks where words begin; that is done here
        self._tokenizer.no_padding()
        self._known: dict[str, tuple[int, ...]] = {}
        self._one_at_a_time = Lock()

    def tokens(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the tokens of each text."""
        mark = self._MARK
        split = [self._WORD.findall(mark + text.replace(" ", mark)) if text else [] for text in texts]
        with self._one_at_a_time:
            known = self._known
            new = list({word for words in split for word in words if word not in known})
            encoded = self._tokenizer.encode_batch_fast(new, add_special_tokens=False)
            known.update((word, tuple(one.ids)) for word, one in zip(new, encoded, strict=True))
            found = [list(chain.from_iterable(map(known.__getitem__, words))) for words in split]
            self._forget(new)
        return found

    def _forget(self, new: Sequence[str]) -> None:
        for word in new:
            if len(word) > self._LONGEST:
                del self._known[word]
        if len(self._known) > self._MOST:
            self._known.clear()


@cache
def _words() -> _Words:
    # Threads of the tokenizer would cost a fifth more of the processor, and every service has work for both cores.
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    from tokenizers import Tokenizer

    return _Words(Tokenizer.from_file(str(_file("tokenizers", "l2_supercat_tokenizer_config.json"))))


@cache
def _table(*, sparing: bool) -> "NDArray[Any]":
    """Return the vectors of the tokens: half floats in their file, or all of them in memory."""
    import numpy as np

    path = _file("weights", f"l2_supercat_{DIMENSIONS}.safetensors")
    # The format: the length of the header as 8 bytes, the header as JSON, and the numbers behind it.
    with path.open("rb") as weights:
        length = int.from_bytes(weights.read(8), "little")
        entry = orjson.loads(weights.read(length))["embedding.weight"]
    start, shape = 8 + length + entry["data_offsets"][0], tuple(entry["shape"])
    table = np.memmap(path, dtype="<f2", mode="r", offset=start, shape=shape)
    return table if sparing else table.astype(np.float32)


def _file(*names: str) -> Path:
    found = find_spec("wordllama")
    assert found is not None, "a dependency"
    return Path(next(iter(found.submodule_search_locations or ()))).joinpath(*names)
