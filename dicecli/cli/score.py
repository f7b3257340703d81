"""``dicecli score``: two masks in, numbers out."""

from __future__ import annotations

import time
from typing import Any

import click

from dicecli.cli import options as shared
from dicecli.cli.choices import PluginChoice
from dicecli.cli.kinds import leave_other_metrics
from dicecli.cli.outputs import check_printable, formatting, planned_files, print_report, write_all
from dicecli.errors import CaseError
from dicecli.records.settings import MaskOptions
from dicecli.reports.text import inert

_EPILOG = """\b
Examples:
  dicecli score prediction.nii.gz reference.nii.gz
  dicecli score prediction.png reference.png --labels voc -o scores.csv
  dicecli score prediction.tif reference.tif -m kappa -m dice -f json
"""


@click.command("score", epilog=_EPILOG)
@click.argument("prediction", type=shared.MASK)
@click.argument("reference", type=shared.MASK)
@shared.taking(MaskOptions, "reporting", "scoring", "reading")
@shared.jobs("Threads, or Dask workers")
@click.option(
    "--executor",
    type=PluginChoice("executors", ("serial", "dask")),
    default="serial",
    show_default=True,
    help="dask: share out a large GeoTIFF to worker processes; needs the extra 'dask'.",
)
@shared.running
@formatting
@shared.talking
@click.pass_context
def command(ctx: click.Context, /, **options: Any) -> None:
    """Score a predicted mask against its reference.

    Both are PNG, NIfTI (.nii, .nii.gz, .hdr with .img) or GeoTIFF files of integer labels on one grid. Dice
    (which equals F1), IoU, precision and recall are given per label, with macro, micro and weighted averages.
    """
    from dicecli.records.cases import Case, Failed
    from dicecli.reports.report import Report
    from dicecli.runs.lost import check_timeout
    from dicecli.runs.scoring import case_name, check_executor, result_of

    started = time.perf_counter()
    case = Case(case_name(options["reference"]), options.pop("prediction"), options.pop("reference"))
    verbose, quiet = options.pop("verbose"), options.pop("quiet")
    leave_other_metrics(ctx, options, "labels", quiet=quiet)
    format_name, files = options.pop("format_name"), planned_files(options)
    check_printable(format_name)
    threads = options.pop("jobs") or shared.cores()
    running = {name: options.pop(name) for name in ("executor", "scheduler", "timeout")}
    check_executor(running["executor"], running["scheduler"])
    check_timeout(running["timeout"], None if running["executor"] == "serial" else running["executor"])
    settings = shared.settings_from(options)
    result: Any = result_of(case, settings, threads, **running)
    report = Report([result], settings)
    refusal = write_all(report, files)
    if format_name != "table" or not isinstance(result, Failed):
        print_report(report, format_name, verbose=verbose)
    if refusal is not None:
        raise refusal
    if isinstance(result, Failed):
        raise _as_error(result)
    if format_name in {"csv", "json"} and not quiet:
        for note in report.case(result).notes:
            click.echo(f"Note: {inert(note)}", err=True)
    if verbose and not quiet:
        _say_what_was_done(settings.device, time.perf_counter() - started)
    ctx.exit(0)


def _as_error(result: Any) -> CaseError:
    return CaseError(result.message, result.hint)


def _say_what_was_done(device: str, seconds: float) -> None:
    from dicecli.plugins import backend_of, load

    backend = load("backends", backend_of(device))
    click.echo(f"Counted with {backend.describe()} in {seconds:.2f} s.", err=True)
