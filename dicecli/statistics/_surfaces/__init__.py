"""Surfaces of labels as points, and how far those of two masks lie apart."""
