"""Pictures of a report: figures of matplotlib, which the extra ``plot`` brings."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from dicecli.reports.text import inert

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.figure import Figure

    from dicecli.statistics.soft.curves import Curve

#: More curves than this cannot be told from each other.
_MOST_CURVES = 12


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
