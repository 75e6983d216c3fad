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
