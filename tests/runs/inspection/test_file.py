"""Inspecting a file says what ``score`` would make of it."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from make import blobs, geotiff, nifti, patched, png, raw_png, scored

from dicecli.errors import CaseError, UsageError
from dicecli.runs.inspection.file import inspect
from dicecli.runs.scoring import make_settings

LABELS = blobs((40, 30), 4)
SIZES = {label: int((label == LABELS).sum()) for label in range(4)}
VOLUME = blobs((7, 6, 5), 4)
SCHEME = {"labels": {"0": "ground", "1": "road", "2": "house", "3": "tree"}}


def shown(path, **options):
    """Inspect a file, and make sure that JSON can hold the answer."""
    found = inspect(str(path), make_settings(**options))
    assert json.loads(json.dumps(found.to_dict(), allow_nan=False)) == found.to_dict()
    return found


def test_two_maps_of_labels_and_one_file(tmp_path):
    """Where maps of both sides differ, and it is not known which side a file is of, neither is used, and it says so."""
    path = png(tmp_path / "a.png", LABELS)
    problem = "it is read by neither map of labels: they differ, and its side is not known"
    options = {"labels": SCHEME, "map_prediction": "*=1", "map_reference": "*=3"}
    assert shown(path, **options).problems == [problem]
    found = inspect(str(path), make_settings(**options), "reference")
    assert (found.problems, {*found.names.values()}) == ([], {"ground", "tree"})
    assert shown(path, **options | {"map_prediction": "*=3"}).problems == []


# Facts.


def test_facts_of_a_png(tmp_path):
    """A PNG's facts: format, mode, depth, palette, interlacing and shape."""
    facts = shown(png(tmp_path / "a.png", LABELS, palette=[0, 0, 0, 9, 9, 9] * 20)).facts
    assert facts["format"] == "PNG"
    assert facts["mode"] == "palette, 8 bit"
    assert facts["palette"] == "40 colours"
    assert facts["shape"] == "40 x 30"
    path = tmp_path / "b.png"
    path.write_bytes(raw_png(LABELS.astype(np.uint16), depth=16, is_interlaced=True))
    facts = shown(path).facts
    assert facts["mode"] == "grey, 16 bit"
    assert "interlaced" in facts["compression"]


def test_facts_of_a_nifti(tmp_path):
    """A NIfTI's facts: version, byte order, type, compression, scaling, spacing, orientation and origin."""
    affine = np.array([[-2.0, 0, 0, 30], [0, 3, 0, -20], [0, 0, 4, 7], [0, 0, 0, 1]])
    path = nifti(tmp_path / "a.nii.gz", VOLUME, affine=affine, slope=2, inter=1)
    facts = shown(path).facts
    expected = {
        "format": "NIfTI-1",
        "byte order": "little-endian",
        "stored as": "uint8",
        "compression": "gzip",
        "scaling": "2 x value + 1",
        "shape": "7 x 6 x 5",
        "spacing": "2 x 3 x 4 mm",
        "orientation": "LAS",
        "origin": "30, -20, 7",
    }
    assert expected == {name: facts[name] for name in expected}
    facts = shown(nifti(tmp_path / "b.nii", VOLUME.astype(np.int16), endianness=">", version=2)).facts
    assert facts["format"] == "NIfTI-2"
    assert facts["byte order"] == "big-endian"
    assert facts["compression"] == "none"
    assert facts["stored as"].endswith(("int16", ">i2"))


def test_facts_of_a_geotiff(tmp_path):
    """A GeoTIFF's facts: bands, type, blocks, compression, nodata, spacing, CRS and transform."""
    tiles = {"tiled": True, "blockxsize": 16, "blockysize": 32}
    facts = shown(geotiff(tmp_path / "a.tif", LABELS, compress="deflate", nodata=9, **tiles)).facts
    expected = {
        "format": "GeoTIFF",
        "bands": 1,
        "stored as": "uint8",
        "blocks": "16 x 32 tiles",
        "compression": "deflate",
        "nodata": "9",
        "shape": "40 x 30",
        "spacing": "10 x 10 m",
        "transform": "x by 10 a column, 0 a row; y by 0 a column, -10 a row",
    }
    assert expected == {name: facts[name] for name in expected}
    assert facts["crs"].startswith("EPSG:32632")
    facts = shown(geotiff(tmp_path / "b.tif", LABELS, blockysize=8, transform=None, crs=None)).facts
    assert facts["format"] == "TIFF"
    assert facts["blocks"] == "30 x 8 strips"
    assert facts["compression"] == "none"
    assert facts["nodata"] is None
    assert "spacing" not in facts


# Values.


@pytest.mark.parametrize("kind", ["png", "nifti", "geotiff"])
def test_values_have_counts_and_shares(tmp_path, kind):
    """Every stored value is listed in order with its number and share of the pixels, and its declared name."""
    write, suffix = {"png": (png, ".png"), "nifti": (nifti, ".nii.gz"), "geotiff": (geotiff, ".tif")}[kind]
    found = shown(write(tmp_path / f"a{suffix}", LABELS), labels=SCHEME)
    assert found.values == SIZES
    assert list(found.values) == sorted(found.values)
    assert found.names == {0: "ground", 1: "road", 2: "house", 3: "tree"}
    rows = found.to_dict()["values"]
    assert [n / LABELS.size for n in SIZES.values()] == [row["share"] for row in rows]
    assert math.fsum(row["share"] for row in rows) == pytest.approx(1)
    assert [row["name"] for row in rows] == ["ground", "road", "house", "tree"]
    assert found.error is None
    assert found.encoding == "labels are the stored values"


def test_values_are_those_stored(tmp_path):
    """The values are shown as stored, 255 and nodata too, before any rule makes labels of them."""
    path = geotiff(
        tmp_path / "a.tif", np.where(LABELS > 1, 255, 0).astype(np.int16) - (LABELS == 3), nodata=254
    )
    found = shown(path)
    assert {0: SIZES[0] + SIZES[1], 254: SIZES[3], 255: SIZES[2]} == found.values
    assert "255 is read as label 1" in found.encoding
    assert "254 is nodata" in found.encoding


def test_nan_is_one_value(tmp_path):
    """NaN is one value however many windows hold it, and JSON gets it as text."""
    values = np.zeros((2500, 2000), np.float32)
    values[::100, 0] = math.nan
    found = shown(geotiff(tmp_path / "a.tif", values, compress="deflate", zlevel=1), nodata="ignore")
    rows = found.to_dict()["values"]
    assert [(0.0, values.size - 25), ("nan", 25)] == [(row["value"], row["count"]) for row in rows]
    assert found.error is None


def test_more_values_than_labels_can_be(tmp_path):
    """With more than 4,096 values none is listed; the answer says why, and that score would refuse them."""
    noise = np.random.default_rng(1).permutation(2**13).astype(np.uint16).reshape(64, 128)
    found = shown(png(tmp_path / "a.png", noise))
    assert found.values is None
    assert found.to_dict()["values"] is None
    assert any("4,096" in problem for problem in found.problems)
    assert found.error is not None
    assert found.error.name == "TooManyLabels"


# Encoding and problems.


@pytest.mark.parametrize(
    ("stored", "options", "said"),
    [
        ((LABELS > 1) * np.uint8(255), {}, "255 is read as label 1"),
        ((LABELS > 1) * np.uint8(1), {"threshold": 128}, "without the threshold 128"),
        (LABELS, {}, "labels are the stored values"),
        (LABELS, {"labels": SCHEME}, "labels are the stored values"),
        ((LABELS > 1) * np.uint8(255), {"ignore_label": 255}, "labels are the stored values"),
    ],
    ids=["0 and 255", "threshold", "labels", "declared", "ignored"],
)
def test_encoding_says_how_values_are_read(tmp_path, stored, options, said):
    """The encoding is what score would assume, under the same options."""
    found = shown(png(tmp_path / "a.png", stored), **options)
    assert said in found.encoding
    assert found.error is None


def test_notes_of_the_format_stand_in_the_encoding(tmp_path):
    """What a format notes while reading is part of the encoding."""
    found = shown(png(tmp_path / "a.png", LABELS, mode="RGB"))
    assert "grey stored as RGB is read as grey" in found.encoding
    assert found.values == SIZES


@pytest.mark.parametrize(
    ("stored", "problem"),
    [
        (np.zeros((9, 9, 9), np.uint8), "every pixel is 0"),
        (VOLUME.astype(np.int16) - 2, "negative values, down to -2"),
        (VOLUME.astype(np.float32), "floats"),
        (np.arange(7 * 6 * 10, dtype=np.int16).reshape(7, 6, 10), "420 distinct values"),
    ],
    ids=["one value", "negative", "floats", "instances"],
)
def test_problems_are_named(tmp_path, stored, problem):
    """What may be meant, and often is not, is named as a problem."""
    found = shown(nifti(tmp_path / "a.nii.gz", stored))
    assert any(problem in each for each in found.problems)
    assert found.error is None


def test_a_sound_file_has_no_problem(tmp_path):
    """Nothing is wrong with a sound file, and nothing is said."""
    for path in (
        png(tmp_path / "a.png", LABELS),
        nifti(tmp_path / "a.nii.gz", VOLUME, codes=(1, 1)),
        geotiff(tmp_path / "a.tif", LABELS),
    ):
        assert shown(path).problems == []


def test_a_header_without_place_or_unit_is_a_problem(tmp_path):
    """A NIfTI that names no unit, or neither sform nor qform, is odd, and the answer says so."""
    path = patched(nifti(tmp_path / "a.nii", VOLUME, codes=(0, 0)), xyzt_units=0)
    problems = " ".join(shown(path).problems)
    assert "unit" in problems
    assert "sform" in problems


# Errors.


def cases(tmp_path):
    """Yield files, good and bad, with the options to read them by."""
    good = png(tmp_path / "good.png", LABELS)
    yield good, {}
    yield nifti(tmp_path / "good.nii.gz", VOLUME), {}
    yield geotiff(tmp_path / "good.tif", LABELS, nodata=3), {"nodata": "background"}
    yield good, {"labels": {"labels": {"1": "road", "2": "house"}}}
    yield tmp_path / "missing.png", {}
    for name, content in (
        ("empty.png", b""),
        ("cut.png", good.read_bytes()[:-30]),
        ("jpeg.png", b"\xff\xd8\xff\xe0 JFIF"),
        ("text.nii", b"labels\n" * 100),
        ("text.tif", b"labels\n" * 100),
        ("a.mgz", b"\x1f\x8b\x08\0"),
        ("none", b"text"),
    ):
        (tmp_path / name).write_bytes(content)
        yield tmp_path / name, {}
    (tmp_path / "folder.png").mkdir()
    yield tmp_path / "folder.png", {}
    yield png(tmp_path / "colours.png", np.dstack([LABELS, LABELS * 2, LABELS])), {}
    soft = np.linspace(-200, 455, LABELS.size).clip(0, 255).astype(np.uint8).reshape(LABELS.shape)
    yield png(tmp_path / "soft.png", soft), {}
    yield png(tmp_path / "soft.png", soft), {"threshold": 128}
    values = np.linspace(0, 1, VOLUME.size).reshape(VOLUME.shape)
    yield nifti(tmp_path / "soft.nii", values), {}
    yield nifti(tmp_path / "soft.nii.gz", values), {"threshold": 0.5}
    values[3, 3, 3] = math.nan
    yield nifti(tmp_path / "nan.nii", np.rint(values)), {}
    yield nifti(tmp_path / "nan.nii", values), {"threshold": 0.5}
    yield nifti(tmp_path / "four.nii", blobs((4, 4, 4, 2))), {}
    yield nifti(tmp_path / "four.nii", blobs((4, 4, 4, 2))), {"argmax": True}
    trailing = nifti(tmp_path / "trailing.nii", VOLUME)
    trailing.write_bytes(trailing.read_bytes() + b"more")
    yield trailing, {}
    yield geotiff(tmp_path / "bands.tif", np.stack([LABELS] * 2)), {}
    yield geotiff(tmp_path / "bands.tif", np.stack([LABELS] * 2)), {"band": 2}
    yield geotiff(tmp_path / "lossy.tif", LABELS, compress="jpeg"), {}
    noise = np.arange(5000, dtype=np.int32).reshape(50, 100)
    yield geotiff(tmp_path / "noise.tif", noise), {}


def test_inspect_and_score_refuse_the_same_files(tmp_path):
    """A file has an error when inspected exactly if score refuses it, and it is the same error."""
    refused = 0
    for path, options in cases(tmp_path):
        try:
            scored(path, path, **options)
        except CaseError as error:
            expected = error.name
            refused += 1
        except UsageError:  # two folders are not two masks
            assert path.is_dir()
            continue
        else:
            expected = None
        found = shown(path, **options)
        assert expected == found.to_dict()["error"], (path.name, options)
        if found.error:
            assert path.name in found.to_dict()["message"]
            assert found.to_dict()["hint"]
    assert refused > 15


def test_fractions_beyond_the_first_window_are_found(tmp_path):
    """Values between integers are an error wherever in a large file they stand."""
    values = np.zeros((200, 200, 150), np.float32)
    values[7, 7, 149] = 0.25
    for name in ("a.nii", "a.nii.gz"):
        found = shown(nifti(tmp_path / name, values))
        assert found.error is not None
        assert found.error.name == "NotLabels"
        assert "0.25" in str(found.error)


def test_what_was_read_before_an_error_is_kept(tmp_path):
    """Facts and values are shown of a file whose meaning is in doubt."""
    path = png(tmp_path / "a.png", LABELS)
    found = shown(path, labels={"labels": {"1": "road", "2": "house"}})
    assert found.error.name == "UnknownLabel"
    assert found.values == SIZES
    assert found.facts["shape"] == "40 x 30"


def test_a_place_elsewhere_is_wrong_usage():
    """A URL is not a bad file but wrong usage."""
    with pytest.raises(UsageError):
        inspect("http://127.0.0.1:9/a.tif")
