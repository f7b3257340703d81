"""Metrics of a statistic that is no matrix, in every report: hand-made cases of a toy statistic."""

from __future__ import annotations

import csv
import io
import json
import math
import re
from dataclasses import replace
from importlib.metadata import EntryPoint

import pytest
import toy
from averaging import parts
from hypothesis import HealthCheck, given
from hypothesis import settings as effort
from hypothesis import strategies as st
from streams import runner
from toy import Spots, region, scored

from dicecli import plugins
from dicecli.cli import cli
from dicecli.errors import GateError, UsageError
from dicecli.metrics import _catalogue
from dicecli.metrics._catalogue import catalogue, resolve, statistics_of
from dicecli.plugins import load, names
from dicecli.records.cases import Failed
from dicecli.records.labels import LabelScheme
from dicecli.records.settings import Settings
from dicecli.reports.averages import OVER_REGIONS
from dicecli.reports.comparison.drops import compare
from dicecli.reports.gates import check_asked_for, judge, parse
from dicecli.reports.merging import merged
from dicecli.reports.reading_back import from_dict
from dicecli.reports.report import Report
from dicecli.runs.choosing import chosen_metrics

BOTH = region("both", 1, 2)
#: In mm, with columns of 2 mm: label 1 is 3 columns apart, then 1 column; label 2 is missed, then 5 apart.
FIRST = {1: Spots((10, 10), (30, 60)), 2: Spots((4, 0), (8, 0))}
SECOND = {1: Spots((20, 20), (40, 60)), 2: Spots((1, 1), (10, 15))}
MM = {"spacing": (1.0, 2.0), "unit": "mm"}
SPLIT = ("macro-imagewise", "label-mean")


@pytest.fixture(autouse=True)
def _toy(monkeypatch):
    toy.install(monkeypatch)


def settings(*metrics, **options):
    return Settings(metrics=metrics or None, **options)


def cases(**grid):
    grid = grid or MM
    return [scored("a", FIRST, **grid), scored("b", SECOND, **grid)]


def report(*metrics, results=None, **options):
    return Report(cases() if results is None else results, settings(*metrics, **options))


def undefined(values):
    return [None if math.isnan(each) else each for each in values]


def verdict(text, run, *, over=True):
    (only,) = judge([parse(text, over=over)], run)
    return only


# --- Which statistics, and which words ----------------------------------------------------------------------


def test_statistics_are_measured_only_where_a_metric_asks():
    """The matrix always, others with the metrics that are of them, each once."""
    assert (
        ("matrix",) == statistics_of(None) == statistics_of(("dice", "volume_reference_mm3", "overall_mcc"))
    )
    assert ("matrix", "toy") == statistics_of(("toy_growth", "dice", "toy_distance"))


def test_without_a_choice_there_are_metrics_of_the_matrix_alone():
    """Tables and JSON of a run in which none was chosen do not change because a statistic was added."""
    assert not {"toy_growth", "toy_distance_mm"} & {each.name for each in report().metrics}
    assert {"toy_growth", "toy_distance"} <= set(chosen_metrics("all"))


def test_all_is_every_metric_of_masks(monkeypatch):
    """-m all leaves out what reads probabilities; asked for by name, it is an error that names the commands."""
    monkeypatch.setitem(catalogue(), "softly", replace(toy.GROWTH, name="softly", of="soft"))
    assert {"toy_growth", "dice"} <= set(chosen_metrics("all"))
    assert "softly" not in chosen_metrics("all")
    for name in ("softly", "brier", "Soft_Dice_standard"):
        with pytest.raises(UsageError, match=f"{name.lower()} is of probability maps") as caught:
            chosen_metrics(name)
        assert "dicecli soft" in caught.value.hint
    assert ("overall_accuracy",) == chosen_metrics("overall_accuracy")


@pytest.mark.parametrize("name", names("statistics"))
def test_every_statistic_says_what_it_reads(name):
    """A statistic reads labels or probabilities."""
    assert load("statistics", name).READS in {"labels", "probabilities"}


@pytest.mark.parametrize(
    "word", ["toy_distance", "toy_distance_mm", "Toy-Distance px", "toy_gap", "toy gap m"]
)
def test_a_length_is_named_with_and_without_its_unit(word):
    """Each word finds the one metric, in -m, in gates and in the catalogue."""
    assert "toy_distance" == resolve(word).name
    assert ("toy_distance",) == chosen_metrics(word)
    assert toy.DISTANCE == parse(f"{word}=3", over=True).metric
    done = runner().invoke(cli, ["metrics", word])
    assert "toy_distance_mm, toy_distance_m, toy_distance_px" in " ".join(done.output.split())
    assert "macro-imagewise and label-mean alone" in " ".join(done.output.split())


def test_what_is_no_length_has_no_unit():
    """dice_mm is no metric."""
    with pytest.raises(UsageError, match="dice_mm"):
        resolve("dice_mm")


@pytest.mark.parametrize(
    "fields", [{"takes": "every"}, {"size": "mm3"}, {"unit": "length"}, {"unit": "length", "pools": True}]
)
def test_fields_that_contradict_each_other_are_refused(fields):
    """Only what leads is taken of every label, only counts with a pixel's size; no length pools."""
    with pytest.raises(ValueError, match="toy_growth"):
        replace(toy.GROWTH, **fields)


# --- Values and averages ------------------------------------------------------------------------------------


def test_values_stand_beside_the_counts():
    """Each label has the values of its own measurement, in the unit of the case."""
    first, second = report("dice", "toy_distance", "toy_growth").cases()
    assert [6.0, None] == undefined(row.values["toy_distance_mm"] for row in first.labels)
    assert [2.0, 10.0] == undefined(row.values["toy_distance_mm"] for row in second.labels)
    assert [0.5, 0.0] == [row.values["toy_growth"] for row in first.labels]
    assert [1.0, 0.0] == [row.values["dice"] for row in first.labels]


def test_what_does_not_pool_has_means_of_values_alone():
    """label-mean: (mean of 6 and 2, 10) / 2; macro-imagewise: (6, mean of 2 and 10) / 2; nothing else exists."""
    averages = report("toy_distance", "dice").averages
    assert {
        name: parts(values["toy_distance_mm"])
        for name, values in averages.items()
        if "toy_distance_mm" in values
    } == {
        "macro-imagewise": (6.0, 2, 1, 0, 6.0),
        "label-mean": (7.0, 2, 1, 0, 7.0),
    }
    assert all("dice" in values for values in averages.values())


def test_what_pools_has_every_average_of_its_own_measurement():
    """Pixels of both cases together: label 1 has 30 of 60, label 2 has 1 of 6; 34 and 31 of 35 and 31 in all."""
    averages = report("toy_growth").averages
    values = {name: each["toy_growth"].value for name, each in averages.items()}
    assert {
        "macro": (1 / 2 + 1 / 6) / 2,
        "micro": 31 / 66,
        "weighted": (30 / 2 + 5 / 6) / 35,
        "micro-imagewise": (10 / 24 + 1 / 2) / 2,
        "macro-imagewise": (1 / 4 + 1 / 2) / 2,
        "label-mean": (1 / 2 + 1 / 4) / 2,
    } == pytest.approx(values)


@effort(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(
    st.lists(
        st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), min_size=2, max_size=2),
        min_size=1,
        max_size=4,
    )
)
def test_averages_do_not_depend_on_the_statistic(masks):
    """The same number from counts and from another statistic's measurement has the same averages, all of them."""
    results = [
        scored(str(place), {label: Spots(pixels) for label, pixels in enumerate(pairs, 1)})
        for place, pairs in enumerate(masks)
    ]

    def of_counts(counts):
        """Share of the pixels of both that the prediction has."""
        return toy.growth(Spots((counts.reference, counts.prediction)))

    plain = replace(toy.GROWTH, name="plain_growth", of="counts", function=of_counts)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(catalogue(), "plain_growth", plain)
        run = report("toy_growth", "plain_growth", results=results)
        for values in run.averages.values():
            assert repr(values["plain_growth"]) == repr(values["toy_growth"])


def test_one_case_leads_with_the_mean_over_labels():
    """Macro is of what pools; where a length is asked for, label-mean stands beside it."""
    (case,) = report("dice", "toy_distance", results=cases()[1:]).cases()
    assert 6.0 == case.averages["label-mean"]["toy_distance_mm"].value
    assert ["macro", "micro", "weighted", "label-mean"] == list(case.averages)
    assert "toy_distance_mm" not in case.averages["macro"]
    assert case.averages["macro"]["dice"] == case.averages["label-mean"]["dice"]
    (case,) = report("dice", results=cases()[1:]).cases()
    assert ["macro", "micro", "weighted"] == list(case.averages)


def test_regions_have_values_and_no_mean_of_what_does_not_pool():
    """A region has a measurement of its own; macro-regions pools, and so has no length, as region-mean has."""
    results = [scored("a", FIRST, regions=[BOTH], **MM), scored("b", SECOND, regions=[BOTH], **MM)]
    run = report("toy_distance", "toy_growth", results=results, labels=LabelScheme(regions={"both": (1, 2)}))
    first, second = run.cases()
    assert abs(38 / 14 - 60 / 10) * 2 == pytest.approx(first.regions[0].values["toy_distance_mm"])
    assert abs(50 / 21 - 75 / 21) * 2 == pytest.approx(second.regions[0].values["toy_distance_mm"])
    assert {"toy_growth": (31 / 66, 1, 0, 0, 31 / 66)} == {
        name: parts(each) for name, each in run.averages["macro-regions"].items()
    }
    values = [each.regions[0].values["toy_distance_mm"] for each in (first, second)]
    assert sum(values) / 2 == run.averages["region-mean"]["toy_distance_mm"].value
    assert {"macro-imagewise-regions", "region-mean"} == {
        name for name in OVER_REGIONS if "toy_distance_mm" in run.averages[name]
    }


def test_a_row_of_a_kind_that_is_not_measured_is_undefined(monkeypatch):
    """A statistic without regions has no value of one, and adds none up."""
    monkeypatch.setitem(toy.MEASURES, "region", Spots)
    monkeypatch.delitem(toy.MEASURES, "region")
    run = report("toy_growth", "toy_distance", labels=LabelScheme(regions={"both": (1, 2)}))
    assert [None, None] == undefined(next(run.cases()).regions[0].values.values())
    assert math.isnan(run.averages["macro-regions"]["toy_growth"].value)
    assert math.isnan(run.summary.rows[-1].metrics["toy_growth"].pooled)


@pytest.mark.parametrize("policy", ["zero", "one"])
def test_no_policy_invents_a_length(policy):
    """--undefined puts a value for what pools, of whatever statistic, and none for a distance."""
    run = report("toy_growth", "toy_distance", undefined=policy, labels=LabelScheme(names={1: "", 3: ""}))
    row = next(run.cases()).labels[1]
    assert [float(policy == "one"), None] == undefined(row.values.values())


def test_the_summary_pools_what_pools():
    """Statistics over cases have everything of a length but the pooled value."""
    first = report("toy_growth", "toy_distance").summary.rows[0].metrics
    assert 0.5 == first["toy_growth"].pooled
    assert (4.0, 2, True) == (
        first["toy_distance_mm"].mean,
        first["toy_distance_mm"].n,
        math.isnan(first["toy_distance_mm"].pooled),
    )


# --- Units --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("grid", "column", "value"),
    [
        (MM, "toy_distance_mm", 6.0),
        ({"spacing": (3.0, 30.0), "unit": "m"}, "toy_distance_m", 90.0),
        ({}, "toy_distance_px", 3.0),
        # Nobody knows of what a spacing without unit is: it is left aside.
        ({"spacing": (2.0, 2.0), "unit": None}, "toy_distance_px", 3.0),
        ({"spacing": (0.1, 0.1), "unit": "degree"}, "toy_distance_px", None),
    ],
    ids=["mm", "m", "pixels", "unknown", "degrees"],
)
def test_the_unit_is_that_of_the_case_and_stands_in_every_column(grid, column, value):
    """Columns, keys and headers are word and unit; values are in it."""
    run = report("toy_distance", results=[scored("a", FIRST, **grid)])
    record = run.to_dict()
    assert value == record["cases"][0]["labels"][0][column]
    assert value == record["cases"][0]["averages"]["label-mean"][column]
    assert [column] == [
        key for key in next(csv.DictReader(io.StringIO(rendered("csv", run)))) if "toy" in key
    ]
    for name in ("table", "markdown", "junit"):
        assert column in rendered(name, run).replace("\\", "")
    assert column in run.to_pandas().columns


def rendered(name, run):
    return run.render(name)


def test_degrees_are_no_lengths_and_the_reports_say_so():
    """A case in degrees has no distance, fits into any run, and a note on it and on the run says why."""
    there = scored("a", FIRST, spacing=(0.1, 0.1), unit="degree")
    run = report("dice", "toy_distance", results=[there, *cases()[1:]])
    assert "mm" == run.unit
    assert 2 == len(run.scored)
    assert any("in degree" in note for note in next(run.cases()).notes)
    assert any("in 1 of 2 cases: the spacing is in degree" in note for note in run.notes)
    assert not any("degree" in note for note in report("dice", results=[there, *cases()]).notes)


def test_pixels_that_are_not_square_are_told():
    """Where the unit is unknown and the steps differ, distances in pixels mislead."""
    (case,) = report("toy_distance", results=[scored("a", FIRST, spacing=(1.0, 3.0))]).cases()
    assert any("not square" in note for note in case.notes)


def test_a_run_has_one_unit():
    """A case of another unit than the first scored one's is a failed row; without a length it is a case like any."""
    metres = scored("b", SECOND, spacing=(1.0, 1.0), unit="m")
    results = [cases()[0], metres, scored("c", SECOND)]
    run = report("dice", "toy_distance", results=results)
    assert ["a"] == [each.case.name for each in run.scored]
    assert [("b", "UnitMismatch"), ("c", "UnitMismatch")] == [
        (each.case.name, each.error) for each in run.failed
    ]
    assert "in m, and those of this run in mm" in run.failed[0].message
    assert 3 == len(report("dice", results=results).scored)
    assert 3 == len(run.shown_with(settings("dice")).scored)


def test_merged_shards_have_one_unit():
    """Shards of one unit each, put together, hold what one run would: the second one's cases failed."""
    shards = [
        report("toy_distance", results=[cases()[0]]),
        report("toy_distance", results=[scored("b", SECOND)]),
    ]
    run = merged([from_dict(each.to_dict()) for each in shards])
    assert [("b", "UnitMismatch")] == [(each.case.name, each.error) for each in run.failed]
    assert isinstance(run.results[1], Failed)


# --- Written, and read back ---------------------------------------------------------------------------------


def test_a_record_gives_the_same_report_again():
    """What was measured travels in the JSON: every number is computed again from it."""
    run = report("dice", "toy_distance", "toy_growth")
    again = from_dict(json.loads(rendered("json", run)))
    assert rendered("json", run) == rendered("json", again)
    assert rendered("table", run) == rendered("table", again)


def test_json_has_no_number_that_does_not_exist():
    """An average that needs pooling has no key, a pooled value is None; CSV has it empty."""
    record = report("toy_distance").to_dict()
    averages = record["summary"]["averages"]
    assert {"toy_distance_mm": 7.0} == averages["label-mean"]["values"]
    assert all(not averages[name]["values"] for name in averages if name not in SPLIT)
    assert record["summary"]["labels"][0]["metrics"]["toy_distance_mm"]["pooled"] is None
    rows = list(csv.DictReader(io.StringIO(report("toy_distance").render("csv", "summary"))))
    assert SPLIT == tuple(row["name"] for row in rows if row["kind"] == "average")
    assert {""} == {row["pooled"] for row in rows if row["kind"] == "label"}


@pytest.mark.parametrize("name", ["table", "markdown"])
@pytest.mark.parametrize("several", [True, False])
def test_tables_have_a_dash_and_say_why(name, several):
    """Where macro has no length there is a dash, and a line says that values of cases do not add up."""
    run = report("dice", "toy_distance", results=cases()[: 1 + several])
    text = rendered(name, run)
    lines = [line.replace("*", "").strip("| ") for line in text.splitlines()]
    assert any(re.match(r"macro\b.* — ", f"{line} ") for line in lines)
    assert "toy_distance_mm: values of single cases do not add up" in " ".join(text.replace("\\", "").split())


@pytest.mark.parametrize("name", ["table", "markdown", "csv", "json", "junit"])
def test_other_metrics_are_untouched(name):
    """A report without the toy's metrics is the same whether its cases were measured by it or not."""
    plain = [replace(each, measured=measured_without(each)) for each in cases()]
    with_toy, without = (rendered(name, report(results=each)) for each in (cases(), plain))
    if name == "json":
        with_toy, without = (json.loads(each)["summary"] for each in (with_toy, without))
    assert with_toy == without


def measured_without(case):
    return type(case.measured).of({"matrix": case.measured["matrix"]})


def test_what_was_not_measured_is_told_and_not_invented():
    """A report on cases without the statistic is a usage error that names it; empty masks have nothing to measure."""
    with pytest.raises(UsageError, match="statistic 'toy', which was not measured of the case a") as caught:
        report("toy_distance", results=[replace(each, measured=measured_without(each)) for each in cases()])
    assert "-m toy_distance" in caught.value.hint
    empty = scored("a", {})
    assert "toy" not in empty.measured
    assert [] == list(next(report("toy_distance", results=[empty]).cases()).labels)


def test_an_old_record_cannot_show_what_it_lacks(tmp_path):
    """A report with such a metric ends with exit code 2; with the statistic it is shown."""
    for name, with_toy in (("new", True), ("old", False)):
        results = (
            cases() if with_toy else [replace(each, measured=measured_without(each)) for each in cases()]
        )
        (tmp_path / name).write_text(rendered("json", report("dice", results=results)), encoding="utf-8")
    done = runner().invoke(cli, ["report", str(tmp_path / "new"), "-m", "toy_distance_mm", "-f", "csv"])
    assert (0, "6.0") == (
        done.exit_code,
        next(csv.DictReader(io.StringIO(done.stdout)))["toy_distance_mm"],
    )
    done = runner().invoke(cli, ["report", str(tmp_path / "old"), "-m", "toy_distance", "-f", "csv"])
    assert 2 == done.exit_code
    assert "'toy'" in done.stderr


# --- Gates --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("toy_distance=8", 7.0),
        ("toy_distance_mm@label-mean=8", 7.0),
        ("toy_distance@macro-imagewise=8", 6.0),
        ("toy_distance[1]=8", 4.0),
        ("toy_growth[1]=1", 0.5),
        ("toy_growth=1", (1 / 2 + 1 / 6) / 2),
    ],
)
def test_gates_read_what_leads(text, value):
    """label-mean leads where nothing pools; a label's own is then the mean over cases, else of all pixels."""
    found = verdict(text, report("dice"))
    assert value == pytest.approx(found.value)
    assert found.holds


def test_gates_of_every_case_read_one_case():
    """max: of label-mean is the worst mean over labels; of a label that is there without a value it fails."""
    found = verdict("max:toy_distance=6", report("dice"))
    assert (6.0, True) == (found.value, found.holds)
    found = verdict("max:toy_distance[2]=100", report("dice"))
    assert not found.holds
    assert "undefined: a" in found.detail
    assert 10.0 == verdict("max:toy_distance[2]=10", report("dice", results=cases()[1:])).value


@pytest.mark.parametrize("average", ["macro", "micro", "weighted", "micro-imagewise", "macro-regions"])
def test_gates_of_averages_that_do_not_exist_are_refused(average):
    """Before the work: the error names those that there are."""
    with pytest.raises(GateError, match=f"no {average}") as caught:
        parse(f"toy_distance@{average}=3", over=True)
    assert "label-mean" in caught.value.hint


def test_a_length_below_zero_is_no_limit():
    """It is refused, and nothing is said of percentages: a length is no share."""
    with pytest.raises(GateError, match="lies from 0 to infinity, and -1 does not") as caught:
        parse("toy_distance=-1", over=True)
    assert "percentage" not in caught.value.hint


def test_gates_in_another_unit_are_refused():
    """A limit in pixels says nothing of millimetres; nor has a baseline in them anything to compare."""
    with pytest.raises(GateError, match="in mm"):
        verdict("toy_distance_px=3", report("dice"))
    pixels = report("dice", results=cases(spacing=None, unit=None))
    with pytest.raises(GateError, match="baseline are in px, and those of this run in mm"):
        compare(report("dice"), pixels, ["toy_distance=1"])


def test_a_baseline_tells_what_got_worse():
    """The mean over labels is held against the earlier one; cases and labels that fell are listed."""
    better = [cases()[0], scored("b", SECOND | {2: Spots((1, 1), (10, 11))}, **MM)]
    (found,) = compare(report("dice"), report("dice", results=better), ["toy_distance=2"])
    assert (4.0, False) == (found.value, found.holds)
    assert "label 2 2 → 10" in found.detail
    assert "b 2 → 6" in found.detail


def test_a_baseline_without_the_statistic_is_told_from_the_run():
    """The error says that it is the baseline that lacks it."""
    old = report("dice", results=[replace(each, measured=measured_without(each)) for each in cases()])
    with pytest.raises(GateError, match=r"the baseline: .*'toy'"):
        compare(report("dice"), old, ["toy_distance=2"])


def test_gates_must_be_measured():
    """A run that does not measure what a gate needs is refused before it begins; the hint leads to one that does."""
    gates = [parse("toy_distance=3", over=True), parse("dice=0.5", over=False)]
    check_asked_for(gates, settings("toy_growth"))
    check_asked_for(gates[1:], settings())
    with pytest.raises(GateError, match="statistic 'toy'") as caught:
        check_asked_for(gates, settings())
    assert "-m toy_distance" in caught.value.hint


@pytest.mark.parametrize(
    "gate", [("--fail-over", "toy_distance=3"), ("--baseline", "old", "--max-drop", "toy_growth=1")]
)
def test_batch_refuses_such_gates_before_any_work(gate, tmp_path, monkeypatch):
    """No mask is opened: the folders do not even exist."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "old").write_text(rendered("json", report("dice")), encoding="utf-8")
    done = runner().invoke(cli, ["batch", "predictions", "references", *gate])
    assert 2 == done.exit_code
    assert "the statistic 'toy' is measured only where" in done.stderr


def test_a_length_of_an_installed_package_is_named_with_its_unit(monkeypatch):
    """As one of the folder is; what is not a length is not, and is told as unknown."""
    monkeypatch.setattr(_catalogue, "installed", plugins.installed)
    for metric in (toy.DISTANCE, toy.GROWTH):
        monkeypatch.delitem(catalogue(), metric.name)
        monkeypatch.setitem(
            plugins._entries("metrics"), metric.name, EntryPoint(metric.name, "toy", "dicecli.metrics")
        )
        monkeypatch.setitem(_catalogue._table, metric.name, metric)
    assert toy.DISTANCE == resolve("toy-distance-px") == resolve("toy_distance")
    with pytest.raises(UsageError, match="toy_growth_mm"):
        resolve("toy_growth_mm")
