"""The curves along the thresholds, as rows and as a picture."""

from __future__ import annotations

import io
import math
from typing import TYPE_CHECKING

from dicecli.errors import OutputError, UsageError
from dicecli.reports.measured import added
from dicecli.reports.text import inert

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dicecli.records.measurements import Row
    from dicecli.reports.numbers import Numbers
    from dicecli.statistics.soft.curves import Curve

#: More curves than this cannot be told from each other.
_MOST = 12


_COLUMNS = ("kind", "label", "name", "threshold", "tp", "fp", "fn", "tn", "dice", "precision", "recall")


def columns(report: Numbers) -> tuple[str, ...]:
    """Return the columns of :func:`rows`."""
    del report
    return _COLUMNS


def rows(report: Numbers) -> Iterator[dict[str, object]]:
    """Yield a row per label and threshold, then one per threshold for all labels pooled; over all cases."""
    for row, curve in curves_of(report):
        head = ("micro", None, None) if row is None else (row.kind, row.label, row.name)
        found = [curve.thresholds, curve.tp, curve.fp, curve.fn, curve.tn]
        found += [curve.dice, curve.precision, curve.recall]
        for values in zip(*(column.tolist() for column in found), strict=True):
            numbers = [None if math.isnan(value) else value for value in values]
            yield dict(zip(_COLUMNS, [*head, *numbers], strict=True))


def curves_of(report: Numbers) -> list[tuple[Row | None, Curve]]:
    """Return the curve of each row over all cases; then, without a row, that of the labels pooled.

    Where there is no label, it is that of the regions.

    Raises
    ------
    UsageError
        The predictions are masks, which have no thresholds.
    """
    check_curves(report)
    pairs = [*zip(report.evaluated, report.table.totals("soft"), strict=True)]
    pairs = [(row, each) for row, each in pairs if each is not None]
    labels = [each for row, each in pairs if row.kind == "label"] or [each for _, each in pairs]
    together: list[tuple[Row | None, Curve]] = [(None, added(labels).curve)] if labels else []
    return [(row, each.curve) for row, each in pairs] + together


def check_curves(report: Numbers) -> None:
    """Check that there are thresholds.

    Raises
    ------
    UsageError
        The predictions are masks.
    """
    if report.settings.reads != "probabilities":
        raise UsageError("masks have no curves", "Score maps of probabilities: dicecli soft.")


def check_plotting() -> None:
    """Make sure that there is something to draw with.

    Raises
    ------
    OutputError
    """
    try:
        import matplotlib  # noqa: F401, ICN001 - only whether it is there
    except ImportError as error:
        raise OutputError(
            "a curve as .png needs matplotlib, which is not installed",
            "Install the extra: pip install 'dicecli[plot]'; or write numbers: --curve FILE.csv.",
        ) from error


def curves_png(curves: Mapping[str, Curve]) -> bytes:
    """Draw Dice along the thresholds, and precision along recall, of some labels and of all pooled.

    Parameters
    ----------
    curves : mapping of str to Curve
        By title; ``micro``, the last, is drawn in black, and left out beside a single label.

    Returns
    -------
    bytes
        A PNG. With more than 12 labels, the 12 whose best Dice is lowest.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4.6), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
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
    left.legend(loc="best", fontsize="small", title="best of each")
    picture = io.BytesIO()
    figure.savefig(picture, format="png", metadata={"Software": None})
    return picture.getvalue()


def _chosen(curves: Mapping[str, Curve]) -> dict[str, Curve]:
    labels = [(title, curve) for title, curve in curves.items() if title != "micro"]
    if len(labels) > _MOST:
        labels = sorted(labels, key=lambda each: (math.isnan(each[1].best[1]), each[1].best[1]))
        labels = labels[:_MOST]
    together = {} if len(labels) == 1 else {"micro": curves["micro"]}
    return dict(labels) | together


def _plain(text: str) -> str:
    """Return a text in which nothing is taken for a formula to set."""
    return inert(text).replace("$", r"\$")
