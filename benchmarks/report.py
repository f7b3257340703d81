"""What was measured, as a record for JSON and as tables for people."""

from __future__ import annotations

import os
import platform
import statistics
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from processes import cores

if TYPE_CHECKING:
    from collections.abc import Sequence

    from contests import Contest, Limit
    from processes import Run

PACKAGES = (
    "dicecli",
    "numpy",
    "isal",
    "nibabel",
    "pillow",
    "rasterio",
    "click",
    "SimpleITK",
    "scipy",
    "scikit-learn",
    "monai",
    "segmentation-models-pytorch",
    "torchmetrics",
    "torch",
)


@dataclass(frozen=True)
class Verdict:
    """What came of one limit: the median of the rounds, the range of them, and whether it is reached."""

    kind: str
    text: str
    value: float
    lowest: float
    highest: float
    is_reached: bool


def machine() -> str:
    """Describe the machine without naming it."""
    return f"{cores()} cores, {_memory_gb():.0f} GB"


def surroundings() -> dict[str, Any]:
    """Return what the figures depend on."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return {
        "machine": f"{machine()}, {platform.machine()}, {platform.system()}",
        "python": platform.python_version(),
        "packages": found,
    }


def _memory_gb() -> float:
    if hasattr(os, "sysconf"):
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    import psutil

    return float(psutil.virtual_memory().total / 1e9)


def ratios(these: Sequence[Run], those: Sequence[Run]) -> list[float]:
    """Divide the times of two entrants, round by round; all against the one run of what ran once."""
    if len(these) == len(those):
        return [a.seconds / b.seconds for a, b in zip(these, those, strict=True)]
    return [a.seconds / b.seconds for a in these for b in those]


def judged(limit: Limit, runs: dict[str, list[Run]]) -> Verdict | None:
    """Hold the runs against a limit; None where one of the two did not run."""
    mine, theirs = runs.get(limit.name), runs.get(limit.peer)
    if not mine or _error(mine):
        return None
    if limit.kind in {"memory", "seconds"}:
        return _of_one(limit, mine)
    if not theirs or _error(theirs):
        return None
    if limit.kind == "faster":
        values = ratios(theirs, mine)
        text = f"{limit.name}: at least {limit.value:g} times as fast as {limit.peer}"
        is_reached = statistics.median(values) >= limit.value
    else:
        values = ratios(mine, theirs)
        text = f"{limit.name}: at most {limit.value:g} times the time of {limit.peer}"
        is_reached = statistics.median(values) <= limit.value
    return Verdict(limit.kind, text, statistics.median(values), min(values), max(values), is_reached)


def _of_one(limit: Limit, runs: Sequence[Run]) -> Verdict:
    """Hold the runs of an entrant against a limit that no other one takes part in."""
    if limit.kind == "memory":
        values = [each.peak_bytes / 1e6 for each in runs]
        text, is_reached = f"{limit.name}: below {limit.value:g} MB", max(values) < limit.value
    else:
        values = [each.seconds for each in runs]
        text, is_reached = (
            f"{limit.name}: at most {limit.value:g} s",
            statistics.median(values) <= limit.value,
        )
    return Verdict(limit.kind, text, statistics.median(values), min(values), max(values), is_reached)


def record(contest: Contest, runs: dict[str, list[Run]]) -> dict[str, Any]:
    """Return a contest as JSON's types."""
    verdicts = [judged(each, runs) for each in contest.limits]
    first = runs[contest.entrants[0].name]
    return {
        "title": contest.title,
        "notes": list(contest.notes),
        "entrants": [summed_up(name, each, first) for name, each in runs.items()],
        "left_out": {each.name: each.missing for each in contest.entrants if each.missing},
        "limits": [asdict(each) for each in verdicts if each],
    }


def summed_up(name: str, runs: Sequence[Run], first: Sequence[Run]) -> dict[str, Any]:
    """Return the medians of one entrant, and its time as a multiple of the first one's."""
    return {
        "name": name,
        "runs": len(runs),
        "seconds": statistics.median(each.seconds for each in runs),
        "cpu_seconds": statistics.median(each.cpu_seconds for each in runs),
        "times_the_first": statistics.median(ratios(runs, first)),
        "peak_mb": statistics.median(each.peak_bytes for each in runs) / 1e6,
        "all_seconds": [round(each.seconds, 4) for each in runs],
        "error": _error(runs),
    }


def _error(runs: Sequence[Run]) -> str:
    return next((each.error for each in runs if each.error), "")


def markdown(content: dict[str, Any]) -> str:
    """Return everything as Markdown."""
    packages = ", ".join(f"{name} {number}" for name, number in content["packages"].items())
    lines = [
        f"# Benchmarks of {content['date']}",
        "",
        f"{content['machine']}. Python {content['python']}; {packages}.",
        "",
        f"{content['version']}. Whole processes, {content['rounds']} rounds in turn; medians. "
        "Ratios are the medians of the rounds' own ratios, with the least and the largest in brackets. "
        "All who score agree on the Dice of every label to 1e-6, and on surfaces where they mean the same.",
    ]
    if content["quick"]:
        lines += ["", "**The data were tiny: this shows that everything works, and no speed.**"]
    for each in content["contests"].values():
        lines += ["", f"## {each['title']}", "", *_table(each), *_verdicts(each)]
    if content.get("growth"):
        lines += ["", "## How cost grows", "", *_growth(content["growth"])]
    return "\n".join(lines) + "\n"


def _table(contest: dict[str, Any]) -> list[str]:
    """Return a row per entrant, then who was left out."""
    lines = [
        "| | seconds | CPU seconds | times the first | peak MB | runs |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for each in contest["entrants"]:
        if each["error"]:
            lines.append(f"| {each['name']} | {each['error']} | | | | |")
            continue
        lines.append(
            f"| {each['name']} | {each['seconds']:.3g} | {each['cpu_seconds']:.3g} "
            f"| {each['times_the_first']:.2f} | {each['peak_mb']:.0f} | {each['runs']} |"
        )
    lines += [""] * bool(contest["notes"] or contest["left_out"])
    lines += contest["notes"]
    for name, modules in contest["left_out"].items():
        lines.append(f"{name} was left out: {', '.join(modules)} is not installed.")
    return lines


def _verdicts(contest: dict[str, Any]) -> list[str]:
    if not contest["limits"]:
        return []
    lines = ["", "| wanted | measured | reached |", "|---|---:|---|"]
    for each in contest["limits"]:
        span = f"{each['value']:.2f} ({each['lowest']:.2f} to {each['highest']:.2f})"
        if each["kind"] == "memory":
            span = f"{each['value']:.0f} MB"
        lines.append(f"| {each['text']} | {span} | {'yes' if each['is_reached'] else '**no**'} |")
    return lines


def _growth(points: list[dict[str, Any]]) -> list[str]:
    rows = [
        f"| {each['voxels']:,} | {each['labels']:,} | {each['name']} | {each['seconds']:.3g} "
        f"| {each['peak_mb']:.0f} |"
        for each in points
    ]
    return ["| voxels | labels | | seconds | peak MB |", "|---:|---:|---|---:|---:|", *rows]
