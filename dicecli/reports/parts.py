"""The table of the parts of a report: what each is called, which runs have it, how it is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dicecli.errors import UsageError
from dicecli.records.settings import CALLED

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from dicecli.records.settings import Reads
    from dicecli.reports.look import Part
    from dicecli.reports.numbers import Numbers


@dataclass(frozen=True)
class PartDefinition:
    """A part of a report, as it is asked for and spoken of.

    Attributes
    ----------
    called : str
        What a file of it is called in messages.
    option : str
        What asks for a file of it on the command line.
    says : str
        The help of that option.
    reads : tuple of {"labels", "probabilities"}
        What predictions are read as in the runs that have it.
    asks : str or None
        The option that has a run measure what the part is made of; None where every run does.
    needs_numbers : bool
        Whether there is none of a single case that could not be scored.
    check : callable
        Raises UsageError for a report that has no such part, and says why.
    """

    called: str
    option: str
    says: str
    reads: tuple[Reads, ...] = ("labels", "probabilities")
    asks: str | None = None
    needs_numbers: bool = False
    check: Callable[[Numbers], None] = lambda _: None


def _check_confusion(report: Numbers) -> None:
    from dicecli.reports.matrix import check_matrix

    check_matrix(report.scored, report.settings)


def _check_curve(report: Numbers) -> None:
    from dicecli.reports.curves import check_curves

    check_curves(report)


def _check_slices(report: Numbers) -> None:
    from dicecli.reports.slices import check_slices

    check_slices(report)


PARTS: dict[Part, PartDefinition] = {
    "report": PartDefinition(
        "report",
        "-o",
        "Write the report to FILE: .json, .csv, .md, .html, .txt, .xml (JUnit) or .nnunet.json.",
    ),
    "summary": PartDefinition(
        "summary", "--summary", "Write the summary alone to FILE: .csv, .json, .md, .html or .txt."
    ),
    "curve": PartDefinition(
        "curve",
        "--curve",
        "Write Dice, precision and recall at every threshold to FILE: .csv, or .png (extra 'plot').",
        reads=("probabilities",),
        needs_numbers=True,
        check=_check_curve,
    ),
    "slices": PartDefinition(
        "list of slices",
        "--per-slice",
        "Write the counts and metrics of every slice, along the last axis, to FILE: .csv.",
        reads=("labels",),
        asks="per_slice",
        needs_numbers=True,
        check=_check_slices,
    ),
    "confusion": PartDefinition(
        "confusion matrix",
        "--confusion",
        "Write which labels are taken for which, all cases pooled, to FILE: .csv, .json, .md, .html, .txt, "
        "or .png (extra 'plot').",
        reads=("labels",),
        needs_numbers=True,
        check=_check_confusion,
    ),
}


def check_reads(name: str, exporter: ModuleType, reads: Reads) -> None:
    """Check that an exporter has a form of runs that read labels, or probabilities: ``READS`` says so.

    Raises
    ------
    UsageError
    """
    own = getattr(exporter, "READS", (reads,))
    if reads not in own:
        raise UsageError(
            f"{name} is a form of {CALLED[own[0]]}, and these are {CALLED[reads]}",
            "Write another form, as JSON: -f json or -o results.json.",
        )
