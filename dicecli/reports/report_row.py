"""One label or region of a report, with its metrics as attributes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dicecli.errors import NoAttribute, UsageError
from dicecli.reports.asked import parse
from dicecli.reports.averages import OF_VALUES
from dicecli.reports.bound import Number, metric_of
from dicecli.reports.text import inert
from dicecli.statistics._leading import leading

if TYPE_CHECKING:
    from dicecli.records.counts import Counts
    from dicecli.records.measurements import Row
    from dicecli.reports.numbers import Numbers

#: So many numbers stand in what a row says of itself.
_SHOWN = 4


class ReportRow:
    """One label or region over all cases of a report: ``report["liver"].dice``.

    Every metric is an attribute, a float, NaN where it is undefined: the pooled value where the metric pools,
    else the mean over cases, as ``dice[liver]`` means for :meth:`~dicecli.reports.report.Report.look_up`.

    Parameters
    ----------
    report : Numbers
    row : Row
        The label or region.

    Examples
    --------
    >>> import dicecli
    >>> row = dicecli.score([[0, 1], [1, 1]], [[0, 1], [0, 1]])[1]
    >>> row.dice, row.counts
    (0.8, Counts(tp=2, fp=1, fn=0, tn=1))
    """

    def __init__(self, report: Numbers, row: Row) -> None:
        self._report = report
        self.row = row

    @property
    def label(self) -> int | None:
        """The label; None of a region."""
        return self.row.label

    @property
    def name(self) -> str | None:
        """The name, where it has one."""
        return self.row.name

    @property
    def title(self) -> str:
        """What people call it: its name, else its number."""
        return self.row.title

    @property
    def facts(self) -> Any:
        """What the leading statistic says of it, added up over the cases: of masks the four counts.

        None where no case has the row.
        """
        head = leading(self._report.settings.reads)
        table, place = self._report.table_of(self.row)
        taken = table.pooled_leading[place]
        return None if taken is None else head.facts(taken)

    @property
    def counts(self) -> Counts:
        """The four counts, of masks."""
        found: Counts = self.facts
        return found

    @property
    def values(self) -> dict[str, float]:
        """Every metric of the report that rows have, by its name; NaN is undefined."""
        return {each.name: self._of_run(each.name) for each in self._report.metrics}

    def __getattr__(self, name: str) -> float:
        if name.startswith("_") or "row" not in vars(self):  # as copies are, before they have anything
            raise AttributeError(name)
        try:
            return self._of_run(name)
        except UsageError as error:
            raise NoAttribute(f"{self.title} has no '{name}': {error}", error.hint) from None

    def _of_run(self, name: str) -> float:
        metric = metric_of(parse(f"{name}[{self.title}]"), self._report)
        return Number(self._report, metric, self.row, "macro" if metric.pools else OF_VALUES).of_run().value

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *(each.name for each in self._report.metrics)})

    def __repr__(self) -> str:
        metrics = self._report.shown[:_SHOWN]
        values = ", ".join(f"{each.name} {self._of_run(each.name):.4f}" for each in metrics)
        return f"<dicecli row {inert(self.title)}: {values}>"
