"""A picture of a metric: what is drawn are the values, and what cannot be drawn is said."""

from __future__ import annotations

import math

import numpy as np
import pytest

import dicecli
from dicecli.errors import UsageError
from dicecli.reports.boxes import draw_boxes
from dicecli.reports.report import Report

pytest.importorskip("matplotlib", reason="matplotlib is not installed")

FIRST = np.array([[0, 1, 1, 2], [0, 1, 2, 2]])
SECOND = np.array([[0, 1, 2, 2], [0, 0, 2, 2]])
NOTHING = np.zeros((2, 4), int)


def test_bars_of_one_case_are_its_values():
    """Of each label and region in order, over the whole range of the metric; it is a picture for a notebook."""
    report = dicecli.score(FIRST, SECOND, regions={"both $x$": [1, 2]})
    figure = report.plot("iou")
    (axes,) = figure.axes
    assert [bar.get_height() for bar in axes.patches] == [report[row].iou for row in (1, 2, "both $x$")]
    assert [each.get_text() for each in axes.get_xticklabels()] == ["label 1", "label 2", r"both \$x\$"]
    assert axes.get_ylabel() == "iou"
    assert axes.get_ylim() == pytest.approx((0, 1.02))
    assert figure._repr_png_().startswith(b"\x89PNG")
    assert report.plot().axes[0].get_ylabel() == "dice"


def test_points_of_many_cases_are_theirs():
    """What is undefined or infinite is not drawn, and is said beside the label."""
    cases = [
        dicecli.Case("a", FIRST, SECOND),
        dicecli.Case("b", SECOND, FIRST),
        dicecli.Case("c", NOTHING, FIRST),
        dicecli.Case("d", NOTHING, NOTHING),
    ]
    report = dicecli.score_many(cases, dicecli.make_settings(metrics=["dice", "hd"]))
    (axes,) = report.plot().axes
    points = [line.get_ydata().tolist() for line in axes.lines if line.get_marker() == "."]
    expected = [[value for value in (report.value("dice", name, row) for name in "abcd") if not math.isnan(value)] for row in (1, 2)]  # fmt: skip
    assert points == expected
    assert [each.get_text() for each in axes.get_xticklabels()] == [
        "label 1 (1 not drawn)",
        "label 2 (1 not drawn)",
    ]
    (axes,) = report.plot("hd").axes
    assert axes.get_xticklabels()[0].get_text() == "label 1 (2 not drawn)"


def test_boxes_are_those_that_matplotlib_draws():
    """Quartiles, median and whiskers of few values, of many with some far off, and of none."""
    from matplotlib.figure import Figure

    values = [[0.5], [0.1, 0.9], [*np.linspace(0, 1, 30) ** 3, 5.0, -4.0], [], [1, 1, 1, 2.0]]
    ours, theirs = Figure().subplots(1, 2)
    draw_boxes(ours, values)
    theirs.boxplot(values, positions=range(5), widths=0.6, showfliers=False, manage_ticks=False)

    def drawn(axes):
        lines = [line for line in axes.lines if line.get_marker() != "."]
        corners = [
            np.c_[np.broadcast_arrays(line.get_xdata(), line.get_ydata())].T.tolist() for line in lines
        ]
        return sorted(str(np.round(each, 9).tolist()) for each in corners if not np.isnan(each).any())

    assert drawn(ours) == drawn(theirs)


def test_it_draws_into_axes_of_ones_own():
    from matplotlib.figure import Figure

    figure = Figure()
    left, right = figure.subplots(1, 2)
    assert dicecli.score(FIRST, SECOND).plot(ax=right) is figure
    assert (len(left.patches), len(right.patches)) == (0, 2)


def test_whatever_the_report_is_there_is_a_picture():
    """No case, a failed one, maps of probabilities, many labels, no label at all."""
    settings = dicecli.make_settings(labels={1: "a", 2: "b"})
    failed = dicecli.score_many([dicecli.Case("a", FIRST, SECOND[:1])], settings)
    wide = np.arange(120).reshape(2, 60)
    for report in (
        Report([], settings, is_batch=True),
        Report(failed.results, settings, is_batch=False),
        Report([], dicecli.make_settings(), is_batch=True),
        dicecli.soft(np.full((2, 4), 0.5), SECOND > 0),
        dicecli.score(wide, wide),
        dicecli.score(FIRST, SECOND, metrics="relative_volume_difference"),
    ):
        assert len(report.plot().axes) == 1
    assert report.plot()._repr_png_().startswith(b"\x89PNG")


def test_a_metric_that_labels_do_not_have_is_refused():
    for name in ("overall_kappa", "dise", "hd95"):
        with pytest.raises(UsageError) as caught:
            dicecli.score(FIRST, SECOND).plot(name)
        assert caught.value.hint
