"""What people see at any width: golden outputs, no line that is too wide, no number that is cut, and few lines."""

from __future__ import annotations

import contextlib
import re
from functools import cache
from itertools import pairwise

import numpy as np
import places
import pytest
from rich.cells import cell_len
from streams import runner

import dicecli
from dicecli.cli import cli
from dicecli.records.cases import Case, Verdict
from dicecli.records.settings import Settings
from dicecli.reports.look import PLAIN, Look
from dicecli.reports.report import Report
from dicecli.runs.scoring import make_settings, score_many

SAMPLES = places.SAMPLES
WIDTHS = (60, 80, 120)
#: What may be wider than the terminal: nothing of ours; a path of the user's is folded.
LONG = "a_very_long_name_of_a_case_as_archives_have_them_" * 2
UNICODE = {
    "labels": {
        "0": "背景",
        "1": "肝臓",
        "2": "右腎と左腎の実質と腎盂と尿管の一部をあわせたもの",
        "3": "Niere é",
    }
}


def _files(stem, suffix, labels=None):
    sides = (f"sample_masks/{stem}_{side}{suffix}" for side in ("prediction", "reference"))
    with contextlib.chdir(places.ROOT):
        return dicecli.score(*sides, labels=None if labels is None else f"sample_masks/{labels}")


def _folders():
    with contextlib.chdir(places.ROOT):
        return dicecli.batch("sample_masks/predictions", "sample_masks/references")


def _blocks(seed, labels, size=48):
    """Return a reference of so many labels in patches, and a prediction that errs in some of its pixels."""
    rng = np.random.default_rng(seed)
    reference = np.kron(rng.integers(0, labels + 1, (size // 3, size // 3)), np.ones((3, 3), int))
    wrong = rng.random(reference.shape) < 0.1
    return np.where(wrong, rng.integers(0, labels + 1, reference.shape), reference), reference


def _many(count, cases=3, **options):
    pairs = [Case(f"case{n + 1}", *_blocks(n, count)) for n in range(cases)]
    return score_many(pairs, make_settings(**options))


def _failed():
    """Return a run with a label that is undefined, a case that fails, one without a prediction, a long name."""
    prediction, reference = _blocks(7, 3)
    other = np.where(reference == 2, 0, reference)
    cases = [
        Case("usual", prediction, reference),
        Case(LONG, np.where(prediction == 2, 0, prediction), other),
        Case("of another shape", prediction[:-1], reference),
        Case("without prediction", None, reference),
    ]
    return score_many(cases, make_settings(labels={"labels": {"1": "liver", "2": "spleen", "3": "tumour"}}))


@cache
def report(name):
    """Return a report by its name."""
    made = {
        "binary": lambda: _files("lesion", ".png"),
        "organs": lambda: _files("organs", ".nii.gz", "organs_labels.json"),
        "labels150": lambda: _many(150, 1),
        "batch": _folders,
        "batch150": lambda: _many(150),
        "unicode": lambda: _many(3, labels=UNICODE),
        "failed": _failed,
        "distances": lambda: _many(3, metrics="dice,hd95,assd,nsd_2px,boundary_iou,hd,masd"),
    }
    return made[name]()


NAMES = ("binary", "organs", "labels150", "batch", "batch150", "unicode", "failed", "distances")


def shown(name, width, *, verbose=False):
    """Return what people see of a report."""
    return report(name).render("table", "report", Look(width, colour=False, verbose=verbose))


@pytest.mark.parametrize("name", NAMES)
def test_the_output_is_the_golden_one_at_every_width(name, golden):
    """At 60, 80 and 120 columns, and at the 100 of a pipe."""
    made = {f"{width} columns": shown(name, width) for width in WIDTHS}
    made["a pipe"] = shown(name, PLAIN.width)
    golden(f"widths/{name}.txt", "".join(f"== {title}\n{text}" for title, text in made.items()))


@pytest.mark.parametrize("verbose", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_wider_than_the_terminal_and_no_number_is_cut(name, verbose):
    """Every number of a narrow terminal stands in a wide one as well, whole, and so does every name."""
    wide = {*re.findall(r"[\w.,]+", report(name).render("table", look=Look(400, verbose=verbose)))}
    for width in WIDTHS:
        text = report(name).render("table", look=Look(width, verbose=verbose))
        assert max(map(cell_len, text.splitlines())) <= width
        numbers = {each for each in re.findall(r"[\w.,]+", text) if re.search(r"\d[.,]\d", each)}
        assert numbers <= wide


@pytest.mark.parametrize(("name", "most"), [("binary", 10), ("organs5", 16), ("batch5", 30)])
def test_as_little_as_needed(name, most):
    """A pair of binary masks takes 10 lines, five organs 16, a batch of five labels 30, at 80 columns."""
    made = {
        "binary": lambda: report("binary"),
        "organs5": lambda: _files("organs", ".nii.gz"),
        "batch5": lambda: _many(5, 4),
    }[name]()
    lines = made.render("table", look=Look(80)).rstrip("\n").splitlines()
    assert len(lines) <= most, "\n".join(lines)
    assert max(map(cell_len, lines)) <= 80


@pytest.mark.parametrize("name", ["batch", "failed", "unicode", "distances"])
def test_names_stand_in_every_table(name):
    """However narrow: each table of labels has its names, or its numbers where there is no name."""
    for width in WIDTHS:
        lines = report(name).render("table", look=Look(width)).splitlines()
        heads = [line for line, rule in pairwise(lines) if rule.strip() and {*rule.strip()} == {"─"}]
        of_labels = [head for head in heads if "average" not in head and "case" not in head.split()[:1]]
        has_names = any(row.name for row in report(name).evaluated)
        for head in of_labels:
            assert head.split()[:2] == ["label", "name"] if has_names else head.split()[0] == "label"


def test_columns_go_in_the_stated_order_and_that_is_said():
    """The narrower the fewer, each a beginning of one order; with -v none is left out."""
    before = []
    for width in (110, 100, 90, 80, 70, 60):
        text = " ".join(report("batch").render("table", look=Look(width)).split())
        gone = re.findall(r"Left out at \d+ columns: ([^;]+); a wider terminal has them, and -v\.", text)
        of_cases = next((each.split(", ") for each in gone if "Q1" in each), [])
        assert of_cases == ["Q1", "Q3", "max", "min", "median", "pooled"][: len(of_cases)]
        assert len(of_cases) >= len(before)
        before = of_cases
    assert len(before) > 2
    assert "Left out at" not in report("batch").render("table", look=Look(60, verbose=True))


def test_a_metric_that_was_asked_for_is_never_left_out():
    """Tables are cut into several instead."""
    found = report("distances")
    text = found.render("table", look=Look(60))
    for metric in found.shown:
        assert re.search(rf"(?m)^ (average|label).* {re.escape(metric.name)}( |$)", text)


def test_verdicts_come_first_then_the_headline_then_notes():
    """Nothing that misleads is below what it is about."""
    case = dicecli.score(*_blocks(1, 2)).scored[0]
    found = Report([case], Settings(), notes=["mind the gap"])
    found.verdicts = (Verdict("dice=0.5", 0.9, 0.5, holds=True),)
    text = found.render("table", look=Look(80))
    places_of = [
        text.index(each) for each in ("dice=0.5", "Dice 0.", "mind the gap", "prediction", " label ")
    ]
    assert sorted(places_of) == places_of


@pytest.mark.parametrize(
    ("environment", "width"),
    [({"COLUMNS": "60"}, 60), ({"COLUMNS": "0"}, 100), ({"COLUMNS": "wide"}, 100), ({}, 100)],
)
def test_columns_says_how_wide_a_pipe_is(environment, width):
    """What is no number, or 0, is as if it were not there."""
    words = ["batch", str(SAMPLES / "predictions"), str(SAMPLES / "references"), "-q"]
    done = runner().invoke(cli, words, env={"COLUMNS": None} | environment)
    assert done.stdout == report_of_run().render("table", look=Look(width))


def report_of_run():
    """Return the report that the command makes of the sample folders."""
    return dicecli.batch(SAMPLES / "predictions", SAMPLES / "references")


@pytest.mark.parametrize(
    ("environment", "coloured"),
    [
        ({}, False),
        ({"FORCE_COLOR": "1"}, True),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        ({"FORCE_COLOR": "", "NO_COLOR": ""}, False),
        ({"FORCE_COLOR": "1", "TERM": "dumb"}, True),
    ],
)
def test_colours_are_as_the_environment_wishes(environment, coloured):
    """FORCE_COLOR brings them into a pipe, on both streams; NO_COLOR takes them away whatever else is said."""
    none = {"NO_COLOR": None, "FORCE_COLOR": None, "TERM": None}
    files = [str(SAMPLES / f"lesion_{side}.png") for side in ("prediction", "reference")]
    shown = runner().invoke(cli, ["score", *files], env=none | environment)
    assert coloured == ("\x1b[" in shown.stdout)
    explained = runner().invoke(cli, ["metrics", "dice"], env=none | environment)
    assert coloured == ("\x1b[" in explained.stdout)
