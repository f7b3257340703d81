"""Fuzz the readers for a long time: damaged masks of every format, each of which must be an error or right.

Each format runs in a process of its own, whose memory is bounded and whose every open, write and connection
is recorded. A process that dies or hangs names the mutant that it died of, and the run goes on with the
next one::

    python tests/fuzzing/run.py --mutants 50000
    python tests/fuzzing/run.py --formats tif --start 50000 --mutants 1000 --strace
    python tests/fuzzing/run.py --formats nii --only 4711          # one mutant again, with its traceback

What is printed per format: how many were scored, how many had which error, the slowest, the peak of memory,
and the findings. The exit code is 1 if there are any.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

import mutants
import oracle
import watch

#: A mutant that takes longer than this on the clock is a hang, and its process is ended.
_HANGS_S = 120
#: Address space that a process may take beyond what it has once everything is loaded.
_MOST_BYTES = 512 << 20


def main() -> int:
    """Run every format that was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--formats", default=",".join(mutants.KINDS))
    parser.add_argument("--start", type=int, default=0, help="the number of the first mutant")
    parser.add_argument("--mutants", type=int, default=1000, help="how many of each format")
    parser.add_argument("--only", type=int, help="one mutant again, with its traceback")
    parser.add_argument("--strace", action="store_true", help="also see what C libraries open (slow)")
    parser.add_argument("--json", type=Path, help="where the figures go")
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    unknown = sorted({*options.formats.split(",")} - {*mutants.KINDS})
    if unknown:
        parser.error(
            f"no mutants of {', '.join(unknown)}: tests/support/mutants.py knows {', '.join(mutants.KINDS)}"
        )
    if options.worker:
        return _work(options.formats, options.start, options.mutants)
    if options.only is not None:
        return _again(options.formats, options.only)
    figures = [_fuzz(kind, options) for kind in options.formats.split(",")]
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n")
    return int(any(each["findings"] for each in figures))


def _fuzz(kind: str, options: argparse.Namespace) -> dict:
    """Run one format to the end, in as many processes as die on the way."""
    found: dict = {"format": kind, "mutants": 0, "answers": Counter(), "slowest_s": 0.0, "peak_mb": 0.0}
    found |= {"findings": [], "said_on_stderr": 0, "foreign": []}
    started = time.monotonic()
    at, end = options.start, options.start + options.mutants
    while at < end:
        done, reason, foreign, said = _process(kind, at, end, strace=options.strace)
        for each in done:
            found["answers"][each["answer"]] += 1
            found["slowest_s"] = max(found["slowest_s"], each["s"])
            found["peak_mb"] = max(found["peak_mb"], each["mb"])
            found["findings"] += [each] if each["answer"] == "FINDING" else []
        found["mutants"] += len(done) + (reason is not None)
        found["foreign"] += foreign
        found["said_on_stderr"] += said
        at += len(done)
        if reason is not None:
            found["findings"].append({"number": at, "answer": "DIED", "why": reason})
            at += 1
    found["findings"] += [{"answer": "FOREIGN", "why": each} for each in found["foreign"]]
    found["wall_s"] = round(time.monotonic() - started, 1)
    found["answers"] = dict(found["answers"].most_common())
    print(json.dumps(found), flush=True)
    return found


def _process(kind: str, at: int, end: int, *, strace: bool) -> tuple[list[dict], str | None, list[str], int]:
    """Start a process at a mutant; return what it says of each, why it ended early, and what strace saw."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, __file__, "--worker", f"--formats={kind}", f"--start={at}"]
        command.append(f"--mutants={end - at}")
        log = Path(folder) / "strace"
        if strace:
            seen = "trace=%file,%network"
            command = [shutil.which("strace") or "strace", "-f", "-qq", "-e", seen, "-o", str(log), *command]
        output, errors = Path(folder) / "out", Path(folder) / "err"
        with output.open("w") as out, errors.open("w") as err:
            code = subprocess.run(command, stdout=out, stderr=err, check=False).returncode
        lines = [json.loads(line) for line in output.read_text().splitlines() if line.endswith("}")]
        said = errors.read_text(errors="replace")
        foreign = watch.foreign_in(log.read_text(errors="replace")) if strace else []
    whole = code == 0 and len(lines) == end - at
    return lines, None if whole else f"exit code {code}: {said[-600:]}", foreign, len(said.splitlines())


def _work(kind: str, start: int, number: int) -> int:
    """Judge mutants one after the other, in bounded memory, and print a line for each."""
    import faulthandler

    with tempfile.TemporaryDirectory(prefix="mutants") as name:
        folder = Path(name)
        for files in mutants.seeds(kind):
            assert oracle.judge(mutants.Mutant(files).write(folder)) == "scored"
        watch.bound_memory(_MOST_BYTES)
        with watch.Watch(folder) as seen:
            Path(watch.STARTED).exists()
            for n in range(start, start + number):
                path = mutants.mutant(kind, n).write(folder)
                seen.clear()
                faulthandler.dump_traceback_later(_HANGS_S, exit=True)
                line = {"number": n, **_judged(path, seen, inspected=n % 5 == 0)}
                print(json.dumps(line), flush=True)
        faulthandler.cancel_dump_traceback_later()
    return 0


def _judged(path: Path, seen: watch.Watch, *, inspected: bool) -> dict:
    started = time.process_time()
    try:
        answer: dict = {"answer": oracle.judge(path, inspected=inspected)}
        if strange := seen.strange():
            answer = {"answer": "FINDING", "why": f"it opened or wrote {strange}"}
        if oracle.peak_megabytes() > oracle.MOST_MEGABYTES:
            answer = {"answer": "FINDING", "why": f"the process has {oracle.peak_megabytes():.0f} MB"}
    except oracle.Finding as finding:
        answer = {"answer": "FINDING", "why": str(finding)[:600]}
    return answer | {"s": round(time.process_time() - started, 4), "mb": round(oracle.peak_megabytes(), 1)}


def _again(kind: str, number: int) -> int:
    """Judge one mutant in this process, and keep its file for a look."""
    folder = Path(tempfile.mkdtemp(prefix="mutant"))
    path = mutants.mutant(kind, number).write(folder)
    print(path)
    try:
        print(oracle.judge(path, inspected=True))
    except oracle.Finding as finding:
        traceback.print_exception(finding)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
