"""The hold-out: what is computed and logged and shown to nobody, so that what showing does can be measured. Pure.

The decision is a hash, so every worker, replay and day agrees on it, and nobody can look better by being left out.
"""

from hashlib import blake2b

_SCALE = float(2**64)


def held_out(*of: str, share: float) -> bool:
    """Return whether what these ids name together is held out; ``share`` is 0 (nothing) to 1 (everything).

    A recommendation is decided by its person and its object. Two people to be linked are decided as a pair, whichever
    comes first: give ``*sorted((one, other))``, since a tie has two ends and must be shown to both or to neither.
    Length-prefixed, so that ids which run together cannot be mistaken for others.
    """
    if not 0.0 <= share <= 1.0:
        raise ValueError(f"a share from 0 to 1 is expected, not {share}")
    digest = blake2b(digest_size=8, person=b"holdout")
    for one in of:
        encoded = one.encode()
        digest.update(len(encoded).to_bytes(4, "big") + encoded)
    return int.from_bytes(digest.digest(), "big") / _SCALE < share
