"""What must hold of any bytes that are given for a mask: a CaseError or a right number, soon, in little memory."""

from __future__ import annotations

import ctypes
import json
import sys
import time
import warnings
from collections import Counter
from typing import TYPE_CHECKING

import decoders
import mutants
import numpy as np

from dicecli.errors import CaseError
from dicecli.masks.blocks import plan
from dicecli.masks.formats import npy
from dicecli.masks.reading import Reading
from dicecli.records.cases import Case
from dicecli.records.settings import Settings
from dicecli.runs.inspection.file import inspect
from dicecli.runs.measuring import measure_case
from dicecli.statistics.matrix import label_counts

if TYPE_CHECKING:
    from pathlib import Path

#: Of the processor: a busy machine must not look like a slow reader.
MOST_SECONDS = 2.0
#: Of the clock, for what waits instead of working.
MOST_WAITING = 20.0
#: Of a process that does nothing else; and by how much one mask may make any process grow.
MOST_MEGABYTES, MOST_GROWTH = 512, 300


class Finding(AssertionError):
    """A promise that a mask broke."""


def judge(path: Path, *, inspected: bool = False) -> str:
    """Score a mask against itself, and hold the answer; return the name of its error, or ``"scored"``.

    Where it is `inspected` as well, that must find an error, too, or none.

    Raises
    ------
    Finding
        Another exception or a warning, a wrong number, or too long or too large.
    """
    started, before = (time.process_time(), time.monotonic()), peak_megabytes()
    _fill_memory(0x5A)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            found = _values(path) if path.suffix == ".npy" else _sizes(path)
    except CaseError as error:
        _hold_message(error, path)
        answer = error.name
    except Finding:
        raise
    except Exception as error:
        raise Finding(f"{type(error).__name__}: {error}") from error
    else:
        _hold_number(found, path)
        answer = "scored"
    if inspected and path.suffix != ".npy":
        _hold_inspection(path, answer)
    spent, waited = time.process_time() - started[0], time.monotonic() - started[1]
    if spent > MOST_SECONDS or waited > MOST_WAITING:
        raise Finding(f"it took {spent:.1f} s of the processor, {waited:.1f} s in all")
    if (grown := peak_megabytes() - before) > MOST_GROWTH:
        raise Finding(f"the process has grown by {grown:.0f} MB")
    return answer


def _sizes(path: Path) -> dict[int, int]:
    """Score a mask against itself; return its pixels by label."""
    scored = measure_case(Case("mutant", str(path), str(path)), Settings())
    sizes = label_counts(scored.measured)
    if any(counts.fp or counts.fn for counts in sizes.values()):
        raise Finding("a mask does not agree with itself")
    return {label: counts.tp for label, counts in sizes.items() if counts.tp}


def _values(path: Path) -> dict[float, int]:
    """Read an array of probabilities, all channels; return how often each value is there."""
    counted: Counter = Counter()
    for source in npy.open_probabilities(str(path), Reading(), mutants.SOFT_SHAPE):
        with source:
            for window in plan(source):
                counted.update(np.asarray(source.values(window)).ravel().tolist())
            source.finish()
    return {value: n for value, n in counted.items() if value == value}  # noqa: PLR0124 - NaN is not


def _hold_inspection(path: Path, answer: str) -> None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            found = inspect(str(path))
            json.dumps(found.to_dict(), allow_nan=False)
    except Exception as error:
        raise Finding(f"inspect: {type(error).__name__}: {error}") from error
    # Of a mask with two defects each may meet another one first.
    if (found.error is None) != (answer == "scored"):
        raise Finding(f"score says {answer}, inspect {found.error and found.error.name}")


def _hold_message(error: CaseError, path: Path) -> None:
    """Every error names the file and the side, and says what to do."""
    said = str(error)
    if path.stem not in said or not said.startswith(("reference", "prediction", str(path))):
        raise Finding(f"the message names neither side nor file: {said}")
    if not error.hint or not error.message:
        raise Finding(f"{error.name} without a hint")


def _hold_number(found: dict[float, int], path: Path) -> None:
    _fill_memory(0xA5)
    try:
        right = decoders.sizes(path)
    except Exception as error:
        raise Finding(f"scored as {found}, where another decoder fails: {error!r}") from error
    if {label: n for label, n in right.items() if n} != found:
        raise Finding(f"scored as {found}; right is {right}")


def _fill_memory(byte: int) -> None:
    """Have new memory filled with a byte, where the C library does that: what is never set must not count."""
    if _MALLOPT is not None:
        _MALLOPT(_M_PERTURB, byte)


#: Of glibc's mallopt(3).
_M_PERTURB = -6
_MALLOPT = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None


def peak_megabytes() -> float:
    """Return the largest size that this process has had in memory; 0 where the system does not tell."""
    try:
        import resource
    except ImportError:
        return 0.0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1 << 20 if sys.platform == "darwin" else 1 << 10)
