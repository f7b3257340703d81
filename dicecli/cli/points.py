"""``dicecli points``: a map against points of a reference."""

from __future__ import annotations

from typing import Any

import click

from dicecli.cli import options as shared
from dicecli.cli.helping import OptionsCommand, about, adding
from dicecli.cli.judging import baseline_of, comparing
from dicecli.cli.kinds import leave_others_of_file
from dicecli.cli.obeying import configured
from dicecli.cli.origins import origin_of_call
from dicecli.cli.outputs import check_printable, formatting, planned_files, show_case
from dicecli.records.settings import AT_POINTS, MaskOptions

_EPILOG = """\b
Examples:
  dicecli points map.tif points.csv --class landcover
  dicecli points map.tif points.csv --crs EPSG:4326 --x lon --y lat
  dicecli points map.tif points.geojson --confusion sample.csv
"""
_PLACES = [
    about(
        "sides",
        "--class",
        "class_column",
        metavar="COLUMN",
        default="class",
        show_default=True,
        help="The column, or the property, of the class: numbers, or names that --labels has.",
    ),
    about("sides", "--x", metavar="COLUMN", help="The column of x, or of the longitude.", shown="x, or lon"),
    about("sides", "--y", metavar="COLUMN", help="The column of y, or of the latitude.", shown="y, or lat"),
    about(
        "sides",
        "--crs",
        metavar="CRS",
        help="What the coordinates are in: EPSG:4326 for longitude and latitude.",
        shown="the map's; of GeoJSON longitude and latitude, or what it names",
    ),
]


@click.command("points", cls=OptionsCommand, epilog=_EPILOG)
@click.argument("prediction", metavar="MAP", type=shared.MASK)
@click.argument("reference", metavar="POINTS", type=shared.MASK)
@adding(_PLACES)
@shared.taking(MaskOptions, "reporting", also=AT_POINTS)
@comparing
@formatting("labels", but="slices")
@configured
@shared.talking
@click.pass_context
def command(ctx: click.Context, /, **options: Any) -> None:
    """Score a map at points of a reference.

    MAP is a GeoTIFF of classes, POINTS a CSV with a column for x, for y and for the class, or GeoJSON. The
    report is that of 'dicecli score', with a point in place of a pixel; --confusion writes what 'dicecli
    area' takes. A point beyond the map, or where that has nodata, fails the case, unless --missing says
    otherwise.
    """
    from dicecli.records.cases import Case
    from dicecli.reports.report import Report
    from dicecli.runs.allocator import keep_freed_memory
    from dicecli.runs.at_points import PointSample, result_at
    from dicecli.runs.choosing import chosen_of_counts
    from dicecli.runs.scoring import case_name

    keep_freed_memory()
    prediction, reference = options.pop("prediction"), options.pop("reference")
    verbose, quiet = options.pop("verbose"), options.pop("quiet")
    leave_others_of_file(ctx, options, "labels", quiet=quiet)
    format_name, planned = options.pop("format_name"), planned_files(options, "labels")
    check_printable(format_name, "labels")
    baseline = baseline_of(ctx, options)
    sample = PointSample(
        reference, options.pop("class_column"), options.pop("x"), options.pop("y"), options.pop("crs")
    )
    given = dict(options)
    options["metrics"] = chosen_of_counts(options["metrics"])
    settings = shared.settings_from(options)
    origin = origin_of_call(ctx, given, settings, (prediction, reference))
    result = result_at(Case(case_name(reference), prediction, reference), sample, settings)
    report = Report([result], settings, origin=origin)
    try:
        baseline.compare(report)
    finally:
        show_case(report, planned, format_name, verbose=verbose, quiet=quiet)
    ctx.exit(0)
