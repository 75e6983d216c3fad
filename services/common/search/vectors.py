"""Vectors of documents as text: base64 of big-endian 32-bit floats, the form that Elasticsearch reads quickest."""

from base64 import b64decode, b64encode
from collections.abc import Sequence

import numpy as np

DIMENSIONS = 256


def packed(half_floats: bytes) -> str:
    """Return little-endian 16-bit floats in a document's form; empty where there is no direction to compare by."""
    vector = np.frombuffer(half_floats, dtype="<f2").astype(">f4")
    usable = vector.size == DIMENSIONS and bool(np.isfinite(vector).all()) and bool(vector.any())
    return b64encode(vector.tobytes()).decode() if usable else ""


def unpacked(field: str | Sequence[float]) -> list[float]:
    """Return a document's vector, in either form that a document may have it, with length one."""
    raw = np.frombuffer(b64decode(field), dtype=">f4") if isinstance(field, str) else np.asarray(field)
    length = float(np.linalg.norm(raw))
    return [float(one) / length for one in raw]
