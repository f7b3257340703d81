"""What a report shows to people, as blocks that every human format renders: facts, sheets, lines of text."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from dicecli.records.cases import Failed
from dicecli.reports import origins, said
from dicecli.reports import presentation as show
from dicecli.reports.comparison.changes import changes
from dicecli.reports.mistaken import matrix_sheet
from dicecli.reports.pages import many, one
from dicecli.reports.pages.statistics import worst_of_all
from dicecli.reports.sheet import Sheet
from dicecli.reports.text import inert

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dicecli.reports.look import Look, Part
    from dicecli.reports.report import Report
    from dicecli.reports.rows import CaseValues


@dataclass(frozen=True)
class Title:
    """What a case is called."""

    text: str


@dataclass(frozen=True)
class Headline:
    """The sentence that goes into a paper: the number that leads."""

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


#: Of so many labels the confusion matrix stands in reports that have all.
_MATRIX = 12
Block = Title | Headline | Facts | Sheet


def blocks(report: Report, part: Part, look: Look) -> Iterator[Block]:
    """Yield the blocks of a report in the order to read them; none of them is empty.

    Verdicts come first, then the headline, then what may mislead, then the numbers and what is said of them.
    """
    if part == "confusion":
        of_files = (_obeyed(report), _notes(report.origin.notes))
        yield from (each for each in (*of_files, matrix_sheet(report)) if not _is_empty(each))
        return
    every = look.verbose or part == "summary"
    if report.is_batch or part == "summary":
        yield from (each for each in _batch(report, every=every) if not _is_empty(each))
        return
    (case,) = report.cases()
    found = _failed(case, report) if isinstance(case, Failed) else _case(case, report, every=every)
    yield from (each for each in found if not _is_empty(each))


def inert_block(block: Block) -> Block:
    """Return a block of which no text does anything, whoever has written it."""
    if isinstance(block, Sheet):
        return replace(
            block,
            title=inert(block.title),
            columns=tuple(map(inert, block.columns)),
            rows=tuple(tuple(map(inert, row)) for row in block.rows),
            remark=inert(block.remark),
        )
    if isinstance(block, Facts):
        return replace(block, pairs=tuple((inert(key), inert(value)) for key, value in block.pairs))
    return replace(block, text=inert(block.text))


def _is_empty(block: Block) -> bool:
    if isinstance(block, Sheet):
        return not block.rows
    return not (block.pairs if isinstance(block, Facts) else block.text)


def _notes(notes: Sequence[str]) -> Facts:
    return Facts(tuple(("note", note) for note in show.shown_notes(notes)), "notes")


def _obeyed(report: Report) -> Facts:
    """Say which configuration files were obeyed, where nothing else is said of the origin."""
    return Facts(tuple((origins.OBEYED, inert(str(each))) for each in report.origin.obeyed), "heading")


def _failed(case: Failed, report: Report) -> Iterator[Block]:
    yield Title(case.case.name)
    yield _obeyed(report)
    yield _notes(report.origin.notes)
    yield Facts(((case.error, inert(case.message)), ("hint", inert(case.hint))), "error")


def _case(case: CaseValues, report: Report, *, every: bool) -> Iterator[Block]:
    yield Title(case.result.case.name)
    yield many.gates(report)
    yield Headline(report.headline)
    of_files = {*case.result.notes}
    # What is made from the numbers is more than what was assumed of a file.
    made = [each for each in case.notes if each not in of_files]
    yield _notes((*report.given_notes, *made, *case.result.notes))
    yield Facts(tuple(_heading(report, show.heading(case, every=every), every=every)), "heading")
    yield one.sheet(case, report, every=every)
    yield from _confusion(report, every=every)
    yield changes(report.comparison, every=every)
    yield Facts(tuple(said.of_case(case, report, every=every)), "said")


def _confusion(report: Report, *, every: bool) -> Iterator[Block]:
    """Yield the confusion matrix of few labels, with the largest confusions in words, where all is shown."""
    if every and report.matrix is not None:
        found = matrix_sheet(report)
        if len(found.rows) <= _MATRIX + 2:  # the totals and the precision are rows, too
            yield found


def _heading(report: Report, facts: Sequence[tuple[str, str]], *, every: bool) -> list[tuple[str, str]]:
    """Return where a report comes from, and other facts; a side that is known from both stands once."""
    found = origins.said(report.origin, verbose=every)
    words = {word for word, _ in found}
    sides = [each for each in facts if each[0] in {"prediction", "reference"} - words]
    return [*sides, *found, *(each for each in facts if each[0] not in {"prediction", "reference"})]


def _batch(report: Report, *, every: bool) -> Iterator[Block]:
    yield many.gates(report)
    yield Headline(report.headline)
    # What says that these may not be the numbers that are meant stands next to them.
    tried = {each.text for each in report.suggestions_on_run}
    yield _notes(sorted(report.notes_on_run, key=lambda note: note not in tried))
    facts = [*many.partial(report), *show.pixels(report.scored, every=False)]
    yield Facts(tuple(_heading(report, facts, every=every)), "heading")
    yield from many.sheets(report, every=every)
    yield from _confusion(report, every=every)
    yield changes(report.comparison, every=every)
    if report.scored:
        worst = [] if every else worst_of_all(report)
        yield Facts((*said.of_run(report, every=every), *worst), "said")
    yield many.unscored(report)
