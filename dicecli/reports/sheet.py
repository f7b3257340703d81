"""A table that people see, before any format has it."""

from __future__ import annotations

from dataclasses import dataclass

#: Columns of text; all others are numbers.
TEXT = {
    "name",
    "average",
    "definition",
    "case",
    "error",
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
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    remark: str = ""
    kinds: tuple[str, ...] = ()
    kept: int | None = None
