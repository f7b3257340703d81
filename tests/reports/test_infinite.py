"""Values that are infinite, as a distance is where one mask is empty: in means, statistics, gates and every form."""

from __future__ import annotations

import csv
import io
import itertools
import json
import math
import statistics

import batches
import make
import numpy as np
import pytest
import toy
from averaging import parts
from hypothesis import given, settings
from hypothesis import strategies as st
from streams import runner
from toy import Spots, region, scored

from dicecli.cli import cli
from dicecli.metrics._catalogue import catalogue
from dicecli.metrics._metric import Metric
from dicecli.records.labels import LabelScheme
from dicecli.records.settings import Settings
from dicecli.reports.averages import AVERAGES
from dicecli.reports.bootstrap import bootstrap
from dicecli.reports.comparison.drops import compare
from dicecli.reports.gates import judge, parse
from dicecli.reports.means import mean, weighted_mean
from dicecli.reports.merging import merged
from dicecli.reports.presentation import figure
from dicecli.reports.reading_back import from_dict
from dicecli.reports.report import Report
from dicecli.reports.summing import statistics as summed_up

INF, NAN = math.inf, math.nan
#: Label 1 is 3, then 1 columns apart, is missed, is in neither mask, and is 2 apart; label 2 is 4 apart, then 5.
LABELS = {
    "a": {1: Spots((1, 1), (10, 13)), 2: Spots((1, 1), (20, 24))},
    "b": {1: Spots((1, 1), (10, 11)), 2: Spots((1, 1), (20, 25))},
    "c": {1: Spots((1, 0), (10, 0))},
    "d": {2: Spots((0, 0))},
    "e": {1: Spots((1, 1), (10, 12))},
}
COLUMN = "toy_miss_px"


@pytest.fixture(autouse=True)
def _toy(monkeypatch):
    toy.install(monkeypatch, toy.MISS)


def report(*names, metrics=("toy_miss",), **options):
    results = [scored(name, LABELS[name]) for name in names or LABELS]
    return Report(results, Settings(metrics=metrics, **options), is_batch=True)


def same(first, second):
    return first == second or (math.isnan(first) and math.isnan(second))


def rows(text):
    return list(csv.DictReader(io.StringIO(text)))


# --- Means ----------------------------------------------------------------------------------------------------------

anything = st.sampled_from([0.0, 1.0, 2.5, -3.0, INF, -INF, NAN])


@given(st.lists(st.tuples(anything, st.sampled_from([0.0, 1.0, 3.0]))))
def test_means_of_anything(pairs):
    """The mean is infinite where any value is, undefined where these are of both signs; of the others beside it."""
    values, weights = [each for each, _ in pairs], [each for _, each in pairs]
    for found, heavy in ((mean(values), [1.0] * len(pairs)), (weighted_mean(values, weights), weights)):
        defined = [(value, weight) for value, weight in zip(values, heavy, strict=True) if value == value]  # noqa: PLR0124 - not NaN
        if not sum(weight for _, weight in defined):
            assert math.isnan(found.value)
            assert (0, len(values), 0) == parts(found)[1:4]
            continue
        ends = {value for value, weight in defined if math.isinf(value) and weight}
        finite = [(value, weight) for value, weight in defined if math.isfinite(value)]
        total = sum(weight for _, weight in finite)
        rest = math.fsum(value * weight for value, weight in finite) / total if total else NAN
        assert same(rest if not ends else ends.pop() if len(ends) == 1 else NAN, found.value)
        assert same(rest, found.finite)
        assert (len(defined), len(values) - len(defined)) == parts(found)[1:3]
        assert sum(math.isinf(value) for value, _ in defined) == found.infinite


def test_a_missed_case_is_no_case_less():
    """The case that was missed is in every average over its cases; what is known of the others stands beside it."""
    averages = report().averages
    assert {"macro-imagewise", "label-mean"} == {name for name in averages if averages[name]}
    # By case 3.5, 3, inf, nothing, 2; of label 2 in d and e, and 1 in d, there is nothing.
    by_case = averages["macro-imagewise"][COLUMN]
    assert (INF, 4, 4, 1, (3.5 + 3 + 2) / 3) == parts(by_case)
    # By label inf, of what is finite 2, and 4.5: label 1 does not fall out for one case.
    by_label = averages["label-mean"][COLUMN]
    assert (INF, 2, 4, 1, (2 + 4.5) / 2) == parts(by_label)


def test_of_a_label_that_every_case_misses_nothing_is_finite():
    """It makes the mean infinite, and takes no part in what is finite."""
    found = Report(
        [scored("a", {1: Spots((1, 0), (5, 0)), 2: Spots((1, 1), (1, 2))})] * 2,
        Settings(metrics=("toy_miss",)),
    )
    assert (INF, 2, 0, 2, 1.0) == parts(found.averages["label-mean"][COLUMN])


# --- Statistics over cases ------------------------------------------------------------------------------------------


def of_label(run, label=1):
    (row,) = [row for row in run.summary.rows if row.label == label]
    return row.metrics[COLUMN]


def test_statistics_of_a_label_with_a_missed_case():
    """Mean and largest are infinite, without SD and interval; median and quartiles are values of cases."""
    found = of_label(report())
    assert (5, 5, 4, 1, 0) == (found.expected, found.scored, found.n, found.undefined, found.missing)
    assert (INF, INF, 1.0) == (found.mean, found.max, found.min)
    assert (1.0, 2.0, 3.0) == (found.q1, found.median, found.q3)
    assert all(map(math.isnan, (found.sd, found.ci_low, found.ci_high, found.pooled)))
    assert (1, 3, 2.0, 1.0) == (found.infinite, found.finite.n, found.finite.mean, found.finite.sd)
    ((low, high),) = bootstrap(np.array([[3.0], [1.0], [NAN], [NAN], [2.0]]), [None] * 5)
    assert (low, high) == (found.finite.ci_low, found.finite.ci_high)
    assert low < 2 < high


def test_statistics_without_a_missed_case_are_what_they_are():
    """Where no value is infinite everything is of all cases, and the finite ones are all of them."""
    found = of_label(report("a", "b", "e"))
    assert (2.0, 1.0, 2.0, 1.5, 2.5) == (found.mean, found.sd, found.median, found.q1, found.q3)
    assert 0 == found.infinite
    rest = found.finite
    assert (3, found.mean, found.sd) == (rest.n, rest.mean, rest.sd)
    assert (rest.ci_low, rest.ci_high) == (found.ci_low, found.ci_high)


@settings(max_examples=150)
@given(st.lists(st.sampled_from([0.5, 1.0, 2.0, 7.0, INF, -INF, NAN]), min_size=1, max_size=9))
def test_quantiles_never_lie_between_a_number_and_infinity(values):
    """Where any value is infinite each is the least value that so large a share of the cases does not exceed."""
    found = summed_up(np.array(values), 2, (NAN, NAN), NAN)
    kept = sorted(each for each in values if not math.isnan(each))
    assert (len(values) + 2, len(values), len(kept)) == (found.expected, found.scored, found.n)
    if not kept:
        assert all(map(math.isnan, (found.q1, found.median, found.q3, found.min, found.max, found.mean)))
        return
    assert (kept[0], kept[-1]) == (found.min, found.max)
    finite = [each for each in kept if math.isfinite(each)]
    if len(finite) < len(kept):
        expected = [kept[math.ceil(share * len(kept)) - 1] for share in (0.25, 0.5, 0.75)]
    elif len(kept) > 1:
        expected = statistics.quantiles(kept, n=4, method="inclusive")
    else:
        expected = kept * 3
    assert expected == pytest.approx([found.q1, found.median, found.q3], rel=1e-15)
    assert len(kept) - len(finite) == found.infinite
    assert same(mean(kept).value, found.mean)
    spread = statistics.stdev(finite) if len(finite) > 1 else NAN
    assert spread == pytest.approx(found.finite.sd, nan_ok=True)
    assert math.isnan(found.sd) or len(finite) == len(kept)


def test_infinities_of_both_signs_have_no_mean(monkeypatch):
    """Inf - inf is undefined, never 0: the mean is NaN, the quartiles are values, and all are counted."""

    def change(counts):
        """By how much the prediction is larger, as a logarithm."""
        if not counts.reference or not counts.prediction:
            return NAN if counts.reference == counts.prediction else INF if counts.prediction else -INF
        return math.log(counts.prediction / counts.reference)

    both = Metric("change", change, "-", "-", "-", "-", low=-INF, high=INF, better="lower", infinite=True)
    monkeypatch.setitem(catalogue(), "change", both)
    masks = [((0, 3), INF), ((3, 0), -INF), ((2, 2), 0.0), ((0, 0), NAN)]
    cases = [scored(str(at), {1: Spots(pixels)}) for at, (pixels, _) in enumerate(masks)]
    run = Report(cases, Settings(metrics=("change",), labels=LabelScheme(names={1: ""})))
    assert [value for _, value in masks] == pytest.approx(
        [row.values["change"] for case in run.cases() for row in case.labels], nan_ok=True
    )
    found = run.averages["label-mean"]["change"]
    assert math.isnan(found.value)
    assert (0, 1, 2, 0.0) == (found.n, found.undefined, found.infinite, found.finite)
    (row,) = run.summary.rows
    it = row.metrics["change"]
    assert math.isnan(it.mean)
    assert (-INF, -INF, 0.0, INF, INF) == (it.min, it.q1, it.median, it.q3, it.max)
    assert (3, 2, 1) == (it.n, it.infinite, it.finite.n)
    text = run.render("json")
    assert ["inf", "-inf", 0.0, None] == [each["labels"][0]["change"] for each in json.loads(text)["cases"]]
    assert text == from_dict(json.loads(text)).render("json")
    (gate,) = judge([parse("change@label-mean=1", over=True)], run)
    assert (math.isnan(gate.value), gate.holds) == (True, False)
    # However far on the good side a value is, it is none that a gate can trust.
    gates = [parse(text, over=True) for text in ("change@label-mean=1", "max:change=1", "change[1]=1")]
    assert [(-INF, False)] * 3 == [
        (each.value, each.holds) for each in judge(gates, Report(cases[1:2], run.settings))
    ]


# --- What is written ------------------------------------------------------------------------------------------------


def test_json_has_infinity_as_a_text_and_what_is_finite_beside_it():
    """Undefined is null, and so is a spread that is not given; other metrics have none of this."""
    record = json.loads(report(metrics=("toy_miss", "toy_growth")).render("json"))
    values = [row[COLUMN] for case in record["cases"] for row in case["labels"] if row["label"] == 1]
    assert [3.0, 1.0, "inf", None, 2.0] == values
    (first, _) = (row["metrics"] for row in record["summary"]["labels"])
    assert {"mean": "inf", "max": "inf", "sd": None, "ci_low": None, "ci_high": None, "infinite": 1} == {
        key: first[COLUMN][key] for key in ("mean", "max", "sd", "ci_low", "ci_high", "infinite")
    }
    assert {"n": 3, "mean": 2.0, "sd": 1.0} == {
        key: first[COLUMN]["finite"][key] for key in ("n", "mean", "sd")
    }
    assert not {"infinite", "finite"} & first["toy_growth"].keys()
    found = record["summary"]["averages"]["label-mean"]
    assert ("inf", {COLUMN: 1}, {COLUMN: 3.25}) == (
        found["values"][COLUMN],
        found["infinite"],
        found["finite"],
    )
    assert {"case": "c", "value": "inf"} == record["summary"]["labels"][0]["worst"]["cases"][0]


def test_a_metric_that_may_be_infinite_always_says_so():
    """Where no case was missed the keys and columns are there, too: 0 of them."""
    run = report("a", "b", "e")
    found = json.loads(run.render("json", "summary"))
    of_label = found["labels"][0]["metrics"][COLUMN]
    assert (0, 3) == (of_label["infinite"], of_label["finite"]["n"])
    assert {COLUMN: 0} == found["averages"]["label-mean"]["infinite"]
    assert (
        "0" == next(row for row in rows(run.render("csv", "summary")) if row["kind"] == "label")["infinite"]
    )
    plain = report("a", metrics=("toy_growth", "dice"))
    assert "finite" not in plain.render("json", "summary")
    assert "finite" not in plain.render("csv", "summary")


def test_csv_has_inf():
    """It is what pandas, R and spreadsheets read; undefined is empty."""
    run = report()
    assert ["3.0", "1.0", "inf", "", "2.0"] == [
        row[COLUMN] for row in rows(run.render("csv")) if row["label"] == "1"
    ]
    (found, *_) = [row for row in rows(run.render("csv", "summary")) if row["kind"] == "label"]
    assert ("inf", "", "", "", "inf", "1") == tuple(
        found[key] for key in ("mean", "sd", "ci_low", "pooled", "max", "infinite")
    )
    assert ("2.0", "1.0") == (found["finite_mean"], found["finite_sd"])
    (average,) = [row for row in rows(run.render("csv", "summary")) if row["name"] == "label-mean"]
    assert ("inf", "1", "3.25") == (average["value"], average["infinite"], average["finite_mean"])
    frame = run.to_pandas()
    assert [3.0, 1.0, INF, 2.0] == frame[frame.label == 1][COLUMN].dropna().tolist()


@pytest.mark.parametrize("name", ["markdown", "table"])
def test_of_one_case_alone_the_mean_of_the_others_is_said_too(name):
    """How many were missed, in a report that sums nothing up."""
    (case,) = [each for each in report().scored if each.case.name == "c"]
    alone = Report([case], Settings(metrics=("toy_miss",)), is_batch=False)
    found = alone.averages["label-mean"][COLUMN]
    assert (INF, 1) == (found.value, found.infinite)
    text = " ".join(alone.render(name).replace("\\", "").split())
    assert f"label-mean of {COLUMN}: {figure(found.finite)} without its infinite values (1)" in text


@pytest.mark.parametrize("name", ["markdown", "table"])
def test_people_are_told_how_many_were_missed_and_how_the_others_are(name):
    """Infinity stands in the table, a dash where a spread is not given, and under it what is known of the others."""
    text = " ".join(report().render(name).replace("\\", "").split())
    assert "label 1: 1 of 4 infinite; the other 3: mean ± SD 2.000 ± 1.000, 95 % CI" in text
    assert f"label-mean of {COLUMN}: 3.2500 without its infinite values (1)" in text
    table = report().render(name).replace("|", " ")
    (line,) = [line.split() for line in table.splitlines() if line.split()[:3] == ["1", "4", "1"]]
    assert ["inf", "—", "—"] == line[3:6]


def test_one_case_alone_shows_it():
    """The table of a case that missed a label has inf, as JUnit has of its average."""
    run = Report(report("c").results, Settings(metrics=("toy_miss",)), is_batch=False)
    for name in ("table", "markdown", "junit"):
        assert "inf" in run.render(name)
    assert "label-mean toy_miss_px inf" in run.render("junit")


@pytest.mark.parametrize("policy", ["zero", "one"])
def test_no_policy_touches_a_distance(policy):
    """Where both masks are empty it stays undefined, and where one is, infinite."""
    found = of_label(report(undefined=policy))
    assert (1, 1) == (found.infinite, found.undefined)


def test_regions_may_be_missed_too():
    """A region of one empty mask is infinite, as its mean is; averages over regions say so."""
    both = region("both", 1, 2)
    cases = [scored(name, LABELS[name], regions=[both]) for name in ("a", "c")]
    run = Report(cases, Settings(metrics=("toy_miss",), labels=LabelScheme(regions={"both": (1, 2)})))
    assert (INF, 1, 0, 1, 3.5) == parts(run.averages["region-mean"][COLUMN])
    assert INF == run.look_up("toy_miss[both]").value
    assert 3.5 == run.look_up("toy_miss[both]").finite


def test_an_infinite_record_is_read_back_and_merged():
    """The bytes of every form are the same again, of one run as of shards."""
    run = report()
    (gate,) = judge([parse("toy_miss=9", over=True)], run)
    run.verdicts = (gate,)
    again = from_dict(json.loads(run.render("json")))
    for name, part in itertools.product(("json", "csv", "markdown", "table"), ("report", "summary")):
        assert run.render(name, part) == again.render(name, part)
    assert INF == again.verdicts[0].value
    shards = [from_dict(json.loads(report(name).render("json"))) for name in "edcba"]
    assert report().render("json") == merged(shards).render("json")


# --- Gates ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "value", "said"),
    [
        ("toy_miss=1000", INF, "1 infinite value, which never passes"),
        ("toy_miss[1]=1000", INF, "1 infinite value, which never passes"),
        ("toy_miss@macro-imagewise=1000", INF, "1 infinite value, which never passes"),
        ("max:toy_miss=1000", INF, "worst case: c; infinite in 1 case, which never passes"),
        ("max:toy_miss[1]=1000", INF, "worst case: c; infinite in 1 case, which never passes"),
        ("toy_miss[2]=1000", 4.5, ""),
    ],
)
def test_a_gate_on_an_infinite_value_fails(text, value, said):
    """Whatever the limit, and it is said why; a label that no case missed passes."""
    (found,) = judge([parse(text, over=True)], report())
    assert (value, not said) == (found.value, found.holds)
    assert said in found.detail


@pytest.mark.parametrize("limit", ["inf", "1e999"])
def test_no_limit_is_infinite(limit):
    """A gate that everything passes is no gate."""
    with pytest.raises(ValueError, match="must be a finite number"):
        parse(f"toy_miss={limit}", over=True)


@pytest.mark.parametrize(
    ("old", "new", "drop", "holds"),
    [
        ("ab", "abc", 0.0, True),  # c is not shared
        ("ae", "ac", 0.0, True),  # nor are c and e
        ("abe", "abe", 0.0, True),
    ],
)
def test_a_baseline_of_shared_cases(old, new, drop, holds):
    """What is not shared does not count."""
    (found,) = compare(report(*new), report(*old), ["toy_miss[1]=0.5"])
    assert (drop, holds) == (found.value, found.holds)


def with_missed(name):
    """Return the report on a case in which label 1 is found, or is missed."""
    return Report([scored("x", LABELS[name])], Settings(metrics=("toy_miss",)), is_batch=True)


def test_a_case_that_is_missed_for_the_first_time_is_an_infinite_drop():
    """It never holds; the other way round it is better by more than any limit, which does."""
    (worse,) = compare(with_missed("c"), with_missed("e"), ["toy_miss=1000"])
    assert (INF, False) == (worse.value, worse.holds)
    assert "2 → inf" in worse.detail
    assert "worse cases: x 2 → inf" in worse.detail
    (better,) = compare(with_missed("e"), with_missed("c"), ["toy_miss=0"])
    assert (-INF, True) == (better.value, better.holds)
    assert "worse" not in better.detail


def test_a_drop_between_two_infinite_values_never_passes():
    """Further cases may have been missed since: how far it fell is unknown, as a gate on infinity is."""
    (verdict,) = compare(with_missed("c"), with_missed("c"), ["toy_miss=1000"])
    assert not verdict.holds
    assert math.isnan(verdict.value)
    assert "infinite in both" in verdict.detail


# --- From masks to every file ---------------------------------------------------------------------------------------


@pytest.fixture
def masks(tmp_path, monkeypatch):
    """Write pairs of which one prediction lacks the label; the metric is of where labels lie, in pixels."""

    def far(places, spacing):
        """Distance of the middles of the first axis, infinite where one mask is empty."""
        if not places.reference or not places.prediction:
            return INF if places.reference or places.prediction else NAN
        first, second = (
            sums[0] / n
            for sums, n in (
                (places.reference_sums, places.reference),
                (places.prediction_sums, places.prediction),
            )
        )
        return abs(first - second) * (1.0 if spacing is None else spacing[0])

    metric = Metric("far", far, "Far", "-", "either mask is empty", "-", high=INF, better="lower", of="place",
                    unit="length", takes_spacing=True, pools=False, infinite=True)  # fmt: skip
    monkeypatch.setitem(catalogue(), "far", metric)
    for name, row in (("a", 3), ("b", 5), ("c", None)):
        reference, prediction = np.zeros((2, 8, 8), np.uint8)
        reference[2, :4] = 1
        if row is not None:
            prediction[row, :4] = 1
        for side, mask in (("predictions", prediction), ("references", reference)):
            (tmp_path / side).mkdir(exist_ok=True)
            make.png(tmp_path / side / f"{name}.png", mask)
    return tmp_path


def test_a_batch_writes_it_everywhere(masks):
    """From masks to JSON, CSV, Markdown, JUnit and the table; a gate fails with exit code 1, and says why."""
    done = batches.call(
        *batches.both(masks), "-m", "far", *batches.all_outputs(masks), "--fail-over", "far=100", "-f", "json"
    )
    assert 1 == done.exit_code
    record = json.loads(done.stdout)
    assert record == json.loads((masks / "scores.json").read_text())
    assert [1.0, 3.0, "inf"] == [case["labels"][0]["far_px"] for case in record["cases"]]
    (gate,) = record["summary"]["gates"]
    assert ("inf", False) == (gate["value"], gate["holds"])
    assert ["1.0", "3.0", "inf"] == [row["far_px"] for row in rows((masks / "scores.csv").read_text())]
    said = "label 1: 1 of 3 infinite; the other 2: mean ± SD 2.000 ± 1.414"
    for name in ("scores.md", "scores.txt"):
        text = " ".join((masks / name).read_text().split())
        assert said in text
        assert "| far=100 | inf | 100 | FAILED |" in text or "far=100 inf 100 FAILED" in text
    xml = (masks / "scores.xml").read_text()
    assert "label-mean far_px inf" in xml
    assert 'failure type="gate" message="value inf, limit 100' in xml
    again = runner().invoke(cli, ["report", str(masks / "scores.json"), "-f", "markdown"])
    assert (
        again.stdout.partition("**")[2].splitlines()[:3]
        == (masks / "scores.md").read_text().partition("**")[2].splitlines()[:3]
    )


def test_one_pair_shows_it(masks):
    """The label that was missed has inf, which is its average as well."""
    words = ["score", *(str(each / "c.png") for each in batches.both(masks)), "-m", "far"]
    shown = runner().invoke(cli, words)
    assert 0 == shown.exit_code
    assert 1 == shown.stdout.count(" inf\n")
    record = json.loads(runner().invoke(cli, [*words, "-f", "json"]).stdout)
    assert "inf" == record["cases"][0]["averages"]["label-mean"]["far_px"]
    assert "inf" == record["summary"]["averages"]["label-mean"]["values"]["far_px"]


def test_every_average_of_values_is_infinite_once(masks):
    """Whichever average leads, the gate without @ reads it."""
    for name in AVERAGES:
        done = batches.call(
            *batches.both(masks), "-m", "far", "--average", name, "--fail-over", "far=9", "-f", "json"
        )
        assert "inf" == json.loads(done.stdout)["summary"]["gates"][0]["value"]
