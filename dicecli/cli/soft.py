"""``dicecli soft``: a map of probabilities and a mask in, soft scores and thresholds out."""

from __future__ import annotations

from typing import Any

import click

from dicecli.cli import options as shared
from dicecli.cli.helping import OptionsCommand
from dicecli.cli.judging import baseline_of, comparing
from dicecli.cli.kinds import leave_others_of_file
from dicecli.cli.obeying import configured
from dicecli.cli.origins import origin_of_call
from dicecli.cli.outputs import check_printable, formatting, planned_files, show_case
from dicecli.cli.sides import both_sides_of, taking_field, taking_sides
from dicecli.records.settings import MapOptions

_EPILOG = """\b
Examples:
  dicecli soft probabilities.nii.gz reference.nii.gz --labels organs.json
  dicecli soft logits.npy reference.png --logits softmax --temperature 1.5
  dicecli soft probabilities.tif reference.tif --curve curve.png -o soft.json
"""


@click.command("soft", cls=OptionsCommand, epilog=_EPILOG)
@taking_sides("probabilities", "reference", "FILE")
@taking_field
@shared.taking(MapOptions, "reporting", "scoring", "reading")
@shared.jobs("Threads")
@shared.limiting
@comparing
@formatting("probabilities")
@configured
@shared.talking
@click.pass_context
def command(ctx: click.Context, /, **options: Any) -> None:
    """Score a map of probabilities against its reference.

    Probabilities are NIfTI (three axes: one class; four: the last has the classes), GeoTIFF (a band per
    class) or .npy; the reference is a mask as of 'dicecli score'. Per label, with macro and micro averages:
    soft Dice in three forms and their losses, cross-entropy, Brier score, calibration, average precision, and
    the threshold with the best hard Dice. 'dicecli metrics NAME' explains each.
    """
    from dicecli.records.cases import Case
    from dicecli.reports.report import Report
    from dicecli.runs.allocator import keep_freed_memory
    from dicecli.runs.lost import check_timeout
    from dicecli.runs.scoring import case_name, result_of
    from dicecli.runs.sides import contradiction, noting

    keep_freed_memory()
    probabilities, reference, is_named = both_sides_of(options, "probabilities", "reference")
    verbose, quiet = options.pop("verbose"), options.pop("quiet")
    leave_others_of_file(ctx, options, "probabilities", quiet=quiet)
    format_name, files = options.pop("format_name"), planned_files(options, "probabilities")
    check_printable(format_name, "probabilities")
    baseline = baseline_of(ctx, options)
    threads, timeout = options.pop("jobs") or shared.cores(), options.pop("timeout")
    check_timeout(timeout, None)
    given = dict(options)
    case = Case(case_name(reference), probabilities, reference, within=options.pop("within"))
    settings = shared.settings_from(options, soft=True)
    origin = origin_of_call(ctx, given, settings, (probabilities, reference))
    result = result_of(case, settings, threads, timeout=timeout)
    result = result if is_named else noting(result, contradiction(probabilities, reference))
    report = Report([result], settings, origin=origin)
    try:
        baseline.compare(report)
    finally:
        show_case(report, files, format_name, verbose=verbose, quiet=quiet)
    ctx.exit(0)
