"""``dicecli labels``: the presets, the forms of files, and the labels of one of these."""

from __future__ import annotations

import csv
import io
import json
import textwrap
from typing import TYPE_CHECKING

import click

from dicecli.cli import completing
from dicecli.cli.choices import WordChoice
from dicecli.cli.helping import OptionsCommand, about
from dicecli.cli.terminal import has_colour, prose
from dicecli.records.schemes import as_own, described, forms, load_labels, presets
from dicecli.reports.text import inert, of_cell, of_json
from dicecli.words import plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dicecli.records.labels import Colour, LabelScheme

_EPILOG = """\b
Examples:
  dicecli labels
  dicecli labels cityscapes
  dicecli labels voc -f json > labels.json
"""
#: Names that elsewhere mean pixels that are left out.
_LEFT_OUT = {"ignore", "ignored", "void"}


@click.command("labels", cls=OptionsCommand, epilog=_EPILOG)
@click.argument("source", metavar="[PRESET|FILE]", required=False, shell_complete=completing.labels)
@about(
    "output",
    "-f",
    "--format",
    "format_name",
    type=WordChoice(["table", "json", "csv"]),
    default="table",
    show_default=True,
    help="What standard output gets; of a preset or file json is a labels file.",
)
def command(source: str | None, format_name: str) -> None:
    """List the presets of labels, or show the labels of one or of a file.

    Of each label its number, name and colour, and whether it is evaluated, ignored or the background; and the
    regions. Without an argument it also lists the forms of files that are read.
    """
    scheme = None if source is None else load_labels(source)
    if format_name == "json":
        record = _record() if scheme is None else _whole(scheme)
        click.echo(of_json(json.dumps(record, indent=2, ensure_ascii=False)))
    elif format_name == "csv":
        click.echo(_csv(_listed() if scheme is None else _rows(scheme)), nl=False)
    else:
        click.echo("\n".join(_list() if scheme is None else _shown(scheme)))


def _listed() -> list[dict[str, object]]:
    return [
        {"name": name, "labels": len(load_labels(name).names), "description": described(name)}
        for name in presets()
    ]


def _record() -> dict[str, object]:
    return {"schema": 1, "presets": _listed(), "forms": [*forms().values()]}


def _whole(scheme: LabelScheme) -> dict[str, object]:
    """Return a labels file in the project's own form that says the same."""
    said = _description(scheme)
    return {"description": said, **as_own(scheme)} if said else as_own(scheme)


def _description(scheme: LabelScheme) -> str:
    """Return what a preset says of itself; nothing of a file, which may have a preset's name."""
    is_preset = scheme.sha256 is None and scheme.source in presets()
    return described(scheme.source or "") if is_preset else ""


def _list() -> Iterator[str]:
    """Yield the lines of the list of presets, one for each, and of the forms."""
    yield click.style("Presets", bold=True)
    every = _listed()
    width = max(len(str(each["name"])) for each in every)
    for each in every:
        first = str(each["description"]).partition(". ")[0]
        yield f"  {each['name']!s:<{width}}  {first}"
    yield ""
    yield click.style("Forms of files, each told by its content", bold=True)
    yield from (f"  {each}" for each in forms().values())
    yield "\nShow one: dicecli labels voc. What the forms look like: docs/labels.md."


def _role(scheme: LabelScheme, label: int) -> str:
    if label in scheme.ignore:
        return "ignored"
    return "background" if label == scheme.background else "evaluated"


def _colours(scheme: LabelScheme) -> dict[int, list[Colour]]:
    """Return the colours of each label, those that are read as another one among them."""
    found: dict[int, list[Colour]] = {}
    for colour, label in scheme.colours.items():
        for each in (label, *scheme.alike.get(colour, ())):
            found.setdefault(each, []).append(colour)
    return found


def _rows(scheme: LabelScheme) -> list[dict[str, object]]:
    colours = _colours(scheme)
    return [
        {
            "label": label,
            "name": scheme.name(label) or "",
            "role": _role(scheme, label),
            "colours": " ".join(map(_hexed, colours.get(label, ()))),
            "regions": "; ".join(name for name, members in scheme.regions.items() if label in members),
        }
        for label in sorted(scheme.known)
    ]


def _csv(rows: list[dict[str, object]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, [*rows[0]], lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({key: of_cell(each) if isinstance(each, str) else each for key, each in row.items()})
    return text.getvalue()


def _hexed(colour: Colour) -> str:
    return f"#{bytes(colour).hex()}"


def _shown(scheme: LabelScheme) -> Iterator[str]:
    """Yield the lines of the labels of a scheme, no wider than prose."""
    yield click.style(inert(scheme.source or ""), bold=True)
    yield from textwrap.wrap(_description(scheme), prose())
    yield ""
    yield from _table(scheme)
    if scheme.background is not None and scheme.background not in scheme.known:
        yield f"\nLabel {scheme.background}, which has no name here, is the background."
    for label, name in scheme.names.items():
        if plain(name) in _LEFT_OUT and _role(scheme, label) == "evaluated":
            name_of = f"Label {label}, {inert(name)}, is evaluated like any other"
            said = f"{name_of}: 'dicecli score --ignore-label {label}' leaves its pixels out."
            yield from ("", *textwrap.wrap(said, prose()))
    yield from _maps(scheme)
    if scheme.regions:
        yield from ("", click.style("Regions", bold=True))
        width = min(max(len(inert(name)) for name in scheme.regions), 30)
        for name, members in scheme.regions.items():
            yield from _line([(inert(name), width), (", ".join(map(str, members)), prose() - width - 4)])


def _maps(scheme: LabelScheme) -> Iterator[str]:
    """Yield the lines of the maps of labels, each as an option has it, and in words."""
    if scheme.maps:
        yield from ("", click.style("Labels that are read as others", bold=True))
    for side, of_side in scheme.maps.items():
        said = of_side.said(side)
        yield from _line([(side, 10), (of_side.text, prose() - 14)])
        yield from _line([("", 10), (said, prose() - 14)]) if said else ()


def _table(scheme: LabelScheme) -> Iterator[str]:
    """Yield a line for each label: number, role, colour where there are any, and its name."""
    colours, swatch = _colours(scheme), has_colour()
    number = max(len(str(label)) for label in (*scheme.known, "label"))
    heads = [("label".rjust(number), number), ("role", 10)]
    if colours:
        heads.append(("colour", 12 + 3 * swatch))
    left = prose() - sum(width + 2 for _, width in heads)
    yield click.style(next(_line([*heads, ("name", left)])), bold=True)
    for label in sorted(scheme.known):
        cells = [(f"{label:>{number}}", number), (_role(scheme, label), 10)]
        if colours:
            of_label = colours.get(label, [])
            more = f" +{len(of_label) - 1}" if len(of_label) > 1 else ""
            text = f"{_hexed(of_label[0])}{more}".ljust(12) if of_label else " " * 12
            block = click.style("  ", bg=of_label[0]) + " " if swatch and of_label else " " * (3 * swatch)
            cells.append((block + text, 0))
        yield from _line([*cells, (scheme.name(label) or "", left)])


def _line(cells: Iterable[tuple[str, int]]) -> Iterator[str]:
    """Yield the line of some cells, each with its width; the last one goes on below, under itself."""
    *first, (last, width) = cells
    start = "  " + "".join(f"{text:<{columns}}  " for text, columns in first)
    lines = textwrap.wrap(inert(last), max(width - 2, 8)) or [""]
    yield (start + lines[0]).rstrip()
    indent = " " * len(click.unstyle(start))
    yield from (indent + each for each in lines[1:])
