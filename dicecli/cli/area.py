"""``dicecli area``: accuracy and areas of a map, from a sample of points."""

from __future__ import annotations

from typing import Any

import click

from dicecli.cli import options as shared
from dicecli.cli import terminal
from dicecli.cli.choices import OutputPath, WordChoice
from dicecli.cli.completing import files
from dicecli.cli.helping import OptionsCommand, about
from dicecli.cli.obeying import configured
from dicecli.cli.origins import not_obeyed, obeyed
from dicecli.cli.outputs import print_text
from dicecli.records.settings import OF_ONE_MAP, MaskOptions
from dicecli.reports.text import inert

_EPILOG = """\b
Examples:
  dicecli points map.tif points.csv --confusion sample.csv
  dicecli area sample.csv --areas map.tif
  dicecli area sample.csv --areas pixels.csv --pixel-size 30m -o area.csv
"""


@click.command("area", cls=OptionsCommand, epilog=_EPILOG)
@click.argument("matrix", metavar="MATRIX", type=shared.MASK)
@about(
    "sides",
    "--areas",
    metavar="FILE",
    type=shared.MASK,
    required=True,
    help="What the map has of each class: the map itself, or a CSV with the columns label and one of pixels, "
    "area_ha, area_m2, area_km2.",
)
@about(
    "sides",
    "--pixel-size",
    metavar="SIZE",
    help="The size of a pixel, where only their number is known: 30m, or 30x20m.",
)
@about(
    "output",
    "--unit",
    type=WordChoice(["ha", "m2", "km2", "pixels"]),
    help="The unit of areas.",
    shown="ha; pixels where their size is unknown",
)
@shared.taking(MaskOptions, also=OF_ONE_MAP)
@about(
    "output",
    "-f",
    "--format",
    "format_name",
    type=WordChoice(["table", "csv", "json", "markdown", "html"]),
    default="table",
    show_default=True,
    help="What standard output gets.",
)
@about(
    "output",
    "-o",
    "--output",
    "outputs",
    type=OutputPath(),
    metavar="FILE",
    multiple=True,
    shell_complete=files,
    help="Write it to FILE: .csv, .json, .md, .html or .txt. Repeatable.",
)
@configured
@shared.talking
@click.pass_context
def command(ctx: click.Context, /, **options: Any) -> None:
    """Estimate accuracy and areas of a map from a sample of it.

    MATRIX is what --confusion of 'dicecli points' or 'dicecli score' wrote of the sample, as CSV or JSON; the
    prediction is the map, whose classes are the strata. Overall, user's and producer's accuracy and the area
    of each class are weighted by area, with standard errors and 95 % intervals (Olofsson et al. 2014).
    """
    from dicecli.reports.look import Look
    from dicecli.runs.allocator import keep_freed_memory
    from dicecli.runs.areas import area, planned_areas, write_areas

    keep_freed_memory()
    verbose, quiet, name = options.pop("verbose"), options.pop("quiet"), options.pop("format_name")
    planned = planned_areas(options.pop("outputs"))
    found = area(**options).rendered(obeyed(ctx), not_obeyed(ctx))
    write_areas(found, planned)
    look = Look(terminal.width(), terminal.has_colour(), verbose)
    print_text(found.render(name, look))
    if name in {"csv", "json"} and not quiet:
        for note in (each for each in found.notes if each not in found.origin.notes):
            click.echo(f"Note: {inert(note)}", err=True)
