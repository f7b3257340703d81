"""Maps of probabilities for tests: settings, single scores, four pixels that can be checked on paper, random maps."""

from __future__ import annotations

import math

import numpy as np
import soft_brute as brute

from dicecli.metrics._catalogue import resolve
from dicecli.runs.scoring import make_settings

#: Four pixels of a class: 3/4 and 1/4 where it is, 1/2 and 0 where it is not; and of everything else.
P, G = [0.75, 0.25, 0.5, 0.0], [1, 1, 0, 0]
REST_P, REST_G = [0.25, 0.75, 0.5, 1.0], [0, 0, 1, 1]
#: What metrics take of them. The largest p is 3/4 twice, one of them right, 1/2 of both, which is right, and 1.
FOUR = brute.channel(P, G)
REST = brute.channel(REST_P, REST_G)
#: -(log 3/4 + log 1/4 + log 1/2 + log 1), their cross-entropy.
ENTROPY = math.log(32 / 3)


def settings(**options):
    """Return the settings of a run on maps."""
    return make_settings(soft=True, **options)


def value(name, measurement, **options):
    """Return a metric of what was measured; epsilon is 0 unless it is said."""
    metric = resolve(name).with_settings(settings(**{"smooth": 0.0} | options), "px")
    return metric.value(measurement)


def four(evaluated, *, exclusive=True):
    """Return what metrics of all channels take of the four pixels: channel 0 is the rest."""
    return brute.together([REST_P, P], G, evaluated, exclusive=exclusive)


def softmax(shape, seed, dtype=np.float64, sharp=2.0):
    """Return probabilities, channels first, that sum to 1, and a reference that they resemble."""
    rng = np.random.default_rng(seed)
    g = rng.integers(0, shape[0], shape[1:])
    z = rng.normal(size=shape) + sharp * (np.arange(shape[0]).reshape(-1, *(1,) * (len(shape) - 1)) == g)
    p = np.exp(z)
    return (p / p.sum(axis=0)).astype(dtype), g
