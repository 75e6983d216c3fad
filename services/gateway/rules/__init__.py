"""Rules that people make for their own stream: a small language, compiled to conditions of the index."""
