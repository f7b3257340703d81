"""Sweep the command line, and every file that it reads beside masks, for tracebacks: random, and strange.

::

    python tests/fuzzing/sweep.py --attempts 10000
    python tests/fuzzing/sweep.py --subjects lines,labels --start 10000 --attempts 500
    python tests/fuzzing/sweep.py --subjects lines --only 4711       # one attempt again, with its words

Each subject runs in this process, in a folder of its own that is made again after each attempt. What is
printed per subject: how many ended with which exit code, the slowest, and the findings. The exit code is 1 if
there are any.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

import sweeps
from desk import Desk


def main() -> int:
    """Sweep every subject that was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--subjects", default=",".join(sweeps.SUBJECTS))
    parser.add_argument("--start", type=int, default=0, help="the number of the first attempt")
    parser.add_argument("--attempts", type=int, default=1000, help="how many of each subject")
    parser.add_argument("--only", type=int, help="one attempt again, with its words and files")
    options = parser.parse_args()
    unknown = sorted({*options.subjects.split(",")} - {*sweeps.SUBJECTS})
    if unknown:
        parser.error(f"there is no {', '.join(unknown)}: subjects are {', '.join(sweeps.SUBJECTS)}")
    os.environ["SOURCE_DATE_EPOCH"] = "1767225600"
    found = 0
    with tempfile.TemporaryDirectory(prefix="sweep") as folder:
        os.chdir(folder)
        table = Desk(Path(folder))
        for subject in options.subjects.split(","):
            numbers = range(options.start, options.start + options.attempts)
            found += _sweep(
                subject, numbers if options.only is None else [options.only], table, options.only is not None
            )
        os.chdir("/")
    return int(found > 0)


def _sweep(subject: str, numbers, table: Desk, shown: bool) -> int:
    """Try some numbers of a subject, print what came of it, and return how many have findings."""
    codes, findings, slowest = Counter(), 0, 0.0
    for number in numbers:
        tried = sweeps.attempt(subject, number, table.folder)
        if shown:
            print("\n".join(" ".join(map(repr, words)) for words in tried.lines))
            print("\n".join(f"{name}: {content[:5000]!r}" for name, content in tried.files.items()))
        started = time.process_time()
        answers, faults = sweeps.judged(tried)
        slowest = max(slowest, time.process_time() - started)
        codes.update(answers)
        findings += bool(faults)
        for each in faults:
            print(json.dumps({"subject": subject, "number": number, "fault": each}), flush=True)
        table.reset()
    print(
        json.dumps(
            {
                "subject": subject,
                "attempts": len(numbers),
                "codes": codes,
                "slowest_s": round(slowest, 2),
                "findings": findings,
            }
        ),
        flush=True,
    )
    return findings


if __name__ == "__main__":
    sys.exit(main())
