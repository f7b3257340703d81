"""The report: the numbers of a run, and every form in which they leave.

The file is long because every form has an example.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, TypedDict

from dicecli.errors import NotInstalled, UsageError
from dicecli.plugins import load
from dicecli.records.calling import telling
from dicecli.reports import frames
from dicecli.reports.by_name import ByName
from dicecli.reports.curves import curves_of
from dicecli.reports.figures import values_figure
from dicecli.reports.headline import headline
from dicecli.reports.look import PLAIN
from dicecli.reports.parts import check_reads
from dicecli.words import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from types import ModuleType

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from pandas import DataFrame

    from dicecli.records.cases import Verdict
    from dicecli.records.codec import Json
    from dicecli.records.origin import Origin
    from dicecli.records.settings import Settings
    from dicecli.reports.look import Look, Part
    from dicecli.statistics.soft.curves import Curve


#: Of more cases what a report says of itself has no interval.
_FEW = 100


class _Beside(TypedDict):
    """What a report is made of, beside results and settings."""

    notes: Sequence[str]
    verdicts: Sequence[Verdict]
    is_batch: bool
    origin: Origin


class Report(ByName):
    """One record of a run, which every exporter reads; its numbers are those of :class:`ByName`.

    Every metric is an attribute, its average that leads: ``report.dice``, an
    :class:`~dicecli.reports.means.Average`, of which ``float`` is the value. Every label and region is
    ``report["liver"]`` or ``report[1]``, a :class:`~dicecli.reports.report_row.ReportRow` with the same
    attributes.

    Examples
    --------
    >>> import dicecli
    >>> report = dicecli.score([[0, 1], [1, 1]], [[0, 1], [0, 1]], labels={0: "nothing", 1: "liver"})
    >>> float(report.dice), report["liver"].precision
    (0.8, 0.6666666666666666)
    """

    def __repr__(self) -> str:
        try:
            said: object = self.headline if len(self.results) <= _FEW else self._in_short()
        except Exception:  # noqa: BLE001 - whoever looks for a fault wants to see something
            cases = len(vars(self).get("results", ()))
            said = counted(cases, "case")
        return f"<dicecli.Report: {said}>"

    def _in_short(self) -> str:
        """Return the average that leads, without its interval, which takes seconds where cases are many."""
        metric = next(each for each in self.shown if each.averaged)
        cases = f"{len(self.scored):,} of {counted(len(self.results), 'case')}"
        return f"{metric.in_words} {self.look_up(metric.name):.4f}, {self.leading(metric)}, {cases}"

    def _repr_html_(self) -> str:
        """Return what a notebook shows: the tables that ``-f html`` has."""
        found: str = load("exporters", "html").fragment(self, "report", PLAIN)
        return found

    @property
    def headline(self) -> str:
        """The sentence that the run comes to: the average that leads, its interval, mean ± SD over cases.

        :func:`dicecli.reports.headline.headline` gives the numbers in it.

        Examples
        --------
        >>> import dicecli
        >>> dicecli.score([[0, 1], [1, 1]], [[0, 1], [0, 1]], labels={0: "nothing", 1: "liver"}).headline
        'Dice 0.8000 of liver'
        """
        return headline(self).text

    def shown_with(self, settings: Settings, origin: Origin | None = None) -> Report:
        """Return the same results with other settings of what to show, and another origin if one is given.

        Examples
        --------
        >>> import dicecli
        >>> report = dicecli.score([[0, 1], [1, 1]], [[0, 1], [0, 1]], labels={0: "nothing", 1: "liver"})
        >>> report.shown_with(dicecli.make_settings(average="micro")).settings.average
        'micro'
        """
        beside = self._beside
        beside["origin"] = origin or self.origin
        found = Report(self._given, settings, **beside)
        found.comparison = self.comparison
        return found

    @property
    def _beside(self) -> _Beside:
        """What it is made of, beside results and settings."""
        return {
            "notes": self._notes,
            "verdicts": self.verdicts,
            "is_batch": self.is_batch,
            "origin": self.origin,
        }

    def __reduce__(self) -> tuple[object, ...]:  # what it is made of; all the rest is computed again
        return partial(Report, **self._beside), (self._given, self.settings), {"comparison": self.comparison}

    @telling
    def record(self, part: Part = "report") -> Json:
        """Return the record, or what sums it up alone, as JSON's types: undefined is None.

        Raises
        ------
        UsageError
            There is no such part of it.

        Examples
        --------
        >>> import dicecli
        >>> report = dicecli.score([[0, 1], [1, 1]], [[0, 1], [0, 1]], labels={0: "nothing", 1: "liver"})
        >>> report.record("summary")["scored"]
        1
        """
        found: Json = _exporter("json", part).record(self, part)
        return found

    @telling
    def rows(self, part: Part = "report") -> Iterator[Mapping[str, object]]:
        """Yield the rows of the CSV: of cases, of what sums them up, or of curves; undefined is None.

        Raises
        ------
        UsageError
            There is no such part of it, or masks have no curves.

        Examples
        --------
        >>> import dicecli
        >>> report = dicecli.score([[0, 1], [1, 1]], [[0, 1], [0, 1]], labels={0: "nothing", 1: "liver"})
        >>> [row["dice"] for row in report.rows()]
        [0.8]
        """
        found: Iterator[Mapping[str, object]] = _exporter("csv", part).lines(self, part)
        return found

    @telling
    def render(self, exporter: str, part: Part = "report", look: Look = PLAIN) -> str | bytes:
        """Return the report in the form of an exporter.

        Raises
        ------
        UnknownName
            There is no such exporter.
        UsageError
            It has no such part, or none of what is read.

        Examples
        --------
        >>> import dicecli
        >>> report = dicecli.score([[0, 1], [1, 1]], [[0, 1], [0, 1]], labels={0: "nothing", 1: "liver"})
        >>> print(report.render("csv").partition(",dice")[0])
        case,status,label,name,tp,fp,fn,tn
        """
        plugin = _exporter(exporter, part)
        check_reads(exporter, plugin, self.settings.reads)
        found: str | bytes = plugin.render(self, part, look)
        return found

    def to_dict(self) -> Json:
        """Return the whole record as JSON's types: undefined is None, numbers have full precision.

        Examples
        --------
        >>> import dicecli
        >>> report = dicecli.score([[0, 1], [1, 1]], [[0, 1], [0, 1]], labels={0: "nothing", 1: "liver"})
        >>> report.to_dict()["cases"][0]["averages"]["macro"]["dice"]
        0.8
        """
        return self.record()

    @telling
    def to_pandas(self, kind: str = "rows") -> DataFrame:
        """Return a data frame; undefined is NaN.

        Parameters
        ----------
        kind : {"rows", "averages", "summary"}
            ``rows``: those of the CSV, one per case and label or region. ``averages``: one per average and
            metric, with its interval. ``summary``: those of ``--summary``, with statistics over cases.

        Raises
        ------
        UnknownName
            There is no such kind.

        Examples
        --------
        >>> import dicecli
        >>> report = dicecli.score([[0, 1], [1, 1]], [[0, 1], [0, 1]], labels={0: "nothing", 1: "liver"})
        >>> frame = report.to_pandas("averages")
        >>> frame.loc[frame["metric"] == "dice", ["average", "value"]].values.tolist()
        [['macro', 0.8], ['micro', 0.8], ['weighted', 0.8]]
        """
        return frames.frame(self, kind)

    @telling
    def plot(self, metric: str | None = None, *, ax: Axes | None = None) -> Figure:
        """Draw a metric of each label and region: bars of one case, boxes and points of several.

        Parameters
        ----------
        metric : str, optional
            By default the first that is shown, such as ``dice``.
        ax : matplotlib.axes.Axes, optional
            Where to draw; by default a figure of its own, which a notebook shows: ``savefig`` writes it.

        Returns
        -------
        matplotlib.figure.Figure

        Raises
        ------
        NotInstalled
            matplotlib, the extra ``plot``, is not there.
        UsageError
            A metric that the report does not have of labels.

        Examples
        --------
        >>> import dicecli
        >>> report = dicecli.score([[0, 1], [1, 1]], [[0, 1], [0, 1]], labels={0: "nothing", 1: "liver"})
        >>> report.plot("iou").axes[0].get_ylabel()
        'iou'
        """
        try:
            import matplotlib  # noqa: F401, ICN001 - only whether it is there
        except ImportError as error:
            raise NotInstalled(
                "a plot needs matplotlib, which is not installed",
                "Install it with: pip install 'dicecli[plot]'.",
            ) from error
        return values_figure(self, metric, ax)

    def curves(self) -> dict[str, Curve]:
        """Return the curve of each row along the thresholds, over all cases, and ``micro``, of all pooled.

        Raises
        ------
        UsageError
            The predictions are masks, which have no thresholds.

        Examples
        --------
        >>> import dicecli
        >>> curve = dicecli.soft([[0.2, 0.9], [0.1, 0.6]], [[0, 1], [0, 1]]).curves()["label 1"]
        >>> curve.best[1]
        1.0
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
    if not isinstance(part, str) or part not in plugin.PARTS:
        raise UsageError(f"{name} has no {part}", f"It has: {', '.join(plugin.PARTS)}.")
    return plugin
