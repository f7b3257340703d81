"""A report in Python: its numbers as attributes and by rows, as data frames, on a journey, and what is misspelt."""

from __future__ import annotations

import copy
import math
import pickle
from itertools import chain

import numpy as np
import pytest

import dicecli
from dicecli.errors import NoAttribute, NoKey, UnknownName, UsageError
from dicecli.metrics._catalogue import catalogue
from dicecli.records.cases import Case
from dicecli.reports.report import Report
from dicecli.reports.report_row import ReportRow

SCHEME = {"labels": {"0": "background", "1": "liver", "2": "tumour"}, "regions": {"both": [1, 2]}}
FIRST = np.array([[0, 1, 1, 2], [0, 1, 2, 2]])
SECOND = np.array([[0, 1, 2, 2], [0, 0, 2, 2]])
CASES = [
    dicecli.Case("a", FIRST, SECOND),
    dicecli.Case("b", SECOND, FIRST),
    dicecli.Case("c", FIRST[:1], SECOND),
]


def maps(labels):
    return np.moveaxis(np.eye(3)[labels] * 0.7 + 0.1, -1, 0)


@pytest.fixture(scope="module")
def reports():
    """Score one case, several of which one fails, no case, a failed one alone, and a map of probabilities."""
    settings = dicecli.make_settings(labels=SCHEME, metrics=["dice", "iou", "hd95", "overall_kappa"])
    failed = dicecli.score_many(CASES[2:], settings)
    return {
        "one": dicecli.score(FIRST, SECOND, labels=SCHEME, metrics=["dice", "iou", "hd95"]),
        "many": dicecli.score_many(CASES, settings),
        "none": Report([], settings, is_batch=True),
        "failed": Report(failed.results, settings, is_batch=False),
        "soft": dicecli.soft(
            maps(FIRST), SECOND, labels=SCHEME, channels="0,1,2", metrics=["dice_argmax", "brier"]
        ),
    }


KINDS = ("one", "many", "none", "failed", "soft")


@pytest.mark.parametrize("kind", KINDS)
def test_every_metric_is_an_attribute(kind, reports):
    """Of the run the average that leads, of a row what its name in brackets means."""
    report = reports[kind]
    for metric in (*report.metrics, *report.together):
        assert repr(getattr(report, metric.name)) == repr(report.look_up(metric.name))
        assert metric.name in dir(report)
    for row in report.evaluated:
        key = row.label if row.label is not None else row.name
        for metric in report.metrics:
            expected = report.look_up(f"{metric.name}[{key}]").value
            assert np.array_equal(getattr(report[key], metric.name), expected, equal_nan=True)
            assert np.array_equal(report[key].values[metric.name], expected, equal_nan=True)
            assert metric.name in dir(report[key])
        assert key in report
        assert report[key].row == row
        assert report[key].title in repr(report[key])


def test_rows_are_found_by_number_and_by_name(reports):
    """Numbers of NumPy too; a name of several things, or of none, is an error that lists what there is."""
    report = reports["many"]
    assert report["liver"].counts == report[1].counts == report[np.int64(1)].counts
    assert report["liver"].counts == sum((row.counts for case in report.cases() for row in getattr(case, "labels", ())[:1]), dicecli.Counts())  # fmt: skip
    assert (report["both"].label, report["both"].name, report[2].name) == (None, "both", "tumour")
    assert report._ipython_key_completions_() == ["liver", "tumour", "both"]
    assert [each in report for each in ("lver", 7, 1.5, None)] == [False] * 4
    with pytest.raises(UsageError, match="no label or region 'lver'") as caught:
        report["lver"]
    assert "1 (liver)" in caught.value.hint
    with pytest.raises(UsageError, match=r"1\.5 is no label"):
        report[1.5]
    with pytest.raises(TypeError, match="not iterable"):
        list(report)


def test_an_average_is_a_number(reports):
    """As float and in a format; of a row it is a float."""
    average = reports["one"].dice
    assert float(average) == average.value
    assert f"{average:.3f}" == f"{average.value:.3f}"
    assert f"{average}" == str(average)
    assert isinstance(reports["one"]["liver"].dice, float)


@pytest.mark.parametrize(
    ("name", "said", "hint"),
    [
        ("dise", "a report has no 'dise'", "Did you mean dice"),
        ("to_panda", "a report has no 'to_panda'", "Did you mean to_pandas"),
        ("xyzzy", "there is no metric 'xyzzy'", "dir(report) lists what it has."),
        ("assd", "assd_px needs the statistic|was not measured", ""),
        ("nsd", "a length with its unit is expected", "Write nsd_2mm."),
    ],
)
def test_a_misspelt_attribute_proposes_the_right_one(reports, name, said, hint):
    """It is an AttributeError, so that hasattr says no, with the hint of any error."""
    with pytest.raises(NoAttribute, match=said) as caught:
        getattr(reports["one"], name) if name != "assd" else dicecli.score(FIRST, SECOND).assd
    assert hint in caught.value.hint
    assert isinstance(caught.value, AttributeError)
    assert not hasattr(reports["one"], "dise")
    assert not hasattr(reports["one"]["liver"], "dise")
    with pytest.raises(NoAttribute, match="liver has no 'dise'"):
        _ = reports["one"]["liver"].dise


def test_a_misspelt_key_proposes_the_right_one():
    """It is a KeyError, with the hint of any error, in every mapping of a report; get and in are those of dicts."""
    cases = [Case(name, FIRST, SECOND, columns=(("site", "Bonn"),)) for name in ("garden_1", "garden_2")]
    report = dicecli.score_many(cases, dicecli.make_settings(group_by="site"))
    for mapping, key, near in (
        (report.averages, "makro", "macro"),
        (report.averages["macro"], "dise", "dice"),
        (report.intervals["macro"], "dise", "dice"),
        (report.groups, "Born", "Bonn"),
        (report.overall, "overall_acuracy", "overall_accuracy"),
    ):
        with pytest.raises(NoKey, match=f"there is no .*'{key}'") as caught:
            mapping[key]
        assert f"Did you mean {near}" in caught.value.hint
        assert isinstance(caught.value, KeyError)
        assert mapping.get(key) is None
        assert repr(mapping) == repr(pickle.loads(pickle.dumps(mapping)))  # noqa: S301 - our own
    assert report.case("garden_2").result is report.scored[1]
    with pytest.raises(UsageError, match="0 scored cases are named 'gardn_1'") as refused:
        report.case("gardn_1")
    assert refused.value.hint.startswith("Did you mean garden_1")


def test_no_metric_has_the_name_of_something_else():
    """Whatever a metric is called, an attribute of a report or of a row does not hide it."""
    words = {*chain.from_iterable(each.words for each in catalogue().values())}
    assert words & {*dir(Report)} == set()
    assert words & {*dir(ReportRow)} == set()


@pytest.mark.parametrize("kind", KINDS)
def test_a_report_travels(kind, reports):
    """What was pickled or copied is the same report, and shows itself as before."""
    report = reports[kind]
    for other in (pickle.loads(pickle.dumps(report)), copy.copy(report), copy.deepcopy(report)):  # noqa: S301 - our own
        assert other.to_dict() == report.to_dict()
        assert repr(other) == repr(report)
    for row in report.evaluated[:1]:
        assert repr(copy.deepcopy(report[row.title])) == repr(report[row.title])


def test_a_report_shows_itself_even_where_it_is_broken(reports):
    """In one line; whoever debugs one that is half made sees that, not another error."""
    for report in reports.values():
        assert repr(report).startswith("<dicecli.Report: ")
        assert "\n" not in repr(report)
    many = Report(reports["one"].results * 150, reports["one"].settings)
    assert repr(many) == f"<dicecli.Report: Dice {many.dice:.4f}, macro, 150 of 150 cases>"
    assert "intervals" not in vars(many)
    assert repr(object.__new__(Report)).startswith("<dicecli.Report")


@pytest.mark.parametrize("kind", KINDS)
def test_data_frames_have_what_the_csv_and_the_averages_have(kind, reports):
    """Whole numbers are integers, undefined is NaN."""
    report = reports[kind]
    frame = report.to_pandas()
    assert report.render("csv").partition("\n")[0] == ",".join(frame.columns)
    assert len(frame) == len([*report.rows()])
    averages = report.to_pandas("averages")
    pairs = [(name, metric) for name, values in report.averages.items() for metric in values]
    assert pairs == [*zip(averages["average"], averages["metric"], strict=True)]
    for line in averages.itertuples():
        expected = report.averages[line.average][line.metric]
        assert np.array_equal(line.value, expected.value, equal_nan=True)
        assert (line.n, line.undefined) == (expected.n, expected.undefined)
        interval = report.intervals.get(line.average, {}).get(line.metric, (math.nan,) * 3)
        assert np.array_equal([line.ci_low, line.ci_high, line.sd], [*interval], equal_nan=True)
    summary = report.to_pandas("summary")
    assert len(summary) == len([*report.rows("summary")])
    for each in (frame, averages, summary):
        for column in {"label", "n", "tp", "undefined"} & set(each.columns):
            assert str(each[column].dtype) == "Int64"
    with pytest.raises(UnknownName, match="no kind of data frame 'row'") as caught:
        report.to_pandas("row")
    assert "Known: rows, averages, summary." in caught.value.hint


def test_notes_and_suggestions_of_one_case_are_those_of_the_report():
    """Whoever asks the report sees them; every output still has each of them once."""
    flipped = np.zeros((12, 12), int)
    flipped[:4, :6] = 1
    report = dicecli.score(flipped[::-1], flipped, metrics=["dice"])
    (case,) = report.cases()
    assert report.notes == case.notes
    assert report.suggestions == case.suggestions
    assert report.suggestions
    for form in ("table", "markdown", "junit"):
        text = " ".join(report.render(form).split())
        assert text.count(" ".join(report.suggestions[0].text.split())[:40]) == 1
    assert report.to_dict()["summary"]["notes"] == []
    assert report.to_dict()["summary"]["suggestions"] == []


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda report: report.look_up(3), "METRIC@AVERAGE"),
        (lambda report: report.look_up(nmae="dice"), "no option 'nmae'"),
        (lambda report: report.value("dice", 4), "named '4'"),
        (lambda report: report.pooled("dice"), "missing a required argument: 'row'"),
        (lambda report: report.render("pdf"), "no exporter 'pdf'"),
        (lambda report: report.to_pandas(knd="rows"), "no option 'knd'"),
    ],
)
def test_a_wrong_argument_of_a_method_is_said(reports, call, said):
    """Nothing that Python alone would say of it."""
    with pytest.raises(UsageError, match=said) as caught:
        call(reports["one"])
    assert caught.value.hint


def test_undefined_is_nan_in_rows_of_what_is_nowhere(reports):
    """Of a report without scored cases a declared label is there, without a number."""
    assert math.isnan(reports["none"]["liver"].dice)
    assert reports["none"]["liver"].facts is None
