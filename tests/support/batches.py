"""Folders of masks, the command ``dicecli batch`` run on them, and what must hold of what it writes."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
import zlib
from collections import Counter
from contextlib import suppress
from pathlib import Path
from xml.etree import ElementTree as ET

import make
import numpy as np
import pytest
from record_schema import loaded
from streams import runner

from dicecli.cli import cli

posix_only = pytest.mark.skipif(os.name != "posix", reason="signals are POSIX's")
needs_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="there is no /proc here")
not_as_root = pytest.mark.skipif(
    os.name != "posix" or os.geteuid() == 0, reason="to this user nothing is forbidden"
)
#: Every file that a run writes.
OUTPUTS = ("scores.csv", "scores.json", "scores.md", "scores.xml", "scores.txt")
FILES = (*OUTPUTS, "summary.csv")
#: How many cases the folders have in which processes are killed, and how many of them can be scored.
MANY, SOUND = 160, 159
CASES = [f"case{number:03}" for number in range(MANY)]
SOUND_NAMES = {*CASES} - {"case100"}
#: How long something is waited for that takes seconds, on a machine that is busy with other things.
PATIENCE_S = 300.0


def pair(folder, name, seed=0, size=64, write=make.png, suffix=".png"):
    """Write a reference of four labels, and a prediction that is wrong in some of its pixels."""
    rng = np.random.default_rng(seed)
    reference = make.blobs((size, size), 4, seed)
    prediction = np.where(rng.random(reference.shape) < 0.1, rng.integers(0, 4, reference.shape), reference)
    for side, mask in (("predictions", prediction), ("references", reference)):
        path = folder / side / f"{name}{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        write(path, mask.astype(np.uint8))


def sound(folder, count=4, size=16):
    """Write pairs that can all be scored, and return the folder."""
    for number in range(count):
        pair(folder, f"case{number:03}", number, size)
    return folder


def both(folder):
    return [folder / "predictions", folder / "references"]


def all_outputs(folder):
    """Return the options that write every kind of file into a folder."""
    options = [part for name in OUTPUTS for part in ("-o", folder / name)]
    return [*options, "--summary", folder / "summary.csv"]


def contents(folder):
    return {name: (folder / name).read_bytes() for name in FILES}


def call(*arguments, jobs=1, **options):
    """Run the command in this process."""
    count = ["--jobs", jobs] if jobs else []
    words = [str(each) for each in ("batch", *arguments, *count)]
    return runner().invoke(cli, words, catch_exceptions=False, **options)


def command(*arguments):
    return [sys.executable, "-m", "dicecli", "batch", *(str(each) for each in arguments)]


def run(*arguments, **options):
    """Run the command in a process of its own, to its end."""
    return subprocess.run(
        command(*arguments), capture_output=True, encoding="utf-8", check=False, timeout=PATIENCE_S, **options
    )


def start(*arguments, **options):
    """Start the command in a process group of its own."""
    options = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "encoding": "utf-8"} | options
    return subprocess.Popen(command(*arguments), start_new_session=True, **options)


def record(path):
    return loaded(path.read_text(encoding="utf-8"))


def statuses(found):
    """Return every case of a JSON record with its status."""
    return {case["case"]: case["status"] for case in found["cases"]}


def cases_of(folder):
    """Return the cases that stand in CSV, JSON and XML, each as a count by name; of CSV once per label."""
    with (folder / "scores.csv").open(encoding="utf-8", newline="") as file:
        rows = Counter((row["case"], row["label"]) for row in csv.DictReader(file))
    cases = ET.parse(folder / "scores.xml").iterfind("testsuite[@name='cases']/testcase")  # noqa: S314 - our own output
    return (
        rows,
        Counter(case["case"] for case in record(folder / "scores.json")["cases"]),
        Counter(case.get("name") for case in cases),
    )


def assert_nothing_is_lost(folder, names):
    """Every expected case stands exactly once in CSV, JSON and XML, and the numbers of the record add up."""
    rows, in_json, in_xml = cases_of(folder)
    once = Counter(dict.fromkeys(names, 1))
    assert once == in_json
    assert once == in_xml
    assert set(once) == {name for name, _ in rows}
    assert {1} == set(rows.values())
    found = record(folder / "scores.json")
    summary = found["summary"]
    by_status = {name: summary[name] for name in ("scored", "failed", "missing", "pending")}
    assert by_status == {name: list(statuses(found).values()).count(name) for name in by_status}
    assert len(names) == summary["expected"] == sum(by_status.values())


def journal_of(folder):
    return folder / "scores.csv.journal"


def journalled(folder):
    """Return the names of the cases in a journal, line by line; a torn line does not count."""
    with suppress(FileNotFoundError):
        lines = journal_of(folder).read_bytes().splitlines(keepends=True)
        whole = [line[9:] for line in lines if line == b"%08x %b" % (zlib.crc32(line[9:-1]), line[9:])]
        return [entry["scored"]["case"]["name"] for entry in map(json.loads, whole) if "scored" in entry]
    return []


def wait_for(count, process, folder):
    """Wait until a journal has so many cases, or the process is over."""
    end = time.monotonic() + PATIENCE_S
    while process.poll() is None:
        with suppress(FileNotFoundError):
            if journal_of(folder).read_bytes().count(b"\n") > count:
                return
        assert time.monotonic() < end
        time.sleep(0.001)


def start_and_hold(words, folder, count=10):
    """Start a run, and hold it with SIGSTOP once some of its many cases are done, and before most of them are."""
    for _ in range(10):
        process = start(*words, stdout=subprocess.PIPE)
        wait_for(count, process, folder)
        process.send_signal(signal.SIGSTOP)
        if process.poll() is None and len(journalled(folder)) < SOUND - 20:
            return process
        process.kill()  # the machine was so busy that the run was over too soon: once more
        process.communicate()
        journal_of(folder).unlink(missing_ok=True)
    pytest.fail("every run was over too soon")


def processes():
    """Yield number, parent and group of every process that is not over."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, parent, group = path.read_text(encoding="utf-8").rpartition(")")[2].split()[:3]
            if state not in "ZX":
                yield int(path.parent.name), int(parent), int(group)


def workers_of(process):
    """Return the worker processes of a run, which were forked from it or started afresh."""
    return [pid for pid, parent, _ in list(processes()) if parent == process.pid]


def busiest(numbers):
    """Return the process that has worked most: one that is only starting has no case yet that it could lose."""

    def ticks(number):
        after_name = Path(f"/proc/{number}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        return int(after_name[11]) + int(after_name[12])

    return max(numbers, key=ticks)


def assert_no_process_is_left(process):
    """Whatever the run has started ends soon."""
    end = time.monotonic() + 60
    while left := [pid for pid, _, group in processes() if group == process.pid]:
        assert time.monotonic() < end, left
        time.sleep(0.01)


FAULTY = {
    "case003": "EmptyFile",
    "case005": "Missing",
    "case007": "Truncated",
    "case008": "ShapeMismatch",
}
NAMES = [*CASES[:12], "nothing"]


def spoiled(folder):
    """Make folders in which each mask that is read gives exit code 3."""
    for path in sound(folder, 2).glob("*/*.png"):
        path.write_bytes(b"no mask")
    return both(folder)
