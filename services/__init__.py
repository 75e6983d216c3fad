"""Watercooler: the services of a federated activity stream."""
