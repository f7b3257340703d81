"""Two folders, or a list of pairs, become cases: by name, never by position, and nothing is dropped."""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dicecli.errors import PairingError
from dicecli.masks import files
from dicecli.records.cases import Case
from dicecli.records.natural import natural
from dicecli.runs.pairing import Pairing, pair_folders
from dicecli.runs.pairs_csv import pair_csv

needs_links = pytest.mark.skipif(os.name == "nt", reason="links need rights there")


@pytest.fixture
def folders(tmp_path):
    """Return a function that makes two folders with files of the given names, and pairs them."""

    def pair(predictions, references, **options):
        for side, names in (("p", predictions), ("r", references)):
            touch(tmp_path / side, *names)
        return pair_folders(str(tmp_path / "p"), str(tmp_path / "r"), **options)

    return pair


def touch(folder, *names):
    folder.mkdir(exist_ok=True)
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def short(pairing, tmp_path):
    """Return the cases as tuples of name, prediction and reference, the paths relative to `tmp_path`."""
    return [
        (case.name, *(inside(each, tmp_path) for each in (case.prediction, case.reference)))
        for case in pairing.cases
    ]


def inside(path, tmp_path):
    return path and Path(path).relative_to(tmp_path).as_posix()


# Pairing by name


def test_masks_pair_by_their_path_without_suffix(folders, tmp_path):
    """Masks with one path in both folders are a case, whatever their formats; cases are in natural order."""
    pairing = folders(
        ["b10.nii.gz", "a.png", "sub/deep/c.TIF", "dotted.name.png", "b9.png"],
        ["sub/deep/c.nii", "a.tiff", "b9.png", "b10.nii.gz", "dotted.name.nii.gz"],
    )
    expected = [
        ("a", "p/a.png", "r/a.tiff"),
        ("b9", "p/b9.png", "r/b9.png"),
        ("b10", "p/b10.nii.gz", "r/b10.nii.gz"),
        ("dotted.name", "p/dotted.name.png", "r/dotted.name.nii.gz"),
        ("sub/deep/c", "p/sub/deep/c.TIF", "r/sub/deep/c.nii"),
    ]
    assert expected == short(pairing, tmp_path)
    assert Pairing(pairing.cases) == pairing


def test_paths_of_a_case_start_as_the_folders_were_given(tmp_path, monkeypatch):
    """A case holds strings: the folder as it was given, and the path in it."""
    touch(tmp_path / "p", "x/a.png")
    touch(tmp_path / "r", "x/a.png")
    monkeypatch.chdir(tmp_path)
    expected = Case("x/a", f"p{os.sep}x/a.png", f"./r{os.sep}x/a.png")
    assert (expected,) == pair_folders("p", "./r").cases


def test_a_stray_file_shifts_no_pair(folders, tmp_path):
    """Pairs are never made by position: one file too many and one too few leave the others as they are."""
    pairing = folders(["0.png", "b.png", "c.png"], ["a.png", "b.png", "c.png"])
    expected = [("a", None, "r/a.png"), ("b", "p/b.png", "r/b.png"), ("c", "p/c.png", "r/c.png")]
    assert expected == short(pairing, tmp_path)


def test_names_that_differ_by_folder_or_by_upper_case_are_different(folders, tmp_path):
    """A file in a subfolder is another case than one of its name above, and so is one in capitals."""
    pairing = folders(["x/a.png", "B.png"], ["a.png", "b.png"])
    expected = [("a", None, "r/a.png"), ("b", None, "r/b.png")]
    assert expected == short(pairing, tmp_path)


def test_predictions_without_reference_are_listed(folders, tmp_path):
    """A prediction too many is no case: it is listed, and a note counts them and names three."""
    pairing = folders([f"{name}.png" for name in "fedcba"], ["a.png"])
    assert [f"p/{name}.png" for name in "bcdef"] == [inside(each, tmp_path) for each in pairing.unpaired]
    expected = ("5 predictions have no reference: b.png, c.png, d.png and 2 more",)
    assert expected == pairing.notes
    expected = [("a", "p/a.png", "r/a.png")]
    assert expected == short(pairing, tmp_path)


def test_one_of_a_thing_is_singular(folders):
    """A note on one file is written for one file."""
    expected = ("1 prediction has no reference: b.png",)
    assert expected == folders(["a.png", "b.png"], ["a.png"]).notes


@pytest.mark.parametrize("side", ["prediction", "reference"])
def test_two_files_for_one_side_of_a_case_are_refused(folders, side):
    """Where a case has two files, none is chosen: both are named."""
    two, one = ["a.nii", "a.nii.gz", "b.png"], ["a.nii.gz", "b.png"]
    with pytest.raises(PairingError, match=r"the case 'a' has 2 files: a\.nii, a\.nii\.gz\n") as caught:
        folders(*((two, one) if side == "prediction" else (one, two)))
    assert side == caught.value.side
    assert "pattern" not in caught.value.hint  # it would leave out the other case


def test_the_advised_pattern_settles_which_file_is_meant(folders, tmp_path):
    """The pattern that the refusal of two files proposes pairs one of them, and lists the other."""
    pairing = folders(["a.nii", "a.nii.gz"], ["a.nii"], prediction_pattern="{case}.nii")
    expected = [("a", "p/a.nii", "r/a.nii")]
    assert expected == short(pairing, tmp_path)
    expected = ["p/a.nii.gz"]
    assert expected == [inside(each, tmp_path) for each in pairing.left_out]


def test_two_predictions_of_no_case_are_listed(folders, tmp_path):
    """Two predictions of one name that has no reference leave nothing to choose: both are listed."""
    pairing = folders(["a.png", "b.png", "b.tif"], ["a.png"])
    expected = ["p/b.png", "p/b.tif"]
    assert expected == [inside(each, tmp_path) for each in pairing.unpaired]


@pytest.mark.parametrize(
    ("header", "data"), [("a.hdr", "a.img"), ("a.HDR", "a.IMG"), ("a.hdr.gz", "a.img.gz")]
)
def test_header_and_data_are_one_mask(folders, tmp_path, header, data):
    """A NIfTI pair is one file of a case, called by its header, and its data are no file left over."""
    pairing = folders([data, header], ["a.png"])
    assert [("a", f"p/{header}", "r/a.png")] == short(pairing, tmp_path)
    assert Pairing(pairing.cases) == pairing


def test_data_without_header_stand_for_their_mask(folders, tmp_path):
    """Half of a NIfTI pair is still a case's file, so that the case fails by name."""
    expected = [("a", "p/a.img", "r/a.png")]
    assert expected == short(folders(["a.img"], ["a.png"]), tmp_path)


@pytest.mark.parametrize("suffix", ["hdr", "img"])
def test_a_pattern_may_name_either_half(folders, tmp_path, suffix):
    """A pattern for the header or for the data means the NIfTI pair; the other half is not left over."""
    pairing = folders(["a.hdr", "a.img"], ["a.png"], prediction_pattern=f"{{case}}.{suffix}")
    assert [("a", f"p/a.{suffix}", "r/a.png")] == short(pairing, tmp_path)
    assert Pairing(pairing.cases) == pairing


def test_names_are_taken_as_they_are(folders, tmp_path):
    """Spaces, line breaks, brackets and letters of any script are parts of names."""
    names = ["a b", "[id]", "two\nlines", "=1+1", "ärzte", "肝", "{case}", "*"]
    if os.name == "nt":
        names = [name for name in names if not set(name) & set("\n*")]
    files_of = [f"{name}.png" for name in names]
    pairing = folders(files_of, files_of)
    assert [(name, f"p/{name}.png", f"r/{name}.png") for name in sorted(names)] == short(pairing, tmp_path)


# What is left out


def test_hidden_files_and_other_files_are_left_out_and_listed(folders, tmp_path):
    """Hidden files, hidden folders and files that no format reads are no cases, and every one is listed."""
    pairing = folders(
        ["a.png", ".DS_Store", "._a.png", "sub/.b.png", ".cache/a.png", "a.npy"],
        ["a.png", "README", "thumbs.db", "a.png.bak"],
    )
    expected = [("a", "p/a.png", "r/a.png")]
    assert expected == short(pairing, tmp_path)
    assert [
        "p/.DS_Store",
        "p/._a.png",
        f"{tmp_path.as_posix()}/p/.cache/",
        "p/a.npy",
        "p/sub/.b.png",
        "r/README",
        "r/a.png.bak",
        "r/thumbs.db",
    ] == [each if each.endswith("/") else inside(each, tmp_path) for each in pairing.left_out]
    expected = ()
    assert expected == pairing.notes + pairing.unpaired


def test_a_folder_with_a_masks_name_stands_for_the_mask(folders, tmp_path):
    """An empty folder called a.png is the file of case a, which fails as such; one with masks is a folder."""
    for name in ("a.png", "b.nii"):
        (tmp_path / "p" / name).mkdir(parents=True)
    pairing = folders(["b.nii/b.nii"], ["a.png", "b.nii/b.nii"])
    expected = [("a", "p/a.png", "r/a.png"), ("b.nii/b", "p/b.nii/b.nii", "r/b.nii/b.nii")]
    assert expected == short(pairing, tmp_path)


@pytest.mark.parametrize(
    "suffix", [".mha", ".seg.nrrd", ".jpg", ".dcm", ".npz", ".zarr/", ".BMP", ".nii.bz2", ".png.gz", ".fits"]
)
def test_references_that_are_not_read_are_expected_all_the_same(folders, tmp_path, suffix):
    """References in a format that is not read, beside ones that are: failed rows; and so is their prediction."""
    name, what = f"b{suffix}".rstrip("/"), f"b{suffix}" + "x" * suffix.endswith("/")
    pairing = folders(["a.png", "b.png"], ["a.png", what, "c.mha", "README", "dataset.json", "t.csv"])
    expected = [("a", "p/a.png", "r/a.png"), ("b", "p/b.png", f"r/{name}"), ("c", None, "r/c.mha")]
    assert expected == short(pairing, tmp_path)
    assert ["r/README", "r/dataset.json", "r/t.csv"] == [inside(each, tmp_path) for each in pairing.left_out]


def test_predictions_that_are_not_read_are_their_cases(folders, tmp_path):
    """A prediction in such a format is the one of its case, if that has no other; without a reference it is left out."""
    pairing = folders(["a.png", "a.jpg", "b.mha", "c.mha"], ["a.png", "b.png"])
    assert [("a", "p/a.png", "r/a.png"), ("b", "p/b.mha", "r/b.png")] == short(pairing, tmp_path)
    assert ["p/a.jpg", "p/c.mha"] == [inside(each, tmp_path) for each in pairing.left_out]


def test_classes_that_are_not_read_are_of_their_case(folders, tmp_path):
    """Where each class has a file, one that is not read is that of its class, also where all of a case are such."""
    read = [f"{case}/{label}.png" for case in "xy" for label in "ab"]
    pattern = "{case}/{label}.*"
    pairing = folders(
        read,
        ["x/a.png", "x/b.mha", "y/a.mha", "y/b.mha"],
        prediction_pattern=pattern,
        reference_pattern=pattern,
    )
    found = {case.name: [inside(each, tmp_path) for each in case.reference.paths] for case in pairing.cases}
    assert {"x": ["r/x/a.png", "r/x/b.mha"], "y": ["r/y/a.mha", "r/y/b.mha"]} == found


def test_slices_of_a_folder_are_one_case(folders, tmp_path):
    """Files of DICOM in a folder of their own are one volume, which fails once."""
    pairing = folders(["seg.png"], ["seg.png", *(f"ct/{n}.dcm" for n in range(4))])
    assert [("ct", None, "r/ct/0.dcm"), ("seg", "p/seg.png", "r/seg.png")] == short(pairing, tmp_path)


@pytest.mark.parametrize(
    ("masks", "images"),
    [
        (["a.png", "b.png"], ["a.jpg", "b.jpg", "a.png.aux.xml"]),
        (["a_mask.png", "b_mask.png"], ["a.jpg", "b.jpg"]),
        (["a.png", "b.png"], ["a_photo.jpg"]),
        (["masks/a.png", "masks/b.png"], ["images/a.jpg", "images/b.jpg"]),
        (["a/seg.png", "b/seg.png"], ["b/ct.nrrd", "b/mr.nrrd", "a/ct/1.dcm", "a/ct/2.dcm"]),
    ],
)
def test_images_beside_masks_are_no_references(folders, tmp_path, masks, images):
    """An image that lies beside the mask of its case is none, unless a prediction has just its name."""
    pairing = folders(masks, [*masks, *images])
    assert masks == [inside(case.reference, tmp_path)[2:] for case in pairing.cases]
    assert {f"r/{each}" for each in images} == {inside(each, tmp_path) for each in pairing.left_out}
    named = {*masks, images[0].rpartition(".")[0] + ".png"}
    assert len(named) == len(folders(sorted(named), [*masks, *images]).cases)


@needs_links
def test_links_to_folders_are_not_followed(folders, tmp_path):
    """A link to a folder, be it the one above, is listed and noted, not followed."""
    touch(tmp_path / "elsewhere", "c.png")
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / "loop").symlink_to(tmp_path / "p")
    (tmp_path / "p" / "out").symlink_to(tmp_path / "elsewhere")
    pairing = folders(["a.png"], ["a.png", "out/c.png"])
    expected = [("a", "p/a.png", "r/a.png"), ("out/c", None, "r/out/c.png")]
    assert expected == short(pairing, tmp_path)
    expected = ["p/loop", "p/out"]
    assert expected == [inside(each, tmp_path) for each in pairing.left_out]
    expected = ("2 links to folders are not followed: loop, out",)
    assert expected == pairing.notes


@needs_links
def test_links_to_files_stand_for_masks(folders, tmp_path):
    """A link with a mask's name is a case's file wherever it leads, to a file, to itself or nowhere."""
    touch(tmp_path / "elsewhere", "a.png")
    (tmp_path / "p").mkdir()
    for name, target in (("a.png", "../elsewhere/a.png"), ("b.png", "nothing.png"), ("c.png", "c.png")):
        (tmp_path / "p" / name).symlink_to(target)
    pairing = folders([], ["a.png", "b.png", "c.png"])
    assert [(name, f"p/{name}.png", f"r/{name}.png") for name in "abc"] == short(pairing, tmp_path)
    assert ["prediction", None, None] == [case.refused for case in pairing.cases]


@needs_links
def test_links_out_of_the_folder_are_refused_unless_followed(tmp_path):
    """A link to a file below its own folder is as good as the file; one that leads out is marked, on either
    side, as is a NIfTI pair of which one half does; --follow-links takes them all.
    """
    touch(tmp_path / "elsewhere", "a.png", "b.img")
    touch(tmp_path / "p", "a.png", "b.hdr", "sub/real.png", "d.png")
    touch(tmp_path / "r", "b.hdr", "b.img", "c.png", "d.png")
    (tmp_path / "r" / "a.png").symlink_to(tmp_path / "elsewhere" / "a.png")
    (tmp_path / "p" / "b.img").symlink_to("../elsewhere/b.img")
    (tmp_path / "p" / "c.png").symlink_to("sub/real.png")
    folders = str(tmp_path / "p"), str(tmp_path / "r")
    expected = {"a": "reference", "b": "prediction", "c": None, "d": None}
    assert expected == {case.name: case.refused for case in pair_folders(*folders).cases}
    followed = pair_folders(*folders, follow_links=True).cases
    assert dict.fromkeys(expected) == {case.name: case.refused for case in followed}


@needs_links
def test_folders_that_are_links_themselves_hold_what_is_in_them(tmp_path):
    """Where the folder itself is reached through a link, its files do not lead out of it."""
    touch(tmp_path / "real", "a.png", "b.png")
    (tmp_path / "real" / "c.png").symlink_to("b.png")
    (tmp_path / "p").symlink_to("real")
    pairing = pair_folders(str(tmp_path / "p"), str(tmp_path / "p"))
    assert [None] * 3 == [case.refused for case in pairing.cases]


# Patterns


@pytest.mark.parametrize(
    ("pattern", "path", "name"),
    [
        ("{case}_pred.nii.gz", "a_pred.nii.gz", "a"),
        ("{case}_pred.nii.gz", "site/a_pred.nii.gz", "site/a"),
        ("{case}/seg.nii.gz", "x/y/seg.nii.gz", "x/y"),
        ("{case}/{case}_seg.nii", "a/a_seg.nii", "a"),
        ("pred-{case}.*", "pred-a.b.png", "a.b"),
        ("*/{case}.png", "x/y/z.png", "y/z"),
        ("*_{case}.png", "a_b_c.png", "b_c"),
        ("{case}_*.png", "a_b_c.png", "a_b"),
        ("{case}?(1)[a].png", "x?(1)[a].png", "x"),
        ("{case}.png", "two\nlines.png", "two\nlines"),
    ],
)
def test_a_pattern_names_the_case(folders, tmp_path, pattern, path, name):
    """A case is what {case} stands for: as much as can be, / included; * is as little as can be, without /."""
    if os.name == "nt" and set(path) & set("?\n"):
        pytest.skip("no such names there")
    pairing = folders([path], [f"{name}.png"], prediction_pattern=pattern)
    assert [(name, f"p/{path}", f"r/{name}.png")] == short(pairing, tmp_path)


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("{case}/{case}_seg.nii", "a/b_seg.nii"),
        ("pred*_{case}.png", "pred/x_a.png"),
        ("*.png{case}", "a.png"),
        ("{case}?.png", "ab.png"),
        ("{case}.png", "a.PNG"),
        ("a{case}.png", "a.png"),
    ],
)
def test_a_pattern_is_exact(folders, pattern, path):
    """What differs in one character does not match: a repeated case is the same, * holds no /, ? is not special, a case is not empty."""
    with pytest.raises(PairingError, match="matches none of the 1 mask:"):
        folders([path], ["a.png"], prediction_pattern=pattern)


def test_what_lies_beside_labels_is_left_out_without_a_note(folders, tmp_path):
    """Pictures that a pattern of labels leaves out are listed, not noted; other labels are noted, and all beside
    a pattern of pictures.
    """
    names = [f"1/1_{kind}.png" for kind in ("seg", "T1w", "desc-brain_mask", "dseg")]
    pairing = folders(["1.png"], names, reference_pattern="{case}/{case}_seg.png")
    assert (
        "1 mask does not match the reference pattern '{case}/{case}_seg.png': 1/1_dseg.png",
    ) == pairing.notes
    left_out = {inside(each, tmp_path) for each in pairing.left_out}
    assert {f"r/{each}" for each in names[1:]} == left_out
    (note,) = folders(["1.png"], names, reference_pattern="{case}/{case}_T1w.png").notes
    assert note.startswith("3 masks do not match")


def test_patterns_on_both_sides(folders, tmp_path):
    """Each side has its own pattern; masks that it does not match are listed and counted in a note."""
    pairing = folders(
        ["1/seg.nii.gz", "1/prob.nii.gz", "2/seg.nii.gz"],
        ["gt_1.png", "gt_2.png", "atlas.png"],
        prediction_pattern="{case}/seg.nii.gz",
        reference_pattern="gt_{case}.png",
    )
    expected = [("1", "p/1/seg.nii.gz", "r/gt_1.png"), ("2", "p/2/seg.nii.gz", "r/gt_2.png")]
    assert expected == short(pairing, tmp_path)
    expected = ["p/1/prob.nii.gz", "r/atlas.png"]
    assert expected == [inside(each, tmp_path) for each in pairing.left_out]
    expected = (
        "1 mask does not match the prediction pattern '{case}/seg.nii.gz': 1/prob.nii.gz",
        "1 mask does not match the reference pattern 'gt_{case}.png': atlas.png",
    )
    assert expected == pairing.notes


def test_a_pattern_that_takes_two_files_for_one_case_is_refused(folders):
    """A star that makes two files one case is as ambiguous as two suffixes are."""
    with pytest.raises(PairingError, match=r"the case 'a' has 2 files: a_1\.png, a_2\.png"):
        folders(["a_1.png", "a_2.png"], ["a.png"], prediction_pattern="{case}_*.png")


def test_a_pattern_without_case_is_refused(folders):
    """A pattern that does not say where the name stands is refused, with an example."""
    with pytest.raises(PairingError, match=r"the pattern '\*\.png' has no \{case\}") as caught:
        folders(["a.png"], ["a.png"], prediction_pattern="*.png")
    assert "{case}_pred.nii.gz" in caught.value.hint


def test_a_pattern_that_matches_nothing_is_refused(folders):
    """A pattern that matches no mask is refused, with the number of masks and the names of some."""
    with pytest.raises(PairingError) as caught:
        folders(["a.png"], [f"{n}.png" for n in range(5)], reference_pattern="{case}_gt.png")
    assert str(caught.value).endswith(
        "r: the pattern '{case}_gt.png' matches none of the 5 masks: 0.png, 1.png, 2.png and 2 more"
    )
    expected = "reference"
    assert expected == caught.value.side


# Names that differ by a rule


@pytest.mark.parametrize(
    ("prediction", "reference", "options"),
    [
        ("{}_pred.nii.gz", "{}.nii.gz", {"prediction": "{case}_pred.nii.gz"}),
        ("{}.png", "gt_{}.png", {"reference": "gt_{case}.png"}),
        ("{}-pred.png", "{}-gt.tif", {"prediction": "{case}-pred.png", "reference": "{case}-gt.tif"}),
        ("{}/seg.png", "{}.png", {"prediction": "{case}/seg.png"}),
        (
            "out/pred_{}_v2.png",
            "{}_gt.png",
            {"prediction": "out/pred_{case}_v2.png", "reference": "{case}_gt.png"},
        ),
    ],
)
def test_affixes_are_seen_and_the_proposed_patterns_pair(folders, tmp_path, prediction, reference, options):
    """Where no name is common but all differ by a rule, the note proposes the patterns; they pair every case."""
    names = [f"case{n:03d}" for n in range(40)]
    both = [prediction.format(name) for name in names], [reference.format(name) for name in names]
    pairing = folders(*both)
    expected = 40
    assert expected == sum(case.prediction is None for case in pairing.cases)
    words = " ".join(f"--{side}-pattern '{pattern}'" for side, pattern in options.items())
    assert pairing.notes[0].startswith("no case name in common: references have names like '")
    assert pairing.notes[0].endswith(f"; try {words}")
    again = folders(*both, **{f"{side}_pattern": pattern for side, pattern in options.items()})
    assert [(name, f"p/{prediction.format(name)}", f"r/{reference.format(name)}") for name in names] == short(
        again, tmp_path
    )
    expected = ()
    assert expected == again.notes


def test_mixed_suffixes_make_an_open_pattern(folders, tmp_path):
    """Where the masks of a side have several suffixes, the proposed pattern takes any."""
    both = ["a1_pred.png", "b2_pred.nii.gz"], ["a1.png", "b2.png"]
    assert folders(*both).notes[0].endswith("; try --prediction-pattern '{case}_pred.*'")
    pairing = folders(*both, prediction_pattern="{case}_pred.*")
    expected = [("a1", "p/a1_pred.png", "r/a1.png"), ("b2", "p/b2_pred.nii.gz", "r/b2.png")]
    assert expected == short(pairing, tmp_path)


def test_no_common_name_and_no_rule(folders):
    """Without a common name and without a rule, the note shows a name of each side and what a pattern looks like."""
    expected = (
        "no case name in common: references have names like 'liver', predictions like 'xyz'; say with "
        "--prediction-pattern and --reference-pattern where it stands, as in '{case}_pred.nii.gz'"
    )
    assert expected == folders(["xyz.png"], ["liver.png"]).notes[0]


def test_a_rule_for_some_names_is_seen(folders):
    """Where some cases pair and the rest differs by a rule, a note says so, and proposes no pattern that would
    lose those that pair.
    """
    pairing = folders(["a.png", "b1_new.png", "c2_new.png"], ["a.png", "b1.png", "c2.png"])
    expected = (
        "some names differ only by what stands around the case's name, as by --prediction-pattern "
        "'{case}_new.png', which no pattern pairs together with the others: rename them, or name the pairs in "
        "a CSV, --pairs"
    )
    assert expected == pairing.notes[0]


def test_no_rule_is_made_of_chance(folders):
    """A missing case beside a prediction too many is no rule: there is no proposal."""
    pairing = folders(["a.png", "case1x.png"], ["a.png", "case1.png"])
    expected = ("1 prediction has no reference: case1x.png",)
    assert expected == pairing.notes


# One folder for both


def test_the_same_folder_twice_is_noted(tmp_path):
    """Comparing a folder with itself is noted first, with the number of cases, however it is spelt."""
    touch(tmp_path / "p", "a.png", "b.png")
    pairing = pair_folders(str(tmp_path / "p"), str(tmp_path / "p" / ".." / "p"))
    expected = ("both folders are the same folder: 2 of 2 cases are one file",)
    assert expected == pairing.notes


def test_one_folder_may_hold_both_sides(tmp_path):
    """Two patterns take predictions and references from one folder; that is nothing odd."""
    touch(tmp_path / "d", "a_gt.png", "a_pred.png", "b_gt.png", "rest.png")
    folder = str(tmp_path / "d")
    pairing = pair_folders(
        folder, folder, prediction_pattern="{case}_pred.png", reference_pattern="{case}_gt.png"
    )
    expected = [("a", "d/a_pred.png", "d/a_gt.png"), ("b", None, "d/b_gt.png")]
    assert expected == short(pairing, tmp_path)
    expected = ["d/rest.png"]
    assert expected == [inside(each, tmp_path) for each in pairing.left_out]
    assert not any("same folder" in note for note in pairing.notes)


# Folders that cannot be paired


@pytest.mark.parametrize("side", ["prediction", "reference"])
@pytest.mark.parametrize(
    ("make", "message", "hint"),
    [
        (lambda path: None, "there is no such folder", "Check the path"),  # noqa: ARG005
        (Path.touch, "this is a file, not a folder", "dicecli score PREDICTION REFERENCE"),
        (Path.mkdir, r"there is no mask in this folder; other files: 0\n", r"\.nii\.gz, .*\.png"),
        (
            lambda path: touch(path, "x/a.npy", "b.jpg", "c.npy", ".DS_Store"),
            r"other files: 4 \(\.DS_Store, b\.jpg, c\.npy and 1 more\)",
            r"\.nii\.gz, .*\.png",
        ),
    ],
    ids=["missing", "file", "empty", "no masks"],
)
def test_a_folder_that_has_no_masks_is_refused(tmp_path, side, make, message, hint):
    """A folder that is missing, a file or without masks is refused; the side, the folder and a way out are named."""
    touch(tmp_path / "good", "a.png")
    make(tmp_path / "bad")
    paths = {"prediction": str(tmp_path / "good"), "reference": str(tmp_path / "good")}
    paths[side] = str(tmp_path / "bad")
    with pytest.raises(PairingError, match=message) as caught:
        pair_folders(paths["prediction"], paths["reference"])
    assert (side, paths[side]) == (caught.value.side, caught.value.path)
    assert re.search(hint, caught.value.hint)


@pytest.mark.parametrize("path", ["", "nothing/at/all", "a\0b"])
def test_a_path_that_is_none_is_refused(path):
    """An empty path, one below nothing, and one with a null character are errors of pairing."""
    with pytest.raises(PairingError):
        pair_folders(path, path)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="nothing is refused to this user")
@pytest.mark.parametrize("name", ["p", "p/locked"])
def test_a_folder_that_the_system_refuses_to_list_is_refused(folders, tmp_path, name):
    """A folder that cannot be listed, at any depth, ends the pairing: its masks would be dropped in silence."""
    folders(["a.png", "locked/b.png"], ["a.png"])
    (tmp_path / name).chmod(0)
    try:
        with pytest.raises(PairingError, match="cannot be read: Permission denied"):
            folders([], [])
    finally:
        (tmp_path / name).chmod(0o700)


def test_an_error_while_listing_names_the_folder(folders, monkeypatch):
    """What the system says while a subfolder is listed becomes an error that names it."""
    real = os.scandir

    def failing(path):
        if str(path).rstrip("/").endswith("broken"):
            raise OSError(5, "Input/output error")
        return real(path)

    monkeypatch.setattr(os, "scandir", failing)
    with pytest.raises(PairingError, match="the folder broken/ in it cannot be read: Input/output error"):
        folders(["a.png", "broken/b.png"], ["a.png"])


# Pairs in a CSV file


@pytest.fixture
def csv_file(tmp_path):
    """Return a function that writes lines to a CSV file and reads the pairs in it."""

    def pair(*lines, encoding="utf-8", **options):
        path = tmp_path / "pairs.csv"
        path.write_bytes("\n".join(lines).encode(encoding))
        return pair_csv(str(path), **options)

    return pair


def test_a_csv_file_names_pairs(csv_file, tmp_path):
    """Paths start at the file's folder; a case is called by its name, or else as its reference is; rows keep their order."""
    pairing = csv_file(
        "prediction,reference,case,group",
        "out/z.png,gt/z.png,,clinic",
        'out/c.png,"gt/c,1.nii.gz",first,',
        ",./gt/missing.png,,",
    )
    assert (
        Pairing(
            (
                Case("gt/z", f"{tmp_path}{os.sep}out/z.png", f"{tmp_path}{os.sep}gt/z.png", "clinic"),
                Case("first", f"{tmp_path}{os.sep}out/c.png", f"{tmp_path}{os.sep}gt/c,1.nii.gz"),
                Case("gt/missing", None, f"{tmp_path}{os.sep}./gt/missing.png"),
            ),
            columns=("group",),
        )
        == pairing
    )


def test_columns_may_stand_in_any_order_and_two_suffice(csv_file, tmp_path):
    """Prediction and reference suffice, in any order; Excel's byte order mark, blank lines and spaces are no matter."""
    pairing = csv_file("reference, prediction", "", "a.png, b.png\r", ",", encoding="utf-8-sig")
    assert (Case("a", f"{tmp_path}{os.sep}b.png", f"{tmp_path}{os.sep}a.png"),) == pairing.cases


def test_paths_start_at_the_given_folders(csv_file, tmp_path):
    """Given folders are where relative paths start; an absolute path stays; names are relative to the folder."""
    absolute = str(tmp_path / "gt" / "x" / "b.png")
    elsewhere = str(tmp_path / "other" / "c.png")
    pairing = csv_file(
        "prediction,reference",
        "a.png,x/a.png",
        f"b.png,{absolute}",
        f"c.png,{elsewhere}",
        predictions="out",
        references=str(tmp_path / "gt"),
    )
    assert {
        "x/a": (f"out{os.sep}a.png", f"{tmp_path / 'gt'}{os.sep}x/a.png"),
        "x/b": (f"out{os.sep}b.png", absolute),
        elsewhere.removesuffix(".png").replace(os.sep, "/"): (f"out{os.sep}c.png", elsewhere),
    } == {case.name: (case.prediction, case.reference) for case in pairing.cases}


def test_a_csv_file_in_the_current_folder(tmp_path, monkeypatch):
    """Paths beside a CSV file in the current folder stay as they are written."""
    monkeypatch.chdir(tmp_path)
    Path("pairs.csv").write_text("prediction,reference\np/a.png,r/a.png\n")
    assert (Case("r/a", "p/a.png", "r/a.png"),) == pair_csv("pairs.csv").cases


def test_semicolons_may_stand_between_cells(csv_file):
    """As spreadsheets write them where commas are decimal; a header with commas has no others."""
    both = [
        csv_file(
            *(line.replace(",", between) for line in ("prediction,reference", "a.png,r.png", "b.png,s.png"))
        ).cases
        for between in ",;"
    ]
    assert both[0] == both[1] != ()
    assert csv_file("prediction,reference", "a;b.png,r.png").cases[0].prediction.endswith("a;b.png")


def test_one_reference_may_have_several_predictions(csv_file):
    """Two predictions of one reference are two cases, if they have two names."""
    pairing = csv_file("prediction,reference,case", "a.png,r.png,old", "b.png,r.png,new")
    expected = ["old", "new"]
    assert expected == [case.name for case in pairing.cases]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["prediction,reference"], "there is no pair"),
        ([], "columns missing: 'prediction', 'reference'"),
        (["a.png,b.png"], "columns missing: 'prediction', 'reference'; unknown: 'a.png', 'b.png'"),
        (["prediction|reference", "a|b"], "unknown: 'prediction|reference'"),
        (["prediction;reference;grp", "a;b;c"], "columns unknown: 'grp'"),
        (["prediction,reference,grp", "a,b,c"], "columns unknown: 'grp'"),
        (["prediction,reference,case,case"], "columns repeated: 'case'"),
        (["prediction,reference", "a.png,"], "line 2 has no reference"),
        (["prediction,reference", "", "a.png"], "line 3 has 1 cells, and the header 2"),
        (["prediction,reference", "a.png,b.png,c.png"], "line 2 has 3 cells, and the header 2"),
        (["prediction,reference", '"a.png,b.png'], "cannot be read: unexpected end of data"),
        (
            ["prediction,reference", "a.png,r.png", "x,y", "b.png,r.nii"],
            "the case 'r' stands twice, in line 2 and in line 4",
        ),
        (
            ["prediction,reference,case", "a.png,r.png,x", "./a.png,q/../r.png,y"],
            "the pair with 'q/../r.png' stands twice, in line 2 and in line 3",
        ),
        (
            ["prediction,reference,case", ",r.png,x", ",r.png,y"],
            "the pair with 'r.png' stands twice, in line 2 and in line 3",
        ),
    ],
)
def test_a_csv_file_that_says_no_pairs_is_refused(csv_file, tmp_path, lines, message):
    """What is wrong in a file of pairs is refused, with the line where there is one."""
    with pytest.raises(PairingError, match=re.escape(message)) as caught:
        csv_file(*lines)
    assert str(tmp_path / "pairs.csv") == caught.value.path


def test_a_csv_file_that_cannot_be_read_is_refused(csv_file, tmp_path):
    """A missing file, a folder, and text that is not UTF-8 are errors of pairing."""
    for path in (tmp_path / "nothing.csv", tmp_path):
        with pytest.raises(PairingError, match="cannot be read"):
            pair_csv(str(path))
    with pytest.raises(PairingError, match="cannot be read") as caught:
        csv_file("prediction,reference", "ä.png,ö.png", encoding="latin-1")
    expected = "Give a CSV file in UTF-8."
    assert expected == caught.value.hint


# A law

name = st.sampled_from(["a", "b", "a.b", "a_1", "x/a", "x/y/a", "x/b", "é"])
suffix = st.sampled_from([".png", ".nii", ".nii.gz", ".tif", ".hdr", ".img", ".hdr.gz", ".PNG", ".npy", ""])
#: One file per name, so that no case has two.
side = st.dictionaries(name, suffix, max_size=8)


@settings(derandomize=True, database=None, max_examples=100)
@given(predictions=side, references=side)
def test_nothing_is_dropped(predictions, references):
    """Every file stands exactly once, in a case or in a list, those that are read in no list of what is left out;
    and pairs have one name.
    """
    read = {".png", ".nii", ".nii.gz", ".tif", ".hdr", ".img", ".hdr.gz"}
    with tempfile.TemporaryDirectory() as folder:
        every = {}
        for where, names in (("p", predictions), ("r", references)):
            touch(Path(folder) / where, "always.png", *(stem + ending for stem, ending in names.items()))
            every[where] = sorted(
                each.relative_to(folder).as_posix()
                for each in Path(folder, where).rglob("*")
                if each.is_file()
            )
        pairing = pair_folders(f"{folder}/p", f"{folder}/r")
        cases = short(pairing, folder)
        unpaired = [inside(each, folder) for each in pairing.unpaired]
        left_out = [inside(each, folder) for each in pairing.left_out]
    masks = {where: [each for each in every[where] if files.suffix(each) in read] for where in every}
    paired = [prediction for _, prediction, _ in cases if prediction]
    expected = [reference for _, _, reference in cases]
    assert sorted(every["p"] + every["r"]) == sorted(expected + paired + unpaired + left_out)
    assert not {*masks["p"], *masks["r"]} & {*left_out}
    assert sorted(left_out, key=natural) == left_out
    names = [case.name for case in pairing.cases]
    assert sorted(names, key=natural) == names
    for case, prediction, reference in cases:
        for path, where in ((prediction, "p"), (reference, "r")):
            assert path is None or f"{where}/{case}{files.suffix(path)}".lower() == path.lower()
    names = {each.removeprefix("r/")[: -len(files.suffix(each))] for each in expected}
    alone = {each.removeprefix("p/")[: -len(files.suffix(each))] for each in unpaired}
    assert not names & alone


@pytest.mark.parametrize(
    ("one", "other"),
    [("_run-1", "_run-2_x"), ("_ses-01_pred", "_ses-02_seg"), ("_fold_0", "_fold_1"), ("_t1_p", "_t2_gt")],
)
def test_no_pattern_pairs_other_scans_of_the_same_subjects(folders, one, other):
    """Numbers of the same word that differ are of two scans: nothing is proposed; where they agree it is."""
    cases = [f"sub-{number:02}" for number in range(1, 6)]
    predictions = [f"{case}{one}.png" for case in cases]
    for end, is_proposed in ((other, False), (f"{one}_b", True)):
        notes, hint = [], ""
        try:
            notes = folders(predictions, [f"{case}{end}.png" for case in cases]).notes
        except PairingError as error:
            hint = error.hint
        assert ("-pattern '{case}" in " ".join([*notes, hint])) == is_proposed
