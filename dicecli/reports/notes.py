"""What was assumed about single files, added up over a run; and where assumptions contradict each other."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dicecli.records.lengths import PIXELS
from dicecli.reports.rows import labels_found
from dicecli.statistics.matrix import is_layered
from dicecli.words import counted, some_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from dicecli.records.cases import Scored
    from dicecli.records.only import Only
    from dicecli.reports.suggestions import Suggestion

_NAMED = 5


def run_notes(
    scored: Sequence[Scored],
    expected: int,
    *,
    has_lengths: bool = False,
    suggestions: Sequence[Suggestion] = (),
    only: Only | None = None,
) -> list[str]:
    """Return the notes on a run: what is suggested, and what those on its cases add up to."""
    return [
        *_on_absent(scored, only),
        *_on_twins(scored, expected),
        *_on_255(scored),
        *(each.text for each in suggestions),
        *_on_files(scored, expected, lambda case: case.notes),
        *(_on_files(scored, expected, length_notes) if has_lengths else ()),
    ]


def length_notes(case: Scored) -> tuple[str, ...]:
    """Return what is to be said of the lengths of a case."""
    if case.is_sheared:
        why = "the axes of the grid are not at right angles, so that distances along them are no lengths"
        return (f"{why}: left undefined; volumes are right",)
    if case.length is None:
        why = f"the spacing is in {case.unit}, so that distances are no lengths: left undefined"
        return (f"{why}; in a projected CRS they are",)
    if case.spacing is not None and case.length == PIXELS and len(set(case.spacing)) > 1:
        return ("the unit of the spacing is unknown: distances are in pixels, which are not square",)
    return ()


def _names(cases: Sequence[Scored]) -> str:
    return some_of([each.case.name for each in cases], _NAMED)


def _on_twins(scored: Sequence[Scored], expected: int) -> list[str]:
    twins = [each for each in scored if each.observed is not None and each.observed.twins]
    if not twins:
        return []
    among = f"{len(twins):,} of {counted(expected, 'case')}"
    return [
        f"in {among} both masks are one file, or files of the same bytes, as copies are and "
        f"what is wholly right may be: {_names(twins)}"
    ]


def _on_absent(scored: Sequence[Scored], only: Only | None) -> list[str]:
    """Say which of the labels that alone are asked for no case has; layers hold none."""
    if only is None or not scored or any(is_layered(each.measured) for each in scored):
        return []
    absent = sorted({*only.labels}.difference(*map(labels_found, scored)))
    if not absent:
        return []
    return [f"asked for, and in no mask: {some_of([f'label {each}' for each in absent], _NAMED)}"]


def _on_255(scored: Sequence[Scored]) -> list[str]:
    """Say when 255 is label 1 in some cases, and a label of its own in others."""
    as_one = [each for each in scored if each.observed is not None and each.observed.as_one]
    own = [each for each in scored if 255 in labels_found(each)] if as_one else []
    if not own:
        return []
    return [
        f"255 is read as label 1 in {counted(len(as_one), 'case')} ({_names(as_one)}) and is a label of its "
        f"own in {len(own):,} ({_names(own)}): if it is label 1 in the former and void in the latter, save "
        "the former as 0 and 1, and give --ignore-label 255; if it is one label in all, declare it: "
        "--labels FILE",
    ]


def _on_files(
    scored: Sequence[Scored], expected: int, notes_of: Callable[[Scored], Sequence[str]]
) -> list[str]:
    """Put equal notes together; those that differ by numbers alone count as equal, and one is shown."""
    found: dict[str, list[Scored]] = {}
    shown: dict[str, dict[str, None]] = {}
    for each in scored:
        for note in notes_of(each):
            key = re.sub(r"\d[\d,.]*", "#", note)
            shown.setdefault(key, {})[note] = None
            found.setdefault(key, []).append(each)
    return [
        f"in {len(cases):,} of {counted(expected, 'case')}: {next(iter(shown[key]))}"
        f"{_of_the_first(shown[key], cases[0])} ({_names(cases)})"
        for key, cases in found.items()
    ]


def _of_the_first(notes: Collection[str], first: Scored) -> str:
    """Say that the numbers of a note are those of the first case, where others have other ones."""
    return f"; so it is of {first.case.name}, and others have other numbers" if len(notes) > 1 else ""
