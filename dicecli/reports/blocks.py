"""What a report shows to people, as blocks that every human format renders: facts, sheets, lines of text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from dicecli.records.cases import Failed
from dicecli.reports import presentation as show
from dicecli.reports.pages import gates, sheets
from dicecli.reports.sheet import Sheet
from dicecli.reports.text import inert

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dicecli.reports.look import Look, Part
    from dicecli.reports.numbers import Numbers
    from dicecli.reports.rows import CaseValues


@dataclass(frozen=True)
class Title:
    """What a case is called."""

    text: str


@dataclass(frozen=True)
class Facts:
    """Pairs of a word and what is said of it.

    Attributes
    ----------
    pairs : tuple of (str, str)
    role : {"heading", "error", "said", "notes"}
        What was compared; why there are no numbers; what the numbers mean; what was assumed or looks odd.
    """

    pairs: tuple[tuple[str, str], ...]
    role: Literal["heading", "error", "said", "notes"]


@dataclass(frozen=True)
class Text:
    """A line."""

    text: str


Block = Title | Facts | Sheet | Text


def blocks(report: Numbers, part: Part, look: Look) -> Iterator[Block]:
    """Yield the blocks of a report in the order to read them; none of them is empty."""
    if part == "summary":
        yield from (each for each in sheets(report, every=True) if each.rows)
        return
    if report.is_batch:
        yield from (each for each in sheets(report, every=look.verbose) if each.rows)
    else:
        (case,) = report.cases()
        yield from _failed(case) if isinstance(case, Failed) else _case(case, report, every=look.verbose)
        yield from (each for each in [gates(report)] if each.rows)
    if report.notes_on_run:
        yield _notes(report.notes_on_run)


def _notes(notes: tuple[str, ...]) -> Facts:
    return Facts(tuple(("note", inert(note)) for note in notes), "notes")


def _failed(case: Failed) -> Iterator[Block]:
    yield Title(case.case.name)
    yield Facts(((case.error, inert(case.message)), ("hint", inert(case.hint))), "error")


def _case(case: CaseValues, report: Numbers, *, every: bool) -> Iterator[Block]:
    metrics, _ = show.shown_metrics(case.result, report.shown)
    rows, left = show.shown_labels(case, metrics, every=every)
    yield Title(case.result.case.name)
    yield Facts(tuple(show.heading(case)), "heading")
    lines: list[tuple[str, ...]] = []
    kinds: list[str] = []
    sizes = tuple(dict.fromkeys(name for row in case.rows for name in row.sizes)) or ("reference px",)
    for kind, group in (("label", rows), ("region", case.regions)):
        for row in group:
            label = "" if row.label is None else str(row.label)
            values = [show.figure(row.values[each.name]) for each in metrics]
            own = [show.size(row.sizes[name]) for name in sizes]
            lines.append((label, inert(row.name or ""), *own, *values))
            kinds.append(kind)
    nothing = [""] * len(sizes)
    for name, averages in case.averages.items():
        lines.append(("", name, *nothing, *show.averaged(name, averages, metrics)))
        kinds.append("average")
    undefined = show.undefined_row(case, metrics, report)
    if any(undefined):
        lines.append(("", "undefined, left out", *nothing, *(str(n) for n in undefined)))
        kinds.append("undefined")
    columns = ("label", "name", *sizes, *(show.title(each) for each in metrics))
    yield Sheet("", columns, tuple(lines), kinds=tuple(kinds), kept=2 + len(sizes))
    if left:
        yield Text(left)
    yield Facts(tuple(show.explanations(case, report)), "said")
    if case.notes:
        yield _notes(case.notes)
