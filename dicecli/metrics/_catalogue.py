"""The table of metrics: what each one is, means and needs.

A metric is one decorated function in a module of the folder ``metrics``. The decorator puts a
:class:`~dicecli.metrics._metric.Metric` into the table; nothing else in the project has to be touched.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from dicecli.errors import BrokenPlugin, UnknownName
from dicecli.metrics._averaged import taken_apart
from dicecli.metrics._metric import Metric
from dicecli.metrics._planned import planned
from dicecli.plugins import broken, installed, load, own
from dicecli.records.lengths import LENGTHS
from dicecli.statistics._leading import name_of
from dicecli.words import did_you_mean, plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from dicecli.metrics._parameter import Argument
    from dicecli.records.settings import Average, Settings

    Function = TypeVar("Function", bound=Callable[..., float | None])

#: By this option a statistic is told which parts of its measurement are needed.
PARTS = "parts"
BOTH_EMPTY = "reference and prediction are both empty"

_table: dict[str, Metric] = {}
_FOLDER = "dicecli.metrics."


def metric(**facts: Any) -> Callable[[Function], Function]:
    """Register the decorated function under its own name; `facts` are the fields of :class:`Metric`.

    A metric with a parameter says its ``name``, which has that in braces.
    """

    def register(function: Function) -> Function:
        """Put it into the table, and return it as it is."""
        if not function.__module__.startswith(_FOLDER):
            catalogue()  # so that the names of the folder are taken, whoever is loaded first
        known = _table.get(function.__name__)
        if known is not None and known.function.__module__ != function.__module__:
            raise ValueError(f"there is a metric {function.__name__} already, of {known.function.__module__}")
        summary = (function.__doc__ or "").strip().partition("\n")[0].rstrip(".")
        if not summary:
            raise ValueError(f"the metric {function.__name__} has no docstring, whose first line sums it up")
        name = facts.pop("name", function.__name__)
        _table[function.__name__] = Metric(name, function, summary, **facts)
        return function

    return register


@cache
def catalogue() -> dict[str, Metric]:
    """Return every metric of the folder by its name, in the order of the families and of their definition."""
    for family in sorted(own("metrics"), key=lambda name: (name not in {"overlap", "soft"}, name)):
        load("metrics", family)
    # An installed package may have registered its own before.
    return {each.name: each for each in _table.values() if each.function.__module__.startswith(_FOLDER)}


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

    found = _table[name]
    check_statistic(found.statistic, name, found.parameter and found.parameter.name)
    return found


def resolve(name: str) -> Metric:
    """Find a metric by its name or one of its aliases; case, hyphens and spaces do not matter.

    A name that is not in the catalogue is looked up among the metrics of installed packages: entry points of
    ``dicecli.metrics``, each a module that registers one of that name.

    Raises
    ------
    UnknownName
        No metric has that name.
    UsageError
        The number in the name of a metric with a parameter is none that it takes.
    """
    wanted = plain(name)
    table = catalogue()
    for each in table.values():
        if (found := each.asked_as(wanted)) is not None:
            return found
    # The other words of a metric show only once it is loaded: the one of that name is asked first.
    for each_name in sorted(installed("metrics"), key=lambda each: plain(each) != wanted):
        try:
            found = added(each_name).asked_as(wanted)
        except BrokenPlugin:
            if wanted.startswith(plain(each_name)):
                raise
            continue
        if found is not None:
            return found
    raise _unknown(wanted, table.values())


def averaged(word: str) -> tuple[Metric, Average] | None:
    """Return the metric and the average that a word of the field means, such as ``miou``; None for any other.

    What it means is a number of a report, and no metric.
    """
    found = taken_apart(plain(word))
    if found is None:
        return None
    try:
        metric = resolve(found[0])
    except UnknownName:
        return None
    return (metric, found[1]) if metric.averaged else None


def _unknown(wanted: str, known: Iterable[Metric]) -> UnknownName:
    number = averaged(wanted)
    if number is not None:
        metric, average = number
        return UnknownName(
            f"'{wanted}' is an average, {average} {metric.name}, and no metric",
            f"Ask for the metric: -m {metric.name}. Its averages are given with it; in gates, and to "
            f"'dicecli explain', this one is {metric.name}@{average}.",
        )
    what = planned(wanted)
    if what is not None:
        return UnknownName(
            f"'{wanted}' is {what}, and those are not there yet",
            "'dicecli metrics' lists what there is; an installed package can bring others.",
        )
    words = (word for each in known for word in (each.example, *each.aliases))
    meant = did_you_mean(wanted, (*words, *installed("metrics")))
    return UnknownName(f"there is no metric '{wanted}'", f"{meant}'dicecli metrics' lists every one.")


def unit_in(name: str, metric: Metric) -> str | None:
    """Return the unit that a word for a metric names with it; None where it names none."""
    stem, _, last = plain(name).rpartition("_")
    if metric.unit is None or last not in LENGTHS:
        return None
    try:
        without = resolve(stem)
    except UnknownName:
        return None
    return last if without == metric else None


def statistics_of(names: Iterable[str] | None, leading: str = "matrix") -> tuple[str, ...]:
    """Return the statistics that a run has to measure for its metrics, each once; the leading one always.

    None stands for metrics of the leading one alone, as in the settings. Raises UnknownName.
    """
    return tuple(dict.fromkeys((leading, *(resolve(name).statistic for name in names or ()))))


def statistics_needed(settings: Settings) -> tuple[str, ...]:
    """Return the statistics that a run with these settings measures, each once, the leading one first.

    Raises
    ------
    UnknownName
    """
    of_metrics = statistics_of(settings.metrics, name_of(settings.reads))
    return tuple(dict.fromkeys((*of_metrics, *settings.statistics)))


def measured_for(metric: Metric) -> str | None:
    """Return the option by which a statistic is told the number in a metric's name; None for none."""
    name = None if metric.parameter is None or metric.argument is None else metric.parameter.name
    return name if name in load("statistics", metric.statistic).OPTIONS else None


def arguments_of(names: Iterable[str] | None, statistic: str) -> dict[str, tuple[Argument | str, ...]]:
    """Return the numbers in the names of the metrics of a statistic that were asked for, by the parameter.

    With them, as ``parts``, what these metrics need of the measurement.
    """
    found: dict[str, dict[Argument | str, None]] = {}
    for each in map(resolve, names or ()):
        if each.statistic != statistic:
            continue
        if each.parameter is not None and each.argument is not None:
            found.setdefault(each.parameter.name, {})[each.argument] = None
        if each.needs:
            found.setdefault(PARTS, {}).update(dict.fromkeys(each.needs))
    return {name: tuple(sorted(values)) for name, values in found.items()}


def by_values(values: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Return the words without their number, each with what settings of the number's name make of it.

    ``nsd`` is ``nsd_2mm`` and ``nsd_4mm`` with the tolerances ``2mm`` and ``4mm``.
    """
    found: dict[str, list[str]] = {}
    for each in catalogue().values():
        if each.parameter is not None and each.parameter.name in values:
            for word in each.words:
                texts = [word.replace(each.parameter.braces, text) for text in values[each.parameter.name]]
                found[each.parameter.stem(word)] = texts
    return found


def usual_of(family: str) -> tuple[str, ...]:
    """Return the metrics that a family is usually reported by, where its module names them: ``USUAL``."""
    usual: tuple[str, ...] = getattr(load("metrics", family), "USUAL", ()) if family in own("metrics") else ()
    return usual


def every_of(reads: str) -> tuple[Metric, ...]:
    """Return every metric of the folder that is of masks of labels, or of maps of probabilities.

    Without those that need a number in their name: which one is for the user to say.
    """
    return tuple(each for each in catalogue().values() if each.reads == reads and each.parameter is None)
