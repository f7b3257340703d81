"""How sure averages are: against plain loops over the same draws, and against the statistics of labels."""

from __future__ import annotations

import math
import operator
import statistics
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from averaging import average
from hypothesis import example, given, settings
from hypothesis import strategies as st
from make import measured

import dicecli
from dicecli.records.cases import Case, Scored
from dicecli.records.counts import Counts
from dicecli.reports import bootstrap, resampled
from dicecli.reports.averages import OVER_REGIONS
from dicecli.reports.drawn import Block, Columns
from dicecli.reports.intervals import Interval, not_resampled
from dicecli.reports.report import Report
from dicecli.runs.scoring import make_settings

REGIONS = {"both": [1, 2], "second": [2]}
FEW = 40
SIZE = operator.attrgetter("reference")
#: How a measurement weighs, by what it is of; one that is None is left out.
WEIGHTS = {
    "counts": SIZE,
    "surface": SIZE,
    "soft": lambda channel: 0 if channel is None else channel.sums.reference,
}


def result(name, labels, group=None, counted=10_000):
    """Make a case from (tp, fp, fn) of each label; regions have the counts of their labels added up."""

    def full(counts):
        return Counts(*counts, counted - sum(counts))

    regions = {
        region: full([sum(each) for each in zip(*(labels[label] for label in members), strict=True)])
        for region, members in REGIONS.items()
    }
    own = {label: full(counts) for label, counts in labels.items()}
    return Scored(
        Case(name, "p", "r", group), (counted,), None, None, {}, counted, {}, measured(own, regions)
    )


def report_of(table, groups=None, **options):
    """Make a report from (tp, fp, fn) of the labels 1 and 2 of each case."""
    results = [
        result(f"c{at}", {1: first, 2: second}, groups and groups[at])
        for at, (first, second) in enumerate(table)
    ]
    return Report(
        results, make_settings(regions=REGIONS, labels={"labels": {"1": "one", "2": "two"}}, **options)
    )


def brute(report, name, metric):
    """Return the limits of an average, drawn and averaged case by case."""
    part = slice(2, None) if name in OVER_REGIONS else slice(2)
    cases = [taken[part] for taken in report.table.taken(metric.of)]
    keys = [at if each.case.group is None else each.case.group for at, each in enumerate(report.scored)]
    units = [*dict.fromkeys(keys)]
    members = [[case for case, key in zip(cases, keys, strict=True) if key == unit] for unit in units]
    draws = np.random.default_rng(bootstrap.SEED).integers(0, len(units), (FEW, len(units)))
    found = []
    for draw in draws.tolist():
        drawn = [case for unit in draw for case in members[unit]]
        score = lambda taken: metric.value(taken, None, report.settings.undefined)  # noqa: E731
        found.append(average(OVER_REGIONS.get(name, name), drawn, score, WEIGHTS[metric.of]).finite)
    kept = sorted(each for each in found if not math.isnan(each))
    share = len(kept) / FEW
    return (kept[round(1 * share)], kept[min(len(kept) - 1, round(38 * share))]) if kept else None


@pytest.fixture
def few(monkeypatch):
    """Draw few resamples, so that loops can do the same."""
    for module in (bootstrap, resampled):
        monkeypatch.setattr(module, "RESAMPLES", FEW)
    monkeypatch.setattr(bootstrap, "_LOW", 1)
    monkeypatch.setattr(bootstrap, "_HIGH", 38)


COUNTS = st.tuples(*[st.sampled_from([0, 0, 1, 2, 7, 100])] * 3)


@settings(max_examples=12)
@given(
    table=st.lists(st.tuples(COUNTS, COUNTS), min_size=2, max_size=5),
    groups=st.lists(st.sampled_from([None, None, "a", "b"]), min_size=5, max_size=5),
    undefined=st.sampled_from(["skip", "zero", "one"]),
)
@pytest.mark.usefixtures("few")
def test_an_interval_is_that_of_plain_loops(table, groups, undefined):
    """Each average of each metric, over labels and regions, is drawn and averaged as a loop would do it."""
    report = report_of(table, groups, undefined=undefined, metrics=["dice", "precision", "mcc"])
    assert [*report.averages] == [*report.intervals]
    for name, by_metric in report.intervals.items():
        assert [*report.averages[name]] == [*by_metric]
        for metric in report.metrics:
            actual, expected = by_metric[metric.name], brute(report, name, metric)
            if not math.isnan(actual.low):
                assert pytest.approx(expected, abs=1e-9) == (actual.low, actual.high)
            elif expected is not None:  # of one unit alone there is none
                assert len({each.case.group or each.case.name for each in report.scored}) == 1 or is_one(
                    report
                )


def maps_of(channels, seed, groups=None, **options):
    """Make a report from maps of a few pixels, of so many channels each; one channel has no largest one."""
    random, results = np.random.default_rng(seed), []
    for at, number in enumerate(channels):
        p = random.dirichlet([0.5] * number, 6) if number > 1 else random.random((6, 1))
        g = random.integers(0, max(2, number), 6)
        (case,) = dicecli.soft(p, g, independent=number == 1).results
        results.append(replace(case, case=Case(f"c{at}", "p", "r", groups and groups[at])))
    return Report(results, make_settings(soft=True, **options))


@settings(max_examples=5)
@given(
    channels=st.lists(st.sampled_from([1, 2, 3]), min_size=2, max_size=5),
    groups=st.lists(st.sampled_from([None, "a", "b"]), min_size=5, max_size=5),
    options=st.sampled_from([{}, {"smooth": 0.0, "undefined": "zero"}]),
    seed=st.integers(0, 99),
)
@example(channels=[1, 2, 3, 3], groups=[None] * 5, options={}, seed=1)
@pytest.mark.usefixtures("few")
def test_of_soft_scores_it_is_that_of_plain_loops(channels, groups, options, seed):
    """Sums and histograms are added up anew, also where cases lack a label; but what takes too long."""
    report = maps_of(channels, seed, groups, **options)
    is_several = len({each.case.group or each.case.name for each in report.scored}) > 1
    left_out = {each.name for each in not_resampled(report.metrics)}
    assert left_out == {"dice_best", "best_threshold", "gain", "average_precision"}
    for name in ("macro", "micro", "weighted"):
        for metric in report.metrics:
            actual = report.intervals[name][metric.name]
            if metric.name in left_out or not is_several:
                assert math.isnan(actual.low)
            else:
                expected = brute(report, name, metric) or (math.nan, math.nan)
                assert pytest.approx(expected, rel=1e-12, nan_ok=True) == (actual.low, actual.high), (
                    name,
                    metric.name,
                )


@pytest.mark.usefixtures("few")
def test_of_boundary_iou_it_is_that_of_plain_loops():
    """Pixels of bands are added up anew, where labels are missing in some cases, too."""
    random, results = np.random.default_rng(6), []
    for at in range(5):
        masks = random.integers(0, 3 if at else 2, (2, 5, 5)).astype(np.uint8)
        (case,) = dicecli.score(*masks, metrics=["boundary_iou"], boundary_width="1px").results
        results.append(replace(case, case=Case(f"c{at}", "p", "r")))
    for policy in ("skip", "one"):
        report = Report(
            results, make_settings(metrics=["boundary_iou"], boundary_width="1px", undefined=policy)
        )
        for name in ("macro", "micro", "weighted"):
            expected = brute(report, name, report.metrics[0])
            it = report.intervals[name]["boundary_iou"]
            assert pytest.approx(expected, rel=1e-12) == (it.low, it.high)


def is_one(report):
    """Whether all but one of what is drawn lacks a value of some metric, or has nothing at all."""
    keys = np.array([each.case.group or each.case.name for each in report.scored])
    there = [np.isfinite(np.reshape(report.table.values(each), (len(keys), -1))) for each in report.metrics]
    sizes = [[sum(row[:3]) > 0 for row in map(list, case)] for case in report.table.leading]
    parts = [each[:, part] for each in (*there, np.array(sizes)) for part in (slice(2), slice(2, None))]
    return any(len({*keys[each.any(axis=1)]}) < 2 for each in parts)


def random_report(cases, seed=0, groups=None, **options):
    table = np.random.default_rng(seed).integers(0, 60, (cases, 2, 3)).tolist()
    return report_of([(tuple(a), tuple(b)) for a, b in table], groups, **options)


def test_of_one_label_it_is_the_interval_of_its_mean():
    """macro-imagewise and label-mean of one label have the label's own interval, to the bit, and its SD."""
    groups = ["a", "a", "b", None, "c", "c", "d", None]
    table = [(tuple(each), (0, 0, 0)) for each in np.random.default_rng(3).integers(0, 50, (8, 3)).tolist()]
    report = report_of(table, groups, metrics=["dice", "fnr"])
    for metric in ("dice", "fnr"):
        own = report.summary.rows[0].metrics[metric]
        assert Interval(own.ci_low, own.ci_high, own.sd) == report.intervals["macro-imagewise"][metric]
        assert (own.ci_low, own.ci_high) == (*report.intervals["label-mean"][metric],)[:2]
        assert report.intervals["macro"][metric].low < own.pooled < report.intervals["macro"][metric].high


def test_the_deviation_is_that_of_the_values_of_the_cases():
    """Averages over cases have the SD of what they are the mean of, with n - 1; others have none."""
    report = random_report(9)
    cases = [each.averages for each in report.cases()]
    for name, alone in (("macro-imagewise", "macro"), ("micro-imagewise-regions", "micro-regions")):
        values = [each[alone]["dice"].value for each in cases]
        assert pytest.approx(statistics.stdev(values), rel=1e-12) == report.intervals[name]["dice"].sd
    assert {True} == {
        math.isnan(each["dice"].sd) == ("imagewise" not in name) for name, each in report.intervals.items()
    }


@pytest.mark.parametrize("groups", [None, ["a"] * 4], ids=["one case", "one group"])
def test_of_one_there_is_no_interval(groups):
    """One case, and cases of one group, say nothing about others."""
    report = random_report(4 if groups else 1, groups=groups)
    assert {True} == {
        math.isnan(each.low) and math.isnan(each.high)
        for by_metric in report.intervals.values()
        for each in by_metric.values()
    }


def test_an_interval_hangs_on_nothing_else(monkeypatch):
    """What else is asked for, and how many resamples are looked at together, change no bit of it."""
    alone = random_report(12, metrics=["dice"]).intervals
    monkeypatch.setattr(resampled, "_CELLS", 100_000)
    monkeypatch.setattr(bootstrap, "_CELLS", 5000)
    beside = random_report(12, metrics=["iou", "kappa", "dice"]).intervals
    assert {name: repr(each["dice"]) for name, each in alone.items()} == {
        name: repr(each["dice"]) for name, each in beside.items()
    }


@given(
    st.lists(
        st.integers(0, 2**51) | st.integers(2**48, 2**49) | st.integers(0, 2**200), min_size=6, max_size=6
    )
)
def test_sums_are_exact(numbers):
    """Whatever is drawn, and over rows, numbers of any size are added up to the last bit."""
    table = np.array(numbers, object).reshape(3, 1, 2)
    drawn = np.array([[2, 0], [0, 2], [1, 1]])
    columns = Columns(np.array([0, 0, 1]), table)
    found = [
        (at, piece.sum(axis=2)[:, 0].tolist()) for at, piece in columns.added(Block(drawn.astype(float)))
    ]
    first, second = sum(numbers[:4]), sum(numbers[4:])
    for place, (one, other) in enumerate(drawn.tolist()):
        assert one * first + other * second == sum(int(piece[place]) << at for at, piece in found)


@pytest.mark.parametrize("scale", [2**20, 2**60, 2**90])
def test_counts_of_any_size(scale):
    """Counts whose sums are not exact in float64 give the interval of the same shares."""
    table = np.random.default_rng(5).integers(0, 60, (5, 2, 3)).tolist()

    def limits(factor):
        cases = [[tuple(n * factor for n in each) for each in case] for case in table]
        found = [
            result(f"c{at}", {1: first, 2: second}, counted=10_000 * factor)
            for at, (first, second) in enumerate(cases)
        ]
        report = Report(found, make_settings(regions=REGIONS, metrics=["dice", "kappa"]))
        return [tuple(each) for name in report.intervals for each in report.intervals[name].values()]

    for one, other in zip(limits(1), limits(scale), strict=True):
        assert pytest.approx(one, rel=1e-12, nan_ok=True) == other


def test_they_are_ordered():
    """The limits of an average of many cases lie around it."""
    report = random_report(60, seed=2)
    for name, by_metric in report.intervals.items():
        for metric, each in by_metric.items():
            inside = (each.low, report.averages[name][metric].value, each.high)
            assert all(a <= b for a, b in pairwise(inside)), (name, metric)
