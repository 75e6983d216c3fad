"""Writes what happened into the index, and who may open it. Rebuilds the index from the log while it serves."""
