"""What a metric is: a pure function of one statistic's measurement, and what a paper would say of it.

The file is long because a metric says much of itself, each field with what it means.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Literal

from dicecli.plugins import blame, load
from dicecli.records.lengths import LENGTHS, PIXELS
from dicecli.statistics._leading import statistic_of, taken_as
from dicecli.words import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from dicecli.metrics._parameter import Argument, Parameter
    from dicecli.records.cases import Scored
    from dicecli.records.settings import Reads, Settings

#: What metrics are of that take what the statistic has which leads a run.
_LED = tuple(map(taken_as, ("labels", "probabilities")))


@dataclass(frozen=True)
class Metric:
    """One metric, as the catalogue shows it.

    Attributes
    ----------
    name : str
        The word on the command line, in Python, and in every column's header; with ``{parameter}`` in it
        where the word has a number of the user's.
    function : callable
        What computes it, of what `of`, `takes`, `size` and `unit` say, with `options` and the parameter as
        keywords. NaN is undefined; None says that there is no such number of this measurement at all.
    summary : str
        One line for lists: the first of the function's docstring.
    formula, undefined, source : str
        What a paper would say. `undefined` says when the value is NaN.
    low, high : float
        The ends of its range; infinite where there is none.
    remark : str
        What else is to be said of the range.
    better : {"higher", "lower", "neither"}
        The direction that gates and rankings need.
    of : str
        The statistic whose measurement the function takes. ``counts``: the four counts of a label or region
        (:class:`~dicecli.records.counts.Counts`), which come from the confusion matrix.
    takes : {"row", "every"}
        ``row``: the measurement of one label or region. ``every``: what the statistic has of all labels at
        once, for one number of the whole pair.
    size : {"mm3", "m2"} or None
        Of counts: the function also takes the size of a pixel, NaN where unknown.
    unit : {"length"} or None
        ``length``: the value is a length, in the unit of the case, or in pixels. Columns have the unit in
        their names.
    takes_spacing : bool
        Of a length: the function also takes the spacing of the case, a tuple of float; None: in pixels.
    needs : tuple of str
        The parts of the measurement that the function needs. A statistic that has ``parts`` among its options
        measures those that metrics which were asked for need; of a measurement without one the function gives
        None.
    pools : bool
        Whether measurements that are added up, over labels or over cases, have a value that means something.
        Distances of several cases do not, and a length cannot: averages are then means of values.
    follows_undefined : bool
        Whether ``--undefined zero|one`` puts a value where this one is NaN.
    is_empty : callable or None
        Where the value may be NaN for other reasons, too: tells of a measurement whether both sides are
        empty; ``--undefined`` puts a value there alone.
    infinite : bool
        Whether a case may be infinitely wrong, as a distance is where one mask is empty: reports then always
        say how many cases are, and what the mean of the others is.
    tuned : bool
        Whether the value is chosen on the data that it is of, as a best threshold is: pooled values lead,
        and means over cases are of each case's own.
    shown : {"always", "rows", "asked"}
        Where it is shown if no metric was chosen: in every table; in rows of all cases (CSV) and the table of
        one case alone; nowhere but in JSON.
    options : tuple of str
        Settings that the function takes as keywords.
    parameter : Parameter or None
        The number in its name.
    argument : float, Length or None
        Its value, once the metric was asked for. Where the statistic has an option of the parameter's name,
        it measures for the values asked for: of a measurement made for others the function gives None.
    resampled : bool
        Whether averages of what is added up have an interval: False where scoring thousands of resamples
        takes too long. Those of `over_labels` have none.
    over_labels : callable or None
        What the mean over labels is where it is not the mean of values: takes the measurements of the labels,
        and their weights or None.
    aliases : tuple of str
        Other names of the field for the same number.
    spoken : str
        What people call it in a sentence, with ``{parameter}`` where it has a number; empty: its name, with
        blanks and a capital.

    Raises
    ------
    ValueError
        Fields that contradict each other.
    """

    name: str
    function: Callable[..., float | None]
    summary: str
    formula: str
    undefined: str
    source: str
    low: float = 0.0
    high: float = 1.0
    remark: str = ""
    better: Literal["higher", "lower", "neither"] = "higher"
    of: str = "counts"
    takes: Literal["row", "every"] = "row"
    size: Literal["mm3", "m2"] | None = None
    unit: Literal["length"] | None = None
    takes_spacing: bool = False
    needs: tuple[str, ...] = ()
    pools: bool = True
    follows_undefined: bool = False
    is_empty: Callable[[Any], bool] | None = None
    infinite: bool = False
    tuned: bool = False
    shown: Literal["always", "rows", "asked"] = "asked"
    options: tuple[str, ...] = ()
    parameter: Parameter | None = None
    argument: Argument | None = None
    resampled: bool = True
    over_labels: Callable[..., float] | None = None
    aliases: tuple[str, ...] = ()
    spoken: str = ""
    given: tuple[tuple[str, object], ...] = ()

    def __post_init__(self) -> None:
        if self.takes == "every" and self.of not in _LED:
            raise ValueError(f"{self.name}: only metrics of {' and '.join(_LED)} take all labels at once")
        if self.of != "counts" and self.size is not None:
            raise ValueError(f"{self.name}: only metrics of counts take the size of a pixel")
        if self.takes_spacing and self.unit is None:
            raise ValueError(f"{self.name}: only lengths take the spacing")
        if self.unit is not None and self.pools:
            raise ValueError(f"{self.name}: a length is of one case's spacing and does not pool: pools=False")
        if not self.low <= self.high:
            raise ValueError(f"{self.name}: its range ends at {self.high:g}, before its start {self.low:g}")
        is_open = self.parameter is not None and self.argument is None
        known = [each.name for each in [self.parameter] if each is not None and is_open]
        if re.findall(r"\{(.*?)\}", self.name) != known or (
            self.parameter is None and self.argument is not None
        ):
            raise ValueError(f"{self.name}: a parameter stands in braces in the name, and nothing else does")

    @property
    def statistic(self) -> str:
        """The statistic that has to be measured for it."""
        return statistic_of(self.of)

    @property
    def reads(self) -> Reads:
        """What a prediction has to be: ``labels``, or ``probabilities``."""
        found: Reads = load("statistics", self.statistic).READS
        return found

    @property
    def in_words(self) -> str:
        """What people call it in a sentence; a length without its unit."""
        plain = self.name.replace("_", " ")
        return self.spoken or f"{plain[:1].upper()}{plain[1:]}"

    @property
    def span(self) -> str:
        """The ends of its range, in words."""
        low, high = (f"{end:.4g}".replace("inf", "infinity") for end in (self.low, self.high))
        return f"{low} to {high}"

    @property
    def range(self) -> str:
        """The range as people read it."""
        return f"{self.span}, {self.remark}" if self.remark else self.span

    @property
    def averaged(self) -> bool:
        """Whether averages over labels and cases make sense; absolute sizes have none."""
        return self.takes == "row" and self.size is None

    @property
    def example(self) -> str:
        """A word that means it: its name, with a number where it takes one."""
        if self.parameter is None or self.argument is not None:
            return self.name
        return self.parameter.example(self.name)

    @cached_property
    def words(self) -> tuple[str, ...]:
        """Every word that means it: name and other names, of a length also with each unit."""
        plain = (self.name, *self.aliases)
        return (*plain, *(f"{word}_{unit}" for word in plain for unit in (LENGTHS if self.unit else ())))

    @cached_property
    def _plain_words(self) -> frozenset[str]:
        return frozenset(map(plain, self.words))

    def asked_as(self, word: str) -> Metric | None:
        """Return the metric that a plain word means, with the number that stands in it; None: another one.

        Raises
        ------
        UsageError
            The number is none that the parameter takes.
        """
        if self.parameter is None or self.argument is not None:
            return self if word in self._plain_words else None
        argument = self.parameter.read(word, self.words, self.example)
        if argument is None:
            return None
        name, spoken = (self.parameter.put(each, argument) for each in (self.name, self.in_words))
        return replace(self, name=name, spoken=spoken, argument=argument)

    def with_settings(self, settings: Settings, unit: str) -> Metric:
        """Return the metric as a report has it: with its options, and with its unit in its name."""
        given = {name: settings.option(name) for name in self.options}
        if self.parameter is not None:
            given[self.parameter.name] = self.argument
        name = self.name if self.unit is None else f"{self.name}_{unit}"
        return replace(self, name=name, spoken=self.in_words, given=tuple(given.items()))

    def value(
        self,
        measurement: object,
        sizes: Mapping[str, float] | None = None,
        undefined: str = "skip",
        spacing: tuple[float, ...] | None = None,
    ) -> float:
        """Compute the metric of one label or region; undefined is NaN, unless the policy puts a value.

        A `measurement` of None is one that the statistic does not have of such a row.
        """
        (result,) = self._called([measurement], self._known(sizes, spacing))
        return self._settled(result, undefined, measurement)

    def called(self, measurement: object) -> float | None:
        """Call the function with a measurement alone; None: there is no such number of it at all."""
        (result,) = self._called([measurement], self._known({}, None))
        return result

    def at_once(self, measurements: object) -> object:
        """Call the function with many measurements in place of one; None where it does not take them.

        See :class:`~dicecli.records.wholes.Wholes`.
        """
        try:
            return self.function(measurements, **dict(self.given))
        except (TypeError, ValueError, AttributeError, OverflowError):
            return None

    def of_case(self, measurements: Sequence[object], case: Scored, undefined: str = "skip") -> list[float]:
        """Compute the metric of some rows of a case, with what the case has of sizes and spacing."""
        if self.unit is not None and case.length is None:
            return [math.nan for _ in measurements]
        spacing = None if case.length == PIXELS else case.spacing
        found = self._called(measurements, self._known(case.sizes, spacing))
        return [
            self._settled(each, undefined, measurement)
            for each, measurement in zip(found, measurements, strict=True)
        ]

    def _known(
        self, sizes: Mapping[str, float] | None, spacing: tuple[float, ...] | None
    ) -> tuple[object, ...]:
        """Return what the function takes beside the measurement."""
        if self.size is not None:
            return ((sizes or {}).get(self.size, math.nan),)
        return (spacing,) if self.takes_spacing else ()

    def _called(self, measurements: Sequence[object], known: tuple[object, ...]) -> list[float | None]:
        function = partial(self.function, **dict(self.given)) if self.given else self.function
        try:
            return [None if each is None else function(each, *known) for each in measurements]
        except Exception as error:  # whatever a package's metric raises; blamed on it, or raised as it is
            blame("metrics", self.function.__name__, error)
            raise

    def _settled(self, result: float | None, undefined: str, measurement: object) -> float:
        """Return a value, or what stands for one that is undefined."""
        if result is None:
            return math.nan
        if not math.isnan(result) or undefined == "skip" or not self.follows_undefined:
            return result
        if self.is_empty is not None and not self.is_empty(measurement):
            return result
        return 0.0 if undefined == "zero" else 1.0
