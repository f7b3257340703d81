"""A report as data frames of pandas: its rows, its averages, its statistics over cases."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dicecli.plugins import unknown
from dicecli.reports import tabular
from dicecli.statistics._leading import leading

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from pandas import DataFrame

    from dicecli.reports.numbers import Numbers

#: Columns of texts; whole numbers; all others are float64.
_TEXTS = frozenset(("case", "status", "kind", "name", "metric", "average", "error", "notes"))
_WHOLE = frozenset(("label", "expected", "scored", "n", "undefined", "missing", "infinite"))


def rows(report: Numbers) -> DataFrame:
    """Return the rows of the CSV: one per case and label or region."""
    facts = {name for name in leading(report.settings.reads).COLUMNS if name != "expected_px"}
    return _frame(tabular.columns(report), tabular.rows(report), facts)


def averages(report: Numbers) -> DataFrame:
    """Return one row per average and metric: the value, of how many, and how sure it is.

    ``ci_low``, ``ci_high`` and ``sd`` are NaN where there is no interval: of a single case, say.
    """
    found = []
    for name, values in report.averages.items():
        intervals = report.intervals.get(name, {})
        for metric, each in values.items():
            known: dict[str, object] = {"average": name, "metric": metric, "value": each.value, "n": each.n}
            interval = intervals.get(metric)
            if interval is not None:
                known |= {"ci_low": interval.low, "ci_high": interval.high, "sd": interval.sd}
            found.append(known | {"undefined": each.undefined, "infinite": each.infinite})
    columns = ("average", "metric", "value", "n", "ci_low", "ci_high", "sd", "undefined", "infinite")
    return _frame(columns, found)


def summary(report: Numbers) -> DataFrame:
    """Return the rows of ``--summary FILE.csv``: averages, then statistics over cases of every row."""
    return _frame(tabular.summary_columns(report), tabular.summary_rows(report))


KINDS: dict[str, Callable[[Numbers], DataFrame]] = {"rows": rows, "averages": averages, "summary": summary}


def frame(report: Numbers, kind: str) -> DataFrame:
    """Return a data frame of a kind; undefined is NaN, whole numbers are integers that may be missing.

    Raises
    ------
    UnknownName
        There is no such kind.
    """
    if not isinstance(kind, str) or kind not in KINDS:
        raise unknown("kind of data frame", str(kind), tuple(KINDS))
    return KINDS[kind](report)


def _frame(
    columns: Iterable[str], found: Iterable[Mapping[str, object]], whole: Collection[str] = ()
) -> DataFrame:
    import pandas as pd

    frame = pd.DataFrame(list(found), columns=list(columns))
    kinds = {
        name: "Int64" if name in _WHOLE or name in whole else "float64"
        for name in columns
        if name not in _TEXTS
    }
    return frame.astype(kinds)
