"""The judge of recommendations: replays a file of activities and measures every scorer by the same rules."""
