"""``dicecli batch --soft``: whatever a batch of masks has, on maps of probabilities; numbers against nested loops."""

from __future__ import annotations

import csv
import io
import json
import math
import re
import shutil
from collections import defaultdict
from functools import cache
from itertools import pairwise
from xml.etree import ElementTree as ET

import make
import maps
import numpy as np
import pytest
import soft_brute as brute
from batches import call
from record_schema import loaded
from streams import runner

import dicecli
from dicecli.cli import cli
from dicecli.errors import UsageError
from dicecli.metrics._catalogue import catalogue, every_of
from dicecli.plugins import having, load
from dicecli.reports.averages import AVERAGES, OVER_REGIONS

ROWS = [each.name for each in every_of("probabilities") if each.takes == "row"]
#: What is best at a threshold of its own.
TUNED = ["dice_best", "best_threshold", "gain"]
FORMS = [
    name
    for name in having("exporters", "report")
    if "probabilities" in getattr(load("exporters", name), "READS", ("probabilities",))
]
OUTPUTS = [f"scores{load('exporters', name).SUFFIXES[0]}" for name in FORMS]
SUMMARIES = ["summary.csv", "summary.json", "summary.md"]
NAMES = [f"case_{n}" for n in range(6)]
#: Labels of the channels, and a region that is a sum of two.
LABELS = {"labels": {"0": "background", "1": "liver", "2": "a | b", "3": "rare"}, "regions": {"both": [1, 3]}}


def drawn(n):
    """Return a map of four classes and its reference: label 3 is rare, and nowhere at all in one case."""
    p, g = maps.softmax((4, 6, 7), n, sharp=1.5)
    g = np.where((g == 3) & (np.arange(42).reshape(6, 7) % 3 > 0), 0, g)
    if n == 2:
        p[0] += p[3]
        p[3], g[g == 3] = 0, 0
    return p, g


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Write six maps that can be scored, as .npy, with their references as PNG, and the labels."""
    folder = tmp_path_factory.mktemp("maps")
    for side in ("maps", "references"):
        (folder / side).mkdir()
    for n, name in enumerate(NAMES):
        p, g = drawn(n)
        np.save(folder / "maps" / f"{name}.npy", p)
        make.png(folder / "references" / f"{name}.png", g.astype(np.uint8))
    (folder / "labels.json").write_text(json.dumps(LABELS), encoding="utf-8")
    return folder


def batch(folder, *arguments, **options):
    """Run the command on the maps, with labels, without epsilon."""
    words = ["--soft", folder / "maps", folder / "references", "--labels", folder / "labels.json"]
    return call(*words, "--smooth", "0", *arguments, **options)


def report(*arguments):
    """Run ``dicecli report``."""
    return runner().invoke(cli, ["report", *(str(each) for each in arguments)], catch_exceptions=False)


def outputs(folder):
    """Return the options that write every form, and every form of what sums it up but the last."""
    folder.mkdir(exist_ok=True)
    words = [part for name in OUTPUTS for part in ("-o", folder / name)]
    return [*words, "--summary", folder / SUMMARIES[0], "--curve", folder / "curve.csv"]


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture(scope="module")
def run(folder, tmp_path_factory):
    """Run over the maps, and return the folder of every output."""
    target = tmp_path_factory.mktemp("run")
    assert batch(folder, *outputs(target)).exit_code == 0
    return target


@pytest.fixture(scope="module")
def record(run):
    return loaded((run / "scores.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def python(folder):
    """Return the report of the same run in Python."""
    labels = str(folder / "labels.json")
    return dicecli.batch(
        str(folder / "maps"), str(folder / "references"), soft=True, labels=labels, smooth=0.0
    )


def near(expected):
    return pytest.approx(expected, rel=1e-11, abs=1e-13, nan_ok=True)


def value_of(number):
    return math.nan if number is None else number


# Numbers.

MEMBERS = {1: (1,), 2: (2,), 3: (3,), "both": (1, 3)}


def class_of(cases, row):
    """Return a class of the pixels of some cases: p, g, and where it is the largest."""
    return _class_of(tuple(cases), row)


@cache
def _class_of(cases, row):
    p, g, top = [], [], []
    for n in cases:
        values, labels = drawn(n)
        members = list(MEMBERS[row])
        p += np.minimum(1, values[members].sum(axis=0)).ravel().tolist()
        g += np.isin(labels, members).astype(int).ravel().tolist()
        top += np.isin(values.argmax(axis=0), members).astype(int).ravel().tolist()
    return tuple(p), tuple(g), tuple(top)


def added(*parts):
    """Put the pixels of several classes beside each other."""
    return tuple(tuple(value for part in parts for value in part[at]) for at in range(3))


@cache
def curve_of(pixels):
    """Return Dice at every threshold."""
    p, g, _ = pixels
    return tuple(brute.hard_dice(*brute.counts_at(p, g, k / 1000)) for k in range(1, 1001))


@cache
def best_of(pixels):
    """Return the best threshold, and its Dice."""
    return brute.best(*pixels[:2])


@cache
def by_hand(name, pixels):
    """Compute a metric in plain Python."""
    p, g, top = pixels
    half, hard = (brute.hard_dice(*brute.counts_at(each, g, 0.5)) for each in (p, top))
    threshold, dice = best_of(pixels)
    form = name.rpartition("_")[2]
    if name.startswith("soft_dice"):
        return brute.soft_dice(form, p, g, 0.0)
    if name.startswith("loss"):
        return 1 - brute.soft_dice(form, p, g, 0.0)
    return {
        "cross_entropy": lambda: brute.cross_entropy(p, g),
        "dice_ce": lambda: 1 - brute.soft_dice("standard", p, g, 0.0) + brute.cross_entropy(p, g),
        "brier": lambda: brute.brier(p, g),
        "ece": lambda: brute.calibration_error(p, g),
        "average_precision": lambda: brute.average_precision(p, g),
        "dice_at_half": lambda: half,
        "dice_argmax": lambda: hard,
        "dice_best": lambda: dice,
        "best_threshold": lambda: threshold,
        "gain": lambda: dice - hard,
    }[name]()


def mean(values, weights=None):
    """Return the mean of defined values, and how many are not."""
    pairs = list(zip(values, weights or [1] * len(values), strict=True))
    kept = [(value, weight) for value, weight in pairs if not math.isnan(value)]
    total = sum(weight for _, weight in kept)
    found = math.fsum(value * weight for value, weight in kept) / total if total else math.nan
    return found, len(pairs) - len(kept)


def one_threshold(name, classes, weights=None):
    """Return what is best at one threshold for all classes, of their mean Dice."""
    curves = [curve_of(each) for each in classes]
    dice = [mean(column, weights)[0] for column in zip(*curves, strict=True)]
    if all(map(math.isnan, dice)):
        return math.nan
    best = max(each for each in dice if not math.isnan(each))
    place = min((k for k in range(1000) if dice[k] == best), key=lambda k: (abs(2 * (k + 1) - 1000), k))
    now = mean([by_hand("dice_argmax", each) for each in classes], weights)[0]
    return {"dice_best": best, "best_threshold": (place + 1) / 1000, "gain": best - now}[name]


def over_labels(name, classes, weights=None):
    """Return the mean over classes, and how many of them have no value."""
    value, undefined = mean([by_hand(name, each) for each in classes], weights)
    return one_threshold(name, classes, weights) if name in TUNED else value, undefined


@pytest.mark.parametrize("name", ROWS)
def test_every_value_is_what_plain_python_gives(name, record, python):
    """Of each case and row, in JSON and in Python; pooled values are those of the pixels of all cases."""
    for n, case in enumerate(record["cases"]):
        assert [row["name"] for row in case["labels"]] == ["liver", "a | b", "rare", "both"]
        for row in case["labels"]:
            found = value_of(row[name])
            assert found == near(by_hand(name, class_of([n], row["label"] or "both")))
            assert python.value(name, case["case"], row["name"]) == pytest.approx(found, nan_ok=True, rel=0)
    for row in record["summary"]["labels"]:
        found = value_of(row["metrics"][name]["pooled"])
        assert found == near(by_hand(name, class_of(range(6), row["label"] or "both")))
        assert python.pooled(name, row["name"]) == pytest.approx(found, nan_ok=True, rel=0)


@pytest.mark.parametrize("name", ROWS)
@pytest.mark.parametrize("over_regions", [False, True], ids=["labels", "regions"])
def test_every_average_is_what_nested_loops_give(name, over_regions, record, python):
    """Six averages over labels, and the same over regions; the best thresholds of three are one for all labels."""
    rows = ["both"] if over_regions else [1, 2, 3]
    pooled = [class_of(range(6), row) for row in rows]
    each_case = [[class_of([n], row) for row in rows] for n in range(6)]
    sizes = [sum(g) for _, g, _ in pooled]
    of_cases = [over_labels(name, classes) for classes in each_case]
    of_rows = [mean([by_hand(name, each_case[n][at]) for n in range(6)]) for at in range(len(rows))]
    whole = by_hand(name, added(*pooled))
    expected = {
        "macro": over_labels(name, pooled),
        "micro": (whole, 0),
        "weighted": over_labels(name, pooled, sizes),
        "micro-imagewise": mean([by_hand(name, added(*classes)) for classes in each_case]),
        "macro-imagewise": (mean([value for value, _ in of_cases])[0], sum(n for _, n in of_cases)),
        "label-mean": (mean([value for value, _ in of_rows])[0], sum(n for _, n in of_rows)),
    }
    assert set(expected) == set(AVERAGES)
    for average, (value, undefined) in expected.items():
        title = AVERAGES[average].over_regions if over_regions else average
        found = record["summary"]["averages"][title]
        assert found["values"][name] == near(value)
        assert found["undefined"][name] == undefined
        assert python.averages[title][name].value == found["values"][name]
        assert python.look_up(f"{name}@{title}").value == found["values"][name]
    assert set(record["summary"]["averages"]) == {*AVERAGES, *OVER_REGIONS}


@pytest.mark.parametrize("name", [each for each in ROWS if each not in TUNED])
def test_averages_are_those_of_the_values_in_the_record(name, record):
    """What needs no pooling is the mean of values that the record has of its cases, to the bit."""
    rows = range(3)
    values = [[value_of(case["labels"][at][name]) for at in rows] for case in record["cases"]]
    by_case = [mean(row)[0] for row in values]
    by_label = [mean([row[at] for row in values])[0] for at in rows]
    micro = [value_of(case["averages"]["micro"][name]) for case in record["cases"]]
    found = {title: each["values"][name] for title, each in record["summary"]["averages"].items()}
    assert found["macro-imagewise"] == mean(by_case)[0]
    assert found["label-mean"] == mean(by_label)[0]
    assert found["micro-imagewise"] == mean(micro)[0]
    assert found["macro"] == near(
        mean([row["metrics"][name]["pooled"] for row in record["summary"]["labels"][:3]])[0]
    )


def test_statistics_over_cases(record, run):
    """Mean, SD, quartiles and ends are those of the values of the cases; the worst cases are the worst of them."""
    rows = csv.DictReader(io.StringIO((run / "summary.csv").read_text(encoding="utf-8")))
    in_csv = {
        (row["label"], row["name"], row["metric"]): row for row in rows if row["kind"] in {"label", "region"}
    }
    for at, row in enumerate(record["summary"]["labels"]):
        for name in ROWS:
            found = row["metrics"][name]
            values = [case["labels"][at][name] for case in record["cases"]]
            kept = [value for value in values if value is not None]
            assert (found["n"], found["undefined"]) == (len(kept), 6 - len(kept))
            expected = {
                **dict(zip(("q1", "median", "q3"), np.quantile(kept, [0.25, 0.5, 0.75]), strict=True)),
                "mean": np.mean(kept),
                "sd": np.std(kept, ddof=1),
                "min": min(kept),
                "max": max(kept),
            }
            assert {key: found[key] for key in expected} == near(expected)
            assert found["ci_low"] <= found["mean"] <= found["ci_high"]
            flat = in_csv[str(row["label"] if row["label"] is not None else ""), row["name"] or "", name]
            assert {key: float(flat[key]) for key in expected} == {key: found[key] for key in expected}
        worst = row["worst"]
        assert worst["metric"] == "soft_dice_standard"
        ranked = sorted(
            (case["labels"][at]["soft_dice_standard"], case["case"])
            for case in record["cases"]
            if case["labels"][at]["soft_dice_standard"] is not None
        )
        assert [(each["value"], each["case"]) for each in worst["cases"]] == ranked[:5]


def test_pooled_thresholds_lead(run, record):
    """The threshold shown first is the one to use: of all cases; what is of each case's own is said to be."""
    text = (run / "scores.txt").read_text(encoding="utf-8")
    first, _, rest = text.partition("\nAverages of ")
    assert "All cases pooled" in first
    lines = [line.split() for line in first.splitlines()]
    for row in record["summary"]["labels"]:
        pooled = [f"{row['metrics'][name]['pooled']:.4f}" for name in TUNED]
        assert any(pooled == line[at : at + 3] for line in lines for at in range(len(line)))
    assert "dice_best, best_threshold, gain: chosen on these data, which flatters" in " ".join(first.split())
    assert "means of each case's own threshold" in " ".join(rest.split())
    titles = [each.name for each in every_of("probabilities") if each.shown == "always"]
    for name, following in pairwise([*titles, "Worst cases"]):
        sheet = rest.partition(f"\n{name} over cases\n")[2].partition(f"\n{following}")[0].replace("\n", " ")
        assert "95 % CI" in sheet
        assert ("each case's own best threshold; pooled is of one" in sheet) == (name in TUNED)
    markdown = (run / "scores.md").read_text(encoding="utf-8")
    assert markdown.index("All cases pooled") < markdown.index("## Averages of ")
    assert markdown.count("each case's own best threshold") == 3


def test_curves_are_of_all_cases(run, python):
    """A row per row of the report and threshold, of all cases pooled; then of the labels pooled."""
    rows = list(csv.DictReader(io.StringIO((run / "curve.csv").read_text(encoding="utf-8"))))
    found = defaultdict(list)
    for row in rows:
        found[row["kind"], row["name"]].append(row)
    assert [*found] == [
        ("label", "liver"),
        ("label", "a | b"),
        ("label", "rare"),
        ("region", "both"),
        ("micro", ""),
    ]
    for (_, name), each in found.items():
        row = {"liver": 1, "a | b": 2, "rare": 3, "both": "both"}.get(name)
        p, g, _ = (
            added(*(class_of(range(6), one) for one in (1, 2, 3))) if row is None else class_of(range(6), row)
        )
        for k in (0, 249, 499, 777, 999):
            counts = brute.counts_at(p, g, (k + 1) / 1000)
            assert tuple(int(each[k][key]) for key in ("tp", "fp", "fn", "tn")) == counts
    assert [*python.curves()] == ["liver", "a | b", "rare", "both", "micro"]


def test_masks_have_no_curves(folder, tmp_path):
    """`report --curve` of masks is exit 2 with a hint, and nothing is written."""
    call(*(folder / "references",) * 2, "--allow-same", "-o", tmp_path / "o.json")
    done = report(tmp_path / "o.json", "--curve", tmp_path / "curve.csv", "-o", tmp_path / "o.csv")
    assert (done.exit_code, done.stdout) == (2, "")
    assert "masks have no curves" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["o.json"]
    masks = dicecli.score(*(folder / "references" / f"{NAMES[0]}.png",) * 2)
    for ask in (masks.curves, lambda: masks.render("csv", "curve")):
        with pytest.raises(UsageError, match="masks have no curves"):
            ask()


# Metrics of one's choice.


@pytest.mark.parametrize("chosen", [["brier"], ["gain", "ece", "overall_brier"], ["all"]], ids=" ".join)
def test_metrics_are_chosen(chosen, folder, record, tmp_path):
    """-m has these metrics alone, in their order; their numbers stay as they are; `report -m` gives the same bytes."""
    words = [part for name in chosen for part in ("-m", name)]
    assert batch(folder, *words, *outputs(tmp_path / "run")).exit_code == 0
    found = loaded((tmp_path / "run" / "scores.json").read_text(encoding="utf-8"))
    names = ROWS if chosen == ["all"] else [name for name in chosen if name in ROWS]
    assert [[key for key in row if key in ROWS] for row in found["cases"][0]["labels"]] == [names] * 4
    for title, each in found["summary"]["averages"].items():
        assert each["values"] == {
            name: record["summary"]["averages"][title]["values"][name] for name in names
        }
    assert found["summary"]["overall"] == record["summary"]["overall"]
    assert found["summary"]["labels"][0]["worst"]["metric"] == {
        "brier": "brier", "gain": "ece", "all": "soft_dice_standard"
    }[chosen[0]]  # fmt: skip
    batch(folder, "-m", "dice_ce", "-o", tmp_path / "other.json")
    report(tmp_path / "other.json", *words, *outputs(tmp_path / "again"))
    assert contents(tmp_path / "run") == contents(tmp_path / "again")


def test_records_of_maps_have_no_metrics_of_masks(run, folder):
    """`report -m dice` of maps is exit 2 with a hint, and so is a batch that asks for it; nothing is read."""
    for done in (report(run / "scores.json", "-m", "dice"), batch(folder, "-m", "dice")):
        assert (done.exit_code, done.stdout) == (2, "")
        assert "dice is of masks" in done.stderr
        assert "Hint: " in done.stderr


# Gates.

GATES = {
    "soft_dice_standard": ("--fail-under", lambda r: average(r, "macro", "soft_dice_standard")),
    "dice_best@micro": ("--fail-under", lambda r: average(r, "micro", "dice_best")),
    "average_precision@label-mean": ("--fail-under", lambda r: average(r, "label-mean", "average_precision")),
    "dice_argmax@macro-regions": ("--fail-under", lambda r: average(r, "macro-regions", "dice_argmax")),
    "soft_dice_jaccard[liver]": ("--fail-under", lambda r: pooled(r, "liver", "soft_dice_jaccard", "pooled")),
    "dice_at_half[both]@label-mean": ("--fail-under", lambda r: pooled(r, "both", "dice_at_half", "mean")),
    "min:soft_dice_standard[1]": ("--fail-under", lambda r: pooled(r, "liver", "soft_dice_standard", "min")),
    "min:dice_argmax": ("--fail-under", lambda r: min(c["averages"]["macro"]["dice_argmax"] for c in r["cases"])),
    "overall_accuracy_argmax": ("--fail-under", lambda r: r["summary"]["overall"]["overall_accuracy_argmax"]),
    "cross_entropy": ("--fail-over", lambda r: average(r, "macro", "cross_entropy")),
    "brier[2]": ("--fail-over", lambda r: pooled(r, "a | b", "brier", "pooled")),
    "max:ece[rare]": ("--fail-over", lambda r: pooled(r, "rare", "ece", "max")),
    "max:loss_squared@micro": ("--fail-over", lambda r: max(c["averages"]["micro"]["loss_squared"] for c in r["cases"])),
    "dice_ce@weighted": ("--fail-over", lambda r: average(r, "weighted", "dice_ce")),
    "overall_ece": ("--fail-over", lambda r: r["summary"]["overall"]["overall_ece"]),
}  # fmt: skip


def average(record, name, metric):
    return record["summary"]["averages"][name]["values"][metric]


def pooled(record, name, metric, key):
    (row,) = [row for row in record["summary"]["labels"] if row["name"] == name]
    return row["metrics"][metric][key]


@pytest.mark.parametrize("gate", GATES)
def test_gates(gate, run, record, python, tmp_path):
    """A gate is on the number of its name: the limit itself passes, the next one does not, in a report as in a run."""
    option, expected = GATES[gate]
    value, step = expected(record), math.inf if option == "--fail-under" else -math.inf
    for limit, code in ((value, 0), (math.nextafter(value, step), 1)):
        done = report(run / "scores.json", option, f"{gate}={limit!r}", "-o", tmp_path / "o.json")
        (verdict,) = json.loads((tmp_path / "o.json").read_text())["summary"]["gates"]
        assert (done.exit_code, verdict["value"], verdict["holds"]) == (code, value, not code)
    if ":" not in gate:
        assert python.look_up(gate).value == value


def test_gates_of_a_run(folder, tmp_path):
    """Gates decide between exit 0 and 1; both verdicts stand in every form, JUnit's as failures."""
    gates = ["--fail-under", "soft_dice_standard=0.1", "--fail-over", "max:brier[liver]=0.01"]
    done = batch(folder, *gates, *outputs(tmp_path))
    assert done.exit_code == 1
    root = ET.parse(tmp_path / "scores.xml").getroot()  # noqa: S314 - our own output
    assert [case.get("name") for case in root.iterfind("testsuite[@name='cases']/testcase")] == NAMES
    found = {
        case.get("name"): case.find("failure") for case in root.iterfind("testsuite[@name='gates']/testcase")
    }
    assert found["soft_dice_standard=0.1"] is None
    assert "worst case" in found["max:brier[liver]=0.01"].get("message")
    first = root.find("testsuite/testcase/system-out").text
    expected = json.loads((tmp_path / "scores.json").read_text())["cases"][0]["averages"]["macro"]
    assert f"macro soft_dice_standard {expected['soft_dice_standard']:.4f}" in first
    for name in ("scores.txt", "scores.md"):
        assert "FAILED" in (tmp_path / name).read_text(encoding="utf-8")
    assert report(tmp_path / "scores.json").exit_code == 1


@pytest.mark.parametrize(
    ("gate", "said"),
    [
        (("--fail-under", "dice=0.5"), "of masks"),
        (("--fail-under", "soft_dice_standard=80"), "lies from 0 to 1"),
        (("--fail-under", "brier=0.1"), "--fail-over"),
        (("--fail-over", "dice_best=0.1"), "--fail-under"),
        (("--fail-under", "best_threshold=0.1"), "neither"),
        (("--fail-under", "soft_dice_standard@micro-imagewise-labels=0.1"), "micro-imagewise"),
        (("--fail-under", "soft_dice_standard[spleen]=0.1"), "spleen"),
        (("--fail-over", "overall_ece@micro=0.1"), "without averages"),
    ],
)
def test_gates_that_make_no_sense(gate, said, folder):
    """They are exit 2 with a hint, and those that need no masks to be seen through are so before the work."""
    done = batch(folder, *gate)
    assert done.exit_code == 2
    assert said in done.stderr
    assert "Hint: " in done.stderr
    assert "Traceback" not in done.stderr


# A baseline.


@pytest.fixture(scope="module")
def blurred(folder, tmp_path_factory):
    """Write the same maps, some of them less sure of everything, and return their folder."""
    other = tmp_path_factory.mktemp("blurred")
    shutil.copytree(folder, other, dirs_exist_ok=True)
    for n in (0, 3):
        p, _ = drawn(n)
        np.save(other / "maps" / f"{NAMES[n]}.npy", 0.5 * p + 0.125)
    return other


def test_a_baseline(run, record, folder, blurred, tmp_path):
    """A drop alone is of soft Dice in the average that leads; a run equal to its baseline has none."""
    baseline = ["--baseline", run / "scores.json", "--max-drop"]
    assert batch(folder, *baseline, "0").exit_code == 0
    done = batch(blurred, *baseline, "0.001", "-o", tmp_path / "o.json")
    assert done.exit_code == 1
    found = loaded((tmp_path / "o.json").read_text(encoding="utf-8"))
    (verdict,) = found["summary"]["gates"]
    was, now = (average(each, "macro", "soft_dice_standard") for each in (record, found))
    assert verdict["gate"] == "max-drop 0.001"
    assert verdict["value"] == pytest.approx(was - now, rel=1e-12)
    assert f"{was:.6g} → {now:.6g}" in verdict["detail"]
    assert "worse cases: " in verdict["detail"]
    assert NAMES[0] in verdict["detail"]
    assert NAMES[1] not in verdict["detail"]


@pytest.mark.parametrize(
    ("drop", "code"),
    [
        ("brier=0.001", 1),
        ("overall_cross_entropy=0.001", 1),
        ("soft_dice_squared[liver]=0.001", 1),
        ("average_precision=0.9", 0),
        ("dice_argmax@micro=0.5", 0),
        ("soft_dice_standard@macro-regions=0.001", 1),
    ],
)
def test_drops_of_any_number(drop, code, run, blurred, tmp_path):
    """Each metric falls in its own direction; a report of the run judges as the run does."""
    baseline = ["--baseline", run / "scores.json", "--max-drop", drop]
    assert batch(blurred, *baseline, "-o", tmp_path / "o.json").exit_code == code
    assert report(tmp_path / "o.json", *baseline).exit_code == code


def test_a_baseline_of_the_other_kind(run, folder, tmp_path):
    """Maps are not compared with masks, nor masks with maps: exit 2 with a hint."""
    masks = (*(folder / "references",) * 2, "--allow-same")
    assert call(*masks, "-o", tmp_path / "masks.json").exit_code == 0
    for done in (
        batch(folder, "--baseline", tmp_path / "masks.json", "--max-drop", "0.1"),
        call(*masks, "--baseline", run / "scores.json", "--max-drop", "0.1"),
        report(tmp_path / "masks.json", "--baseline", run / "scores.json", "--max-drop", "0.1"),
    ):
        assert done.exit_code == 2
        assert "probability maps" in done.stderr
        assert "Hint: " in done.stderr


def test_github_is_told(folder, tmp_path, monkeypatch):
    """--github appends the Markdown to the step's summary, and annotates the gates that failed."""
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "step.md"))
    gates = ["--fail-under", "soft_dice_standard=0.99", "--fail-under", "dice_best=0.01"]
    done = batch(folder, *gates, "--github", "-f", "json", "-o", tmp_path / "o.json")
    assert done.exit_code == 1
    assert done.stderr.count("::error title=dicecli gate failed::") == 1
    assert "::error title=dicecli gate failed::soft_dice_standard=0.99: value 0." in done.stderr
    step = (tmp_path / "step.md").read_text(encoding="utf-8")
    shown = report(tmp_path / "o.json", "-f", "markdown").stdout
    assert step.partition("**")[2] == shown.partition("**")[2] + "\n"
    assert step.startswith("## Gates")


# Reports, shards, and runs that go on.


def test_every_output_is_rendered_again(run, tmp_path):
    """From the JSON alone come the bytes that the run wrote: of every form, summaries and curves too."""
    done = report(run / "scores.json", *outputs(tmp_path / "again"))
    assert done.exit_code == 0
    assert contents(run) == contents(tmp_path / "again")


@pytest.mark.parametrize("name", FORMS)
def test_standard_output_is_rendered_again(name, folder, run):
    """-f gives what the run gave, and what Python gives."""
    done = batch(folder, "-f", name)
    assert done.stdout == report(run / "scores.json", "-f", name).stdout
    if load("exporters", name).SUFFIXES[0] in {".csv", ".json", ".xml"}:
        assert done.stdout == (run / f"scores{load('exporters', name).SUFFIXES[0]}").read_text(
            encoding="utf-8"
        )


@pytest.mark.parametrize("name", SUMMARIES)
def test_summaries_are_rendered_again(name, folder, run, tmp_path):
    """--summary has no cases, and the same bytes from the record."""
    batch(folder, "--summary", tmp_path / name)
    (tmp_path / "again").mkdir()
    report(run / "scores.json", "--summary", tmp_path / "again" / name)
    assert (tmp_path / name).read_bytes() == (tmp_path / "again" / name).read_bytes()


def unplaced(folder):
    """Return files without what is said of the CSV of pairs, of which there was one for each shard."""
    kept = contents(folder)
    kept["scores.json"] = json.loads(kept["scores.json"])
    kept["scores.json"].pop("origin")
    for name in ("scores.md", "scores.txt", "scores.html", "scores.xml", "summary.md"):
        if name in kept:
            kept[name] = [line for line in kept[name].decode().splitlines() if "pairs" not in line]
    return kept


@pytest.mark.parametrize("cuts", [[[0, 1, 2], [3, 4, 5]], [[5], [2], [0, 4], [3, 1]]], ids=["two", "four"])
@pytest.mark.parametrize(
    "chosen", [[], ["-m", "dice_best", "-m", "overall_ece"]], ids=["every metric", "chosen"]
)
def test_merged_shards_are_the_run_at_once(cuts, chosen, folder, tmp_path):
    """However a run is cut, merging its shards gives the bytes of scoring at once."""
    shards = []
    for at, cut in enumerate(cuts):
        pairs = tmp_path / f"{at}.csv"
        lines = [f"maps/{NAMES[n]}.npy,references/{NAMES[n]}.png,{NAMES[n]}" for n in cut]
        pairs.write_text("\n".join(["prediction,reference,case", *lines]), encoding="utf-8")
        shutil.copy(pairs, folder / f"pairs{at}.csv")
        shards.append(tmp_path / f"{at}.json")
        words = ["--soft", "--pairs", folder / f"pairs{at}.csv", "--labels", folder / "labels.json"]
        assert call(*words, "--smooth", "0", *chosen, "-o", shards[-1]).exit_code == 0
    every = folder / "pairs.csv"
    lines = [f"maps/{name}.npy,references/{name}.png,{name}" for name in NAMES]
    every.write_text("\n".join(["prediction,reference,case", *lines]), encoding="utf-8")
    words = ["--soft", "--pairs", every, "--labels", folder / "labels.json", "--smooth", "0", *chosen]
    assert call(*words, *outputs(tmp_path / "run")).exit_code == 0
    assert report(*shards, *outputs(tmp_path / "merged")).exit_code == 0
    assert unplaced(tmp_path / "run") == unplaced(tmp_path / "merged")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--smooth", "1"], "soft"),
        (["--undefined", "zero"], "undefined"),
        (["-m", "brier"], "metrics"),
        (None, "soft"),
    ],
)
def test_shards_of_different_settings_are_refused(options, said, folder, run, tmp_path):
    """Sums that were not read alike, or runs of masks, are not put together: exit 2, and the difference is named."""
    other = tmp_path / "other.json"
    if options is None:
        call(*(folder / "references",) * 2, "--allow-same", "--labels", folder / "labels.json", "-o", other)
    else:
        batch(folder, *options, "-o", other)
    done = report(run / "scores.json", other)
    assert (done.exit_code, done.stdout) == (2, "")
    assert re.search(rf"different settings: .*\b{said}\b", done.stderr)


def test_workers_change_nothing(folder, run, tmp_path):
    """Two processes give the bytes of one."""
    assert batch(folder, *outputs(tmp_path / "two"), jobs=2).exit_code == 0
    assert contents(run) == contents(tmp_path / "two")


def test_a_broken_map_is_a_row_and_the_run_resumes(folder, run, tmp_path):
    """A map that cannot be scored is a row with exit 3; after it is mended, `--resume` sums only that one."""
    other = shutil.copytree(folder, tmp_path / "other")
    path = other / "maps" / f"{NAMES[2]}.npy"
    good, missing = path.read_bytes(), other / "maps" / f"{NAMES[5]}.npy"
    path.write_bytes(b"")
    missing.unlink()
    out = tmp_path / "o.json"
    assert batch(other, "-o", out, "--missing", "skip").exit_code == 3
    record = loaded(out.read_text(encoding="utf-8"))
    rows = {case["case"]: case for case in record["cases"]}
    assert rows[NAMES[2]]["error"] == "EmptyFile"
    assert rows[NAMES[5]]["status"] == "missing"
    assert record["summary"]["labels"][0]["metrics"]["brier"]["missing"] == 2
    assert report(out, "--fail-under", "min:soft_dice_standard[liver]=0").exit_code == 3
    path.write_bytes(good)
    resumed = batch(other, "-o", out, "--missing", "skip", "--resume")
    assert resumed.exit_code == 0
    bytes_of_resumed = out.read_bytes()
    assert batch(other, "-o", out, "--missing", "skip").exit_code == 0
    assert bytes_of_resumed == out.read_bytes()
    assert not (tmp_path / "o.json.journal").exists()
    assert json.loads(bytes_of_resumed)["cases"][:5] == [
        case | {"prediction": str(other / "maps" / f"{case['case']}.npy"),
                "reference": str(other / "references" / f"{case['case']}.png")}
        for case in json.loads((run / "scores.json").read_text())["cases"][:5]
    ]  # fmt: skip


@pytest.mark.parametrize(("policy", "value"), [("zero", 0.0), ("one", 1.0)])
def test_a_policy_where_a_class_is_nowhere(policy, value, folder, record, tmp_path):
    """--undefined puts a value for the label that one case lacks, in its row and in all that is made of it."""
    assert batch(folder, "--undefined", policy, "-o", tmp_path / "o.json").exit_code == 0
    found = loaded((tmp_path / "o.json").read_text(encoding="utf-8"))
    (before, after) = (each["cases"][2]["labels"][2] for each in (record, found))
    assert before["reference_px"] == before["expected_px"] == 0
    for name in ROWS:
        follows = catalogue()[name].follows_undefined
        assert after[name] == (value if follows else before[name])
        statistics = found["summary"]["labels"][2]["metrics"][name]
        assert statistics["undefined"] == int(after[name] is None)
        values = [[case["labels"][at][name] for at in range(3)] for case in found["cases"]]
        if name not in TUNED:
            means = [mean([value_of(row[at]) for row in values])[0] for at in range(3)]
            assert average(found, "label-mean", name) == mean(means)[0]
        else:
            assert statistics == record["summary"]["labels"][2]["metrics"][name]
            assert found["summary"]["averages"]["macro"]["values"][name] == average(record, "macro", name)
    assert before["soft_dice_standard"] is None


def test_notes_on_cases_add_up(folder, tmp_path):
    """What was assumed of maps, and where epsilon is all that a score says, stands in the notes of the run."""
    done = call("--soft", folder / "maps", folder / "references", "-o", tmp_path / "o.json", "-f", "csv")
    assert done.exit_code == 0
    found = loaded((tmp_path / "o.json").read_text(encoding="utf-8"))
    note, beside = sorted(found["summary"]["notes"])
    assert "labels.json" in beside
    assert note.startswith(
        "in 6 of 6 cases: prediction: its 4 channels are label 0, label 1, label 2, label 3"
    )
    assert f"Note: {note}\n" in done.stderr
    said = [
        [each for each in case["notes"] if "near 0 for any p and 1 for none" in each]
        for case in found["cases"]
    ]
    assert [len(each) for each in said] == [0, 0, 1, 0, 0, 0]
    assert report(tmp_path / "o.json", "-o", tmp_path / "again.json").exit_code == 0
    assert (tmp_path / "o.json").read_bytes() == (tmp_path / "again.json").read_bytes()


def test_the_average_that_leads(folder, tmp_path):
    """--average leads in gates and drops without @, of maps as of masks."""
    path = tmp_path / "o.json"
    assert batch(folder, "--average", "micro", "-o", path).exit_code == 0
    found = loaded(path.read_text(encoding="utf-8"))
    micro, macro = (average(found, name, "soft_dice_standard") for name in ("micro", "macro"))
    assert micro != macro
    done = report(path, "--fail-under", f"soft_dice_standard={micro!r}", "-f", "json")
    assert json.loads(done.stdout)["summary"]["gates"][0]["value"] == micro
    done = report(path, "--baseline", path, "--max-drop", "0", "-f", "json")
    assert json.loads(done.stdout)["summary"]["gates"][0]["detail"].startswith(f"{micro:.6g} → {micro:.6g}")


@pytest.mark.parametrize("channels", ["whole,liver", "whole,core"])
def test_regions_that_are_channels_have_averages_of_their_own(channels, tmp_path):
    """Channels that do not exclude each other may be regions: labels are averaged apart, where there are any."""
    regions = {
        "regions": {"whole": [1, 2], "core": [2]},
        "labels": {"0": "background", "1": "liver", "2": "rest"},
    }
    (tmp_path / "labels.json").write_text(json.dumps(regions), encoding="utf-8")
    for side in ("maps", "references"):
        (tmp_path / side).mkdir()
    for n in range(3):
        p, g = maps.softmax((3, 5, 6), n, sharp=1.0)
        if channels == "whole,core":
            both = np.stack([p[1] + p[2], p[2]])
        else:
            both, g = np.stack([p[1] + p[2], p[1]]), np.where(g == 2, 1, g)
        np.save(tmp_path / "maps" / f"{n}.npy", both)
        make.png(tmp_path / "references" / f"{n}.png", g.astype(np.uint8))
    out = tmp_path / "o.json"
    words = ["--channels", channels, "--independent", "-o", out, "--fail-under", "soft_dice_standard=0"]
    assert batch(tmp_path, *words).exit_code == 0
    found = loaded(out.read_text(encoding="utf-8"))
    by_kind = defaultdict(list)
    for row in found["summary"]["labels"]:
        by_kind["regions" if row["label"] is None else "labels"].append(
            row["metrics"]["soft_dice_standard"]["pooled"]
        )
    assert average(found, "macro-regions", "soft_dice_standard") == near(mean(by_kind["regions"])[0])
    expected = mean(by_kind["labels"])[0] if by_kind["labels"] else None
    assert average(found, "macro", "soft_dice_standard") == (None if expected is None else near(expected))
    leads = "macro" if by_kind["labels"] else "macro-regions"
    assert found["summary"]["gates"][0]["value"] == average(found, leads, "soft_dice_standard")


def test_maps_of_other_channels(tmp_path):
    """A map without a channel that another has lacks that row, and no number of the others is touched."""
    pairs = [maps.softmax((4, 5, 6), 0), maps.softmax((3, 5, 6), 1)]
    cases = [dicecli.Case(str(n), *pair) for n, pair in enumerate(pairs)]
    found = dicecli.score_many(cases, maps.settings())
    rows = found.to_dict()
    assert [[row["label"] for row in case["labels"]] for case in rows["cases"]] == [[1, 2, 3], [1, 2]]
    third = rows["summary"]["labels"][2]["metrics"]["brier"]
    assert (third["n"], third["missing"], third["undefined"]) == (1, 1, 0)
    assert third["pooled"] == rows["cases"][0]["labels"][2]["brier"] == third["mean"]
    weighted = rows["summary"]["averages"]["weighted"]["values"]["brier"]
    sizes = [sum((g == k).sum() for _, g in pairs[: 1 if k == 3 else 2]) for k in (1, 2, 3)]
    values = [row["metrics"]["brier"]["pooled"] for row in rows["summary"]["labels"]]
    assert weighted == near(mean(values, [int(each) for each in sizes])[0])
    assert rows["summary"]["averages"]["micro"]["n"]["brier"] == 5
    path = tmp_path / "o.json"
    path.write_text(found.render("json"), encoding="utf-8")
    assert report(path, "-f", "csv").stdout == found.render("csv")
