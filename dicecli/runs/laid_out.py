"""What a layout comes to in two folders: the patterns and the labels that it stands for, each one tried."""

from __future__ import annotations

import os
import re
import shlex
from dataclasses import dataclass
from glob import escape, glob
from itertools import product
from typing import TYPE_CHECKING, Any

from dicecli.errors import PairingError, UsageError
from dicecli.plugins import broken, load, own
from dicecli.runs.layouts import Layout
from dicecli.runs.listing import list_side
from dicecli.runs.naming import listed, named_by
from dicecli.runs.unread import unread_masks
from dicecli.words import counted

if TYPE_CHECKING:
    from dicecli.runs.naming import Side


@dataclass(frozen=True)
class LaidOut:
    """Options as a layout leaves them.

    Attributes
    ----------
    prediction_pattern, reference_pattern : str or None
    labels : object
        As ``--labels`` takes them; None for none.
    notes : tuple of str
        What the layout stands for.
    """

    prediction_pattern: str | None
    reference_pattern: str | None
    labels: Any
    notes: tuple[str, ...] = ()


def lay_out(
    name: str | None,
    predictions: str | None,
    references: str | None,
    *,
    prediction_pattern: str | None = None,
    reference_pattern: str | None = None,
    labels: Any = None,
    pairs: object = None,
    soft: bool = False,
) -> LaidOut:
    """Return the options that a layout stands for in two folders; those that are given stay as they are.

    Raises
    ------
    UnknownName
        There is no layout of that name.
    UsageError
        A layout, and a list of pairs, no folders, or a folder of tiles beside a file.
    PairingError
        None of its patterns matches a mask.
    """
    given = LaidOut(prediction_pattern, reference_pattern, labels)
    if name is None:
        return given
    layout = layout_of(name)
    if pairs is not None:
        raise UsageError("a list of pairs and a layout exclude each other", "Give one of them.")
    if predictions is None or references is None:
        raise UsageError(f"the layout {name} is of two folders", "Give both: predictions, then references.")
    rasters = [each for each in (predictions, references) if os.path.isfile(each)]  # noqa: PTH113 - as given
    if len(rasters) == 1:
        raise UsageError(
            f"the layout {name} is of two folders, and {rasters[0]} is a file, in which masks lie as tiles",
            "Leave out --layout: each tile is found by where it lies.",
        )
    found = list_side("prediction", predictions, None, "open_probabilities" if soft else "open_mask")
    expected = list_side("reference", references, None)
    patterns = patterns_of(
        name,
        (found, (prediction_pattern,) if prediction_pattern else layout.predictions),
        (expected, (reference_pattern,) if reference_pattern else layout.references),
    )
    if not reference_pattern:
        _check_read(name, expected, patterns[1])
    if labels is None:
        labels = _label_file(layout, references, predictions) or layout.labels
        # Files of classes have their names.
        labels = None if all("{label}" in each for each in patterns) else labels
    made = LaidOut(*patterns, labels)
    return LaidOut(*patterns, labels, (_said(name, given, made),))


def fitting(found: Side, expected: Side) -> str | None:
    """Return the first layout that says its references are these, and that leaves none of a side alone.

    None where no layout does. Those of installed packages are not asked.

    Parameters
    ----------
    found, expected : Side
        Predictions and references, named by their paths.
    """
    for name in own("layouts"):
        layout = layout_of(name)
        if layout.telltale and any(layout.telltale in expected.path(each) for each in expected.masks):
            sides = [
                [each for each in (named_by(side, pattern) for pattern in patterns) if each.named]
                for side, patterns in ((found, layout.predictions), (expected, layout.references))
            ]
            both = [each for each in product(*sides) if not _is_plain(each) and all(map(is_clear, each))]
            best = max(both, key=_pairs, default=None)
            if best is not None and _leaves_none_alone(best):
                return name
    return None


def _is_plain(sides: tuple[Side, ...]) -> bool:
    """Tell whether both patterns take every name as it is."""
    return all(re.fullmatch(r"\{case\}[.a-z]+", each.pattern or "") for each in sides)


def _leaves_none_alone(sides: tuple[Side, ...]) -> bool:
    found, expected = (set(each.named) for each in sides)
    return found <= expected or expected <= found


def layout_of(name: str) -> Layout:
    """Return a layout by its name.

    Raises
    ------
    UnknownName
    BrokenPlugin
    """
    layout = load("layouts", name).LAYOUT
    if not isinstance(layout, Layout):
        raise broken("layouts", name, "cannot be used: its LAYOUT is no dicecli.runs.layouts.Layout")
    return layout


def patterns_of(
    name: str, found: tuple[Side, tuple[str, ...]], expected: tuple[Side, tuple[str, ...]]
) -> tuple[str, str]:
    """Return the pattern for each side that pair the most cases, of equal ones the first.

    Parameters
    ----------
    name : str
        Of the layout.
    found, expected : (Side, tuple of str)
        Predictions and references, each with the patterns to be tried.

    Raises
    ------
    PairingError
        A side has no mask that one of its patterns matches.
    """
    sides = []
    for side, patterns in (found, expected):
        named = [each for each in (named_by(side, pattern) for pattern in patterns) if each.named]
        if not named:
            raise _no_match(name, side, patterns)
        # Where every pattern takes two files for one case, the first is refused with both of them.
        sides.append([each for each in named if is_clear(each)] or named[:1])
    best = max(product(*sides), key=_pairs)
    return str(best[0].pattern), str(best[1].pattern)


def _check_read(name: str, expected: Side, pattern: str) -> None:
    """Check that no reference is in a format that is not read, which the pattern of a layout would leave out.

    Raises
    ------
    PairingError
    """
    suffix = next((each for each in set(expected.masks.values()) if pattern.lower().endswith(each)), None)
    if suffix is None:
        return
    wide = f"{pattern[: -len(suffix)]}.*"
    strange = unread_masks(named_by(expected, wide))
    if strange:
        raise expected.error(
            f"{counted(len(strange), 'reference')} of the layout {name} would be left out, in formats that "
            f"are not read: {listed(strange)}",
            f"Save them as {suffix}; or let their cases fail: --reference-pattern {shlex.quote(wide)}.",
        )


def is_clear(side: Side) -> bool:
    """Tell whether no case has two files, but for one of each class."""
    return all(len({side.labels.get(each) for each in masks}) == len(masks) for masks in side.named.values())


def _pairs(sides: tuple[Side, ...]) -> int:
    """Return how many files are in cases that both sides have, of the side that has more of them."""
    found, expected = (side.named for side in sides)
    return sum(max(len(found[name]), len(expected[name])) for name in found.keys() & expected.keys())


def _no_match(name: str, side: Side, patterns: tuple[str, ...]) -> PairingError:
    return side.error(
        f"no pattern of the layout {name} matches one of the {counted(len(side.masks), 'mask')} here: "
        f"{listed(side.masks)}",
        f"It is of {layout_of(name).summary}; its {side.side}s are called {' or '.join(patterns[:2])} or so. "
        f"Say how yours are called, --{side.side}-pattern, beside --layout, or leave that out.",
    )


def _label_file(layout: Layout, *folders: str) -> str | None:
    for folder in folders:
        for name in layout.label_files:
            found = glob(os.path.join(escape(folder), name))  # noqa: PTH118, PTH207 - these are strings
            if len(found) == 1:
                return os.path.normpath(found[0])
    return None


def _said(name: str, given: LaidOut, made: LaidOut) -> str:
    """Say what a layout stands for, without what was given beside it."""
    words = {
        "--prediction-pattern": (given.prediction_pattern, made.prediction_pattern),
        "--reference-pattern": (given.reference_pattern, made.reference_pattern),
        "--labels": (given.labels, made.labels),
    }
    new = [
        f"{word} {shlex.quote(after)}" for word, (before, after) in words.items() if before is None and after
    ]
    return f"layout {name}: {' '.join(new) or 'everything that it stands for was given'}"
