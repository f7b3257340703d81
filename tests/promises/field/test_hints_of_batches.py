"""What to do about cases without numbers stands once below them: of A19, "a hint is the right next step"."""

from __future__ import annotations

import json
import re

import make
import numpy as np
import pytest
from batches import sound
from streams import runner

from dicecli.cli import cli
from dicecli.records.cases import Case, Failed
from dicecli.reports.said import hints


def call(*words):
    """Run `dicecli batch` in this process."""
    return runner().invoke(cli, ["batch", *map(str, words), "-j", "1"], catch_exceptions=False)


def said(done):
    """Return what was printed, as one line, without Markdown's escapes."""
    return " ".join(done.stdout.replace("\\", "").split())


@pytest.mark.parametrize("format_name", ["table", "markdown"])
def test_maps_without_soft(format_name, tmp_path):
    """`batch` without `--soft` on probability maps: the hint stands once below the rows, and leads to numbers."""
    pytest.importorskip("rasterio")
    rng = np.random.default_rng(1)
    for number in range(4):
        bands = rng.dirichlet(np.ones(4), (12, 12)).astype(np.float32)
        (tmp_path / "p").mkdir(exist_ok=True)
        (tmp_path / "r").mkdir(exist_ok=True)
        make.geotiff(tmp_path / "p" / f"{number}.tif", np.moveaxis(bands, -1, 0))
        make.geotiff(tmp_path / "r" / f"{number}.tif", rng.integers(0, 4, (12, 12)).astype(np.uint8))
    done = call(tmp_path / "p", tmp_path / "r", "-f", format_name)
    assert done.exit_code == 3
    assert said(done).count("Hint on ") == 1
    assert re.search(r"Hint on \w+, in 4 cases: .*dicecli (soft|batch --soft)", said(done))
    assert call("--soft", tmp_path / "p", tmp_path / "r").exit_code == 0


def test_every_kind_of_error_has_its_hint(tmp_path):
    """Files that are broken, missing or of another size: each kind has its hint, the most frequent first."""
    sound(tmp_path, 8)
    prediction = tmp_path / "predictions"
    for number in range(3):
        (prediction / f"case{number:03}.png").write_bytes(b"")
    for number in (3, 4):
        (prediction / f"case{number:03}.png").unlink()
    make.png(prediction / "case005.png", np.zeros((3, 3), np.uint8))
    done = call(prediction, tmp_path / "references")
    assert done.exit_code == 3
    kinds = re.findall(r"Hint on (\w+), in (\d) cases?: ", said(done))
    assert kinds == [("EmptyFile", "3"), ("Missing", "2"), ("ShapeMismatch", "1")]
    record = json.loads(call(prediction, tmp_path / "references", "-f", "json").stdout)
    for hint in {case["hint"] for case in record["cases"] if case["status"] == "failed"}:
        assert " ".join(hint.split()) in said(done)


def test_few_of_many_kinds():
    """Of many kinds the three most frequent are said, and of a kind the hint that most of its cases have."""
    case = Case("a", "p", "r")
    failed = [Failed(case, f"Kind{kind}", "", f"do {kind}") for kind in range(5) for _ in range(kind + 1)]
    failed += [Failed(case, "Kind4", "", "do something else"), Failed(case, "Mute", "", "")]
    assert hints(failed) == (
        "Hint on Kind4, in 6 cases: do 4 Hint on Kind3, in 4 cases: do 3 Hint on Kind2, in 3 cases: do 2"
    )
    assert hints([]) == ""
