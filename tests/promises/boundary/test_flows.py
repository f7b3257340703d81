"""Boundary metrics through the whole house: runs, averages, gates, reports, resuming, merging, settings."""

from __future__ import annotations

import csv
import json
import math
from xml.etree import ElementTree as ET

import make
import nibabel
import numpy as np
import pytest
from batches import call, record
from record_schema import loaded
from streams import runner

import dicecli
from dicecli.cli import cli
from dicecli.errors import UsageError
from dicecli.reports.reading_back import from_dict
from dicecli.runs import measuring

#: Millimetres along the axes of the volumes.
SPACING = (1.0, 1.5, 2.0)
SHAPE = (12, 10, 5)
METRICS = ("dice", "hd95", "nsd_1mm", "boundary_iou")
WORDS = [word for name in METRICS for word in ("-m", name)]
#: How far the prediction is moved, by case; None: there is nothing in it.
MOVED = {"a": 0, "b": 1, "c": 3, "d": None}
GROUPS = {"a": "north", "b": "south", "c": "north", "d": "south"}
OUTPUTS = ("o.json", "o.csv", "o.md", "o.xml", "o.txt")


def box(start, stop, label):
    found = np.zeros(SHAPE, np.uint8)
    found[tuple(slice(*ends) for ends in zip(start, stop, strict=True))] = label
    return found


#: A cube that is moved, and a flat one beside it that stays; of case "b" the second is in neither mask.
def sides(name):
    by = MOVED[name]
    other = box((1, 7, 1), (7, 9, 3), 2) * (name != "b")
    reference = box((1, 1, 1), (6, 5, 4), 1) + other
    if by is None:
        return np.zeros(SHAPE, np.uint8), reference
    # In the last case that has one the prediction is longer, so that directions differ.
    return box((1 + by, 1, 1), (6 + by, 5 + 3 * (by == 3), 4), 1) * (other == 0) + other, reference


def rim(mask, ignored=False):
    """Return the points of a mask that have a neighbour outside, which is not ignored; by brute force."""
    padded = np.pad(mask | ignored, 1)
    inner = mask.copy()
    for axis in range(mask.ndim):
        for step in (-1, 1):
            inner &= np.roll(padded, step, axis)[tuple([slice(1, -1)] * mask.ndim)]
    return np.argwhere(mask & ~inner & ~np.asarray(ignored))


def brute(prediction, reference, spacing=SPACING, ignored=False):
    """Return hd95, nsd at 1, and boundary IoU with a band of one voxel, as these are written in words."""
    prediction, reference = prediction & ~np.asarray(ignored), reference & ~np.asarray(ignored)
    if not prediction.any() and not reference.any():
        return math.nan, math.nan, math.nan
    if not prediction.any() or not reference.any():
        return math.inf, 0.0, 0.0
    points = [rim(each, ignored) for each in (prediction, reference)]
    both = len({*map(tuple, points[0])} & {*map(tuple, points[1])})
    steps = (points[0][:, None] - points[1]) * np.array(spacing)
    pairs = np.sqrt((steps**2).sum(axis=2))
    lists = [pairs.min(axis=1), pairs.min(axis=0)]
    near = sum(int((each <= 1 + 1e-6).sum()) for each in lists)
    every = sum(map(len, points))
    return float(max(np.percentile(each, 95) for each in lists)), near / every, both / (every - both)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Write the volumes, and a CSV of the pairs with their groups."""
    found = tmp_path_factory.mktemp("volumes")
    lines = ["prediction,reference,case,group"]
    for name in MOVED:
        for side, array in zip("pr", sides(name), strict=True):
            make.nifti(found / f"{name}_{side}.nii", array, affine=np.diag([*SPACING, 1]))
        lines.append(f"{name}_p.nii,{name}_r.nii,{name},{GROUPS[name]}")
    (found / "pairs.csv").write_text("\n".join(lines), encoding="utf-8")
    return found


@pytest.fixture(scope="module")
def written(folder, tmp_path_factory):
    """Run over the volumes, and return the folder of all that is written."""
    found = tmp_path_factory.mktemp("written")
    assert batch(folder, found, *WORDS).exit_code == 0
    return found


def batch(folder, out, *words, names=OUTPUTS, **options):
    files = [part for name in names for part in ("-o", out / name)]
    return call("--pairs", folder / "pairs.csv", *files, "--summary", out / "s.csv", *words, **options)


def contents(folder):
    return {name: (folder / name).read_bytes() for name in (*OUTPUTS, "s.csv")}


def table(path):
    """Return the rows of a CSV."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def command(*words):
    return runner().invoke(cli, [str(each) for each in words], catch_exceptions=False)


def report_of(path):
    return from_dict(record(path))


@pytest.mark.parametrize("name", MOVED)
def test_the_values_of_a_run_are_those_of_each_case_and_of_brute_force(name, folder, written):
    alone = dicecli.score(folder / f"{name}_p.nii", folder / f"{name}_r.nii", metrics=METRICS)
    report, masks = report_of(written / "o.json"), sides(name)
    for label in (1, 2):
        is_there = (masks[1] == label).any()
        expected = brute(*(each == label for each in masks))
        for metric, value in zip(("hd95_mm", "nsd_1mm", "boundary_iou"), expected, strict=True):
            found = report.value(metric, name, label)
            assert found == pytest.approx(value, rel=1e-12, nan_ok=True), (metric, label)
            assert not is_there or found == alone.value(metric, alone.results[0], label)


def expected_values():
    """Return every value: by metric, per case, of both labels."""
    every = [[brute(*(each == label for each in sides(name))) for label in (1, 2)] for name in MOVED]
    return {
        metric: [[row[at] for row in case] for case in every]
        for at, metric in enumerate(("hd95_mm", "nsd_1mm", "boundary_iou"))
    }


def mean(values):
    defined = [each for each in values if not math.isnan(each)]
    return math.fsum(defined) / len(defined) if defined else math.nan


def test_averages_are_means_of_values_and_pooled_where_bands_add_up(written):
    report = report_of(written / "o.json")
    for metric, cases in expected_values().items():
        by_case, by_label = [mean(case) for case in cases], [mean(each) for each in zip(*cases, strict=True)]
        for average, values in (("macro-imagewise", by_case), ("label-mean", by_label)):
            assert report.averages[average][metric].value == pytest.approx(mean(values)), (metric, average)
    finite = [each for case in expected_values()["hd95_mm"] for each in case if math.isfinite(each)]
    found = report.averages["label-mean"]["hd95_mm"]
    assert (found.infinite, found.undefined) == (2, 1)
    assert min(finite) <= found.finite <= max(finite)
    averages = {name: {*values} for name, values in report.averages.items()}
    assert {name for name, metrics in averages.items() if "boundary_iou" in metrics} == {*averages}
    assert len(averages) == 6
    for metric in ("hd95_mm", "nsd_1mm"):
        assert {name for name, of in averages.items() if metric in of} == {"macro-imagewise", "label-mean"}


def test_bands_pool_over_cases(written):
    met = union = 0
    for name in MOVED:
        points = [{*map(tuple, rim(each == 1))} for each in sides(name)]
        met, union = met + len(points[0] & points[1]), union + len(points[0] | points[1])
    assert report_of(written / "o.json").pooled("boundary_iou", 1) == met / union


def test_statistics_of_a_label_with_a_missed_case(written):
    """The mean is infinite and has no deviation and no interval; those of the others stand beside it."""
    values = [case[0] for case in expected_values()["hd95_mm"]]
    finite = [each for each in values if math.isfinite(each)]
    found = record(written / "o.json")["summary"]["labels"][0]["metrics"]["hd95_mm"]
    assert (found["mean"], found["max"], found["sd"], found["ci_low"]) == ("inf", "inf", None, None)
    assert found["pooled"] is None
    assert found["infinite"] == 1
    assert found["finite"]["n"] == 3
    assert found["finite"]["mean"] == pytest.approx(mean(finite))
    assert found["finite"]["sd"] == pytest.approx(np.std(finite, ddof=1))
    assert found["finite"]["ci_low"] <= found["finite"]["mean"] <= found["finite"]["ci_high"]
    for name, share in (("q1", 0.25), ("median", 0.5), ("q3", 0.75)):
        assert found[name] == np.quantile(values, share, method="inverted_cdf")
    assert record(written / "o.json")["summary"]["bootstrap"]["resampled"] == "group"


def test_infinity_is_written_for_machines_and_for_people(written):
    rows = table(written / "o.csv")
    of_four = [row for row in rows if row["case"] == "d"]
    assert [row["hd95_mm"] for row in of_four] == ["inf", "inf"]
    assert [row["nsd_1mm"] for row in of_four] == ["0.0", "0.0"]
    assert [row["hd95_mm"] for row in rows if row["case"] == "b" and row["label"] == "2"] == [""]
    case = next(each for each in record(written / "o.json")["cases"] if each["case"] == "d")
    assert [row["hd95_mm"] for row in case["labels"]] == ["inf", "inf"]
    (found,) = (row for row in table(written / "s.csv") if row["label"] == "1" and row["metric"] == "hd95_mm")
    assert (found["mean"], found["sd"], found["infinite"]) == ("inf", "", "1")
    assert "nan" not in (written / "o.txt").read_text(encoding="utf-8").lower()
    suite = ET.parse(written / "o.xml").find("testsuite[@name='cases']/testcase[@name='d']")  # noqa: S314 - our own
    assert "hd95_mm inf" in suite.find("system-out").text


def test_the_definition_in_force_stands_in_every_report(folder, written, tmp_path):
    words = ["--surface", "corner", "--percentile-rule", "step", "--directions", "pool"]
    words += ["--empty-distance", "skip", "--spacing", "voxel", "--boundary-width", "2px"]
    assert batch(folder, tmp_path, "-m", "hd95", "-m", "boundary_iou", *words).exit_code == 0
    usual = "centres of voxels with a neighbour outside across a face; percentiles linear"
    other = "corners of voxels, weighted by the area around them, distances in voxels; percentiles where the"
    for place, text in ((written, usual), (tmp_path, other)):
        for name in ("o.md", "o.txt"):
            said = " ".join((place / name).read_text(encoding="utf-8").split())
            assert text in said
        found = command("explain", place / "o.json", "hd95[1]").stdout
        assert text in " ".join(found.split())
    for place, width in ((written, "2 % of the diagonal"), (tmp_path, "2px")):
        said = " ".join((place / "o.md").read_text(encoding="utf-8").split())
        assert f"; width of boundary\\_iou {width}" in said
        lines = command("explain", place / "o.json", "boundary_iou[1]").stdout.splitlines()
        assert [f"surface    width of boundary_iou {width}"] == [
            line for line in lines if line.startswith("surface")
        ]
    settings = record(tmp_path / "o.json")["settings"]
    assert {name: settings[name] for name in ("surface", "percentile_rule", "directions")} == {
        "surface": "corner",
        "percentile_rule": "step",
        "directions": "pool",
    }
    assert (settings["empty_distance"], settings["spacing"]) == ("skip", "voxel")
    assert settings["boundary_width"] == "2px"
    # Skipped, a missed case is undefined: its distance is no number, and no infinity.
    assert math.isnan(report_of(tmp_path / "o.json").value("hd95_px", "d", 1))


@pytest.mark.parametrize(
    ("gate", "holds"),
    [
        (("--fail-over", "hd95[1]=5"), False),
        (("--fail-over", "hd95[1]=1e300"), False),
        (("--fail-over", "max:hd95=100"), False),
        (("--fail-under", "nsd_1mm=0.9"), False),
        (("--fail-under", "nsd_1mm=0.3"), True),
        (("--fail-under", "boundary_iou@micro=0.1"), True),
    ],
    ids=lambda each: each[1] if isinstance(each, tuple) else "",
)
def test_gates(gate, holds, folder, written, tmp_path):
    """What is infinite never passes; a gate judges a run, and what the run wrote, alike."""
    for found in (
        batch(folder, tmp_path, *WORDS, *gate, names=("o.json", "o.xml")),
        command("report", written / "o.json", "-o", tmp_path / "again.json", *gate),
    ):
        assert found.exit_code == (0 if holds else 1), found.stdout
    cases = ET.parse(tmp_path / "o.xml").find("testsuite[@name='gates']")  # noqa: S314 - our own
    assert [each.find("failure") is None for each in cases] == [holds]
    assert record(tmp_path / "o.json")["summary"]["gates"][0]["holds"] is holds


@pytest.fixture
def alone(tmp_path):
    """Return a function that scores a prediction against the reference of "b", and returns the JSON's path."""

    def scored(name, prediction):
        path = tmp_path / f"{name}.json"
        found = [nibabel.Nifti1Image(each, np.diag([*SPACING, 1])) for each in (prediction, sides("b")[1])]
        report = dicecli.score(*found, metrics=["dice", "hd95"], name="b")
        path.write_text(json.dumps(report.to_dict()), encoding="utf-8")
        return path

    return scored


def test_a_gate_holds_at_its_limit(alone):
    value = brute(*(each == 1 for each in sides("b")))[0]
    path = alone("new", sides("b")[0])
    for limit, code in ((value, 0), (math.nextafter(value, 0), 1)):
        for gate in ("hd95", "hd95[1]", "max:hd95_mm"):
            assert command("report", path, "--fail-over", f"{gate}={limit!r}").exit_code == code, gate
    of_others = command("report", path, "--fail-over", "hd95_px=5")
    assert of_others.exit_code == 2
    assert "in mm" in of_others.stderr


def test_a_gate_needs_a_metric_that_is_asked_for(folder, tmp_path):
    found = batch(folder, tmp_path, "-m", "dice", "--fail-over", "hd95[1]=5")
    assert found.exit_code == 2
    assert "Add -m hd95" in found.stderr


def test_a_run_may_fall_behind_a_baseline_by_so_many_millimetres(alone):
    """The prediction of the baseline was a step better than this one; one that is empty is worse than any drop."""
    masks, reference = [np.roll(sides("b")[0], by, 0) for by in (0, 1)], sides("b")[1] == 1
    before, after = (brute(each == 1, reference)[0] for each in masks)
    assert after > before
    old, new, lost = alone("old", masks[0]), alone("new", masks[1]), alone("lost", masks[0] * 0)
    for path, drop, code in ((new, after - before, 0), (new, (after - before) / 2, 1), (lost, 1e300, 1)):
        found = command("report", path, "--baseline", old, "--max-drop", f"hd95={drop!r}", "-f", "json")
        assert found.exit_code == code, found.stderr
        (verdict,) = loaded(found.stdout)["summary"]["gates"]
        assert verdict["value"] == ("inf" if path == lost else pytest.approx(after - before))


def test_a_baseline_of_another_definition_is_said_to_be_one(folder, alone, tmp_path):
    old, new = tmp_path / "old.json", alone("new", sides("b")[0])
    other = dicecli.score(folder / "b_p.nii", folder / "b_r.nii", metrics="hd95", name="b", surface="corner")
    old.write_text(json.dumps(other.to_dict()), encoding="utf-8")
    found = command("report", new, "--baseline", old, "--max-drop", "hd95=9")
    assert found.exit_code == 0
    assert "other settings than the baseline: surface" in " ".join(found.stdout.split())


def test_a_prediction_that_is_missing_counts_as_an_empty_one(folder, tmp_path):
    pairs = (folder / "pairs.csv").read_text(encoding="utf-8").replace("a_p.nii", "")
    (folder / "missing.csv").write_text(pairs, encoding="utf-8")
    words = ["--pairs", folder / "missing.csv", "-m", "hd95", "-m", "nsd_1mm", "-o", tmp_path / "o.json"]
    assert call(*words).exit_code == 3
    assert call(*words, "--missing", "zero").exit_code == 0
    rows = record(tmp_path / "o.json")["cases"][0]["labels"]
    assert [(row["hd95_mm"], row["nsd_1mm"]) for row in rows] == [("inf", 0.0)] * 2


def test_several_jobs_give_the_same_bytes(folder, written, tmp_path):
    assert batch(folder, tmp_path, *WORDS, jobs=2).exit_code == 0
    assert contents(tmp_path) == contents(written)


def test_resuming_gives_the_same_bytes_and_other_surfaces_are_measured_anew(folder, written, tmp_path):
    """A run that stopped at a broken mask goes on; the journal's surfaces are none of another definition."""
    path = folder / "c_p.nii"
    content = path.read_bytes()
    try:
        path.write_bytes(b"")
        assert batch(folder, tmp_path, *WORDS, "--strict").exit_code == 3
        path.write_bytes(content)
        journal = (tmp_path / "o.json.journal").read_bytes()
        done = batch(folder, tmp_path, *WORDS, "--resume")
        assert done.exit_code == 0
        assert "counted again" not in done.stderr
        assert contents(tmp_path) == contents(written)
        (tmp_path / "o.json.journal").write_bytes(journal)
        done = batch(folder, tmp_path, *WORDS, "--resume", "--surface", "corner")
        assert "2 cases that an earlier run has done are counted again" in done.stderr
    finally:
        path.write_bytes(content)
    resumed = contents(tmp_path)
    assert batch(folder, tmp_path, *WORDS, "--surface", "corner").exit_code == 0
    assert contents(tmp_path) == resumed != contents(written)


@pytest.fixture(scope="module")
def shards(folder, tmp_path_factory):
    """Return a function that scores two of the cases with some options, and returns the JSON's path."""
    found = tmp_path_factory.mktemp("shards")
    lines = (folder / "pairs.csv").read_text(encoding="utf-8").splitlines()

    def scored(part, *words):
        pairs = folder / f"pairs{part}.csv"
        pairs.write_text("\n".join([lines[0], *lines[1 + 2 * part : 3 + 2 * part]]), encoding="utf-8")
        out = found / f"{part}{'_'.join(words)}.json"
        assert call("--pairs", pairs, "-o", out, *(words or WORDS)).exit_code == 0
        return out

    return scored


def unplaced(files):
    """Return files without the lines on the CSV of pairs, of which there was one for each shard."""
    kept = {}
    for name, content in files.items():
        if name.endswith(".json"):
            kept[name] = json.loads(content)
            kept[name].pop("origin")
        else:
            kept[name] = [line for line in content.decode().splitlines() if "pairs" not in line]
    return kept


def test_merged_shards_are_what_one_run_gives(shards, written, tmp_path):
    outputs = [part for name in OUTPUTS for part in ("-o", tmp_path / name)]
    found = command("report", shards(1), shards(0), *outputs, "--summary", tmp_path / "s.csv")
    assert found.exit_code == 0
    assert unplaced(contents(tmp_path)) == unplaced(contents(written))


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("surface", ("--surface", "corner")),
        ("rim", ("--rim", "all")),
        ("percentile_rule", ("--percentile-rule", "index")),
        ("directions", ("--directions", "pool")),
        ("nsd_directions", ("--nsd-directions", "mean")),
        ("tolerance", ("--tolerance", "2mm")),
        ("spacing", ("--spacing", "voxel")),
        ("boundary_width", ("--boundary-width", "3px")),
        ("empty_distance", ("--empty-distance", "diagonal")),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_reports_of_other_definitions_are_not_merged(setting, words, shards):
    ask = ["-m", "hd95", "-m", "boundary_iou"]
    found = command("report", shards(0, *ask), shards(1, *ask, *words))
    assert found.exit_code == 2
    assert setting in found.stderr
    assert "the same options for all" in found.stderr


@pytest.mark.parametrize("name", ["hd90", "nsd_2mm", "boundary_iou", "hd50_to_reference"])
def test_what_was_not_measured_is_an_error_whose_hint_works(name, folder, shards):
    path = shards(0, "-m", "hd95")
    found = command("report", path, "-m", name)
    assert found.exit_code == 2
    option = found.stderr.partition("again with ")[2].partition(":")[0].split()
    pair = folder / "c_p.nii", folder / "c_r.nii"
    again = command("score", *pair, *option, "-f", "json")
    assert again.exit_code == 0, again.stderr
    (folder / "again.json").write_text(again.stdout, encoding="utf-8")
    assert command("report", folder / "again.json", "-m", name).exit_code == 0


def test_what_was_measured_is_shown_anew_without_a_mask(written):
    """The distances hold the others of the family; a word without its number is one with those that there are."""
    for names, shown in ((("assd", "hd"), ("assd_mm", "hd_mm")), (("boundary_iou",), ("boundary_iou",))):
        words = [part for name in names for part in ("-m", name)]
        found = command("report", written / "o.json", *words, "-f", "json")
        assert found.exit_code == 0, found.stderr
        assert {*shown} <= loaded(found.stdout)["cases"][0]["labels"][0].keys()


@pytest.mark.parametrize(
    ("asked", "there", "lacks"),
    [
        ("hd95", "masd_mm", "boundary_iou"),
        ("boundary_iou", "boundary_iou", "hd_mm"),
        ("dice", "iou", "hd_mm"),
    ],
)
def test_all_of_a_report_is_what_was_measured(asked, there, lacks, shards):
    found = command("report", shards(0, "-m", asked), "-m", "all", "-f", "json")
    assert found.exit_code == 0, found.stderr
    columns = loaded(found.stdout)["cases"][0]["labels"][0].keys()
    assert there in columns
    assert lacks not in columns


def test_a_number_is_explained(written):
    report = report_of(written / "o.json")
    for name in ("hd95[1]", "hd95_mm", "nsd_1mm[2]@label-mean", "boundary_iou@micro"):
        found = command("explain", written / "o.json", name)
        assert found.exit_code == 0, found.stderr
        lines = dict(line.split(None, 1) for line in found.stdout.splitlines()[1:] if line[0] != " ")
        assert float(lines["value"]) == report.look_up(name).value
        assert "surface" in lines
    assert "surface" not in command("explain", written / "o.json", "dice").stdout.split()
    assert "without its infinite values (1)" in command("explain", written / "o.json", "hd95[1]").stdout


def test_the_family_and_tolerances(folder):
    pair = folder / "c_p.nii", folder / "c_r.nii"

    def columns(**options):
        found = dicecli.score(*pair, **options)
        return [each.name for each in found.listed]

    assert columns(metrics="boundary") == ["hd95_mm", "assd_mm"]
    both = columns(metrics="boundary", tolerance=["1mm", "2mm"])
    assert both == ["hd95_mm", "assd_mm", "nsd_1mm", "nsd_2mm"]
    assert columns(tolerance="1mm") == ["dice", "iou", "precision", "recall", "nsd_1mm"]
    assert columns(metrics="dice", tolerance="1mm") == ["dice", "nsd_1mm"]
    assert columns(metrics=["nsd_4mm"], tolerance="1mm") == ["nsd_4mm"]
    assert dicecli.score(*pair, metrics="nsd", tolerance="1mm").value("nsd_1mm", "c_r", 1) == pytest.approx(
        brute(*(each == 1 for each in sides("c")))[1]
    )


def test_the_family_is_explained():
    said = command("metrics", "boundary", "dice").stdout
    assert said.startswith("boundary\n")
    assert "hd95, assd, nsd (with each --tolerance)" in said
    assert "\n\ndice\n" in said


def test_every_metric_of_volumes_and_of_images(folder, tmp_path):
    """Whatever there is, `-m all` has it of both, in every form of a report."""
    image = [each.max(axis=2) for each in sides("c")]
    for side, array in zip("pr", image, strict=True):
        make.png(tmp_path / f"{side}.png", array)
    for pair, has_contours in (
        ((folder / "c_p.nii", folder / "c_r.nii"), False),
        ((tmp_path / "p.png", tmp_path / "r.png"), True),
    ):
        found = dicecli.score(*pair, metrics="all")
        for form in ("table", "csv", "json", "markdown"):
            assert found.render(form)
        assert math.isnan(found.look_up("boundary_f[1]").value) is not has_contours
        assert math.isfinite(found.look_up("hd_to_reference[1]").value)


@pytest.mark.parametrize("wrong", [2, 2.0, ["2mm", 3], "2", "2 miles", [None]], ids=repr)
def test_a_tolerance_that_is_no_length_is_said_to_be_none(wrong):
    with pytest.raises(UsageError, match="a number with its unit is expected"):
        dicecli.score(*MAPS, tolerance=wrong)


def test_regions_have_surfaces_of_their_own(folder):
    found = dicecli.score(folder / "c_p.nii", folder / "c_r.nii", metrics=METRICS, regions={"both": [1, 2]})
    expected = brute(*(each > 0 for each in sides("c")))
    for name, value in zip(METRICS[1:], expected, strict=True):
        assert found.look_up(f"{name}[both]").value == pytest.approx(value), name


def test_binary_layers_have_surfaces_where_they_overlap(tmp_path):
    """Layers that overlap, of two volumes of four axes: each is measured by itself; one is missed altogether."""
    here = [sides("c")[0] == 1, np.roll(sides("c")[0] == 1, 2, 1), np.zeros(SHAPE, bool)]
    there = [sides("c")[1] == 1, sides("c")[1] > 0, sides("c")[1] == 2]
    for side, layers in (("p", here), ("r", there)):
        array = np.stack(layers, -1).astype(np.uint8)
        make.nifti(tmp_path / f"{side}.nii.gz", array, affine=np.diag([*SPACING, 1]))
    found = dicecli.score(tmp_path / "p.nii.gz", tmp_path / "r.nii.gz", metrics=METRICS)
    for number, masks in enumerate(zip(here, there, strict=True), start=1):
        for name, value in zip(METRICS[1:], brute(*masks), strict=True):
            assert found.look_up(f"{name}[layer {number}]").value == pytest.approx(value), (name, number)


MAPS = np.zeros((2, 30, 40), np.uint8)
MAPS[0, 5:15, 5:20], MAPS[1, 6:18, 3:20] = 1, 1


def maps(folder, **options):
    for side, array in zip("pr", MAPS, strict=True):
        make.geotiff(folder / f"{side}.tif", array, **options)
    return [str(folder / f"{side}.tif") for side in "pr"]


def test_maps_in_metres_have_metres_in_their_columns(tmp_path):
    """A tolerance in another unit of length is converted."""
    pair = maps(tmp_path)
    found = dicecli.score(*pair, metrics=["hd95", "nsd"], tolerance=["20m", "20000mm"])
    assert {"hd95_m", "nsd_20m", "nsd_20000mm"} == {each.name for each in found.listed}
    expected = brute(*(each > 0 for each in MAPS), spacing=(10, 10))[0]
    assert found.look_up("hd95_m").value == pytest.approx(expected)
    half = brute(*(each > 0 for each in MAPS), spacing=(0.5, 0.5))[1]
    assert half < 1
    assert found.look_up("nsd_20m").value == found.look_up("nsd_20000mm").value == half


DEGREES = {"transform": (1e-4, 0, 7, 0, -1e-4, 50), "crs": "EPSG:4326"}
SHEARED = {"transform": (10, 3, 6e5, 0, -10, 5.8e6)}


@pytest.mark.parametrize("grid", [DEGREES, SHEARED], ids=["degrees", "sheared"])
@pytest.mark.parametrize("name", ["hd95", "assd", "nsd_1px"])
def test_where_distances_are_no_lengths_they_are_refused_and_pixels_are_the_way_out(grid, name, tmp_path):
    pair = maps(tmp_path, **grid)
    found = command("score", *pair, "-m", name)
    assert found.exit_code == 3
    assert pair[1] in found.stderr
    assert "--spacing voxel" in found.stderr
    voxels = dicecli.score(*pair, metrics=name, spacing="voxel")
    assert voxels.look_up(name).value == dicecli.score(*MAPS, metrics=name).look_up(name).value


@pytest.mark.parametrize("grid", [DEGREES, SHEARED], ids=["degrees", "sheared"])
@pytest.mark.parametrize("name", ["boundary_iou", "boundary_f"])
def test_what_is_in_pixels_needs_no_length(grid, name, tmp_path):
    """Bands and contours are by default; a width in metres is one that the grid does not have."""
    pair = maps(tmp_path, **grid)
    assert dicecli.score(*pair, metrics=name).look_up(name) == dicecli.score(*MAPS, metrics=name).look_up(
        name
    )
    found = command("score", *pair, "-m", name, "--boundary-width", "10m")
    assert found.exit_code == 3
    assert "--spacing voxel" in found.stderr


def test_one_unit_per_run(tmp_path):
    """Of cases in other units than the first one's there are no lengths, unless all are in voxels."""
    (tmp_path / "p").mkdir()
    (tmp_path / "r").mkdir()
    for side, volume, image in zip("pr", sides("c"), MAPS, strict=True):
        make.nifti(tmp_path / side / "a.nii", volume, affine=np.diag([*SPACING, 1]))
        make.png(tmp_path / side / "b.png", image)
    words = [tmp_path / "p", tmp_path / "r", "-f", "json"]
    found = call(*words, "-m", "hd95")
    assert found.exit_code == 3
    cases = {each["case"]: each for each in loaded(found.stdout)["cases"]}
    assert (cases["a"]["status"], cases["b"].get("error")) == ("scored", "UnitMismatch")
    share = call(*words, "-m", "nsd_1mm")
    assert loaded(share.stdout)["cases"][1]["error"] == "UnitMismatch"
    voxels = call(*words, "-m", "hd95", "-m", "nsd_1px", "--spacing", "voxel")
    assert voxels.exit_code == 0
    rows = [row for each in loaded(voxels.stdout)["cases"] for row in each["labels"] if row["label"] == 1]
    expected = [brute(*(each == 1 for each in sides("c")), spacing=(1, 1, 1))[:2]]
    expected.append(brute(*(each == 1 for each in MAPS), spacing=(1, 1))[:2])
    assert [(row["hd95_px"], row["nsd_1px"]) for row in rows] == [pytest.approx(each) for each in expected]


def test_a_configuration_file_has_every_switch(folder, tmp_path, monkeypatch):
    lines = ['metric = ["hd95"]', 'tolerance = ["1mm"]', 'surface = "corner"', 'rim = "all"']
    lines += ['percentile-rule = "step"', 'directions = "mean"', 'nsd-directions = "mean"']
    lines += ['boundary-width = "2px"', 'empty-distance = "374"', 'spacing = "header"']
    (tmp_path / "dicecli.toml").write_text("\n".join(lines), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    found = command("score", folder / "d_p.nii", folder / "d_r.nii", "-f", "json")
    assert found.exit_code == 0, found.stderr
    settings = loaded(found.stdout)["settings"]
    assert settings["metrics"] == ["hd95", "nsd_1mm"]
    assert (settings["surface"], settings["rim"], settings["percentile_rule"]) == ("corner", "all", "step")
    assert (settings["directions"], settings["nsd_directions"]) == ("mean", "mean")
    assert loaded(found.stdout)["cases"][0]["labels"][0]["hd95_mm"] == 374.0


def test_python_has_the_switches_as_keywords(folder, written):
    found = dicecli.batch(pairs=folder / "pairs.csv", metrics=["hd95", "nsd"], tolerance=["1mm"])
    report = report_of(written / "o.json")
    for name in MOVED:
        for label in (1, 2):
            mine, others = (each.value("hd95", name, label) for each in (found, report))
            assert mine == others or math.isnan(mine)
    skipped = dicecli.batch(pairs=folder / "pairs.csv", metrics="hd95", empty_distance="skip")
    assert math.isfinite(skipped.look_up("hd95").value)
    diagonal = dicecli.batch(pairs=folder / "pairs.csv", metrics="hd95", empty_distance="diagonal")
    length = math.hypot(*(n * step for n, step in zip(SHAPE, SPACING, strict=True)))
    assert diagonal.value("hd95", "d", 1) == pytest.approx(length)


#: A zone that is left out, through the middle of both objects of the maps.
ZONE = np.zeros(MAPS.shape[1:], bool)
ZONE[:, 9:14] = True


@pytest.mark.parametrize("way", ["ignore-label", "nodata", "mask"])
def test_the_border_of_an_ignored_zone_is_no_surface(way, tmp_path):
    """However it is said what is left out: objects that it cuts in two have no rim along it."""
    stored = np.where(ZONE, 255, MAPS[1]).astype(np.uint8)
    options = {"metrics": ["hd95", "nsd_1px", "boundary_iou"], "spacing": "voxel"}
    if way == "mask":
        pair = MAPS[0], np.ma.masked_array(MAPS[1], ZONE)
    else:
        pair = maps(tmp_path)
        make.geotiff(tmp_path / "r.tif", stored, nodata=255 if way == "nodata" else None)
        options |= {"ignore_label": 255} if way == "ignore-label" else {}
    found = dicecli.score(*pair, **options)
    expected = brute(MAPS[0] == 1, MAPS[1] == 1, (1, 1), ZONE)
    assert [found.look_up(name).value for name in options["metrics"]] == [
        pytest.approx(each) for each in expected
    ]
    assert expected[1:] != brute((MAPS[0] == 1) & ~ZONE, (MAPS[1] == 1) & ~ZONE, (1, 1))[1:]
    assert sum(found.results[0].excluded.values()) == ZONE.sum()
    assert f"left out: {ZONE.sum():,} of" in found.render("markdown")
    # What the prediction has in the zone makes no difference at all.
    noise = np.where(ZONE, 1 - MAPS[0], MAPS[0])
    if way == "mask":
        again = dicecli.score(noise, pair[1], **options)
    else:
        make.geotiff(tmp_path / "p.tif", noise)
        again = dicecli.score(*pair, **options)
    assert again.results[0].measured["surface"] == found.results[0].measured["surface"]


def test_what_is_ignored_altogether_has_no_surface():
    """Undefined where nothing of a label is left to compare, or where one has no border with what is compared."""
    options = {
        "metrics": ["hd95", "nsd_1px"],
        "ignore_label": 7,
        "labels": {"labels": {"0": "rest", "1": "a"}},
    }
    inside = dicecli.score(MAPS[0] & MAPS[1], MAPS[1] * 7, **options)
    # One pixel in the middle of the zone, and nothing but the zone around it.
    enclosed = MAPS[1] * 7
    enclosed[10, 10] = 1
    without_border = dicecli.score(MAPS[0], enclosed, **options)
    for found in (inside, without_border):
        assert math.isnan(found.look_up("hd95[1]").value)
        assert math.isnan(found.look_up("nsd_1px[1]").value)
    # Outside the zone there is something of the prediction, and nothing of the reference: that is missed.
    missed = dicecli.score(np.ones_like(MAPS[0]), MAPS[1] * 7, **options)
    assert missed.look_up("hd95[1]").value == math.inf
    assert missed.look_up("nsd_1px[1]").value == 0


def test_a_device_counts_labels_and_surfaces_are_measured_on_the_processor(monkeypatch):
    """A GPU is not here to be asked; without one the note says where it was counted, and not more."""
    options = {"metrics": ["dice", "hd95"], "device": "auto"}
    alone = dicecli.score(*MAPS, **options)
    said = [note for note in alone.results[0].notes if "processor" in note]
    assert len(said) == 1
    monkeypatch.setattr(measuring, "device_note", lambda _: None)
    for metrics, is_said in ((["dice", "hd95"], True), (["dice"], False)):
        found = dicecli.score(*MAPS, **options | {"metrics": metrics})
        said = [
            note for note in found.results[0].notes if note.startswith("surface: measured on the processor")
        ]
        assert bool(said) is is_said
    assert found.look_up("dice").value == alone.look_up("dice").value
    plain = dicecli.score(*MAPS, metrics="hd95")
    assert not [note for note in plain.results[0].notes if "processor" in note]
    assert plain.look_up("hd95").value == alone.look_up("hd95").value
