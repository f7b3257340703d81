"""A statistic of an installed package, with its metrics; and cases that were measured by it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from importlib.metadata import EntryPoint

from dicecli import plugins
from dicecli.metrics._catalogue import BOTH_EMPTY, Metric, catalogue
from dicecli.records.cases import EXCLUDED, Case, Scored
from dicecli.records.counts import Counts
from dicecli.records.measurements import IMAGE, Measured, Row, Whole
from dicecli.statistics.matrix import Matrix


@dataclass(frozen=True, slots=True)
class Spots:
    """How many pixels there are, and the sum of their columns, in the reference and the prediction."""

    pixels: tuple[Whole, Whole] = (0, 0)
    columns: tuple[Whole, Whole] = (0, 0)

    @classmethod
    def zero(cls):
        """Return no pixel."""
        return cls()

    def __add__(self, other):
        first, second = (tuple(map(sum, zip(*pair, strict=True))) for pair in self._pairs(other))
        return Spots(first, second)

    def _pairs(self, other):
        return (self.pixels, other.pixels), (self.columns, other.columns)


MEASURES = {"label": Spots, "region": Spots}
READS = "labels"
OPTIONS = ()
#: Nothing is measured by it: cases are made here.
halo = begin = done = None


def distance(spots, spacing):
    """Distance of the middles."""
    if 0 in spots.pixels:
        return math.nan
    first, second = (total / n for total, n in zip(spots.columns, spots.pixels, strict=True))
    return abs(first - second) * (1.0 if spacing is None else spacing[-1])


def growth(spots):
    """Share of the pixels of both that the prediction has."""
    return spots.pixels[1] / sum(spots.pixels) if sum(spots.pixels) else math.nan


def _metric(function, **facts):
    facts = {"of": "toy", "better": "lower", "undefined": BOTH_EMPTY} | facts
    name = f"toy_{function.__name__}"
    return Metric(name, function, function.__doc__, "-", source="Nobody 1900", **facts)


def miss(spots, spacing):
    """Distance of the middles, infinite where one mask is empty."""
    return math.inf if 0 in spots.pixels and any(spots.pixels) else distance(spots, spacing)


#: A length, which does not pool; a share, which does; and a length that a case may miss altogether.
DISTANCE = _metric(
    distance, high=math.inf, unit="length", takes_spacing=True, pools=False, aliases=("toy_gap",)
)
GROWTH = _metric(growth, follows_undefined=True)
MISS = _metric(miss, high=math.inf, unit="length", takes_spacing=True, pools=False, infinite=True)


def install(monkeypatch, *more):
    """Let the first two metrics, and `more`, be in the catalogue, and the statistic be an installed package's."""
    entry = EntryPoint("toy", "toy", "dicecli.statistics")
    monkeypatch.setitem(plugins._entries("statistics"), "toy", entry)
    monkeypatch.setattr(plugins, "installed", plugins.installed.__wrapped__)
    for metric in (DISTANCE, GROWTH, *more):
        monkeypatch.setitem(catalogue(), metric.name, metric)


def label(number, name=None):
    return Row("label", number, name, (number,))


def region(name, *members):
    return Row("region", None, name, members)


def scored(name, spots, *, spacing=None, unit=None, regions=(), statistic="toy"):
    """Make a case of 100 pixels from (pixels, columns) by label, of the reference and the prediction.

    The two masks share what they can, from the first pixel on; all counts come from that.
    """
    cells = {}
    for number, each in spots.items():
        tp = min(each.pixels)
        cells |= {(number, number): tp, (number, 0): each.pixels[0] - tp, (0, number): each.pixels[1] - tp}
    matrix = Matrix.zero()
    for (row, column), n in cells.items():
        if n:
            matrix += Matrix((row,), (column,), (n,))
    matrix += Matrix((0,), (0,), (100 - matrix.total,))
    rows = {label(number): each for number, each in spots.items() if sum(each.pixels)}
    for each in regions:
        members = [spots[number] for number in each.members if number in spots]
        rows[each] = sum(members, Spots())
    measured = {"matrix": {IMAGE: matrix}} | ({statistic: rows} if rows else {})
    return Scored(
        Case(name, f"p/{name}", f"r/{name}"),
        (1, 100),
        spacing,
        unit,
        {},
        100,
        dict.fromkeys(EXCLUDED, 0),
        Measured.of(measured),
    )


def counts(spots):
    """Return the counts of a row by itself."""
    tp = min(spots.pixels)
    return Counts(tp, spots.pixels[1] - tp, spots.pixels[0] - tp, 100 - max(spots.pixels))
