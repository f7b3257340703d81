"""What is said of other numbers for a prediction's labels that were found to be better; options for them."""

from __future__ import annotations

import shlex
from itertools import count
from typing import TYPE_CHECKING, Literal

from dicecli.records.label_maps import LabelMap, option_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dicecli.records.cases import Scored
    from dicecli.records.settings import Settings
    from dicecli.reports.confusions import Confusion, Renumbered

#: The labels of ADE20K counted from 1 of which the largest are there, and all of them counted from 0.
_ADE, _ADE_FROM_0 = range(100, 151), range(150)
_NAMED = 3
#: Between the labels of an offset, those that are not there are moved as well, up to so many.
_RANGE = 1 << 12
#: What is read as label 1 in masks of 0 and 255.
_BINARY = 255


def said_of(
    better: Renumbered, confusion: Confusion, settings: Settings
) -> tuple[Literal["preset", "offset", "relabelling"], str]:
    """Return the kind of other numbers, and what they are in words."""
    if better.kind == "preset":
        given, wanted = better.names
        said = f"the prediction has the label numbers of {given}, the reference of {wanted}: renumbered"
        return "preset", said
    if better.kind == "offset":
        label, meant = next(iter(better.labels.items()))
        step = (meant or 0) - label
        apart = settings.labels.background in confusion.columns.keys() - better.labels.keys()
        how = f"{abs(step):,} {'higher' if step > 0 else 'lower'}{', all but the background' * apart}"
        how += ", as of ADE20K counted from 0 against from 1" * _is_of_ade(better, confusion, settings)
        return "offset", f"with the prediction's labels {how}"
    new = {column: row for column, row in better.labels.items() if row is not None}
    largest = sorted(new, key=lambda column: (-confusion.rows[new[column]], column))
    shown = [f"{column} as {new[column]}" for column in largest[:_NAMED]]
    more = f" and {len(new) - _NAMED:,} more renumbered one by one" if len(new) > _NAMED else ""
    displaced = sorted({*new.values()} & confusion.columns.keys() - new.keys())[:_NAMED]
    if displaced:
        own = " and ".join(map(str, displaced))
        more += f", its own {own} being {'another label' if len(displaced) == 1 else 'other labels'}"
    first = largest[0]
    share = confusion.meet(new[first], first) / confusion.rows[new[first]]
    said = f"reference label {new[first]} is covered to {share:.0%} by the prediction's {first}: with the "
    return "relabelling", f"{said}prediction's {', '.join(shown)}{more}"


def _is_of_ade(better: Renumbered, confusion: Confusion, settings: Settings) -> bool:
    """Whether an offset is that of ADE20K, whose 150 classes are counted from 0, or from 1."""
    label, meant = next(iter(better.labels.items()))
    looks_so = max(confusion.rows) in _ADE and max(confusion.columns) < max(_ADE)
    return meant == label + 1 and (looks_so or settings.labels.source == "ade20k")


def options_for(
    better: Renumbered,
    confusion: Confusion,
    cases: Sequence[Scored],
    settings: Settings,
) -> str | None:
    """Return the options that give the prediction's labels other numbers; None where there are none.

    Parameters
    ----------
    better : Renumbered
        Offset, preset, or one by one.
    confusion : Confusion
        Of all `cases`; where labels meet before that.
    cases : sequence of Scored
    settings : Settings

    Returns
    -------
    str or None
        As the command line has it, quoted. With it the macro IoU is that of `better`. None where the labels
        have been mapped already, or where the number of the background stands for what is no label of a file.
    """
    if "prediction" in settings.labels.maps:
        return None
    table = _table(better, confusion, settings)
    background = settings.labels.background
    moves = background is not None and table.get(background, background) != background
    if moves and (settings.nodata == "background" or settings.missing == "zero"):
        return None
    whole = better.kind == "offset" and _filled(table, better, confusion, settings)
    as_one = [() if each.observed is None else each.observed.as_one for each in cases]
    if not _as_stored(table, ["prediction" in each for each in as_one]):
        return None
    # What is predicted only where the reference is left out is in no matrix.
    is_elsewhere = any(any(each.excluded.values()) for each in cases)
    needs_rest = better.kind == "preset" or (is_elsewhere and not whole)
    kept = {
        at: to for at, to in table.items() if (to is not None or not needs_rest or not at) and (at or to != 0)
    }
    found = f"{option_of('prediction')} {_quoted(LabelMap.of(kept, (None,) if needs_rest else ()))}"
    if _BINARY in table and any("reference" in each for each in as_one):
        # There 255 would be label 1 by itself, which it is not any more beside what is said of it here.
        return (
            f"{found} {option_of('reference')} 255=1" if all("reference" in each for each in as_one) else None
        )
    return found


def _quoted(found: LabelMap) -> str:
    return shlex.quote(found.text)


def _table(better: Renumbered, confusion: Confusion, settings: Settings) -> dict[int, int | None]:
    """Return what each label is read as, so that it comes to what :meth:`Confusion.macro` makes of it."""
    scheme, new = settings.labels, better.labels
    taken = {label for label in new.values() if label is not None}
    # Another label is none that means something: the background, one of a region, one that is ignored.
    used = {*confusion.rows, *confusion.columns, *taken, *scheme.known, scheme.background}
    free = (label for label in count(1) if label not in used)
    table: dict[int, int | None] = {}
    for label in sorted({*confusion.columns, *new}):
        to = new.get(label, None if label in taken else label)
        is_another = label not in new and label in taken
        if is_another and not scheme.is_declared and confusion.is_evaluated(label):
            to = next(free)
        table[label] = to if to is None or _may_be(to, settings) else None
    return table


def _may_be(label: int, settings: Settings) -> bool:
    scheme = settings.labels
    return not scheme.is_declared or label in scheme.known or label == scheme.background


def _filled(
    table: dict[int, int | None], better: Renumbered, confusion: Confusion, settings: Settings
) -> bool:
    """Let an offset hold for labels that are not there, too; tell whether that is every one there may be."""
    (label, to), *_ = better.labels.items()
    step, moved, of_ade = (to or 0) - label, [*better.labels], _is_of_ade(better, confusion, settings)
    known = {*settings.labels.known}
    if max(moved) - min(moved) < _RANGE:
        known |= {*range(min(moved), max(moved) + 1)}
    for each in sorted(known | {*(_ADE_FROM_0 if of_ade else ())}):
        if _may_be(each + step, settings):
            table.setdefault(each, each + step)
    return of_ade or (settings.labels.is_declared and known <= table.keys())


def _as_stored(table: dict[int, int | None], as_one: Sequence[bool]) -> bool:
    """Name 255 in place of 1, where that is how it is stored; False where it is a label of its own, too."""
    if not any(as_one) or 1 not in table:
        return True
    if _BINARY in table and not all(as_one):
        return False
    table[_BINARY] = table[1]
    if all(as_one):
        del table[1]
    return True
