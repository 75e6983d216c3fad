"""Kafka, Elasticsearch and every service on one machine, from packages only."""
