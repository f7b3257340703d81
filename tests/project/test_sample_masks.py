"""The sample masks: what dicecli says of them is what their maker counted without it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import places
import pytest

import dicecli

FOLDER = places.SAMPLES
PAIRS = json.loads((FOLDER / "expected.json").read_text())["pairs"]
SCORED = [pair for pair in PAIRS if "error" not in pair]


def _score(pair, **more):
    labels = pair["options"][1] if "--labels" in pair["options"] else None
    ignore = [
        int(value)
        for flag, value in zip(pair["options"], pair["options"][1:], strict=False)
        if flag == "--ignore-label"
    ]
    return dicecli.score(
        FOLDER / pair["prediction"],
        FOLDER / pair["reference"],
        labels=None if labels is None else FOLDER / labels,
        ignore_label=ignore or None,
        **more,
    )


@pytest.mark.parametrize("pair", SCORED, ids=lambda pair: pair["prediction"] + "-" + pair["reference"])
def test_counts_are_those_of_the_maker(pair):
    """Counts of every label, pixels counted and left out, and Dice agree with expected.json exactly."""
    record = _score(pair, include_background=True).to_dict()["cases"][0]
    found = {
        str(row["label"]): {key: row[key] for key in ("tp", "fp", "fn", "tn", "dice", "iou")}
        for row in record["labels"]
        if row["label"] is not None
    }
    assert pair["labels"] == found
    assert pair["counted"] == record["counted"]
    assert {"ignore_label": pair["ignored"], "nodata": pair["nodata"]} == record["excluded"]
    macro = _score(pair).to_dict()["cases"][0]["averages"]["macro"]["dice"]
    assert macro == pytest.approx(pair["macro_dice"], abs=1e-15)


def test_masks_that_do_not_lie_on_each_other_are_refused():
    """The misaligned pair is an error, not a score."""
    (pair,) = [pair for pair in PAIRS if "error" in pair]
    with pytest.raises(dicecli.CaseError) as caught:
        dicecli.score(FOLDER / pair["prediction"], FOLDER / pair["reference"])
    assert pair["error"] == caught.value.name


def test_they_stay_small():
    """All sample masks together, with their scripts, stay below 300 KB."""
    assert sum(path.stat().st_size for path in FOLDER.rglob("*") if path.is_file()) <= 300_000


def test_the_script_makes_the_same_masks_again(tmp_path):
    """Running the script in an empty folder gives the same files: counts and plain files to the byte."""
    for script in ("make.py", "scenes.py"):
        (tmp_path / script).write_bytes((FOLDER / script).read_bytes())
    subprocess.run(
        [sys.executable, "-W", "error", str(tmp_path / "make.py")], check=True, capture_output=True
    )
    made = {path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file()}
    kept = {path.relative_to(FOLDER) for path in FOLDER.rglob("*") if path.is_file()}
    ours = {path for path in kept if "__pycache__" not in path.parts} - {Path("README.md")}
    assert ours == {path for path in made if "__pycache__" not in path.parts}
    for path in ours:
        # Compressed files may differ with the version of the compressor; their counts may not.
        if path.suffix in {".json", ".nii", ".csv"}:
            assert (FOLDER / path).read_bytes() == (tmp_path / path).read_bytes()
