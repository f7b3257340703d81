"""Count a pair of volumes that lie on a device already, against MONAI's DiceMetric on the same device.

The volume of ``run.py`` (512 x 512 x 400 voxels, four labels) as resident uint8 tensors. All ways in turn,
their scores compared; medians of the times, ratios, and which share of the device's copy bandwidth counting
reaches: the bytes of both masks, each read once, against the bytes that copying reads and writes. On the
processor, torch's own kernels are measured beside what counts arrays::

    pip install -e '.[torch]' monai
    python benchmarks/gpu.py [--device cuda|mps|cpu] [--rounds 7] [--quick] [--results benchmarks/results]

Writes Markdown and JSON named after the day and the device.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import sys
import time
from datetime import UTC, datetime
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch  # noqa: TID253 - this script is about nothing else
from data import ellipsoids
from sizes import FULL, QUICK

from dicecli.statistics._confusion import ConfusionMatrix
from dicecli.statistics.backends import torch as torch_backend

if TYPE_CHECKING:
    from collections.abc import Callable

LABELS = 4
#: How many times as fast as MONAI it is to be on a CUDA device.
LIMIT = 10
TOLERANCE = 1e-6
Scores = list[float]
Masks = tuple[torch.Tensor, torch.Tensor]


def resident(device: str, *, quick: bool) -> Masks:
    """Make both masks and bring them to the device: reference, prediction."""
    shape = (QUICK if quick else FULL).volume
    shifts = (0, max(2, shape[0] // 64))
    reference, prediction = (
        torch.from_numpy(ellipsoids(shape, shift)).contiguous().to(device) for shift in shifts
    )
    return reference, prediction


def wait(device: str) -> None:
    """Wait until the device has done what it was given."""
    if device != "cpu":
        getattr(torch, device).synchronize()


def timed(work: Callable[[], Any], device: str) -> tuple[float, Any]:
    """Do something once, and return how long it took, and what came of it."""
    wait(device)
    started = time.perf_counter()
    result = work()
    wait(device)
    return time.perf_counter() - started, result


def with_dicecli(masks: Masks) -> Scores:
    """Return the Dice of each label."""
    return dice(ConfusionMatrix.from_arrays(reference=masks[0], prediction=masks[1]))


def with_torch_alone(masks: Masks) -> Scores:
    """Return the Dice of each label from torch's kernels, on the processor too."""
    return dice(torch_backend.count_block(*masks))


def dice(matrix: ConfusionMatrix) -> Scores:
    """Return the Dice of each label."""
    counts = [matrix.counts(label) for label in range(1, LABELS + 1)]
    return [2 * each.tp / (2 * each.tp + each.fp + each.fn) for each in counts]


def with_monai_label_maps(masks: Masks) -> Scores:
    """Return the Dice of each label by MONAI's leaner way, which takes label maps as they are."""
    from monai.metrics import DiceMetric

    metric = DiceMetric(include_background=False, reduction="none", num_classes=LABELS + 1)
    return [float(each) for each in metric(masks[1][None, None], masks[0][None, None])[0]]


def with_monai_one_hot(masks: Masks) -> Scores:
    """Return the Dice of each label as MONAI's tutorials do it: both masks made one-hot first."""
    from monai.metrics import DiceMetric
    from monai.networks.utils import one_hot

    reference, prediction = (one_hot(each[None, None], LABELS + 1, dtype=torch.uint8) for each in masks)
    metric = DiceMetric(include_background=False, reduction="none")
    return [float(each) for each in metric(prediction, reference)[0]]


def ways(device: str) -> dict[str, Callable[[Masks], Scores]]:
    """Return who is here, by name; dicecli first."""
    found: dict[str, Callable[[Masks], Scores]] = {"dicecli": with_dicecli}
    if device == "cpu":
        found["dicecli, torch's kernels"] = with_torch_alone
    if find_spec("monai"):
        found["MONAI, label maps"] = with_monai_label_maps
        found["MONAI, one-hot"] = with_monai_one_hot
    return found


def measure(masks: Masks, device: str, rounds: int) -> dict[str, list[float]]:
    """Time every way, and a copy of one mask, in turn, after a round for warming up."""
    target = torch.empty_like(masks[0])
    times: dict[str, list[float]] = {name: [] for name in (*ways(device), "copy")}
    expected = with_dicecli(masks)
    for number in range(rounds + 1):
        for name, way in ways(device).items():
            seconds, scores = timed(lambda way=way: way(masks), device)
            if any(abs(one - other) > TOLERANCE for one, other in zip(expected, scores, strict=True)):
                raise SystemExit(f"{name} has {scores}, dicecli {expected}")
            times[name] += [seconds] * bool(number)
        seconds, _ = timed(lambda: target.copy_(masks[0]), device)
        times["copy"] += [seconds] * bool(number)
    return times


def record(masks: Masks, device: str, rounds: int) -> dict[str, Any]:
    """Measure, and say what came of it."""
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated() if device == "cuda" else 0
    with_dicecli(masks)
    memory = torch.cuda.max_memory_allocated() - before if device == "cuda" else None
    times = measure(masks, device, rounds)
    medians = {name: statistics.median(each) for name, each in times.items()}
    voxels = masks[0].numel()
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "device": device,
        "name": torch.cuda.get_device_name() if device == "cuda" else f"{device} of {platform.machine()}",
        "threads": torch.get_num_threads() if device == "cpu" else None,
        "versions": {each: version(each) for each in ("dicecli", "torch", "monai") if find_spec(each)},
        "voxels": voxels,
        "rounds": rounds,
        "medians_s": medians,
        "ranges_s": {name: [min(each), max(each)] for name, each in times.items()},
        "ratios": {
            name: seconds / medians["dicecli"]
            for name, seconds in medians.items()
            if name.startswith("MONAI")
        },
        "copy_gb_s": 2 * voxels / medians["copy"] / 1e9,
        "share_of_copy_bandwidth": medians["copy"] / medians["dicecli"],
        "extra_device_memory_mb": None if memory is None else memory / 1e6,
    }


def markdown(found: dict[str, Any]) -> str:
    """Write the record as a table."""
    lines = [
        f"# Tensors that lie on a device: {found['name']}",
        "",
        f"{found['voxels'] / 1e6:.1f} million voxels, uint8, four labels; {found['rounds']} rounds in turn; "
        + ", ".join(f"{name} {number}" for name, number in found["versions"].items())
        + (f"; {found['threads']} threads" if found["threads"] else "")
        + ".",
        "",
        "| | median, ms | range, ms | dicecli is |",
        "|---|---:|---:|---:|",
    ]
    for name, seconds in found["medians_s"].items():
        low, high = (1e3 * each for each in found["ranges_s"][name])
        ratio = f"{found['ratios'][name]:.1f} x as fast" if name in found["ratios"] else ""
        lines.append(f"| {name} | {1e3 * seconds:.2f} | {low:.2f} to {high:.2f} | {ratio} |")
    lines += [
        "",
        f"Copying one mask moves {found['copy_gb_s']:.1f} GB/s; counting both takes as long as if they "
        f"were read at {100 * found['share_of_copy_bandwidth']:.1f} % of that.",
    ]
    if found["extra_device_memory_mb"] is not None:
        lines.append(
            f"Counting took {found['extra_device_memory_mb']:.0f} MB of device memory beside the masks."
        )
    if found["device"] == "cuda" and found["ratios"]:
        reached = "reached" if min(found["ratios"].values()) >= LIMIT else "not reached"
        lines.append(f"Limit: at least {LIMIT} times MONAI on a CUDA device, {reached}.")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure on one device, print, and write where that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--device", choices=["cuda", "mps", "cpu"])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--quick", action="store_true", help="a tiny volume: does it work at all?")
    parser.add_argument("--results", type=Path, help="where to write the record; else it is only printed")
    options = parser.parse_args()
    device = options.device or ("cuda" if torch.cuda.is_available() else "cpu")
    print(f"on {device} ...", file=sys.stderr)
    found = record(resident(device, quick=options.quick), device, options.rounds)
    text = markdown(found)
    print(text)
    if options.results:
        options.results.mkdir(parents=True, exist_ok=True)
        stem = f"{found['date']}_{found['name'].replace(' ', '-').lower()}"
        (options.results / f"{stem}.md").write_text(text, encoding="utf-8")
        (options.results / f"{stem}.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
