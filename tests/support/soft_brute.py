"""Soft scores in plain Python, pixel by pixel: what every route through the package must give."""

from __future__ import annotations

import math
from bisect import bisect_right

import numpy as np

from dicecli.records.counts import Counts
from dicecli.statistics.soft.measured import Channel, Together
from dicecli.statistics.soft.sums import BINS, STEPS, ChannelSums, JointSums, exact

LEAST = 2.0**-52
#: The lower end of each bin of the histograms.
LOWER = [k / STEPS for k in range(STEPS + 1)]


def sums(p, g):
    """Return Σpg, Σp, Σp², Σg of two lists."""
    return (
        math.fsum(a * b for a, b in zip(p, g, strict=True)),
        math.fsum(p),
        math.fsum(a * a for a in p),
        sum(g),
    )


def soft_dice(form, p, g, smooth):
    """Return one of the three forms."""
    pg, sp, sp2, sg = sums(p, g)
    above, below = {
        "standard": (2 * pg + smooth, sp + sg + smooth),
        "jaccard": (pg + smooth, sp + sg - pg + smooth),
        "squared": (2 * pg + smooth, sp2 + sg + smooth),
    }[form]
    return above / below if below else math.nan


def cross_entropy(p, g):
    """Return the mean binary cross-entropy, bounded where it would be infinite."""
    terms = [_entropy(a, b) for a, b in zip(p, g, strict=True)]
    return math.fsum(terms) / len(terms)


def brier(p, g):
    """Return the mean squared error."""
    return math.fsum((a - b) ** 2 for a, b in zip(p, g, strict=True)) / len(p)


def calibration_error(confidence, hits):
    """Return the expected calibration error over 20 bins of equal width, 1 in the last."""
    bins = [[] for _ in range(20)]
    for said, hit in zip(confidence, hits, strict=True):
        place = max(k for k in range(20) if said >= k * 50 / 1000)
        bins[place].append((said, hit))
    apart = [abs(sum(hit for _, hit in each) - math.fsum(said for said, _ in each)) for each in bins]
    return math.fsum(apart) / len(confidence)


def counts_at(p, g, threshold):
    """Return tp, fp, fn, tn of p >= threshold."""
    tp = sum(a >= threshold and b for a, b in zip(p, g, strict=True))
    fp = sum(a >= threshold and not b for a, b in zip(p, g, strict=True))
    return tp, fp, sum(g) - tp, len(g) - sum(g) - fp


def hard_dice(tp, fp, fn, _=0):
    """Return Dice of counts."""
    return 2 * tp / (2 * tp + fp + fn) if tp + fp + fn else math.nan


def best(p, g):
    """Return the best of the thresholds 0.001 ... 1, of equal ones the nearest to 0.5, and its Dice."""
    found = [(hard_dice(*counts_at(p, g, k / 1000)), k) for k in range(1, 1001)]
    if math.isnan(found[0][0]):
        return math.nan, math.nan
    dice, place = max(found, key=lambda each: (each[0], -abs(each[1] - 500), -each[1]))
    return place / 1000, dice


def average_precision(p, g):
    """Return the sum over thresholds 1, 0.999 ... 0 of what recall gains times precision."""
    if not sum(g):
        return math.nan
    total, before = [], 0
    for k in range(1000, -1, -1):
        tp, fp, _, _ = counts_at(p, g, k / 1000)
        if tp > before:
            total.append((tp - before) * (tp / (tp + fp)))
        before = tp
    return math.fsum(total) / sum(g)


def channel(p, g, argmax=None):
    """Return what metrics take of one class, from its probabilities and its reference, pixel by pixel.

    `argmax` are the pixels where it has the largest probability, of channels that exclude each other.
    """
    return Channel(channel_sums(p, g), None if argmax is None else Counts(*counts_at(argmax, g, 1)))


def channel_sums(p, g):
    """Return the sums over the pixels of one class."""
    said = [0] * BINS
    table = np.zeros((2, STEPS + 1), np.int64)
    for a, b in zip(p, g, strict=True):
        said[_bin(a)] += exact(float(a))
        table[0 if b else 1, bisect_right(LOWER, a) - 1] += 1
    pairs = list(zip(p, g, strict=True))
    fractions = [
        [float(a * b) for a, b in pairs],
        [float(a) for a in p],
        [float(a * a) for a in p],
        [_entropy(a, b) for a, b in pairs],
        [float((a - b) ** 2) for a, b in pairs],
    ]
    sums = (sum(map(exact, each)) for each in fractions)
    bounded = sum((a if b else 1 - a) <= 0 for a, b in pairs)
    return ChannelSums(*sums, bounded, tuple(said), *table)


def together(maps, labels, evaluated, *, exclusive=True):
    """Return what metrics of all channels take: `maps` is a list of probabilities by channel.

    `labels` is the channel of the reference at each pixel, `evaluated` are the channels that averages are over.
    """
    top = [max(range(len(maps)), key=lambda k, at=at: maps[k][at]) for at in range(len(labels))]
    sides = [[int(label == k) for label in labels] for k in range(len(maps))]
    hits = [[int(k == each) for each in top] for k in range(len(maps))]
    channels = [
        channel(p, g, hit if exclusive else None) for p, g, hit in zip(maps, sides, hits, strict=True)
    ]
    joint = None
    if exclusive:
        said, table = [0] * BINS, np.zeros((len(maps),) * 2, np.int64)
        most, right = np.zeros((2, BINS), np.int64)
        for at, (label, first) in enumerate(zip(labels, top, strict=True)):
            place = _bin(maps[first][at])
            said[place] += exact(float(maps[first][at]))
            most[place] += 1
            right[place] += first == label
            table[label, first] += 1
        own = [maps[label][at] for at, label in enumerate(labels)]
        entropy = sum(exact(_entropy(p, 1)) for p in own)
        joint = JointSums(entropy, sum(p <= 0 for p in own), tuple(said), most, right, table)
    return Together(tuple(channels[k] for k in evaluated), tuple(each.sums for each in channels), joint)


def _bin(p):
    return max(k for k in range(BINS) if p >= k * (STEPS // BINS) / STEPS)


def _entropy(p, g):
    chance = p if g else 1 - p
    return -math.log(LEAST) if chance <= 0 else -math.log(p) if g else -math.log1p(-p)
