"""PNG: pictures of a part of a report, drawn by matplotlib (extra ``plot``)."""

from __future__ import annotations

import io
import re
import warnings
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from dicecli.errors import OutputError
from dicecli.reports.figures import confusion_figure, curves_figure
from dicecli.reports.origins import obeyed
from dicecli.reports.parts import PARTS as ALL
from dicecli.reports.text import inert

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

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
    picture = io.BytesIO()
    with _boxes_for_letters():
        said = {"Comment": inert("; ".join(told))} if (told := obeyed(report.origin)) else {}
        _FIGURES[part](report).savefig(picture, format="png", metadata={"Software": None, **said})
    return picture.getvalue()


@contextmanager
def _boxes_for_letters() -> Iterator[None]:
    """Say nothing of a letter that the font lacks, which is drawn as a box.

    Filters of warnings are the process's: one is added that is about this module alone, and taken away again.
    """
    quiet = ("ignore", re.compile("Glyph"), UserWarning, re.compile(re.escape(__name__) + r"\Z"), 0)
    filters = warnings.filters
    filters.insert(0, quiet)  # type: ignore[attr-defined]  # it is a list, which simplefilter() inserts into
    try:
        yield
    finally:
        with suppress(ValueError):  # somebody has emptied them
            filters.remove(quiet)  # type: ignore[attr-defined]  # as above


_FIGURES: dict[Part, Callable[[Report], Figure]] = {
    "curve": lambda report: curves_figure(report.curves()),
    "confusion": lambda report: confusion_figure(report.confusion, report.label_names),
}
