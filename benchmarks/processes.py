"""Whole processes, run and measured one at a time.

The process that measures stays small: on Linux a child's peak memory starts from its parent's.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import IO


@dataclass(frozen=True)
class Run:
    """What one run of a process took, and what it printed.

    Attributes
    ----------
    seconds : float
        From its start to its end.
    cpu_seconds : float
        Of all its threads, the system's share included; NaN where the system does not say.
    peak_bytes : int
        The most memory that it held at any time; of the largest one where it starts others.
    output : str
    error : str
        The last line of what it complained of, where it failed; else empty.
    """

    seconds: float
    cpu_seconds: float
    peak_bytes: int
    output: str = ""
    error: str = ""


def measured(command: Sequence[str], folder: Path, cores: int | None = None) -> Run:
    """Run a command in a folder, on the first `cores` processors where that is given and possible."""
    with tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as complained:
        with _pinned(cores):
            started = time.perf_counter()
            process = subprocess.Popen(command, cwd=folder, stdout=said, stderr=complained)
        cpu_seconds, peak = (_waited if hasattr(os, "wait4") else _watched)(process)
        seconds = time.perf_counter() - started
        error = ""
        if process.returncode:
            lines = _text(complained).strip().splitlines() or ["nothing said"]
            error = f"exit code {process.returncode}: {lines[-1]}"
        return Run(seconds, cpu_seconds, peak, _text(said), error)


def can_pin() -> bool:
    """Say whether processes can be kept to some processors."""
    return hasattr(os, "sched_setaffinity")


def cores() -> int:
    """Return how many processors there are for the processes."""
    return len(os.sched_getaffinity(0)) if can_pin() else os.cpu_count() or 1


@contextlib.contextmanager
def _pinned(number: int | None) -> Iterator[None]:
    """Keep this process, and so what it starts, to so many processors."""
    if number is None or not can_pin():
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(before)[:number])
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _waited(process: subprocess.Popen[bytes]) -> tuple[float, int]:
    """Wait for a process and take what the system noted of it."""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    unit = 1 if sys.platform == "darwin" else 1024
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss * unit


def _watched(process: subprocess.Popen[bytes]) -> tuple[float, int]:
    """Look at a process until it ends, where the system keeps no account of it (Windows)."""
    import psutil

    peak, spent = 0, float("nan")
    with contextlib.suppress(psutil.NoSuchProcess):
        watched = psutil.Process(process.pid)
        while process.poll() is None:
            memory = watched.memory_info()
            peak = max(peak, getattr(memory, "peak_wset", memory.rss))
            spent = sum(watched.cpu_times()[:2])
            time.sleep(0.002)
    process.wait()
    return spent, peak


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode("utf-8", "replace")


def command_of(name: str) -> list[str]:
    """Return how a command installed beside this Python is started."""
    script = Path(sys.executable).with_name(name + (".exe" if os.name == "nt" else ""))
    return [str(script)] if script.exists() else [sys.executable, "-m", name]
