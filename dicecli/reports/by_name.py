"""The numbers of a run by their names: of gates, as attributes, and by label or region."""

from __future__ import annotations

import operator
from difflib import get_close_matches
from typing import TYPE_CHECKING, SupportsIndex

from dicecli.errors import NoAttribute, UnknownName, UsageError
from dicecli.records.calling import telling
from dicecli.records.cases import Scored
from dicecli.reports.asked import parse
from dicecli.reports.bound import bind, row_called
from dicecli.reports.matrix import check_matrix, pooled, whole
from dicecli.reports.numbers import Numbers
from dicecli.reports.report_row import ReportRow
from dicecli.statistics.matrix import Matrix

if TYPE_CHECKING:
    from dicecli.reports.means import Average
    from dicecli.statistics._confusion import ConfusionMatrix


#: What the parts of reports ask of each other: not listed where names are proposed.
_INTERNAL = {
    "check_measured",
    "given_notes",
    "has_measured",
    "has_something",
    "is_layered",
    "leading",
    "made_notes",
    "matrix",
    "notes_of",
    "overall_of",
    "place_of",
    "shown_intervals",
    "table",
    "table_of",
    "together",
}


class ByName(Numbers):
    """The numbers of a run, each found by its name."""

    @telling
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

        Examples
        --------
        >>> import dicecli
        >>> report = dicecli.score([[0, 1], [1, 1]], [[0, 1], [0, 1]], labels={0: "nothing", 1: "liver"})
        >>> report.value("dice", "arrays", "liver")
        0.8
        """
        name = metric if row is None else f"{metric}[{row}]"
        return bind(parse(name), self).of_case(case if isinstance(case, Scored) else self._named(case))

    @telling
    def confusion_of(self, case: str | Scored) -> ConfusionMatrix:
        """Return the confusion matrix of one case, given itself or by its name; see :attr:`confusion`.

        Raises
        ------
        UsageError
            There is no such case, or no matrix of it.

        Examples
        --------
        >>> import dicecli
        >>> dicecli.score([[0, 1], [1, 1]], [[0, 1], [0, 1]]).confusion_of("arrays").table.tolist()
        [[1, 1], [0, 2]]
        """
        found = case if isinstance(case, Scored) else self._named(case)
        check_matrix([found], self.settings)
        return whole(pooled([found], self.settings) or Matrix.zero())

    @telling
    def pooled(self, metric: str, row: int | str) -> float:
        """Return a metric of a label or region of all cases added up; NaN is undefined.

        Raises
        ------
        UsageError
            The metric does not pool; no such label or region.
        UnknownName

        Examples
        --------
        >>> import dicecli
        >>> report = dicecli.score([[0, 1], [1, 1]], [[0, 1], [0, 1]], labels={0: "nothing", 1: "liver"})
        >>> report.pooled("precision", "liver")
        0.6666666666666666
        """
        return self.look_up(f"{metric}[{row}]@macro").value

    @telling
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

        Examples
        --------
        >>> import dicecli
        >>> report = dicecli.score([[0, 1], [1, 1]], [[0, 1], [0, 1]], labels={0: "nothing", 1: "liver"})
        >>> report.look_up("recall[liver]").value
        1.0
        """
        return bind(parse(name), self).of_run()

    def __getitem__(self, row: int | str) -> ReportRow:
        """Return a label by its number or name, or a region.

        Raises
        ------
        UsageError
            There is none; the hint has those that there are.
        """
        return ReportRow(self, row_called(row if isinstance(row, str) else _text_of(row), self))

    def __contains__(self, row: object) -> bool:
        try:
            return isinstance(row, (str, SupportsIndex)) and bool(self[row])  # type: ignore[index]  # any index
        except UsageError:
            return False

    #: Nothing to go through: of cases it is :meth:`cases`, of labels ``labels`` and ``regions``.
    __iter__ = None

    def __getattr__(self, name: str) -> Average:
        if name.startswith("_") or "settings" not in vars(self):  # as copies are, before they have anything
            raise AttributeError(name)
        if hasattr(type(self), name):
            object.__getattribute__(self, name)  # raises what was raised inside
        try:
            return self.look_up(name)
        except UnknownName as error:
            near = get_close_matches(name, dir(self), n=3)
            hint = f"Did you mean {' or '.join(near)}? " if near else ""
            raise NoAttribute(
                f"a report has no '{name}': {error}", f"{hint}dir(report) lists what it has."
            ) from None
        except UsageError as error:
            raise NoAttribute(str(error), error.hint) from None

    def __dir__(self) -> list[str]:
        metrics = (
            each.name for each in (*self.metrics, *self.together) if each.averaged or each.takes == "every"
        )
        own = {*super().__dir__()} - _INTERNAL
        return sorted({*own, *filter(str.isidentifier, metrics)})

    def _ipython_key_completions_(self) -> list[str | int]:
        named = [row.title if row.name else row.label for row in self.evaluated]
        return [each for each in named if each is not None]


def _text_of(label: object) -> str:
    """Return the number of a label as a text.

    Raises
    ------
    UsageError
        It is no number.
    """
    try:
        return str(operator.index(label))  # type: ignore[arg-type]  # what is none raises
    except TypeError:
        raise UsageError(
            f"{label!r} is no label and no region",
            "Give the number of a label, or a name: report[1], report['liver'].",
        ) from None
