"""Sums over a map of probabilities, from which every soft score comes."""
