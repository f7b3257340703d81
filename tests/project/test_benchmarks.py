"""The benchmarks run from their data to their report, on masks so small that they say nothing of speed."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import nullcontext
from importlib import import_module
from importlib.util import find_spec

import places
import pytest

BENCHMARKS = places.ROOT / "benchmarks"


def test_everybody_agrees_on_tiny_masks(tmp_path):
    """Every part runs, who is installed agrees on the scores, and both reports are written, with a plot if it can be."""
    subprocess.run(
        [sys.executable, BENCHMARKS / "run.py", "--quick", "--rounds", "1", "--results", tmp_path],
        check=True,
        capture_output=True,
    )
    (record,) = tmp_path.glob("*.json")
    content = json.loads(record.read_text(encoding="utf-8"))
    contests = content["contests"].values()
    assert [each["error"] for contest in contests for each in contest["entrants"] if each["error"]] == []
    files = {"volume", "geotiff", "large-geotiff", "sparse"}
    surfaces = {"surfaces", "surfaces-ct", "surfaces-apart", "surfaces-salt", "surfaces-gyroid"}
    assert {"help", "two-png", "png", "few-png", "large-png", *files, *surfaces} == set(content["contests"])
    assert all(contest["limits"] for contest in contests)
    assert {"size", "labels"} == {each["series"] for each in content["growth"]}
    assert "| reached |" in record.with_suffix(".md").read_text(encoding="utf-8")
    assert len(list(tmp_path.glob("*_growth.png"))) == bool(find_spec("matplotlib"))


@pytest.mark.parametrize(
    ("printed", "tolerance", "convention", "agree"),
    [
        ('{"1 hd95": 2.5, "2 hd95": 3.0}', 1e-6, "rims", True),
        ('{"1 hd95": 2.5, "2 hd95": 3.00001}', 1e-6, "rims", False),
        ('{"1 hd95": 2.5, "2 hd95": 3.00001}', 1e-5, "rims", True),
        ('{"1 hd95": 2.5, "2 hd95": 3.1}', 1e-6, "corners", True),
        ('{"1 hd95": 2.5, "2 hd95": NaN}', 1e-6, "rims", False),
        ('{"1 hd95": 2.5}', 1e-6, "rims", False),
        ("{}", 1e-6, "rims", False),
    ],
)
def test_other_scores_end_a_contest(monkeypatch, printed, tolerance, convention, agree):
    """Who computes the same must print the same, every number of it; another convention is left alone."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    run, contests, processes, surfaces = map(import_module, ("run", "contests", "processes", "surfaces"))
    ours = contests.Entrant("ours", (), surfaces.from_names, convention="rims")
    theirs = contests.Entrant("theirs", (), surfaces.from_names, convention=convention, tolerance=tolerance)
    runs = {
        "ours": [processes.Run(1, 1, 1, '{"1 hd95": 2.5, "2 hd95": 3.0}')],
        "theirs": [processes.Run(1, 1, 1, printed)],
    }
    with nullcontext() if agree else pytest.raises(run.Disagreement, match="ours and theirs"):
        run.check_agreement((ours, theirs), runs)


@pytest.mark.skipif(not find_spec("torch"), reason="torch is not installed")
def test_tensors_are_measured_on_the_processor_too(tmp_path):
    """The benchmark of resident tensors runs where there is no GPU, all agree, and the device is named."""
    subprocess.run(
        [
            sys.executable,
            BENCHMARKS / "gpu.py",
            "--quick",
            "--rounds",
            "1",
            "--device",
            "cpu",
            "--results",
            tmp_path,
        ],
        check=True,
        capture_output=True,
    )
    (record,) = tmp_path.glob("*.json")
    content = json.loads(record.read_text(encoding="utf-8"))
    assert {"dicecli", "dicecli, torch's kernels", "copy"} <= set(content["medians_s"])
    assert bool(find_spec("monai")) == any(content["ratios"])
    assert content["share_of_copy_bandwidth"] > 0
    assert content["name"] in record.with_suffix(".md").read_text(encoding="utf-8")


@pytest.mark.skipif(not find_spec("torch"), reason="torch is not installed")
def test_losses_agree(tmp_path):
    """The benchmark of losses runs, who is installed agrees on the loss, and both reports are written."""
    script = BENCHMARKS / "losses.py"
    options = ["--quick", "--turns", "1", "--rounds", "1", "--only", "dice", "--device", "cpu"]
    subprocess.run([sys.executable, script, *options, "--results", tmp_path], check=True, capture_output=True)
    (record,) = tmp_path.glob("*.json")
    (contest,) = json.loads(record.read_text(encoding="utf-8"))["contests"]
    peers = [find_spec("monai"), find_spec("segmentation_models_pytorch")]
    assert 1 + sum(map(bool, peers)) == len(contest["entrants"])
    assert 2 * sum(map(bool, peers)) == len(contest["limits"])
    assert "extra MB" in record.with_suffix(".md").read_text(encoding="utf-8")
