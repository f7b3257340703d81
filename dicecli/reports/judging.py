"""What a report is held against: gates, and an earlier run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dicecli.errors import UsageError
from dicecli.reports import gates
from dicecli.reports.comparison import drops
from dicecli.reports.comparison.comparing import comparison
from dicecli.reports.reading_back import read_report

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dicecli.records.settings import Settings
    from dicecli.reports.report import Report


class Baseline:
    """An earlier run, read before the work.

    Parameters
    ----------
    given : str, Report or None
        The path of its JSON, or itself.

    Raises
    ------
    UsageError
        The file is missing, or no such record.
    """

    def __init__(self, given: str | Report | None) -> None:
        self._path = given if isinstance(given, str) else None
        #: None where there is nothing to compare with.
        self.report = read_report(given) if isinstance(given, str) else given

    def compare(self, report: Report) -> None:
        """Put the comparison into a report that has scored something.

        Raises
        ------
        GateError
            The two cannot be compared.
        """
        if self.report is not None and report.scored:
            report.comparison = comparison(report, self.report, self._path)


class Gates:
    """The gates of a run, parsed before the work and judged after it.

    Parameters
    ----------
    fail_under, fail_over : sequence of str
        As on the command line: ``dice=0.85``.
    baseline : str, Report or None
        An earlier run.
    max_drop : sequence of str
        How far this run may fall behind it: ``0.01``, ``dice[liver]=0.02``.

    Raises
    ------
    UsageError
        A gate that is not understood, or a drop without a baseline.
    """

    def __init__(
        self,
        fail_under: Sequence[str] = (),
        fail_over: Sequence[str] = (),
        baseline: str | Report | None = None,
        max_drop: Sequence[str] = (),
    ) -> None:
        self._gates = [gates.parse(text, over=False) for text in fail_under]
        self._gates += [gates.parse(text, over=True) for text in fail_over]
        self._drops = tuple(max_drop)
        if self._drops and baseline is None:
            raise UsageError(
                "--max-drop has nothing to compare with", "Give both: --baseline old.json --max-drop 0.01."
            )
        self._baseline = Baseline(baseline)

    @property
    def any(self) -> bool:
        """Whether there is a gate at all, or something to compare with."""
        return bool(self._gates) or self._baseline.report is not None

    def check_asked_for(self, settings: Settings) -> None:
        """Check, before the work, that what gates need is measured in a run with these settings.

        Raises
        ------
        GateError
        """
        parsed = [drops.parse_drop(text, settings.reads) for text in self._drops]
        gates.check_asked_for([*self._gates, *parsed], settings)

    def judge(self, report: Report) -> None:
        """Put the verdicts, and the comparison with the baseline, into the report.

        Raises
        ------
        GateError
            What a gate is on is not there; or the baseline cannot be compared with.
        """
        verdicts = gates.judge(self._gates, report)
        if self._baseline.report is not None and self._drops:
            verdicts += drops.compare(report, self._baseline.report, self._drops)
        self._baseline.compare(report)
        if self._gates or self._drops:
            report.verdicts = tuple(verdicts)
