"""Scoring: profiles of people and recommendations, a Faust app with one file per stream."""
