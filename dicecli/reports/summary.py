"""What a run is summed up as: the statistics over cases of every label, region and metric."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Spread:
    """The mean of some values, and how sure it is. NaN where it is not defined.

    Attributes
    ----------
    n : int
        How many values.
    mean : float
        Their mean.
    sd : float
        Their standard deviation, with n - 1.
    ci_low, ci_high : float
        95 % confidence interval of the mean.
    """

    n: int
    mean: float
    sd: float
    ci_low: float
    ci_high: float


@dataclass(frozen=True)
class Statistics:
    """One metric of one label or region over the cases. NaN where it is not defined.

    Attributes
    ----------
    expected : int
        Cases of the run.
    scored : int
        Those of them that have measurements of this row.
    n : int
        Those with a defined value, which the statistics are of.
    undefined : int
        Those that were scored, but where the value is undefined: 0/0.
    missing : int
        Cases of the run that were not scored, or lack the row.
    mean : float
        Of the defined values.
    sd : float
        Their standard deviation, with n - 1.
    median : float
        The middle one.
    q1, q3 : float
        The quartiles, linear (type 7).
    min, max : float
        The smallest and the largest.
    ci_low, ci_high : float
        95 % confidence interval of the mean: percentile bootstrap over cases, or over groups of cases.
    pooled : float
        The metric of the counts added up over cases.
    infinite : int
        Those of `n` that are infinite: cases that were missed altogether. The mean is infinite then, without
        a standard deviation and an interval; the median and quartiles are values of cases, each the least
        that so large a share does not exceed.
    finite : Spread
        The mean of the other cases, their standard deviation and the interval of that mean.
    """

    expected: int
    scored: int
    n: int
    undefined: int
    missing: int
    mean: float
    sd: float
    median: float
    q1: float
    q3: float
    min: float
    max: float
    ci_low: float
    ci_high: float
    pooled: float
    infinite: int
    finite: Spread


@dataclass(frozen=True)
class RowSummary:
    """One label or region over the cases: the statistics by metric, and the cases where it went worst."""

    label: int | None
    name: str | None
    metrics: dict[str, Statistics]
    worst: tuple[tuple[str, float], ...]

    @property
    def title(self) -> str:
        """What people call it."""
        return self.name or f"label {self.label}"


@dataclass(frozen=True)
class Summary:
    """All statistics of a run.

    Attributes
    ----------
    rows : tuple of RowSummary
        In the order of the report's rows.
    ranked : str or None
        The metric by which cases are worst.
    resampled : {"case", "group"}
    """

    rows: tuple[RowSummary, ...]
    ranked: str | None
    resampled: str
