"""Pictures of a report: figures of matplotlib, which the extra ``plot`` brings."""

from __future__ import annotations

import io
import math
from functools import cache
from typing import TYPE_CHECKING, Any

from dicecli.records.labels import NO_LABEL
from dicecli.reports.asked import parse
from dicecli.reports.bound import metric_of
from dicecli.reports.boxes import draw_boxes
from dicecli.reports.matrix import FEW
from dicecli.reports.text import inert
from dicecli.words import counted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from dicecli.metrics._metric import Metric
    from dicecli.reports.numbers import Numbers
    from dicecli.statistics._confusion import ConfusionMatrix
    from dicecli.statistics.soft.curves import Curve

#: More curves than this cannot be told from each other.
_MOST_CURVES = 12
#: Of so many labels each has its name at the edge of a matrix, of so many letters.
_MOST_NAMES, _MOST_LETTERS = 60, 24
#: Numbers in cells of a larger share are white.
_DARK = 0.5


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


def confusion_figure(matrix: ConfusionMatrix, names: Mapping[int, str]) -> Figure:
    """Draw a confusion matrix: the reference in rows, each cell coloured by its share of its row.

    Of up to 12 labels every cell has the share in percent, and the pixels under it; of up to 60 every label
    has its name. A row without a pixel, of a label that the prediction alone has, is grey.

    Parameters
    ----------
    matrix : ConfusionMatrix
        As of ``Report.confusion``; without labels the axes are empty.
    names : mapping of int to str
        Of the labels that have a name.
    """
    import numpy as np

    every = [label for label in matrix.labels if label != NO_LABEL]
    side = min(max(5.0, 2.5 + 0.75 * len(every)), 14.0)
    figure = _empty_figure(side + 1, side)
    axes = figure.subplots()
    axes.set(title="Confusion matrix: shares of each label of the reference")
    axes.set(xlabel="prediction", ylabel="reference", facecolor="0.85")
    if not every:
        return figure
    table = np.array([[*row.values()][2:] for row in matrix.rows()], float)
    sizes = table.sum(axis=1, keepdims=True)
    shares = np.divide(table, sizes, out=np.full(table.shape, np.nan), where=sizes > 0)
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, interpolation="nearest")
    figure.colorbar(image, ax=axes, shrink=0.8)
    _name_axes(axes, every, names, len(every) < table.shape[1])
    if len(every) <= FEW:
        _write_cells(axes, table, shares)
    return figure


def _name_axes(axes: Axes, every: Sequence[int], names: Mapping[int, str], has_none: bool) -> None:
    """Write what each row and column is; of many labels only some have room, for their number alone."""
    step = 1 if len(every) <= _MOST_NAMES else math.ceil(len(every) / 20)
    at = [*range(0, len(every), step)]
    titles = [f"{every[place]} {names.get(every[place], '') if step == 1 else ''}" for place in at]
    texts = [_plain(_short(each.strip())) for each in titles]
    size = "xx-small" if FEW < len(every) <= _MOST_NAMES else "small"
    axes.set_yticks(at, texts, fontsize=size)
    at, texts = ([*at, len(every)], [*texts, "none"]) if has_none else (at, texts)
    axes.set_xticks(at, texts, rotation=45, ha="right", rotation_mode="anchor", fontsize=size)


def _write_cells(axes: Axes, table: np.ndarray, shares: np.ndarray) -> None:
    """Write the share and the pixels into every cell that has some."""
    for row, column in zip(*table.nonzero(), strict=True):
        share, pixels = shares[row, column], table[row, column]
        text, colour = f"{_percent(share)}\n{pixels:,.0f}", "white" if share > _DARK else "black"
        axes.text(column, row, text, color=colour, fontsize="x-small", ha="center", va="center")


def _percent(share: float) -> str:
    """Write a share in percent; what is not all, and not nothing, is not written as if it were."""
    found = f"{100 * share:.1f} %"
    if found == "100.0 %" and share < 1:
        return ">99.9 %"
    return "<0.1 %" if found == "0.0 %" else found


def _short(text: str) -> str:
    """Return a text, cut where it is long."""
    return text if len(text) <= _MOST_LETTERS else f"{text[: _MOST_LETTERS - 1]}…"


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
    """Return a text in which nothing is taken for a formula to set, and that no legend leaves out."""
    shown = inert(text).replace("$", r"\$")
    return f" {shown}" if shown.startswith("_") else shown


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
        draw_boxes(axes, drawn)
    else:
        axes.bar(range(len(drawn)), [each[0] if each else math.nan for each in drawn], color="C0", width=0.7)
    titles = [
        row.title if len(few) == len(each) else f"{row.title} ({len(each) - len(few)} not drawn)"
        for row, each, few in zip(report.evaluated, values, drawn, strict=True)
    ]
    of = f"{len(report.scored)} of {counted(len(report.results), 'case')}"
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
