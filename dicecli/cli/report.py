"""``dicecli report``: results rendered again, merged, or judged, without touching a mask."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from dicecli.cli import options as shared
from dicecli.cli.helping import OptionsCommand, about
from dicecli.cli.judging import gates_of, judging
from dicecli.cli.kinds import leave_others_of_file
from dicecli.cli.obeying import configured
from dicecli.cli.origins import not_obeyed, obeyed
from dicecli.cli.outputs import check_printable, formatting, planned_files, print_report
from dicecli.reports.text import inert

if TYPE_CHECKING:
    from dicecli.records.settings import Settings
    from dicecli.reports.report import Report

_EPILOG = """\b
Examples:
  dicecli report results.json -o table.md -m dice -m iou
  dicecli report shard1.json shard2.json -o all.json --summary all.csv
  dicecli report results.json --baseline old.json --max-drop 0.01
  dicecli report --schema
"""


_SCHEMA = "Print the JSON Schema (2020-12) of the JSON that is read and written here, and end."


def _show_schema(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if not wanted or ctx.resilient_parsing:
        return
    import json

    from dicecli.reports.schema.whole import schema

    click.echo(json.dumps(schema(), indent=2))
    ctx.exit()


@click.command("report", cls=OptionsCommand, epilog=_EPILOG)
@click.argument("files", metavar="RESULTS.json...", nargs=-1, required=True, type=shared.MASK)
@shared.choosing
@judging
@formatting("labels", "probabilities")
@configured
@shared.talking
@about(
    "output", "--schema", is_flag=True, expose_value=False, is_eager=True, callback=_show_schema, help=_SCHEMA
)
@click.pass_context
def command(ctx: click.Context, /, files: tuple[str, ...], **options: Any) -> None:
    """Render results again, without touching a mask.

    Several files are shards of one run: their cases are put together, and pooled averages come out as if they
    had been scored at once.
    """
    from dicecli.cli.batch import exit_code
    from dicecli.reports.merging import merged
    from dicecli.reports.outputs import write_all
    from dicecli.reports.reading_back import read_report

    verbose, format_name = options.pop("verbose"), options.pop("format_name")
    reports = [read_report(path) for path in files]
    report = reports[0] if len(reports) == 1 else merged(reports)
    reads = report.settings.reads
    check_printable(format_name, reads)
    leave_others_of_file(ctx, options, reads, quiet=options["quiet"])
    gates, github = gates_of(options)
    targets = planned_files(options, reads, report)
    origin = report.origin.rendered(obeyed(ctx)).beside(not_obeyed(ctx))
    report = report.shown_with(_chosen(ctx, report, options), origin)
    if gates.any:
        gates.judge(report)
    refusal = write_all(report, targets)
    github.tell(report)
    print_report(report, format_name, verbose=verbose)
    if verbose and not options["quiet"]:
        click.echo(f"Made from {', '.join(map(inert, files))}.", err=True)
    if refusal is not None:
        raise refusal
    ctx.exit(exit_code(report))


def _chosen(ctx: click.Context, report: Report, options: dict[str, Any]) -> Settings:
    """Return the settings of a report with what is to be shown of it otherwise.

    Raises
    ------
    UsageError
        Metrics, labels or a column that the report has not.
    """
    from dataclasses import replace

    from dicecli.records.only import check_classes, parse_only
    from dicecli.reports.grouping import check_column
    from dicecli.runs.choosing import chosen_metrics, unit_asked

    settings = report.settings
    if options["metrics"]:
        values = {"tolerance": settings.tolerance}
        asked = chosen_metrics(options["metrics"], settings.reads, report.has_measured, values)
        settings = replace(settings, metrics=asked, length_unit=unit_asked(options["metrics"]))
    if ctx.get_parameter_source("average") is not ParameterSource.DEFAULT:
        settings = replace(settings, average=options["average"])
    if options["only"]:
        only = parse_only(options["only"], settings.labels, classes=report.regions)
        check_classes(only, settings.labels, report.regions if report.is_layered else {})
        settings = replace(settings, only=only)
    if options["group_by"] is not None:
        check_column([each.case for each in report.results], options["group_by"])
        settings = replace(settings, group_by=options["group_by"])
    return settings
