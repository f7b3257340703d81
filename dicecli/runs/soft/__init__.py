"""Scoring probability maps."""
