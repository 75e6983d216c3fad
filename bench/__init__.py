"""Benchmarks. `make bench` runs them all; each figure stands beside a peer's in the same run."""
