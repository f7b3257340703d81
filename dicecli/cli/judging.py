"""Gates on the command line, and what CI services are told of them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from dicecli.errors import UsageError
from dicecli.reports import writing
from dicecli.reports.text import inert

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dicecli.records.settings import Settings
    from dicecli.reports.report import Report
    from dicecli.reports.suggestions import Suggestion

    Command = Callable[..., Any]

_BASELINE = click.option(
    "--baseline",
    metavar="FILE",
    type=click.Path(path_type=str),
    help="The JSON of an earlier run: compare with it, over the cases that both scored.",
)
_OPTIONS = [
    click.option(
        "--fail-under",
        metavar="GATE",
        multiple=True,
        help="Exit 1 when a score is lower: 'dice=0.85' (macro average), 'iou@micro=0.7', 'dice[liver]=0.9' "
        "(pooled over cases), 'min:dice[tumour]=0.3' (every case). Repeatable.",
    ),
    click.option(
        "--fail-over",
        metavar="GATE",
        multiple=True,
        help="Exit 1 when a metric for which less is better is higher: 'fnr[liver]=0.1', 'max:fpr=0.05'. "
        "Repeatable.",
    ),
    _BASELINE,
    click.option(
        "--max-drop",
        metavar="DROP",
        multiple=True,
        help="With --baseline, exit 1 when a score got worse by more: '0.01' (Dice, or of maps "
        "soft_dice_standard), 'dice[liver]=0.02'. Repeatable.",
    ),
    click.option(
        "--github",
        is_flag=True,
        help="Append a Markdown summary to $GITHUB_STEP_SUMMARY, and annotate gates that failed.",
    ),
]


def judging(command: Command) -> Command:
    """Add the options on gates."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def comparing(command: Command) -> Command:
    """Add the option on an earlier run alone."""
    return _BASELINE(command)


class Baseline:
    """An earlier run, read before the work.

    Raises
    ------
    UsageError
        The file is missing, or no such record.
    """

    def __init__(self, path: str | None) -> None:
        from dicecli.reports.reading_back import read_report

        self._path = path or None
        #: None where there is nothing to compare with.
        self.report = read_report(path) if path else None

    @classmethod
    def given(cls, ctx: click.Context, options: dict[str, Any]) -> Baseline:
        """Take the option of :func:`comparing`; that of a configuration file is for runs of many cases."""
        path = options.pop("baseline")
        is_given = ctx.get_parameter_source("baseline") is not ParameterSource.DEFAULT_MAP
        return cls(path if is_given else None)

    def compare(self, report: Report) -> None:
        """Put the comparison into a report that has scored something.

        Raises
        ------
        GateError
            The two cannot be compared.
        """
        from dicecli.reports.comparing import comparison

        if self.report is not None and report.scored:
            report.comparison = comparison(report, self.report, self._path)


class Gates:
    """The gates of a command, parsed before the work and judged after it.

    Raises
    ------
    UsageError
        A gate that is not understood, or a drop without a baseline.
    """

    def __init__(self, options: dict[str, Any]) -> None:
        from dicecli.reports import gates

        self._gates = [gates.parse(text, over=False) for text in options.pop("fail_under")]
        self._gates += [gates.parse(text, over=True) for text in options.pop("fail_over")]
        baseline, self._drops = options.pop("baseline"), options.pop("max_drop")
        self._step_summary = os.environ.get("GITHUB_STEP_SUMMARY") if options["github"] else None
        self._github = options.pop("github")
        if self._step_summary:
            writing.check_writable(self._step_summary)
        if self._drops and not baseline:
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
        from dicecli.reports.baseline import parse_drop
        from dicecli.reports.gates import check_asked_for

        drops = [parse_drop(text, settings.reads) for text in self._drops]
        check_asked_for([*self._gates, *drops], settings)

    def judge(self, report: Report) -> None:
        """Put the verdicts, and the comparison with the baseline, into the report.

        Raises
        ------
        GateError
            What a gate is on is not there; or the baseline cannot be compared with.
        """
        from dicecli.reports import baseline, gates

        verdicts = gates.judge(self._gates, report)
        if self._baseline.report is not None and self._drops:
            verdicts += baseline.compare(report, self._baseline.report, self._drops)
        self._baseline.compare(report)
        if self._gates or self._drops:
            report.verdicts = tuple(verdicts)

    def tell_github(self, report: Report) -> None:
        """Append to the step's summary; annotate every gate that failed, and everything that is suggested."""
        if not self._github:
            return
        if self._step_summary:
            writing.append(self._step_summary, f"{report.render('markdown')!s}\n")
        for verdict in report.verdicts:
            if not verdict.holds:
                said = f"{verdict.gate}: value {verdict.value:.4f}, limit {verdict.limit:g}. {verdict.detail}"
                click.echo(f"::error title=dicecli gate failed::{_escaped(inert(said))}", err=True)
        for suggestion in _suggested(report):
            click.echo(f"::warning title=dicecli::{_escaped(inert(suggestion.text))}", err=True)


def _suggested(report: Report) -> Sequence[Suggestion]:
    """Return what is suggested of a run, or of the one case that there is."""
    if report.is_batch or not report.scored:
        return report.suggestions
    return report.case(report.scored[0]).suggestions


def _escaped(text: str) -> str:
    """Return a text as workflow commands of GitHub want it."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
