"""A statistic of an installed package whose metric has a number in its name: the pixels of the first columns."""

from __future__ import annotations

import math
from dataclasses import dataclass
from importlib.metadata import EntryPoint

import numpy as np

from dicecli import plugins
from dicecli.metrics import Parameter
from dicecli.metrics._catalogue import catalogue
from dicecli.metrics._metric import Metric
from dicecli.records.measurements import Whole  # noqa: TC001 - the codec reads types

#: With what numbers a pass was begun: each time a tuple.
BEGUN = []


@dataclass(frozen=True, slots=True)
class Reach:
    """Pixels of a row in so many percent of the columns, from the first one on, of each side."""

    percents: tuple[float, ...] = ()
    reference: tuple[Whole, ...] = ()
    prediction: tuple[Whole, ...] = ()

    @classmethod
    def zero(cls):
        """Return no pixel, in no columns."""
        return cls()

    def __add__(self, other):
        if not self.percents or not other.percents:
            return self if self.percents else other
        assert self.percents == other.percents
        sides = ((self.reference, other.reference), (self.prediction, other.prediction))
        return Reach(self.percents, *(tuple(map(sum, zip(*side, strict=True))) for side in sides))


class State:
    """Pixels by side, number and place of the row."""

    def __init__(self, opened, percents):
        self.percents, self.columns = percents, opened.shape[-1]
        self.met = np.zeros((2, len(percents), len(opened.rows) + 1), np.int64)

    def __add__(self, other):
        total = object.__new__(State)
        total.percents, total.columns, total.met = self.percents, self.columns, self.met + other.met
        return total

    def add(self, block, mapped=map):
        """Count a block's own pixels."""
        del mapped
        columns = np.arange(block.core[-1].start, block.core[-1].stop)
        kept = True if block.ignored is None else ~block.ignored[block.inner]
        for at, percent in enumerate(self.percents):
            is_within = (
                np.broadcast_to(columns < percent / 100 * self.columns, block.reference[0].shape) & kept
            )
            for side, codes in enumerate((block.reference[0], block.prediction[0])):
                self.met[side, at] += np.bincount(codes[block.inner][is_within], minlength=self.met.shape[2])


READS = "labels"
OPTIONS = ("percent",)
MEASURES = {"label": Reach, "region": Reach}


def halo(opened, options):
    """Return 0: a pixel needs no other one."""
    del opened, options
    return 0


def begin(opened, options):
    """Return no pixel, and keep in mind which numbers were asked for."""
    BEGUN.append(options["percent"])
    return State(opened, options["percent"])


def done(state, opened, mapped=map):
    """Yield each row, then each region."""
    del mapped
    rows = {}
    for place, row in enumerate(opened.rows, start=1):
        sides = (tuple(int(n) for n in side[:, place]) for side in state.met)
        rows[row.label] = Reach(state.percents, *sides)
        yield row, rows[row.label]
    for region in opened.regions:
        yield region, sum((rows[label] for label in region.members if label in rows), Reach())


def share(reach, *, percent):
    """Share of the pixels of both in the first columns that the prediction has."""
    if percent not in reach.percents:
        return None
    at = reach.percents.index(percent)
    both = reach.reference[at] + reach.prediction[at]
    return reach.prediction[at] / both if both else math.nan


METRIC = Metric(
    "reach{percent}",
    share,
    share.__doc__,
    "prediction / (reference + prediction)",
    "neither mask is in these columns",
    "Nobody 1900",
    better="lower",
    of="reach",
    parameter=Parameter("percent", 1, 100),
    aliases=("front{percent}",),
)


def install(monkeypatch):
    """Let the metric be in the catalogue, and the statistic be that of an installed package."""
    BEGUN.clear()
    entry = EntryPoint("reach", "reach", "dicecli.statistics")
    monkeypatch.setitem(plugins._entries("statistics"), "reach", entry)
    monkeypatch.setattr(plugins, "installed", plugins.installed.__wrapped__)
    monkeypatch.setitem(catalogue(), METRIC.name, METRIC)
