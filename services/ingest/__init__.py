"""Ingest: sources are read through connectors and published as activities."""
