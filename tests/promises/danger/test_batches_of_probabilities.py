"""Batches of probabilities: what is not read is no silence, and ignored pixels count in no number of them."""

from __future__ import annotations

import json
from pathlib import Path

import make
import numpy as np
import pytest

import dicecli

GARBAGE = np.array([np.nan, np.inf, -np.inf, 7, -3], np.float32)


@pytest.mark.parametrize(
    ("side", "suffix"), [("r", ".nrrd"), ("r", ".jpg"), ("r", ".npy"), ("p", ".h5"), ("p", ".webp")]
)
def test_what_is_not_read_is_a_failed_row(side, suffix, tmp_path, monkeypatch):
    """References in a format that is not read, beside ones that are: failed rows; so are predictions of them."""
    monkeypatch.chdir(tmp_path)
    for each in ("p", "r"):
        Path(each).mkdir()
    for name in "ab":
        np.save(f"p/{name}.npy", np.full((2, 3, 1), 0.25, np.float32))
        make.png(Path(f"r/{name}.png"), np.ones((2, 3), np.uint8))
    Path(f"{side}/b{'.npy' if side == 'p' else '.png'}").unlink()
    if suffix == ".npy":
        np.save("r/b.npy", np.zeros((2, 3, 1), np.float32))
    else:
        Path(f"{side}/b{suffix}").write_bytes(b"no array")
    found = dicecli.batch("p", "r", soft=True)
    assert [each.case.name for each in found.scored] == ["a"]
    assert [(each.case.name, each.error) for each in found.unscored] == [("b", "UnknownFormat")]


@pytest.mark.parametrize("how", ["ignore label", "within", "nodata"])
def test_garbage_in_ignored_pixels(how, tmp_path):
    """NaN, infinity or 7 in ignored pixels: no number of calibration, of thresholds or of overlap changes by it."""
    numbers = np.random.default_rng(3)
    share, labels = numbers.random((9, 8), np.float32), numbers.integers(0, 2, (9, 8)).astype(np.uint8)
    out = numbers.random((9, 8)) < 0.3
    garbage = np.resize(GARBAGE, share.shape)
    records = []
    for fill in (np.full_like(share, 0.5), garbage):
        folder = tmp_path / str(len(records))
        for name in ("p", "r"):
            (folder / name).mkdir(parents=True)
        options = {"soft": True, "metrics": "all", "jobs": 1}
        void, spoilt = labels.copy(), np.where(out, fill, share)
        if how == "ignore label":
            options["ignore_label"], void[out] = 255, 255
        elif how == "within":
            options["within"] = folder / "field.png"
            make.png(folder / "field.png", (~out).astype(np.uint8))
        else:
            options["nodata"], void[out] = "ignore", 9
        make.geotiff(folder / "r" / "a.tif", void, nodata=9 if how == "nodata" else None)
        make.geotiff(folder / "p" / "a.tif", spoilt)
        found = dicecli.batch(folder / "p", folder / "r", **options)
        assert len(found.scored) == 1, found.unscored
        assert found.curves is not None
        record = found.to_dict()
        records.append(json.dumps([record["cases"][0]["measured"], record["summary"]]))
    assert "nan" not in records[0].lower()
    assert records[0] == records[1]
