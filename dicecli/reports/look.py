"""What concerns people's eyes only; machine formats take it and pay no heed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

#: What of a report is rendered; the table of :mod:`dicecli.reports.parts` says what each is.
Part = Literal["report", "summary", "curve", "slices", "confusion"]


@dataclass(frozen=True)
class Look:
    """How a report is to look.

    Attributes
    ----------
    width : int
        Columns of the terminal.
    colour : bool
        Whether the terminal has colours.
    verbose : bool
        Whether every label is shown, of many as of few.
    """

    width: int = 100
    colour: bool = False
    verbose: bool = False


PLAIN = Look()
