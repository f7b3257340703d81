"""Cases that look like one of the other side and are none: what their names differ by."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dicecli.records.alike import difference, look
from dicecli.words import counted

if TYPE_CHECKING:
    from dicecli.runs.naming import Side


def look_alikes(
    found: Side, expected: Side, alone: list[str], missing: list[str]
) -> tuple[list[str], list[str], list[str]]:
    """Say which cases of either side look like one of the other's, and how they differ.

    Parameters
    ----------
    found, expected : Side
        Predictions and references.
    alone, missing : list of str
        The names of each that have no counterpart.

    Returns
    -------
    list of str
        A note, or none.
    list of str
    list of str
        The names of each side that look like none.
    """
    by_look = {look(name): name for name in missing}
    pairs = [(name, by_look[look(name)]) for name in alone if look(name) in by_look]
    if not pairs:
        return [], alone, missing
    one, other = pairs[0]
    masks = f"'{found.named[one][0]}' against '{expected.named[other][0]}'"
    more = f", and so do {counted(len(pairs) - 1, 'other name')}" if len(pairs) > 1 else ""
    said = (
        f"a prediction and a reference that look alike are no pair: {masks} differ "
        f"{difference(one, other)}{more}: rename them, or name the pairs in a CSV, --pairs"
    )
    taken = {name for pair in pairs for name in pair}
    others = ([name for name in names if name not in taken] for names in (alone, missing))
    return [said], next(others), next(others)
