"""``dicecli inspect``: what a file is, before it is scored."""

from __future__ import annotations

import contextlib
import json
import textwrap
from typing import TYPE_CHECKING, Any

import click

from dicecli.cli import options as shared
from dicecli.cli.choices import WordChoice
from dicecli.cli.helping import OptionsCommand, about
from dicecli.cli.terminal import width
from dicecli.errors import CaseError
from dicecli.records.settings import MaskOptions
from dicecli.reports.text import inert

if TYPE_CHECKING:
    from dicecli.runs.inspection import Alignment, Inspection

#: Values shown on a terminal; JSON has all.
_SHOWN = 24


@click.command("inspect", cls=OptionsCommand)
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=shared.MASK)
@shared.taking(MaskOptions, "reading")
@about(
    "output",
    "-f",
    "--format",
    "format_name",
    type=WordChoice(["table", "json"]),
    default="table",
    show_default=True,
    help="What standard output gets.",
)
@about("output", "-v", "--verbose", is_flag=True, help="Show every value.")
@click.pass_context
def command(ctx: click.Context, /, files: tuple[str, ...], **options: Any) -> None:
    """Say what each file is as a mask, and what looks wrong.

    Format, shape, spacing and orientation or CRS, compression, the values with their counts, and how 'dicecli
    score' would read them. Of two files it also says whether they lie on each other, the first being taken
    as the prediction, and by how much not; and whether they would agree with other label numbers, mirrored,
    transposed or shifted.
    """
    from dicecli.runs.inspection import inspect, inspect_pair

    format_name, verbose = options.pop("format_name"), options.pop("verbose")
    settings = shared.settings_from(options)
    found = [inspect(path, settings) for path in files]
    pair = None
    if len(found) == 2:
        # A file that cannot be scored by itself has said so already.
        with contextlib.suppress(CaseError):
            pair = inspect_pair(files[0], files[1], settings)
            if pair["message"] in {each.error.message for each in found if each.error}:
                pair["message"] = pair["hint"] = None
    if format_name == "json":
        record = {"schema": 1, "files": [each.to_dict() for each in found], "pair": pair}
        click.echo(json.dumps(record, indent=2, allow_nan=False))
    else:
        click.echo("\n\n".join("\n".join(_lines(each, every=verbose)) for each in found))
        if pair is not None:
            click.echo("\n" + "\n".join(_pair_lines(pair)))
    is_bad = any(each.error for each in found) or (pair is not None and pair["message"] is not None)
    ctx.exit(3 if is_bad else 0)


def _lines(found: Inspection, *, every: bool) -> list[str]:
    lines = [click.style(inert(found.path), bold=True)]
    lines += [_line(key, value) for key, value in found.facts.items() if value is not None]
    if found.values is not None:
        lines += _value_lines(found, every=every)
    if found.encoding:
        lines.append(_line("read as", found.encoding))
    lines += [_line("looks odd", problem) for problem in found.problems]
    if found.error is not None:
        lines.append(
            _line(click.style("cannot be scored", fg="red"), f"{found.error.name}: {found.error.message}")
        )
        lines.append(_line("what to do", found.error.hint))
    return lines


def _value_lines(found: Inspection, *, every: bool) -> list[str]:
    values = found.values or {}
    total = sum(values.values())
    shown = list(values.items()) if every or len(values) <= _SHOWN else list(values.items())[:_SHOWN]
    lines = [_line("values", f"{len(values)} distinct")]
    for value, n in shown:
        name = inert(found.names.get(value, ""))
        written = f"{value:>12}" if isinstance(value, int) else f"{value:>12.10g}"
        lines.append(f"    {written}  {n:>14,}  {n / total:>8.3%}  {name}".rstrip())
    if len(shown) < len(values):
        lines.append(f"    and {len(values) - len(shown)} more (all of them: -v)")
    return lines


def _pair_lines(pair: Alignment) -> list[str]:
    verdict = (
        "the two masks lie on each other" if pair["aligned"] else "the two masks do NOT lie on each other"
    )
    lines = [click.style(verdict, bold=True)]
    if pair["displacement_voxels"] is not None:
        lines.append(_line("apart", f"up to {pair['displacement_voxels']:.4g} voxels, at a corner"))
    lines += [_line("differ in", each) for each in pair["differences"]]
    lines += [_line("note", note) for note in pair["notes"]]
    lines += [_line("perhaps", each["text"]) for each in pair["suggestions"]]
    if pair["message"]:
        why = "yet refused" if pair["aligned"] else "because"
        lines += [_line(why, pair["message"]), _line("what to do", pair["hint"])]
    return lines


def _line(key: str, value: Any) -> str:
    padding = " " * max(1, 18 - len(click.unstyle(key)))
    text = textwrap.fill(
        inert(str(value)), max(width(), 60) - 20, break_long_words=False, break_on_hyphens=False
    )
    return f"  {key}{padding}{text}".replace("\n", "\n" + " " * 20)
