"""The table of metrics: what each one is, means and needs.

A metric is one decorated function in a module of the folder ``metrics``. The decorator puts a
:class:`Metric` into the table; nothing else in the project has to be touched.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from dicecli.errors import BrokenPlugin
from dicecli.plugins import installed, load, own, unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dicecli.records.counts import Counts

Needs = Literal["counts", "mm3", "m2", "labels"]
BOTH_EMPTY = "reference and prediction are both empty"


@dataclass(frozen=True)
class Metric:
    """One metric, as the catalogue shows it.

    Attributes
    ----------
    name : str
        The word on the command line, in Python, and in every column's header.
    function : callable
        What computes it; see `needs`.
    summary : str
        One line for lists: the first of the function's docstring.
    formula, range, undefined, source : str
        What a paper would say. `undefined` says when the value is NaN.
    better : {"higher", "lower", "neither"}
        The direction that gates and rankings need.
    needs : {"counts", "mm3", "m2", "labels"}
        ``counts``: the function takes a :class:`~dicecli.records.counts.Counts`. ``mm3`` and ``m2``: it also
        takes the size of a voxel or pixel in that unit, NaN where unknown. ``labels``: it takes the counts of
        all labels, and gives one number for the whole pair.
    aliases : tuple of str
        Other names of the field for the same number.
    """

    name: str
    function: Callable[..., float]
    summary: str
    formula: str
    range: str
    undefined: str
    source: str
    better: Literal["higher", "lower", "neither"] = "higher"
    needs: Needs = "counts"
    aliases: tuple[str, ...] = ()

    @property
    def averaged(self) -> bool:
        """Whether averages over labels and cases make sense; absolute sizes have none."""
        return self.needs == "counts"

    @property
    def follows_policy(self) -> bool:
        """Whether ``--undefined zero|one`` puts a value where both masks are empty."""
        return self.undefined == BOTH_EMPTY

    def value(
        self, counts: Counts, sizes: Mapping[str, float] | None = None, undefined: str = "skip"
    ) -> float:
        """Compute the metric of one label or region; undefined is NaN, unless the policy puts a value."""
        if self.needs == "counts":
            result = self.function(counts)
        else:
            result = self.function(counts, (sizes or {}).get(self.needs, math.nan))
        if math.isnan(result) and self.follows_policy and undefined != "skip":
            return 0.0 if undefined == "zero" else 1.0
        return result


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
        Its module cannot be loaded, or has no metric of that name.
    """
    load("metrics", name)
    if name not in _table:
        raise BrokenPlugin(
            f"an installed package names the metric '{name}', and its module defines none of that name",
            "Its entry point has the name of the function that is decorated with @metric.",
        )
    return _table[name]


def resolve(name: str, others: tuple[str, ...] = ()) -> Metric:
    """Find a metric by its name or one of its aliases; case, hyphens and spaces do not matter.

    A name that is not in the catalogue is looked up among those of installed packages: entry points of the
    group ``dicecli.metrics``, each a module that registers a metric of that name. `others`
    are names that an error may propose too.

    Raises
    ------
    UnknownName
        No metric has that name.
    """
    wanted = _plain(name)
    table = catalogue()
    if wanted in table:
        return table[wanted]
    for each in table.values():
        if wanted in map(_plain, each.aliases):
            return each
    for each_name in installed("metrics"):
        if _plain(each_name) == wanted:
            return added(each_name)
    aliases = (alias for each in table.values() for alias in each.aliases)
    raise unknown("metric", wanted, (*table, *installed("metrics")), (*aliases, *others))
