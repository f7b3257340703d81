"""Statistics over cases: the published ones, and every number against a plain computation of its own."""

from __future__ import annotations

import csv
import io
import json
import math
import statistics
import tracemalloc
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from make import measured

from dicecli.metrics._catalogue import resolve
from dicecli.records.cases import Case, Failed, LeftOut, Scored
from dicecli.records.counts import Counts, pooled
from dicecli.reports import bootstrap as module
from dicecli.reports.averages import AVERAGES, definition
from dicecli.reports.bootstrap import RESAMPLES, SEED, bootstrap
from dicecli.reports.report import Report
from dicecli.runs.scoring import make_settings

DEFINITIONS = {name: definition(name) for name in AVERAGES}
NAMES = {"0": "background", "1": "L1", "2": "L2", "3": "L3"}
REGIONS = {"first two": [1, 2]}
EMPTY = (0, 0, 0)


def scored(name, labels, *, group=None, sizes=None, regions=None, counted=100_000):
    """Make a result from (tp, fp, fn) of each label."""

    def full(counts):
        return Counts(*counts, counted - sum(counts))

    return Scored(
        case=Case(name, "p", "r", group),
        shape=(counted,),
        spacing=None,
        unit=None,
        sizes=sizes or {},
        counted=counted,
        excluded={},
        measured=measured(
            {label: full(counts) for label, counts in labels.items() if sum(counts)},
            {name: full(counts) for name, counts in (regions or {}).items()},
        ),
    )


def report_of(table, *, groups=None, others=(), **options):
    """Make a report from (tp, fp, fn) by case and label."""
    groups = groups or {}
    results = [scored(name, labels, group=groups.get(name)) for name, labels in table.items()]
    return Report([*results, *others], make_settings(**options))


def failed(name, kind=Failed):
    return kind(Case(name, "p", "r"), "Error", "message", "hint")


def of(report, label, metric="dice"):
    """Return the statistics of one label, by number, or of a region, by name."""
    (row,) = [row for row in report.summary.rows if label in {row.label, row.name}]
    return row.metrics[metric]


def near(expected, tolerance=5e-7):
    return pytest.approx(float(expected), abs=tolerance, nan_ok=True)


def ratio(values, metric="dice"):
    """Make a report of one label whose Dice, or IoU, are these fractions; None is undefined."""
    table = {}
    for number, value in enumerate(values):
        if value is None:
            counts = EMPTY
        else:
            top, below = Fraction(value).as_integer_ratio()
            counts = (top, 2 * (below - top), 0) if metric == "dice" else (top, below - top, 0)
        table[f"c{number:04}"] = {1: counts}
    return table


# --- Six aggregates of one data set (vector 11) -------------------------------------------------------------

VECTOR = {
    "c1": {1: (80, 10, 30), 2: (5, 5, 0), 3: EMPTY},
    "c2": {1: (900, 50, 50), 2: EMPTY, 3: (0, 7, 0)},
    "c3": {1: (10, 0, 90), 2: (40, 20, 0), 3: (0, 0, 9)},
}


@pytest.mark.parametrize(
    ("row", "dice", "iou"),
    [
        ("L1", (0.643062, 0.643062, 0.643062), (0.555556, 0.555556, 0.555556)),
        ("L2", (0.733333, 0.822222, 0.488889), (0.583333, 0.722222, 0.388889)),
        ("L3", (0, 0.333333, 0), (0, 0.333333, 0)),
        ("label-mean", (0.458799, 0.599539, 0.377317), (0.379630, 0.537037, 0.314815)),
        ("macro-imagewise", (0.511430, 0.599539, 0.377317), (0.429630, 0.537037, 0.314815)),
    ],
)
@pytest.mark.parametrize("policy", ["skip", "one", "zero"])
def test_the_published_means(policy, row, dice, iou):
    """The means over cases, the label-mean and macro-imagewise are the published ones under each policy."""
    report = report_of(VECTOR, labels={"labels": NAMES}, undefined=policy)
    for metric, expected in (("dice", dice), ("iou", iou)):
        averages = report.averages
        actual = averages[row][metric].value if row in averages else of(report, row, metric).mean
        assert near(expected[["skip", "one", "zero"].index(policy)]) == actual


@pytest.mark.parametrize("policy", ["skip", "one", "zero"])
def test_the_published_pools(policy):
    """The pooled values, and the macro and micro averages, are the published ones, whatever the policy."""
    report = report_of(VECTOR, labels={"labels": NAMES}, undefined=policy)
    assert [Fraction(198, 221), Fraction(18, 23), 0] == [near(of(report, n).pooled, 1e-15) for n in (1, 2, 3)]
    assert [Fraction(99, 122), Fraction(9, 14), 0] == [
        near(of(report, n, "iou").pooled, 1e-15) for n in (1, 2, 3)
    ]
    assert near(0.559512) == report.averages["macro"]["dice"].value
    assert near(0.484778) == report.averages["macro"]["iou"].value
    assert near(Fraction(2070, 2341), 1e-15) == report.averages["micro"]["dice"].value
    assert near(Fraction(1035, 1306), 1e-15) == report.averages["micro"]["iou"].value


def test_what_the_published_means_leave_out_is_counted():
    """Label 3 is in one mask of two cases and in none of the third; label 2 is nowhere in one case."""
    report = report_of(VECTOR, labels={"labels": NAMES})
    found = {label: (of(report, label).n, of(report, label).undefined) for label in (1, 2, 3)}
    assert found == {1: (3, 0), 2: (2, 1), 3: (2, 1)}


def test_the_six_averages_stand_side_by_side_with_their_definitions():
    """All six are in the summary as JSON, CSV and Markdown, each with its definition in words."""
    report = report_of(VECTOR, labels={"labels": NAMES}, metrics="dice")
    found = json.loads(report.render("json", "summary"))["averages"]
    assert {name: each["definition"] for name, each in found.items()} == DEFINITIONS
    assert {name: each.value for name, each in by_name(report).items()} == {
        name: each["values"]["dice"] for name, each in found.items()
    }
    lines = report.render("markdown", "summary").splitlines()
    for name, text in DEFINITIONS.items():
        assert any(line.startswith(f"- **{name}**: {text} (n = ") for line in lines)
        said = [line for line in lines if line.startswith(f"| {name} |")]
        assert any(f"| {by_name(report)[name].value:.4f}" in line for line in said)
    rows = list(csv.DictReader(io.StringIO(report.render("csv", "summary"))))
    for name, each in by_name(report).items():
        (row,) = [row for row in rows if row["kind"] == "average" and row["name"] == name]
        assert (repr(each.value), str(each.n), str(each.undefined)) == (
            row["value"],
            row["n"],
            row["undefined"],
        )


def by_name(report):
    return {name: values["dice"] for name, values in report.averages.items()}


# --- Statistics ---------------------------------------------------------------------------------------------


def random_table(seed, cases, labels=3, empty=0.2):
    """Make counts at random, some of them empty."""
    rng = np.random.default_rng(seed)
    counts = rng.integers(0, 500, (cases, labels, 3))
    counts[rng.random((cases, labels)) < empty] = 0
    return {
        f"c{i:04}": {j + 1: tuple(int(n) for n in counts[i, j]) for j in range(labels)} for i in range(cases)
    }


def values_of(table, label, metric="dice"):
    """Return the defined values of a label, by the metric's own function."""
    every = [resolve(metric).function(Counts(*case[label])) for case in table.values()]
    return [value for value in every if not math.isnan(value)]


@pytest.mark.parametrize("cases", [2, 3, 4, 5, 12, 101])
@pytest.mark.parametrize("metric", ["dice", "recall", "fdr"])
def test_every_statistic_against_plain_computations(cases, metric):
    """Mean, SD (n - 1), median, quartiles of type 7, minimum, maximum and pool are those of the standard
    library and of NumPy.
    """
    table = random_table(cases, cases, empty=0)
    report = report_of(table)
    for label in (1, 2, 3):
        values = values_of(table, label, metric)
        found = of(report, label, metric)
        quartiles = statistics.quantiles(values, n=4, method="inclusive")
        assert [found.q1, found.median, found.q3] == [near(each, 1e-15) for each in quartiles]
        assert [found.q1, found.median, found.q3] == np.percentile(values, [25, 50, 75]).tolist()
        assert near(statistics.fmean(values), 1e-15) == found.mean
        assert near(statistics.stdev(values), 1e-14) == found.sd
        assert near(np.std(values, ddof=1), 1e-14) == found.sd
        assert (min(values), max(values)) == (found.min, found.max)
        whole = pooled(Counts(*case[label]) for case in table.values())
        assert resolve(metric).function(whole) == found.pooled


def test_every_statistic_against_pandas():
    """The summary as CSV is what pandas finds in the rows of the CSV, label by label."""
    report = report_of(random_table(7, 40))
    rows = pd.read_csv(io.StringIO(report.render("csv")))
    summary = pd.read_csv(io.StringIO(report.render("csv", "summary")))
    columns = {
        "mean": "mean",
        "sd": "std",
        "min": "min",
        "q1": "25%",
        "median": "50%",
        "q3": "75%",
        "max": "max",
    }
    for metric in ("dice", "iou", "precision", "recall"):
        described = rows.groupby("label")[metric].describe()
        found = summary[(summary.kind == "label") & (summary.metric == metric)].set_index("label")
        assert described["count"].astype(int).tolist() == found["n"].astype(int).tolist()
        assert [40] * 3 == found["scored"].tolist() == (found["n"] + found["undefined"]).tolist()
        for ours, theirs in columns.items():
            assert described[theirs].tolist() == pytest.approx(found[ours].tolist(), abs=1e-14)


def test_a_median_of_four_and_quartiles_by_hand():
    """Of 0, 1/4, 1/2 and 1: quartiles 3/16, 3/8 and 5/8, mean 7/16, variance 35/192."""
    found = of(report_of(ratio([1, Fraction(1, 4), 0, Fraction(1, 2)]) | {"x": {2: (1, 0, 0)}}), 1)
    # The last case has no label 1.
    assert (5, 5, 4, 1, 0) == (found.expected, found.scored, found.n, found.undefined, found.missing)
    assert (0.0, 3 / 16, 3 / 8, 5 / 8, 1.0) == (found.min, found.q1, found.median, found.q3, found.max)
    assert (7 / 16, near(math.sqrt(35 / 192), 1e-15)) == (found.mean, found.sd)


def test_every_expected_case_is_scored_undefined_or_missing():
    """n, undefined and missing add up to the expected cases, for every row and metric."""
    others = [failed("x"), failed("y"), failed("z", LeftOut)]
    report = report_of(random_table(3, 20), others=others)
    every = [each for row in report.summary.rows for each in row.metrics.values()]
    assert {(23, 20, 3)} == {(each.expected, each.scored, each.missing) for each in every}
    assert {23} == {each.n + each.undefined + each.missing for each in every}
    assert any(each.undefined for each in every)


def test_cases_that_failed_change_no_statistic():
    """They are counted as missing, and every other number is as without them."""
    table = random_table(4, 9)
    alone, beside = report_of(table), report_of(table, others=[failed("x")])
    for label in (1, 2, 3):
        one, other = (numbers_of(of(each, label)) for each in (alone, beside))
        changed = {name for name in one if one[name] != near(other[name], 0)}
        assert {"expected", "missing"} == changed


def numbers_of(found):
    """Return every number of some statistics by its name; those of the finite cases among them."""
    own = {name: value for name, value in vars(found).items() if name != "finite"}
    return own | {f"finite {name}": value for name, value in vars(found.finite).items()}


@pytest.mark.parametrize("values", [[None, None, None], []], ids=["undefined", "no case"])
def test_nothing_defined_is_undefined_and_never_zero(values):
    """A label that no mask holds, and a run without cases that could be scored, have NaN everywhere."""
    report = report_of(ratio(values), others=[failed("x"), failed("y")], labels={"labels": NAMES})
    found = of(report, 1)
    assert (0, len(values), 2) == (found.n, found.undefined, found.missing)
    numbers = ("mean", "sd", "median", "q1", "q3", "min", "max", "ci_low", "ci_high", "pooled")
    assert all(math.isnan(getattr(found, name)) for name in numbers)
    assert () == report.summary.rows[0].worst
    record = json.loads(report.render("json", "summary"))
    assert {None} == {record["labels"][0]["metrics"]["dice"][name] for name in numbers}


def test_one_value_has_no_spread():
    """Of one defined value SD and interval are undefined, and all else is the value."""
    found = of(report_of(ratio([None, Fraction(1, 3), None])), 1)
    assert {1 / 3} == {found.mean, found.median, found.q1, found.q3, found.min, found.max, found.pooled}
    assert all(math.isnan(each) for each in (found.sd, found.ci_low, found.ci_high))


@pytest.mark.parametrize(("policy", "mean"), [("skip", 1 / 2), ("zero", 1 / 3), ("one", 2 / 3)])
def test_a_policy_takes_part(policy, mean):
    """Under zero and one nothing is undefined, and the value put there is in every statistic."""
    found = of(report_of(ratio([Fraction(1, 4), Fraction(3, 4), None]), undefined=policy), 1)
    assert (near(mean, 1e-15), policy == "skip") == (found.mean, found.undefined == 1)


def test_regions_have_statistics_too():
    """A region has a row of its own below those of the labels."""
    results = [
        scored(name, {1: (1, 1, 0)}, regions={"first two": counts})
        for name, counts in {"a": (1, 0, 0), "b": (1, 2, 0)}.items()
    ]
    report = Report(results, make_settings(regions=REGIONS))
    assert [(1, None), (None, "first two")] == [(row.label, row.name) for row in report.summary.rows]
    found = of(report, "first two")
    assert (0.75, 0.5, 1.0, 2 / 3) == (found.mean, found.min, found.max, found.pooled)


def test_volumes_are_pooled_where_voxels_are_alike():
    """The pooled volume is that of all cases together; with voxels of several sizes there is none."""
    table = {"a": {1: (3, 0, 1)}, "b": {1: (5, 2, 0)}}

    def volume(*sizes):
        results = [
            scored(name, table[name], sizes={"mm3": size}) for name, size in zip("ab", sizes, strict=True)
        ]
        return of(Report(results, make_settings()), 1, "volume_reference_mm3")

    found = volume(2.0, 1.0)
    assert (6.5, 8.0, 5.0) == (found.mean, found.max, found.min)
    assert volume(2.0, 2.0).pooled == 18.0
    assert math.isnan(found.pooled)


# --- The worst cases ----------------------------------------------------------------------------------------


def test_the_five_worst_cases_of_each_label():
    """They are listed with their values, the worst first, names deciding between equals; undefined are not."""
    values = [1, Fraction(1, 2), None, 0, Fraction(1, 2), Fraction(3, 4), Fraction(1, 4), Fraction(7, 8)]
    (row,) = report_of(ratio(values)).summary.rows
    expected = [("c0003", 0.0), ("c0006", 0.25), ("c0001", 0.5), ("c0004", 0.5), ("c0005", 0.75)]
    assert tuple(expected) == row.worst


def test_of_equal_cases_the_worst_has_the_most_wrong_pixels():
    """Where many cases are at 0 the largest error comes first; of equal ones c2 comes before c10."""
    wrong = {
        "c1": (1, 1),
        "c10": (7, 0),
        "c2": (3, 4),
        "c3": (0, 90),
        "c4": (20, 5),
        "c5": (0, 2),
        "c6": (9, 9),
    }
    table = {name: {1: (0, *errors)} for name, errors in wrong.items()}
    (row,) = report_of(table | {"c0": {1: (5, 500, 0)}}).summary.rows
    assert [("c3", 0.0), ("c4", 0.0), ("c6", 0.0), ("c2", 0.0), ("c10", 0.0)] == [*row.worst]


def test_the_worst_cases_go_by_the_first_metric_chosen():
    """Where less is better the highest is the worst; a metric without direction ranks nothing."""
    table = {"a": {1: (1, 0, 3)}, "b": {1: (1, 0, 0)}, "c": {1: (1, 0, 1)}}
    report = report_of(table, metrics=["prevalence", "fnr"])
    assert "fnr" == report.summary.ranked
    assert (("a", 0.75), ("c", 0.5), ("b", 0.0)) == report.summary.rows[0].worst
    assert report_of(table, metrics=["prevalence"]).summary.ranked is None


# --- The interval -------------------------------------------------------------------------------------------


def drawn_means(values, groups=None):
    """Draw the resamples and compute their means, one by one, with nothing but the standard library."""
    members = {}
    for position, value in enumerate(values):
        key = position if groups is None or groups[position] is None else groups[position]
        members.setdefault(key, []).append(value)
    units = list(members.values())
    means = []
    for draw in np.random.default_rng(SEED).integers(0, len(units), (RESAMPLES, len(units))).tolist():
        picked = [value for unit in draw for value in units[unit] if not math.isnan(value)]
        if picked:
            means.append(math.fsum(picked) / len(picked))
    return sorted(means)


def interval(values, groups=None):
    """Return the 250th and the 9,750th of the 9,999 sorted means."""
    means = drawn_means(values, groups)
    assert RESAMPLES == len(means)
    return means[249], means[9749]


def column(values):
    return np.array(values, np.float64).reshape(-1, 1)


@pytest.mark.parametrize("cases", [2, 3, 10, 33])
def test_the_interval_is_that_of_a_plain_bootstrap(cases):
    """It is the percentile bootstrap over cases with 9,999 resamples and the printed seed."""
    values = np.random.default_rng(cases).random(cases).tolist()
    assert bootstrap(column(values), [None] * cases) == [pytest.approx(interval(values), abs=1e-9)]


def test_undefined_values_are_left_out_of_each_resample():
    """A resample's mean is of its defined values; of a resample without any there is none."""
    values = [0.9, math.nan, 0.5, 0.7, math.nan, 0.2]
    ((low, high),) = bootstrap(column(values), [None] * 6)
    means = drawn_means(values)
    assert 9900 < len(means) < RESAMPLES
    for limit, share in ((low, 0.025), (high, 0.975)):
        below = sum(mean < limit - 1e-9 for mean in means) / len(means)
        up_to = sum(mean <= limit + 1e-9 for mean in means) / len(means)
        assert below <= share + 0.001
        assert share - 0.001 <= up_to


def test_columns_do_not_touch_each_other():
    """Every column is resampled alike, whatever stands beside it, and however large that is."""
    rng = np.random.default_rng(1)
    columns = rng.random((20, 4)) * [1, 1000, 1e-6, -1]
    columns[3, 1] = columns[5, 2] = math.nan
    columns[:, 3] = math.nan
    found = bootstrap(columns, [None] * 20)
    alone = [bootstrap(columns[:, [place]], [None] * 20)[0] for place in range(4)]
    assert [near(each, 0) for each in np.ravel(alone)] == np.ravel(found).tolist()
    assert found[0] == pytest.approx(interval(columns[:, 0].tolist()), abs=1e-9)


def test_the_interval_is_always_the_same(monkeypatch):
    """The same cases give the same interval to the last bit, also in smaller blocks of resamples."""
    columns = np.random.default_rng(5).random((50, 3))
    expected = bootstrap(columns, [None] * 50)
    np.random.seed(3)  # noqa: NPY002 - what other code does with it must not matter
    assert expected == bootstrap(columns.copy(), [None] * 50)
    monkeypatch.setattr(module, "_CELLS", 50 * 777)
    assert expected == bootstrap(columns, [None] * 50)


def test_the_interval_of_equal_values_is_that_value():
    """Where every case has the same value there is nothing to draw."""
    ((low, high),) = bootstrap(column([1 / 3] * 9), [None] * 9)
    assert low == high == pytest.approx(1 / 3, abs=1e-9)


@pytest.mark.parametrize(
    ("values", "groups"),
    [
        ([0.5], [None]),
        ([0.5, math.nan], [None, None]),
        ([0.5, 0.7, 0.9], ["A", "A", "A"]),
        ([0.5, 0.7, math.nan], ["A", "A", "B"]),
    ],
    ids=["one case", "one defined", "one group", "one defined group"],
)
def test_one_unit_has_no_interval(values, groups):
    """Of one case or group nothing can be said about the spread."""
    ((low, high),) = bootstrap(column(values), groups)
    assert math.isnan(low)
    assert math.isnan(high)


def test_groups_are_resampled_whole():
    """The interval is that of a plain bootstrap of groups; a case without a group is one of its own."""
    values = np.random.default_rng(9).random(14).tolist()
    groups = [*"AABBBBCDDD", None, None, "E", None]
    assert bootstrap(column(values), groups) == [pytest.approx(interval(values, groups), abs=1e-9)]


def test_groups_make_the_interval_wider():
    """Ten patients with six equal scans each are ten observations, and not sixty."""
    of_patients = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0]
    values = [value for value in of_patients for _ in range(6)]
    groups = [f"patient {number}" for number in range(10) for _ in range(6)]
    ((low, high),) = bootstrap(column(values), groups)
    ((case_low, case_high),) = bootstrap(column(values), [None] * 60)
    assert high - low > 2 * (case_high - case_low)
    assert bootstrap(column(of_patients), [None] * 10) == [pytest.approx((low, high), abs=1e-9)]


def test_names_of_groups_do_not_matter():
    """Groups are numbered as they come: other names give the same interval."""
    values = np.random.default_rng(9).random(8)
    one, other = (bootstrap(column(values), list(names)) for names in ("AABBCCDD", "ZZXXYYAA"))
    assert one == other


def test_a_report_resamples_groups_where_there_are_any():
    """The interval in the report goes by the groups of its cases, and every format says so."""
    table = ratio([Fraction(n % 4 + 1, 5) for n in range(12)])
    groups = {name: f"g{number % 4}" for number, name in enumerate(table)}
    plain, grouped = report_of(table), report_of(table, groups=groups)
    assert ("case", "group") == (plain.summary.resampled, grouped.summary.resampled)
    values = values_of(table, 1)
    assert interval(values) == pytest.approx((of(plain, 1).ci_low, of(plain, 1).ci_high), abs=1e-9)
    found = of(grouped, 1)
    assert interval(values, list(groups.values())) == pytest.approx((found.ci_low, found.ci_high), abs=1e-9)
    for report, unit in ((plain, "case"), (grouped, "group")):
        record = json.loads(report.render("json", "summary"))
        assert {"resamples": 9999, "seed": SEED, "resampled": unit} == record["bootstrap"]
        for name in ("markdown", "table"):
            said = " ".join(report.render(name).split())
            assert f"bootstrap over {unit}s (9,999 resamples, seed {SEED})" in said


@pytest.mark.parametrize("seed", range(3))
def test_the_interval_covers_the_mean(seed):
    """Of many samples of a known distribution about 95 in 100 intervals hold its mean."""
    samples = np.random.default_rng(seed).beta(8, 2, (40, 100))
    inside = sum(low <= 0.8 <= high for low, high in bootstrap(samples, [None] * 40))
    assert 86 <= inside <= 100


# --- Size ---------------------------------------------------------------------------------------------------


def test_a_thousand_cases_of_ten_labels():
    """A large run is summed up: every row, every metric, every case."""
    table = random_table(1, 1000, labels=10)
    report = report_of(table)
    assert len(report.summary.rows) == 10
    for row in report.summary.rows:
        assert [metric.name for metric in report.metrics] == list(row.metrics)
        found = row.metrics["dice"]
        assert (1000, 1000, 0) == (found.expected, found.n + found.undefined, found.missing)
        assert found.ci_low < found.mean < found.ci_high
        assert near(statistics.fmean(values_of(table, row.label)), 1e-14) == found.mean
        assert len(row.worst) == 5


def test_memory_does_not_grow_with_the_labels():
    """Thousands of labels and metrics are resampled within the memory of a few: a hundred megabytes or so."""
    columns = np.random.default_rng(0).random((30, 2000))
    tracemalloc.start()
    try:
        found = bootstrap(columns, [None] * 30)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 200 * 2**20
    assert found[::500] == bootstrap(columns[:, ::500], [None] * 30)
