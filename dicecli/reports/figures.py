"""Pictures of a report: figures of matplotlib, which the extra ``plot`` brings."""

from __future__ import annotations

import io
import math
from functools import cache
from typing import TYPE_CHECKING, Any

from dicecli.reports.asked import parse
from dicecli.reports.bound import metric_of
from dicecli.reports.text import inert

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from dicecli.metrics._metric import Metric
    from dicecli.reports.numbers import Numbers
    from dicecli.statistics.soft.curves import Curve

#: More curves than this cannot be told from each other.
_MOST_CURVES = 12
#: Of so many cases each is drawn as a point.
_MOST_POINTS = 200


def curves_figure(curves: Mapping[str, Curve]) -> Figure:
    """Draw Dice along the thresholds, and precision along recall, of some labels and of all pooled.

    Parameters
    ----------
    curves : mapping of str to Curve
        By title, as of ``Report.curves``; ``micro``, the last, is drawn in black, and left out beside a
        single label. Of more than 12 labels, the 12 are drawn whose best Dice is lowest. Empty: empty axes.
    """
    figure = _empty_figure(10, 4.6)
    left, right = figure.subplots(1, 2)
    for number, (title, curve) in enumerate(_chosen(curves).items()):
        look = {"color": "black", "linewidth": 2.2} if title == "micro" else {"color": f"C{number % 10}"}
        threshold, dice = curve.best
        said = "" if math.isnan(dice) else f": {dice:.3f} at {threshold:.3f}"
        left.plot(curve.thresholds, curve.dice, label=_plain(f"{title}{said}"), **look)
        if not math.isnan(dice):
            left.plot([threshold], [dice], "o", markersize=5, color=look["color"])
        right.plot(curve.recall, curve.precision, label=_plain(title), **look)
    left.axvline(0.5, color="grey", linewidth=0.8, linestyle=":")
    left.set(title="Hard Dice along the threshold", xlabel="threshold", ylabel="Dice")
    right.set(title="Precision and recall", xlabel="recall", ylabel="precision")
    for axes in (left, right):
        axes.set(xlim=(0, 1), ylim=(0, 1.02))
        axes.grid(visible=True, alpha=0.3)
    if curves:
        left.legend(loc="best", fontsize="small", title="best of each")
    return figure


def _empty_figure(width: float, height: float) -> Figure:
    """Return a figure of this size in inches, which no window and no backend of the host knows."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _chosen(curves: Mapping[str, Curve]) -> dict[str, Curve]:
    labels = [(title, curve) for title, curve in curves.items() if title != "micro"]
    if len(labels) > _MOST_CURVES:
        labels = sorted(labels, key=lambda each: (math.isnan(each[1].best[1]), each[1].best[1]))
        labels = labels[:_MOST_CURVES]
    together = {} if len(labels) < 2 else {"micro": curves["micro"]}
    return dict(labels) | together


def _plain(text: str) -> str:
    """Return a text in which nothing is taken for a formula to set."""
    return inert(text).replace("$", r"\$")


def values_figure(report: Numbers, metric: str | None = None, axes: Axes | None = None) -> Figure:
    """Draw a metric of each label and region: bars of one case, boxes and points of several.

    Parameters
    ----------
    report : Numbers
    metric : str, optional
        As it is named in reports; by default the first that is shown and has a direction.
    axes : matplotlib.axes.Axes, optional
        Where to draw; by default a figure of its own, which a notebook shows.

    Returns
    -------
    Figure
        That of the axes. What is undefined or infinite is not drawn, and stands as a number beside its label.

    Raises
    ------
    UsageError
        A metric that the report does not have of rows.
    """
    if metric is None:
        ranked = (each for each in (*report.shown, *report.metrics) if each.better != "neither")
        metric = next(ranked, report.metrics[0]).name if report.metrics else "dice"
    found = metric_of(parse(f"{metric}[label]"), report)
    every = [report.table_of(row) for row in report.evaluated]
    values = [table.values(found)[place :: len(table.rows)].tolist() for table, place in every]
    if axes is None:
        own = _picture()(figsize=(max(4.0, 1.6 + 0.55 * len(values)), 4), dpi=110, layout="constrained")
        axes = own.subplots()
    drawn = [[value for value in each if math.isfinite(value)] for each in values]
    if len(report.scored) > 1:
        _draw_boxes(axes, drawn)
    else:
        axes.bar(range(len(drawn)), [each[0] if each else math.nan for each in drawn], color="C0", width=0.7)
    titles = [
        row.title if len(few) == len(each) else f"{row.title} ({len(each) - len(few)} not drawn)"
        for row, each, few in zip(report.evaluated, values, drawn, strict=True)
    ]
    of = f"{len(report.scored)} of {len(report.results)} cases"
    if not report.is_batch:
        of = report.results[0].case.name
    _name(axes, found, titles, of)
    around: Any = axes.figure
    figure: Figure = around
    return figure


def _name(axes: Axes, metric: Metric, rows: Sequence[str], of: str) -> None:
    """Say what is drawn: the metric, over its whole range where that ends, of these rows and of what."""
    axes.set_xticks(range(len(rows)), [_plain(each) for each in rows], rotation=45, ha="right")
    axes.set(ylabel=metric.name, title=_plain(f"{metric.name}, {of}"))
    if math.isfinite(metric.low) and math.isfinite(metric.high):
        axes.set_ylim(metric.low, metric.high + 0.02 * (metric.high - metric.low))
    axes.grid(visible=True, axis="y", alpha=0.3)


def _draw_boxes(axes: Axes, values: Sequence[Sequence[float]]) -> None:
    """Draw a box for each list of values, and a point for each value of a few."""
    boxes = axes.boxplot(
        values, positions=range(len(values)), widths=0.6, showfliers=False, manage_ticks=False
    )
    for line in boxes["medians"]:
        line.set_color("C1")
    for at, each in enumerate(values):
        if len(each) <= _MOST_POINTS:
            beside = [at + 0.4 * ((place * 0.618) % 1 - 0.5) for place in range(len(each))]
            axes.plot(beside, each, ".", color="C0", alpha=0.5, markersize=5)


@cache
def _picture() -> Any:
    """Return a kind of figure that a notebook shows, whatever it knows of matplotlib."""
    from matplotlib.figure import Figure

    return type("Picture", (Figure,), {"_repr_png_": _png})


def _png(figure: Figure) -> bytes:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    picture = io.BytesIO()
    FigureCanvasAgg(figure).print_png(picture)
    return picture.getvalue()
