"""The name of any number, ``metric[row]@average``: in gates and in Python, against the numbers of the JSON."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace

import make
import numpy as np
import pytest
import toy
from hypothesis import given
from hypothesis import strategies as st
from streams import runner

import dicecli
from dicecli.cli import cli
from dicecli.errors import GateError, UnknownName, UsageError
from dicecli.records.cases import Case, Failed
from dicecli.reports import asked
from dicecli.reports.averages import AVERAGES, OVER_REGIONS
from dicecli.reports.comparison.drops import compare
from dicecli.reports.explaining import explained
from dicecli.reports.gates import judge, parse
from dicecli.reports.report import Report
from dicecli.runs.scoring import make_settings, score_many

LABELS = {
    "labels": {"0": "background", "1": "liver", "2": "tumour"},
    "regions": {"both": [1, 2], "hard": [2]},
}
METRICS = ["dice", "iou", "fdr", "centre_distance"]
SIDES = ("reference", "prediction")
#: What stands in names of numbers that people give to labels, too.
ODD = ["a=b", "x[1]", "left@micro", "min:dice", "[", "1]@macro"]


def cases(read=np.asarray):
    """Return three cases of two labels; the second label is in neither mask of the last one."""
    references = [make.blobs((9, 9), 3, seed) for seed in range(3)]
    references[2][references[2] == 2] = 0
    found = []
    for seed, reference in enumerate(references):
        prediction = np.where(make.blobs((9, 9), 4, seed + 9) == 0, 1, reference)
        found.append(Case(f"c{seed}", read(prediction), reference))
    return found


def maps(labels):
    """Return probabilities of the three labels, the likeliest being these."""
    return np.moveaxis(np.eye(3)[labels] * 0.7 + 0.1, -1, 0)


@pytest.fixture(scope="module")
def reports():
    masks = make_settings(labels=LABELS, metrics=METRICS)
    soft = make_settings(soft=True, labels=LABELS, channels="0,1,2")
    return {"masks": score_many(cases(), masks), "maps": score_many(cases(maps), soft)}


@pytest.fixture(scope="module")
def report(reports):
    return reports["masks"]


def verdict(text, report, *, over=None):
    """Return what comes of a gate, under or over as the metric's direction is."""
    is_over = (
        asked.parse(re.sub(r"^\w+:|=[^=]*$", "", text)).metric.better == "lower" if over is None else over
    )
    (only,) = judge([parse(text, over=is_over)], report)
    return only


def same(first, second):
    return first == second or (math.isnan(first) and math.isnan(second))


# --- Every number of the record has a name --------------------------------------------------------------------------


def numbers_of(record):
    """Yield the name of every number of a record's summary, with its value; null is undefined."""
    summary = record["summary"]
    for average, found in summary["averages"].items():
        yield from ((f"{metric}@{average}", value) for metric, value in found["values"].items())
    yield from summary["overall"].items()
    for row in summary["labels"]:
        for metric, found in row["metrics"].items():
            for word in {row["name"], row["label"]} - {None}:
                yield f"{metric}[{word}]@label-mean", found["mean"]
                if found["pooled"] is not None:
                    yield f"{metric}[{word}]", found["pooled"]
                    yield f"{metric}[{word}]@macro", found["pooled"]


@pytest.mark.parametrize("family", ["masks", "maps"])
def test_every_number_of_the_record_is_found_by_its_name(family, reports):
    """Averages, overall numbers, and of each row what is pooled and the mean over cases; as a gate, too."""
    run = reports[family]
    every = list(numbers_of(json.loads(run.render("json"))))
    assert len(every) > 80
    for name, value in every:
        expected = math.nan if value is None else value
        found = run.look_up(name)
        assert same(expected, found.value), name
        metric = asked.parse(name).metric
        low, high = max(metric.low, -1e9), min(metric.high, 1e9)
        if metric.better != "neither" and metric.size is None:
            judged = verdict(f"{name}={high if metric.better == 'lower' else low!r}", run)
            assert same(expected, judged.value), name
            assert judged.holds == math.isfinite(expected)


@pytest.mark.parametrize("family", ["masks", "maps"])
def test_every_number_of_a_case_is_found_by_its_name(family, reports):
    """Report.value: of each row, of every average of one case, of all labels at once; by the case or its name."""
    run = reports[family]
    for case in json.loads(run.render("json"))["cases"]:
        name = case["case"]
        for average, values in case["averages"].items():
            for metric, value in values.items():
                assert same(value if value is not None else math.nan, run.value(f"{metric}@{average}", name))
        for metric, value in case["overall"].items():
            assert same(value if value is not None else math.nan, run.value(metric, name))
        for row in [*case["labels"], *case["not_averaged"]]:
            for metric in (each.name for each in run.metrics):
                for word in {row["name"], row["label"]} - {None}:
                    expected = row[metric] if row[metric] is not None else math.nan
                    assert same(expected, run.value(metric, name, word))
                    (scored,) = [each for each in run.scored if each.case.name == name]
                    assert same(expected, run.value(metric, scored, word))


def test_pooled_is_the_metric_of_all_cases_put_together(report):
    """Report.pooled, of a label by number or name, and of a region."""
    reference, prediction = (np.stack([getattr(each, side) for each in cases()]) for side in SIDES)
    for row, members in (("liver", [1]), (2, [2]), ("both", [1, 2])):
        here, there = np.isin(prediction, members), np.isin(reference, members)
        assert report.pooled("dice", row) == 2 * (here & there).sum() / (here.sum() + there.sum())


def test_an_average_of_the_case_is_the_gate_of_every_case(report):
    """min: takes the worst of what Report.value gives of each case, with a row and an average or without."""
    for name in ("dice", "dice@micro", "dice@weighted", "dice[liver]", "iou[both]", "dice[1]@label-mean",
                 "dice[1]@macro", "dice@region-mean", "dice@macro-regions"):  # fmt: skip
        values = [report.value(name, each.case.name) for each in report.scored]
        assert min(values) == verdict(f"min:{name}=0", report).value, name


# --- Of one row -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("dice[1]", (4 / 7, 3, 0)),
        ("dice[1]@macro", (4 / 7, 3, 0)),
        ("dice[1]@label-mean", ((2 / 3 + 0) / 2, 2, 1)),
        ("dice[1 too]@macro-regions", (4 / 7, 3, 0)),
        ("dice[1 too]@region-mean", ((2 / 3 + 0) / 2, 2, 1)),
    ],
)
def test_of_a_row_macro_is_pooled_and_label_mean_the_mean_over_cases(name, expected):
    """On two cases by hand: (2, 0, 2) and (0, 1, 0) of label 1, Dice 2/3 and 0; a third lacks it."""
    pairs = [([1, 1, 0, 0], [1, 1, 1, 1]), ([1, 0, 0, 0], [0, 0, 0, 0]), ([0] * 4, [0] * 4)]
    run = score_many(
        [Case(str(at), np.array(p), np.array(r)) for at, (p, r) in enumerate(pairs)],
        make_settings(regions={"1 too": [1]}),
    )
    found = run.look_up(name)
    assert pytest.approx(expected) == (found.value, found.n, found.undefined)


@pytest.mark.parametrize("average", sorted({*AVERAGES, *OVER_REGIONS} - {"macro", "label-mean"}))
def test_other_averages_of_one_row_have_no_meaning(average, report):
    """Each is an error that names the two that have one; its hint, followed literally, leads to a number."""
    if OVER_REGIONS.get(average, average) in {"macro", "label-mean"}:
        found, other = (report.look_up(f"dice[both]@{each}") for each in (average, OVER_REGIONS[average]))
        assert found == other
        return
    with pytest.raises(UsageError, match=f"of one label or region there is no {average}") as caught:
        report.look_up(f"dice[liver]@{average}")
    names = re.findall(r"\S+\[\S+@[\w-]+", caught.value.hint)
    assert ["dice[liver]@macro", "dice[liver]@label-mean"] == names
    for name in names:
        assert math.isfinite(report.look_up(name).value)


# --- What has no meaning --------------------------------------------------------------------------------------------

WRONG = [
    ("dice[liver]@micro", "no micro"),
    ("dice[9]", "no label or region '9'"),
    ("dice[kidney]@label-mean", "no label or region 'kidney'"),
    ("dice@mean", "no average 'mean'"),
    ("dice[liver]@mean", "no average 'mean'"),
    ("centre_distance@micro", "does not pool"),
    ("centre_distance[liver]@macro", "does not pool"),
    ("centre_distance@macro-regions", "does not pool"),
    ("centre_distance_mm", "lengths of this run are in px"),
    ("dice[liver]@macro-regions", "macro-regions is over regions, and 'liver' is a label"),
    ("dice[1]@region-mean", "region-mean is over regions, and '1' is a label"),
    ("overall_accuracy[liver]", "one number of all labels"),
    ("overall_accuracy@macro", "one number of all labels"),
    ("volume_reference_mm3@macro", "has no averages"),
    ("soft_dice_standard", "of probability maps"),
    ("dice=0.5", "METRIC@AVERAGE"),
    ("dice[]", "METRIC@AVERAGE"),
    ("", "METRIC@AVERAGE"),
]


@pytest.mark.parametrize(("name", "said"), WRONG)
def test_a_name_without_meaning_is_an_error(name, said, report):
    """In Python and, with a limit, as a gate: what was found, and what is there."""
    with pytest.raises(UsageError, match=re.escape(said)) as caught:
        report.look_up(name)
    assert caught.value.hint
    if "=" not in name:
        with pytest.raises((GateError, UnknownName)):
            judge([parse(f"{name}=0.5", over="distance" in name)], report)


def found_or_refused(report, name):
    """Return the value of a number, or the hint with which its name is refused."""
    try:
        return report.look_up(name).value, ""
    except UsageError as error:
        return math.nan, error.hint


@pytest.mark.parametrize(("name", "said"), WRONG)
def test_the_hint_followed_literally_leads_to_a_number_or_another_error(name, said, report):
    """Every name that a hint tells to write is a number of this report, or an error of its own."""
    with pytest.raises(UsageError, match=re.escape(said)) as caught:
        report.look_up(name)
    told = re.match(r"(?:Name a label: |Write )(.*)\.$", caught.value.hint)
    words = re.findall(r"[a-z]\w*(?:\[[^\]]*\])?(?:@[\w-]+)?(?==…|$|,| or | \(|\.)", told[1]) if told else []
    words = [each for each in words if each.split("[")[0].split("@")[0] not in {"or", "and"}]
    for each in words:
        value, hint = found_or_refused(report, each)
        assert math.isfinite(value) or hint != caught.value.hint, each
    if "Write" in caught.value.hint:
        assert words, caught.value.hint


@pytest.mark.parametrize(
    ("text", "over"),
    [
        ("dice[liver]@micro=0.123456789", False),
        ("min:dice[liver]@weighted=0.5", False),
        ("centre_distance@micro=5", True),
        ("max:centre_distance[liver]@macro=5", True),
        ("overall_accuracy@macro=0.5", False),
    ],
)
def test_the_hint_of_a_gate_is_a_gate(text, over, report):
    """The limit stands in it, so that it can be taken as it is."""
    with pytest.raises(GateError) as caught:
        parse(text, over=over)
    told = re.findall(r"(?:Write|or) (\S+=[\d.]*\d)", caught.value.hint)
    assert told
    for again in told:
        found = parse(again, over=over)
        assert (found.limit, found.every_case) == (float(text.rpartition("=")[2]), text.startswith("m"))
        assert math.isfinite(judge([found], report)[0].value)


@pytest.mark.parametrize("family", ["masks", "maps"])
def test_a_metric_of_the_other_kind_is_an_error(family, reports):
    """Masks have no soft Dice, maps have no Dice of masks."""
    other = "soft_dice_standard" if family == "masks" else "dice"
    for name in (other, f"{other}[liver]", f"{other}@micro"):
        with pytest.raises(UsageError, match=f"{other} is of"):
            reports[family].look_up(name)


def test_a_length_must_have_been_measured():
    """A run without the statistic is told how to measure it; a case that is not there is an error, too."""
    run = score_many(cases(), make_settings())
    for name in ("centre_distance", "centre_distance[1]", "centre_distance_px@label-mean"):
        with pytest.raises(UsageError, match="the statistic 'place', which was not measured") as caught:
            run.look_up(name)
        assert "-m centre_distance" in caught.value.hint
    with pytest.raises(UsageError, match="0 scored cases are named 'nobody'"):
        run.value("dice", "nobody")


@given(st.text(alphabet="dice[]@=:micro1 ", max_size=14))
def test_any_text_is_a_number_or_an_error(text):
    """Nothing that can be written is a traceback."""
    value, hint = found_or_refused(score_many(cases()[:1], make_settings()), text)
    assert math.isnan(value) == bool(hint)


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("average", ["", "@macro", "@label-mean"])
def test_a_row_may_have_any_name(name, average):
    """Signs that stand in names of numbers may stand in names of labels, with an average behind them, too."""
    run = score_many(cases(), make_settings(labels={"labels": {"1": name, "2": "other"}}))
    expected = run.look_up(f"dice[1]{average}").value
    assert expected == run.look_up(f"dice[{name}]{average}").value
    assert expected == verdict(f"dice[{name}]{average}=0", run, over=False).value


# --- Which average leads --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", AVERAGES)
def test_the_average_that_was_chosen_leads(name):
    """A gate and a number without @ mean it, a drop is of it, and JUnit has it of each case."""
    old = score_many(cases(), make_settings(labels=LABELS, average=name))
    new = Report([replace(each, measured=old.scored[0].measured) for each in old.scored], old.settings)
    value = new.averages[name]["dice"].value
    assert value == new.look_up("dice").value == verdict("dice=0", new).value
    (drop,) = compare(new, old, ["0.5"])
    assert drop.value == pytest.approx(old.averages[name]["dice"].value - value, abs=1e-15)
    (named,) = compare(new, old, [f"dice@{name}=0.5"])
    assert drop.value == named.value
    case = next(new.cases())
    shown = "weighted" if name == "weighted" else "micro" if "micro" in name else "macro"
    assert f"{shown} dice {case.averages[shown]['dice'].value:.4f}" in new.render("junit")
    worst = min(new.value("dice", each) for each in new.scored)
    assert worst == verdict("min:dice=0", new).value == verdict(f"min:dice@{name}=0", new).value


def test_what_does_not_pool_is_led_by_a_mean_of_values():
    """Whatever was chosen: label-mean, unless macro-imagewise was."""
    for name, each in AVERAGES.items():
        run = score_many(cases(), make_settings(metrics=METRICS, average=name))
        expected = "label-mean" if each.pools else name
        assert run.averages[expected]["centre_distance_px"].value == run.look_up("centre_distance").value


@pytest.mark.parametrize("name", AVERAGES)
def test_runs_of_layers_are_led_by_the_average_over_regions(name, tmp_path):
    """Binary layers are regions alone: the average over them leads, by the same choice."""
    import layered

    masks = layered.drawn((12, 11, 3), 3, 1), layered.drawn((12, 11, 3), 3, 2)
    paths = [layered.written(tmp_path / f"{at}.nii.gz", each) for at, each in enumerate(masks)]
    run = dicecli.score(*paths, average=name)
    batch = Report(run.results * 2, run.settings)
    over = AVERAGES[name].over_regions
    assert batch.averages[over]["dice"].value == batch.look_up("dice").value == verdict("dice=0", batch).value
    assert not batch.labels
    assert batch.look_up("dice").value == pytest.approx(run.look_up("dice").value)
    assert "regions dice" in run.render("junit") or "region-mean dice" in run.render("junit")


def test_a_baseline_with_another_leading_average_is_refused():
    """Numbers of two averages cannot be held against each other; the hint leads to one that both have."""
    old, new = (score_many(cases(), make_settings(average=each)) for each in ("micro", "macro"))
    with pytest.raises(GateError, match="is micro in the baseline and macro in this run") as caught:
        compare(new, old, ["0.5"])
    (found,) = compare(new, old, [caught.value.hint.removeprefix("Name one average: ").rstrip(".")])
    assert ("max-drop dice@macro=0.5", 0.0, True) == (found.gate, found.value, found.holds)


@pytest.mark.parametrize(
    ("soft", "labels", "rows"),
    [
        (False, LABELS, ["liver", "1", "both"]),
        (True, LABELS, ["liver", "1", "both"]),
        (False, None, ["1", "layer 1"]),
        (True, None, ["1", "tumour core"]),
    ],
)
def test_where_nothing_was_scored_every_name_that_may_be_there_is_undefined(soft, labels, rows):
    """No fault of the name: a declared region of maps, or a layer that no case could show."""
    failed = [Failed(Case("c0", "p.png", "r.png"), "Unreadable", "a message", "a hint")]
    run = Report(failed, make_settings(soft=soft, labels=labels), is_batch=True)
    metric = "brier" if soft else "fdr"
    for row in rows:
        assert math.isnan(run.look_up(f"{metric}[{row}]").value)
        (found,) = judge([parse(f"{metric}[{row}]=0.5", over=True)], run)
        assert not found.holds
        assert dict(explained(run, f"{metric}[{row}]"))["n"] == "0 cases"
    if labels:
        with pytest.raises(UsageError, match="no label or region 'other'"):
            run.look_up(f"{metric}[other]")


@pytest.mark.parametrize("written", ["odd one", " odd one", "odd one\t"])
def test_blanks_around_a_name_do_not_matter(written):
    """Neither in a labels file nor in the name of a number."""
    labels = {
        "labels": {"0": "background", "1": written, "2": "tumour"},
        "regions": {f"{written} too": [1, 2]},
    }
    run = score_many(cases(), make_settings(labels=labels))
    for name, row in ((written, 1), ("odd one", 1), (" odd one ", 1)):
        assert run.pooled("dice", row) == run.look_up(f"dice[{name}]").value
    assert run.look_up("dice@macro-regions").value == run.look_up(f"dice[{written} too ]").value
    assert not math.isnan(run.look_up(f"dice[{written} too]@label-mean").value)


def test_a_whole_number_is_always_that_label():
    """Also where another label, or a region, has it for a name; else a name that looks like a number is one."""
    labels = {
        "labels": {"0": "background", "1": "2", "2": "1"},
        "regions": {"1": [1, 2], "01": [2, 1], "7": [2]},
    }
    run = score_many(cases(), make_settings(labels=labels))
    for label in (1, 2):
        assert explained(run, f"iou[{label}]")[5][1].endswith(f"({label})")
    assert "the labels 2" in dict(explained(run, "iou[7]"))["region"]


def test_what_is_explained_counts_cases_where_they_are_pooled(report):
    """Values are what a mean is over; one is not many."""
    assert dict(explained(report, "dice[liver]"))["n"] == "3 cases"
    assert dict(explained(report, "dice[tumour]@label-mean"))["n"] == "2 values, 1 undefined left out"
    assert dict(explained(report, "dice@macro-regions"))["n"] == "2 values"
    alone = Report(report.results[:1], report.settings, is_batch=True)
    assert dict(explained(alone, "dice[liver]"))["n"] == "1 case"


def test_a_layer_is_explained_as_a_region_of_no_label(tmp_path):
    """It has no members to name."""
    import layered

    masks = layered.drawn((12, 11, 3), 3, 1), layered.drawn((12, 11, 3), 3, 2)
    paths = [layered.written(tmp_path / f"{at}.nii.gz", each) for at, each in enumerate(masks)]
    assert dict(explained(dicecli.score(*paths), "dice[layer 1]"))["region"] == "layer 1"


# --- Through the command line ---------------------------------------------------------------------------------------


@pytest.fixture
def record(report, tmp_path):
    path = tmp_path / "results.json"
    path.write_text(report.render("json"))
    return str(path)


@pytest.mark.parametrize(
    "name",
    ["dice[liver]@label-mean", "dice[liver]@macro", "min:dice[1]@macro", "dice@region-mean", "iou@weighted"],
)
def test_gates_of_the_command_line(name, record, report):
    """The exit code and the verdict are those of the number."""
    value = verdict(f"{name}=0", report).value
    for limit, code in ((value, 0), (math.nextafter(value, 2), 1)):
        done = runner().invoke(cli, ["report", record, "--fail-under", f"{name}={limit!r}", "-f", "json"])
        assert code == done.exit_code, done.output
        (found,) = json.loads(done.stdout)["summary"]["gates"]
        assert (value, code == 0) == (found["value"], found["holds"])


def test_an_error_of_the_command_line_has_its_hint(record):
    """Exit code 2, the error names the gate, and the hint what to write."""
    done = runner().invoke(cli, ["report", record, "--fail-under", "dice[liver]@micro=0.5"])
    assert (2, "") == (done.exit_code, done.stdout)
    assert "'dice[liver]@micro=0.5': of one label or region there is no micro" in done.stderr
    assert "Write dice[liver]@macro" in done.stderr


# --- Units ----------------------------------------------------------------------------------------------------------


def test_other_names_of_lengths_name_no_unit():
    """The last word of ``hausdorff_distance`` is none, though ``hausdorff`` means the same."""
    image = np.array([[1, 1, 0, 0, 0], [0, 0, 0, 1, 0]])
    run = dicecli.score(image[1:], image[:1], metrics="hd")
    words = ["hd", "hd_px", "hausdorff", "hausdorff_px", "hausdorff_distance", "hausdorff_distance_px"]
    assert [3.0] * 6 == [run.look_up(word).value for word in words]


def test_lengths_are_asked_for_with_or_without_their_unit(monkeypatch):
    """The unit of the run or none; another one is an error whose hint leads to the number."""
    toy.install(monkeypatch)
    spots = {1: toy.Spots((10, 10), (30, 60)), 2: toy.Spots((4, 4), (8, 40))}
    run = Report(
        [toy.scored("a", spots, spacing=(1.0, 2.0), unit="mm")] * 2, make_settings(metrics="toy_distance")
    )
    assert 6.0 == run.look_up("toy_distance[1]").value == run.look_up("toy_distance_mm[1]@label-mean").value
    assert 11.0 == run.look_up("toy_gap_mm").value
    with pytest.raises(UsageError, match="lengths of this run are in mm") as caught:
        run.look_up("toy_distance_m[1]")
    assert 11.0 == run.look_up(re.match(r"Write (\w+),", caught.value.hint)[1]).value


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("mIoU", "iou@macro"),
        ("mean Dice", "dice@macro"),
        ("fwIoU", "iou@weighted"),
        ("mAcc", "recall@macro"),
        ("Macro F1", "f1@macro"),
        ("dice_micro-imagewise", "dice@micro-imagewise"),
        ("label-mean-iou", "iou@label-mean"),
        ("OA", "overall_accuracy"),
        ("user's accuracy[liver]", "precision[liver]"),
    ],
)
def test_words_of_the_field_for_an_average_are_numbers(word, meant, report):
    """In gates and in Python, with the very value; as a metric they are refused, with the words to write."""
    assert report.look_up(meant).value == report.look_up(word).value
    assert parse(f"{word}=0.5", over=False).asked.average == asked.parse(meant).average
    if "@" in meant:
        metric, _, average = meant.partition("@")
        with pytest.raises(UnknownName, match=f"is an average, {average} {metric}, and no metric") as caught:
            make_settings(metrics=[word])
        assert f"-m {metric}." in caught.value.hint


@pytest.mark.parametrize(
    "word", ["mean_accuracy", "macro", "mean_overall_accuracy", "macro_volume_reference_mm3"]
)
def test_words_that_may_mean_another_number_are_no_numbers(word, report):
    """What the field means differs, or the metric has no averages."""
    with pytest.raises(UsageError, match="there is no metric"):
        report.look_up(word)
