"""``dicecli inspect``: what a file is, before it is scored."""

from __future__ import annotations

import contextlib
import json
import os
import textwrap
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from dicecli.cli import options as shared
from dicecli.cli.choices import WordChoice
from dicecli.cli.helping import OptionsCommand, about
from dicecli.cli.obeying import configured
from dicecli.cli.origins import not_obeyed, obeyed
from dicecli.cli.terminal import width
from dicecli.errors import CaseError
from dicecli.records.settings import MaskOptions
from dicecli.reports.text import inert, of_json

if TYPE_CHECKING:
    from dicecli.records.label_maps import Side
    from dicecli.records.origin import NotObeyed, Obeyed
    from dicecli.records.settings import Settings
    from dicecli.runs.inspection.file import Inspection
    from dicecli.runs.inspection.pair import Alignment

_EPILOG = """\b
Examples:
  dicecli inspect mask.nii.gz
  dicecli inspect prediction.png reference.png
  dicecli inspect predictions references --labels labels.json
"""
#: Values shown on a terminal; JSON has all.
_SHOWN = 24
#: Facts that an error says as well.
_OF_ERROR = ("colours",)


@click.command("inspect", cls=OptionsCommand, epilog=_EPILOG)
@click.argument("files", metavar="FILE|FOLDER...", nargs=-1, required=True, type=shared.MASK)
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
@configured
@about("output", "-v", "--verbose", is_flag=True, help="Show every value.")
@click.pass_context
def command(ctx: click.Context, /, files: tuple[str, ...], **options: Any) -> None:
    """Say what each file is as a mask or a map of probabilities, and what looks wrong.

    Format, shape, spacing and orientation or CRS, compression, the values with their counts, and how 'dicecli
    score' would read them. Of two files it also says whether they lie on each other, the first being taken
    as the prediction, and by how much not; and whether they would agree with other label numbers, mirrored,
    transposed or shifted.

    Of a folder it has a line for each file, and then says whether all are alike: grids, types and labels, the
    exceptions by name.
    """
    from dicecli.runs.allocator import keep_freed_memory
    from dicecli.runs.inspection.file import inspect
    from dicecli.runs.inspection.pair import inspect_pair

    keep_freed_memory()
    format_name, verbose = options.pop("format_name"), options.pop("verbose")
    settings = shared.settings_from(options)
    told = _Told(obeyed(ctx), not_obeyed(ctx))
    if format_name != "json":
        told.echo()
    if any(map(os.path.isdir, files)):  # as texts: a name that is too long for the system is none
        ctx.exit(_of_folders(files, settings, format_name, told, verbose=verbose))
    found = [inspect(path, settings, side) for path, side in zip(files, _sides(files), strict=True)]
    pair = None
    if len(found) == 2:
        # A file that cannot be scored by itself has said so already.
        with contextlib.suppress(CaseError):
            pair = inspect_pair(files[0], files[1], settings)
            if pair["message"] in {each.error.message for each in found if each.error}:
                pair["message"] = pair["hint"] = None
    if format_name == "json":
        _print_json({"schema": 1, "files": [each.to_dict() for each in found], "pair": pair}, told)
    else:
        click.echo("\n\n".join("\n".join(_lines(each, every=verbose)) for each in found))
        if pair is not None:
            click.echo("\n" + "\n".join(_pair_lines(pair)))
    is_bad = any(each.is_bad for each in found) or (pair is not None and pair["message"] is not None)
    ctx.exit(3 if is_bad else 0)


def _sides(paths: tuple[str, ...]) -> tuple[Side | None, ...]:
    """Return by whose map the labels of each path are read; the first of two is the prediction's."""
    return ("prediction", "reference") if len(paths) == 2 else (None,) * len(paths)


def _of_folders(
    paths: tuple[str, ...], settings: Settings, format_name: str, told: _Told, *, verbose: bool
) -> int:
    """Say what folders hold, and files beside them; return the exit code."""
    from dicecli.cli.surveying import folder_in_json, print_folder
    from dicecli.runs.inspection.file import inspect
    from dicecli.runs.inspection.folder import listed_folder

    listed = {path: listed_folder(path) for path in filter(os.path.isdir, paths)}
    sides = _sides(paths)
    record: dict[str, Any] = {"schema": 1, "files": [], "pair": None, "folders": []}
    is_good = True
    for place, (path, side) in enumerate(zip(paths, sides, strict=True)):
        if format_name != "json" and place:
            click.echo("")
        if path not in listed:
            found = inspect(path, settings, side)
            is_good = is_good and not found.is_bad
            record["files"].append(found.to_dict())
            if format_name != "json":
                click.echo("\n".join(_lines(found, every=verbose)))
        elif format_name == "json":
            record["folders"].append(folder_in_json(listed[path], settings, side))
            is_good = is_good and not (record["folders"][-1]["bad"] or record["folders"][-1]["unread"])
        else:
            is_good = print_folder(listed[path], settings, side, verbose=verbose) and is_good
    if format_name == "json":
        _print_json(record, told)
    return 0 if is_good else 3


def _print_json(record: dict[str, Any], told: _Told) -> None:
    """Print a record, with the configuration files that were obeyed, or not for their owners."""
    click.echo(of_json(json.dumps(record | told.record(), indent=2, allow_nan=False)))


class _Told(NamedTuple):
    """What is told of configuration files: the one obeyed, and those that are not, for their owners."""

    obeyed: Obeyed | None
    not_obeyed: tuple[NotObeyed, ...]

    def echo(self) -> None:
        """Print it, where there is something."""
        lines = [] if self.obeyed is None else [f"options from {inert(str(self.obeyed))}"]
        lines += [f"note: {inert(str(each))}" for each in self.not_obeyed]
        if lines:
            click.echo("\n".join(lines) + "\n")

    def record(self) -> dict[str, Any]:
        """Return it in JSON's types."""
        obeyed = [] if self.obeyed is None else [asdict(self.obeyed)]
        files = {"obeyed": obeyed, "not_obeyed": [asdict(each) for each in self.not_obeyed]}
        return {name: each for name, each in files.items() if each}


def _lines(found: Inspection, *, every: bool) -> list[str]:
    lines = [click.style(inert(found.path), bold=True)]
    of_error = _OF_ERROR if found.error is not None else ()
    lines += [
        _line(key, value) for key, value in found.facts.items() if value is not None and key not in of_error
    ]
    if found.probabilities is not None:
        return [*lines, *_probability_lines(found)]
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


def _probability_lines(found: Inspection) -> list[str]:
    """Say what a map of probabilities holds, what scores it, and why it is no mask."""
    from dicecli.runs.inspection.probabilities import sums_said

    stored, error = found.probabilities, found.error
    if stored is None or error is None:
        return []
    number = len(stored.channels)
    lines = [_line("channels", f"{number}, from {stored.minimum:.6g} to {stored.maximum:.6g}")]
    for at, each in enumerate(stored.channels[:_SHOWN]):
        nan = f"  {each.nan:,} NaN" if each.nan else ""
        lines.append(f"    {at:>12}  {each.minimum:.6g} to {each.maximum:.6g}{nan}")
    lines += [f"    and {number - _SHOWN} more (all of them: -f json)"] * (number > _SHOWN)
    if number > 1:
        lines.append(_line("sums", sums_said(stored.apart)))
    lines += [_line("looks like", stored.meant), _line("scored by", stored.command)]
    return [*lines, _line("no mask", error.message), _line("as a mask", error.hint)]


def _value_lines(found: Inspection, *, every: bool) -> list[str]:
    values = found.values or {}
    total = sum(values.values())
    shown = list(values.items()) if every or len(values) <= _SHOWN else list(values.items())[:_SHOWN]
    lines = [_line("values", f"{len(values)} distinct")]
    for value, n in shown:
        name = inert(found.names.get(value, ""))
        label = found.read_as(value)
        name = name if label is None else f"read as {label}  {name}"
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
