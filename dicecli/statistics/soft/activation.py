"""From what a network gives to probabilities, and to the cross-entropy of each, without a loss of digits."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from dicecli.statistics.soft.sums import LEAST


class Activated(NamedTuple):
    """A piece of a probability map, with what is best computed from where its probabilities come from.

    Attributes
    ----------
    p : numpy.ndarray
        float64, ``(C, n)``: the probabilities.
    entropy : numpy.ndarray
        float64, ``(C, n)``: -(g log p + (1 - g) log(1 - p)), bounded where it would be infinite.
    bounded : numpy.ndarray
        int64, ``(C,)``: how many that were.
    log_p : numpy.ndarray or None
        float64, ``(C, n)``: log p where it is known better than from p.
    """

    p: np.ndarray
    entropy: np.ndarray
    bounded: np.ndarray
    log_p: np.ndarray | None = None


def activated(values: np.ndarray, g: np.ndarray, logits: str | None, temperature: float) -> Activated:
    """Make probabilities of a piece of values.

    Parameters
    ----------
    values : numpy.ndarray
        float64, ``(C, n)``, finite: probabilities, or logits, which are divided by `temperature`.
    g : numpy.ndarray
        bool, ``(C, n)``: the reference.
    logits : {None, "sigmoid", "softmax"}
    temperature : float
    """
    if logits == "sigmoid":
        return _sigmoid(values / temperature, g)
    if logits == "softmax":
        return _softmax(values / temperature, g)
    with np.errstate(divide="ignore"):
        entropy = np.log1p(-values)
        entropy[g] = np.log(values[g])
    return _bounded(values, np.negative(entropy, out=entropy))


def _sigmoid(logits: np.ndarray, g: np.ndarray) -> Activated:
    with np.errstate(over="ignore"):
        p = 1 / (1 + np.exp(-logits))
    # log(1 + e^z) for g = 0 and log(1 + e^-z) for g = 1 is never infinite.
    signed = np.where(g, -logits, logits)
    return Activated(p, np.logaddexp(0, signed), np.zeros(len(p), np.int64))


def _softmax(logits: np.ndarray, g: np.ndarray) -> Activated:
    shifted = logits - logits.max(axis=0)
    p = np.exp(shifted)
    total = p.sum(axis=0)
    log_p = shifted - np.log(total)
    p /= total
    # 1 - p has lost its digits where p is almost 1; what the other channels add up to has not.
    top = p.argmax(axis=0)[None]
    others = p.copy()
    np.put_along_axis(others, top, 0.0, axis=0)
    with np.errstate(divide="ignore"):
        entropy = np.log1p(-p)
        np.put_along_axis(entropy, top, np.log(others.sum(axis=0))[None], axis=0)
    entropy[g] = log_p[g]
    found = _bounded(p, np.negative(entropy, out=entropy))
    return found._replace(log_p=log_p)


def _bounded(p: np.ndarray, entropy: np.ndarray) -> Activated:
    infinite = np.isinf(entropy)
    bounded = infinite.sum(axis=1)
    if bounded.any():
        entropy[infinite] = -math.log(LEAST)
    return Activated(p, entropy, bounded)


def largest(scores: np.ndarray) -> np.ndarray:
    """Return the channel of the largest score at each pixel, the first of equals: ``(C, n)`` to ``(n,)``."""
    top = np.zeros(scores.shape[1], np.intp)
    most = scores[0].copy()
    for channel, score in enumerate(scores[1:], start=1):
        is_more = score > most
        top[is_more] = channel
        np.maximum(most, score, out=most)
    return top
