"""Gates on the command line, and what CI services are told of them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from dicecli.cli.choices import FilePath
from dicecli.cli.completing import numbers
from dicecli.cli.helping import about
from dicecli.reports import writing
from dicecli.reports.text import inert

if TYPE_CHECKING:
    from collections.abc import Callable

    from dicecli.reports.judging import Baseline, Gates
    from dicecli.reports.report import Report

    Command = Callable[..., object]


def _summary_of_step(is_told: bool) -> list[str]:
    """Return the file of what GitHub is told of a run; none where it is not."""
    path = os.environ.get("GITHUB_STEP_SUMMARY") if is_told else None
    return [path] if path else []


_BASELINE = about(
    "gates",
    "--baseline",
    metavar="FILE",
    type=FilePath(),
    help="The JSON of an earlier run: compare with it, over the cases that both scored.",
)
_OPTIONS = [
    about(
        "gates",
        "--fail-under",
        shell_complete=numbers,
        metavar="GATE",
        multiple=True,
        help="Exit 1 when a score is lower: 'dice=0.85' (macro average), 'iou@micro=0.7', 'dice[liver]=0.9' "
        "(pooled over cases), 'min:dice[tumour]=0.3' (every case). Repeatable.",
    ),
    about(
        "gates",
        "--fail-over",
        shell_complete=numbers,
        metavar="GATE",
        multiple=True,
        help="Exit 1 when a metric for which less is better is higher: 'fnr[liver]=0.1', 'max:fpr=0.05'. "
        "Repeatable.",
    ),
    _BASELINE,
    about(
        "gates",
        "--max-drop",
        shell_complete=numbers,
        metavar="DROP",
        multiple=True,
        help="With --baseline, exit 1 when a score got worse by more: '0.01' (Dice, or of maps "
        "soft_dice_standard), 'dice[liver]=0.02'. Repeatable.",
    ),
    about(
        "gates",
        "--github",
        is_flag=True,
        writes=_summary_of_step,
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


def baseline_of(ctx: click.Context, options: dict[str, Any]) -> Baseline:
    """Take the option of :func:`comparing`; that of a configuration file is for runs of many cases.

    Raises
    ------
    UsageError
        The file is missing, or no such record.
    """
    from dicecli.reports.judging import Baseline

    path = options.pop("baseline")
    is_given = ctx.get_parameter_source("baseline") is not ParameterSource.DEFAULT_MAP
    return Baseline(path if is_given else None)


def gates_of(options: dict[str, Any]) -> tuple[Gates, GitHub]:
    """Take the options of :func:`judging`: the gates, parsed before the work, and what GitHub is told.

    Raises
    ------
    UsageError
        A gate that is not understood, or a drop without a baseline.
    OutputError
        The summary of the step cannot be written.
    """
    from dicecli.reports.judging import Gates

    names = ("fail_under", "fail_over", "baseline", "max_drop")
    named = {name: options.pop(name) for name in names}
    github = GitHub(is_told=options.pop("github"))
    return Gates(**named), github


class GitHub:
    """What GitHub is told of a run.

    Raises
    ------
    OutputError
        The summary of the step cannot be written.
    """

    def __init__(self, *, is_told: bool) -> None:
        self._is_told = is_told
        self._step_summaries = _summary_of_step(is_told)
        for path in self._step_summaries:
            writing.check_writable(path)

    def tell(self, report: Report) -> None:
        """Append to the step's summary; annotate failed gates, suggestions, and files not obeyed."""
        if not self._is_told:
            return
        for path in self._step_summaries:
            writing.append(path, f"{report.render('markdown')!s}\n")
        for verdict in report.verdicts:
            if not verdict.holds:
                said = f"{verdict.gate}: value {verdict.value:.4f}, limit {verdict.limit:g}. {verdict.detail}"
                click.echo(f"::error title=dicecli gate failed::{_escaped(inert(said))}", err=True)
        for text in (*(each.text for each in report.suggestions), *report.origin.notes):
            click.echo(f"::warning title=dicecli::{_escaped(inert(text))}", err=True)


def _escaped(text: str) -> str:
    """Return a text as workflow commands of GitHub want it."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
