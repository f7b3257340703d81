"""A time limit holds for all that is done for a case, and nothing that is done many times takes long."""

from __future__ import annotations

import subprocess
import sys

import make
import numpy as np
import pytest
from batches import both, sound

import dicecli
from dicecli.records.cases import Case
from dicecli.reports.report import Report
from dicecli.runs import scoring

#: The command, in whose workers, which are forked from it, reports take a minute.
SLOW = """
import os, sys, time
from dicecli.cli import main
from dicecli.reports.report import Report

command, render = os.getpid(), Report.render
Report.render = lambda *given: render(*given) if os.getpid() == command else time.sleep(60)
main()
"""


def many_labels(path, seed):
    """Write a mask of 2,000 labels in noise: nearly each pixel is a pair of labels of its own."""
    labels = np.random.default_rng(seed).permutation(np.arange(200 * 200) % 2000)
    path.parent.mkdir(parents=True, exist_ok=True)
    make.png(path, labels.reshape(200, 200).astype(np.uint16))


@pytest.mark.skipif(sys.platform != "linux", reason="workers are forked from the command on Linux alone")
def test_the_timeout_reaches_the_summing_up_of_a_case(tmp_path):
    """A case that is measured at once, but whose numbers take too long, is a row `Timeout`, and the others are fine."""
    sound(tmp_path, 2)
    for seed, side in enumerate(both(tmp_path)):
        many_labels(side / "many.png", seed)
    (tmp_path / "slow.py").write_text(SLOW, encoding="utf-8")
    done = subprocess.run(
        [
            sys.executable,
            tmp_path / "slow.py",
            "batch",
            *both(tmp_path),
            "--timeout",
            "3",
            "-f",
            "csv",
            "-j",
            "2",
        ],
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=300,
    )
    rows = [line.split(",", 2) for line in done.stdout.splitlines()]
    assert {(case, status) for case, status, _ in rows[1:]} == {
        ("case000", "scored"), ("case001", "scored"), ("many", "failed")
    }  # fmt: skip
    assert "it took longer than 3 s" in done.stdout
    assert done.returncode == 3


def test_the_timeout_of_a_single_case_reaches_its_summing_up(tmp_path, monkeypatch):
    """What `score(timeout=...)` has done in its process is the measuring and the summing up, and is what it is without."""
    sides = [side / "many.png" for side in both(tmp_path)]
    for seed, side in enumerate(sides):
        many_labels(side, seed)
    summed = []
    monkeypatch.setattr(scoring, "within", lambda _, function, case: function(case))
    monkeypatch.setattr(Report, "render", lambda report, *_: summed.append(report.results))
    settings = dicecli.make_settings()
    case = Case("many", *map(str, sides))
    timed = scoring.measure_within(case, settings, 1, timeout=5)
    assert summed == [(timed,)]
    assert timed == scoring.measure_within(case, settings, 1)
    assert len(summed) == 1
