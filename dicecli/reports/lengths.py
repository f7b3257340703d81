"""The one unit that the lengths of a run are in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dicecli.errors import UnitMismatch
from dicecli.records.cases import Failed, Scored
from dicecli.records.lengths import PIXELS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dicecli.records.cases import Result

_WHERE = "They are in px where a file has no spacing, or no unit of it: 'dicecli inspect' shows what it says."


def unit_of(results: Sequence[Result]) -> str:
    """Return what lengths of a run are in: those of its first scored case that has any; else pixels."""
    return next((each.length for each in results if isinstance(each, Scored) and each.length), PIXELS)


def in_one_unit(results: Sequence[Result], unit: str, *, is_asked: bool = False) -> tuple[Result, ...]:
    """Return the results with a failed row for each case whose lengths are in another unit.

    `is_asked` says that the unit is that of a metric's name, not of the first case.

    Cases whose spacing is in degrees have no lengths, and so none in another unit.
    """
    first = next((each.case.name for each in results if isinstance(each, Scored) and each.length), "")
    return tuple(
        _mismatch(each, unit, None if is_asked else first)
        if isinstance(each, Scored) and each.length not in {None, unit}
        else each
        for each in results
    )


def _mismatch(result: Scored, unit: str, first: str | None) -> Failed:
    if first is None:
        why = f"a metric was asked for in {unit}"
        hint = f"Name the metric without its unit, as hd95; for lengths in pixels: --spacing voxel. {_WHERE}"
    else:
        why = f"those of this run in {unit}, as of its first case {first}"
        apart = "Score cases of one unit in a run of their own; or leave out the metrics that are lengths."
        hint = f"{apart} {_WHERE}"
    return Failed.because(result.case, UnitMismatch(f"its lengths are in {result.length}, and {why}", hint))
