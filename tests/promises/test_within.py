"""Only pixels inside a field are compared, and nodata of both sides is left out where that is asked for."""

from __future__ import annotations

import json
import math

import layered
import make
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from record_schema import loaded
from streams import runner

import dicecli
from dicecli.cli import cli
from dicecli.errors import Missing, NotLabels, ShapeMismatch, UsageError
from dicecli.reports.reading_back import from_dict
from dicecli.statistics.matrix import label_counts

SHAPE = (9, 8, 4)
RNG = np.random.default_rng(5)
REFERENCE = make.blobs(SHAPE, 4, 1).astype(np.uint8)
PREDICTION = np.where(RNG.random(SHAPE) < 0.3, make.blobs(SHAPE, 4, 2), REFERENCE).astype(np.uint8)
INSIDE = np.zeros(SHAPE, bool)
INSIDE[1:7, 2:] = True
INSIDE[3, 4] = False
#: Every boundary, and what is counted by slice.
METRICS = ("dice", "iou", "hd95", "assd", "nsd_1px", "boundary_iou", "centroid_distance")


def counts(report):
    return label_counts(report.scored[0].measured)


def brute(prediction, reference, kept):
    """Count what is compared alone."""
    return make.brute(np.asarray(prediction)[kept], np.asarray(reference)[kept])


@given(st.integers(0, 10**6), st.sampled_from(["none", "all", "some"]), st.booleans())
@settings(max_examples=25)
def test_the_law_of_a_field(seed, share, is_both):
    """Counts are those of the pixels inside alone; every pixel is compared, or left out for its first reason."""
    rng = np.random.default_rng(seed)
    reference, prediction = (rng.integers(0, 5, (5, 6)).astype(np.uint8) for _ in range(2))
    hidden, unknown = (rng.random((5, 6)) < 0.2 for _ in range(2))
    inside = {"none": 0.0, "all": 1.0, "some": 0.5}[share] > rng.random((5, 6))
    report = dicecli.score(
        np.ma.masked_array(prediction, unknown),
        np.ma.masked_array(reference, hidden),
        within=inside * rng.integers(1, 255, (5, 6)),
        ignore_label=4,
        nodata="both" if is_both else "auto",
    )
    valid = inside & ~hidden & (reference != 4)
    reasons = {
        "ignore_label": (inside & ~hidden & (reference == 4)).sum(),
        "nodata": (inside & hidden).sum(),
        "outside": (~inside).sum(),
    } | ({"nodata_prediction": (valid & unknown).sum()} if is_both else {})
    (result,) = report.scored
    assert result.excluded == reasons
    assert result.counted + sum(result.excluded.values()) == inside.size
    kept = valid & ~unknown if is_both else valid
    assert result.counted == kept.sum()
    predicted = np.where(unknown | (prediction == 4), 99, prediction)
    expected = brute(predicted, reference, kept)
    expected.pop(99, None)
    assert counts(report) == expected
    assert ("no pixel is left to compare" in result.notes) == (not kept.any())


@pytest.mark.parametrize("per_slice", [False, True])
def test_a_field_is_as_an_ignored_label(per_slice):
    """What is outside is left out as an ignored label is, to the last bit, also of surfaces and slices."""
    options = {"metrics": METRICS, "spacing": "voxel", "per_slice": per_slice}
    found = dicecli.score(PREDICTION, REFERENCE, within=INSIDE, **options)
    marked = np.where(INSIDE, REFERENCE, 255).astype(np.uint8)
    expected = dicecli.score(PREDICTION, marked, ignore_label=255, **options)
    assert found.scored[0].measured == expected.scored[0].measured
    assert found.scored[0].excluded == {"ignore_label": 0, "nodata": 0, "outside": (~INSIDE).sum()}
    without = dicecli.score(np.where(INSIDE, PREDICTION, 0), np.where(INSIDE, REFERENCE, 0), **options)
    assert found.look_up("nsd_1px[1]").value != without.look_up("nsd_1px[1]").value


def test_nodata_of_either_side_is_as_nodata_of_the_reference():
    """Nodata of the prediction is left out as that of the reference, also of surfaces, and is tried nowhere else."""
    unknown = np.random.default_rng(8).random(SHAPE) < 0.2
    options = {"metrics": METRICS, "spacing": "voxel"}
    found = dicecli.score(np.ma.masked_array(PREDICTION, unknown), REFERENCE, nodata="both", **options)
    expected = dicecli.score(PREDICTION, np.ma.masked_array(REFERENCE, unknown), **options)
    assert found.scored[0].measured == expected.scored[0].measured
    reference = np.zeros((30, 30), np.uint8)
    reference[3:20, 2:8] = 1
    mirrored = np.ma.masked_equal(np.where(np.arange(30) == 15, 9, reference[:, ::-1]), 9)
    assert dicecli.score(mirrored, reference).scored[0].observed.moved is not None
    assert dicecli.score(mirrored, reference, nodata="both").scored[0].observed is None


def test_the_border_of_a_field_is_no_surface():
    """Two bars that are cut by the field have no rim along its border: by brute force over points."""
    reference, prediction, inside = (np.zeros((12, 20), bool) for _ in range(3))
    reference[4:8, 2:18] = prediction[3:7, 2:18] = True
    inside[:, 5:15] = True

    def rim(mask):
        padded = np.pad(mask | ~inside, 1)
        steps = ((0, 1), (2, 1), (1, 0), (1, 2))
        inner = np.logical_and.reduce([padded[i : i + 12, j : j + 20] for i, j in steps])
        return np.argwhere(mask & inside & ~inner)

    points = [rim(each) for each in (prediction, reference)]
    apart = np.linalg.norm(points[0][:, None] - points[1][None], axis=2)
    report = dicecli.score(prediction, reference, within=inside, metrics=["hd95", "nsd_1px"])
    nearest = apart.min(axis=1), apart.min(axis=0)
    assert report.hd95 == max(np.percentile(each, 95) for each in nearest)
    assert report.look_up("nsd_1px").value == (np.concatenate(nearest) <= 1).mean()


@pytest.mark.parametrize("suffix", [".png", ".nii.gz", ".tif"])
@pytest.mark.parametrize("of_field", [".png", ".nii.gz", ".tif", "array"])
def test_every_format_beside_every_other(tmp_path, suffix, of_field):
    """Masks of any format, and the field of any other: the same counts, with threads and without."""

    def written(name, array, ending):
        array = array[..., 0]
        if ending == "array":
            return array
        write = {".png": make.png, ".nii.gz": make.nifti, ".tif": make.geotiff}[ending]
        return write(tmp_path / f"{name}{ending}", array)

    pair = written("p", PREDICTION, suffix), written("r", REFERENCE, suffix)
    field = written("w", INSIDE.astype(np.uint8) * 7, of_field)
    report = dicecli.score(
        *pair, within=field, threads=2, axes="ij" if ".nii.gz" in {suffix, of_field} else None
    )
    assert counts(report) == brute(PREDICTION[..., 0], REFERENCE[..., 0], INSIDE[..., 0])


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_a_field_is_turned_as_a_prediction_is(tmp_path, suffix, monkeypatch):
    """Axes in other directions are turned; a field a voxel away is refused, as is one of another shape."""
    monkeypatch.setattr("dicecli.masks.pair.WINDOW_PIXELS", 50)
    affine = np.diag([1.0, 1.5, 2.0, 1.0])
    for name, array in (("p", PREDICTION), ("r", REFERENCE)):
        make.nifti(tmp_path / f"{name}{suffix}", array, affine=affine)
    voxels, there = make.turned(INSIDE.astype(np.uint8), affine, (2, 0, 1), (True, False, True))
    make.nifti(tmp_path / f"w{suffix}", voxels, affine=there)
    paths = [tmp_path / f"{name}{suffix}" for name in "prw"]
    report = dicecli.score(*paths[:2], within=paths[2], metrics=["dice", "hd95"])
    assert counts(report) == brute(PREDICTION, REFERENCE, INSIDE)
    again = dicecli.score(PREDICTION, REFERENCE, within=INSIDE, metrics=["hd95"], spacing="voxel")
    assert report.scored[0].counted == again.scored[0].counted
    assert any("within: the field's axes were turned" in each for each in report.notes)
    affine[0, 3] = 1
    make.nifti(paths[2], INSIDE.astype(np.uint8), affine=affine)
    with pytest.raises(dicecli.DicecliError, match=r"within .*it does not lie on the reference.*apart"):
        dicecli.score(*paths[:2], within=paths[2])
    assert dicecli.score(*paths[:2], within=paths[2], geometry="ignore").scored[0].counted == INSIDE.sum()


@pytest.mark.parametrize("threads", [1, 3])
def test_windows_in_any_order(tmp_path, monkeypatch, threads):
    """Threads that share the windows of tiles each read the field as well, whose tiles are others."""
    monkeypatch.setattr("dicecli.masks.pair.WINDOW_PIXELS", 256)
    monkeypatch.setattr("dicecli.statistics._sharing.WORTH_PIXELS", 1)
    shape = (70, 50)
    arrays = [make.blobs(shape, 3, seed).astype(np.uint8) for seed in (1, 2, 3)]
    paths = [
        make.geotiff(tmp_path / f"{side}.tif", each, tiled=True, blockxsize=side, blockysize=16)
        for side, each in zip((16, 32, 48), arrays, strict=True)
    ]
    report = dicecli.score(*paths[:2], within=paths[2], threads=threads, metrics=["dice", "hd95"])
    assert counts(report) == brute(*arrays[:2], arrays[2] > 0)


@pytest.mark.parametrize("tag", [9, 0])
def test_nodata_of_a_field_is_outside(tmp_path, tag):
    """Its tag and what a masked array masks are outside as 0 is, whatever --nodata says of the masks."""
    stored = np.where(INSIDE[..., 0], 3, 0).astype(np.uint8)
    stored[5:] = 9
    make.geotiff(tmp_path / "w.tif", stored, nodata=tag)
    kept = (stored == 3) | ((stored == 9) & (tag == 0))
    pair = PREDICTION[..., 0], REFERENCE[..., 0]
    for field in (tmp_path / "w.tif", np.ma.masked_equal(stored, tag)):
        report = dicecli.score(*pair, within=field, nodata="label")
        assert counts(report) == brute(*pair, kept)


def test_a_field_without_the_axis_of_length_1_that_both_masks_have():
    """The reference stays as it is, and the field gets the axis."""
    pair = PREDICTION[:, None, :, 0], REFERENCE[:, None, :, 0]
    report = dicecli.score(*(each[None, :, 0] for each in pair), within=INSIDE[..., 0])
    assert report.scored[0].shape == (1, 9, 8)
    assert counts(report) == brute(PREDICTION[..., 0], REFERENCE[..., 0], INSIDE[..., 0])


@pytest.mark.parametrize("axes", ["xy", "ij"])
def test_an_image_as_the_field_of_volumes(tmp_path, axes):
    """Where the first axis of a NIfTI is the column, the field is turned to the reference, not that one."""
    inside = INSIDE[:, :8, 0]
    for name, array in (("p", PREDICTION), ("r", REFERENCE)):
        make.nifti(tmp_path / f"{name}.nii", array[..., 0].T if axes == "xy" else array[..., 0])
    make.png(tmp_path / "w.png", inside.astype(np.uint8))
    report = dicecli.score(tmp_path / "p.nii", tmp_path / "r.nii", within=tmp_path / "w.png", axes=axes)
    assert counts(report) == brute(PREDICTION[..., 0], REFERENCE[..., 0], inside)


def test_what_values_mean_is_a_matter_of_whole_masks():
    """Where 255 beside other labels is one, it is so also inside a field that has only 0 and 255."""
    reference = np.array([[0, 255, 1, 2]])
    report = dicecli.score(reference, reference, within=[[1, 1, 0, 0]])
    assert [*counts(report)] == [0, 255]
    with pytest.raises(dicecli.DicecliError, match="label 2"):
        dicecli.score(
            reference * (reference < 255), reference * 0, within=[[1, 1, 0, 0]], labels={"labels": {"a": 1}}
        )


def test_binary_layers():
    """Of layers that overlap each is counted inside alone, whichever side has them."""
    layers, others = layered.drawn(SHAPE, 3, 1), layered.drawn(SHAPE, 3, 2)
    kept = INSIDE
    found = dicecli.score(layered.image(others), layered.image(layers), within=INSIDE)
    expected = [
        make.brute(p[kept].astype(int), r[kept].astype(int))[1] for p, r in zip(others, layers, strict=True)
    ]
    assert [*layered.found(found.scored[0]).values()] == expected
    hidden = np.zeros(SHAPE, bool)
    hidden[2] = True
    masked = np.ma.masked_array(REFERENCE, hidden)
    found = dicecli.score(
        masked, layered.image(layers), within=INSIDE, nodata="both", regions=layered.REGIONS
    )
    kept = INSIDE & ~hidden
    expected = layered.brute(layered.of_map(REFERENCE)[:, kept], layers[:, kept])
    assert [*layered.found(found.scored[0]).values()] == expected
    assert found.scored[0].excluded["nodata_prediction"] == (INSIDE & hidden).sum()
    found = dicecli.score(
        layered.image(others), masked, within=INSIDE, ignore_label=3, regions=layered.REGIONS
    )
    assert found.scored[0].excluded == {
        "ignore_label": (kept & (REFERENCE == 3)).sum(),
        "nodata": (INSIDE & hidden).sum(),
        "outside": (~INSIDE).sum(),
    }


@pytest.mark.parametrize("threads", [1, 3])
def test_maps_of_probabilities(tmp_path, monkeypatch, threads):
    """Sums are those of the pixels inside alone; with nodata of both sides also of those that the map knows."""
    monkeypatch.setattr("dicecli.statistics._sharing.WORTH_PIXELS", 1)
    monkeypatch.setattr("dicecli.masks.pair._LEAST_PIXELS", 50)
    rng = np.random.default_rng(3)
    p, unknown = rng.random(SHAPE), rng.random(SHAPE) < 0.1
    reference = np.where(REFERENCE == 3, 7, REFERENCE > 1).astype(np.uint8)
    names = ("soft_dice_standard", "cross_entropy", "brier", "average_precision")
    options = {"metrics": names, "ignore_label": 7}

    def values_of(report):
        return [report.look_up(name).value for name in names]

    def near(report):
        return pytest.approx(values_of(report), rel=1e-12)

    paths = [make.nifti(tmp_path / f"{name}.nii.gz", each) for name, each in (("p", p), ("r", reference))]
    found = dicecli.soft(*paths, within=INSIDE, threads=threads, **options)
    assert values_of(found) == near(dicecli.soft(p[INSIDE], reference[INSIDE], **options))
    reasons = {"ignore_label": (INSIDE & (reference == 7)).sum(), "nodata": 0, "outside": (~INSIDE).sum()}
    assert found.scored[0].excluded == reasons
    masked = np.ma.masked_array(p, unknown)
    kept = INSIDE & ~unknown
    found = dicecli.soft(masked, reference, within=INSIDE, threads=threads, nodata="both", **options)
    assert values_of(found) == near(dicecli.soft(p[kept], reference[kept], **options))
    without = (INSIDE & unknown & (reference != 7)).sum()
    assert found.scored[0].excluded == reasons | {"nodata_prediction": without}


def test_nodata_of_either_side(tmp_path):
    """The tag of each file counts; pixels that the prediction leaves out are said, and the default counts them."""
    reference = np.where(RNG.random((9, 8)) < 0.2, 9, REFERENCE[..., 0])
    prediction = np.where(RNG.random((9, 8)) < 0.2, 0, PREDICTION[..., 0])
    pair = [
        make.geotiff(tmp_path / f"{name}.tif", array.astype(np.uint8), nodata=nodata)
        for name, array, nodata in (("p", prediction, 0), ("r", reference, 9))
    ]
    report = dicecli.score(*pair, nodata="both", metrics=["dice", "hd95"])
    kept = (reference != 9) & (prediction != 0)
    assert counts(report) == brute(prediction, reference, kept)
    number = ((reference != 9) & (prediction == 0)).sum()
    assert report.scored[0].excluded["nodata_prediction"] == number
    assert any(f"{number} pixels where the reference is valid are left out" in note for note in report.notes)
    assert (
        f"left out: {(reference == 9).sum()} of nodata, {number} of the prediction's nodata"
        in report.render("markdown")
    )
    assert counts(dicecli.score(*pair)) == brute(prediction, reference, reference != 9)


@pytest.mark.parametrize(
    ("field", "kind", "said"),
    [
        (np.full(SHAPE[:2], 0.5), NotLabels, "not all integers"),
        (np.ones((3, 3)), ShapeMismatch, "does not lie on the reference; taken for a prediction"),
        ("nowhere.png", Missing, "within nowhere.png"),
        (np.full(SHAPE[:2], math.inf), NotLabels, "infinity"),
    ],
)
def test_what_is_no_field(field, kind, said):
    with pytest.raises(kind, match=said) as told:
        dicecli.score(PREDICTION[..., 0], REFERENCE[..., 0], within=field)
    assert told.value.side == "within"
    assert kind is not NotLabels or "0 and nodata are outside" in told.value.hint


def test_a_batch_with_a_field_for_each_case(tmp_path, monkeypatch):
    """By pattern, by one file, or by a column; a field that is not there is a failed row; JSON says which it was."""
    monkeypatch.chdir(tmp_path)
    for name, at in (("a", 0), ("b", 1)):
        for folder, array in (("p", PREDICTION), ("r", REFERENCE), ("w", INSIDE.astype(np.uint8))):
            path = tmp_path / folder / f"{name}.png"
            path.parent.mkdir(exist_ok=True)
            make.png(path, array[..., at])
    sums = [brute(PREDICTION[..., at], REFERENCE[..., at], INSIDE[..., at]) for at in (0, 1)]
    words = ["batch", "p", "r", "-o", "o.json", "-j", "1", "-m", "dice"]

    def found(*more):
        done = runner().invoke(cli, [*words, *more])
        report = from_dict(loaded((tmp_path / "o.json").read_text()))
        return done.exit_code, report, [label_counts(each.measured) for each in report.scored]

    code, report, counted = found("--within-pattern", "w/{case}.png")
    assert (code, counted) == (0, sums)
    assert [each.case.within for each in report.results] == ["w/a.png", "w/b.png"]
    assert found("--within", "w/a.png")[2][0] == sums[0]
    shown = runner().invoke(cli, ["batch", "p", "r", "--dry-run", "--within-pattern", "w/{case}.png"]).stdout
    assert "  within      w/b.png" in shown.splitlines()
    (tmp_path / "x.csv").write_text(
        "prediction,reference,within,width\np/a.png,r/a.png,w/a.png,1\np/b.png,r/b.png,,2\n"
    )
    words[1:3] = ["--pairs", "x.csv"]
    code, report, counted = found()
    whole = np.ones(SHAPE[:2], bool)
    assert counted == [sums[0], brute(PREDICTION[..., 1], REFERENCE[..., 1], whole)]
    assert [each.case.columns for each in report.results] == [(("width", "1"),), (("width", "2"),)]
    for more, said in (
        (("--within", "w/a.png"), "in its column within"),
        (("--within-pattern", "w/a.png"), "has no {case}"),
        (("--within-pattern", "w/{case}.png", "--within", "w/a.png"), "exclude each other"),
    ):
        assert said in runner().invoke(cli, [*words, *more]).stderr
    words[1:3] = ["p", "r"]
    (tmp_path / "w" / "b.png").unlink()
    code, report, counted = found("--within-pattern", "w/{case}.png")
    assert (code, counted, report.results[1].error) == (3, sums[:1], "Missing")


def test_a_field_that_changes_is_scored_anew(tmp_path):
    """A journal's entry depends on the field as on both masks."""
    from dicecli.records.cases import Case
    from dicecli.runs.fingerprint import fingerprint
    from dicecli.runs.scoring import make_settings

    make.png(tmp_path / "w.png", INSIDE[..., 0].astype(np.uint8))
    pair = [
        make.png(tmp_path / f"{name}.png", array[..., 0])
        for name, array in (("p", PREDICTION), ("r", REFERENCE))
    ]
    case = Case("a", *map(str, pair), within=str(tmp_path / "w.png"))
    before = fingerprint(case, make_settings())
    make.png(tmp_path / "w.png", INSIDE[..., 1].astype(np.uint8)[:, :5])
    assert before != fingerprint(case, make_settings())
    assert [side for side, _ in case.files] == ["reference", "prediction", "within"]


def test_one_case_after_the_other():
    """An evaluator takes a field with each case; what is no mask at all is refused."""
    evaluator = dicecli.Evaluator()
    evaluator.update(PREDICTION, REFERENCE, within=INSIDE)
    assert counts(evaluator.compute()) == brute(PREDICTION, REFERENCE, INSIDE)
    with pytest.raises(UsageError, match="within is bytes"):
        dicecli.score(PREDICTION, REFERENCE, within=b"w.png")


def test_records_that_do_not_know_of_fields():
    """A record without the newer reasons is read; one with a reason that there is not is refused."""
    report = dicecli.score(PREDICTION, REFERENCE)
    old = json.loads(json.dumps(report.to_dict()))
    assert from_dict(old).scored[0].excluded == {"ignore_label": 0, "nodata": 0}
    old["cases"][0]["excluded"]["weather"] = 1
    with pytest.raises(dicecli.DicecliError, match="excluded"):
        from_dict(old)


@pytest.mark.parametrize("volume", ["p", "r"])
def test_axes_in_doubt_are_looked_at_inside_the_field(tmp_path, volume):
    """Whether a volume beside an image fits better with its axes swapped is told of what is compared."""
    rng = np.random.default_rng(4)
    labels = np.tri(12, dtype=np.uint8)
    noisy = np.where(rng.random((12, 12)) < 0.1, 1 - labels, labels)
    inside = np.zeros((12, 12), np.uint8)
    inside[1:9, 3:] = 1
    field = inside if volume == "p" else inside.T
    for name, each in (("p", noisy), ("r", labels), ("w", field)):
        if name == volume:
            make.nifti(tmp_path / f"{name}.nii", each.T[..., None])
        else:
            make.png(tmp_path / f"{name}.png", each)
    pair = [tmp_path / f"{name}.{'nii' if name == volume else 'png'}" for name in "pr"]

    def iou(prediction, reference):
        prediction, reference = (each[field == 1] for each in (prediction, reference))
        return (prediction & reference).sum() / (prediction | reference).sum()

    now = iou(noisy.T, labels) if volume == "p" else iou(noisy, labels.T)
    # The image is turned, and the field with it where that is the reference.
    then = iou(noisy.T, labels.T) if volume == "r" else iou(noisy, labels)
    with pytest.raises(
        dicecli.DicecliError, match=f"macro IoU would be {then:.2f}, and is {now:.2f}"
    ) as told:
        dicecli.score(*pair, within=tmp_path / "w.png")
    assert "--axes xy" in told.value.hint
    report = dicecli.score(*pair, within=tmp_path / "w.png", axes="xy")
    assert counts(report) == brute(noisy, labels, field == 1)


def test_a_prediction_that_would_fit_mirrored_is_tried_inside_the_field():
    """The numbers that it would have are those of the mirrored prediction in the same field."""
    reference = np.zeros((30, 30), np.uint8)
    reference[3:20, 2:8] = 1
    inside = np.ones((30, 30), bool)
    inside[8:11] = inside[:, 25] = False
    report = dicecli.score(reference[:, ::-1], reference, within=inside)
    moved = report.scored[0].observed.moved
    kept = (int((inside & (reference == label)).sum()) for label in (0, 1))
    assert (moved.mirrored, moved.cells.pixels) == ((1,), tuple(kept))


@pytest.mark.parametrize("tag", [None, 3])
def test_a_field_of_a_raster_that_tiles_lie_in(tmp_path, tag):
    """Every tile is compared inside its part of the field, and so is what no tile covers; each pixel once."""
    rng = np.random.default_rng(1)
    reference, prediction = (rng.integers(0, 4, (8, 8)).astype(np.uint8) for _ in range(2))
    inside = rng.random((8, 8)) < 0.6
    make.geotiff(tmp_path / "r.tif", reference, nodata=tag)
    make.geotiff(tmp_path / "w.tif", inside.astype(np.uint8))
    (tmp_path / "tiles").mkdir()
    east, north = make.UTM32[2], make.UTM32[5]
    prediction[4:, 4:] = 0
    for row, column in ((0, 0), (0, 4), (4, 0)):
        there = (10.0, 0.0, east + 10 * column, 0.0, -10.0, north - 10 * row)
        tile = prediction[row : row + 4, column : column + 4]
        make.geotiff(tmp_path / "tiles" / f"{row}{column}.tif", tile, transform=there)
    report = dicecli.batch(tmp_path / "tiles", tmp_path / "r.tif", within=tmp_path / "w.tif")
    assert len(report.scored) == 4
    kept = inside & (reference != tag)
    assert sum(label_counts(each.measured)[1].tp for each in report.scored) == (
        brute(prediction, reference, kept)[1].tp
    )
    assert sum(each.counted for each in report.scored) == kept.sum()
    for reason, where in (("outside", ~inside), ("nodata", inside & (reference == tag))):
        assert sum(each.excluded[reason] for each in report.scored) == where.sum()


@pytest.mark.parametrize("side", ["prediction", "reference"])
def test_a_field_that_is_a_side_itself(tmp_path, monkeypatch, side):
    """It flatters, which every output says, whatever the path; a field that is a copy of nothing is not told."""
    monkeypatch.chdir(tmp_path)
    files = {"prediction": make.nifti(tmp_path / "p.nii", PREDICTION)}
    files["reference"] = make.nifti(tmp_path / "r.nii", REFERENCE)
    (tmp_path / "link.nii").symlink_to(files[side])
    make.nifti(tmp_path / "f.nii", INSIDE.astype(np.uint8))
    note = f"within: it is the {side} itself: what "
    for form in ("table", "json", "csv", "markdown"):
        found = runner().invoke(cli, ["score", "p.nii", "r.nii", "--within", "link.nii", "-f", form])
        assert found.exit_code == 0
        assert note in " ".join((found.stdout + found.stderr).split())
    assert not any("itself" in each for each in dicecli.score("p.nii", "r.nii", within="f.nii").notes)
    arrays = {"prediction": PREDICTION, "reference": REFERENCE}
    assert any(each.startswith(note) for each in dicecli.score(**arrays, within=arrays[side]).notes)


def test_overlaps_are_counted_inside(tmp_path):
    """How many pixels lie in more than one class is a matter of those that are compared."""
    for side in "pr":
        (tmp_path / side).mkdir()
        for name in "ab":
            make.nifti(tmp_path / side / f"{name}.nii", np.ones(SHAPE, np.uint8))
    make.nifti(tmp_path / "f.nii", INSIDE.astype(np.uint8))
    report = dicecli.score(tmp_path / "p", tmp_path / "r", within=tmp_path / "f.nii")
    assert f"reference: {INSIDE.sum()} pixels lie in more than one class: counted in each" in report.notes


def test_a_baseline_with_another_field():
    """A comparison says where fields differ: in their names, or in what they leave out."""
    fields = (None, INSIDE, ~INSIDE, INSIDE.astype(np.uint8))
    one, *others = (dicecli.score(PREDICTION, REFERENCE, within=each) for each in fields)
    said = "other settings than the baseline: within"
    same = dicecli.score(PREDICTION, REFERENCE, within=INSIDE)
    notes = [
        dicecli.score(PREDICTION, REFERENCE, within=INSIDE, baseline=each) for each in (one, *others, same)
    ]
    assert [said in each.comparison.notes for each in notes] == [True, False, True, False, False]
    options = {"map_prediction": "1-3:+0", "nodata": "both", "only": 2, "window": True}
    there = dicecli.score(PREDICTION, REFERENCE, **options)
    for mine, other in (({}, there), (options, one)):
        (note, *_) = dicecli.score(PREDICTION, REFERENCE, **mine, baseline=other).comparison.notes
        assert {*note.partition(": ")[2].split(", ")} == {*options}


def test_many_cases_say_what_was_left_out_by_reason():
    """Tables of a run have the sums; one that leaves nothing out has no such line."""
    cases = [dicecli.Case(name, PREDICTION, REFERENCE, within=INSIDE) for name in "ab"]
    report = dicecli.score_many(cases, dicecli.make_settings())
    inside, outside = 2 * int(INSIDE.sum()), 2 * int((~INSIDE).sum())
    assert f"{inside:,} pixels; left out: {outside:,} outside the field" in report.render("table")
    whole = [dicecli.Case(name, PREDICTION, REFERENCE) for name in "ab"]
    assert "left out:" not in dicecli.score_many(whole, dicecli.make_settings()).render("table")
