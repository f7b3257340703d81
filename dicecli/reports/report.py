"""The report: the numbers of a run, and every form in which they leave."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dicecli.errors import UsageError
from dicecli.plugins import load
from dicecli.reports.asked import parse
from dicecli.reports.bound import bind
from dicecli.reports.curves import curves_of
from dicecli.reports.look import PLAIN
from dicecli.reports.numbers import Numbers

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import ModuleType

    from pandas import DataFrame

    from dicecli.records.cases import Scored
    from dicecli.records.codec import Json
    from dicecli.records.settings import Settings
    from dicecli.reports.look import Look, Part
    from dicecli.reports.means import Average
    from dicecli.statistics.soft.curves import Curve


class Report(Numbers):
    """One record of a run, which every exporter reads; its numbers are those of :class:`Numbers`."""

    def value(self, metric: str, case: str | Scored, row: int | str | None = None) -> float:
        """Return a metric in one case; NaN is undefined.

        Parameters
        ----------
        metric : str
            Its name, or that of one of its averages: ``iou@micro``.
        case : str or Scored
            The case, or its name.
        row : int or str, optional
            The label or region; without it the average that leads.

        Raises
        ------
        UsageError
            No such case, label or region; a metric that was not measured.
        UnknownName
            There is no such metric.
        """
        name = metric if row is None else f"{metric}[{row}]"
        return bind(parse(name), self).of_case(self._named(case) if isinstance(case, str) else case)

    def _named(self, name: str) -> Scored:
        found = [each for each in self.scored if each.case.name == name]
        if len(found) != 1:
            raise UsageError(
                f"{len(found)} scored cases are named '{name}'; one is expected",
                "The names are those of report.scored: [each.case.name for each in report.scored].",
            )
        return found[0]

    def pooled(self, metric: str, row: int | str) -> float:
        """Return a metric of a label or region of all cases added up; NaN is undefined.

        Raises
        ------
        UsageError
            The metric does not pool; no such label or region.
        UnknownName
        """
        return self.look_up(f"{metric}[{row}]@macro").value

    def look_up(self, name: str) -> Average:
        """Return any number of the report by its name, as gates have it.

        Parameters
        ----------
        name : str
            ``dice``, ``iou@micro``, ``dice[liver]`` (pooled over cases), ``dice[liver]@label-mean`` (the mean
            over cases), ``overall_kappa``.

        Raises
        ------
        UsageError, UnknownName
            A name without a meaning here; the hint has those that have one.
        """
        return bind(parse(name), self).of_run()

    def shown_with(self, settings: Settings) -> Report:
        """Return the same results with other settings of what to show."""
        found = Report(
            self._given,
            settings,
            notes=self._notes,
            verdicts=self.verdicts,
            is_batch=self.is_batch,
            origin=self.origin,
        )
        found.comparison = self.comparison
        return found

    def record(self, part: Part = "report") -> Json:
        """Return the record, or what sums it up alone, as JSON's types: undefined is None.

        Raises
        ------
        UsageError
            There is no such part of it.
        """
        found: Json = _exporter("json", part).record(self, part)
        return found

    def rows(self, part: Part = "report") -> Iterator[Mapping[str, object]]:
        """Yield the rows of the CSV: of cases, of what sums them up, or of curves; undefined is None.

        Raises
        ------
        UsageError
            There is no such part of it, or masks have no curves.
        """
        found: Iterator[Mapping[str, object]] = _exporter("csv", part).lines(self, part)
        return found

    def render(self, exporter: str, part: Part = "report", look: Look = PLAIN) -> str | bytes:
        """Return the report in the form of an exporter.

        Raises
        ------
        UnknownName
            There is no such exporter.
        UsageError
            It has no such part.
        """
        found: str | bytes = _exporter(exporter, part).render(self, part, look)
        return found

    def to_dict(self) -> Json:
        """Return the whole record as JSON's types: undefined is None, numbers have full precision."""
        return self.record()

    def to_pandas(self) -> DataFrame:
        """Return the rows of the CSV as a data frame: one per case and label or region, undefined is NaN."""
        frame: DataFrame = load("exporters", "csv").frame(self)
        return frame

    def curves(self) -> dict[str, Curve]:
        """Return the curve of each row along the thresholds, over all cases, and ``micro``, of all pooled.

        Raises
        ------
        UsageError
            The predictions are masks, which have no thresholds.
        """
        return {"micro" if row is None else row.title: curve for row, curve in curves_of(self)}


def _exporter(name: str, part: Part) -> ModuleType:
    """Return an exporter that has a part.

    Raises
    ------
    UnknownName
        There is no such exporter.
    UsageError
        It has no such part.
    """
    plugin = load("exporters", name)
    if part not in plugin.PARTS:
        raise UsageError(f"{name} has no {part}", f"It has: {', '.join(plugin.PARTS)}.")
    return plugin
