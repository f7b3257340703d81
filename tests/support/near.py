"""A statistic that needs neighbours: pixels with an unlike one near by along the slowest axis; and brute force."""

from __future__ import annotations

import math
from dataclasses import dataclass
from importlib.metadata import EntryPoint

import numpy as np

from dicecli import plugins
from dicecli.masks.blocks import slowest
from dicecli.metrics._catalogue import BOTH_EMPTY, Metric, catalogue
from dicecli.records.measurements import Whole  # noqa: TC001 - the codec reads types


@dataclass(frozen=True, slots=True)
class Near:
    """Pixels of a row that have an unlike one near by, of each side; the pixels of the row where none is looked at."""

    reference: Whole = 0
    prediction: Whole = 0

    @classmethod
    def zero(cls):
        """Return no pixel."""
        return cls()

    def __add__(self, other):
        return Near(self.reference + other.reference, self.prediction + other.prediction)


class State:
    """How many such pixels were met, by side and place of the row."""

    def __init__(self, opened, halo):
        self.halo, self.axis = halo, slowest(opened.order, len(opened.shape))
        self.met = np.zeros((2, len(opened.rows) + 1), np.int64)

    def __add__(self, other):
        total = object.__new__(State)
        total.halo, total.axis, total.met = self.halo, self.axis, self.met + other.met
        return total

    def add(self, block, mapped=map):
        """Count a block's own pixels, several layers at a time."""
        tasks = [(at, codes) for at, side in enumerate((block.reference, block.prediction)) for codes in side]
        found = mapped(lambda task: near(task[1], block.ignored, self.axis, self.halo), tasks)
        for (at, codes), is_near in zip(tasks, found, strict=True):
            self.met[at] += np.bincount(codes[block.inner][is_near[block.inner]], minlength=self.met.shape[1])


def near(codes, ignored, axis, halo):
    """Return which pixels are not left out and have another code within so many steps, which is not left out."""
    kept = np.ones(codes.shape, bool) if ignored is None else ~ignored
    if not halo:
        return kept
    found = np.zeros(codes.shape, bool)
    for step in range(1, min(halo, codes.shape[axis] - 1) + 1):
        before = tuple(slice(None, -step) if at == axis else slice(None) for at in range(codes.ndim))
        after = tuple(slice(step, None) if at == axis else slice(None) for at in range(codes.ndim))
        unlike = codes[before] != codes[after]
        found[before] |= unlike & kept[after]
        found[after] |= unlike & kept[before]
    return found & kept


class Statistic:
    """The plugin, of some context."""

    READS, OPTIONS = "labels", ()

    def __init__(self, context):
        self.MEASURES = {"label": Near, "region": Near}
        self._context = context

    def halo(self, opened, options):
        """Return the context."""
        del opened, options
        return self._context

    def begin(self, opened, options):
        """Return no pixel."""
        del options
        return State(opened, self._context)

    def done(self, state, opened, mapped=map):
        """Yield each row."""
        del mapped
        for place, row in enumerate(opened.rows, start=1):
            yield row, Near(*(int(n) for n in state.met[:, place]))


near0, near1, near2, near500 = (Statistic(context) for context in (0, 1, 2, 500))
NAMES = {"near0": 0, "near1": 1, "near2": 2, "near500": 500}


def share(measured):
    """Share of the prediction among such pixels."""
    both = measured.reference + measured.prediction
    return measured.prediction / both if both else math.nan


def install(monkeypatch):
    """Let the statistics be those of an installed package, with a metric each, of the same name."""
    monkeypatch.setattr(plugins, "installed", plugins.installed.__wrapped__)
    for name in NAMES:
        entry = EntryPoint(name, f"near:{name}", "dicecli.statistics")
        monkeypatch.setitem(plugins._entries("statistics"), name, entry)
        metric = Metric(
            name, share, share.__doc__, "-", of=name, better="neither", undefined=BOTH_EMPTY,
            source="Nobody 1900",
        )  # fmt: skip
        monkeypatch.setitem(catalogue(), name, metric)


def brute(prediction, reference, axis, within, ignored=()):
    """Count by whole arrays, label maps or layers alike: by row in its order, Near."""
    if reference.dtype != bool:
        kept = ~np.isin(reference, ignored)
        labels = sorted({*np.unique(reference[kept]), *np.unique(prediction[kept])} - {*ignored})
        pairs = [(reference, prediction, label) for label in labels]
    else:
        kept = np.ones(reference.shape[1:], bool)
        pairs = [(one, other, True) for one, other in zip(reference, prediction, strict=True)]
    return [
        Near(
            *(
                int((near(_known(each, ignored), ~kept, axis, within) & (each == label)).sum())
                for each in both
            )
        )
        for *both, label in pairs
    ]


def _known(labels, ignored):
    """Return labels as codes: those that are ignored are no row, all alike."""
    return np.where(np.isin(labels, ignored), -1, labels.astype(np.int64)) if len(ignored) else labels
