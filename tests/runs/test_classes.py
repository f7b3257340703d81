"""A file for each class: cases have several on a side, which are matched by name and may overlap."""

from __future__ import annotations

import csv
import io
import json
import os
import pickle
from functools import partial
from pathlib import Path

import layered
import make
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from streams import runner

import dicecli
from dicecli.cli.main import cli
from dicecli.errors import (
    AmbiguousPair,
    GridMismatch,
    Missing,
    NotLabels,
    PairingError,
    TooManyLabels,
    UsageError,
)
from dicecli.records.cases import Failed, LeftOut, Scored
from dicecli.records.counts import Counts
from dicecli.reports.merging import merged
from dicecli.reports.slices import rows as rows_of_slices
from dicecli.runs.classes import with_classes
from dicecli.runs.pairing import pair_folders
from dicecli.runs.placeholders import cut
from dicecli.runs.scoring import make_settings, result_of

#: As TotalSegmentator writes them, in no order of its own.
ORGANS = {"spleen": 1, "liver": 5, "kidney_left": 3}
SHAPE = (7, 6, 5)
PATTERN = "{case}/segmentations/{label}.nii.gz"
PATTERNS = {"prediction_pattern": PATTERN, "reference_pattern": PATTERN}
AFFINE = np.diag([-1.5, -1.5, 2.0, 1.0])


def organs(side, case):
    """Return layers of the three organs, which overlap."""
    return dict(zip(ORGANS, layered.drawn(SHAPE, 3, seed=10 * case + side), strict=True))


def written(folder, layers, full=1, affine=AFFINE, suffix=".nii.gz"):
    """Write a file for each class."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, layer in layers.items():
        stored = layer.astype(np.uint8) * full
        if suffix == ".png":
            make.png(folder / f"{name}.png", stored)
        else:
            make.nifti(folder / f"{name}{suffix}", stored, affine=affine)
    return folder


@pytest.fixture
def tree(tmp_path):
    """Return two folders of two cases as TotalSegmentator writes them, predictions as 0 and 255, and the layers."""
    cases = {}
    for number, name in enumerate(("s1", "s2")):
        cases[name] = organs(0, number), organs(1, number)
        for side, layers, full in zip("pr", cases[name], (255, 1), strict=True):
            written(tmp_path / side / name / "segmentations", layers, full)
    return tmp_path, cases


def counts(prediction, reference):
    """Count a class by brute force."""
    found = make.brute(np.asarray(prediction).astype(int), np.asarray(reference).astype(int))
    return found.get(1, Counts(tn=np.size(reference)))


def run(*words):
    """Run a command line."""
    return runner().invoke(cli, [str(each) for each in words])


def scored(report):
    """Return the counts of each case and class, in their order."""
    return {each.case.name: layered.found(each) for each in report.scored}


# Scoring


def test_organs_of_two_cases(tree):
    """Every organ has its own counts, whatever the order of files; they are named, and each gate finds them."""
    folder, cases = tree
    options = ("--prediction-pattern", PATTERN, "--reference-pattern", PATTERN, "-m", "dice,hd", "-j", 1)
    found = run("batch", folder / "p", folder / "r", *options, "-f", "csv", "--fail-under", "dice[liver]=0.1")
    assert found.exit_code == 0, found.output
    rows = [*csv.DictReader(io.StringIO(found.stdout))]
    assert [row["name"] for row in rows] == ["kidney_left", "liver", "spleen"] * 2
    for row in rows:
        expected = counts(*(each[row["name"]] for each in cases[row["case"]]))
        assert [int(row[each]) for each in ("tp", "fp", "fn", "tn")] == [*expected]
    alone = dicecli.score(*(folder / side / "s1/segmentations/liver.nii.gz" for side in "pr"), metrics="hd")
    liver = next(row for row in rows if row["name"] == "liver")
    assert float(liver["hd_mm"]) == alone.value("hd", alone.scored[0], 1)
    overlap = [int((np.sum([*each.values()], 0) > 1).sum()) for each in cases["s1"]]
    assert "pixels lie in more than one class: counted in each" in found.stderr
    report = dicecli.batch(folder / "p", folder / "r", regions={"both": [1, 5]}, **PATTERNS)
    assert [row.name for row in report.evaluated] == ["kidney_left", "liver", "spleen"]
    assert "regions that no file is of are not scored: both" in report.scored[0].notes
    for side, pixels in zip(("prediction", "reference"), overlap, strict=True):
        assert (
            f"{side}: {pixels} pixels lie in more than one class: counted in each" in report.scored[0].notes
        )
    shown = report.render("table")
    assert "macro over 3 regions" in shown
    assert "macro-imagewise-regions" in shown
    assert "labels" not in shown
    assert report.scored[0].case.prediction == str(folder / "p" / "s1/segmentations/{label}.nii.gz")


@pytest.mark.parametrize("side", ["prediction", "reference"])
def test_one_side_is_a_label_map(tree, side):
    """The other side may be one file of all labels: a class is the label, or the region, of its name."""
    folder, cases = tree
    labels = {
        "labels": {"0": "background", "1": "spleen", "3": "left", "4": "more", "5": "liver", "7": "lung"}
    }
    maps = {}
    for name in cases:
        rng = np.random.default_rng(len(maps))
        maps[name] = rng.choice([0, 1, 3, 4, 5, 7], SHAPE)
        make.nifti(folder / f"{name}.nii", maps[name].astype(np.uint8), affine=AFFINE)
    (folder / "m").mkdir()
    for name in cases:
        (folder / f"{name}.nii").rename(folder / "m" / f"{name}.nii")
    sides = {"prediction": folder / "p", "reference": folder / "r"} | {side: folder / "m"}
    other = "reference" if side == "prediction" else "prediction"
    words = {f"{other}_pattern": PATTERN, "labels": labels, "regions": {"kidney_left": [3, 4]}}
    if side == "reference":
        # A label that it holds and no file is of is missing: nothing that is expected is left out.
        report = dicecli.batch(sides["prediction"], sides["reference"], **words)
        assert [each.error for each in report.failed] == ["Missing", "Missing"]
        words["only"] = "liver,spleen,kidney_left"
    report = dicecli.batch(sides["prediction"], sides["reference"], **words)
    for case, found in scored(report).items():
        assert [*found] == ["kidney_left", "spleen", "liver"]  # regions, then as labels are declared
        for name, members in {"spleen": [1], "kidney_left": [3, 4], "liver": [5]}.items():
            both = {side: np.isin(maps[case], members), other: cases[case][other == "reference"][name]}
            assert found[name] == counts(both["prediction"], both["reference"])
    lung = int((maps["s1"] == 7).sum())
    note = f"labels that no file of the other side is of are not scored: 7 (lung), {lung} pixels"
    assert f"{side}: {note}" in report.scored[0].notes


@pytest.mark.parametrize("side", ["prediction", "reference"])
def test_a_label_of_a_map_without_a_file(tmp_path, side):
    """What the reference holds, and what is asked for, is missing where it has no file, or an empty mask."""
    labels = {0: "background", 1: "liver", 2: "spleen", 3: "lung"}
    rng = np.random.default_rng(5)
    whole, layer = rng.integers(0, 3, (5, 4)), rng.integers(0, 2, (5, 4)).astype(bool)
    make.png(tmp_path / "m.png", whole.astype(np.uint8))
    folder = written(tmp_path / "f", {"liver": layer}, suffix=".png")
    masks = (folder, tmp_path / "m.png") if side == "prediction" else (tmp_path / "m.png", folder)
    score = partial(dicecli.score, *masks, labels=labels)
    pixels = int((whole == 2).sum())
    nothing = np.zeros(whole.shape)

    def expected(label, layer):
        """Count a class by brute force, in the order of the sides."""
        return counts(*((layer, whole == label) if side == "prediction" else (whole == label, layer)))

    for only in (None, "liver,spleen", "2", 1, "3,1"):
        if only in (1, "3,1") or (only is None and side == "reference"):
            found = layered.found(score(only=only).scored[0])
            assert found["liver"] == expected(1, layer)
            assert ("lung" in found) == (only == "3,1")
            assert "spleen" not in found
            continue
        with pytest.raises(Missing, match=f"no file of 1 class, which .* holds: spleen, {pixels} pixels"):
            score(only=only)
        found = layered.found(score(only=only, missing="zero", metrics="dice,hd95").scored[0])
        assert found["spleen"] == expected(2, nothing)
        assert found.get("liver", expected(1, layer)) == expected(1, layer)
        assert [*found] == (["spleen"] if only == "2" else ["liver", "spleen"])
    case = dicecli.Case("a", *pair_of(masks))
    assert type(result_of(case, make_settings(labels=labels, only=2, missing="skip"))) is LeftOut


def pair_of(masks):
    """Return both sides as they are scored."""
    return with_classes(*masks).masks


def test_a_class_is_found_by_the_name_and_number_of_its_label(tree):
    """Where labels are declared, a number's name means the class that is scored; what has no row is an error."""
    folder, _ = tree
    labels = {0: "background", 7: "lung", **{label: name for name, label in ORGANS.items()}}
    make.nifti(folder / "m.nii", np.zeros(SHAPE, np.uint8), affine=AFFINE)
    for side in ("r/s1/segmentations", "m.nii"):
        report = dicecli.score(folder / "p/s1/segmentations", folder / side, labels=labels)
        liver = report.look_up("dice[liver]").value
        assert liver == report.value("dice", report.scored[0].case.name, "liver") == report["liver"].dice
        assert liver == report.look_up("dice[5]").value
        assert not np.isnan(liver)
        with pytest.raises(UsageError, match="there is no label or region 'lung'"):
            report.look_up("dice[lung]")
    words = ("batch", folder / "p", folder / "r", *_words(PATTERNS), "-j", 1)
    (folder / "l.json").write_text(json.dumps({"labels": {str(key): name for key, name in labels.items()}}))
    for gate, code in (("dice[liver]=0", 0), ("dice[liver]=1", 1), ("dice[lung]=0", 2)):
        assert run(*words, "--labels", folder / "l.json", "--fail-under", gate).exit_code == code


def test_one_class_alone(tree):
    """A single class is a layer as well, slice by slice, and has every metric of its mask."""
    folder, cases = tree
    both = [cases["s1"][side]["liver"] for side in (0, 1)]
    folders = [written(folder / f"{side}1", {"liver": layer}) for side, layer in zip("pr", both, strict=True)]
    options = {"metrics": "dice,hd95,centre_distance,nsd", "tolerance": "2mm", "per_slice": True}
    report = dicecli.score(*folders, **options)
    alone = dicecli.score(*(each / "liver.nii.gz" for each in folders), **options)
    for name in ("dice", "hd95", "centre_distance", "nsd_2mm"):
        assert report.value(name, "r1", "liver") == alone.value(name, "liver", 1)
    for at, row in enumerate(rows_of_slices(report)):
        found = Counts(*(row[each] for each in ("tp", "fp", "fn", "tn")))
        assert found == counts(*(layer[..., at] for layer in both))
    assert at == SHAPE[-1] - 1


SMALL = st.lists(st.booleans(), min_size=6, max_size=6).map(lambda bits: np.array(bits).reshape(2, 3))
CLASSES = st.dictionaries(st.sampled_from(["a", "B", "b", "c_1", "c_10", "c_2"]), SMALL, min_size=1)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(CLASSES, CLASSES, st.sampled_from([1, 255]))
def test_two_folders_of_any_classes(tmp_path_factory, predicted, expected, full):
    """Two folders are one case; what a side lacks is an error, or an empty mask: nothing is left out."""
    folder = tmp_path_factory.mktemp("f")
    p = written(folder / "p", predicted, full, suffix=".png")
    r = written(folder / "r", expected, suffix=".png")
    if predicted.keys() != expected.keys():
        with pytest.raises(Missing):
            dicecli.score(p, r)
    report = dicecli.score(p, r, missing="zero")
    nothing = np.zeros((2, 3), bool)
    every = predicted.keys() | expected.keys()
    wanted = {name: counts(predicted.get(name, nothing), expected.get(name, nothing)) for name in every}
    found = layered.found(report.scored[0])
    assert found == wanted
    assert [*found] == sorted(every, key=dicecli.records.natural.natural)
    for side, layers in (("prediction", predicted), ("reference", expected)):
        overlap = int((np.sum([*layers.values()], 0) > 1).sum())
        notes = [each for each in report.scored[0].notes if each.startswith(side) and "more than one" in each]
        assert [int(each.split()[1]) for each in notes] == [overlap] * bool(overlap)
    defined = [2 * each.tp / size for each in wanted.values() if (size := 2 * each.tp + each.fp + each.fn)]
    assert report.dice == pytest.approx(np.mean(defined) if defined else np.nan, nan_ok=True)


def test_what_is_stored_of_a_class(tmp_path):
    """0 and 1, 0 and 255 and booleans are a class; any other value is an error, which says what it is."""
    layer = layered.drawn((6, 6), 1)[0]
    r = written(tmp_path / "r", {"a": layer}, suffix=".png")
    for full in (1, 255, 5):
        p = written(tmp_path / "p", {"a": layer}, full, suffix=".png")
        if full != 5:
            assert dicecli.score(p, r).dice == 1
            continue
        with pytest.raises(NotLabels) as told:
            dicecli.score(p, r)
        pixels = int(layer.sum())
        assert f"it holds 5 ({pixels} pixels)" in told.value.message
        assert told.value.path == str(p / "a.png")
        assert f"dicecli batch {p} {r}" in told.value.hint


def test_grids_of_a_side(tree):
    """A class stored along other axes is the same; one that lies elsewhere is an error that names its file."""
    folder, cases = tree
    layer = cases["s1"][0]["liver"]
    flipped = AFFINE.copy()
    flipped[0], flipped[0, 3] = -AFFINE[0], AFFINE[0, 0] * (SHAPE[0] - 1)
    for side in "pr":
        written(folder / side / "s1/segmentations", {"liver": layer[::-1]}, affine=flipped)
    folders = [folder / side / "s1/segmentations" for side in "pr"]
    report = dicecli.score(*folders)
    assert layered.found(report.scored[0])["liver"] == counts(layer, layer)
    moved = AFFINE.copy()
    moved[2, 3] = 40
    written(folders[1], {"liver": layer}, affine=moved)
    with pytest.raises(GridMismatch) as told:
        dicecli.score(*folders)
    assert (told.value.side, told.value.path) == ("reference", str(folders[1] / "liver.nii.gz"))
    assert f"dicecli batch {folders[0]} {folders[1]}" in told.value.hint


def test_too_many_labels_are_told_of_the_right_file(tmp_path):
    """A picture among the classes is named itself."""
    layer = layered.drawn((70, 70), 1)[0]
    r = written(tmp_path / "r", {"a": layer, "b": layer}, suffix=".png")
    p = written(tmp_path / "p", {"a": layer}, suffix=".png")
    make.png(p / "b.png", np.arange(4900, dtype=np.uint16).reshape(70, 70))
    with pytest.raises(TooManyLabels) as told:
        dicecli.score(p, r)
    assert told.value.path == str(p / "b.png")


# Classes without a file


def test_a_class_that_one_case_lacks(tree):
    """What one side lacks ends its case, is an empty mask, or leaves the case out; what both lack is undefined."""
    folder, cases = tree
    (folder / "p/s1/segmentations/liver.nii.gz").unlink()
    for side in "pr":
        (folder / side / "s2/segmentations/spleen.nii.gz").unlink()
    pairing = pair_folders(str(folder / "p"), str(folder / "r"), **PATTERNS)
    assert pairing.notes == ()
    first, second = pairing.cases
    kinds = {"error": Failed, "skip": LeftOut, "zero": Scored}
    for missing, kind in kinds.items():
        found = result_of(first, make_settings(missing=missing))
        assert type(found) is kind
        if kind is not Scored:
            assert "the prediction has no file of 1 class, which the other side has: liver" in found.message
    nothing = np.zeros(SHAPE)
    assert layered.found(found)["liver"] == counts(nothing, cases["s1"][1]["liver"])
    assert "prediction: no file of 1 class, taken for empty: liver" in found.notes
    other = result_of(second, make_settings())
    assert layered.found(other)["spleen"] == counts(nothing, nothing)
    assert "no file on either side, so that nothing is there: spleen" in other.notes
    shown = run("batch", folder / "p", folder / "r", *_words(PATTERNS), "--dry-run")
    assert shown.exit_code == 3
    assert "{label}.nii.gz (2 files, none of liver)" in shown.stdout
    assert "2 cases, 0 without prediction, 1 with a class that one side lacks" in shown.stdout


def test_parts_of_a_run_have_other_classes(tree):
    """Reports whose cases have other classes are one report; a class that a case lacks is undefined there."""
    folder, _ = tree
    found = []
    for case, other in (("s1", "s2"), ("s2", "s1")):
        for side in "pr":
            (folder / side / other).rename(folder / f"{side}-{other}")
            (folder / side / "s2/segmentations/spleen.nii.gz").unlink(missing_ok=True)
        found.append(dicecli.batch(folder / "p", folder / "r", **PATTERNS))
        for side in "pr":
            (folder / f"{side}-{other}").rename(folder / side / other)
        assert [each.case.name for each in found[-1].scored] == [case]
    whole = merged(found)
    assert len(whole.scored) == 2
    assert whole.value("dice", "s1", "spleen") == found[0].value("dice", "s1", "spleen")
    assert np.isnan(whole.value("dice", "s2", "spleen"))


def test_some_classes_alone(tree):
    """Where some labels alone are asked for, classes of these names have rows; what others lack is no matter."""
    folder, cases = tree
    (folder / "p/s1/segmentations/spleen.nii.gz").unlink()
    options = {"labels": {0: "background", **{label: name for name, label in ORGANS.items()}}}
    report = dicecli.batch(folder / "p", folder / "r", only=["liver", 3], **options, **PATTERNS)
    assert [row.name for row in report.evaluated] == ["kidney_left", "liver"]
    assert scored(report)["s1"]["liver"] == counts(*(each["liver"] for each in cases["s1"]))
    report = dicecli.batch(folder / "p", folder / "r", only="spleen", **options, **PATTERNS)
    assert [each.case.name for each in report.failed] == ["s1"]


def test_a_case_without_prediction(tree):
    """A case that has no file at all is missing as any other; counted as empty it misses every class."""
    folder, cases = tree
    for path in (folder / "p/s2/segmentations").iterdir():
        path.unlink()
    report = dicecli.batch(folder / "p", folder / "r", **PATTERNS)
    assert [each.error for each in report.failed] == ["Missing"]
    report = dicecli.batch(folder / "p", folder / "r", missing="zero", **PATTERNS)
    for name, layer in cases["s2"][1].items():
        assert scored(report)["s2"][name] == counts(np.zeros(SHAPE), layer)


def test_names_that_only_one_side_has(tree):
    """A class that each side writes otherwise is two classes, which is said before anything is scored."""
    folder, _ = tree
    for case in ("s1", "s2"):
        path = folder / "p" / case / "segmentations"
        (path / "liver.nii.gz").rename(path / "Liver.nii.gz")
    pairing = pair_folders(str(folder / "p"), str(folder / "r"), **PATTERNS)
    assert "of 4 classes only predictions have Liver" in pairing.notes
    assert "of 4 classes only references have liver" in pairing.notes


# Patterns


@pytest.mark.parametrize(
    ("pattern", "names", "expected"),
    [
        ("{case}/{label}.png", ["a/b/c.png", "a.png"], {"a/b/c.png": ("a/b", "c")}),
        ("{label}/{case}_x.png", ["l/a_x.png"], {"l/a_x.png": ("a", "l")}),
        ("{case}_{label}.png", ["s_1_liver.png"], {"s_1_liver.png": ("s_1", "liver")}),
        (
            "{case}_{label}.png",
            ["s1_kidney_left.png", "s1_liver.png"],
            {"s1_kidney_left.png": ("s1", "kidney_left"), "s1_liver.png": ("s1", "liver")},
        ),
        ("{case}*.png", ["ab.png"], {"ab.png": ("ab", None)}),
    ],
)
def test_what_a_pattern_cuts(pattern, names, expected):
    """A case is as much of a name as can be, or as little, where only so every case has every class."""
    found, note = cut(pattern, names)
    assert found == expected
    assert (note is not None) == (pattern == "{case}_{label}.png")


def test_names_are_cut_as_the_other_side_says(tmp_path):
    """Cases and classes that the other side has, or that are declared, say where a name ends."""
    layer = np.eye(3)
    classes = {"kidney_left": layer, "liver": 1 - layer}
    for case in ("case_1", "case_2"):
        written(tmp_path / "r" / case, classes, suffix=".png")
        written(tmp_path / "m", {case: layer + 2 * (1 - layer)}, suffix=".png")
        flat = {f"{case}_{name}": each for name, each in classes.items()}
        written(tmp_path / "p", flat, suffix=".png")
    flat, nested = "{case}_{label}.png", "{case}/{label}.png"
    labels = {0: "background", 1: "kidney_left", 2: "liver"}
    for sides, patterns, options in (
        (("p", "r"), (flat, nested), {}),
        (("r", "p"), (nested, flat), {}),
        (("p", "m"), (flat, None), {"labels": labels}),
        (("p", "p"), (flat, flat), {"labels": labels, "allow_same": True}),
    ):
        words = dict(zip(("prediction_pattern", "reference_pattern"), patterns, strict=True)) | options
        report = dicecli.batch(*(tmp_path / each for each in sides), missing="zero", **words)
        assert {name: [*rows] for name, rows in scored(report).items()} == {
            case: ["kidney_left", "liver"] for case in ("case_1", "case_2")
        }
        assert report.dice == 1
        assert not any("in more than one way" in note for note in report.notes)
    both = {"prediction_pattern": flat, "reference_pattern": flat}
    # Two sides that can both be cut otherwise agree, but in what may be wrong.
    report = dicecli.batch(tmp_path / "p", tmp_path / "p", allow_same=True, **both)
    assert any("in more than one way" in note for note in report.notes)
    written(tmp_path / "o", {"s1": layer}, suffix=".png")
    with pytest.raises(PairingError, match=r"no case is on both sides: .* in more than one way"):
        dicecli.batch(tmp_path / "p", tmp_path / "o", missing="zero", prediction_pattern=flat)


def test_two_files_of_a_class(tree):
    """Two files of one class are an error that names them."""
    folder, cases = tree
    written(folder / "p/s1/segmentations", cases["s1"][0], suffix=".nii")
    patterns = PATTERNS | {"prediction_pattern": "{case}/segmentations/{label}.*"}
    with pytest.raises(AmbiguousPair, match="has 2 files: s1/segmentations/"):
        pair_folders(str(folder / "p"), str(folder / "r"), **patterns)


def test_two_folders_of_one_case(tree):
    """A folder of folders is none of classes, and masks below are told; two folders may be of cases."""
    folder, cases = tree
    classes = folder / "p/s1/segmentations"
    with pytest.raises(PairingError, match="no mask lies in this folder"):
        dicecli.score(folder / "p/s1", classes)
    written(classes / "old", cases["s1"][0])
    report = dicecli.score(classes, folder / "r/s1/segmentations")
    notes = report.scored[0].notes
    assert "prediction: 3 masks in folders below are left out" in notes
    assert any(note.startswith("two folders: one case, of a file for each of 3 classes;") for note in notes)


# What goes beside


def test_a_class_that_has_changed_is_scored_again(tree):
    """The journal knows the files of every class; a link out of the folder refuses its case."""
    folder, cases = tree
    (folder / "r/s2/segmentations/spleen.nii.gz").unlink()
    words = ("batch", folder / "p", folder / "r", *_words(PATTERNS), "-o", folder / "o.json", "-j", 1)
    assert run(*words).exit_code == 3
    written(folder / "p/s1/segmentations", {"liver": cases["s1"][1]["liver"]}, 255)
    path = folder / "p/s1/segmentations/liver.nii.gz"
    os.utime(path, (1, 1))
    run(*words, "--resume")
    record = json.loads((folder / "o.json").read_text())
    liver = next(row for row in record["cases"][0]["labels"] if row["name"] == "liver")
    assert liver["dice"] == 1
    (folder / "away.nii.gz").write_bytes(path.read_bytes())
    path.unlink()
    path.symlink_to(folder / "away.nii.gz")
    first = pair_folders(str(folder / "p"), str(folder / "r"), **PATTERNS).cases[0]
    assert first.refused == "prediction"
    assert pickle.loads(pickle.dumps(first)) == first  # noqa: S301 - our own


def test_a_case_is_scored_again_where_its_run_has_further_classes(tree):
    """A row that the journal has says nothing of a class that another case has got since."""
    folder, _ = tree
    options = ("-o", folder / "o.csv", "-j", 1, "--missing", "zero", "--strict")
    words = ("batch", folder / "p", folder / "r", *_words(PATTERNS), *options)
    broken = folder / "r/s2/segmentations/liver.nii.gz"
    kept = broken.read_bytes()
    broken.write_bytes(b"")
    assert run(*words).exit_code == 3
    broken.write_bytes(kept)
    written(folder / "p/s2/segmentations", {"lung": np.ones(SHAPE)})
    assert run(*words, "--resume").exit_code == 0
    rows = [*csv.DictReader(io.StringIO((folder / "o.csv").read_text()))]
    lung = next(row for row in rows if (row["case"], row["name"]) == ("s1", "lung"))
    assert "no file on either side, so that nothing is there: lung" in lung["notes"]
    assert int(lung["tn"]) == np.prod(SHAPE)


def test_the_same_files_on_both_sides(tree):
    """Both sides being the same files is an error of a batch, and told of a case."""
    folder, _ = tree
    same = partial(dicecli.batch, folder / "p", folder / "p", **PATTERNS)
    with pytest.raises(PairingError, match="the predictions are the references"):
        same()
    assert same(allow_same=True).dice == 1


def _words(patterns):
    return [part for side, each in patterns.items() for part in (f"--{side.replace('_', '-')}", each)]


def test_a_folder_that_is_named_as_a_mask(tmp_path):
    """A folder with a mask's suffix stands for a mask, and is refused as one."""
    folder = written(tmp_path / "a.png", {"a": np.ones((2, 2))}, suffix=".png")
    with pytest.raises(dicecli.CaseError) as told:
        dicecli.score(folder, Path(folder) / "a.png")
    assert told.value.name == "NotARegularFile"


def test_classes_that_share_out_all_pixels(tmp_path):
    """They have names, so that none is taken for the background of one-hot layers; --argmax reads no such files."""
    layer = layered.drawn((6, 6), 1)[0]
    p, r = (written(tmp_path / side, {"a": layer, "b": ~layer}, suffix=".png") for side in "pr")
    assert not any("one-hot" in note for note in dicecli.score(p, r).notes)


# Some classes alone


def test_classes_that_nobody_declares_are_asked_for_by_their_files(tree):
    """Names of files are enough for --only: others are not opened, and classes of one side alone are no matter."""
    folder, cases = tree
    whole = dicecli.batch(folder / "p", folder / "r", **PATTERNS)
    for case in ("s1", "s2"):
        (folder / "p" / case / "segmentations/rib_1.nii.gz").write_bytes(b"no NIfTI")
        (folder / "r" / case / "segmentations/spleen.nii.gz").unlink()
    report = dicecli.batch(folder / "p", folder / "r", only="liver,kidney_left", **PATTERNS)
    assert report.notes[0] == "of 4 classes only predictions have rib_1, spleen"
    assert {name: [*rows] for name, rows in scored(report).items()} == {
        case: ["kidney_left", "liver"] for case in cases
    }
    for case in ("s1", "s2"):
        assert report.value("dice", case, "liver") == whole.value("dice", case, "liver")
    one = [folder / side / "s1/segmentations" for side in "pr"]
    words = ("batch", folder / "p", folder / "r", *_words(PATTERNS), "-j", 1)
    found = run(*words, "--only", "liver", "-o", folder / "o.json", "--fail-under", "dice[liver]=0")
    assert found.exit_code == 0
    alone = dicecli.score(*one, only=["liver"])
    assert alone.dice == report.value("dice", "s1", "liver")
    assert run("score", *one, "--only", "liver", "-f", "csv").stdout.count("liver") == 1
    shown = run("report", folder / "o.json", "--only", "liver", "-f", "csv")
    assert shown.stdout == run(*words, "--only", "liver", "-f", "csv").stdout
    found = run(*words, "--only", "liver", "--labels", "totalsegmentator", "-o", folder / "l.json")
    for each in ("spleen", "5"):
        shown = run("report", folder / "l.json", "--only", each)
        assert (shown.exit_code, "which are of 1 class" in shown.stderr) == (
            (2, True) if each == "spleen" else (0, False)
        )
    # What no file is of is an error before one of them is opened.
    for each in (words, ("score", *one), ("report", folder / "o.json")):
        refused = run(*each, "--only", "livre")
        assert refused.exit_code == 2
        assert "'livre' of --only is no class of these files" in refused.stderr
        assert "Did you mean liver?" in refused.stderr
    options = {"labels": {0: "background", 5: "liver", 7: "lung"}, "regions": {"both": [5, 7]}} | PATTERNS
    for name in ("lung", "both", "7"):
        with pytest.raises(UsageError, match="of --only is no class of these files"):
            dicecli.batch(folder / "p", folder / "r", only=["liver", name], **options)
    report = dicecli.batch(folder / "p", folder / "r", only="liver", **options)
    assert not any("in no mask" in each or "not scored" in each for each in report.notes)
    # Where a side has no file of what is asked for, what it lacks is an empty mask.
    report = dicecli.score(*one, only="spleen", missing="zero")
    assert layered.found(report.scored[0])["spleen"] == counts(cases["s1"][0]["spleen"], np.zeros(SHAPE))


@pytest.mark.parametrize("is_prediction", [True, False])
def test_a_folder_of_tiles_is_said_to_be_one_of_a_batch(is_prediction, tmp_path, monkeypatch):
    """Followed to the letter, the hint scores the tiles of a raster, whichever side they are of."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tiles").mkdir()
    there = (10, 0, 6e5, 0, -10, 58e5)
    mask = np.array([[0, 1], [1, 1]], np.uint8)
    for path in ("whole.tif", "tiles/one.tif"):
        make.geotiff(tmp_path / path, mask, transform=there)
    sides = ["tiles", "whole.tif"] if is_prediction else ["whole.tif", "tiles"]
    refused = runner().invoke(cli, ["score", *sides])
    words = refused.stderr.partition("no classes: dicecli ")[2].strip().removesuffix(".").split()
    assert words == ["batch", *sides]
    assert runner().invoke(cli, words).exit_code == 0


def test_images_beside_labels_are_said_to_be_no_classes(tmp_path):
    """Of a case's folder with its images the labels alone are proposed, and scored."""
    mask = np.array([[0, 1], [1, 1]], np.uint8)
    for path in ("p.png", "b-seg.png", "b-t1c.png"):
        (tmp_path / "r").mkdir(exist_ok=True)
        make.png(tmp_path / ("r" if path[0] == "b" else "") / path, mask)
    refused = runner().invoke(cli, ["score", str(tmp_path / "p.png"), str(tmp_path / "r")])
    path = refused.stderr.partition("give the labels alone: ")[2].strip().removesuffix(".")
    assert path == str(tmp_path / "r" / "b-seg.png")
    assert runner().invoke(cli, ["score", str(tmp_path / "p.png"), path]).exit_code == 0


def test_a_class_in_a_format_that_is_not_read(tmp_path):
    """A class of the reference in a format that is not read, beside ones that are, is expected all the same."""
    for side in "pr":
        written(tmp_path / side, {"spleen": np.ones((4, 4), np.uint8)}, suffix=".png")
    assert 1.0 == dicecli.score(tmp_path / "p", tmp_path / "r").look_up("dice").value
    (tmp_path / "r" / "liver.mha").write_bytes(b"x")
    with pytest.raises(Missing, match="liver"):
        dicecli.score(tmp_path / "p", tmp_path / "r")
