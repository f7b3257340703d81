"""Run dicecli and what people use instead on the same masks, as whole processes in turn.

Makes its own data, checks that all agree on the scores, and writes medians, ratios and peak memory as
Markdown and JSON into benchmarks/results, with a plot of how cost grows::

    pip install -e '.[bench]'
    python benchmarks/run.py [--only volume] [--rounds 5] [--data FOLDER] [--quick]

Peers that are not installed are left out, and named. Run it on a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
from dataclasses import replace
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import growth
import report
import surfaces
from contests import DATA, DICECLI, Contest, Entrant, contests
from processes import can_pin, command_of, measured

if TYPE_CHECKING:
    from collections.abc import Sequence

    from contests import Scores
    from processes import Run

HERE = Path(__file__).parent
GROWTH = "growth"
CONTESTS = {**contests(), **surfaces.contests()}
NAMES = (*CONTESTS, GROWTH)


class Disagreement(Exception):
    """Two ways to score the same masks give different numbers."""


def data(part: str, folder: Path, *, quick: bool) -> Path:
    """Make the data of a part unless they are there, in a process of its own; return their folder."""
    place = folder / ("quick" if quick else "full") / part
    if not place.exists():
        command = [sys.executable, str(HERE / "data.py"), part, str(place), *["--quick"] * quick]
        subprocess.run(command, check=True)
    return place


def rounds_of(entrants: Sequence[Entrant], folder: Path, rounds: int, *, warm: bool) -> dict[str, list[Run]]:
    """Run every entrant in turn, round by round; slow ones in the first round alone."""
    there = [each for each in entrants if not each.missing]
    if warm:
        for each in there:
            if not each.is_slow:
                measured(each.command, folder, each.cores)
    runs: dict[str, list[Run]] = {each.name: [] for each in there}
    for number in range(rounds):
        for each in there:
            if not (each.is_slow and number):
                runs[each.name].append(measured(each.command, folder, each.cores))
    return runs


def check_agreement(entrants: Sequence[Entrant], runs: dict[str, list[Run]]) -> None:
    """Hold everybody's scores against those of the first one who goes by the same convention.

    Raises
    ------
    Disagreement
    """
    firsts: dict[str, tuple[str, Scores]] = {}
    for each in entrants:
        there = runs.get(each.name, [])[:1]
        if not each.scores or not there or there[0].error:
            continue
        scores = each.scores(there[0].output)
        first, expected = firsts.setdefault(each.convention, (each.name, scores))
        differing = [
            f"{label}: {expected.get(label)} and {scores.get(label)}"
            for label in sorted(expected.keys() | scores.keys())
            if not math.isclose(
                expected.get(label, math.nan),
                scores.get(label, math.nan),
                rel_tol=each.tolerance,
                abs_tol=each.tolerance,
            )
        ]
        if differing or not scores:
            raise Disagreement(f"{first} and {each.name} on {len(differing)} labels, as {differing[:1]}")


def hold(name: str, contest: Contest, folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Hold one contest and return its record."""
    place = data(DATA.get(name, name), folder, quick=options.quick)
    rounds = options.rounds if options.quick else options.rounds * contest.repeats
    runs = rounds_of(contest.entrants, place, rounds, warm=not options.quick)
    check_agreement(contest.entrants, runs)
    if not can_pin() and any(each.cores for each in contest.entrants):
        contest = replace(contest, notes=(*contest.notes, "This system cannot do that: all cores were free."))
    return report.record(contest, runs)


def grown(folder: Path, options: argparse.Namespace) -> list[dict[str, Any]]:
    """Measure how cost grows."""
    place = data(GROWTH, folder, quick=options.quick)

    def run(entrants: tuple[Entrant, ...]) -> dict[str, list[Run]]:
        runs = rounds_of(entrants, place, options.rounds, warm=not options.quick)
        check_agreement(entrants, runs)
        return runs

    return growth.points(run, quick=options.quick)


def says() -> str:
    """Ask dicecli for its version, and what it counts with."""
    command = [*command_of(DICECLI), "--version"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def write(content: dict[str, Any], folder: Path) -> None:
    """Write JSON, Markdown and, with matplotlib, the plot, named after day and machine; print the tables."""
    folder.mkdir(parents=True, exist_ok=True)
    stem = f"{content['date']}_{report.machine().replace(', ', '_').replace(' ', '-').lower()}"
    text = report.markdown(content)
    (folder / f"{stem}.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    (folder / f"{stem}.md").write_text(text, encoding="utf-8")
    if content.get("growth") and find_spec("matplotlib"):
        growth.draw(content["growth"], folder / f"{stem}_growth.png")
    print(text)


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--only", action="append", choices=NAMES, help="one part; repeatable")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--data", type=Path, help="where the data are made and kept; else they are removed")
    parser.add_argument("--results", type=Path, default=HERE / "results")
    parser.add_argument("--quick", action="store_true", help="tiny data: does it work at all?")
    return parser.parse_args()


def main() -> None:
    """Hold the contests that were asked for, and write what came of them."""
    options = arguments()
    # What is installed is compiled; what is not, the round before the first leaves so.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    wanted = options.only or NAMES
    content: dict[str, Any] = {
        "date": datetime.now(UTC).date().isoformat(),
        **report.surroundings(),
        "version": says(),
        "rounds": options.rounds,
        "quick": options.quick,
        "contests": {},
    }
    with tempfile.TemporaryDirectory() as temporary:
        folder = (options.data or Path(temporary)).resolve()
        for name, contest in CONTESTS.items():
            if name in wanted:
                print(f"{name} ...", file=sys.stderr, flush=True)
                content["contests"][name] = hold(name, contest, folder, options)
        if GROWTH in wanted:
            content["growth"] = grown(folder, options)
    write(content, options.results)


if __name__ == "__main__":
    main()
