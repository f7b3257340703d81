"""The sentence that a run comes to: read word by word, and its numbers found again with pandas."""

from __future__ import annotations

import json
import math
import re

import numpy as np
import pandas as pd
import places
import pytest
from make import measured

import dicecli
from dicecli.records.cases import Case, Failed, LeftOut, Scored
from dicecli.records.counts import Counts
from dicecli.reports.headline import headline, n_in_words
from dicecli.reports.report import Report
from dicecli.runs.scoring import make_settings
from dicecli.words import counted

NAMES = {"1": "liver", "2": "spleen"}


def case(name, labels, prediction="p", regions=None):
    full, regions = (
        {row: Counts(*counts, 1000 - sum(counts)) for row, counts in rows.items() if sum(counts)}
        for rows in (labels, regions or {})
    )
    return Scored(Case(name, prediction, "r"), (1000,), None, None, {}, 1000, {}, measured(full, regions))


def report_of(*cases, others=(), is_batch=True, **options):
    results = [case(f"c{at}", labels) for at, labels in enumerate(cases)]
    return Report([*results, *others], make_settings(**options), is_batch=is_batch)


ONE = {1: (8, 1, 1)}
TWO = {1: (8, 1, 1), 2: (1, 1, 1)}
FAILED = Failed(Case("x", "p", "r"), "Error", "message", "hint")
MISSING = LeftOut(Case("y", None, "r"), "Missing", "message", "hint")


@pytest.mark.parametrize(
    ("report", "said"),
    [
        (report_of(TWO, is_batch=False), "Dice 0.6944, macro over 2 labels"),
        (report_of(TWO, is_batch=False, average="micro"), "Dice 0.8182, micro over 2 labels"),
        (report_of(TWO, is_batch=False, metrics="fbeta_2"), "F2 0.6944, macro over 2 labels"),
        (report_of(ONE, is_batch=False), "Dice 0.8889 of label 1"),
        (report_of(ONE, is_batch=False, labels={"labels": {"1": "liver"}}), "Dice 0.8889 of liver"),
        (report_of(ONE, is_batch=False, labels={"labels": NAMES}), "Dice 0.8889, macro over 1 of 2 labels"),
        (report_of({1: (900, 1, 0)}, is_batch=False, metrics="fpr"), "FPR 0.0100 of label 1"),
        (
            report_of({1: (0, 0, 0)}, is_batch=False, labels={"labels": {"1": "a\nb"}}),
            "Dice undefined of a\\nb",
        ),
        (report_of(TWO), "Dice 0.6944, macro over 2 labels and 1 of 1 case"),
        (
            report_of(TWO, ONE, others=[FAILED, MISSING]),
            "Dice 0.694, macro over 2 labels and 2 of 4 cases (95 % CI 0.694 to 0.889); per case 0.792 ± 0.137 "
            "(mean ± SD); without numbers: 1 failed, 1 missing",
        ),
        (report_of(others=[FAILED, FAILED]), "no case was scored: 2 failed"),
        (
            dicecli.score([[0, 1]], [[1, 1]], metrics="overall_accuracy"),
            "Overall accuracy 0.5000, of all labels",
        ),
        (
            report_of(TWO, TWO, metrics="volume_error_mm3"),
            "2 of 2 cases scored; Volume error mm3: no averages",
        ),
    ],
)
def test_the_sentence(report, said):
    """What leads, over what, and how sure it is; what was left out stands at its end."""
    assert said == report.headline == report.record("summary")["headline"]


def test_of_one_label_it_is_the_pooled_value():
    """There is nothing to average then, and the label has its name."""
    report = report_of(ONE, {1: (1, 1, 1)}, ONE, labels={"labels": {"1": "liver"}})
    assert report.headline.startswith("Dice 0.850 of liver, pooled over 3 of 3 cases (95 % CI 0.")
    assert report.headline.endswith("; per case 0.759 ± 0.225 (mean ± SD)")
    led = report_of(ONE, {1: (1, 1, 1)}, average="label-mean")
    assert led.headline.startswith("Dice 0.694 of label 1, mean over 2 of 2 cases (95 % CI")


@pytest.mark.parametrize(
    ("average", "spread"),
    [("macro", "macro"), ("weighted", "macro"), ("micro", "micro"), ("label-mean", "macro")],
)
def test_beside_it_stands_what_cases_are_like(average, spread):
    """Mean ± SD are of the cases' macro means; of their micro values where micro leads."""
    report = report_of(TWO, {1: (1, 2, 3), 2: (70, 0, 9)}, ONE, average=average)
    values = [each.averages[spread]["dice"].value for each in report.cases()]
    found = headline(report)
    assert (average, 3, 2) == (found.average, found.n, found.rows)
    assert pytest.approx((np.mean(values), np.std(values, ddof=1)), rel=1e-12) == (found.mean, found.sd)
    assert f"per case {found.mean:.3f} ± {found.sd:.3f} (mean ± SD" in found.text
    assert ("of macro means" in found.text) == (average == "weighted")


def test_undefined_values_are_said():
    """A case without any label has no value of its own: the SD is of the others, and the mean says so."""
    report = report_of(TWO, ONE, {}, average="macro-imagewise")
    assert "(mean ± SD of 2 cases)" in report.headline
    assert report.headline.endswith("; 3 undefined values left out")
    assert "2 cases, 3 undefined values left out" == n_in_words(
        report, "macro-imagewise", report.averages["macro-imagewise"]["dice"]
    )


def test_a_case_without_prediction_that_counts_is_named():
    """--missing zero makes it an empty prediction, which a reader has to know."""
    results = [case("a", TWO), case("b", {1: (0, 0, 9)}, prediction=None)]
    found = Report(results, make_settings(missing="zero"), is_batch=True).headline
    assert found.endswith("; 1 case without a prediction counted as empty")
    assert "2 of 2 cases" in found


def test_infinite_distances_are_said():
    """A mask that is missed altogether is infinitely far; the numbers without it stand beside."""
    square = np.zeros((9, 9), int)
    square[2:5, 2:5] = 1
    there = [dicecli.score(np.roll(square, n, 0), square, metrics="hd95").results[0] for n in (1, 2)]
    missed = dicecli.score(square * 0, square, metrics="hd95").results[0]
    report = Report([*there, missed], make_settings(metrics="hd95"), is_batch=True)
    said = report.headline
    assert said.startswith(
        "HD95 infinite (1 of 3 values), 1.5 px without them of label 1, mean over 3 of 3 cases"
    )
    assert "(95 % CI without them 1.0 to 2.0); per case 1.5 ± 0.7 px without them (mean ± SD)" in said
    average = report.record("summary")["averages"]["label-mean"]
    assert (None, "inf", 1.0, 2.0) == tuple(
        average[key]["hd95_px"] for key in ("ci_low", "values", "finite_ci_low", "finite_ci_high")
    )
    (row,) = [each for each in report.rows("summary") if each.get("name") == "label-mean"]
    assert (None, 1.0, math.inf) == (row["ci_low"], row["finite_ci_low"], row["value"])


def test_regions_alone_lead():
    """A run on regions says so, in words."""
    results = [case(f"c{at}", {}, regions={"all": (at, 5, 0), "some": (7, at, 2)}) for at in range(3)]
    report = Report(results, make_settings(), is_batch=True)
    assert "macro-regions" == headline(report).average
    assert ", macro over 2 regions and 3 of 3 cases (95 % CI" in report.headline
    assert "2 regions" == n_in_words(report, "macro-regions", report.averages["macro-regions"]["dice"])


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("macro", "1 label, 1 undefined left out"),
        ("micro", "2 labels in 3 cases"),
        ("micro-imagewise", "3 cases"),
        ("macro-imagewise", "3 cases, 3 undefined values left out"),
        ("label-mean", "1 label, 3 undefined values left out"),
    ],
)
def test_n_in_words(name, said):
    """The n of each average is of its own kind, and says what it leaves out."""
    report = report_of(ONE, ONE, ONE, labels={"labels": NAMES})
    assert said == n_in_words(report, name, report.averages[name]["dice"])


def test_plurals():
    """One is one."""
    assert ("1 label", "1,500 labels", "0 cases") == (
        counted(1, "label"),
        counted(1500, "label"),
        counted(0, "case"),
    )


@pytest.fixture(scope="module")
def sample():
    return dicecli.batch(places.SAMPLES / "predictions", places.SAMPLES / "references")


def test_pandas_finds_the_numbers_in_the_csv(sample):
    """From the CSV alone pandas makes the sentence's macro, mean and SD over cases again."""
    frame = sample.to_pandas()
    counts = frame.groupby("label")[["tp", "fp", "fn"]].sum()
    macro = (2 * counts.tp / (2 * counts.tp + counts.fp + counts.fn)).mean()
    cases = frame.groupby("case")["dice"].mean()
    low, high = map(float, re.search(r"CI ([0-9.]+) to ([0-9.]+)", sample.headline).groups())
    assert sample.headline == (
        f"Dice {macro:.3f}, macro over {len(counts)} labels and {len(cases)} of {len(cases)} cases (95 % CI {low:.3f} "
        f"to {high:.3f}); per case {cases.mean():.3f} ± {cases.std():.3f} (mean ± SD)"
    )
    assert low < macro < high
    assert isinstance(frame, pd.DataFrame)


def test_machines_have_what_people_read(sample):
    """JSON and the summary as CSV have the intervals and the SD of each average; read back they are the same."""
    record = json.loads(sample.render("json"))["summary"]
    rows = [each for each in sample.rows("summary") if each["kind"] == "average"]
    for row in rows:
        average = record["averages"][row["name"]]
        for key in ("ci_low", "ci_high", "sd"):
            assert row[key] == average[key].get(row["metric"])
    # Of metrics that nobody asked for there are none: they would take most of the time.
    assert record["averages"]["macro"]["ci_low"].keys() == {each.name for each in sample.shown}
    assert {"kappa", "mcc"} <= record["averages"]["macro"]["values"].keys()
    assert {"micro-imagewise", "macro-imagewise"} == {row["name"] for row in rows if row["sd"] is not None}
    assert record["averages"]["macro"]["ci_low"]["dice"] == sample.intervals["macro"]["dice"].low
    alone = (
        sample.record("summary") if not sample.is_batch else report_of(TWO, is_batch=False).record("summary")
    )
    assert "ci_low" not in alone["averages"]["macro"]
