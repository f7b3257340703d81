"""A table that people see, before any format has it."""

from __future__ import annotations

from dataclasses import dataclass

#: Columns of text; all others are numbers.
TEXT = {
    "name",
    "average",
    "over",
    "definition",
    "case",
    "error",
    "group",
    "message",
    "gate",
    "verdict",
    "detail",
    "worst cases",
}


@dataclass(frozen=True)
class Sheet:
    """A table.

    Attributes
    ----------
    title : str
        What it is about; may be empty.
    columns : tuple of str
    rows : tuple of tuple of str
    remark : str
        What is said under it.
    kinds : tuple of str
        What each row is: of a ``label``, ``region`` or ``average``, how many values are ``undefined``; empty:
        rows of one kind.
    kept : int
        How many of the first columns stand beside all others where these are cut to the width; None: it is
        never cut.
    drops : tuple of str
        Columns that are left out, one after the other and in this order, until the others fit the width.
    spare : tuple of str
        Columns that are left out where a table that is cut would be too wide with them.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    remark: str = ""
    kinds: tuple[str, ...] = ()
    kept: int | None = None
    drops: tuple[str, ...] = ()
    spare: tuple[str, ...] = ()

    def without(self, left_out: set[str]) -> Sheet:
        """Return it without some of its columns."""
        places = [place for place, column in enumerate(self.columns) if column not in left_out]
        gone = sum(column in left_out for column in self.columns[: self.kept or 0])
        return Sheet(
            self.title,
            tuple(self.columns[place] for place in places),
            tuple(tuple(row[place] for place in places) for row in self.rows),
            self.remark,
            self.kinds,
            None if self.kept is None else self.kept - gone,
            self.drops,
            self.spare,
        )
