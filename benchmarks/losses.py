"""Time and extra memory of Dice losses, forward and backward: dicecli, MONAI, segmentation_models.pytorch.

Each entrant runs in a process of its own, in turn, on the same logits (2, 4, 128, 128, 128) and labels; all
must agree on the loss. Writes Markdown and JSON into benchmarks/results, for the processor and, where there
is one, for the GPU::

    pip install -e '.[torch,peers]'
    python benchmarks/losses.py [--device cpu] [--only dice] [--threads 1] [--turns 3] [--quick]

Peers that are not installed are left out, and named. Run it on a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import subprocess
import sys
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import report
import torch  # noqa: TID253 - this is about torch
from loss_entrant import ENTRANTS, QUICK, SHAPE

HERE = Path(__file__).parent
CONTESTS = {"dice": "Dice", "dice-ce": "Dice with cross-entropy"}
#: At least as fast, and at most half the extra memory.
TIMES, MEMORY = 1.0, 0.5
#: smp's sums, norms in float32, are off by 4e-4 at this size.
TOLERANCE = 1e-3


def measured(name: str, device: str, options: argparse.Namespace) -> dict[str, Any]:
    """Run one entrant once."""
    command = [sys.executable, str(HERE / "loss_entrant.py"), name, "--device", device]
    command += [
        "--rounds",
        str(options.rounds),
        "--threads",
        str(options.threads),
        *["--quick"] * options.quick,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{name} failed: {done.stderr.strip().splitlines()[-1]}")
    return json.loads(done.stdout)


def held(contest: str, device: str, options: argparse.Namespace) -> dict[str, Any]:
    """Hold one contest on one device: every entrant in turn, several times."""
    everybody = [name for name, (part, *_) in ENTRANTS.items() if part == contest]
    names = [name for name in everybody if find_spec(ENTRANTS[name][1])]
    turns: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    for _ in range(options.turns):
        for name in names:
            print(f"{contest} on {device}: {name} ...", file=sys.stderr, flush=True)
            turns[name].append(measured(name, device, options))
    losses = {name: each[0]["loss"] for name, each in turns.items()}
    if not all(math.isclose(each, losses[names[0]], abs_tol=TOLERANCE) for each in losses.values()):
        raise SystemExit(f"they disagree: {losses}")
    rows = {name: summed_up(each) for name, each in turns.items()}
    return {
        "title": CONTESTS[contest],
        "device": device,
        "entrants": rows,
        "limits": [each for name in names[1:] for each in limits(names[0], name, turns)],
        "left_out": {name: ENTRANTS[name][1] for name in everybody if name not in names},
    }


def summed_up(turns: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the medians of one entrant over the rounds of all its turns."""
    rounds = [each for turn in turns for each in turn["rounds"]]
    return {
        "forward_ms": 1e3 * statistics.median(forward for forward, *_ in rounds),
        "backward_ms": 1e3 * statistics.median(backward for _, backward, _ in rounds),
        "both_ms": 1e3 * statistics.median(sum(each[:2]) for each in rounds),
        "cpu_ms": 1e3 * statistics.median(spent for *_, spent in rounds),
        "extra_mb": statistics.median(turn["extra_bytes"] for turn in turns) / 1e6,
    }


def limits(mine: str, peer: str, turns: dict[str, list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """Hold ours against a peer, turn by turn: speed, and extra memory."""

    def ratios(measure: Any, above: str, below: str) -> list[float]:
        return [measure(a) / measure(b) for a, b in zip(turns[above], turns[below], strict=True)]

    def seconds(turn: dict[str, Any]) -> float:
        return statistics.median(sum(each[:2]) for each in turn["rounds"])

    faster = ratios(seconds, peer, mine)
    leaner = ratios(lambda turn: max(1, turn["extra_bytes"]), mine, peer)
    return [
        verdict(
            f"{mine}: at least {TIMES:g} times as fast as {peer}", faster, statistics.median(faster) >= TIMES
        ),
        verdict(
            f"{mine}: at most {MEMORY:g} times the extra memory of {peer}",
            leaner,
            statistics.median(leaner) <= MEMORY,
        ),
    ]


def verdict(text: str, values: list[float], is_reached: bool) -> dict[str, Any]:
    """Return what came of a limit."""
    return {
        "text": text,
        "value": statistics.median(values),
        "lowest": min(values),
        "highest": max(values),
        "is_reached": is_reached,
    }


def markdown(content: dict[str, Any]) -> str:
    """Return everything as Markdown."""
    packages = ", ".join(f"{name} {number}" for name, number in content["packages"].items())
    lines = [
        f"# Losses of {content['date']}",
        "",
        f"{content['machine']}. Python {content['python']}; {packages}.",
        "",
        f"Logits {tuple(content['shape'])} float32, labels int64, softmax, sums over the batch; threads of "
        f"the processor: {content['threads']}. Each entrant in its own process, {content['turns']} turns "
        f"of {content['rounds']} rounds after one to warm up; medians. The extra memory is the most that is "
        "held beside logits and labels in one forward and backward; the gradient alone is "
        f"{math.prod(content['shape']) * 4 / 1e6:.0f} MB of it. Ratios are medians over the turns, with the "
        f"least and the largest in brackets. All agree on the loss to {TOLERANCE:g}.",
    ]
    if content["quick"]:
        lines += ["", "**The data were tiny: this shows that everything works, and no speed.**"]
    if "cuda" not in {each["device"] for each in content["contests"]}:
        lines += ["", "There was no GPU: nothing was measured on one."]
    for each in content["contests"]:
        lines += ["", f"## {each['title']}, on {content['devices'][each['device']]}", "", *_table(each)]
    return "\n".join(lines) + "\n"


def _table(contest: dict[str, Any]) -> list[str]:
    rows = [
        f"| {name} | {row['forward_ms']:.1f} | {row['backward_ms']:.1f} | {row['both_ms']:.1f} "
        f"| {row['cpu_ms']:.1f} | {row['extra_mb']:.0f} |"
        for name, row in contest["entrants"].items()
    ]
    wanted = [
        f"| {each['text']} | {each['value']:.2f} ({each['lowest']:.2f} to {each['highest']:.2f}) "
        f"| {'yes' if each['is_reached'] else '**no**'} |"
        for each in contest["limits"]
    ]
    lines = [
        "| | forward ms | backward ms | both ms | CPU ms | extra MB |",
        "|---|---:|---:|---:|---:|---:|",
        *rows,
    ]
    if wanted:
        lines += ["", "| wanted | measured | reached |", "|---|---:|---|", *wanted]
    lines += [
        f"\n{name} was left out: {module} is not installed." for name, module in contest["left_out"].items()
    ]
    return lines


def main() -> None:
    """Hold the contests that were asked for, and write what came of them."""
    there = ["cpu", *["cuda"] * torch.cuda.is_available()]
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument(
        "--device", action="append", choices=there, help="repeatable; all that are there if not given"
    )
    parser.add_argument("--only", action="append", choices=CONTESTS, help="one contest; repeatable")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--results", type=Path, default=HERE / "results")
    parser.add_argument("--quick", action="store_true", help="tiny data: does it work at all?")
    options = parser.parse_args()
    devices = options.device or there
    content = {
        "date": datetime.now(UTC).date().isoformat(),
        **report.surroundings(),
        "devices": {
            each: torch.cuda.get_device_name() if each == "cuda" else "the processor" for each in devices
        },
        "threads": options.threads,
        "shape": QUICK if options.quick else SHAPE,
        "turns": options.turns,
        "rounds": options.rounds,
        "quick": options.quick,
        "contests": [held(part, each, options) for each in devices for part in options.only or CONTESTS],
    }
    options.results.mkdir(parents=True, exist_ok=True)
    where = report.machine().replace(", ", "_").replace(" ", "-").lower()
    stem = f"{content['date']}_{where}_losses-{options.threads}"
    text = markdown(content)
    (options.results / f"{stem}.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    (options.results / f"{stem}.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
