"""Real masks from many projects: each is inspected, each pair is counted as its own library and NumPy count it."""

from __future__ import annotations

import csv
import warnings
from functools import lru_cache
from pathlib import Path

import numpy as np
import places
import pytest
from make import brute, counts, scored
from real_masks import APART, BAD, BAND_1_OF_BAD, NO_LABELS

from dicecli.errors import CaseError
from dicecli.masks.blocks import plan
from dicecli.masks.opening import open_mask
from dicecli.records.labels import NO_LABEL
from dicecli.runs.inspection.file import inspect
from dicecli.runs.scoring import make_settings
from dicecli.statistics._confusion import ConfusionMatrix

FOLDER = places.SHARED_MASKS

pytestmark = pytest.mark.skipif(
    not (FOLDER / "MANIFEST.csv").is_file(), reason="the folder of real masks is not here"
)


def rows(name):
    """Read one of the folder's tables; nothing where the folder is not here, so that collecting works."""
    path = FOLDER / name
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


MANIFEST = {row["file"]: row for row in rows("MANIFEST.csv")}
PAIRS = rows("pairs.csv")

#: Stands for NaN where pairs of values are counted; no file of the folder holds it.
NOTHING = -99


@lru_cache(maxsize=4)
def stored(name):
    """Read a mask with its own library, without any of the package; NaN and nodata become NO_LABEL."""
    path = FOLDER / name
    if name.startswith("nifti/"):
        import nibabel

        return np.asanyarray(nibabel.load(path).dataobj)
    if name.startswith("png/"):
        from PIL import Image

        with Image.open(path) as image:
            array = np.asarray(image)
        return array if array.ndim == 2 else array[..., 0]
    import rasterio

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
        with rasterio.open(path) as dataset:
            return dataset.read(1)


def labelled(name):
    """Return a mask's labels by the documented rules: nodata is NO_LABEL, and 255 beside 0 alone is 1."""
    array = stored(name)
    missing = np.isnan(array) if array.dtype.kind == "f" else np.zeros(array.shape, bool)
    if name.startswith("geotiff/"):
        import rasterio

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
            with rasterio.open(FOLDER / name) as dataset:
                missing |= array == dataset.nodata if dataset.nodata is not None else False
    values = set(np.unique(array[~missing]).tolist())
    labels = np.where(missing, 0, array).astype(np.int64)
    if 255 in values and values <= {0, 255}:
        labels //= 255
    labels[missing] = NO_LABEL
    return labels


def joint(prediction, reference):
    """Count every pair of values that meet, with one boolean mask for each value of the reference."""
    counted = {}
    for label in np.unique(reference).tolist():
        values, counts = np.unique(prediction[reference == label], return_counts=True)
        counted |= {(int(label), int(value)): int(n) for value, n in zip(values, counts, strict=True)}
    return counted


def joint_of_the_package(prediction, reference, **options):
    """Count the same through the package's own readers, windows and matrix."""
    settings = make_settings(**options)
    matrix = ConfusionMatrix.empty()
    with open_mask(FOLDER / reference, settings) as one, open_mask(FOLDER / prediction, settings) as other:
        for window in plan(one, other):
            blocks = {"reference": one.read(window), "prediction": other.read(window)}
            if options:
                blocks = {side: np.where(each == NO_LABEL, NOTHING, each) for side, each in blocks.items()}
            matrix += ConfusionMatrix.from_arrays(**blocks)
        one.finish()
        other.finish()
    places = zip(*np.nonzero(matrix.table), strict=True)
    return {(matrix.labels[i], matrix.labels[j]): int(matrix.table[i, j]) for i, j in places}


def test_the_tables_are_complete():
    """Every bad file of the manifest has its right answer in these tests, and no other has."""
    assert {name.removeprefix("bad/") for name in MANIFEST if name.startswith("bad/")} == set(BAD)
    assert set(MANIFEST) >= set(NO_LABELS)


@pytest.mark.parametrize("name", MANIFEST)
def test_every_file_is_inspected(name):
    """No file ends in a traceback, and each gets the answer that is right for it."""
    found = inspect(str(FOLDER / name))
    if name.startswith("bad/"):
        expected = BAD[name.removeprefix("bad/")]
    else:
        expected = (NO_LABELS[name],) if name in NO_LABELS else None
    if expected is None:
        assert found.error is None
        assert found.values
    else:
        assert found.error is not None
        assert found.error.name in expected
        assert found.error.hint
        assert str(found.error).startswith(str(FOLDER / name))
    if MANIFEST[name]["n_labels"] and found.values is not None:
        assert int(MANIFEST[name]["n_labels"]) == len(found.values)


@pytest.mark.parametrize("name", BAND_1_OF_BAD)
def test_one_band_of_a_bad_file(name):
    """Choosing a band does not make a damaged or lossy file a mask."""
    found = inspect(str(FOLDER / "bad" / name), make_settings(band=1))
    expected = BAND_1_OF_BAD[name]
    assert (None if expected is None else found.error.name) in (expected or (None,))
    assert (found.error is None) == (expected is None)


def pair_names():
    return [(row["one"], row["other"]) for row in PAIRS]


def case_error(prediction, reference, **options):
    """Score a pair that must fail, and return the error's name."""
    with pytest.raises(CaseError) as caught:
        scored(FOLDER / prediction, FOLDER / reference, **options)
    return caught.value.name


@pytest.mark.parametrize(("one", "other"), pair_names(), ids=lambda name: Path(name).name)
def test_every_pair_is_counted_as_numpy_counts_it(one, other):
    """Each pair gives the counts of its own library with NumPy, or the error that is right for it."""
    options = {}
    if (one, other) in APART:
        assert APART[one, other] == case_error(one, other)
        return
    if one in NO_LABELS or other in NO_LABELS:
        assert case_error(one, other) in {NO_LABELS.get(one), NO_LABELS.get(other)}
        if "nan" not in one:
            return
        options = {"nodata": "ignore"}
    result = scored(FOLDER / one, FOLDER / other, **options)
    prediction, reference = labelled(one), labelled(other)
    valid = reference != NO_LABEL
    expected = dict(brute(prediction[valid], reference[valid]))
    expected.pop(NO_LABEL, None)
    assert expected == counts(result)
    assert int(valid.sum()) == result.counted
    assert int((~valid).sum()) == result.excluded["nodata"]


@pytest.mark.parametrize("row", PAIRS, ids=lambda row: f"{Path(row['one']).name}-{Path(row['other']).name}")
def test_every_joint_count_is_that_of_numpy(row):
    """Which values meet in how many pixels is what NumPy finds, cell by cell, and what the table says."""
    one, other = row["one"], row["other"]
    if (one, other) in APART or ({one, other} & set(NO_LABELS) and "nan" not in one):
        with pytest.raises(CaseError):
            scored(FOLDER / one, FOLDER / other)
        return
    arrays = [stored(name) for name in (one, other)]
    if "nan" in one:
        found = joint_of_the_package(one, other, nodata="ignore")
        arrays = [np.where(np.isnan(each), NOTHING, each).astype(np.int64) for each in arrays]
    else:
        found = joint_of_the_package(one, other)
    assert joint(*arrays) == found
    known = {pair: n for pair, n in found.items() if NOTHING not in pair}
    differing = sum(n for (here, there), n in known.items() if here != there)
    if row["voxels_that_differ"] and "nan" not in one:
        assert int(row["voxels"]) == sum(known.values())
        assert int(row["voxels_that_differ"]) == differing
    if row["labels_common"]:
        assert int(row["labels_common"]) == len({here for here, _ in known} & {there for _, there in known})


def test_a_soft_mask_is_scored_by_a_threshold():
    """The soft grey matter mask is refused as it is, and scored with a threshold as NumPy would."""
    one, other = "nifti/sct_gm_soft.nii.gz", "nifti/sct_gm_gold.nii.gz"
    prediction, reference = stored(one) >= 0.5, stored(other) >= 0.5
    result = scored(FOLDER / one, FOLDER / other, threshold=0.5)
    assert brute(prediction.astype(int), reference.astype(int)) == counts(result)


@pytest.mark.parametrize("name", [name for name in MANIFEST if Path(name).name.startswith("dtype27_")])
def test_one_volume_in_every_type(name):
    """The same 27 labels in each integer type count alike."""
    first = stored("nifti/dtype27_uint8.nii")
    assert brute(first, first) == counts(scored(FOLDER / name, FOLDER / "nifti/dtype27_uint8.nii"))


@pytest.mark.parametrize(
    "name",
    [
        "gdal_lzw_tiled",
        "gdal_deflate_tiled",
        "gdal_zstd_tiled",
        "gdal_none_tiled",
        "gdal_i16_be",
        "gdal_int32",
        "gdal_float32",
        "gdal_nogeoref",
    ],
)
def test_one_raster_in_every_codec(name):
    """The same raster in each codec and type counts alike."""
    first = stored("geotiff/gdal_lzw_tiled.tif")
    result = scored(FOLDER / f"geotiff/{name}.tif", FOLDER / "geotiff/gdal_lzw_tiled.tif")
    assert brute(first, first) == counts(result)
