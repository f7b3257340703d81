"""A folder of tiles against one raster: what is counted is what the whole raster counts, or how much more is said."""

from __future__ import annotations

import json
import math
import re

import make
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from streams import runner

import dicecli
from dicecli.cli import cli
from dicecli.errors import PairingError
from dicecli.masks.windows import union
from dicecli.records.compound import Uncovered
from dicecli.runs.fingerprint import fingerprint
from dicecli.runs.scoring import make_settings
from dicecli.runs.tiles import UNCOVERED
from dicecli.statistics.matrix import region_counts

SHAPE = (37, 45)
PREDICTION, REFERENCE = make.blobs(SHAPE, 4), make.blobs(SHAPE, 4, seed=1)
#: What is predicted where nothing is: no label.
NOTHING = -1
#: A mosaic of 4 x 4: ragged at the right and at the bottom.
MOSAIC = [
    ((row, min(row + 10, 37)), (column, min(column + 12, 45)))
    for row in range(0, 37, 10)
    for column in range(0, 45, 12)
]


def at(row, column):
    """Return the transform of a map that begins at a pixel of one of 10 m."""
    return (10, 0, 6e5 + 10 * column, 0, -10, 58e5 - 10 * row)


def slices(box):
    return tuple(slice(*ends) for ends in box)


def written(folder, boxes, tiles=PREDICTION, whole=REFERENCE, **options):
    """Write a folder of tiles and the other side's raster; return both."""
    (folder / "tiles").mkdir(exist_ok=True)
    for number, box in enumerate(boxes):
        (row, _), (column, _) = box
        make.geotiff(folder / "tiles" / f"{number}.tif", tiles[slices(box)], transform=at(row, column))
    return folder / "tiles", make.geotiff(folder / "w.tif", whole, transform=at(0, 0), **options)


def summed(report):
    """Return what each label has over all cases: true positives, false positives, false negatives."""
    found = {}
    for case in report.scored:
        for label, each in make.counts(case).items():
            found[label] = np.add(found.get(label, 0), (each.tp, each.fp, each.fn))
    return {label: tuple(each.tolist()) for label, each in found.items() if each.any()}


def expected(prediction, reference):
    found = {label: (each.tp, each.fp, each.fn) for label, each in make.brute(prediction, reference).items()}
    return {label: each for label, each in found.items() if any(each) and label != NOTHING}


@pytest.mark.parametrize("axes", [1, 2, 3])
@given(st.data())
@settings(max_examples=25)
def test_what_boxes_cover(axes, data):
    """The union of boxes is what painting them fills."""
    ends = st.tuples(st.integers(0, 9), st.integers(1, 5)).map(lambda each: (each[0], sum(each)))
    boxes = data.draw(st.lists(st.tuples(*[ends] * axes), max_size=7))
    painted = np.zeros([14] * axes, bool)
    for box in boxes:
        painted[slices(box)] = True
    assert union(boxes) == painted.sum()


@pytest.mark.parametrize(
    "options", [{}, {"nodata": 3, "tiled": True, "blockxsize": 16, "blockysize": 16}], ids=str
)
@pytest.mark.parametrize("holes", [(), (5, 15)])
def test_pooled_counts_are_those_of_the_whole(holes, options, tmp_path):
    """Of a mosaic with ragged edges; what no tile covers is missed, as nodata of the prediction is."""
    boxes = [box for number, box in enumerate(MOSAIC) if number not in holes]
    report = dicecli.batch(*written(tmp_path, boxes, **options), jobs=1)
    whole = PREDICTION.astype(np.int16)
    for number in holes:
        whole[slices(MOSAIC[number])] = NOTHING
    is_known = REFERENCE != options.get("nodata", -1)
    assert summed(report) == expected(whole[is_known], REFERENCE[is_known])
    assert sum(case.counted for case in report.scored) == is_known.sum()
    assert sum(sum(case.excluded.values()) for case in report.scored) == (~is_known).sum()
    alone = make.geotiff(tmp_path / "p.tif", whole, transform=at(0, 0), nodata=NOTHING)
    at_once = dicecli.score(alone, tmp_path / "w.tif")
    assert report.look_up("overall_accuracy").value == at_once.look_up("overall_accuracy").value
    assert report.dice == at_once.dice
    left = sum(math.prod(b - a for a, b in MOSAIC[number]) for number in holes)
    assert any(f"no tile covers {left:,} pixels" in note for note in report.notes) == bool(holes)
    assert not any("overlap" in note for note in report.notes)
    if holes:
        last = report.scored[-1].case
        assert last.name == UNCOVERED
        assert last.reference.endswith("w.tif, where none of 14 tiles lies")


def test_background_that_no_tile_covers_is_no_hit(tmp_path):
    """A tile of zeros in a larger reference: accuracy is of what is predicted, and background has no more tp."""
    reference = np.zeros((4, 12), np.uint8)
    reference[:2, :2] = 1
    given_ = written(tmp_path, [((0, 4), (0, 4))], np.zeros((4, 4), np.uint8), reference)
    report = dicecli.batch(*given_, jobs=1, include_background=True, metrics=["overall_accuracy", "dice"])
    assert summed(report) == {0: (12, 4, 32), 1: (0, 0, 4)}
    assert report.look_up("overall_accuracy").value == 12 / 48


def test_overlaps_are_counted_twice_and_said(tmp_path):
    """Tiles that reach two pixels into their neighbours: sums are of all tiles, and by how much is a note."""
    boxes = [tuple((a, min(b + 2, n)) for (a, b), n in zip(box, SHAPE, strict=True)) for box in MOSAIC]
    report = dicecli.batch(*written(tmp_path, boxes), jobs=1)
    times = np.zeros(SHAPE, int)
    for box in boxes:
        times[slices(box)] += 1
    assert summed(report) == expected(
        np.repeat(PREDICTION, times.ravel()), np.repeat(REFERENCE, times.ravel())
    )
    excess = times.sum() - times.size
    note = f"tiles overlap: {excess:,} pixels are counted in excess, {excess / times.size:.2%} of what they cover"
    assert any(note in each for each in report.notes)
    assert len(report.scored) == 16


def test_what_no_tile_covers_can_be_left_out(tmp_path):
    """--uncovered ignore: the tiles alone are counted, and every output says how much is left out."""
    given_ = written(tmp_path, MOSAIC[:12])
    report = dicecli.batch(*given_, jobs=1, uncovered="ignore", output=tmp_path / "o.json")
    assert summed(report) == expected(PREDICTION[:30], REFERENCE[:30])
    said = f"no tile covers {7 * 45:,} pixels of the reference, {7 / 37:.2%} of it: left out, as was asked"
    assert said in report.notes
    record = json.loads((tmp_path / "o.json").read_text())
    assert said in record["summary"]["notes"]
    (run,) = record["origin"]["runs"]
    assert run["options"] == ["--window", "--uncovered ignore"]


def test_tiles_of_the_reference(tmp_path):
    """A prediction without gaps against labelled tiles: the rest has no reference, and is left out."""
    tiles, whole = written(tmp_path, MOSAIC[4:8], REFERENCE, PREDICTION)
    report = dicecli.batch(whole, tiles, jobs=1)
    assert summed(report) == expected(PREDICTION[10:20], REFERENCE[10:20])
    assert any("pixels of the prediction" in note and "no reference" in note for note in report.notes)


def test_tiles_that_are_not_read_are_failed_rows(tmp_path):
    """A tile of the reference in a format that is not read, beside ones that are: a failed row."""
    predictions, references = written(tmp_path, MOSAIC[:2])
    for words in ((predictions, references), (references, predictions)):
        (tmp_path / "tiles" / "x.mha").write_bytes(b"x")
        report = dicecli.batch(*words, uncovered="ignore", jobs=1)
        assert ["x"] == [each.case.name for each in report.failed]


def test_tiles_that_are_no_windows_are_failed_rows(tmp_path):
    """Without a place, a fraction of a pixel beside, damaged: they cover nothing, and say what is wrong."""
    tiles, whole = written(tmp_path, MOSAIC[:4])
    make.png(tiles / "a.png", PREDICTION[10:20])
    make.geotiff(tiles / "b.tif", PREDICTION[10:20], transform=at(10.4, 0))
    (tiles / "c.tif").write_bytes(b"II*\0")
    report = dicecli.batch(tiles, whole, jobs=1)
    failed = {each.case.name: each.error for each in report.results if each.status == "failed"}
    assert set(failed) == {"a", "b", "c"}
    assert failed["a"] == failed["b"] == "ShapeMismatch"
    assert any(f"no tile covers {27 * 45:,} pixels" in note for note in report.notes)


def test_no_tile_at_all_lies_in_it(tmp_path):
    """Where every tile is refused nothing is said of what they cover, and nothing is counted as missed."""
    tiles, whole = written(tmp_path, MOSAIC[:1], whole=REFERENCE[20:])
    make.geotiff(tiles / "0.tif", PREDICTION[:4], transform=at(500, 0))
    report = dicecli.batch(tiles, whole, jobs=1)
    assert not report.scored
    assert not any("no tile covers" in note for note in report.notes)


def test_tiles_that_are_a_file_for_each_class(tmp_path):
    """Classes by name against a raster of labels; what no tile covers is no case of the same rows, and left out."""
    _, whole = written(tmp_path, [])
    for name, label in (("road", 1), ("roof", 2)):
        for number, (row, column) in enumerate(((0, 0), (10, 12))):
            (tmp_path / "tiles" / str(number)).mkdir(exist_ok=True)
            part = (PREDICTION[row : row + 10, column : column + 12] == label).astype(np.uint8)
            make.geotiff(tmp_path / "tiles" / str(number) / f"{name}.tif", part, transform=at(row, column))
    labels = {"labels": {"1": "road", "2": "roof", "3": "tree"}}
    options = {"labels": labels, "prediction_pattern": "{case}/{label}.tif", "only": ["road", "roof"]}
    report = dicecli.batch(tmp_path / "tiles", whole, jobs=1, **options)
    boxes = np.s_[:10, :12], np.s_[10:20, 12:24]
    here, there = (np.concatenate([each[box].ravel() for box in boxes]) for each in (PREDICTION, REFERENCE))
    found = {"road": np.zeros(3, int), "roof": np.zeros(3, int)}
    for case in report.scored:
        for name, each in region_counts(case.measured, dict.fromkeys(found, ())).items():
            found[name] += np.array([each.tp, each.fp, each.fn])
    by_label = expected(here, there)
    assert {name: tuple(each) for name, each in found.items()} == {"road": by_label[1], "roof": by_label[2]}
    assert any("since tiles have a file for each class" in note for note in report.notes)


def test_volumes(tmp_path):
    """Crops of a volume: the same algebra, boundaries of what no crop covers as of a prediction that is not there."""
    prediction, reference = make.blobs((9, 8, 7), 3), make.blobs((9, 8, 7), 3, seed=1)
    (tmp_path / "tiles").mkdir()
    for number, start in enumerate((0, 4)):
        affine = np.eye(4)
        affine[0, 3] = start
        make.nifti(tmp_path / "tiles" / f"{number}.nii.gz", prediction[start : start + 4], affine=affine)
    whole = make.nifti(tmp_path / "w.nii.gz", reference)
    report = dicecli.batch(tmp_path / "tiles", whole, jobs=1, metrics="dice,hd95")
    missed = prediction.astype(np.int16)
    missed[8:] = NOTHING
    assert summed(report) == expected(missed, reference)
    assert report.value("hd95[1]", UNCOVERED) == math.inf


def test_a_large_part_is_read_through_its_windows(tmp_path, monkeypatch):
    """Windows that tiles cover are not read; others are, with what is covered left out."""
    from dicecli.masks import blocks, pair

    monkeypatch.setattr(pair, "WINDOW_PIXELS", 64)
    monkeypatch.setattr(pair, "plan", lambda *masks, **_: blocks.plan(*masks, pixels=64, growth=1))
    report = dicecli.batch(*written(tmp_path, MOSAIC[:10]), jobs=1)
    covered = PREDICTION.astype(np.int16)
    for box in MOSAIC[10:]:
        covered[slices(box)] = NOTHING
    assert summed(report) == expected(covered, REFERENCE)


def test_what_is_hidden_is_background_where_that_is_asked_for(tmp_path):
    """--nodata background: what an alpha band hides counts, what tiles cover does not."""
    alpha = np.where(REFERENCE == 2, 0, 255).astype(np.uint8)
    tiles, whole = written(
        tmp_path, MOSAIC[:12], whole=np.stack([REFERENCE, alpha]), photometric="minisblack", alpha="yes"
    )
    report = dicecli.batch(tiles, whole, jobs=1, nodata="background")
    there = PREDICTION.astype(np.int16)
    there[30:] = NOTHING
    assert summed(report) == expected(there, np.where(alpha, REFERENCE, 0))


def test_probabilities(tmp_path):
    """Tiles of probabilities: what no tile covers is left out, since nothing is known there."""
    tiles, whole = written(tmp_path, MOSAIC[:2])
    for number, box in enumerate(MOSAIC[:2]):
        bands = np.random.default_rng(number).dirichlet(np.ones(4), (10, 12)).astype(np.float32)
        make.geotiff(tiles / f"{number}.tif", np.moveaxis(bands, -1, 0), transform=at(0, box[1][0]))
    report = dicecli.batch(tiles, whole, jobs=1, soft=True)
    assert [case.counted for case in report.scored] == [120, 120]
    assert any("since nothing is known of them" in note for note in report.notes)


def test_a_csv_that_names_the_raster_in_each_row(tmp_path):
    """--pairs with --window: the rows' own names, and nothing is said of what no tile covers."""
    written(tmp_path, MOSAIC[:3])
    rows = "".join(f"tiles/{number}.tif,w.tif,row {number}\n" for number in range(3))
    (tmp_path / "pairs.csv").write_text(f"prediction,reference,case\n{rows}")
    report = dicecli.batch(pairs=tmp_path / "pairs.csv", window=True, jobs=1)
    assert summed(report) == expected(PREDICTION[:10, :36], REFERENCE[:10, :36])
    assert [each.case.name for each in report.scored] == ["row 0", "row 1", "row 2"]


def test_a_run_is_resumed_and_what_tiles_cover_is_part_of_it(tmp_path):
    """Of the case of what no tile covers the journal knows where tiles lay; --jobs 2 gives the same bytes."""
    tiles, whole = written(tmp_path, MOSAIC[:6])
    (tiles / "x.tif").write_bytes(b"II*\0")
    words = ["batch", str(tiles), str(whole), "-f", "csv", "-q", "-o", str(tmp_path / "o.json")]
    first = runner().invoke(cli, [*words, "-j", "1"])
    assert first.exit_code == 3
    journal = (tmp_path / "o.json.journal").read_text()
    assert UNCOVERED in journal
    again = runner().invoke(cli, [*words, "-j", "1", "--resume"])
    assert again.stdout == first.stdout
    shown = runner().invoke(cli, ["batch", str(tiles), str(whole), "--dry-run"])
    assert re.search(
        r"\(uncovered\)\n  prediction  \(none\)\n  reference   .*where none of 6 tiles", shown.stdout
    )
    cases = [
        dicecli.Case(UNCOVERED, None, Uncovered(str(whole), boxes, 9)) for boxes in (MOSAIC[:2], MOSAIC[1:3])
    ]
    assert len({fingerprint(each, make_settings()) for each in cases}) == 2


def test_a_raster_that_cannot_be_opened_ends_the_run(tmp_path):
    """It is in every case: that is said once, with the side."""
    tiles, whole = written(tmp_path, MOSAIC[:1])
    whole.write_bytes(b"II*\0")
    with pytest.raises(PairingError, match="reference"):
        dicecli.batch(tiles, whole)
