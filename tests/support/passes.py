"""Cases of arrays for statistics, and the pass over them in any tiling, for tests of what a statistic promises."""

from __future__ import annotations

import pickle
from contextlib import contextmanager
from functools import partial, reduce
from operator import add

import numpy as np

from dicecli.masks.pair import Pair
from dicecli.metrics._catalogue import arguments_of, catalogue
from dicecli.plugins import load
from dicecli.records.cases import Case
from dicecli.records.options import table_of
from dicecli.records.probabilities import Probabilities
from dicecli.records.settings import MaskOptions, Settings
from dicecli.runs.scoring import make_settings
from dicecli.statistics._census import census, census_of_reference
from dicecli.statistics._meaning import understood
from dicecli.statistics._pass import halos, measured, options_of, plan_of, push
from dicecli.statistics._sharing import shares

#: What a statistic may read, and how a case of it is made of a seed and a shape.
READS = ("labels", "probabilities")


def drawn(reads, shape, seed):
    """Return a prediction, a reference and the settings that go with them."""
    rng = np.random.default_rng(seed)
    reference = rng.integers(0, 4, shape).astype(np.uint8)
    if reads == "labels":
        prediction = np.where(rng.random(shape) < 0.5, reference, rng.integers(0, 4, shape)).astype(np.uint8)
        return prediction, reference, ignoring(Settings())
    if reads == "probabilities":
        z = rng.normal(size=(4, *shape))
        p = np.exp(z) / np.exp(z).sum(axis=0)
        return p, reference, ignoring(Settings(soft=Probabilities(channel_axis=0)))
    raise AssertionError(f"a statistic reads {reads!r}: say here what a case of that is")


def ignoring(settings):
    """Leave out the pixels of one label, and declare a region."""
    from dataclasses import replace

    from dicecli.records.labels import LabelScheme

    return replace(settings, labels=LabelScheme(ignore=(3,), regions={"both": (1, 2)}))


@contextmanager
def opened(prediction, reference, settings):
    """Open a case and understand it; yield the pair and what is known of it."""
    with Pair(Case("case", prediction, reference), settings) as pair:
        counted = census_of_reference(pair) if pair.is_soft else census(pair, pair.windows(), "cpu")
        yield pair, understood(pair, counted.parts, settings)


def state(name, pair, known, settings, windows):
    """Return the state of a statistic that some windows were pushed through."""
    options = options_of((name,), settings, partial(arguments_of, asked(name)))
    return push(pair, windows, known, options, halo=halos(known, options)[name]).parts[name]


def of_one_pass(name, pair, known, settings, windows):
    """Return the measurements of a statistic, all windows pushed through one state in their order."""
    return of_passes(name, pair, known, settings, [windows])


def of_passes(name, pair, known, settings, parts, *, travelling=False, more=0):
    """Return the measurements of a statistic from states of their own for each part of the windows, added up.

    Blocks have `more` context than it asks for, as where another statistic asks for that.
    """
    options = options_of((name,), settings, partial(arguments_of, asked(name)))
    halo = halos(known, options).get(name)
    states = []
    for windows in parts if halo is not None else ():
        state = push(pair, windows, known, options, halo=halo + more)
        states.append(pickle.loads(pickle.dumps(state)) if travelling else state)  # noqa: S301 - our own
    total = reduce(add, states).parts if states else {}
    return measured(total, (name,), known, pair)[0][name]


def plan(pair, known, name, settings):
    """Return the windows that a pass for one statistic has."""
    return plan_of(pair, halo_of(name, known, settings) or 0)


def case(prediction, reference):
    """Return a case."""
    return Case("case", prediction, reference)


def asked(name):
    """Return every metric of a statistic, so that it measures all of its parts; percentiles, but no lengths."""
    every = [each for each in catalogue().values() if each.statistic == name]
    return [each.example for each in every if each.parameter is None or not each.parameter.units]


def measuring(name):
    """Return settings that ask for a statistic of masks, by its metrics or its option; distances are in pixels."""
    names = [each.name for each in catalogue().values() if each.statistic == name and each.parameter is None]
    options = {each.name: True for each in table_of(MaskOptions).values() if each.measures == name}
    return make_settings(metrics=names, spacing="voxel", **options)


def cut(plan, number):
    """Cut a plan into runs of neighbours."""
    return [plan[part.start : part.stop] for part in shares(len(plan), number)]


def halo_of(name, known, settings):
    """Return how much context a statistic asks for; None where the census is enough."""
    return load("statistics", name).halo(
        known, options_of((name,), settings, partial(arguments_of, asked(name)))[name]
    )
