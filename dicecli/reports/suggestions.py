"""What would make the numbers of a case, or of a run, much better: other numbers, options, or places."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Literal

from dicecli.records.measurements import IMAGE
from dicecli.reports.confusions import Confusion, Macro
from dicecli.words import counted, some_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dicecli.records.cases import Scored
    from dicecli.records.observed import Moved
    from dicecli.records.settings import Settings
    from dicecli.reports.confusions import Renumbered

Cell = tuple[int, int | None, int]

#: Where macro IoU is higher nothing is sought, and what raises it by less is not said.
_GOOD, _LEAST_RISE = 0.8, 0.2
#: The label that marks void in many data sets.
_VOID = 255
_NAMED = 3
#: Options are said up to so many characters; longer ones are in JSON alone.
_LONGEST = 200


@dataclass(frozen=True)
class Suggestion:
    """One thing to try.

    Attributes
    ----------
    kind : {"preset", "offset", "relabelling", "moved", "void", "nodata"}
        What would have to be otherwise: the numbers of the prediction's labels, as those of a preset, by an
        offset or one by one; where its pixels lie; that 255 is a label; that nodata is background.
    metric : {"dice", "iou"}
        Of which macro averages are given.
    now : float or None
        The macro average as it is; None where it is undefined, or not known.
    then : float or None
        What it would be.
    option : str or None
        The option that does it, where there is one.
    text : str
        The same for people.
    """

    kind: Literal["preset", "offset", "relabelling", "moved", "void", "nodata"]
    metric: Literal["dice", "iou"]
    now: float | None
    then: float | None
    option: str | None
    text: str


def of_case(case: Scored, settings: Settings) -> list[Suggestion]:
    """Return what is to be suggested of one case, the best first."""
    if settings.reads != "labels":
        return _of_nodata([case], None, settings)
    if IMAGE not in case.measured.rows("matrix"):
        return []
    return _of_cells(_cells(case), [case], settings, _of_moved(case, settings))


def of_run(cases: Sequence[Scored], settings: Settings) -> list[Suggestion]:
    """Return what is to be suggested of a run, from the matrices of its cases added up, the best first."""
    if settings.reads != "labels":
        return _of_nodata(cases, None, settings)
    mapped = [each for each in cases if IMAGE in each.measured.rows("matrix")]
    if not mapped:
        return []
    every = (cell for case in mapped for cell in _cells(case))
    return _of_cells(every, mapped, settings, _of_moved_cases(mapped, settings))


def _cells(case: Scored) -> Iterator[Cell]:
    """Return the pairs of labels that meet, also where the prediction has a label that is ignored."""
    cells: Iterator[Cell] = case.measured["matrix"][IMAGE].cells()
    ignored = None if case.observed is None else case.observed.ignored
    if ignored is None:
        return cells
    lost: dict[int, int] = {}
    for row, _, n in ignored:
        lost[row] = lost.get(row, 0) + n
    others = ((row, at, n - lost.get(row, 0) if at is None else n) for row, at, n in cells)
    return chain(ignored, others)


def _of_cells(
    cells: Iterator[Cell], cases: Sequence[Scored], settings: Settings, moved: list[Suggestion]
) -> list[Suggestion]:
    confusion = Confusion(cells, settings)
    now = confusion.macro()
    found = list(moved)
    if now.iou <= _GOOD:
        better = confusion.renumbered()
        least = max([now.iou + _LEAST_RISE, *(each.then or 0.0 for each in moved if len(cases) == 1)])
        if better is not None and better.iou >= least:  # else labels lie where others should
            found.append(_renumbering(better, confusion, now, cases, settings))
    found.sort(key=lambda each: -(each.then or 0))
    return [*found, *_of_void(confusion, now, cases, settings), *_of_nodata(cases, confusion, settings)]


def _renumbering(
    better: Renumbered, confusion: Confusion, now: Macro, cases: Sequence[Scored], settings: Settings
) -> Suggestion:
    from dicecli.reports.renumbering import options_for, said_of

    kind, text = said_of(better, confusion, settings)
    text = f"{text}, macro IoU would be {better.iou:.2f} instead of {now.iou:.2f}"
    option = options_for(better, confusion, cases, settings)
    if option is not None and len(option) <= _LONGEST:
        text += f": {option}"
    return Suggestion(kind, "iou", now.iou, better.iou, option, text)


def _of_void(
    confusion: Confusion, now: Macro, cases: Sequence[Scored], settings: Settings
) -> list[Suggestion]:
    """Say what it would be without 255, which the reference alone has, beside other labels."""
    others = confusion.rows.keys() - {_VOID, settings.labels.background}
    is_void = _VOID in confusion.rows and _VOID not in confusion.columns and bool(others)
    # Where masks of 0 and 255 are in a run, the option would mean something else for them.
    as_one = any(each.observed is not None and each.observed.as_one for each in cases)
    if not is_void or settings.expects_raw_labels or as_one or settings.labels.background == _VOID:
        return []
    then, n = confusion.without(_VOID).macro(), confusion.rows[_VOID]
    if not then.dice > now.dice:
        return []
    text = (
        f"255 is in the reference alone, in {n:,} of {sum(confusion.rows.values()):,} pixels, beside other "
        f"labels: if it marks void, --ignore-label 255 leaves them out, and macro Dice is "
        f"{_number(then.dice)} instead of {_number(now.dice)}"
    )
    return [Suggestion("void", "dice", _known(now.dice), _known(then.dice), "--ignore-label 255", text)]


def _of_nodata(cases: Sequence[Scored], confusion: Confusion | None, settings: Settings) -> list[Suggestion]:
    """Say how much nodata is read as background, and what macro Dice is without it."""
    tagged = [
        cell
        for each in cases
        if each.observed is not None and each.observed.nodata is not None
        for cell in each.observed.nodata
    ]
    n, total = sum(cell[2] for cell in tagged), sum(each.counted for each in cases)
    if not n or settings.labels.background in settings.labels.names:  # who declares it has said what it is
        return []
    text = (
        f"reference: nodata, which is also the background label, is in {n:,} of {total:,} pixels "
        f"({n / max(n, total):.1%}), and read as background; --nodata ignore leaves them out"
    )
    now = then = None
    # Where the background is evaluated, its pixels in the prediction would be nodata as well, or not.
    background = settings.labels.background
    if confusion is not None and not (background is not None and confusion.is_evaluated(background)):
        now, then = (_known(each.macro().dice) for each in (confusion, confusion.less(tagged)))
        same = _number(then) == _number(now)
        text += f", and macro Dice {'stays' if same else 'is'} {_number(then)}"
        text += "" if same else f" instead of {_number(now)}"
    return [Suggestion("nodata", "dice", now, then, "--nodata ignore", text)]


def _of_moved(case: Scored, settings: Settings) -> list[Suggestion]:
    """Say how the prediction would fit, where a label does not overlap at all."""
    moved = None if case.observed is None else case.observed.moved
    if moved is None:
        return []
    confusion = Confusion(moved.cells, settings)
    now, then = Confusion(_cells(case), settings).macro().iou, confusion.macro().iou
    is_there = moved.label in confusion.rows and moved.label in confusion.columns
    if not then >= now + _LEAST_RISE or not is_there:
        return []
    title = settings.labels.name(moved.label) or f"label {moved.label}"
    own = confusion.iou(moved.label, moved.label)
    text = (
        f"{title} does not overlap at all: {how(moved)}? Then its IoU would be {own:.2f}, and macro IoU "
        f"{then:.2f} instead of {now:.2f}"
    )
    return [Suggestion("moved", "iou", now, then, None, text)]


def _of_moved_cases(cases: Sequence[Scored], settings: Settings) -> list[Suggestion]:
    """Say in how many cases the prediction would fit after which move; the most frequent first."""
    found: dict[str, list[tuple[Scored, Suggestion]]] = {}
    for each in cases:
        if each.observed is not None and each.observed.moved is not None:
            for suggestion in _of_moved(each, settings):
                found.setdefault(how(each.observed.moved), []).append((each, suggestion))
    suggestions = []
    for move, some in sorted(found.items(), key=lambda item: -len(item[1]))[:_NAMED]:
        names = some_of([case.case.name for case, _ in some], _NAMED)
        now, then = (
            sum(values) / len(some)
            for values in zip(*((each.now or 0.0, each.then or 0.0) for _, each in some), strict=True)
        )
        among = f"in {len(some):,} of {counted(len(cases), 'case')}"
        text = (
            f"{among} ({names}) labels do not overlap at all: {move}? "
            f"Then macro IoU of these would be {then:.2f} instead of {now:.2f}, on average"
        )
        suggestions.append(Suggestion("moved", "iou", now, then, None, text))
    return suggestions


def how(moved: Moved) -> str:
    """Return the words for a move: what the prediction seems to be."""
    words = []
    if moved.axes != tuple(range(len(moved.axes))):
        swapped = [str(axis) for axis, other in enumerate(moved.axes) if axis != other]
        words.append(
            "transposed" if len(moved.axes) == 2 else f"transposed along axes {' and '.join(swapped)}"
        )
    if moved.mirrored:
        axes = "axes" if len(moved.mirrored) > 1 else "axis"
        words.append(f"mirrored along {axes} {' and '.join(str(axis) for axis in moved.mirrored)}")
    steps = [f"{step:+d} along axis {axis}" for axis, step in enumerate(moved.steps) if step]
    if steps:
        words.append(f"to be shifted by whole pixels, {', '.join(steps)}")
    return f"is the prediction {' and '.join(words)}" if words else "is the prediction the same"


def _known(value: float) -> float | None:
    return None if value != value else value  # noqa: PLR0124 - NaN alone differs from itself


def _number(value: float | None) -> str:
    return "undefined" if value is None or _known(value) is None else f"{value:.4f}"
