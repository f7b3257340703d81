"""The distance of centres: closed forms, units, and every orientation of the files."""

from __future__ import annotations

import itertools
import json
import math

import make
import nibabel
import numpy as np
import pytest
from click.testing import CliRunner

import dicecli
from dicecli.cli.main import cli
from dicecli.metrics._catalogue import resolve
from dicecli.statistics.place import Places


def distances(prediction, reference, **options):
    """Return the distance of each label, by column."""
    report = dicecli.score(prediction, reference, metrics="centre_distance", **options)
    return [
        {key: value for key, value in row.items() if key.startswith("centre_distance")}
        for row in report.to_dict()["cases"][0]["labels"]
    ]


def image(voxels, affine):
    """Return an image of nibabel in millimetres."""
    made = nibabel.Nifti1Image(voxels, affine)
    made.header.set_xyzt_units("mm")
    return made


def test_a_mask_that_is_moved_is_as_far_away_as_it_was_moved():
    """A box shifted by 3 and 4 pixels: 5; what its size is does not matter."""
    reference = np.zeros((30, 30), np.uint8)
    reference[5:12, 5:10] = 1
    assert distances(np.roll(reference, (3, 4), (0, 1)), reference) == [{"centre_distance_px": 5.0}]
    larger = np.zeros_like(reference)
    larger[4:13, 4:11] = 1
    assert distances(larger, reference) == [{"centre_distance_px": 0.0}]


def test_a_spacing_makes_it_a_length(tmp_path):
    """Voxels of 1 x 2 x 5 mm, shifted by 2, 1 and 1: the root of 4 + 4 + 25; metres of a map likewise."""
    reference = np.zeros((10, 10, 10), np.uint8)
    reference[2:5, 2:5, 2:5] = 1
    prediction = np.roll(reference, (2, 1, 1), (0, 1, 2))
    affine = np.diag([1.0, 2.0, 5.0, 1.0])
    found = distances(image(prediction, affine), image(reference, affine))
    assert found == [{"centre_distance_mm": pytest.approx(math.sqrt(33), rel=1e-15)}]
    tile = reference.max(axis=2)
    paths = [
        str(
            make.geotiff(
                tmp_path / f"{name}.tif", mask, transform=(30.0, 0, 0, 0, -30.0, 0), crs="EPSG:32633"
            )
        )
        for name, mask in (("p", np.roll(tile, 3, 0)), ("r", tile))
    ]
    assert distances(*paths) == [{"centre_distance_m": 90.0}]


def test_every_orientation_of_the_files_gives_the_same_number():
    """To the bit: both files stored in any order of axes and directions, also each in its own."""
    rng = np.random.default_rng(1)
    reference, prediction = (make.blobs((9, 8, 7), 3, seed) for seed in (1, 2))
    affine = np.diag([0.7, 1.3, 2.9, 1.0])
    affine[:3, 3] = 3.0, -7.0, 11.0
    expected = distances(image(prediction, affine), image(reference, affine))
    for axes in itertools.permutations(range(3)):
        one, other = (rng.integers(0, 2, 3).astype(bool) for _ in range(2))
        turned = [
            image(*make.turned(mask, affine, axes, flips))
            for mask, flips in ((prediction, one), (reference, other))
        ]
        assert distances(*turned) == expected
        assert distances(turned[0], image(reference, affine)) == expected


def test_where_a_mask_is_empty_there_is_no_distance():
    """Undefined is null, and the mean over labels leaves it out."""
    reference, prediction = np.zeros((2, 5, 5), np.uint8)
    reference[0, 0], prediction[0, 3], reference[4, 4] = 1, 1, 2
    report = dicecli.score(prediction, reference, metrics="centre_distance").to_dict()["cases"][0]
    assert [row["centre_distance_px"] for row in report["labels"]] == [3.0, None]
    assert report["averages"]["label-mean"]["centre_distance_px"] == 3.0
    assert "macro" not in report["averages"]


def test_whole_numbers_keep_it_exact():
    """Sums beyond 2^53 lose nothing: centres that are one pixel apart are 1 apart."""
    pixels, far = 10**15, 10**9
    place = Places(pixels, pixels, (pixels * far,), (pixels * (far + 1),))
    assert resolve("centre_distance").function(place, None) == 1.0


def test_tensors_give_what_arrays_give():
    """Tensors are counted whole on their device, and read by window for this; asking for a device changes nothing."""
    torch = pytest.importorskip("torch")
    reference, prediction = (make.blobs((40, 30), 3, seed) for seed in (1, 2))
    expected = distances(prediction, reference)
    assert distances(torch.from_numpy(prediction), torch.from_numpy(reference)) == expected
    assert distances(prediction, reference, device="auto") == expected


def test_the_command_line_has_it_everywhere(tmp_path):
    """Table, CSV, JSON, report, gates and both words: with the unit, and without."""
    reference = np.zeros((20, 20), np.uint8)
    reference[2:9, 2:9] = 1
    paths = [
        make.png(tmp_path / f"{n}.png", mask) for n, mask in enumerate((np.roll(reference, 2, 0), reference))
    ]

    def run(*words, code=0):
        result = CliRunner().invoke(cli, [str(word) for word in words])
        assert result.exit_code == code, result.output
        return result.stdout

    saved = tmp_path / "s.json"
    table = run("score", *paths, "-m", "centre_distance", "-o", saved)
    assert "centre_distance_px" in table
    assert "2.0000" in table
    assert (
        "centre_distance_px" in run("score", *paths, "-m", "centre_distance_px", "-f", "csv").splitlines()[0]
    )
    assert json.loads(saved.read_text())["cases"][0]["measured"]["place"]
    assert run("report", saved, "-f", "csv") == run("score", *paths, "-m", "centre_distance", "-f", "csv")
    assert run("report", saved, "--fail-over", "centre_distance=2")
    assert run("report", saved, "--fail-over", "centre_distance_px[1]=1.9", code=1)


def test_workers_and_shards_give_one_number(tmp_path):
    """One job or two, or put together from shards: the same bytes, and the same record."""
    for side, seed in (("p", 0), ("r", 10)):
        (tmp_path / side).mkdir()
        for number in range(4):
            make.nifti(tmp_path / side / f"{number}.nii.gz", make.blobs((9, 8, 7), 3, seed + number))
    lines = [f"{n},{tmp_path}/p/{n}.nii.gz,{tmp_path}/r/{n}.nii.gz" for n in range(4)]

    def run(name, *words, of=lines):
        pairs, out = tmp_path / "pairs.csv", tmp_path / f"{name}.json"
        pairs.write_text("\n".join(["case,prediction,reference", *of]))
        found = CliRunner().invoke(
            cli, ["batch", "--pairs", str(pairs), "-m", "centre_distance", "-o", str(out), "-q", *words]
        )
        assert found.exit_code == 0, found.output
        return out.read_bytes()

    expected = run("one")
    assert run("two", "-j", "2") == expected
    run("first", of=lines[:2])
    run("second", of=lines[2:])
    merged = tmp_path / "merged.json"
    words = ["report", str(tmp_path / "first.json"), str(tmp_path / "second.json"), "-o", str(merged)]
    assert CliRunner().invoke(cli, words).exit_code == 0
    assert json.loads(merged.read_text()) == json.loads(expected)
