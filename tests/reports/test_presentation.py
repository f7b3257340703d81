"""What reports for people's eyes share: how numbers are written, which rows are shown, and every sentence."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from make import measured

from dicecli.metrics._catalogue import resolve
from dicecli.records.cases import Case, Scored
from dicecli.records.counts import Counts
from dicecli.records.measurements import Row
from dicecli.records.settings import Settings
from dicecli.reports.means import Average
from dicecli.reports.presentation import (
    figure,
    heading,
    interval,
    shown_labels,
    shown_metrics,
    shown_notes,
    title,
    undefined_row,
)
from dicecli.reports.report import Report
from dicecli.reports.rows import CaseValues, RowValues

DICE, FDR, PREVALENCE = (resolve(name) for name in ("dice", "fdr", "prevalence"))
MM3, M2 = resolve("volume_reference_mm3"), resolve("area_reference_m2")
RESULT = Scored(Case("a", "p.png", "r.png"), (20, 30), None, None, {}, 600, {}, measured({}))
REPORT = Report([RESULT], Settings())
OVERALL = {"overall_accuracy": 0.9, "overall_kappa": 0.5, "overall_mcc": math.nan}
HOLD = {"f1_equals_dice": True, "dice_from_iou": True}


def values(labels=(), **fields):
    """Return the numbers of one case: `labels`, and fields of the result or of the numbers by their names."""
    of_result = {name: value for name, value in fields.items() if name in Scored.__dataclass_fields__}
    empty = {"regions": (), "others": (), "averages": {}, "overall": OVERALL, "checks": HOLD}
    own = {name: value for name, value in fields.items() if name not in of_result}
    return CaseValues(replace(RESULT, **of_result), tuple(labels), **{**empty, **own})


def rows(found):
    """Return a row for each value of Dice, FDR and prevalence, the labels being 1, 2 ..."""
    return [
        RowValues(Row("label", label), Counts(), {}, {"dice": value, "fdr": value, "prevalence": value})
        for label, value in enumerate(found, 1)
    ]


# Numbers and titles.


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0.0000"),
        (2 / 3, "0.6667"),
        (-0.25, "-0.2500"),
        (999.5, "999.5000"),
        (1000, "1,000.0"),
        (-1234.56, "-1,234.6"),
        (1234567.89, "1,234,567.9"),
        (math.nan, "—"),
    ],
)
def test_numbers_have_four_decimals_and_large_ones_one(value, text):
    """Below 1000 four decimals, from there on one and separators, of either sign; undefined is a dash."""
    assert text == figure(value)


def test_dice_is_headed_by_both_its_names():
    """The column of Dice says that it is F1; every other has the metric's name."""
    assert [title(each) for each in (DICE, FDR, MM3)] == ["dice = f1", "fdr", "volume_reference_mm3"]


# Which metrics and labels are shown.


def test_metrics_of_an_unknown_pixel_size_are_left_out_and_named():
    """A volume in mm3 needs a voxel's size and an area a pixel's; those that the case has not are named."""
    metrics = [MM3, DICE, M2, FDR]
    said = "the reference gives no size of a pixel for them"
    both = f"volume_reference_mm3, area_reference_m2: {said}"
    assert shown_metrics(values().result, metrics) == ([DICE, FDR], both)
    assert shown_metrics(values(sizes={"mm3": 2.0}).result, metrics) == (
        [MM3, DICE, FDR],
        f"area_reference_m2: {said}",
    )


def test_metrics_that_the_case_can_have_are_all_shown():
    """Overlap needs no size, and a volume shows its volumes; nothing is said then."""
    assert shown_metrics(values().result, (DICE, FDR)) == ([DICE, FDR], "")
    assert shown_metrics(values(sizes={"mm3": 2.0}).result, (DICE, MM3)) == ([DICE, MM3], "")


def test_up_to_40_labels_are_all_shown_in_their_order():
    """40 labels are shown as they come, and so are any number when all are asked for."""
    few, many = rows([0.9, 0.1] * 20), rows([0.9, 0.1, 0.5] * 20)
    assert shown_labels(values(few), [DICE], every=False) == (few, "")
    assert shown_labels(values(many), [DICE], every=True) == (many, "")


def test_of_41_labels_the_worst_20_are_shown():
    """The lowest Dice comes first; of equal values the lower label."""
    many = rows([n / 50 for n in range(41, 0, -1)])
    many[30] = replace(many[30], values=many[31].values)
    shown, said = shown_labels(values(many), [PREVALENCE, DICE, FDR], every=False)
    assert [row.label for row in shown] == [*range(41, 32, -1), 31, 32, *range(30, 21, -1)]
    assert said == ("the 20 of 41 labels with the worst dice, worst first; all of them: -v, or -f csv")


def test_of_a_metric_that_is_better_lower_the_highest_are_the_worst():
    """A false discovery rate is worst where it is highest."""
    many = rows([n / 50 for n in range(1, 42)])
    shown, said = shown_labels(values(many), [FDR, DICE], every=False)
    assert [row.label for row in shown] == list(range(41, 21, -1))
    assert said == "the 20 of 41 labels with the worst fdr, worst first; all of them: -v, or -f csv"


def test_undefined_labels_are_not_among_the_worst():
    """What is undefined has no rank; where fewer than 20 have one, so many are announced."""
    many = rows([math.nan] * 38 + [0.5, 0.25, 0.75])
    shown, said = shown_labels(values(many), [DICE], every=False)
    assert [row.label for row in shown] == [40, 39, 41]
    assert said == "the 3 of 41 labels with the worst dice, worst first; all of them: -v, or -f csv"


def test_without_a_direction_the_first_labels_are_shown():
    """Prevalence is neither better high nor low: there is no worst label."""
    many = rows([n / 50 for n in range(41, 0, -1)])
    expected = (many[:20], "the first 20 of 41 labels; all of them: -v, or -f csv")
    assert shown_labels(values(many), [PREVALENCE], every=False) == expected


# The heading.


def test_heading_of_an_image():
    """Without spacing the shape stands alone; the prediction comes first."""
    assert heading(values(), every=True) == [
        ("prediction", "p.png"),
        ("reference", "r.png"),
        ("shape", "20 x 30"),
        ("counted", "600 pixels"),
    ]


def test_heading_of_a_volume_with_pixels_left_out():
    """Spacing has its unit and six digits, and pixels that were left out are counted by their reason."""
    case = values(
        case=Case("a", "p\x1b.nii", "r\n.nii"),
        shape=(7, 6, 5),
        spacing=(1.0, 0.48828125, 2.5),
        unit="mm",
        counted=1234,
        excluded={"ignore_label": 5678, "nodata": 9},
    )
    assert heading(case, every=True) == [
        ("prediction", "p\\x1b.nii"),
        ("reference", "r\\n.nii"),
        ("shape", "7 x 6 x 5, spacing 1 x 0.488281 x 2.5 mm"),
        ("counted", "1,234 pixels; left out: 5,678 of an ignored label, 9 of nodata"),
    ]


def test_heading_says_where_the_unit_is_unknown_and_passes_over_what_is_not_left_out():
    """A spacing without unit says so; a reason that left out no pixel is no reason."""
    lines = dict(heading(values(spacing=(2.0, 3.0), excluded={"ignore_label": 0, "nodata": 1}), every=True))
    assert lines["shape"] == "20 x 30, spacing 2 x 3 (unit unknown)"
    assert lines["counted"] == "600 pixels; left out: 1 of nodata"
    none = dict(heading(values(excluded={"ignore_label": 0, "nodata": 0}), every=True))
    assert none["counted"] == "600 pixels"


# Undefined values, notes, intervals.


def test_undefined_values_are_counted_per_metric():
    """The row has what the macro average leaves out, and 0 where a metric has no average."""
    averages = {
        "macro": {"dice": Average(0.5, 2, 3), "fdr": Average(0.5, 4, 1)},
        "micro": {"dice": Average(0.5, 2, 9), "fdr": Average(0.5, 2, 9)},
    }
    assert undefined_row(values(averages=averages), [FDR, MM3, DICE], REPORT) == [1, 0, 3]


def test_a_heading_is_short_unless_asked_for_more():
    """Both masks; and how many pixels were counted where some were left out."""
    assert [key for key, _ in heading(values(), every=False)] == ["prediction", "reference"]
    short = dict(heading(values(excluded={"nodata": 9}), every=False))
    assert short["counted"] == "600 pixels; left out: 9 of nodata"


def test_what_is_said_of_both_sides_alike_stands_once():
    """Notes keep their order; those of one side, and those that only look so, stay as they are."""
    notes = [
        "reference: odd",
        "of all: odd",
        "prediction: odd",
        "prediction: new\n",
        "reference: old",
        "plain",
    ]
    assert shown_notes(notes) == [
        "prediction and reference: odd",
        "of all: odd",
        "prediction: new\\n",
        "reference: old",
        "plain",
    ]


def test_an_interval_has_three_decimals_and_one_that_is_not_there_a_dash():
    """Large numbers have separators instead."""
    assert [interval(0.87, 0.8888), interval(math.nan, math.nan), interval(999, 12345.6)] == [
        "0.870 to 0.889",
        "—",
        "999.000 to 12,345.6",
    ]
