"""What was measured of a case, row by row, as metrics take it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dicecli.errors import UsageError
from dicecli.plugins import load
from dicecli.records.counts import Counts, pooled
from dicecli.statistics.matrix import is_layered, label_counts, region_counts

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from dicecli.metrics._catalogue import Metric
    from dicecli.records.cases import Scored
    from dicecli.records.measurements import Row


def counts_of(result: Scored, rows: Sequence[Row], every: Mapping[Any, Counts] | None = None) -> list[Counts]:
    """Return the counts of each row in one case; `every`, those of all its labels, spares reading them."""
    labels: Mapping[Any, Counts] = label_counts(result.measured) if every is None else every
    nothing = Counts(tn=result.counted)
    members = {row.name or "": row.members for row in rows if row.kind == "region"}
    regions = region_counts(result.measured, members) if members else {}
    return [
        regions[row.name or ""] if row.kind == "region" else labels.get(row.label, nothing) for row in rows
    ]


def pooled_labels(scored: Iterable[Scored]) -> dict[int, Counts]:
    """Return the counts of every label that any case holds, added up over the cases that have labels."""
    found: dict[int, Counts] = {}
    counted, of = 0, dict[int, int]()
    for each in scored:
        if is_layered(each.measured):
            continue
        counted += each.counted
        for label, counts in label_counts(each.measured).items():
            found[label] = found.get(label, Counts()) + counts
            of[label] = of.get(label, 0) + each.counted
    # In a case where neither mask holds a label, all pixels are its true negatives.
    return {label: found[label] + Counts(tn=counted - of[label]) for label in sorted(found)}


def measurements(result: Scored, of: str, rows: Sequence[Row]) -> list[Any]:
    """Return what metrics of a statistic take of each row in one case.

    Parameters
    ----------
    of : str
        ``counts``, or the name of a statistic.

    Returns
    -------
    list
        Of a row of which the case has nothing it is the measurement of nothing, and None where the statistic
        measures no row of its kind.
    """
    if of == "counts":
        return list(counts_of(result, rows))
    kinds = load("statistics", of).MEASURES
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


def check_measured(scored: Iterable[Scored], metrics: Iterable[Metric], rows: Sequence[Row]) -> None:
    """Hold that of each case everything was measured that metrics need.

    Raises
    ------
    UsageError
        A case in which there is something to measure has no measurement of a statistic.
    """
    needed = {each.statistic: each for each in metrics if each.statistic != "matrix"}
    for result in scored if needed else ():
        for statistic, metric in needed.items():
            # Where neither mask holds anything, nothing is what was measured.
            if statistic in result.measured or not any(c.tp + c.fp + c.fn for c in counts_of(result, rows)):
                continue
            raise UsageError(
                f"{metric.name} needs the statistic '{statistic}', which was not measured of the case "
                f"{result.case.name}",
                f"Score the masks again with -m {metric.name}: what was measured stands in the JSON then.",
            )
