"""Which partition a record goes to: the same for every adapter, and for any producer in Java."""

from aiokafka.partitioner import murmur2


def partition_of(place: str, partitions: int) -> int:
    """Return the partition that Java's default partitioner chooses for this key (murmur2, Apache Kafka's Utils)."""
    return int(murmur2(place.encode()) & 0x7FFFFFFF) % partitions
