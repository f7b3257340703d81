"""The records that a run is made of: a case, what came of it, and the report over all of them."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - the codec reads types
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dicecli import errors
from dicecli.records.compound import Compound, is_of_files, paths_of
from dicecli.records.lengths import is_sheared, length_of
from dicecli.records.measurements import Measured, Whole  # noqa: TC001 - the codec reads types
from dicecli.records.observed import Observed  # noqa: TC001 - as above

if TYPE_CHECKING:
    from dicecli.errors import CaseError, DicecliError

#: Why pixels are left out; a pixel has one reason. The first ones every case says, the others where a run can
#: have them: one that a case lacks is 0.
ALWAYS_EXCLUDED = ("ignore_label", "nodata")
EXCLUDED = (*ALWAYS_EXCLUDED, "outside", "nodata_prediction")
#: The column of a CSV of pairs that names what intervals resample.
GROUP = "group"


@dataclass(frozen=True, slots=True)
class Case:
    """One pair to compare.

    Attributes
    ----------
    name : str
        What reports call it.
    prediction, reference : str, Compound, or what :func:`dicecli.score` takes
        Usually paths, so that a case travels to a worker. The prediction is None where there is none.
    group : str or None
        What the case belongs to, such as a patient or a site; intervals resample whole groups.
    refused : str or None
        ``"prediction"`` or ``"reference"`` where that mask is a link out of its folder, not to be followed.
    columns : tuple of (str, str)
        What else a CSV of pairs says of it, such as its fold: names of columns and what stands there; an
        empty cell has no pair.
    within : str, Compound, what :func:`dicecli.score` takes, or None
        The field: only pixels inside this mask are compared.

    Examples
    --------
    >>> from dicecli import Case
    >>> Case("a", "predictions/a.png", "references/a.png", group="patient 1").name
    'a'
    """

    name: str
    prediction: Any
    reference: Any
    group: str | None = None
    refused: str | None = None
    columns: tuple[tuple[str, str], ...] = ()
    within: Any = None

    def cell(self, column: str) -> str | None:
        """Return what the case has in a column, of which ``group`` is one; None where it has nothing."""
        return dict(self.columns).get(column) if column != GROUP else self.group

    @property
    def files(self) -> tuple[tuple[str, str], ...]:
        """Every file that is read of it, with its side, or ``within``; none of arrays."""
        sides = (("reference", self.reference), ("prediction", self.prediction), ("within", self.within))
        return tuple((side, path) for side, mask in sides for path in paths_of(mask))

    @property
    def is_compound(self) -> bool:
        """Whether a side is something else than a file, an array or nothing."""
        return any(isinstance(each, Compound) for each in (self.prediction, self.reference))

    @property
    def is_of_files(self) -> bool:
        """Whether other processes can open it as well: pixels do not travel."""
        return all(is_of_files(each) for each in (self.prediction, self.reference, self.within))


@dataclass(frozen=True, slots=True)
class Scored:
    """What was measured of one case: so little that a hundred thousand of them fit into memory.

    Attributes
    ----------
    case : Case
    shape : tuple of int
        Of the reference.
    spacing : tuple of float or None
        The size of a pixel along each axis, in `unit`; None where the file does not say.
    unit : str or None
        Of the spacing; None where there is none.
    sizes : mapping of str to float
        The size of one pixel in ``mm3`` or ``m2``, where known.
    counted : int
        Pixels that were compared.
    excluded : mapping of str to int
        Pixels left out, by the one reason that each has, the first of these: ``outside`` the field,
        ``nodata`` of the reference, its ``ignore_label``, ``nodata_prediction``. One that is not there is 0.
    measured : Measured
        Measurements by the statistic's name, then by row.
    notes : tuple of str
        What was assumed, and what looks odd.
    observed : Observed or None
        What was seen besides, of which notes are made; None where there is nothing to say of it.
    """

    case: Case
    shape: tuple[Whole, ...]
    spacing: tuple[float, ...] | None
    unit: str | None
    sizes: Mapping[str, float]
    counted: Whole
    excluded: Mapping[str, Whole]
    measured: Measured
    notes: tuple[str, ...] = ()
    observed: Observed | None = None

    @property
    def status(self) -> str:
        """``"scored"``."""
        return "scored"

    @property
    def is_sheared(self) -> bool:
        """Whether the axes are not at right angles, as with a tilted gantry: a pixel is smaller then."""
        return is_sheared(self.spacing, self.sizes)

    @property
    def length(self) -> str | None:
        """What distances of this case are in: pixels where the spacing or its unit is unknown.

        None where distances along the axes are no lengths: the spacing is in degrees, or the axes are not at
        right angles.
        """
        return length_of(self.spacing, self.unit, self.sizes)


@dataclass(frozen=True)
class Failed:
    """A case that could not be scored, and why.

    Attributes
    ----------
    case : Case
    error : str
        The name of what went wrong, such as Truncated or ShapeMismatch.
    message : str
        What is wrong, as a person reads it.
    hint : str
        What to do about it.
    """

    case: Case
    error: str
    message: str
    hint: str

    status = "failed"

    @classmethod
    def because(cls, case: Case, error: DicecliError) -> Failed:
        """Make the row of a case from the error that ended it."""
        return cls(case, error.name, str(error), error.hint)

    def as_error(self) -> CaseError:
        """Return the error that this row is of, as far as it is known: its kind, what it says, what to do."""
        kind = getattr(errors, self.error, None)
        if not isinstance(kind, type) or not issubclass(kind, errors.CaseError):
            kind = errors.CaseError
        return kind(self.message, self.hint)


@dataclass(frozen=True)
class LeftOut(Failed):
    """A case that has no prediction and is left out, as ``--missing skip`` asks."""

    status = "missing"


@dataclass(frozen=True)
class Pending(Failed):
    """A case that was not reached before the run ended."""

    status = "pending"


Result = Scored | Failed
#: What cases without numbers are, by their status in records.
UNSCORED = {each.status: each for each in (Failed, LeftOut, Pending)}


def sharing(result: Result, case: Case, parts: dict[Any, Any]) -> Result:
    """Return a result whose parts are those of equal results, where there are such.

    What comes from a worker brings a copy of everything; of 100,000 cases most are of one shape.

    Parameters
    ----------
    case : Case
        The one that the result is of, as the run has it.
    parts : dict
        What has been seen so far; it grows.
    """
    if not isinstance(result, Scored):
        return result
    sizes, excluded = result.sizes, result.excluded
    key = (result.shape, result.spacing, tuple(sizes.items()), tuple(excluded.items()), result.notes)
    shape, spacing, sizes, excluded, notes = parts.setdefault(
        key, (result.shape, result.spacing, sizes, excluded, result.notes)
    )
    return Scored(
        case if result.case == case else result.case,
        shape,
        spacing,
        result.unit,
        sizes,
        result.counted,
        excluded,
        result.measured.packed(parts),
        notes,
        result.observed,
    )


@dataclass(frozen=True)
class Verdict:
    """What came of one gate.

    Attributes
    ----------
    gate : str
        As it was asked for.
    value : float
        What was reached; where that is undefined, the gate fails.
    limit : float
        What the value is compared with.
    holds : bool
        Whether the gate passes.
    detail : str
        What a person wants to know beside the numbers.
    """

    gate: str
    value: float
    limit: float
    holds: bool
    detail: str = ""
