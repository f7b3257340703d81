"""Soft scores in plain Python, pixel by pixel: what every route through the package must give."""

from __future__ import annotations

import math

LEAST = 2.0**-52


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
    terms = []
    for a, b in zip(p, g, strict=True):
        chance = a if b else 1 - a
        terms.append(-math.log(LEAST) if chance <= 0 else -math.log(a) if b else -math.log1p(-a))
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
