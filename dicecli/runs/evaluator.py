"""A running total: cases one by one as a script has them, and one report over all of them.

The file is long because the class is one.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from dicecli.errors import UsageError
from dicecli.records.calling import telling
from dicecli.records.cases import Case, Failed
from dicecli.records.origin import Origin, together
from dicecli.records.settings import AnyOptions, differences
from dicecli.reports.report import Report
from dicecli.runs.checking import check_field, check_given, check_workers
from dicecli.runs.gathered import Entry, Gathered
from dicecli.runs.keywords import initialising
from dicecli.runs.measuring import measure_case
from dicecli.runs.provenance import origin_of
from dicecli.runs.scoring import case_name, result_of, settings_of
from dicecli.words import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dicecli.records.cases import Result
    from dicecli.records.settings import Settings

#: So many axes have volumes, and batches of images.
_OF_VOLUMES = 3


@dataclass(frozen=True, kw_only=True, eq=False)
class _Evaluator(AnyOptions):
    """What is given to :class:`Evaluator`."""

    soft: bool = False
    strict: bool = True
    threads: int = 1


class Evaluator:
    """A running total of cases: the report is that of a batch over all of them.

    No pixel is kept: of a case there stays what was measured. An evaluator can be pickled, and those of
    several processes are added: ``a + b``, ``sum([a, b])``. The report is the same in whatever order cases
    came and evaluators were added: cases stand in the natural order of their names. A case without a name is
    called by its number, the first that came being 1; after adding, first come all that were first, then all
    that were second, and they are numbered anew. Of paths the name is that of the reference's file.

    A case that comes twice, with the same name and numbers, counts once, and a note says so: samplers of
    several processes fill their last round with cases that another one has. Unnamed cases are never the same.

    >>> import numpy as np
    >>> from dicecli import Evaluator
    >>> evaluator = Evaluator(metrics="dice")
    >>> evaluator.update(np.array([[0, 1], [1, 1]]), np.array([[0, 1], [0, 1]]), name="a")
    >>> evaluator.update(np.array([[0, 1], [0, 0]]), np.array([[0, 1], [0, 0]]), name="b")
    >>> len(evaluator)
    2
    >>> evaluator.compute().averages["macro"]["dice"].value
    0.8571428571428571
    """

    @initialising(_Evaluator)
    def __init__(self, given: _Evaluator) -> None:
        """Begin with nothing.

        Parameters
        ----------
        options
        soft : bool
            Whether predictions are maps of probabilities.
        strict : bool
            Whether a case that cannot be scored raises; else it is a failed row of the report, as in a batch.
        threads : int
            How many may read and count one large mask at the same time; the result is the same.

        Raises
        ------
        UsageError
            Options that are wrong; of a misspelt one the error lists every right one.
        """
        self._settings: Settings = settings_of(given, soft=given.soft)
        check_workers("threads", given.threads)
        self._strict, self._threads = given.strict, given.threads
        self._origin = origin_of(self._settings, vars(given), (None, None))
        self.reset()

    def reset(self) -> None:
        """Forget every case; the options stay."""
        self._cases = Gathered()

    @telling
    def update(
        self,
        prediction: object,
        reference: object,
        *,
        name: str | None = None,
        group: str | None = None,
        within: object = None,
    ) -> None:
        """Score one case, and keep what was measured.

        Parameters
        ----------
        prediction, reference : str, path, array, tensor or nibabel image
            As :func:`dicecli.score` takes them, with ``soft`` as :func:`dicecli.soft`. One case, always:
            three axes are a volume, and batches are for :meth:`update_batch`. The prediction is None where
            there is none, which ``missing`` decides about.
        name : str, optional
            What the report calls the case.
        group : str, optional
            What the case belongs to, such as a patient; intervals resample whole groups.
        within : str, path, array, tensor or nibabel image, optional
            As for :func:`dicecli.score`.

        Raises
        ------
        UsageError
            What is no mask at all, or a name that another case has.
        CaseError
            The case cannot be scored, and the evaluator is strict; then it stays as it was.
        """
        self._cases.take([self._scored(prediction, reference, name, group, within)])

    @telling
    def update_batch(
        self,
        predictions: object,
        references: object,
        *,
        names: Sequence[str] | None = None,
        groups: Sequence[str] | None = None,
    ) -> None:
        """Score several cases: arrays or tensors whose first axis they are, or lists of masks.

        Parameters
        ----------
        predictions, references : array or tensor of shape (N, ...), or sequence of masks
            Of a reference there are at least two axes behind the first. With ``soft`` predictions have an
            axis of channels as well.
        names, groups : sequence of str, optional
            One for each case.

        Raises
        ------
        UsageError
            The numbers of cases differ, or there is no axis of cases; and as for :meth:`update`.
        CaseError
            As for :meth:`update`; then none of the batch is kept.
        """
        sides = {"predictions": predictions, "references": references, "names": names, "groups": groups}
        found = {side: _cases_of(side, each) for side, each in sides.items() if each is not None}
        numbers = {side: len(each) for side, each in found.items()}
        if len(set(numbers.values())) != 1 or not {"predictions", "references"} <= found.keys():
            said = ", ".join(f"{n:,} {side}" for side, n in numbers.items())
            raise UsageError(
                f"a batch of {said or 'nothing'}", "Give as many of one as of the other: one for each case."
            )
        nothing = [None] * numbers["references"]
        columns = (found.get(side, nothing) for side in sides)
        scored = [self._scored(*each) for each in zip(*columns, strict=True)]
        self._cases.take([each._replace(is_doubtful=False) for each in scored])

    def compute(self) -> Report:
        """Return the report over all cases so far; the evaluator stays as it is.

        Without any case the report has no numbers, and says so.
        """
        cases = self._cases
        notes = tuple(cases.notes())
        return Report(cases.results(), self._settings, notes=notes, is_batch=True, origin=self._origin)

    def __len__(self) -> int:
        return len(self._cases)

    def __repr__(self) -> str:
        failed = self._cases.number("failed")
        said = counted(len(self), "case")
        return f"<dicecli.Evaluator: {said}{f', {failed:,} failed' if failed else ''}>"

    def __add__(self, other: object) -> Evaluator:
        if not isinstance(other, Evaluator):
            return NotImplemented
        total = self._copy()
        total += other
        return total

    def __radd__(self, other: object) -> Evaluator:
        return self._copy() if other == 0 else NotImplemented  # sum() begins with 0

    def __iadd__(self, other: object) -> Self:
        if not isinstance(other, Evaluator):
            return NotImplemented
        different = differences(self._settings, other._settings)
        if different:
            raise UsageError(
                f"the evaluators have different settings: {', '.join(different)}",
                "Make all that are to be added with the same options.",
            )
        self._cases.take_all(other._cases)
        runs = together([self._origin, other._origin]).runs
        self._origin = Origin(tuple(sorted(runs, key=repr)))  # whoever was added to whom
        return self

    def _copy(self) -> Evaluator:
        """Return one of the same options and cases."""
        found, cases = Evaluator.__new__(Evaluator), Gathered()
        cases.take_all(self._cases)
        vars(found).update(vars(self) | {"_cases": cases})
        return found

    def _scored(
        self,
        prediction: object,
        reference: object,
        name: str | None,
        group: str | None,
        within: object = None,
    ) -> Entry:
        """Measure a case; without a name it has none yet."""
        check_given("(none)" if prediction is None else prediction, reference)
        check_field(within)
        for what, given in (("name", name), ("group", group)):
            if given is not None and (not isinstance(given, str) or not given):
                raise UsageError(f"the {what} is {given!r}", "It is a text, or left out.")
        is_path = isinstance(reference, (str, os.PathLike))
        called = name or (case_name(reference) if is_path else "")
        case = Case(called, prediction, reference, group, within=within)
        if self._strict and prediction is not None:
            result: Result = measure_case(case, self._settings, self._threads)
        else:
            result = result_of(case, self._settings, self._threads)
        if self._strict and isinstance(result, Failed) and result.status == "failed":
            raise result.as_error()
        is_image = hasattr(reference, "dataobj")  # which brings its place along: a volume
        return Entry(result, not (called or is_image) and getattr(reference, "ndim", 0) >= _OF_VOLUMES)


def _cases_of(side: str, given: Any) -> Sequence[object]:
    """Return the cases of a batch.

    Raises
    ------
    UsageError
        There is no axis of them.
    """
    if isinstance(given, (str, bytes, os.PathLike)) or not hasattr(given, "__len__"):
        raise UsageError(
            f"the {side} of a batch are one {type(given).__name__}",
            "Give an array whose first axis are the cases, or a list; one case is for update().",
        )
    if getattr(given, "ndim", _OF_VOLUMES) < _OF_VOLUMES and side in {"predictions", "references"}:
        raise UsageError(
            f"the {side} of a batch have {given.ndim} axes; three or more are expected, the first of cases",
            "One case is for update().",
        )
    return given  # type: ignore[no-any-return]  # whatever has a length
