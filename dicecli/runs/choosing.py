"""Which metrics a run is asked for: names, families, numbers in names, and those of other tools."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from dicecli.errors import UsageError
from dicecli.metrics._catalogue import by_values, every_of, resolve, unit_in, usual_of
from dicecli.records.lengths import LENGTHS, PIXELS
from dicecli.runs.conventions import check_metrics, check_words
from dicecli.words import listed, plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from dicecli.metrics._metric import Metric
    from dicecli.records.settings import Reads
    from dicecli.records.tools import Tool

#: No value of any option.
NO_VALUES: Mapping[str, Sequence[str]] = MappingProxyType({})


def asked_for(
    names: str | Iterable[str] | None,
    reads: Reads,
    tolerances: tuple[str, ...] = (),
    like: Tool | None = None,
) -> tuple[str, ...] | None:
    """Return the names of the metrics that a run is asked for; a tolerance is given to see nsd with it.

    Raises
    ------
    UnknownName
    UsageError
        As :func:`chosen_metrics`, or a metric that is another one, or wrong, in the tool to be like.
    """
    words = _words(names)
    if like is not None:
        check_words(like, words)
    found = chosen_metrics(words, reads, values={"tolerance": tolerances})
    if like is not None:
        check_metrics(like, found or (), words)
    parameters = [resolve(each).parameter for each in found or ()]
    if not tolerances or any(each is not None and each.name == "tolerance" for each in parameters):
        return found
    shown = tuple(each.name for each in every_of(reads) if each.shown == "always")
    more = chosen_metrics(["nsd"], reads, values={"tolerance": tolerances}) or ()
    return (*(found or shown), *more)


def chosen_metrics(
    names: str | Iterable[str] | None,
    reads: str = "labels",
    measured: Callable[[Metric], bool] | None = None,
    values: Mapping[str, Sequence[str]] = NO_VALUES,
) -> tuple[str, ...] | None:
    """Return the names of the chosen metrics, each once; ``all`` is every one there is, none chosen is None.

    The name of a family, such as ``boundary``, is its usual ones.

    Parameters
    ----------
    names : str or several, optional
    reads : {"labels", "probabilities"}
        What the run reads.
    measured : callable, optional
        Tells of a metric whether what it needs is there, where nothing can be measured any more: ``all`` is
        of those.
    values : mapping of str to sequence of str
        What stands for the number of a metric that is named without it, by what that number is called.

    Raises
    ------
    UnknownName
    UsageError
        A metric of the other kind of predictions.
    """
    found: dict[str, None] = {}
    for name in _in_full(_words(names), values):
        if name.strip().lower() == "all":
            every = [each for each in every_of(reads) if measured is None or measured(each)]
            found |= dict.fromkeys(each.name for each in every)
        else:
            metric = resolve(name)
            if metric.reads != reads:
                raise _of_the_other_kind(metric.name, metric.reads)
            found[metric.name] = None
    return tuple(found) or None


def chosen_of_counts(names: str | Iterable[str] | None) -> tuple[str, ...] | None:
    """Return the names of the metrics that are chosen where there are no masks: ``all`` is of counts.

    Raises
    ------
    UnknownName
    UsageError
        A metric that needs masks, or is of probability maps.
    """
    found = chosen_metrics(names, "labels", lambda metric: metric.statistic == "matrix")
    others = [each for each in found or () if resolve(each).statistic != "matrix"]
    if others:
        raise UsageError(
            f"{others[0]} is measured of masks, and there are counts alone",
            "Leave it out; or ask for every metric of counts: -m all, in Python metrics='all'.",
        )
    return found


def kind_of_word(word: str) -> Reads | None:
    """Return what a word for metrics is of; None of ``all``.

    It may be that of a family, or lack its number, which an option gives.

    Raises
    ------
    UnknownName
        There is no such metric.
    """
    if plain(word) == "all":
        return None
    values = {"tolerance": (f"1{PIXELS}",)}
    return next(resolve(each).reads for each in _in_full([word], values))


def unit_asked(names: str | Iterable[str] | None) -> str | None:
    """Return the unit that lengths are asked for in, as ``hd95_mm`` does; None where no name says one.

    Raises
    ------
    UsageError
        Two names say different ones.
    """
    units = {}
    for word in _words(names):
        if plain(word).rpartition("_")[2] in LENGTHS:
            unit = unit_in(word, resolve(word))
            if unit is not None:
                units[unit] = word
    if len(units) > 1:
        first, second = list(units.values())[:2]
        raise UsageError(
            f"{first} and {second} are lengths in different units, and a run has one",
            "Name metrics without their units: they are in the unit of the masks.",
        )
    return next(iter(units), None)


def _words(names: str | Iterable[str] | None) -> tuple[str, ...]:
    """Return one name, several or none as they are written; a text may be a list with commas."""
    given = tuple(() if names is None else names) if isinstance(names, (Iterable, type(None))) else (names,)
    given = listed(names) if isinstance(names, str) else given
    if not all(isinstance(name, str) for name in given):
        raise UsageError(f"metrics is {names!r}", "It is the name of a metric, or several: ['dice', 'iou'].")
    return given


def _in_full(names: Iterable[str], values: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Yield names, those of families and those without their number as the words that they stand for."""
    of_values = by_values(values)
    for name in names:
        usual = usual_of(plain(name))
        for each in usual or (name,):
            with_number = of_values.get(plain(each), ())
            yield from with_number or (() if usual and plain(each) in of_values else (each,))


def _of_the_other_kind(name: str, reads: str) -> UsageError:
    if reads == "probabilities":
        return UsageError(
            f"{name} is of probability maps, and these are masks",
            "Score maps: dicecli soft, or dicecli batch --soft; masks have the metrics of 'dicecli score'.",
        )
    return UsageError(
        f"{name} is of masks, and these are probability maps",
        "Hard Dice of maps is dice_argmax or dice_at_half; score masks by dicecli score, or by dicecli batch "
        "without --soft.",
    )
