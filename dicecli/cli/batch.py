"""``dicecli batch``: two folders in, a report and an exit code out."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import click

from dicecli.cli import options as shared
from dicecli.cli.choices import PluginChoice
from dicecli.cli.helping import OptionsCommand, about
from dicecli.cli.judging import gates_of, judging
from dicecli.cli.kinds import leave_others, leave_others_of_file
from dicecli.cli.main import OWN_PROCESS
from dicecli.cli.obeying import configured
from dicecli.cli.origins import origin_of_call
from dicecli.cli.outputs import check_printable, formatting, planned_files, print_report
from dicecli.cli.overwriting import check_files, outputs_of
from dicecli.cli.pairs import say_left_out, show_pairs
from dicecli.cli.sides import sides_of, taking_field, taking_sides
from dicecli.errors import OutputError
from dicecli.records.settings import AnyOptions
from dicecli.reports.text import inert

if TYPE_CHECKING:
    from dicecli.records.settings import Reads, Settings
    from dicecli.reports.judging import Gates
    from dicecli.reports.report import Report
    from dicecli.runs.batch import Stopped
    from dicecli.runs.pairing import Pairing
    from dicecli.runs.running import Done

_EPILOG = """\b
Examples:
  dicecli batch predictions references -o scores.csv --summary summary.md
  dicecli batch predictions references --fail-under 'dice=0.85' -o junit.xml
  dicecli batch --pairs pairs.csv -o scores.json --resume
  dicecli batch --soft probabilities references --curve curve.csv
"""


@click.command("batch", cls=OptionsCommand, epilog=_EPILOG)
@taking_sides("predictions", "references", "FOLDER")
@about(
    "sides",
    "--layout",
    type=PluginChoice("layouts"),
    help="Patterns and labels in a word, as folders of the field have them; what they are is printed.",
)
@about(
    "sides", "--prediction-pattern", metavar="PATTERN", help="Where names differ, as '{case}_pred.nii.gz'."
)
@about("sides", "--reference-pattern", metavar="PATTERN", help="Likewise, as '{case}/seg.nii.gz'.")
@about(
    "sides",
    "--pairs",
    metavar="FILE.csv",
    type=shared.MASK,
    help="A CSV of the pairs: columns prediction, reference, and optionally case, group, within and others.",
)
@taking_field
@about(
    "sides",
    "--within-pattern",
    metavar="PATTERN",
    help="A mask for each case, as 'rois/{case}.png', from the current folder.",
)
@shared.taking(AnyOptions, "pairing", "summing")
@about(
    "sides",
    "--follow-links",
    is_flag=True,
    help="Let links to files lead out of their folder.",
    is_usual=False,
)
@about(
    "sides",
    "--allow-same",
    is_flag=True,
    help="Let the predictions be the references themselves.",
    is_usual=False,
)
@about("sides", "--dry-run", is_flag=True, help="Show which files are paired, and score nothing.")
@shared.jobs("Processes", "the cores; none for a few small files")
@about(
    "running",
    "--executor",
    type=PluginChoice("executors", ("serial", "processes", "dask")),
    help="What runs the cases; dask needs the extra 'dask'.",
    shown="processes for several jobs",
)
@shared.running
@about("running", "--resume", is_flag=True, help="Go on where a run with the same -o was interrupted.")
@about("running", "--strict", is_flag=True, help="Stop at the first case that fails.")
@about("sides", "--soft", is_flag=True, help="The predictions are probability maps, as of 'dicecli soft'.")
@shared.taking(AnyOptions, "reporting", "scoring", "reading")
@judging
@formatting("labels", "probabilities")
@configured
@shared.talking
@click.pass_context
def command(ctx: click.Context, /, soft: bool, verbose: bool, quiet: bool, **options: Any) -> None:
    """Score every prediction of one folder against its reference in another.

    Pairs are found by name: equal paths in both folders, whatever the suffix. One side may be a raster file
    in which the masks of the other lie as tiles. A case that cannot be scored is a row of the report with its
    error, and the exit code is 3. Gates decide between 0 and 1.
    """
    from dicecli.reports.grouping import check_column
    from dicecli.runs.progress import Progress
    from dicecli.runs.running import carry_out, journal_beside

    options["may_fork"] = ctx.obj == OWN_PROCESS and _make_ready(options["device"])
    reads: Reads = "probabilities" if soft else "labels"
    leave_others(ctx, options, reads)
    leave_others_of_file(ctx, options, reads, quiet=quiet)
    format_name = options.pop("format_name")
    files = planned_files(options, reads)
    check_printable(format_name, reads)
    gates, github = gates_of(options)
    predictions, references, is_named = sides_of(options, "predictions", "references")
    said = _lay_out(options, predictions, references, soft=soft)
    check_files(ctx, labels=options["labels"])
    given = options | {"soft": soft}
    settings = _settings(options, gates, soft=soft)
    pairing = _pairing(options, predictions, references, settings=settings, is_named=is_named, notes=said)
    settings = pairing.scored_by(settings)
    origin = origin_of_call(ctx, given | {"window": settings.window}, settings, (predictions, references))
    if settings.group_by is not None:
        check_column(pairing.cases, settings.group_by, pairing.columns)
    if options["dry_run"]:
        ctx.exit(show_pairs(pairing, settings, verbose=verbose))
    say_left_out(pairing, verbose=verbose)
    noting: dict[str, Any] = {} if quiet else {"say": _note}
    # Also with --quiet: what is put aside is to be seen.
    writes = outputs_of(ctx)
    journal = journal_beside(files, pairing, written=writes, resume=options["resume"], say=_note)
    how = _how(options) | {"origin": origin}
    how["progress"] = Progress(len(pairing.cases), quiet=quiet)
    done = carry_out(pairing, settings, files=files, gates=gates, journal=journal, **noting, **how)
    github.tell(done.report)
    _print(done, format_name, verbose=verbose, quiet=quiet or done.refusal is not None)
    if done.refusal is not None:
        raise done.refusal
    ctx.exit(exit_code(done.report) if done.stopped is None else _code_of(done.stopped))


def _settings(options: dict[str, Any], gates: Gates, *, soft: bool) -> Settings:
    """Build the settings, and check all that can be checked before a file is looked for."""
    from dicecli.reports.report import Report
    from dicecli.runs.lost import check_timeout
    from dicecli.runs.placeholders import classes_named
    from dicecli.runs.scoring import check_executor

    check_executor(options["executor"], options["scheduler"])
    check_timeout(options["timeout"], options["executor"])
    patterns = (options["prediction_pattern"], options["reference_pattern"])
    settings = shared.settings_from(options, soft=soft, classes=classes_named(*patterns))
    Report([], settings)
    gates.check_asked_for(settings)
    return settings


def _lay_out(
    options: dict[str, Any], predictions: str | None, references: str | None, *, soft: bool
) -> tuple[str, ...]:
    """Put what a layout stands for into the options, and return what is to be said of it."""
    from dicecli.runs.laid_out import lay_out

    names = ("prediction_pattern", "reference_pattern", "labels", "pairs")
    named = {name: options[name] for name in names}
    found = lay_out(options.pop("layout"), predictions, references, **named, soft=soft)
    options |= {name: getattr(found, name) for name in names if name != "pairs"}
    return found.notes


def _pairing(
    options: dict[str, Any], predictions: str | None, references: str | None, **more: Any
) -> Pairing:
    from dicecli.runs.finding import FIELDS, find_pairs

    names = ("prediction_pattern", "reference_pattern", "follow_links", "pairs", "allow_same")
    named = {name: options[name] for name in (*names, *FIELDS)}
    return find_pairs(predictions, references, **named, **more)


def _print(done: Done, format_name: str, *, verbose: bool, quiet: bool) -> None:
    """Print the report, and its notes where they do not stand in it."""
    # What stopped a run may be that its terminal has gone.
    with suppress(*([] if done.stopped is None else [OutputError])):
        print_report(done.report, format_name, verbose=verbose)
    if format_name not in {"table", "markdown", "html"} and not quiet:
        for note in done.report.notes:
            if note not in done.report.origin.notes:  # which were said at the start
                click.echo(f"Note: {inert(note)}", err=True)


def _make_ready(device: str) -> bool:
    """Set this process up for many cases, and return whether workers may be forked from it."""
    from dicecli.runs.allocator import keep_freed_memory

    keep_freed_memory()
    return device == "cpu"


def _how(options: dict[str, Any]) -> dict[str, Any]:
    """Return what a run takes besides its pairs, settings and files."""
    names = ("executor", "scheduler", "timeout", "strict", "may_fork")
    jobs = options["jobs"]
    return {name: options[name] for name in names} | {
        "jobs": jobs or shared.cores(),
        "few_alone": jobs is None,
    }


def _note(text: str) -> None:
    click.echo(f"Note: {inert(text)}", err=True)


def _code_of(stopped: Stopped) -> int:
    """Return the exit code of a run that ended before every case was reached."""
    if isinstance(stopped.cause, SystemExit):
        return int(stopped.cause.code or 0)
    return 3 if stopped.cause is None else 130


def exit_code(report: Report) -> int:
    """Return 3 where a case has no numbers that should have, else 1 where a gate does not hold, else 0."""
    if report.number("failed") or report.number("pending"):
        return 3
    return 0 if report.passed else 1
