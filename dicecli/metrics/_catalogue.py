"""The table of metrics: what each one is, means and needs.

A metric is one decorated function in a module of the folder ``metrics``. The decorator puts a
:class:`Metric` into the table; nothing else in the project has to be touched.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from dicecli.errors import BrokenPlugin
from dicecli.plugins import blame, broken, installed, load, own, unknown
from dicecli.records.cases import LENGTHS, PIXELS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from dicecli.records.cases import Scored

BOTH_EMPTY = "reference and prediction are both empty"


@dataclass(frozen=True)
class Metric:
    """One metric, as the catalogue shows it.

    Attributes
    ----------
    name : str
        The word on the command line, in Python, and in every column's header.
    function : callable
        What computes it, of what `of`, `takes`, `size` and `unit` say; NaN is undefined.
    summary : str
        One line for lists: the first of the function's docstring.
    formula, range, undefined, source : str
        What a paper would say. `undefined` says when the value is NaN.
    better : {"higher", "lower", "neither"}
        The direction that gates and rankings need.
    of : str
        The statistic whose measurement the function takes. ``counts``: the four counts of a label or region
        (:class:`~dicecli.records.counts.Counts`), which come from the confusion matrix.
    takes : {"row", "every"}
        ``row``: the measurement of one label or region. ``every``: the counts of all labels, for one number
        of the whole pair.
    size : {"mm3", "m2"} or None
        Of counts: the function also takes the size of a pixel, NaN where unknown.
    unit : {"length"} or None
        ``length``: the function also takes the spacing of the case, a tuple of float, and gives a length in
        its unit; None instead of the spacing: in pixels. Columns have the unit in their names.
    pools : bool
        Whether measurements that are added up, over labels or over cases, have a value that means something.
        Distances of several cases do not, and a length cannot: averages are then means of values.
    aliases : tuple of str
        Other names of the field for the same number.

    Raises
    ------
    ValueError
        Fields that contradict each other.
    """

    name: str
    function: Callable[..., float]
    summary: str
    formula: str
    range: str
    undefined: str
    source: str
    better: Literal["higher", "lower", "neither"] = "higher"
    of: str = "counts"
    takes: Literal["row", "every"] = "row"
    size: Literal["mm3", "m2"] | None = None
    unit: Literal["length"] | None = None
    pools: bool = True
    aliases: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.of != "counts" and (self.takes != "row" or self.size is not None):
            raise ValueError(f"{self.name}: only metrics of counts take every label, or the size of a pixel")
        if self.unit is not None and self.pools:
            raise ValueError(f"{self.name}: a length is of one case's spacing and does not pool: pools=False")

    @property
    def statistic(self) -> str:
        """The statistic that has to be measured for it."""
        return "matrix" if self.of == "counts" else self.of

    @property
    def reads(self) -> str:
        """What a prediction has to be: ``labels``, or ``probabilities``."""
        return str(load("statistics", self.statistic).READS)

    @property
    def averaged(self) -> bool:
        """Whether averages over labels and cases make sense; absolute sizes have none."""
        return self.takes == "row" and self.size is None

    @property
    def follows_policy(self) -> bool:
        """Whether ``--undefined zero|one`` puts a value where both masks are empty."""
        return self.undefined == BOTH_EMPTY and self.pools

    @property
    def words(self) -> tuple[str, ...]:
        """Every word that means it: name and other names, of a length also with each unit."""
        plain = (self.name, *self.aliases)
        return (*plain, *(f"{word}_{unit}" for word in plain for unit in (LENGTHS if self.unit else ())))

    def in_unit(self, unit: str) -> Metric:
        """Return the metric as a report has it whose lengths are in a unit: the unit stands in its name."""
        return self if self.unit is None else replace(self, name=f"{self.name}_{unit}")

    def value(
        self,
        measurement: Any,
        sizes: Mapping[str, float] | None = None,
        undefined: str = "skip",
        spacing: tuple[float, ...] | None = None,
    ) -> float:
        """Compute the metric of one label or region; undefined is NaN, unless the policy puts a value.

        A `measurement` of None is one that the statistic does not have of such a row.
        """
        if measurement is None:
            return math.nan
        try:
            if self.size is not None:
                result = self.function(measurement, (sizes or {}).get(self.size, math.nan))
            elif self.unit is not None:
                result = self.function(measurement, spacing)
            else:
                result = self.function(measurement)
            if not math.isnan(result) or undefined == "skip" or not self.follows_policy:
                return result
        except Exception as error:  # whatever a package's metric raises; blamed on it, or raised as it is
            blame("metrics", self.function.__name__, error)
            raise
        return 0.0 if undefined == "zero" else 1.0

    def of_case(self, measurements: Sequence[Any], case: Scored, undefined: str = "skip") -> list[float]:
        """Compute the metric of some rows of a case, with what the case has of sizes and spacing."""
        if self.unit is None:
            return [self.value(each, case.sizes, undefined) for each in measurements]
        if case.length is None:
            return [math.nan for _ in measurements]
        spacing = None if case.length == PIXELS else case.spacing
        return [self.value(each, None, undefined, spacing) for each in measurements]


_table: dict[str, Metric] = {}
_FOLDER = "dicecli.metrics."


def metric(**facts: Any) -> Callable[[Callable[..., float]], Callable[..., float]]:
    """Register the decorated function under its own name; `facts` are the fields of :class:`Metric`."""

    def register(function: Callable[..., float]) -> Callable[..., float]:
        """Put it into the table, and return it as it is."""
        known = _table.get(function.__name__)
        if known is not None and known.function.__module__ != function.__module__:
            raise ValueError(f"there is a metric {function.__name__} already, of {known.function.__module__}")
        summary = (function.__doc__ or "").strip().splitlines()[0].rstrip(".")
        _table[function.__name__] = Metric(function.__name__, function, summary, **facts)
        return function

    return register


@cache
def catalogue() -> dict[str, Metric]:
    """Return every metric of the folder by its name, in the order of the families and of their definition."""
    for family in sorted(own("metrics"), key=lambda name: (name != "overlap", name)):
        load("metrics", family)
    # An installed package may have registered its own before.
    return {name: each for name, each in _table.items() if each.function.__module__.startswith(_FOLDER)}


def _plain(name: str) -> str:
    """Return a name without what does not matter in it: case, hyphens, spaces."""
    return name.strip().lower().replace("-", "_").replace(" ", "_")


def added(name: str) -> Metric:
    """Return a metric that an installed package brings.

    Raises
    ------
    BrokenPlugin
        Its module cannot be loaded or has no metric of that name, or that metric's statistic is no such.
    """
    load("metrics", name)
    if name not in _table:
        raise broken("metrics", name, "cannot be loaded: its module defines none of that name with @metric")
    from dicecli.records.installed import check_statistic

    check_statistic(_table[name].statistic, name)
    return _table[name]


def resolve(name: str, others: tuple[str, ...] = ()) -> Metric:
    """Find a metric by its name or one of its aliases; case, hyphens and spaces do not matter.

    A name that is not in the catalogue is looked up among the metrics of installed packages: entry points of
    ``dicecli.metrics``, each a module that registers one of that name. An error may propose `others` too.

    Raises
    ------
    UnknownName
        No metric has that name.
    """
    wanted = _plain(name)
    table = catalogue()
    for each in table.values():
        if wanted in map(_plain, each.words):
            return each
    # The other words of a metric show only once it is loaded: the one of that name is asked first.
    for each_name in sorted(installed("metrics"), key=lambda each: _plain(each) != wanted):
        try:
            each = added(each_name)
        except BrokenPlugin:
            if wanted.startswith(_plain(each_name)):
                raise
            continue
        if wanted in map(_plain, each.words):
            return each
    aliases = (alias for each in table.values() for alias in each.aliases)
    raise unknown("metric", wanted, (*table, *installed("metrics")), (*aliases, *others))


def unit_in(name: str) -> str | None:
    """Return the unit that a word for a metric names with it; None where it names none."""
    metric, (stem, _, last) = resolve(name), _plain(name).rpartition("_")
    is_named = metric.unit is not None and stem in map(_plain, (metric.name, *metric.aliases))
    return last if is_named else None


def statistics_of(names: Iterable[str] | None) -> tuple[str, ...]:
    """Return the statistics that a run has to measure for its metrics, each once; the matrix always.

    None stands for metrics of the matrix alone, as in the settings. Raises UnknownName.
    """
    return tuple(dict.fromkeys(("matrix", *(resolve(name).statistic for name in names or ()))))


def of_masks() -> tuple[str, ...]:
    """Return the name of every metric of the folder that is of masks, not of maps of probabilities."""
    return tuple(name for name, each in catalogue().items() if each.reads == "labels")
