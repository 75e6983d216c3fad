from pathlib import Path

import numpy as np
import pytest

from services.common.embedding import DIMENSIONS, embed, from_bytes, to_bytes


def test_vectors_are_of_length_one_and_do_not_depend_on_the_batch() -> None:
    texts = ["a cat sat on a mat", "", "stock prices fell again", "the cat sits on a mat and purrs for a long time"]
    vectors = embed(texts)
    assert vectors.shape == (4, DIMENSIONS)
    assert np.linalg.norm(vectors, axis=1).tolist() == pytest.approx([1, 0, 1, 1], abs=1e-5)
    assert np.abs(embed(texts[:1])[0] - vectors[0]).max() < 1e-6
    assert vectors[0] @ vectors[3] > vectors[0] @ vectors[2] + 0.2


def test_nothing_to_embed() -> None:
    assert embed([]).shape == (0, DIMENSIONS)


def test_half_floats_and_back() -> None:
    [data] = to_bytes(embed(["hello"]))
    assert len(data) == 2 * DIMENSIONS
    assert np.abs(from_bytes(data) - embed(["hello"])[0]).max() < 1e-3
    with pytest.raises(ValueError, match="3 bytes"):
        from_bytes(b"abc")


ODD = [
    "two  blanks   three",
    " a blank before",
    "one line\n\nanother line\n  indented",
    "snake_case camelCase path/to/file.rs::item<T> 12345 #77",
    "\u4f60\u597d, \U0001f600 na\u00efve \u2581 mark",
    "\t\ttabs\tand\u00a0hard blanks\r\n",
    "x" * 900,
    " ",
]


@pytest.mark.parametrize("text", ODD)
def test_vectors_are_those_of_the_model(text: str) -> None:
    import wordllama

    model = wordllama.WordLlama.load(cache_dir=Path(wordllama.__file__).parent, disable_download=True)
    theirs = model.embed([text, "the same words again"], norm=True)
    again = embed(["the same words again", text, text])
    assert np.abs(again[1] - theirs[0]).max() < 1e-5
    assert np.abs(again[2] - theirs[0]).max() < 1e-5
    assert (embed(["the same words again", text, text], sparing=True) == again).all()
