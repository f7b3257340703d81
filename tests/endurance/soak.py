"""Score 100,000 pairs of small PNG masks, of which one in a hundred is bad, and watch the parent's memory.

Every case must be accounted for: scored with the counts that brute force gives for its pair, or failed with
the error that its damage has. The memory of the parent may grow by the counts that it keeps for the report,
and by nothing else::

    python tests/endurance/soak.py --cases 100000 --seed 0

It needs the system's ``/proc``. The exit code is 1 where something does not hold.
"""

from __future__ import annotations

import argparse
import csv
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

import make
import numpy as np

#: Different masks, of which the pairs are drawn.
POOL = 200
#: What is done to a bad prediction, and the error that must come of it.
DAMAGES = ("EmptyFile", "Truncated", "UnknownFormat", "ShapeMismatch", "Missing", "Corrupt")
#: Bytes by which the parent may grow per case while it scores.
MOST_PER_CASE = 2048


def main() -> int:
    """Make the masks, score them, and hold the result against what was made."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        since = time.monotonic()
        expected = make_cases(folder, options.cases, options.seed)
        print(f"{options.cases:,} pairs made in {time.monotonic() - since:.0f} s", flush=True)
        code, seconds, memory = run(folder, options.jobs)
        wrong = differences(folder / "scores.csv", expected)
    report(options.cases, seconds, memory)
    failed = Counter(each for each in expected.values() if isinstance(each, str))
    scored = len(expected) - failed.total()
    print(f"expected: {scored:,} scored, {failed.total():,} failed: {dict(failed)}")
    print(f"found otherwise: {len(wrong):,}")
    growth = per_case(memory, options.cases)
    if growth > MOST_PER_CASE:
        wrong.append(f"the parent grew by {growth:,.0f} bytes per case")
    if code != 3:
        wrong.append(f"the exit code is {code}")
    for each in wrong[:20]:
        print(f"DOES NOT HOLD: {each}")
    return int(bool(wrong))


def make_cases(folder: Path, count: int, seed: int) -> dict[str, object]:
    """Write the masks; return for each case its counts by label, or the error that it must have."""
    chance = random.Random(seed)  # noqa: S311 - no secret
    masks = [make.blobs((16, 16), 4, number) for number in range(POOL)]
    files = [make.raw_png(mask) for mask in masks]
    counts: dict[tuple[int, int], object] = {}
    expected: dict[str, object] = {}
    bad = {*chance.sample(range(count), count // 100)}
    for side in ("predictions", "references"):
        (folder / side).mkdir()
    for number in range(count):
        name = f"case{number:06}"
        first, second = chance.randrange(POOL), chance.randrange(POOL)
        (folder / "references" / f"{name}.png").write_bytes(files[second])
        prediction = folder / "predictions" / f"{name}.png"
        if number in bad:
            expected[name] = damage(prediction, files[first], chance.choice(DAMAGES))
            continue
        prediction.write_bytes(files[first])
        if (first, second) not in counts:
            found = make.brute(masks[first], masks[second])
            counts[first, second] = {label: tuple(each) for label, each in found.items() if label}
        expected[name] = counts[first, second]
    return expected


def damage(path: Path, content: bytes, error: str) -> str:
    """Write a prediction that must give an error, and return the error's name."""
    if error == "ShapeMismatch":
        content = make.raw_png(np.zeros((8, 8), np.uint8))
    elif error == "Corrupt":
        content = content[:45] + bytes([content[45] ^ 1]) + content[46:]
    else:
        content = {"EmptyFile": b"", "Truncated": content[:-20], "UnknownFormat": b"a text"}.get(
            error, content
        )
    if error != "Missing":
        path.write_bytes(content)
    return error


def run(folder: Path, jobs: int) -> tuple[int, float, list[tuple[float, int, str]]]:
    """Run the command; return its exit code, its time, and the parent's memory with what it was doing."""
    words = ["batch", folder / "predictions", folder / "references", "-o", folder / "scores.csv"]
    command = [sys.executable, "-m", "dicecli", *words, "-q", "-j", jobs, "-f", "csv"]
    journal = folder / "scores.csv.journal"
    started = time.monotonic()
    memory = []
    process = subprocess.Popen([str(each) for each in command], stdout=subprocess.DEVNULL)
    lines, position = 0, 0
    while process.poll() is None:
        time.sleep(0.25)
        if journal.exists():
            with journal.open("rb") as file:
                file.seek(position)
                new = file.read()
            lines, position = lines + new.count(b"\n"), position + len(new)
        resident = _resident(process.pid)
        if resident:
            memory.append((time.monotonic() - started, resident, lines))
    return process.wait(), time.monotonic() - started, memory


def _resident(pid: int) -> int:
    """Return the resident memory of a process in bytes; 0 where it is over."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmRSS")), 0)


def differences(path: Path, expected: dict[str, object]) -> list[str]:
    """Return what a CSV says otherwise than expected, case by case."""
    found: dict[str, object] = {}
    wrong = []
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            name = row["case"]
            if row["status"] == "failed":
                if name in found:
                    wrong.append(f"{name} stands twice")
                found[name] = row["error"].split(":")[0]
            else:
                counts = found.setdefault(name, {})
                if not isinstance(counts, dict) or int(row["label"]) in counts:
                    wrong.append(f"{name} stands twice")
                else:
                    counts[int(row["label"])] = tuple(int(row[each]) for each in ("tp", "fp", "fn", "tn"))
    wrong += [
        f"{name}: {found.get(name)} instead of {each}"
        for name, each in expected.items()
        if found.get(name) != each
    ]
    wrong += [f"{name} was never made" for name in found if name not in expected]
    return wrong


def per_case(memory: list[tuple[float, int, int]], cases: int) -> float:
    """Return by how many bytes the parent grew per case between the first tenth of the run and its end."""
    scoring = [(lines, resident) for _, resident, lines in memory if cases // 10 <= lines]
    scoring = [each for each in scoring if each[0] < 0.985 * cases]
    if len(scoring) < 2:
        return 0.0
    (first, low), (last, high) = scoring[0], scoring[-1]
    return (high - low) / max(last - first, 1)


def report(cases: int, seconds: float, memory: list[tuple[float, int, int]]) -> None:
    """Print the figures."""
    print(f"scored and summed up in {seconds:.0f} s")
    print("the parent's resident memory, by cases done:")
    for tenth in range(1, 11):
        at = next((resident for _, resident, lines in memory if lines >= 0.099 * tenth * cases), None)
        if at is not None:
            print(f"  {tenth * 10:3} %  {at / 2**20:6.0f} MiB")
    print(
        f"  growth {per_case(memory, cases):,.0f} bytes per case; at its most, while summing up, "
        f"{max(resident for _, resident, _ in memory) / 2**20:,.0f} MiB"
    )


if __name__ == "__main__":
    sys.exit(main())
