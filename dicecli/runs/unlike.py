"""Names of two sides that differ: by which rule, and what would pair them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dicecli.records.natural import natural
from dicecli.runs.laid_out import fitting
from dicecli.runs.look_alikes import look_alikes
from dicecli.runs.patterns import Proposed, proposed

if TYPE_CHECKING:
    from dicecli.runs.naming import Side


def unlike(found: Side, expected: Side, alone: list[str]) -> list[str]:
    """Say when the names of the two sides only look alike, or differ by a rule, and what would pair them."""
    missing = sorted((name for name in expected.named if name not in found.named), key=natural)
    said, alone, missing = look_alikes(found, expected, alone, missing)
    return [*said, *(_not_alike(found, expected, alone, missing) if missing and alone else ())]


def _not_alike(found: Side, expected: Side, alone: list[str], missing: list[str]) -> list[str]:
    """Say by which rule some names differ, or that none is common."""
    is_plain = found.pattern is None and expected.pattern is None
    advice = _tries(proposed(found, expected, alone, missing)) if is_plain else ""
    word = fitting(found, expected) if is_plain and len(missing) == len(expected.named) else None
    if len(missing) < len(expected.named):
        rule = "some names differ only by what stands around the case's name"
        if advice:
            return [f"{rule}: {advice}"]
        left = _of(found, alone), _of(expected, missing)
        rest = proposed(*left, alone, missing).options if is_plain else ()
        say = "which no pattern pairs together with the others: rename them, or name the pairs in a CSV"
        return [f"{rule}, as by {rest[0]}, {say}, --pairs"] if rest else []
    say = "say with --prediction-pattern and --reference-pattern where it stands, as in '{case}_pred.nii.gz'"
    laid = f"--layout {word} pairs them; " if word else ""
    return [
        f"no case name in common: references have names like '{missing[0]}', predictions like '{alone[0]}'; "
        f"{laid}{advice or say}"
    ]


def _tries(found: Proposed) -> str:
    """Write what is proposed; an empty text of nothing."""
    if not found.options:
        return ""
    choose = "several pair everything, and no name says which are the labels, so choose: " * found.is_open
    return f"{choose}try {'; or, if these are the labels, '.join(found.options)}"


def _of(side: Side, names: list[str]) -> Side:
    """Return a side with the masks of some cases alone."""
    named = {name: side.named[name] for name in names}
    masks = {mask: side.masks[mask] for masks in named.values() for mask in masks}
    return replace(side, named=named, masks=masks)
