"""What is said beside numbers: definitions where they are asked for, what misleads always."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from make import measured

from dicecli.metrics._catalogue import resolve
from dicecli.records.cases import Case, Scored
from dicecli.records.counts import Counts
from dicecli.records.labels import LabelScheme
from dicecli.records.measurements import Row
from dicecli.records.settings import Settings
from dicecli.reports.averages import definition
from dicecli.reports.means import Average
from dicecli.reports.report import Report
from dicecli.reports.rows import CaseValues, RowValues
from dicecli.reports.said import of_case

DICE, FDR = resolve("dice"), resolve("fdr")
MM3 = resolve("volume_reference_mm3")
RESULT = Scored(Case("a", "p.png", "r.png"), (20, 30), None, None, {}, 600, {}, measured({}))
OVERALL = {"overall_accuracy": 0.9, "overall_kappa": 0.5, "overall_mcc": math.nan}
BACKGROUND = RowValues(Row("label", 0), Counts(400, 100, 50, 50), {"reference px": 450}, {})
HOLD = {"f1_equals_dice": True, "dice_from_iou": True}
CHECKED = ("checked", "F1 = Dice and Dice = 2 IoU / (1 + IoU), exactly, for every label; not for means")
OF_ALL = (
    "overall",
    "overall_accuracy 0.9000, overall_kappa 0.5000, overall_mcc —: of all counted pixels, background included",
)


def values(labels=(), **fields):
    """Return the numbers of one case: `labels`, and fields of the result or of the numbers by their names."""
    of_result = {name: value for name, value in fields.items() if name in Scored.__dataclass_fields__}
    empty = {"regions": (), "others": (), "averages": {}, "overall": OVERALL, "checks": HOLD}
    own = {name: value for name, value in fields.items() if name not in of_result}
    return CaseValues(replace(RESULT, **of_result), tuple(labels), **{**empty, **own})


def explained(metrics=(DICE,), background=0, *, included=False, every=True, **fields):
    """Return what is said of a case's numbers."""
    names = tuple(each.name for each in metrics)
    scheme = LabelScheme(background=background)
    settings = Settings(metrics=names, labels=scheme, include_background=included)
    case = values(**fields)
    return of_case(case, Report([case.result], settings), every=every)


def test_what_is_said_of_a_plain_case():
    """The overall agreement and the identities that were checked are always said."""
    assert explained() == [OF_ALL, CHECKED]


def test_averages_are_defined_with_what_went_into_them():
    """Each average has its definition, and how many values of the first metric that has one went in."""
    averages = {
        "macro": {"dice": Average(0.5, 2, 3), "fdr": Average(0.5, 4, 1)},
        "micro": {"dice": Average(0.5, 7, 0), "fdr": Average(0.5, 8, 0)},
        "macro-regions": {},
    }
    assert explained((MM3, DICE, FDR), averages=averages, sizes={"mm3": 1.0}) == [
        OF_ALL,
        ("macro", f"{definition('macro')} (n = 2, 3 undefined left out)"),
        ("micro", f"{definition('micro')} (n = 7)"),
        ("macro-regions", definition("macro-regions")),
        CHECKED,
    ]


def test_metrics_that_are_not_given_are_said_first():
    """What a case cannot have is said before what it has."""
    said = "volume_reference_mm3: the reference gives no size of a pixel for them"
    assert explained((MM3, DICE)) == [("not given", said), OF_ALL, CHECKED]


@pytest.mark.parametrize("counts", [BACKGROUND.counts, Counts(fp=1, tn=599), Counts(fn=1, tn=599)])
def test_a_background_that_is_left_out_is_explained(counts):
    """Where either mask has the background, it is said that averages leave it out, and what follows."""
    said = (
        "label 7 is left out of the averages (--include-background takes it in); its pixels still count as "
        "false positives and false negatives of the others, so micro Dice is not accuracy"
    )
    row = RowValues(Row("label", 7), counts, {"reference px": counts.reference}, {})
    assert explained(background=7, others=(row,)) == [OF_ALL, ("background", said), CHECKED]


@pytest.mark.parametrize(
    "row",
    [
        replace(BACKGROUND, facts=Counts(tn=600), sizes={"reference px": 0}),
        replace(BACKGROUND, row=Row("label", 3)),
    ],
    ids=["empty", "other"],
)
def test_a_background_that_neither_mask_has_is_not_explained(row):
    """A background without a pixel, or another label that is not evaluated, needs no word."""
    assert explained(others=(row,)) == [OF_ALL, CHECKED]


def test_a_background_that_is_taken_in_is_explained():
    """With the background evaluated the averages cover all pixels, unless some were left out."""
    said = ("background", "taken into the averages: micro Dice, IoU's counts and accuracy cover all")
    assert explained(included=True) == [OF_ALL, said, CHECKED]
    assert explained(included=True, excluded={"ignore_label": 0, "nodata": 0}) == [OF_ALL, said, CHECKED]
    assert explained(included=True, excluded={"ignore_label": 0, "nodata": 1}) == [OF_ALL, CHECKED]


def test_a_check_that_fails_is_named():
    """An identity that does not hold is shouted, with those alone that do not."""
    checks = {"f1_equals_dice": True, "dice_from_iou": False}
    assert explained(checks=checks) == [OF_ALL, ("checked", "DOES NOT HOLD: dice_from_iou")]


# What is said where nobody asks for more.


def test_briefly_the_overall_agreement_says_what_averages_leave_out():
    """One line: the values by their short names, then which label is in no average."""
    case = values(
        overall={"overall_accuracy": 0.9, "overall_kappa": math.nan},
        measured=measured({0: Counts(5), 1: Counts(3)}),
    )
    report = Report([case.result], Settings())
    assert of_case(case, report, every=False) == [
        ("overall", "accuracy 0.9000, kappa — with label 0, not in averages")
    ]


def test_briefly_nothing_is_left_out_where_all_labels_are_averaged():
    """With the background among the averages, what all pixels are of is said instead."""
    case = values(overall={"overall_accuracy": 0.9})
    settings = Settings(include_background=True)
    said = [("overall", "accuracy 0.9000; of all counted pixels")]
    assert of_case(case, Report([case.result], settings), every=False) == said


def test_briefly_the_overall_agreement_is_shown_where_it_was_asked_for():
    """With -m, the metrics of all labels at once are shown that were named, by any of their names."""
    case = values(overall={"overall_accuracy": 0.9, "overall_kappa": 0.5})
    for asked, shown in [
        (("dice",), []),
        (("dice", "kappa"), []),
        (("dice", "overall_kappa"), ["kappa 0.5000"]),
    ]:
        report = Report([case.result], Settings(metrics=asked))
        said = dict(of_case(case, report, every=False)).get("overall", "")
        assert said.split(";")[0] == ", ".join(shown)


def test_briefly_an_identity_that_fails_is_said_and_one_that_holds_is_not():
    """Nothing that misleads is hidden."""
    assert explained(every=False, overall={}, checks={"dice_from_iou": False}) == [
        ("checked", "DOES NOT HOLD: dice_from_iou")
    ]
    assert explained(every=False, overall={}) == []
