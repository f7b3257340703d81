"""``dicecli score``: two masks in, numbers out."""

from __future__ import annotations

import time
from typing import Any

import click

from dicecli.cli import options as shared
from dicecli.cli.choices import PluginChoice
from dicecli.cli.helping import OptionsCommand, SharedOption
from dicecli.cli.judging import baseline_of, comparing
from dicecli.cli.kinds import leave_others_of_file
from dicecli.cli.obeying import configured
from dicecli.cli.origins import origin_of_call
from dicecli.cli.outputs import check_printable, formatting, planned_files, show_case
from dicecli.cli.overwriting import outputs_of
from dicecli.cli.sides import both_sides_of, taking_field, taking_sides
from dicecli.records.settings import MaskOptions

_EPILOG = """\b
Examples:
  dicecli score prediction.nii.gz reference.nii.gz
  dicecli score prediction.png reference.png --labels voc -o scores.csv
  dicecli score prediction.tif reference.tif -m kappa -m dice -f json
"""


@click.command("score", cls=OptionsCommand, epilog=_EPILOG)
@taking_sides("prediction", "reference", "FILE")
@taking_field
@shared.taking(MaskOptions, "reporting", "scoring", "reading", "pairing")
@shared.jobs("Threads, or Dask workers")
@click.option(
    "--executor",
    cls=SharedOption,
    topic="running",
    is_usual=False,
    type=PluginChoice("executors", ("serial", "dask")),
    default="serial",
    show_default=True,
    help="dask: share out a large GeoTIFF to worker processes; needs the extra 'dask'.",
)
@shared.running
@comparing
@formatting("labels")
@configured
@shared.talking
@click.pass_context
def command(ctx: click.Context, /, **options: Any) -> None:
    """Score a predicted mask against its reference.

    Both are PNG, NIfTI (.nii, .nii.gz, .hdr with .img) or GeoTIFF files of integer labels on one grid; or
    folders with a file for each class of one case, which is named so. Dice
    (which equals F1), IoU, precision and recall are given per label, with macro, micro and weighted averages.
    """
    from dicecli.records.cases import Case
    from dicecli.reports.overwriting import check_cases, check_folders
    from dicecli.reports.report import Report
    from dicecli.runs.allocator import keep_freed_memory
    from dicecli.runs.lost import check_timeout
    from dicecli.runs.scoring import case_name, check_executor, result_of
    from dicecli.runs.sides import contradiction, noting
    from dicecli.runs.single import sides_of

    started = time.perf_counter()
    keep_freed_memory()
    prediction, reference, is_named = both_sides_of(options, "prediction", "reference")
    sides = sides_of(prediction, reference)
    verbose, quiet = options.pop("verbose"), options.pop("quiet")
    leave_others_of_file(ctx, options, "labels", quiet=quiet)
    format_name, files = options.pop("format_name"), planned_files(options, "labels")
    check_printable(format_name, "labels")
    baseline = baseline_of(ctx, options)
    threads = options.pop("jobs") or shared.cores()
    running = {name: options.pop(name) for name in ("executor", "scheduler", "timeout")}
    check_executor(running["executor"], running["scheduler"])
    check_timeout(running["timeout"], None if running["executor"] == "serial" else running["executor"])
    given = dict(options)
    case = Case(case_name(reference), sides.prediction, sides.reference, within=options.pop("within"))
    check_cases(outputs_of(ctx), [case])
    check_folders(files, sides.folders)
    settings = shared.settings_from(options, classes=sides.names)
    sides.check_asked(settings)
    origin = origin_of_call(ctx, given, settings, (prediction, reference))
    result = sides.told(result_of(case, settings, threads, **running))
    contradictions = () if is_named else contradiction(prediction, reference)
    result = noting(result, (*sides.notes, *contradictions))
    report = Report([result], settings, origin=origin)
    try:
        baseline.compare(report)
    finally:
        show_case(report, files, format_name, verbose=verbose, quiet=quiet)
    if verbose and not quiet:
        _say_what_was_done(settings.device, time.perf_counter() - started)
    ctx.exit(0)


def _say_what_was_done(device: str, seconds: float) -> None:
    from dicecli.plugins import load
    from dicecli.statistics._devices import backend_of

    backend = load("backends", backend_of(device))
    click.echo(f"Counted with {backend.describe()} in {seconds:.2f} s.", err=True)
