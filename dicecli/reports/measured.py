"""What was measured of a case, row by row, as metrics take it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dicecli.errors import UsageError
from dicecli.metrics._catalogue import measured_for
from dicecli.plugins import load
from dicecli.records.counts import Counts, pooled
from dicecli.statistics._leading import statistic_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from dicecli.metrics._metric import Metric
    from dicecli.records.cases import Scored
    from dicecli.records.measurements import Row
    from dicecli.statistics._leading import Leading


def measurements(result: Scored, of: str, rows: Sequence[Row]) -> list[Any]:
    """Return what metrics take of each row in one case.

    Parameters
    ----------
    of : str
        What metrics say they are of: ``counts``, or the name of a statistic.

    Returns
    -------
    list
        Of a row of which the case has nothing it is the measurement of nothing, and None where the statistic
        measures no row of its kind, or the case has no such row at all.
    """
    statistic = load("statistics", statistic_of(of))
    if hasattr(statistic, "taken"):
        return list(statistic.taken(result, rows))
    kinds = statistic.MEASURES
    found = {_key(row): each for row, each in result.measured.get(of, {}).items()}
    return [
        found[_key(row)] if _key(row) in found else kinds[row.kind].zero() if row.kind in kinds else None
        for row in rows
    ]


def _key(row: Row) -> tuple[str, int | str | None]:
    return row.kind, row.name if row.kind == "region" else row.label


def added(many: Iterable[Any]) -> Any:
    """Add measurements of one statistic; None where there are none."""
    every = [each for each in many if each is not None]
    if not every or isinstance(every[0], Counts):
        return pooled(every) if every else None
    total = every[0]
    for each in every[1:]:
        total += each
    return total


def check_measured(
    scored: Iterable[Scored], metrics: Iterable[Metric], has_something: Callable[[Scored], bool]
) -> None:
    """Check that of each case everything was measured that metrics need; these are as a report has them.

    Raises
    ------
    UsageError
        A case in which there is something to measure has no measurement of a statistic, or none for the
        number in a metric's name.
    """
    needed = {
        (each.statistic, each.needs, each.argument if measured_for(each) else None): each for each in metrics
    }
    for result in scored if needed else ():
        for (statistic, parts, argument), metric in needed.items():
            # Where neither mask holds anything, nothing is what was measured.
            if not has_something(result):
                continue
            if statistic not in result.measured:
                what = f"needs the statistic '{statistic}', which was not measured"
            elif (argument is None and not parts) or not _lacks(result, metric):
                continue
            elif argument is not None:
                what = f"has a number in its name for which the statistic '{statistic}' was not measured"
            else:
                what = f"needs {' and '.join(parts)} of the statistic '{statistic}', which it lacks"
            raise UsageError(
                f"{metric.name} {what} of the case {result.case.name}",
                f"Score the masks again with -m {metric.name}: what was measured stands in the JSON then.",
            )


def check_rows_measured(
    scored: Iterable[Scored], metrics: Iterable[Metric], rows: Sequence[Row], head: Leading
) -> None:
    """Check that of each row that is there in a case that was measured which is of some rows alone.

    Parameters
    ----------
    head : Leading
        The statistic that leads, which knows what is there.

    Raises
    ------
    UsageError
        It was measured while other labels alone were asked for.
    """
    needed = {each.statistic: each for each in metrics}
    named = {name: each for name, each in needed.items() if "only" in load("statistics", name).OPTIONS}
    for result in scored if named else ():
        for name, metric in named.items():
            known = {*map(_key, result.measured.get(name, {}))}
            lacking = [row for row in rows if _key(row) not in known]
            for row, taken in zip(lacking, head.taken(result, lacking), strict=True):
                if taken is not None and head.is_there(taken):
                    raise UsageError(
                        f"{metric.name} of {row.title} was not measured of the case {result.case.name}, "
                        "where other labels alone were asked for",
                        "Score the masks again with it among --only; or show what counts have: -m dice.",
                    )


def _lacks(result: Scored, metric: Metric) -> bool:
    """Whether a case was measured for other numbers than the one in the name of a metric."""
    first = next(iter(result.measured[metric.statistic].values()), None)
    return first is not None and metric.called(first) is None
