"""Cases from the field where the matrix, or the pixels, know a better number: each row in its own words."""

from __future__ import annotations

import csv
import io
import json
import math

import make
import numpy as np
import places
import pytest
from streams import runner

import dicecli
from dicecli.cli import cli
from dicecli.errors import NotLabels, UnknownLabel
from dicecli.records.cases import Case, Scored
from dicecli.records.schemes import load_labels
from dicecli.reports.merging import merged
from dicecli.reports.reading_back import from_dict
from dicecli.reports.report import Report
from dicecli.runs.scoring import make_settings, result_of

RNG = np.random.default_rng(8)
SERIAL = ["--executor", "serial"]


def run(*arguments):
    """Run a command in this process, without colours."""
    return runner().invoke(cli, [str(each) for each in arguments])


def folders(tmp_path, *pairs):
    """Write pairs of masks, prediction first, as PNG; return the two folders."""
    for side in ("p", "r"):
        (tmp_path / side).mkdir(exist_ok=True)
    for place, pair in enumerate(pairs):
        for side, array in zip(("p", "r"), pair, strict=True):
            make.png(tmp_path / side / f"c{place}.png", np.asarray(array, np.uint8))
    return str(tmp_path / "p"), str(tmp_path / "r")


def suggestions(prediction, reference, **options):
    """Return what is suggested of two arrays."""
    report = dicecli.score(np.asarray(prediction), np.asarray(reference), **options)
    return report.case(report.scored[0]).suggestions


def only(prediction, reference, **options):
    """Return the one thing that is suggested of two arrays."""
    (found,) = suggestions(prediction, reference, **options)
    return found


def box(shape, *parts, label=1):
    """Return a mask with a box of a label."""
    found = np.zeros(shape, int)
    found[tuple(slice(*part) for part in parts)] = label
    return found


def noisy(reference, labels, share=0.1):
    """Return labels of which a share is another one, the same each time."""
    rng = np.random.default_rng(1)
    return np.where(rng.random(reference.shape) < share, rng.choice(labels, reference.shape), reference)


# A6: a label that the labels file lacks.

PLANES = np.repeat([1, 1, 2, 2, 3, 0, 0, 0, 0, 0], 100).reshape(10, 10, 10)
PLANES[4:6] = 3
OTHER = np.where(PLANES == 3, 2, PLANES)
TWO = {"1": "one", "2": "two"}


def test_a_label_that_the_labels_file_lacks_is_to_be_declared():
    """Labels file with 1, 2; the reference also holds 3 where the prediction says 2 (10³: planes 0-1 are 1, 2-3 are 2,
    4-5 are 3): the hint says what --ignore-label would do, and proposes to declare the label, which gives .667.
    """
    with pytest.raises(UnknownLabel) as caught:
        dicecli.score(OTHER, PLANES, labels={"labels": TWO})
    assert caught.value.hint.startswith("Declare it there")
    assert "--ignore-label N would leave out every pixel whose reference is N" in caught.value.hint
    declared = dicecli.score(OTHER, PLANES, labels={"labels": {**TWO, "3": "three"}})
    assert round(declared.value("dice", "arrays", 2), 3) == 0.667
    # The option does what the hint says it does: the errors there are gone, and the report counts the pixels.
    ignored = dicecli.score(OTHER, PLANES, labels={"labels": TWO}, ignore_label=3)
    assert ignored.value("dice", "arrays", 2) == 1
    assert ignored.scored[0].excluded["ignore_label"] == 200


def test_a_label_that_the_prediction_alone_has_is_no_way_out_by_ignoring():
    """Where the prediction holds the strange label, ignoring it leaves nothing out: it stays a miss."""
    with pytest.raises(UnknownLabel):
        dicecli.score(PLANES, OTHER, labels={"labels": TWO})
    declared = dicecli.score(PLANES, OTHER, labels={"labels": {**TWO, "3": "three"}})
    ignored = dicecli.score(PLANES, OTHER, labels={"labels": TWO}, ignore_label=3)
    assert ignored.value("dice", "arrays", 2) == declared.value("dice", "arrays", 2)
    assert round(ignored.value("dice", "arrays", 2), 3) == 0.667


# A7: 255 in the reference alone.

VOID = ([[0, 1], [1, 1]], [[0, 1], [1, 255]])
VOID_TEXT = (
    "255 is in the reference alone, in 1 of 4 pixels, beside other labels: if it marks void, --ignore-label 255 leaves "
    "them out, and macro Dice is 1.0000 instead of 0.4000"
)


def test_void_in_the_reference_alone_is_named_with_its_option():
    """255 in the reference alone, beside other labels: reference [[0,1],[1,255]], prediction [[0,1],[1,1]]: the note
    names --ignore-label 255, and the macro value that it gives.
    """
    found = only(*VOID)
    assert (found.kind, found.option, found.now, found.then) == ("void", "--ignore-label 255", 0.4, 1.0)
    assert found.text == VOID_TEXT
    followed = dicecli.score(*map(np.asarray, VOID), ignore_label=255)
    assert followed.look_up("dice").value == found.then
    assert followed.case(followed.scored[0]).suggestions == ()


@pytest.mark.parametrize("form", ["table", "markdown", "csv", "json", "junit"])
def test_void_is_named_in_a_batch_and_in_every_output(tmp_path, form):
    """The note names --ignore-label 255, in batch and in every output."""
    sides = folders(tmp_path, VOID, VOID)
    done = run("batch", *sides, *SERIAL, "-f", form, "-q")
    assert done.exit_code == 0
    assert "-label 255 leaves" in " ".join(done.stdout.replace("\\", "").split())
    assert "in 1 of 4 pixels" in " ".join(done.stdout.split()) or form in {"table", "markdown"}
    # And for the run, whose four pixels are eight.
    assert ("in 2 of 8 pixels" in " ".join(done.stdout.split())) == (form != "csv")


def test_notes_are_the_last_column_of_csv(tmp_path):
    """A row of a case has the notes on it, an average in the summary those on the run; both are inert and last."""
    sides = folders(tmp_path, VOID, ([[1]], [[1]]))
    done = run("batch", *sides, *SERIAL, "-f", "csv", "--summary", tmp_path / "s.csv", "-q")
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert [*rows[0]][-1] == "notes"
    assert all(VOID_TEXT in row["notes"].split(" | ") for row in rows if row["case"] == "c0")
    assert not any("void" in row["notes"] for row in rows if row["case"] == "c1")
    with (tmp_path / "s.csv").open(newline="") as file:
        summary = list(csv.DictReader(file))
    assert [*summary[0]][-1] == "notes"
    assert all(("255" in row["notes"]) == (row["kind"] == "average") for row in summary)


def test_github_is_told_what_is_suggested(tmp_path, monkeypatch):
    """With --github each suggestion is a warning, and stands in the step's summary."""
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    sides = folders(tmp_path, VOID, VOID)
    done = run("batch", *sides, *SERIAL, "--github", "-q")
    assert "::warning title=dicecli::255 is in the reference alone" in done.stderr
    assert "255 leaves them out" in (tmp_path / "summary.md").read_text()


@pytest.mark.parametrize(
    "reference",
    [[[0, 255], [255, 0]], [[0, 1], [1, 1]], [[255, 255], [255, 255]]],
    ids=["binary", "no 255", "255 alone"],
)
def test_no_void_where_255_is_no_label_beside_others(reference):
    """255 as the inside of a binary mask, or nowhere, is no void."""
    assert suggestions([[0, 1], [1, 0]], reference) == ()


def test_no_void_where_255_is_declared():
    """What the labels file says is a label is one."""
    assert suggestions(*VOID, labels={"labels": {"1": "a", "255": "b"}}) == ()


@pytest.mark.parametrize("turned", [False, True], ids=["prediction", "reference"])
def test_255_cannot_be_label_1_where_the_other_mask_has_it_beside_others(tmp_path, turned):
    """{0,255} on one side and labels beside 255 on the other is refused (or keeps 255), never 0. The pair decides."""
    pair = ([[0, 255], [255, 0]], [[0, 1], [1, 255]])[:: -1 if turned else 1]
    side = "reference" if turned else "prediction"
    with pytest.raises(NotLabels, match="cannot mean label 1") as caught:
        dicecli.score(*map(np.asarray, pair))
    assert caught.value.side == side
    assert run("batch", *folders(tmp_path, pair), *SERIAL, "-q").exit_code == 3
    # The hint, followed: declared, 255 stays 255; as 0 and 1, 255 is void of the other one.
    assert "labels file: --labels FILE" in caught.value.hint
    declared = dicecli.score(*map(np.asarray, pair), labels={"labels": {"1": "a", "255": "b"}})
    assert declared.value("dice", "arrays", 255) == 0  # the two have 255 in other pixels
    saved = [
        np.where(np.asarray(each) == 255, 1, each) if 1 not in np.asarray(each) else np.asarray(each)
        for each in pair
    ]
    assert math.isclose(dicecli.score(*saved).value("dice", "arrays", 1), 1.0)


# A8: label numbers that do not fit.


def test_labels_counted_from_0_against_from_1():
    """Prediction 0..149 against 1..150: "with the prediction's labels 1 higher, macro IoU would be 0.83"."""
    reference = RNG.permutation(6400).reshape(80, 80) % 150 + 1
    found = only(noisy(reference, range(1, 151)) - 1, reference)
    right = dicecli.score(noisy(reference, range(1, 151)), reference).look_up("iou").value
    assert (found.kind, round(found.now, 2), found.then) == ("offset", 0.0, right)
    assert found.text == (
        "with the prediction's labels 1 higher, as of ADE20K counted from 0 against from 1, macro IoU would be "
        f"{right:.2f} instead of 0.00: --map-prediction 0-149:+1"
    )


@pytest.mark.parametrize("declared", [False, True])
@pytest.mark.parametrize("order", [("cityscapes-train", "cityscapes"), ("cityscapes", "cityscapes-train")])
def test_train_ids_against_ids(order, declared):
    """Label numbers that do not fit, trainIds against ids: the other preset by name."""
    names = load_labels("cityscapes-train").names
    ids = {name: label for label, name in load_labels("cityscapes").names.items()}
    train = np.arange(57 * 57).reshape(57, 57) % 19
    masks = {"cityscapes-train": train, "cityscapes": np.vectorize(lambda label: ids[names[label]])(train)}
    given, wanted = order
    options = {"labels": wanted} if declared and wanted == "cityscapes" else {}
    found = only(masks[given], masks[wanted], **options)
    assert (found.kind, found.then) == ("preset", 1.0)
    assert f"the prediction has the label numbers of {given}, the reference of {wanted}" in found.text


def test_one_label_under_another_number():
    """1 against 5: "reference label 1 is covered to 98 % by the prediction's 5"."""
    reference = box((50, 50), (10, 20), (10, 20))
    prediction = reference * 5
    prediction[10, 10:12] = 0
    found = only(prediction, reference)
    assert found.text == (
        "reference label 1 is covered to 98% by the prediction's 5: with the prediction's 5 as 1, macro IoU would be "
        "0.98 instead of 0.00: --map-prediction 5=1"
    )


def test_numbers_that_do_not_fit_are_said_of_a_batch_from_all_its_cases(tmp_path):
    """Advice from the pooled matrix, in `batch` too, and in `dicecli report` without masks."""
    pairs = [(box((9, 9), (1, 4), (at, 6), label=5), box((9, 9), (1, 4), (at, 6))) for at in range(3)]
    sides = folders(tmp_path, *pairs)
    done = run("batch", *sides, *SERIAL, "-o", tmp_path / "r.json", "-q")
    said = "with the prediction's 5 as 1, macro IoU would be 1.00 instead of 0.00"
    assert said in " ".join(done.stdout.replace("\n      ", " ").split())
    record = json.loads((tmp_path / "r.json").read_text())
    (found,) = record["summary"]["suggestions"]
    assert (found["kind"], found["metric"], found["now"], found["then"]) == ("relabelling", "iou", 0.0, 1.0)
    for each in (tmp_path / "p", tmp_path / "r"):
        for mask in each.iterdir():
            mask.unlink()
    again = run("report", tmp_path / "r.json", "-f", "json")
    assert json.loads(again.stdout) == record
    # Shards whose cases are put together have the note of all of them.
    shards = [from_dict({**record, "cases": [case]}) for case in record["cases"]]
    assert merged(shards).suggestions[0].text == found["text"]


def test_masks_that_agree_and_masks_that_nothing_helps_get_no_advice():
    """Advice is given only where macro IoU would rise by at least 0.2."""
    reference = make.blobs((30, 30), 4, 1)
    assert suggestions(noisy(reference, range(4), 0.3), reference) == ()
    assert suggestions(RNG.integers(0, 4, (30, 30)), reference) == ()


# A9: nodata that is read as background.

COVER = [[0, 0, 10], [20, 10, 20]]
COVERED = [[10, 20, 10], [20, 10, 20]]


def land(path, array, nodata=0):
    """Write a map of land cover with a nodata tag."""
    return str(make.geotiff(path, np.array(array, np.uint8), nodata=nodata))


def test_nodata_read_as_background_is_counted(tmp_path):
    """Land-cover reference, nodata tag 0, classes 10, 20: [[0,0,10],[20,10,20]] against [[10,20,10],[20,10,20]]: the
    note gives the pixels, their share, --nodata ignore, and the macro Dice it would give (1.0).
    """
    pair = land(tmp_path / "p.tif", COVERED, None), land(tmp_path / "r.tif", COVER)
    report = dicecli.score(*pair)
    assert math.isclose(report.look_up("dice").value, 0.8)
    found = next(each for each in report.case(report.scored[0]).suggestions if each.kind == "nodata")
    assert (found.now, found.then, found.option) == (0.8, 1.0, "--nodata ignore")
    assert found.text == (
        "reference: nodata, which is also the background label, is in 2 of 6 pixels (33.3%), and read as background; "
        "--nodata ignore leaves them out, and macro Dice is 1.0000 instead of 0.8000"
    )
    assert dicecli.score(*pair, nodata="ignore").look_up("dice").value == found.then


def test_nodata_of_a_batch_is_from_the_pooled_matrix(tmp_path):
    """In `batch` from the pooled matrix: the pixels of all cases, of which one has no tag."""
    for side, tag in (("p", None), ("r", 0)):
        (tmp_path / side).mkdir()
        for name in ("a", "b", "c"):
            array = COVERED if side == "p" else COVER
            land(tmp_path / side / f"{name}.tif", array, None if name == "c" else tag)
    report = dicecli.batch(tmp_path / "p", tmp_path / "r", jobs=1)
    found = next(each for each in report.suggestions if each.kind == "nodata")
    assert "is in 4 of 18 pixels (22.2%)" in found.text
    # c stays: of 16 pixels with a label one of each is predicted where the reference is 0.
    assert math.isclose(found.then, 12 / 13)
    assert found.text in report.notes
    followed = dicecli.batch(tmp_path / "p", tmp_path / "r", jobs=1, nodata="ignore")
    assert math.isclose(followed.look_up("dice").value, found.then)


@pytest.mark.parametrize(("tag", "expected"), [(0, 1.0), (None, 0.8)])
def test_declared_labels_without_0_make_a_tag_of_0_nodata(tmp_path, tag, expected):
    """A label scheme that declares its labels without 0 makes a tag of 0 nodata; without such a tag 0 stays background."""
    pair = land(tmp_path / "p.tif", COVERED, None), land(tmp_path / "r.tif", COVER, tag)
    report = dicecli.score(*pair, labels={"labels": {"10": "tree", "20": "crop"}})
    assert math.isclose(report.look_up("dice").value, expected)
    assert report.scored[0].excluded["nodata"] == (2 if tag == 0 else 0)
    with_0 = dicecli.score(*pair, labels={"labels": {"0": "sea", "10": "tree", "20": "crop"}})
    assert math.isclose(with_0.look_up("dice").value, 0.8)
    assert next(with_0.cases()).suggestions == ()  # who declares 0 has said what it is


def test_nodata_that_changes_nothing_is_not_said_to(tmp_path):
    """A mask of 0 and 1 with a tag of 0, whose prediction stays inside: no "0.8889 instead of 0.8889"."""
    pair = land(tmp_path / "p.tif", [[0, 1], [1, 0]], None), land(tmp_path / "r.tif", [[0, 1], [1, 1]])
    (found,) = next(dicecli.score(*pair).cases()).suggestions
    assert found.text.endswith("--nodata ignore leaves them out, and macro Dice stays 0.8000")


def test_nodata_read_as_background_is_counted_for_probability_maps(tmp_path):
    """The reference of a map of probabilities is read by the same rule; no value is promised without a pass."""
    maps = np.stack([np.array(COVERED) == label for label in (0, 10, 20)]).astype("float32") * 0.9 + 0.1 / 3
    found = dicecli.soft(maps, land(tmp_path / "r.tif", COVER), channels="0,10,20")
    (suggestion,) = found.case(found.scored[0]).suggestions
    assert (suggestion.now, suggestion.then) == (None, None)
    assert suggestion.text.endswith(
        "is in 2 of 6 pixels (33.3%), and read as background; --nodata ignore leaves them out"
    )


# A20: the best threshold.


def test_the_pooled_best_threshold_leads(tmp_path):
    """`soft`'s best threshold per case, averaged, flatters: the pooled one leads; the other says what it is."""
    for side, name in (("p", "a"), ("p", "b"), ("r", "a"), ("r", "b")):
        (tmp_path / side).mkdir(exist_ok=True)
        high = 0.9 if name == "a" else 0.3
        array = (
            np.array([[high, high, high - 0.2, 0.0]], "float32") if side == "p" else np.uint8([[1, 1, 0, 0]])
        )
        np.save(tmp_path / side / f"{name}.npy", array) if side == "p" else make.png(
            tmp_path / side / f"{name}.png", array
        )
    done = run(
        "batch", "--soft", tmp_path / "p", tmp_path / "r", *SERIAL, "-m", "dice_best", "-f", "json", "-q"
    )
    averages = json.loads(done.stdout)["summary"]["averages"]
    assert averages["label-mean"]["values"]["dice_best"] == 1.0
    assert averages["macro"]["values"]["dice_best"] < 1
    gate = ["--fail-under", "dice_best=0.99"]
    shown = run("batch", "--soft", tmp_path / "p", tmp_path / "r", *SERIAL, "-m", "dice_best", *gate, "-q")
    assert shown.exit_code == 1
    text = " ".join(shown.stdout.split())
    assert "are means of each case's own threshold, not of one for all" in text
    assert (
        "Statistics are of each case's own best threshold; pooled is of one threshold for all cases" in text
    )


# C4: no overlap at equal size.

CORNER = box((20, 20), (2, 8), (2, 9))
CORNER[7, 8] = 0
VOLUME = box((10, 12, 8), (1, 3), (2, 5), (1, 4), label=2)
VOLUME[2, 4, 3] = 0
SQUARE = box((20, 20), (1, 4), (8, 15))
SQUARE[3, 14] = 0


@pytest.mark.parametrize(
    ("prediction", "reference", "move"),
    [
        (CORNER[::-1], CORNER, "mirrored along axis 0?"),
        (CORNER[:, ::-1], CORNER, "mirrored along axis 1?"),
        (CORNER[::-1, ::-1], CORNER, "mirrored along axes 0 and 1?"),
        (SQUARE.T, SQUARE, "transposed?"),
        (SQUARE.T[::-1], SQUARE, "transposed and mirrored along axis 1?"),
        (np.roll(SQUARE, 4, 0), SQUARE, "to be shifted by whole pixels, -4 along axis 0?"),
        (VOLUME[::-1, :, ::-1], VOLUME, "mirrored along axes 0 and 2?"),
        (VOLUME[:, ::-1], VOLUME, "mirrored along axis 1?"),
        (np.roll(VOLUME, 2, 0), VOLUME, "to be shifted by whole pixels, -2 along axis 0?"),
    ],
)
def test_no_overlap_at_equal_size_is_looked_into(prediction, reference, move):
    """No overlap at equal size: "mirrored along axis 0?", tried and said: then IoU of label 1 would be 0.97."""
    found = only(prediction, reference)
    assert (found.kind, found.now, found.then) == ("moved", 0.0, 1.0)
    assert f"does not overlap at all: is the prediction {move} Then its IoU would be 1.00" in found.text


def test_inspect_says_that_a_mask_is_mirrored(tmp_path):
    """By `inspect A B` too, as text and as data."""
    prediction, reference = (tmp_path / name for name in ("p.png", "r.png"))
    make.png(prediction, np.uint8(CORNER[::-1]))
    make.png(reference, np.uint8(CORNER))
    shown = run("inspect", prediction, reference)
    assert "is the prediction mirrored along axis 0? Then its IoU would be 1.00" in " ".join(
        shown.stdout.split()
    )
    (found,) = json.loads(run("inspect", prediction, reference, "-f", "json").stdout)["pair"]["suggestions"]
    assert (found["kind"], found["then"]) == ("moved", 1.0)
    assert json.loads(run("inspect", reference, reference, "-f", "json").stdout)["pair"]["suggestions"] == []


def test_moved_masks_of_a_batch_are_named_and_survive_the_record(tmp_path):
    """A batch says in how many cases, and which; so does `report` without masks."""
    sides = folders(tmp_path, (CORNER[::-1], CORNER), (CORNER, CORNER), (CORNER[::-1], CORNER))
    report = dicecli.batch(*sides, jobs=1)
    (found,) = report.suggestions
    assert found.text.startswith(
        "in 2 of 3 cases (c0, c2) labels do not overlap at all: is the prediction mirrored along"
    )
    assert from_dict(json.loads(report.render("json"))).notes == report.notes


def test_what_is_ignored_stays_out_when_masks_are_moved():
    """The matrix of a move is that of the moved masks, pixel by pixel, ignored pixels left out."""
    reference = np.where(RNG.random(CORNER.shape) < 0.1, 9, CORNER)
    reference[2:8, 12:18] = 2
    prediction = np.where(reference == 9, 1, reference)[::-1].copy()
    observed = dicecli.score(prediction, reference, ignore_label=9).scored[0].observed
    assert observed.moved.mirrored == (0,)
    kept = reference != 9
    for row, column, n in observed.moved.cells:
        assert n == int(((reference == row) & (prediction[::-1] == column) & kept).sum())
    assert observed.moved.cells.total == int(kept.sum())


# Binary layers and label maps in one batch.


def test_a_label_map_in_a_batch_of_binary_layers_is_no_empty_layer(tmp_path):
    """A batch of binary layers and one label map without declared regions: the map is a failed row with a reason."""
    layers = np.zeros((6, 6, 1, 2), np.uint8)
    layers[1:4, 1:4, 0, 0] = layers[2:5, 2:5, 0, 1] = 1
    for side in ("p", "r"):
        (tmp_path / side).mkdir()
        make.nifti(tmp_path / side / "a.nii.gz", layers)
        make.nifti(tmp_path / side / "b.nii.gz", layers[..., 0] * 2)
        make.nifti(tmp_path / side / "c.nii.gz", np.concatenate([layers, layers[..., :1]], -1))
    done = run("batch", tmp_path / "p", tmp_path / "r", *SERIAL, "-f", "json", "-q")
    assert done.exit_code == 3
    first, *others = json.loads(done.stdout)["cases"]
    assert first["status"] == "scored"
    assert [each["error"] for each in others] == ["ChannelMismatch"] * 2
    assert others[0]["message"] == "it is a label map, and the first case of this run, a, is 2 binary layers"
    # The hint, followed: with a region for each layer the map has them too; other layers stay an error.
    regions = ["--region", "whole=2", "--region", "core=2"]
    done = run("batch", tmp_path / "p", tmp_path / "r", *SERIAL, *regions, "-f", "json", "-q")
    one, other, third = json.loads(done.stdout)["cases"]
    assert [one["status"], other["status"], third["error"]] == ["scored", "scored", "ChannelMismatch"]
    assert [row["tp"] for row in other["labels"]] == [9, 9]


# No right pair gets advice.

#: Pairs of the shared folder whose labels do not mean the same, with what is to be said of them.
WRONG = {
    ("nifti/totalseg_liver_roi5.nii.gz", "nifti/totalseg_liver_bin.nii.gz"): "relabelling",
    ("png/dl2_bird_pred_instance.png", "png/dl2_bird_gt.png"): "relabelling",
    ("png/mseg_pred.png", "png/mseg_gt.png"): "relabelling",
    ("png/mseg_gt.png", "png/mseg_gt_relabeled.png"): "relabelling",
    ("png/ps_basn3p08.png", "png/ps_ibasn3p08.png"): "relabelling",
}


@pytest.mark.skipif(not places.SHARED_MASKS.exists(), reason="the shared masks are not here")
def test_no_right_pair_gets_advice():
    """Of the real pairs those whose labels mean the same get none, in either order; wrong ones get the right one."""
    masks = places.SHARED_MASKS
    settings, scored = make_settings(), 0
    with (masks / "pairs.csv").open(newline="") as file:
        pairs = [(row["one"], row["other"]) for row in csv.DictReader(file)]
    for one, other in pairs:
        if "landcover" in one:  # 28 million pixels: the longest of them
            continue
        for pair in ((one, other), (other, one)):
            result = result_of(Case("a", *(str(masks / each) for each in pair)), settings)
            if not isinstance(result, Scored):
                continue
            scored += 1
            report = Report([result], settings)
            kinds = [each.kind for each in report.case(result).suggestions if each.kind != "nodata"]
            assert kinds == ([WRONG[one, other]] if (one, other) in WRONG else []), pair
    assert scored > 40


def test_labels_that_lie_in_the_place_of_others_after_a_mirror_are_not_to_be_renumbered():
    """A prediction upside down, whose labels 1 and 2 come to lie on each other: the mirror fits, new numbers do not."""
    reference = box((90, 120), (11, 40), (16, 45))
    reference[50:71, 24:46] = 2
    reference[33:68, 78:113] = 3
    found = only(reference[::-1], reference)
    assert (found.kind, found.then) == ("moved", 1.0)
