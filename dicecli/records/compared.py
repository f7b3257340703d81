"""What became of the numbers of a run since an earlier one."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Literal

from dicecli.records.codec import fields, read, written
from dicecli.records.measurements import Label, Whole  # noqa: TC001 - the codec reads types
from dicecli.records.undefined import number, read_numbers

if TYPE_CHECKING:
    from dicecli.records.codec import Json


@dataclass(frozen=True)
class Change:
    """One number in the baseline and in this run, over the cases that both scored. NaN where undefined.

    Attributes
    ----------
    metric : str
        Its name.
    average : str
        Over labels or regions the one that leads; of a label ``macro`` is the pooled value, ``label-mean``
        the mean over the cases.
    label : int or None
        The label that it is of; None: a region's, or of all.
    name : str or None
        The name of the label or region; None: it has none, or the number is of all.
    better : {"higher", "lower", "neither"}
        Which direction is.
    old, new : float
        The number in the baseline, and in this run.
    difference : float
        The new one less the old one.
    n : int
        Cases where both values of the case itself are finite.
    mean_difference : float
        The mean, over these, of what is new in the case less what was old.
    ci_low, ci_high : float
        95 % confidence interval of that mean: percentile bootstrap over cases, or over groups of cases.
    """

    metric: str
    average: str
    label: Label | None
    name: str | None
    better: Literal["higher", "lower", "neither"]
    old: float
    new: float
    difference: float
    n: Whole
    mean_difference: float
    ci_low: float
    ci_high: float

    @property
    def leads(self) -> bool:
        """Whether it is of all labels or regions, not of one."""
        return self.label is None and self.name is None

    @property
    def title(self) -> str:
        """What gates call it: ``dice@macro``, ``dice[liver]``."""
        if self.leads:
            return f"{self.metric}@{self.average}"
        return f"{self.metric}[{self.label if self.name is None else self.name}]"


@dataclass(frozen=True)
class Comparison:
    """A run beside its baseline.

    Attributes
    ----------
    baseline : str or None
        The file that the baseline was read from; None where it was none.
    common : int
        Cases that both scored, which every number here is of.
    only_in_baseline, only_in_run : tuple of str
        The cases that one of them alone scored.
    resampled : {"case", "group"}
        What was drawn for the intervals.
    notes : tuple of str
        What is to be known beside: other settings, metrics that could not be compared.
    changes : tuple of Change
        Of each metric the average that leads, then each label and region.
    """

    baseline: str | None
    common: Whole
    only_in_baseline: tuple[str, ...]
    only_in_run: tuple[str, ...]
    resampled: Literal["case", "group"]
    notes: tuple[str, ...]
    changes: tuple[Change, ...]


def comparison_written(comparison: Comparison) -> Json:
    """Return a comparison in JSON's types; undefined is None, infinity a text."""
    changes = [
        {name: number(each) if isinstance(each, float) else each for name, each in asdict(change).items()}
        for change in comparison.changes
    ]
    return {**written(replace(comparison, changes=())), "changes": changes}


def comparison_read(content: Json, where: str) -> Comparison:
    """Build a comparison from what :func:`comparison_written` gave; its numbers are not computed again.

    Raises
    ------
    TypeError, LookupError, ValueError
        Not what it gives.
    """
    numbers = tuple(name for name, kind in fields(Change).items() if kind is float)
    changes = tuple(
        read_numbers(Change, each, f"{where}.changes[{place}]", numbers)
        for place, each in enumerate(content["changes"])
    )
    found: Comparison = read(Comparison, {**content, "changes": []}, where)
    return replace(found, changes=changes)
