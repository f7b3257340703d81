"""Files of probabilities: every format and layout gives one answer, and what is wrong is an error that says so."""

from __future__ import annotations

import gzip
import io
import pickle

import make
import numpy as np
import places
import pytest

import dicecli
from dicecli.errors import CaseError, GridMismatch
from dicecli.masks import files
from dicecli.masks.opening import open_probabilities
from dicecli.masks.pair import Pair
from dicecli.plugins import load, own
from dicecli.records.cases import Case
from dicecli.runs import measuring
from dicecli.runs.scoring import make_settings, result_of

READING = [name for name in own("formats") if hasattr(load("formats", name), "open_probabilities")]


def volume(seed=0, shape=(3, 6, 7, 5), dtype=np.float32):
    """Return probabilities, channels first, and a reference."""
    rng = np.random.default_rng(seed)
    z = rng.normal(size=shape)
    p = np.exp(z) / np.exp(z).sum(axis=0)
    return p.astype(dtype), rng.integers(0, shape[0], shape[1:]).astype(np.uint8)


def npy(path, array, **options):
    """Write an array as it is."""
    np.save(path, array, **options)
    return path


def numbers(report):
    """Return the numbers of the one case of a report, without what they are of."""
    (case,) = report.to_dict()["cases"]
    return {name: case[name] for name in ("labels", "not_averaged", "averages", "undefined", "overall")}


def pooled(prediction, reference, **options):
    """Return the numbers of a pair."""
    return numbers(dicecli.soft(str(prediction), str(reference), **options))


def failing(prediction, reference, **options):
    """Return the error of a pair that cannot be scored."""
    with pytest.raises(CaseError) as caught:
        dicecli.soft(str(prediction), str(reference), **options)
    assert caught.value.hint
    return caught.value


def same(found, expected):
    """Tell whether two records are the same up to the order of summation."""
    if isinstance(expected, dict):
        return all(same(found[key], expected[key]) for key in expected)
    if isinstance(expected, list):
        return all(map(same, found, expected))
    return found == (pytest.approx(expected, rel=1e-12) if isinstance(expected, float) else expected)


@pytest.mark.parametrize("name", READING)
def test_a_format_of_probabilities_keeps_the_contract(name, tmp_path):
    """Its sources, one per channel, have the reference's shape and give the stored values of any window."""
    flat, _ = volume(shape=(3, 6, 7, 1))
    flat = flat[..., 0]
    suffix = load("formats", name).SUFFIXES[0]
    path = {
        "nifti": lambda: make.nifti(tmp_path / f"p{suffix}", np.moveaxis(flat, 0, -1)[:, :, None]),
        "geotiff": lambda: make.geotiff(tmp_path / f"p{suffix}", flat),
        "npy": lambda: npy(tmp_path / f"p{suffix}", flat),
    }[name]()
    channels = open_probabilities(str(path), make_settings(soft=True), (6, 7))
    assert len(channels) == 3
    window = (slice(1, 4), slice(2, 7), slice(0, 1))
    for channel, expected in zip(channels, flat, strict=True):
        cut = window[: len(channel.shape)]
        assert channel.shape[:2] == (6, 7)
        assert np.array_equal(channel.values(cut).reshape(3, 5), expected[1:4, 2:7])
        channel.finish()
    for channel in channels:
        channel.close()


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_every_layout_gives_the_same_scores(suffix, tmp_path):
    """NIfTI, `.npy` with channels first or last, in C or Fortran order, of either byte order: one answer."""
    p, g = volume()
    last = np.moveaxis(p, 0, -1)
    reference = make.nifti(tmp_path / "g.nii.gz", g)
    expected = numbers(dicecli.soft(p, g))
    layouts = [
        make.nifti(tmp_path / f"a{suffix}", last),
        make.nifti(tmp_path / f"big{suffix}", last.astype(">f4"), endianness=">"),
        make.nifti(tmp_path / f"vector{suffix}", last[:, :, :, None]),
        npy(tmp_path / "first.npy", p),
        npy(tmp_path / "last.npy", last),
        npy(tmp_path / "fortran.npy", np.asfortranarray(p)),
        npy(tmp_path / "big.npy", p.astype(">f4")),
    ]
    for path in layouts:
        assert same(pooled(path, reference), expected), path


def test_one_class_in_every_format(tmp_path):
    """A 3-D NIfTI, a GeoTIFF of one band and an array of the reference's shape are one class."""
    p, g = volume(shape=(2, 6, 7, 4))
    mask = make.nifti(tmp_path / "g.nii.gz", g)
    expected = numbers(dicecli.soft(p[1], g))
    assert same(pooled(make.nifti(tmp_path / "p.nii.gz", p[1]), mask), expected)
    assert same(pooled(npy(tmp_path / "p.npy", p[1]), mask), expected)
    flat = numbers(dicecli.soft(p[1, :, :, 0], g[:, :, 0]))
    raster = make.geotiff(tmp_path / "g.tif", g[:, :, 0])
    assert same(pooled(make.geotiff(tmp_path / "p.tif", p[1, :, :, 0]), raster), flat)


@pytest.mark.parametrize("interleave", ["pixel", "band"])
def test_bands_are_classes(interleave, tmp_path):
    """A GeoTIFF has a band per class, interleaved or not; its scale, offset and nodata are heeded."""
    import rasterio

    p, g = volume(shape=(3, 40, 50, 1), dtype=np.float64)
    p, g = np.rint(p[..., 0] * 10_000) / 10_000, g[..., 0]
    p[0] += 1 - p.sum(axis=0)
    reference = make.geotiff(tmp_path / "g.tif", g)
    expected = numbers(dicecli.soft(p, g))
    options = {
        "interleave": interleave,
        "compress": "deflate",
        "tiled": True,
        "blockxsize": 16,
        "blockysize": 16,
    }
    assert same(pooled(make.geotiff(tmp_path / "p.tif", p, **options), reference), expected)
    stored = make.geotiff(tmp_path / "s.tif", np.rint(p * 10_000).astype(np.uint16), nodata=65535, **options)
    holed = make.geotiff(
        tmp_path / "h.tif", np.where(g == 2, 65535, np.rint(p * 10_000)).astype(np.uint16), nodata=65535
    )
    for path in (stored, holed):
        with rasterio.open(path, "r+") as dataset:
            dataset.scales = (1 / 10_000,) * 3
    (result,) = dicecli.soft(str(holed), str(reference)).results
    assert any(f"{int((g == 2).sum()):,} pixels with nodata" in note for note in result.notes)
    found = pooled(stored, reference)
    for one, other in zip(found["labels"], expected["labels"], strict=True):
        assert one["soft_dice_standard"] == pytest.approx(other["soft_dice_standard"], rel=1e-9)


def test_nodata_of_probabilities_is_a_miss(tmp_path):
    """Where the map has nodata and the reference is valid, p is 0: missed at the largest cost, with a note."""
    p = np.array([[0.9, -1.0, 0.2, 0.8]], np.float32)
    g = np.array([[1, 1, 0, 255]], np.uint8)
    reference = make.geotiff(tmp_path / "g.tif", g, nodata=255)
    report = dicecli.soft(str(make.geotiff(tmp_path / "p.tif", p, nodata=-1)), str(reference))
    (result,) = report.results
    assert result.excluded == {"ignore_label": 0, "nodata": 1}
    assert any("1 pixel with nodata where the reference is valid" in note for note in result.notes)
    filled = dicecli.soft(np.array([[0.9, 0.0, 0.2]], np.float32), g[:, :3])
    assert result.measured["soft"] == filled.results[0].measured["soft"]


def test_nodata_of_0_is_where_every_band_is_0(tmp_path):
    """A band may be 0 at a pixel that is known; where all are, and 0 is nodata, nothing is: no sum of 0."""
    p = np.array([[[1.0, 0.5, 0.0]], [[0.0, 0.5, 0.0]]], np.float32)
    g = np.array([[0, 1, 1]], np.uint8)
    path = make.geotiff(tmp_path / "p.tif", p, nodata=0)
    (result,) = dicecli.soft(str(path), str(make.geotiff(tmp_path / "g.tif", g))).results
    assert any("1 pixel with nodata" in note for note in result.notes)
    assert result.counted == 3
    assert [each.reference for row, each in result.measured["soft"].items() if row.kind != "image"] == [1, 2]
    assert failing(path, tmp_path / "g.tif", nodata="label").name == "NotProbabilities"
    one = make.geotiff(tmp_path / "one.tif", p[0], nodata=0)
    (result,) = dicecli.soft(str(one), str(tmp_path / "g.tif")).results
    assert not any("nodata" in note for note in result.notes)


def test_turned_axes_are_laid_on_the_reference(tmp_path):
    """A map stored in other directions than its reference gives the same scores, with a note."""
    p, g = volume(7)
    last = np.moveaxis(p, 0, -1)
    affine = np.diag([2.0, 3.0, 4.0, 1.0])
    turned = affine.copy()
    turned[0, 0], turned[0, 3] = -2.0, 2.0 * (g.shape[0] - 1)
    reference = make.nifti(tmp_path / "g.nii.gz", g, affine=affine)
    plain = make.nifti(tmp_path / "p.nii.gz", last, affine=affine)
    other = make.nifti(tmp_path / "q.nii.gz", last[::-1], affine=turned)
    assert same(pooled(other, reference), pooled(plain, reference))
    (result,) = dicecli.soft(str(other), str(reference)).results
    assert any("axes were turned" in note for note in result.notes)
    shifted = affine.copy()
    shifted[0, 3] = 20.0
    away = make.nifti(tmp_path / "r.nii.gz", last, affine=shifted)
    assert isinstance(failing(away, reference), GridMismatch)
    assert same(pooled(away, reference, geometry="ignore"), pooled(plain, reference))


def test_a_map_is_read_in_small_windows(tmp_path, monkeypatch):
    """No window holds more than its share, whatever the number of channels; every voxel comes once."""
    from dicecli.masks import pair as pairs

    monkeypatch.setattr(pairs, "WINDOW_PIXELS", 1 << 10)
    monkeypatch.setattr(pairs, "_LEAST_PIXELS", 1 << 6)
    p, g = volume(shape=(4, 12, 11, 30))
    reference = make.nifti(tmp_path / "g.nii.gz", g)
    path = make.nifti(tmp_path / "p.nii.gz", np.moveaxis(p, 0, -1))
    with Pair(Case("x", str(path), str(reference)), make_settings(soft=True)) as pair:
        sizes = [labels.size for (labels,), _ in pair.blocks(pair.windows())]
        pair.finish()
        assert all(channel._whole is None for channel in pair.prediction)
    assert sum(sizes) == g.size
    assert max(sizes) <= 12 * 11
    assert same(pooled(path, reference), numbers(dicecli.soft(p, g)))


def test_the_axis_of_channels_is_asked_for_where_it_can_be_either(tmp_path):
    """Where both the first and the last axis fit, the first is taken, with a note; an option says otherwise."""
    rng = np.random.default_rng(0)
    p, g = rng.random((4, 4, 4)), rng.integers(0, 2, (4, 4))
    path, reference = npy(tmp_path / "p.npy", p), make.png(tmp_path / "g.png", g.astype(np.uint8))
    options = {"independent": True, "channels": [0, 1, 2, 3]}
    (result,) = dicecli.soft(str(path), str(reference), **options).results
    assert any("taken to be on the first" in note for note in result.notes)
    first = dicecli.soft(str(path), str(reference), channel_axis=0, **options).results[0]
    last = dicecli.soft(str(path), str(reference), channel_axis=-1, **options).results[0]
    assert result.measured == first.measured != last.measured


def test_wrong_shapes(tmp_path):
    """A map that does not fit its reference is refused, with both shapes."""
    p, g = volume()
    reference = make.nifti(tmp_path / "g.nii.gz", g)
    for number, array in enumerate((p[:, :-1], p[0, 0], p[None])):
        error = failing(npy(tmp_path / f"{number}.npy", array), reference)
        assert error.name == "ShapeMismatch"
    assert failing(make.nifti(tmp_path / "s.nii.gz", p[0, :-1]), reference).name == "ShapeMismatch"
    assert (
        failing(make.nifti(tmp_path / "t.nii.gz", np.zeros((6, 7, 5, 2, 3), "f4")), reference).name
        == "ManyVolumes"
    )


def test_channels_and_labels_that_do_not_match(tmp_path):
    """Too many or too few channels, and labels without one, are errors that name them."""
    p, g = volume()
    mask, path = make.nifti(tmp_path / "g.nii.gz", g), npy(tmp_path / "p.npy", p)
    error = failing(path, mask, channels="1,2")
    assert (error.name, error.exit_code) == ("ChannelMismatch", 3)
    assert "3 channels, and --channels names 2: label 1, label 2" in str(error)
    labels = {"labels": {"0": "a", "1": "b", "2": "c", "3": "d"}}
    assert "declares 4 labels" in str(failing(path, mask, labels=labels))
    error = failing(path, mask, channels="0,1,5")
    assert error.name == "NoChannel"
    assert f"label 2 ({int((g == 2).sum()):,} pixels)" in str(error)
    assert "reference" in str(error)
    assert failing(npy(tmp_path / "one.npy", p[1]), mask).name == "NoChannel"


@pytest.mark.parametrize(
    ("values", "options", "said"),
    [
        (np.array([[0.5, 1.5]]), {}, "run from 0.5 to 1.5"),
        (np.array([[-0.1, 0.5]]), {}, "run from -0.1 to 0.5"),
        (np.array([[np.nan, 0.5]]), {}, "holds NaN (1"),
        (np.array([[0.0, 2.0]]), {}, "integers up to 2: labels"),
        (np.array([[0.0, 255.0]]), {}, "grey levels"),
        (np.array([[0.0, 1.0]]), {}, "nothing but 0 and 1"),
        (np.array([[0, 1]], np.uint8), {}, "of type uint8: a mask of labels"),
        (np.array([[False, True]]), {}, "of type bool: a mask of labels"),
        (np.array([[0, 3]]), {"accept_labels": True}, "integers up to 3: labels"),
        (np.array([[np.inf, 3.0]]), {"logits": "sigmoid"}, "NaN or infinity"),
        (np.array([[[0.5, 0.5]], [[0.4, 0.5]]]), {}, "2 channels sum to 0.9 up to 1 at a pixel"),
        (np.array([[1j, 0]]), {}, "complex128"),
    ],
)
def test_what_is_no_probability(values, options, said, tmp_path):
    """Each is refused with exit 3, the side and the file, and the hint says what to do."""
    reference = make.png(tmp_path / "g.png", np.array([[0, 1]], np.uint8))
    error = failing(npy(tmp_path / "p.npy", values), reference, **options)
    assert (error.name, error.exit_code) == ("NotProbabilities", 3)
    assert said in str(error)
    assert str(error).startswith(f"prediction {tmp_path / 'p.npy'}: ")
    if "run from" in said or "sum to" in said:
        assert "--logits" in error.hint


def test_sums_within_a_thousandth_are_accepted(tmp_path):
    """Channels of a softmax may be off by rounding: 1e-3 is the limit."""
    reference = make.png(tmp_path / "g.png", np.array([[0, 1]], np.uint8))
    assert pooled(npy(tmp_path / "p.npy", np.array([[[0.5005, 0.5]], [[0.5, 0.4995]]])), reference)
    failing(npy(tmp_path / "q.npy", np.array([[[0.502, 0.5]], [[0.5, 0.5]]])), reference)


def content(array):
    """Return an array as the bytes of a `.npy`."""
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


class Mark:
    """Something whose unpickling would show."""

    loaded = False

    def __reduce__(self):
        return (setattr, (Mark, "loaded", True))


SQUARE = content(np.zeros((9, 9)))
DAMAGED = {
    "empty": (b"", "EmptyFile"),
    "cut off": (SQUARE[:-8], "Truncated"),
    "followed by more": (SQUARE + b"\0", "TrailingData"),
    "cut in the header": (SQUARE[:40], "BadHeader"),
    "without shape": (SQUARE.replace(b"'shape'", b"'shaqe'"), "BadHeader"),
    "of no type": (SQUARE.replace(b"<f8", b"<q9"), "BadHeader"),
    "without pixels": (content(np.zeros((0, 9))), "BadHeader"),
    "pickled": (content(np.array([Mark()], object)), "NotProbabilities"),
    "a pickle": (pickle.dumps([0.5]), "UnknownFormat"),
    "of another version": (b"\x93NUMPY\x07\x00" + SQUARE[8:], "UnknownFormat"),
    "records": (content(np.zeros((9, 9), [("a", "f4")])), "NotProbabilities"),
    "text": (content(np.array([["a"]])), "NotProbabilities"),
    "a page": (b"<html>not found</html>", "UnknownFormat"),
    "code for a shape": (SQUARE.replace(b"(9, 9)", b"(9,9*9)")[: len(SQUARE)], "BadHeader"),
    "a huge shape": (SQUARE.replace(b"(9, 9), }          ", b"(999999, 999999), }"), "Truncated"),
}


@pytest.mark.parametrize("what", DAMAGED)
def test_damaged_arrays(what, tmp_path):
    """A damaged or hostile `.npy` is an error of a stable name; pickled objects are never loaded."""
    path = tmp_path / "p.npy"
    data, name = DAMAGED[what]
    path.write_bytes(data)
    reference = make.png(tmp_path / "g.png", np.zeros((9, 9), np.uint8))
    error = failing(path, reference)
    assert error.name == name
    assert error.exit_code == 3
    assert not Mark.loaded


def test_damaged_volumes(tmp_path):
    """A compressed map that is cut off, flipped or followed by more is an error, whichever channel it hits."""
    p, g = volume(shape=(3, 20, 20, 20))
    reference = make.nifti(tmp_path / "g.nii.gz", g)
    raw = make.nifti(tmp_path / "p.nii", np.moveaxis(p, 0, -1)).read_bytes()
    good = gzip.compress(raw, mtime=0)
    flipped = bytearray(good)
    flipped[-6] ^= 1  # of the checksum
    for number, (data, names_) in enumerate(
        [
            (good[:-8], {"Truncated", "Corrupt"}),
            (bytes(flipped), {"Corrupt"}),
            (gzip.compress(raw[:-4000]), {"Truncated"}),
            (gzip.compress(raw + bytes(100)), {"TrailingData"}),
            (b"", {"EmptyFile"}),
        ]
    ):
        path = tmp_path / f"{number}.nii.gz"
        path.write_bytes(data)
        assert failing(path, reference).name in names_
    short = tmp_path / "short.nii"
    short.write_bytes(raw[:-4])
    assert failing(short, reference).name == "Truncated"


def test_a_png_holds_no_probabilities(tmp_path):
    """Formats that cannot hold probabilities are refused, and `.npy` as a mask points to the right command."""
    image = make.png(tmp_path / "a.png", np.zeros((3, 3), np.uint8))
    error = failing(image, image)
    assert error.name == "UnknownFormat"
    assert "dicecli score" in error.hint
    with pytest.raises(CaseError, match="holds probabilities here") as caught:
        dicecli.score(str(npy(tmp_path / "a.npy", np.zeros((3, 3)))), str(image))
    assert "dicecli soft" in caught.value.hint


def test_a_folder_of_masks_does_not_see_arrays(tmp_path):
    """For `batch` an array beside a mask is no second candidate; for `batch --soft` it is a prediction."""
    for folder in ("p", "g"):
        (tmp_path / folder).mkdir()
        make.png(tmp_path / folder / "a.png", np.array([[0, 1]], np.uint8))
    npy(tmp_path / "p" / "a.npy", np.array([[0.1, 0.8]]))
    assert dicecli.batch(tmp_path / "p", tmp_path / "g").scored
    (result,) = dicecli.batch(tmp_path / "p", tmp_path / "g", soft=True).scored
    assert files.suffix(result.case.prediction) == ".npy"
    assert make_settings().soft is None


@pytest.mark.parametrize("suffix", [".npy", ".nii.gz", ".nii", ".tif"])
def test_damage_anywhere_is_an_error_or_changes_nothing_but_values(suffix, tmp_path):
    """A hundred maps with a few bytes changed, cut or added are scored or a CaseError: never anything else."""
    import random

    p, g = volume(shape=(2, 8, 9, 1))
    flat, mask = p[..., 0], g[..., 0]
    reference = make.png(tmp_path / "g.png", mask)
    path = tmp_path / f"p{suffix}"
    if suffix == ".npy":
        npy(path, flat)
    elif suffix == ".tif":
        make.geotiff(path, flat, compress="deflate")
    else:
        make.nifti(path, np.moveaxis(p, 0, -1))
    whole = path.read_bytes()
    rng = random.Random(f"damage {suffix}")  # noqa: S311 - a seeded test, no secret
    for _ in range(100):
        data = bytearray(whole)
        for _ in range(rng.choice([1, 1, 4])):
            data[rng.randrange(min(len(data), rng.choice([16, 400, 10**6])))] = rng.randrange(256)
        if rng.random() < 0.3:
            del data[rng.randrange(len(data)) :]
        path.write_bytes(data)
        result = result_of(Case("damaged", str(path), str(reference)), make_settings(soft=True))
        assert result.hint if result.status == "failed" else result.counted == mask.size


def test_a_map_that_changes_while_it_is_read_is_no_number(tmp_path, monkeypatch):
    """A file that is written to between opening and the end is the error `Changed`."""
    import os

    p, g = volume()
    path, reference = npy(tmp_path / "p.npy", p), make.nifti(tmp_path / "g.nii.gz", g)
    original = measuring.census_of_reference

    def touched(pair):
        os.utime(path, ns=(1, 1))
        return original(pair)

    monkeypatch.setattr(measuring, "census_of_reference", touched)
    assert failing(path, reference).name == "Changed"


def test_real_masks_as_probabilities(tmp_path):
    """One-hot maps of real segmentations have the soft Dice that their masks have as hard Dice."""
    import nibabel

    folder = places.SHARED_MASKS / "nifti"
    prediction, reference = folder / "spine_sem_pred.nii.gz", folder / "spine_sem_ref.nii.gz"
    if not prediction.is_file():
        pytest.skip("the folder of real masks is not here")
    image = nibabel.load(prediction)
    labels = np.asarray(image.dataobj)[::3, ::3].round().astype(int)
    truth = nibabel.load(reference)
    kept = np.asarray(truth.dataobj)[::3, ::3].round().astype(np.uint8)
    found = sorted({*np.unique(labels).tolist(), *np.unique(kept).tolist()})[:5]
    onehot = np.stack([labels == each for each in found], axis=-1).astype(np.float32)
    nibabel.Nifti1Image(onehot, image.affine).to_filename(tmp_path / "p.nii.gz")
    cut = np.where(np.isin(kept, found), kept, 0).astype(np.uint8)
    nibabel.Nifti1Image(cut, truth.affine).to_filename(tmp_path / "g.nii.gz")
    soft = numbers(
        dicecli.soft(
            str(tmp_path / "p.nii.gz"),
            str(tmp_path / "g.nii.gz"),
            channels=found,
            independent=True,
            smooth=0.0,
            accept_labels=True,
        )
    )
    for row in soft["labels"]:
        a, b = labels == row["label"], cut == row["label"]
        expected = 2 * int((a & b).sum()) / (int(a.sum()) + int(b.sum())) if (a | b).any() else None
        assert row["soft_dice_standard"] == row["dice_at_half"] == expected
