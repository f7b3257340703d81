"""Sums over a map of probabilities, from which every soft score comes."""

from dicecli.statistics.soft.sums import ChannelSums, JointSums

#: What is measured, by the kind of the row; of the image where channels exclude each other.
MEASURES = {"label": ChannelSums, "region": ChannelSums, "image": JointSums}

__all__ = ["MEASURES"]
