"""The table of ``dicecli inspect FOLDER``: a line for each file, printed as it is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from dicecli.cli.terminal import width
from dicecli.reports.text import inert
from dicecli.words import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dicecli.runs.inspection.file import Inspection

#: The columns between name and labels with their widths; at least so wide are the labels.
_COLUMNS = {"format": 8, "shape": 12, "spacing": 12, "type": 8}
_LABELS = 18


class FileTable:
    """The lines of files: without columns that are empty, names that are too long on lines of their own.

    Attributes
    ----------
    longest : int
        How long the longest name is.
    """

    def __init__(self, longest: int) -> None:
        self.longest = longest
        self._columns: tuple[str, ...] = ()

    def lines(self, name: str, found: Inspection) -> Iterator[str]:
        """Yield the line of a file, or two; above it the heads, where a column is new."""
        cells = _cells(found)
        columns = tuple(key for key in _COLUMNS if key in self._columns or cells[key])
        names, is_apart = self._names(columns)
        if columns != self._columns or not self._columns:
            self._columns = columns
            yield self._row("file", {key: key for key in columns}, "labels", names)
        if is_apart:
            yield inert(name)
        left = max(width(), 60) - names - sum(_COLUMNS[key] + 1 for key in columns) - 1
        yield self._row("" if is_apart else inert(name), cells, _labels(found, left), names)

    def _names(self, columns: tuple[str, ...]) -> tuple[int, bool]:
        """Return the width of the names, and whether they have lines of their own."""
        left = max(width(), 60) - sum(_COLUMNS[key] + 1 for key in columns) - 1 - _LABELS
        return (4, True) if self.longest > left else (max(self.longest, 4), False)

    def _row(self, name: str, cells: dict[str, str], labels: str, names: int) -> str:
        between = (_cut(cells[key], _COLUMNS[key]) for key in self._columns)
        return " ".join([name.ljust(names), *between, labels]).rstrip()


def _cut(text: str, most: int) -> str:
    return (text if len(text) <= most else f"{text[: most - 1]}…").ljust(most)


def _cells(found: Inspection) -> dict[str, str]:
    """Return what stands between name and labels, by column."""
    from dicecli.runs.inspection.folder import facts_of

    facts = facts_of(found)
    kind = facts.get("stored as") or facts.get("mode", "").replace(", ", " ").removesuffix(" bit")
    spacing = facts.get("spacing", "").rpartition(" ")[0] or facts.get("spacing", "")
    cells = {
        "format": facts.get("format", ""),
        "shape": facts.get("shape", ""),
        "spacing": spacing,
        "type": kind,
    }
    return {key: each.replace(" x ", "x") for key, each in cells.items()}


def _labels(found: Inspection, most: int) -> str:
    """Return the last cell: labels, a range, or the name of the error."""
    from dicecli.runs.inspection.folder import labels_of, shortly

    stored = found.probabilities
    if stored is not None:
        span, number = f"{stored.minimum:.3g} to {stored.maximum:.3g}", len(stored.channels)
        forms = [span] if number == 1 else [f"{span} in {counted(number, 'channel')}", f"{span} in {number}"]
        return next((each for each in forms if len(each) <= most), span)
    if found.error is None:
        return shortly(labels_of(found), most)
    name = click.style(found.error.name, fg="red")
    labels = shortly(labels_of(found), max(most - len(found.error.name) - 2, 1))
    is_room = labels and len(labels) + len(found.error.name) + 2 <= most
    return f"{name}: {labels}" if is_room else name
