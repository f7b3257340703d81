"""Whether two files lie on each other, and what ``score`` would refuse or suggest."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, TypedDict

from dicecli.errors import CaseError, GeometryError
from dicecli.masks.alignment import align
from dicecli.masks.differing import differences, displacement
from dicecli.masks.opening import opened_layers
from dicecli.records.cases import Case
from dicecli.records.codec import written
from dicecli.records.settings import Settings
from dicecli.reports.suggestions import of_case
from dicecli.runs.measuring import measure_case

if TYPE_CHECKING:
    from dicecli.records.codec import Json


class Alignment(TypedDict):
    """Whether two files lie on each other, as JSON has it."""

    aligned: bool
    #: None where no place is known.
    displacement_voxels: float | None
    differences: list[str]
    notes: list[str]
    #: What to try, where the masks agree so little that their numbers or places may be meant otherwise.
    suggestions: list[Json]
    #: Why ``score`` would refuse the two, and what to do.
    message: str | None
    hint: str | None


def inspect_pair(prediction: str, reference: str, settings: Settings | None = None) -> Alignment:
    """Say whether two files lie on each other, and if not, by how much.

    Raises
    ------
    CaseError
        One of the files cannot be opened.
    """
    settings = settings or Settings()
    answer: Alignment = {
        "aligned": True,
        "displacement_voxels": None,
        "differences": [],
        "notes": [],
        "suggestions": [],
        "message": None,
        "hint": None,
    }
    with ExitStack() as stack:
        (first, *_), (second, *_) = (
            [stack.enter_context(each) for each in opened_layers("", path, settings)]
            for path in (reference, prediction)
        )
        try:
            one, other, answer["notes"] = align(first, second, axes=settings.axes)
            grids = one.grid, other.grid
        except CaseError as error:
            answer["aligned"], answer["message"], answer["hint"] = False, error.message, error.hint
            grids = first.grid, second.grid
        if grids[0].shape == grids[1].shape and all(grid.affine is not None for grid in grids):
            answer["differences"] = differences(*grids)
            answer["displacement_voxels"] = displacement(*grids)
    if answer["aligned"]:
        _score(Case("", prediction, reference), settings, answer)
    return answer


def _score(case: Case, settings: Settings, answer: Alignment) -> None:
    """Say why ``score`` would refuse two masks that may lie on each other, or what it would suggest."""
    try:
        found = measure_case(case, settings)
    except CaseError as error:
        answer["aligned"] = not isinstance(error, GeometryError)
        answer["message"], answer["hint"] = error.message, error.hint
    else:
        answer["suggestions"] = [written(each) for each in of_case(found, settings)]
