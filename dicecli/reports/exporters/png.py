"""PNG: pictures of a part of a report, drawn by matplotlib (extra ``plot``)."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from dicecli.errors import OutputError
from dicecli.reports.figures import curves_figure
from dicecli.reports.parts import PARTS as ALL

if TYPE_CHECKING:
    from dicecli.reports.look import Look, Part
    from dicecli.reports.report import Report

SUFFIXES = (".png",)
PARTS = ("curve",)


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
    curves_figure(report.curves()).savefig(picture, format="png", metadata={"Software": None})
    return picture.getvalue()
