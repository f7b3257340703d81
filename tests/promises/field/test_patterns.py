"""Hints on pairing, each followed literally: of row A19 of the cases from the field, "Cityscapes: a pattern that
scores a subset", and every other hint that folders, patterns and lists of pairs give.
"""

from __future__ import annotations

import csv
import json
import re
import shlex
import tempfile
from pathlib import Path

import make
import numpy as np
import pytest
from batches import pair, sound
from hypothesis import given, settings
from hypothesis import strategies as st
from streams import runner

from dicecli.cli import cli
from dicecli.errors import PairingError
from dicecli.runs.laid_out import lay_out
from dicecli.runs.pairing import pair_folders

CITIES = {"frankfurt": 40, "lindau": 7, "munster": 12}


def call(*words):
    """Run `dicecli batch` in this process."""
    words = ("batch", *words, *(() if "--dry-run" in words else ("-j", 1)))
    return runner().invoke(cli, [str(each) for each in words], catch_exceptions=False)


def touch(folder, names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def proposals(notes):
    """Return the options that the first note proposes, each as the words of a command."""
    _, _, said = notes[0].partition("try ") if notes else ("", "", "")
    return [shlex.split(each) for each in said.split("; or, if these are the labels, ")] if said else []


def options(words):
    """Return the words of a command as keywords."""
    return {
        key.removeprefix("--").replace("-", "_"): value
        for key, value in zip(words[::2], words[1::2], strict=True)
    }


def images():
    """Return the name of every image of some cities, with its city."""
    return [(city, f"{city}_{n // 5:06d}_{n:06d}") for city, count in CITIES.items() for n in range(count)]


LAYOUTS = {
    "flat": "{image}_pred.png",
    "flat, as the images are called": "{image}_leftImg8bit.png",
    "flat, without an affix": "{image}.png",
    "by city": "{city}/{image}.png",
    "by city, with an affix": "{city}/{image}_leftImg8bit_pred.png",
    "by image": "{image}/seg.png",
    "in a folder of its own": "val/{city}/{image}.png",
}


@pytest.mark.parametrize(
    "kinds", [("labelIds",), ("color", "labelIds", "overlay")], ids=["labels", "pictures too"]
)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_pattern_that_scores_a_subset(layout, kinds, tmp_path):
    """Cityscapes: a pattern that scores a subset: `*/` in the pattern. Every city is paired, with its labels."""
    touch(tmp_path / "p", [LAYOUTS[layout].format(city=city, image=image) for city, image in images()])
    touch(tmp_path / "r", [f"{city}/{image}_gtFine_{kind}.png" for city, image in images() for kind in kinds])
    sides = str(tmp_path / "p"), str(tmp_path / "r")
    found = proposals(pair_folders(*sides).notes)
    assert len(found) == 1  # pictures are not proposed
    for words in found:
        paired = pair_folders(*sides, **options(words)).cases
        assert len(paired) == len(images())
        for case in paired:
            (image,) = {re.search(r"[a-z]+_\d+_\d+", each)[0] for each in (case.prediction, case.reference)}
            assert f"/{image.partition('_')[0]}/" in case.reference
            assert "labelIds" in case.reference


def test_references_without_prediction_are_not_left_out(tmp_path):
    """Predictions of one city alone: the pattern takes the references of all, which are missing, not forgotten."""
    touch(tmp_path / "p", [f"{image}_pred.png" for city, image in images() if city == "munster"])
    touch(tmp_path / "r", [f"{city}/{image}_gtFine_labelIds.png" for city, image in images()])
    sides = str(tmp_path / "p"), str(tmp_path / "r")
    (words,) = proposals(pair_folders(*sides).notes)
    cases = pair_folders(*sides, **options(words)).cases
    assert len(cases) == len(images())
    assert sum(case.prediction is not None for case in cases) == CITIES["munster"]


def test_a_pattern_that_scores_a_subset_followed(tmp_path):
    """Followed on the command line, the hint gives the numbers of every city."""
    for number, (city, image) in enumerate(images()[::9]):
        pair(tmp_path, f"{city}/{image}_gtFine_labelIds", number, 16)
        (tmp_path / "results").mkdir(exist_ok=True)
        prediction = tmp_path / "predictions" / city / f"{image}_gtFine_labelIds.png"
        prediction.rename(tmp_path / "results" / f"{image}_pred.png")
    sides = tmp_path / "results", tmp_path / "references"
    tried = call(*sides, "-f", "csv")
    assert tried.exit_code == 3
    (note,) = [line for line in tried.stderr.splitlines() if "; try " in line]
    done = call(*sides, *proposals([note])[0], "-f", "json")
    assert done.exit_code == 0
    assert json.loads(done.stdout)["summary"]["scored"] == len(images()[::9])


@pytest.mark.parametrize(
    ("predictions", "references", "count"),
    [
        (["pat{}/ses1/pat{}_pred.nii.gz"], ["pat{}.nii.gz"], 8),
        (["{}_pred.nii.gz"], ["site1/case{}/seg.nii.gz"], 8),
        (["run/{}.png"], ["gt{}.png"], 8),
    ],
)
def test_other_trees(predictions, references, count, tmp_path):
    """Other ways to lay out folders: what is proposed pairs every case."""
    numbers = [f"{n:03d}" for n in range(count)]
    touch(tmp_path / "p", [each.replace("{}", n) for n in numbers for each in predictions])
    touch(tmp_path / "r", [each.replace("{}", n) for n in numbers for each in references])
    sides = str(tmp_path / "p"), str(tmp_path / "r")
    words = proposals(pair_folders(*sides).notes)[0]
    cases = pair_folders(*sides, **options(words)).cases
    assert len(cases) == count
    for case in cases:
        assert {
            re.findall(r"\d{3}", each[len(str(tmp_path)) :])[-1] for each in (case.prediction, case.reference)
        } == {re.findall(r"\d{3}", case.name)[-1]}


def test_the_classes_of_one_case_are_said_to_be_one(tmp_path):
    """Of a folder whose files are all called as TotalSegmentator's classes; followed, the command is of one case."""
    names = ["kidney_right", "liver", "spleen"]
    sides = tmp_path / "predictions", tmp_path / "references"
    for side in sides:
        side.mkdir()
        for name in names:
            make.png(side / f"{name}.png", np.eye(3, dtype=np.uint8))
    (note,) = pair_folders(*map(str, sides)).notes
    command = shlex.split(note.partition("one case, dicecli ")[2])
    assert command == ["score", *map(str, sides)]
    done = runner().invoke(cli, [*command, "-f", "json"])
    assert done.exit_code == 0
    assert len(json.loads(done.stdout)["cases"]) == 1
    touch(tmp_path / "predictions", ["case.png"])
    touch(tmp_path / "references", ["case.png"])
    assert pair_folders(*map(str, sides)).notes == ()


ANATOMY = ("T1w", "dseg", "desc-brain_mask")


def test_kinds_of_references_are_said_and_one_is_proposed(tmp_path):
    """BIDS without a layout: images and masks of the brain are cases, which is said, with what leaves them out."""
    paths = [f"sub-{n}/anat/sub-{n}_{kind}.nii.gz" for n in "12" for kind in ANATOMY]
    touch(tmp_path / "p", paths)
    touch(tmp_path / "r", paths)
    sides = str(tmp_path / "p"), str(tmp_path / "r")
    (note,) = pair_folders(*sides).notes
    assert (
        "3 kinds, 2 _T1w, 2 _dseg, 2 _mask, and each is a case: to score _dseg alone, try --layout bids"
        in note
    )
    words = options(shlex.split(note.partition("bids, or ")[2]))
    assert [case.name for case in pair_folders(*sides, **words).cases] == [
        "sub-1/anat/sub-1",
        "sub-2/anat/sub-2",
    ]
    found = lay_out("bids", *sides)
    assert words == {
        "prediction_pattern": found.prediction_pattern,
        "reference_pattern": found.reference_pattern,
    }


@pytest.mark.parametrize("predictions", ["{}.nii.gz", "{}/segmentations/{label}.nii.gz", "{}/{label}.nii.gz"])
def test_classes_in_files_of_their_own_are_said(predictions, tmp_path):
    """TotalSegmentator without a layout: a note says that each folder has the same names, and pairs them as classes."""
    names = ("liver", "rib_left_1", "vertebrae_L5")
    for case in ("s1", "s2"):
        touch(
            tmp_path / "r", [f"{case}/segmentations/{name}.nii.gz" for name in names] + [f"{case}/ct.nii.gz"]
        )
        touch(tmp_path / "p", {predictions.format(case, label=name) for name in names})
    sides = str(tmp_path / "p"), str(tmp_path / "r")
    note = pair_folders(*sides).notes[0]
    assert (
        "has the same 3 names, liver, rib_left_1, vertebrae_L5: if these are classes of one case, try "
        in note
    )
    words = options(shlex.split(note.partition("try --layout totalsegmentator, or ")[2]))
    found = lay_out("totalsegmentator", *sides)
    for patterns in (words, {name: getattr(found, name) for name in words}):
        cases = pair_folders(*sides, **patterns).cases
        assert [case.name for case in cases] == ["s1", "s2"]
        assert {len(case.reference.paths) for case in cases} == {3}
    assert (found.labels is None) == ("label" in predictions)


@pytest.mark.parametrize(
    "paths", [["f1/1.png", "f1/2.png"], ["f1/seg.png"], ["f1/seg.png", "f1/ct.png"], ["a.png", "b.png"]]
)
def test_other_folders_have_no_classes(paths, tmp_path):
    """Names that are numbers, one name, and a picture beside a mask are no classes, nor are files of one folder."""
    both = [*paths, *(each.replace("f1/", "f2/") for each in paths)]
    for side in "pr":
        touch(tmp_path / side, both)
    assert pair_folders(str(tmp_path / "p"), str(tmp_path / "r")).notes == ()


@pytest.mark.parametrize(
    "names",
    [
        ["a_dseg.png", "b_dseg.png"],
        ["a_left.png", "a_right.png"],
        ["a_1.png", "a_mask.png"],
        ["a.png", "a_seg.png"],
        ["a_T1w.png", "a_T2w.png"],
    ],
)
def test_other_names_are_no_kinds(names, tmp_path):
    """One ending, numbers, words of no kind, and images alone are names of cases."""
    for side in "pr":
        touch(tmp_path / side, names)
    assert pair_folders(str(tmp_path / "p"), str(tmp_path / "r")).notes == ()


@pytest.mark.parametrize(
    ("layout", "prediction", "references"),
    [
        ("brats", "BraTS-{}.nii.gz", ["BraTS-{0}/BraTS-{0}-seg.nii.gz", "BraTS-{0}/BraTS-{0}-t1c.nii.gz"]),
        ("bids", "sub-{}_dseg.nii.gz", [f"sub-{{0}}/anat/sub-{{0}}_{kind}.nii.gz" for kind in ANATOMY]),
        ("nnunet", "{}.png", ["labelsTr/{}.png"]),
        ("voc", "{}.png", ["SegmentationClass/{}.png"]),
        (None, "{}.nii.gz", ["{0}/{0}-seg.nii.gz", "{0}/{0}-t1c.nii.gz"]),
    ],
)
def test_a_layout_is_proposed_that_pairs_everything(layout, prediction, references, tmp_path):
    """A layout is named where its own signs are there and every prediction finds its reference."""
    for n in range(3):
        touch(tmp_path / "p", [prediction.format(n)])
        touch(tmp_path / "r", [each.format(n) for each in references])
    sides = str(tmp_path / "p"), str(tmp_path / "r")
    note = pair_folders(*sides).notes[0]
    if layout is None:
        assert "--layout" not in note
    else:
        assert f"; --layout {layout} pairs them; " in note
        found = lay_out(layout, *sides)
        words = {"prediction_pattern": found.prediction_pattern, "reference_pattern": found.reference_pattern}
        assert [bool(case.prediction) for case in pair_folders(*sides, **words).cases] == [True] * 3


def test_no_layout_is_proposed_that_would_not_do(tmp_path):
    """One that leaves a file of each side alone is none, nor is one that takes all names as they are, images too."""
    touch(tmp_path / "p", ["BraTS-0.nii.gz", "BraTS-1.nii.gz", "BraTS-7.nii.gz"])
    touch(tmp_path / "r", [f"BraTS-{n}/BraTS-{n}-seg.nii.gz" for n in range(3)])
    assert "--layout" not in pair_folders(str(tmp_path / "p"), str(tmp_path / "r")).notes[0]
    names = [f"{case}_{kind}.png" for case in "ab" for kind in ("image", "seg")]
    for side in ("labelsTr", "predictions"):
        touch(tmp_path / side, names)
    (note,) = pair_folders(str(tmp_path / "predictions"), str(tmp_path / "labelsTr")).notes
    assert "to score _seg alone, try --prediction-pattern" in note


#: Predictions and references of case {}, and the one pattern for references that is right.
BESIDE_LABELS = {
    "BIDS, a model's": (
        "sub-{0}/anat/sub-{0}_desc-model_dseg.png",
        [f"sub-{{0}}/anat/sub-{{0}}_{kind}.png" for kind in ANATOMY],
        ["{case}_dseg.png"],
    ),
    "BIDS, flat": (
        "sub-{0}_dseg.png",
        [f"sub-{{0}}/anat/sub-{{0}}_{kind}.png" for kind in ANATOMY],
        ["{case}/anat/{case}_dseg.png"],
    ),
    "masks of the brain of both": (
        "sub-{0}_desc-brain_mask.png",
        [f"sub-{{0}}/sub-{{0}}_{kind}.png" for kind in ("dseg", "desc-brain_mask")],
        ["*/{case}_mask.png", "{case}/{case}_dseg.png"],
    ),
    "DRIVE": (
        "{0}.png",
        ["mask/{0}_test_mask.png", "1st_manual/{0}_manual1.png", "images/{0}_test.png"],
        ["1st_manual/{case}_manual1.png", "mask/{case}_test_mask.png"],
    ),
    "VOC": (
        "2007_{0}.png",
        ["SegmentationClass/2007_{0}.png", "SegmentationObject/2007_{0}.png"],
        ["SegmentationClass/{case}.png"],
    ),
    "instances alone": (
        "2007_{0}.png",
        ["SegmentationObject/2007_{0}.png"],
        ["SegmentationObject/{case}.png"],
    ),
    "BraTS": (
        "BraTS-{0}-000.png",
        [f"BraTS-{{0}}-000/BraTS-{{0}}-000-{kind}.png" for kind in ("seg", "t1c", "t2f", "t2w")],
        ["{case}/{case}-seg.png"],
    ),
    "nnU-Net": ("{0}.png", ["labelsTs/{0}.png", "imagesTs/{0}_0000.png"], ["labelsTs/{case}.png"]),
    "ids, and train ids": (
        "{0}_labelTrainIds.png",
        [f"a/{{0}}_gtFine_{kind}.png" for kind in ("labelIds", "instanceIds", "labelTrainIds")],
        ["a/{case}_gtFine_labelTrainIds.png", "a/{case}_gtFine_labelIds.png"],
    ),
}


@pytest.mark.parametrize("tree", BESIDE_LABELS)
def test_labels_are_proposed_and_not_what_lies_beside_them(tree, tmp_path):
    """Pictures, masks of where to look and instances are no labels; all that is proposed gives every case its mask."""
    prediction, references, right = BESIDE_LABELS[tree]
    for n in ("01", "02", "13"):
        touch(tmp_path / "p", [prediction.format(n)])
        touch(tmp_path / "r", [each.format(n) for each in references])
    sides = str(tmp_path / "p"), str(tmp_path / "r")
    notes = pair_folders(*sides).notes
    assert "so choose" not in notes[0]
    found = [options(words) for words in proposals(notes)]
    assert [each["reference_pattern"] for each in found] == right
    for each in found:
        assert [bool(case.prediction) for case in pair_folders(*sides, **each).cases] == [True] * 3


def test_the_kind_that_predictions_are_is_proposed(tmp_path):
    """Where predictions are masks of the brain, it is the references of that name that are meant."""
    touch(tmp_path / "p", [f"sub-{n}_desc-brain_mask.png" for n in "12"])
    touch(tmp_path / "r", [f"sub-{n}_{kind}.png" for n in "12" for kind in ANATOMY])
    (note,) = pair_folders(str(tmp_path / "p"), str(tmp_path / "r")).notes
    assert "to score _mask alone" in note


def test_names_are_cut_at_signs(tmp_path):
    """What both names go on with by chance is no part of the case's."""
    touch(tmp_path / "p", [f"case{n}_pred.png" for n in range(4)])
    touch(tmp_path / "r", [f"case{n}_prostate.png" for n in range(4)])
    (words,) = proposals(pair_folders(str(tmp_path / "p"), str(tmp_path / "r")).notes)
    assert options(words) == {
        "prediction_pattern": "{case}_pred.png",
        "reference_pattern": "{case}_prostate.png",
    }


def test_two_references_for_a_case(tmp_path):
    """Two raters in two folders: each has a pattern of its own, since `*/` would take both for one case."""
    names = [f"case{n}" for n in range(4)]
    touch(tmp_path / "p", [f"{name}_pred.png" for name in names])
    touch(tmp_path / "r", [f"{rater}/{name}_gt.png" for name in names for rater in ("anna", "ben")])
    sides = str(tmp_path / "p"), str(tmp_path / "r")
    found = [options(words) for words in proposals(pair_folders(*sides).notes)]
    assert "no name says which are the labels, so choose: try" in pair_folders(*sides).notes[0]
    assert sorted(each["reference_pattern"] for each in found) == ["anna/{case}_gt.png", "ben/{case}_gt.png"]
    assert all([case.name for case in pair_folders(*sides, **each).cases] == names for each in found)


def test_a_pattern_that_takes_two_files_is_not_proposed(tmp_path):
    """Two raters who share some of the cases: no pattern pairs all of them with one reference each."""
    touch(tmp_path / "p", [f"case{n}_pred.png" for n in range(6)])
    touch(tmp_path / "r", [f"anna/case{n}_gt.png" for n in range(4)])
    touch(tmp_path / "r", [f"ben/case{n}_gt.png" for n in range(2, 6)])
    notes = pair_folders(str(tmp_path / "p"), str(tmp_path / "r")).notes
    assert not proposals(notes)
    assert "say with --prediction-pattern and --reference-pattern" in notes[0]


PART = st.text("ab_/1.'", max_size=4)


@settings(max_examples=80)
@given(PART, PART, PART, PART, st.sets(st.text("ab01_", min_size=1, max_size=5), min_size=1, max_size=6))
def test_whatever_is_proposed_pairs_one_side(before, after, other_before, other_after, names):
    """Brute force: each proposed pattern, tried, gives every prediction a reference, or the other way round."""

    def path(start, name, end):
        parts = [part for part in f"{start}{name}{end}.png".split("/") if part.strip(".")]
        return "/".join(part.lstrip(".") or "x" for part in parts)

    with tempfile.TemporaryDirectory() as folder:
        for side, start, end in (("p", before, after), ("r", other_before, other_after)):
            for name in names:
                try:
                    touch(Path(folder) / side, [path(start, name, end)])
                except (FileExistsError, NotADirectoryError, IsADirectoryError):
                    return
        sides = f"{folder}/p", f"{folder}/r"
        try:
            tried = pair_folders(*sides)
        except PairingError:  # two names have become one
            return
        counts = [len([each for each in Path(side).rglob("*.png") if each.is_file()]) for side in sides]
        for words in proposals(tried.notes):
            found = pair_folders(*sides, **options(words)).cases
            assert sum(case.prediction is not None for case in found) >= max(2, min(counts))


# Every other hint of folders, patterns and lists


def test_two_files_for_a_case(tmp_path):
    """`Keep one of them, or give a --prediction-pattern that only one matches, such as ...`."""
    sound(tmp_path, 2)
    for number in range(2):
        make.nifti(tmp_path / "predictions" / f"case{number:03}.nii.gz", np.zeros((16, 16), np.uint8))
    sides = tmp_path / "predictions", tmp_path / "references"
    refused = call(*sides)
    assert refused.exit_code == 2
    (pattern,) = re.findall("such as '(.*)'", refused.stderr)
    done = call(*sides, "--prediction-pattern", pattern, "-f", "json")
    assert done.exit_code in {0, 3}
    assert {case["prediction"].rpartition("case")[2][3:] for case in json.loads(done.stdout)["cases"]} == {
        pattern.removeprefix("{case}")
    }


def test_references_in_a_format_that_is_not_read(tmp_path):
    """Beside masks they are rows that failed, and so are such predictions; where none is read there is no run."""
    sound(tmp_path, 3)
    for path in (tmp_path / "references" / "case001.png", tmp_path / "predictions" / "case002.png"):
        path.rename(path.with_suffix(".mha"))
    sides = tmp_path / "predictions", tmp_path / "references"
    done = call(*sides, "-f", "json")
    assert done.exit_code == 3
    cases = json.loads(done.stdout)["cases"]
    assert [case.get("error") for case in cases] == [None, *["UnknownFormat"] * 2]
    for number in (0, 2):
        (tmp_path / "references" / f"case{number:03}.png").unlink()
    refused = call(*sides)
    assert refused.exit_code == 2
    assert "there is no mask in this folder; other files: 1 (case001.mha)" in refused.stderr


def test_some_names_differ(tmp_path):
    """`rename them, or name the pairs in a CSV, --pairs`: both give every case its number."""
    sound(tmp_path, 4)
    prediction = tmp_path / "predictions"
    for number in (2, 3):
        (prediction / f"case{number:03}.png").rename(prediction / f"case{number:03}_new.png")
    done = call(prediction, tmp_path / "references", "-f", "csv")
    assert done.exit_code == 3
    assert "rename them, or name the pairs in a CSV, --pairs" in done.stderr
    names = [(f"case{n:03}{'_new' * (n > 1)}.png", f"case{n:03}.png") for n in range(4)]
    with (tmp_path / "pairs.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("prediction", "reference"), *names])
    words = ["--pairs", tmp_path / "pairs.csv", prediction, tmp_path / "references"]
    assert call(*words).exit_code == 0
    for number in (2, 3):
        (prediction / f"case{number:03}_new.png").rename(prediction / f"case{number:03}.png")
    assert call(prediction, tmp_path / "references").exit_code == 0


@pytest.mark.parametrize(
    ("words", "said", "mended"),
    [
        (["--prediction-pattern", "*.png"], "Put {case} where", ["--prediction-pattern", "{case}.png"]),
        (
            ["--reference-pattern", "{case}_gt.png"],
            "the whole path in the folder",
            ["--reference-pattern", "{case}.png"],
        ),
        (
            ["--prediction-pattern", "x", "--pairs", "p.csv"],
            "Give one of them",
            ["--prediction-pattern", "{case}.png"],
        ),
    ],
)
def test_patterns_that_are_wrong(words, said, mended, tmp_path):
    """What the hint says is what mends it."""
    sides = [tmp_path / "predictions", tmp_path / "references"]
    sound(tmp_path, 2)
    refused = call(*sides, *words)
    assert refused.exit_code == 2
    assert said in refused.stderr
    assert call(*sides, *mended).exit_code == 0


def test_one_folder_or_files(tmp_path):
    """`Give both, or a CSV that names the pairs: --pairs pairs.csv`; of files `dicecli score PREDICTION REFERENCE`."""
    sound(tmp_path, 1)
    files = [tmp_path / side / "case000.png" for side in ("predictions", "references")]
    assert "Hint: Give both" in call(tmp_path / "predictions").stderr
    assert "dicecli score PREDICTION REFERENCE" in call(*files).stderr
    assert runner().invoke(cli, ["score", *map(str, files)]).exit_code == 0


@pytest.mark.parametrize(
    ("text", "said", "mended"),
    [
        (
            "prediction,reference\na.png,a.png\na.png,a.png\n",
            "delete one of the rows",
            "prediction,reference\na.png,a.png\n",
        ),
        (
            "prediction,reference\nb.png,a.png\na.png,a.png\n",
            "name each case in a column 'case'",
            "prediction,reference,case\nb.png,a.png,one\na.png,a.png,two\n",
        ),
        ("prediction,reference\na.png,\n", "Name one in every row", "prediction,reference\na.png,a.png\n"),
        (
            "prediction,reference\n",
            "Write one row per case below the header",
            "prediction,reference\na.png,a.png\n",
        ),
        (
            "pred,reference\na.png,a.png\n",
            "prediction,reference and perhaps case,group",
            "prediction,reference\na.png,a.png\n",
        ),
        (
            "prediction,reference\na,b.png,a.png\n",
            "Put a cell that contains a comma between double quotes",
            'prediction,reference\n"a,b.png",a.png\n',
        ),
    ],
)
def test_lists_of_pairs_that_are_wrong(text, said, mended, tmp_path):
    """Each hint on a CSV of pairs, followed: its cases have numbers."""
    pair(tmp_path, "a", size=16)
    for name in ("b.png", "a,b.png"):
        (tmp_path / "predictions" / name).write_bytes((tmp_path / "predictions" / "a.png").read_bytes())
    listed = tmp_path / "pairs.csv"
    words = ["--pairs", listed, tmp_path / "predictions", tmp_path / "references"]
    listed.write_text(text, encoding="utf-8")
    refused = call(*words)
    assert refused.exit_code == 2
    assert said in refused.stderr
    listed.write_text(mended, encoding="utf-8")
    assert call(*words).exit_code == 0
