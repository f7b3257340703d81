"""PNG: pictures of a part of a report, drawn by matplotlib (extra ``plot``)."""

from __future__ import annotations

import io
import warnings
from typing import TYPE_CHECKING

from dicecli.errors import OutputError
from dicecli.reports.figures import confusion_figure, curves_figure
from dicecli.reports.origins import obeyed
from dicecli.reports.parts import PARTS as ALL
from dicecli.reports.text import inert

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.figure import Figure

    from dicecli.reports.look import Look, Part
    from dicecli.reports.report import Report

SUFFIXES = (".png",)
PARTS = ("curve", "confusion")


def check(part: Part) -> None:
    """Make sure that there is something to draw with.

    Raises
    ------
    OutputError
        matplotlib is not installed.
    """
    try:
        import matplotlib  # noqa: F401, ICN001 - only whether it is there
    except ImportError as error:
        wanted = ALL[part]
        raise OutputError(
            f"a {wanted.called} as .png needs matplotlib, which is not installed",
            f"Install the extra: pip install 'dicecli[plot]'; or write numbers: {wanted.option} FILE.csv.",
        ) from error


def render(report: Report, part: Part, look: Look) -> bytes:
    """Return a picture, the same bytes wherever versions are the same; the look changes nothing.

    Raises
    ------
    OutputError
        matplotlib is not installed.
    UsageError
        The report has no such part.
    """
    del look
    check(part)
    from matplotlib import style

    picture = io.BytesIO()
    # What a matplotlibrc of the current folder says, as to have LaTeX set the words, is not asked.
    with warnings.catch_warnings(), style.context("default"):
        # A letter that the font lacks is drawn as a box.
        warnings.filterwarnings("ignore", message="Glyph", category=UserWarning)
        said = {"Comment": inert("; ".join(told))} if (told := obeyed(report.origin)) else {}
        _FIGURES[part](report).savefig(picture, format="png", metadata={"Software": None, **said})
    return picture.getvalue()


_FIGURES: dict[Part, Callable[[Report], Figure]] = {
    "curve": lambda report: curves_figure(report.curves()),
    "confusion": lambda report: confusion_figure(report.confusion, report.label_names),
}
