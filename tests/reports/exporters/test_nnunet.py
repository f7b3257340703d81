"""nnU-Net's summary.json: written as its own evaluation would, read as a report, and refused where it is wrong."""

from __future__ import annotations

import copy
import json
import math
from dataclasses import replace

import make
import numpy as np
import pytest
from streams import runner

from dicecli.cli import cli
from dicecli.errors import UsageError
from dicecli.records.cases import Case
from dicecli.reports.comparison.comparing import comparison
from dicecli.reports.gates import judge, parse
from dicecli.reports.reading_back import read_report
from dicecli.runs.scoring import make_settings, score_many

LABELS = {"0": "background", "1": "liver", "2": "tumour", "3": "nowhere"}
REGIONS = {"both": [1, 2], "one": [2]}


def masks(number):
    """Return a prediction and a reference of three labels; of case 2 both are empty but for label 1."""
    rng, reference = np.random.default_rng(number), make.blobs((9, 8), 3, number)
    prediction = np.where(rng.random((9, 8)) < 0.2, rng.integers(0, 3, (9, 8)), reference)
    return (prediction % 2, reference % 2) if number == 2 else (prediction, reference)


def report(regions=None):
    settings = make_settings(labels={"labels": LABELS} | ({"regions": regions} if regions else {}))
    found = score_many([Case(f"c{n}", *masks(n)) for n in range(4)], settings)
    broken = score_many([Case("broken", np.zeros((2, 2), int), masks(0)[1])], settings)
    return type(found)([*found.results, *broken.results], settings, is_batch=True)


def paths(record):
    """Give the cases of a summary the names that their files would have."""
    for number, case in enumerate(record["metric_per_case"]):
        case |= {
            "reference_file": f"/data/gt/c{number}.nii.gz",
            "prediction_file": f"D:\\p\\c{number}.nii.gz",
        }
    return record


def expected(keys):
    """Return what nnU-Net counts, by its definitions: of each case, the means without NaN, their mean."""
    cases = []
    for number in range(4):
        prediction, reference = masks(number)
        found = {}
        for key in keys:
            members = [key] if isinstance(key, int) else list(key)
            here, there = np.isin(prediction, members), np.isin(reference, members)
            tp, fp, fn = (here & there).sum(), (here & ~there).sum(), (~here & there).sum()
            with np.errstate(invalid="ignore"):
                found[key] = {
                    "Dice": 2 * tp / (2 * tp + fp + fn),
                    "IoU": tp / (tp + fp + fn),
                    "FP": fp,
                    "TP": tp,
                    "FN": fn,
                    "TN": (~here & ~there).sum(),
                    "n_pred": fp + tp,
                    "n_ref": fn + tp,
                }
        cases.append(found)
    names = cases[0][keys[0]]
    defined = {key: {n: [c[key][n] for c in cases if not np.isnan(c[key][n])] for n in names} for key in keys}
    means = {
        key: {n: np.mean(each) if each else math.nan for n, each in found.items()}
        for key, found in defined.items()
    }
    foreground = {n: np.mean([means[key][n] for key in keys]) for n in names}
    return cases, means, foreground


def key_of(text):
    """Read a key as nnU-Net's readers do: a whole number, or whole numbers between brackets and commas."""
    bare = text.strip("()")
    return int(bare) if bare == text else tuple(int(each) for each in bare.split(","))


@pytest.mark.parametrize(("regions", "keys"), [(None, [1, 2, 3]), (REGIONS, [(1, 2), 2])])
def test_it_is_written_as_nnunet_would(regions, keys):
    """Labels, or the regions alone; NaN where nothing is there; the cases without numbers stand beside."""
    record = json.loads(report(regions).render("nnunet"))
    cases, means, foreground = expected(keys)
    assert [key_of(each) for each in record["mean"]] == sorted(keys, key=str)
    assert {key_of(key): each for key, each in record["mean"].items()} == {
        key: pytest.approx(each, rel=1e-14, nan_ok=True) for key, each in means.items()
    }
    assert record["foreground_mean"] == pytest.approx(foreground, rel=1e-14, nan_ok=True)
    for found, case in zip(record["metric_per_case"], cases, strict=True):
        assert {"reference_file", "prediction_file", "metrics"} == {*found}
        assert {key_of(key): each for key, each in found["metrics"].items()} == {
            key: pytest.approx(each, rel=1e-14, nan_ok=True) for key, each in case.items()
        }
    assert [each["error"] for each in record["cases_without_numbers"]] == ["ShapeMismatch"]


@pytest.fixture
def read(tmp_path):
    """Return a function that reads a summary as a report."""

    def reading(record):
        path = tmp_path / "summary.json"
        path.write_text(json.dumps(record))
        return read_report(path)

    return reading


@pytest.mark.parametrize("regions", [None, REGIONS])
def test_what_is_read_has_the_numbers_of_the_run(regions, read):
    """Every value per case and row; macro, which nnU-Net has not, over all; nothing of all labels at once."""
    own = report(regions)
    found = read(paths(json.loads(own.render("nnunet"))))
    assert [each.case.name for each in found.scored] == ["c0", "c1", "c2", "c3"]
    rows = [row for row in own.evaluated if row.kind == "region" or not regions]
    assert len(found.evaluated) == len(rows)
    for metric in ("dice", "iou", "precision", "recall", "specificity", "mcc"):
        for mine in rows:
            (row,) = [each for each in found.evaluated if {*each.members} == {*mine.members}]
            name = row.name or str(row.label)
            for place in range(4):
                here = own.value(metric, own.scored[place], mine.name)
                there = found.value(metric, found.scored[place], name)
                assert here == there or (math.isnan(here) and math.isnan(there))
            assert own.look_up(f"{metric}[{mine.name}]").value == pytest.approx(
                found.look_up(f"{metric}[{name}]").value, nan_ok=True
            )
    assert all(math.isnan(each) for each in found.overall.values())
    again = comparison(own, found)
    assert again.common == 4
    # Of labels nnU-Net says nothing where it has regions.
    known = [each for each in again.changes if not math.isnan(each.old + each.new)]
    assert {each.difference for each in known} == {0.0}
    average = "macro-regions" if regions else "macro"
    assert [each.title for each in known if each.leads and each.metric == "dice"] == [f"dice@{average}"]
    assert again.notes == (f"other settings than the baseline: names{', regions' if regions else ''}",)
    assert json.loads(found.render("nnunet"))["mean"].keys() == found_keys(own)


def test_of_all_labels_at_once_nothing_is_known_where_one_case_lacks_a_label(read):
    """The labels of one case are all of its pixels: of this case alone the number would be that of the run."""
    full = Case("full", np.array([[1, 1, 2, 2]]), np.array([[1, 2, 2, 1]]))
    own = score_many([Case("c0", *masks(0)), full], make_settings())
    found = read(json.loads(own.render("nnunet")))
    assert found.overall.keys() == own.overall.keys()
    assert all(math.isnan(each) for each in found.overall.values())
    (verdict,) = judge([parse("overall_accuracy=0", over=False)], found)
    assert not verdict.holds
    # What is known of no case is not shown to people as a row of dashes.
    assert "overall  accuracy" in own.render("table")
    assert "overall  accuracy" not in found.render("table")


def test_cases_without_numbers_are_read_back(read, tmp_path):
    """As they were, and written again; exit code 3, as of the run itself."""
    own = report()
    record = paths(json.loads(own.render("nnunet")))
    found = read(record)
    assert [replace(each, case=each.case.name) for each in found.unscored] == [
        replace(each, case=each.case.name) for each in own.unscored
    ]
    assert found.unscored[0].hint
    assert (len(found.results), len(found.scored)) == (5, 4)
    again = json.loads(found.render("nnunet"))["cases_without_numbers"]
    assert again == record["cases_without_numbers"]
    path = tmp_path / "x.nnunet.json"
    # As files have it that were written before hints and paths were kept.
    old = {key: each for key, each in again[0].items() if key in {"case", "status", "error", "message"}}
    path.write_text(json.dumps(record | {"cases_without_numbers": [old]}))
    assert do("report", path, "-q").exit_code == 3
    with pytest.raises(UsageError, match=r"cases_without_numbers\[0\]"):
        read(record | {"cases_without_numbers": [again[0] | {"message": 3}]})


def found_keys(own):
    return json.loads(own.render("nnunet"))["mean"].keys()


def sizes(tp, prediction, reference, total):
    """Return what version 1 says of a label."""
    wrong = prediction + reference - 2 * tp
    return {
        "Dice": 2 * tp / (prediction + reference) if prediction + reference else math.nan,
        "Jaccard": tp / (tp + wrong) if tp + wrong else math.nan,
        "Accuracy": (total - wrong) / total,
        "Total Positives Reference": float(reference),
        "Total Positives Test": float(prediction),
    }


def first(*cases):
    """Return a summary of version 1."""
    every = [
        {**case, "reference": f"/gt/c{n}.nii.gz", "test": f"/p/c{n}.nii.gz"} for n, case in enumerate(cases)
    ]
    return {"author": "a", "results": {"all": every, "mean": {}}}


def test_version_1_gives_the_counts_that_its_sizes_come_to(read):
    """Wrong pixels and accuracy say how many pixels there are; a perfect case is all of its labels."""
    total = 512 * 512 * 200
    cases = [
        {"0": sizes(total - 110, total - 100, total - 105, total), "1": sizes(90, 100, 105, total)},
        {"0": sizes(60, 60, 60, 64), "1": sizes(4, 4, 4, 64)},
        {"0": sizes(64, 64, 64, 64), "1": sizes(0, 0, 0, 64)},
    ]
    found = read(first(*cases))
    counts = [found.table.leading[place][0] for place in range(3)]
    assert [tuple(each) for each in counts] == [(90, 10, 15, total - 115), (4, 0, 0, 60), (0, 0, 0, 64)]
    assert found.value("dice", "c0", 1) == 180 / 205
    # Names where others have numbers are regions.
    assert read(first({"liver": sizes(3, 4, 5, 100)})).value("dice", "c0", "liver") == 6 / 9


def test_the_background_is_no_foreground():
    """Where it is evaluated it has a key, which the mean of the foreground leaves out."""
    settings = make_settings(include_background=True)
    record = json.loads(score_many([Case("a", *masks(0))], settings).render("nnunet"))
    assert [*record["mean"]] == ["0", "1", "2"]
    dice = [each["Dice"] for each in record["mean"].values()]
    assert record["foreground_mean"]["Dice"] == pytest.approx((dice[1] + dice[2]) / 2, rel=1e-15)


def test_a_region_without_labels_has_no_key(read):
    """Names alone, as of binary layers, are none of nnU-Net's keys."""
    with pytest.raises(UsageError, match="the region liver has no labels"):
        read(first({"liver": sizes(3, 4, 5, 100)})).render("nnunet")


def wrong(change):
    """Return a summary in which something is changed."""
    record = paths(json.loads(report().render("nnunet")))
    change(record, record["metric_per_case"][0]["metrics"])
    return record


WRONG = {
    "a Dice that the counts do not give": lambda _, of: of["1"].update(Dice=0.5),
    "a Dice where there is none": lambda _, of: of["3"].update(Dice=0.0),
    "a size": lambda _, of: of["1"].update(n_ref=of["1"]["n_ref"] + 1),
    "labels of unlike numbers of pixels": lambda _, of: of["2"].update(TN=of["2"]["TN"] + 1),
    "no whole number": lambda _, of: of["1"].update(TP=0.5),
    "a negative number": lambda _, of: of["3"].update(TP=-1),
    "a mean": lambda record, _: record["mean"]["1"].update(Dice=0.5),
    "a label twice": lambda _, of: of.update({"(1,)": copy.deepcopy(of["1"])}),
    "no counts": lambda _, of: of["1"].pop("TN"),
    "no cases": lambda record, _: record.update(metric_per_case=[3]),
}


@pytest.mark.parametrize("record", [*map(wrong, WRONG.values())], ids=[*WRONG])
def test_what_contradicts_itself_is_refused(record, read):
    """As in files of this project: two numbers of which one is wrong, or one that is none."""
    with pytest.raises(UsageError, match="it is no whole summary of nnU-Net") as caught:
        read(record)
    assert "dicecli batch" in caught.value.hint
    assert "Error" not in str(caught.value)


@pytest.mark.parametrize(
    "case",
    [
        {"1": sizes(4, 4, 4, 64)},  # nobody knows how many pixels
        {"1": sizes(3, 4, 5, 64) | {"Dice": 0.7}},
        {"1": sizes(3, 4, 5, 64), "2": sizes(3, 4, 5, 65)},
        {"1": {"Dice": 0.5}},
        {"1": {"Dice": 1.2, "Accuracy": 0.9, "Total Positives Reference": 5, "Total Positives Test": 5}},
    ],
)
def test_version_1_without_counts_is_refused(case, read):
    """Rather than guessed."""
    with pytest.raises(UsageError, match="it is no whole summary of nnU-Net"):
        read(first(case))


def test_commands_read_and_write_it(tmp_path):
    """By the longest suffix; a baseline by what it holds; maps of probabilities have none, before the work."""
    for side, place in (("p", 0), ("r", 1)):
        (tmp_path / side).mkdir()
        for number in range(3):
            make.png(tmp_path / side / f"c{number}.png", masks(number)[place].astype(np.uint8))
    folders, out = [tmp_path / "p", tmp_path / "r", "-j", 1], tmp_path / "summary.NNUNET.json"
    assert do("batch", *folders, "-o", out, "-o", tmp_path / "own.json").exit_code == 0
    assert "metric_per_case" in json.loads(out.read_text())
    assert "schema" in json.loads((tmp_path / "own.json").read_text())
    done = do("batch", *folders, "--baseline", out.rename(tmp_path / "old.json"), "-f", "json")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)["summary"]["comparison"]
    assert (found["common"], found["changes"][0]["difference"]) == (3, 0)
    assert do("report", tmp_path / "old.json", "-f", "nnunet").exit_code == 0
    for asked in (["-f", "nnunet"], ["-o", tmp_path / "x.nnunet.json"]):
        done = do("batch", "--soft", *folders, *asked)
        assert done.exit_code == 2
        assert "form of masks" in done.stderr


def do(*arguments):
    return runner().invoke(cli, [*map(str, arguments)])
