"""What a fault is in these tests: a bad mask beside a good one, in a run that must lose neither."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import make
import watch

import dicecli
from dicecli.cli.batch import exit_code
from dicecli.masks import files
from dicecli.masks.formats.nifti import SUFFIXES as NIFTI

if TYPE_CHECKING:
    from collections.abc import Callable

    from dicecli.reports.report import Report

#: The masks of the good case, and of the reference beside a bad prediction.
LABELS = make.blobs((12, 15))
OTHER = make.blobs((12, 15), seed=1)


@dataclass(frozen=True)
class Fault:
    """One row of the specification, or one variant of it.

    Attributes
    ----------
    row : str
        The stimulus, in the words of the specification.
    suffix : str
        Of the bad mask.
    build : callable
        Puts the bad mask at a path, where a good one already lies.
    error : str
        The stable name of the error; the empty string where the case must be scored after all.
    said : str
        What the message, or where it is scored a note, must hold.
    options : dict
        Of :func:`dicecli.batch`.
    """

    row: str
    suffix: str
    build: Callable[[Path], Any]
    error: str
    said: str = ""
    options: Any = None

    def __str__(self) -> str:
        return f"{self.row} {self.suffix}"


def write(path: Path, labels: Any) -> Path:
    """Write labels in the format that the suffix names."""
    kind = files.suffix(path)
    if kind in NIFTI:
        return make.nifti(path, labels)
    return (make.png if kind == ".png" else make.geotiff)(path, labels)


def folders(root: Path, suffix: str) -> tuple[Path, Path]:
    """Make predictions and references with two good cases of a format, ``bad`` and ``good``."""
    for side, labels in (("p", OTHER), ("r", LABELS)):
        (root / side).mkdir()
        for name in ("bad", "good"):
            write(root / side / f"{name}{suffix}", labels)
    return root / "p", root / "r"


def run(root: Path, fault: Fault) -> tuple[Report, list[str]]:
    """Run a fault beside a good case; return the report, and what was opened or called that must not be."""
    predictions, references = folders(root, fault.suffix)
    fault.build(predictions / f"bad{fault.suffix}")
    with watch.Watch(predictions, references) as seen:
        seen.clear()
        report = dicecli.batch(predictions, references, **(fault.options or {}))
        strange = seen.strange(*(f"{name}{end}" for name in ("good", "bad") for end in _ends(fault.suffix)))
    return report, strange


def _ends(suffix: str) -> tuple[str, ...]:
    return (".hdr", ".img") if suffix in {".hdr", ".img"} else (suffix,)


def hold(report: Report, fault: Fault) -> dict[str, Any]:
    """Hold a report against what the specification calls a row; return the record of the bad case.

    The case stands in it once, failed, under a stable name; its message says which side and file, and there is
    something to do; the other case is scored, and right; the exit code is 3. Or, where the fault is none, both
    are scored, and the exit code is 0.
    """
    cases = {each["case"]: each for each in report.to_dict()["cases"]}
    assert ["bad", "good"] == sorted(each["case"] for each in report.to_dict()["cases"])
    assert "scored" == cases["good"]["status"]
    expected = dict(make.brute(OTHER, LABELS).items())
    good = report.results[[each.case.name for each in report.results].index("good")]
    assert expected == make.counts(good)
    bad = cases["bad"]
    if not fault.error:
        assert (0, "scored") == (exit_code(report), bad["status"]), bad
        assert any(fault.said in note for note in bad["notes"]), bad["notes"]
        return bad
    assert (3, "failed") == (exit_code(report), bad["status"])
    assert fault.error == bad["error"], bad
    sides = [f"{bad['prediction']} against {bad['reference']}: ", f"prediction {bad['prediction']}: "]
    assert bad["message"].startswith((*sides, f"reference {bad['reference']}: ")), bad["message"]
    assert fault.said in bad["message"], bad["message"]
    assert bad["hint"]
    json.dumps(bad)
    return bad


#: Scores a good pair and then a bad mask against itself, in bounded address space, and says how much it grew by.
_MEASURE = """
import json, sys
sys.path.insert(0, {tests!r})
import watch
from dicecli.runs.scoring import make_settings, result_of
from dicecli.records.cases import Case
good, bad, options = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
assert result_of(Case("good", good, good), make_settings()).status == "scored"
watch.bound_memory(1 << 30)
before = watch.megabytes_now()
found = result_of(Case("bad", bad, bad), make_settings(**options))
print(json.dumps([getattr(found, "error", ""), watch.most_megabytes() - before]))
"""


def measured(good: Path, bad: Path, **options: Any) -> tuple[str, float]:
    """Score a bad mask in a process of its own; return its error's name, and by how many megabytes that grew."""
    program = _MEASURE.format(tests=str(Path(__file__).parent))
    done = subprocess.run(
        [sys.executable, "-c", program, str(good), str(bad), json.dumps(options)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert 0 == done.returncode, done.stderr
    error, megabytes = json.loads(done.stdout)
    return error, megabytes
