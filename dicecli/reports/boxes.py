"""Boxes and points of values, drawn by lines alone, so that no option of matplotlib is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

#: Of so many values each is drawn as a point.
_MOST_POINTS = 200


def draw_boxes(axes: Axes, values: Sequence[Sequence[float]]) -> None:
    """Draw a box for each list of values, and a point for each value of a few."""
    for at, each in enumerate(values):
        if each:
            _draw_box(axes, at, each)
        if len(each) <= _MOST_POINTS:
            beside = [at + 0.4 * ((place * 0.618) % 1 - 0.5) for place in range(len(each))]
            axes.plot(beside, each, ".", color="C0", alpha=0.5, markersize=5)


def _draw_box(axes: Axes, at: int, values: Sequence[float]) -> None:
    """Draw a box between the quartiles, the median, and whiskers to the last values within 1.5 boxes of it.

    The same as ``boxplot`` draws, which looks through all options of matplotlib, and so would choose a
    backend for the host.
    """
    import numpy as np

    low, middle, high = np.percentile(values, (25, 50, 75)).tolist()
    reach = 1.5 * (high - low)
    least = min(low, *(each for each in values if each >= low - reach))
    most = max(high, *(each for each in values if each <= high + reach))
    left, right = at - 0.3, at + 0.3
    axes.plot([left, right, right, left, left], [low, low, high, high, low], color="black", linewidth=1)
    for ends in ((low, least), (high, most)):
        axes.plot([at, at], ends, color="black", linewidth=1)
        axes.plot([at - 0.15, at + 0.15], ends[1:] * 2, color="black", linewidth=1)
    axes.plot([left, right], [middle, middle], color="C1", linewidth=1)
