"""Which partition a record goes to: the same for every adapter, and for any producer in Java."""

from functools import lru_cache

from aiokafka.partitioner import murmur2

_KEPT = 10_000
"""Keys whose partitions are remembered: the hash is computed byte by byte in Python, and people come again."""


@lru_cache(maxsize=_KEPT)
def partition_of(place: str, partitions: int) -> int:
    """Return the partition that Java's default partitioner chooses for this key (murmur2, Apache Kafka's Utils)."""
    return int(murmur2(place.encode()) & 0x7FFFFFFF) % partitions
