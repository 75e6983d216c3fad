"""Enrich: what activities mean, and whom they may interest."""
