"""What became of the cases of a run, and what was noted of them; before any number."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from dicecli.errors import UsageError
from dicecli.records.cases import Failed, Result, Scored, Verdict
from dicecli.records.settings import Settings
from dicecli.reports import matrix
from dicecli.reports.layered import in_one_kind
from dicecli.reports.lengths import in_one_unit, unit_of
from dicecli.reports.notes import run_notes
from dicecli.reports.suggestions import of_run
from dicecli.statistics.matrix import Matrix, is_layered
from dicecli.words import did_you_mean

if TYPE_CHECKING:
    from dicecli.records.compared import Comparison
    from dicecli.reports.suggestions import Suggestion
    from dicecli.statistics._confusion import ConfusionMatrix


def check_given(results: object, settings: object) -> None:
    """Check that a report can be made of results and settings.

    Raises
    ------
    UsageError
    """
    if not isinstance(settings, Settings):
        raise UsageError(f"the settings are {settings!r:.60}", "Make them: dicecli.make_settings().")
    if not isinstance(results, Sequence) or not all(isinstance(each, (Scored, Failed)) for each in results):
        raise UsageError(
            f"the results are {results!r:.60}",
            "Give what report.results has, or have dicecli.score_many make the report.",
        )


class Run:
    """The cases of a run.

    Parameters
    ----------
    results : sequence of Scored or Failed
        One for every expected case, in order.
    settings : Settings
    notes : sequence of str
        On the run as a whole.
    verdicts : sequence of Verdict
        What came of the gates.
    is_batch : bool or None
        Whether to sum up; None: where there are several cases.
    has_lengths : bool
        Whether any metric is a length: these are in one unit, which stands in the names of such metrics, and
        a scored case of another unit than that of the settings, or of the first case, becomes a failed row
        ``UnitMismatch``.
    within : Run or None
        The run that these cases are some of: lengths are in its unit.

    Of binary layers and label maps that have no row in common those of another kind than the first case's
    become failed rows ``ChannelMismatch``.
    """

    def __init__(
        self,
        results: Sequence[Result],
        settings: Settings,
        notes: Sequence[str] = (),
        verdicts: Sequence[Verdict] = (),
        is_batch: bool | None = None,
        *,
        has_lengths: bool = False,
        within: Run | None = None,
    ) -> None:
        self._given = tuple(results)
        self.settings = settings
        self._notes = tuple(notes)
        self.verdicts = tuple(verdicts)
        #: Its numbers beside those of an earlier run, where there is one to compare with.
        self.comparison: Comparison | None = None
        #: Whether this sums a run up, which may hold a single case, or shows one case alone.
        self.is_batch = len(self._given) != 1 if is_batch is None else is_batch
        #: Whether any metric is a length, and what lengths are in.
        self.has_lengths = has_lengths
        self.unit: str = settings.length_unit or unit_of(self._given) if within is None else within.unit
        results = in_one_kind(self._given, settings)
        is_asked = settings.length_unit is not None
        self.results = in_one_unit(results, self.unit, is_asked=is_asked) if has_lengths else results

    @cached_property
    def scored(self) -> tuple[Scored, ...]:
        """The cases that were scored."""
        return tuple(each for each in self.results if isinstance(each, Scored))

    @property
    def failed(self) -> tuple[Failed, ...]:
        """The cases that could not be scored."""
        return tuple(each for each in self.unscored if each.status == "failed")

    @property
    def unscored(self) -> tuple[Failed, ...]:
        """Every case without numbers: failed, left out for want of a prediction, or not reached."""
        return tuple(each for each in self.results if isinstance(each, Failed))

    def number(self, status: str) -> int:
        """Return how many cases have a status: scored, failed, missing or pending."""
        return sum(each.status == status for each in self.results)

    @property
    def passed(self) -> bool:
        """Whether every case has the numbers that it should have, and every gate holds: exit code 0."""
        is_whole = not (self.number("failed") or self.number("pending"))
        return is_whole and all(each.holds for each in self.verdicts)

    @cached_property
    def notes_on_run(self) -> tuple[str, ...]:
        """Notes on the run as a whole: those given, and those made from the cases."""
        return tuple(dict.fromkeys((*self._notes, *self.made_notes)))

    @property
    def given_notes(self) -> tuple[str, ...]:
        """The notes on the run as a whole that are not made from the cases, each once."""
        return tuple(dict.fromkeys(self._notes))

    @cached_property
    def made_notes(self) -> tuple[str, ...]:
        """What the notes on the cases add up to; nothing where there is one case, which says it itself."""
        if not self.is_batch:
            return ()
        found = run_notes(
            self.scored,
            len(self.results),
            has_lengths=self.has_lengths,
            suggestions=self.suggestions_on_run,
            only=self.settings.only,
        )
        return tuple(dict.fromkeys(found))

    @cached_property
    def suggestions_on_run(self) -> tuple[Suggestion, ...]:
        """What to try, made from all cases at once; of one case alone, the case itself has it."""
        return tuple(of_run(self.scored, self.settings)) if self.is_batch else ()

    @cached_property
    def matrix(self) -> Matrix | None:
        """The pairs of labels that meet, all cases pooled; None where a case has no matrix of its labels."""
        return matrix.pooled(self.scored, self.settings)

    @cached_property
    def confusion(self) -> ConfusionMatrix:
        """The confusion matrix of all cases pooled: the reference in rows, the prediction in columns.

        Raises
        ------
        UsageError
            There is none: of probability maps, binary layers, records of schema 1; of too many labels.

        Examples
        --------
        >>> import dicecli
        >>> dicecli.score([[0, 1], [1, 1]], [[0, 1], [0, 1]]).confusion
        <dicecli.ConfusionMatrix: 2 labels, 4 pixels, 75.0% alike>
        """
        matrix.check_matrix(self.scored, self.settings)
        return matrix.whole(self.matrix or Matrix.zero())

    @property
    def label_names(self) -> dict[int, str]:
        """What the labels of :attr:`confusion` are called, of those that have a name."""
        return matrix.names(self.confusion.labels, self.settings)

    @cached_property
    def is_layered(self) -> bool:
        """Whether any case is of binary layers, which are regions, and hold no label."""
        return any(is_layered(each.measured) for each in self.scored)

    def _named(self, name: object) -> Scored:
        """Return the scored case of a name.

        Raises
        ------
        UsageError
            None has it, or several have.
        """
        found = [each for each in self.scored if isinstance(name, str) and each.case.name == name]
        if len(found) != 1:
            meant = "" if found else did_you_mean(str(name), [each.case.name for each in self.scored])
            raise UsageError(
                f"{len(found)} scored cases are named '{name}'; one is expected",
                f"{meant}The names are those of report.scored: [each.case.name for each in report.scored].",
            )
        return found[0]

    def place_of(self, case: Scored | str) -> int:
        """Return the place of a case, given itself or by its name, among those that were scored.

        Raises
        ------
        UsageError
            It is none of this report.
        """
        case = self._named(case) if isinstance(case, str) else case
        place = self._places.get(id(case))
        if place is not None:
            return place
        if not isinstance(case, Scored) or case not in self.scored:
            raise UsageError(f"{case!r:.60} is no scored case of this report", "Give one of report.scored.")
        return self.scored.index(case)

    @cached_property
    def _places(self) -> dict[int, int]:
        return {id(each): place for place, each in enumerate(self.scored)}
