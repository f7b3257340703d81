"""``dicecli inspect FOLDER``: a line for each file, then what all of them have in common."""

from __future__ import annotations

import sys
import textwrap
import time
from typing import TYPE_CHECKING, Any

import click

from dicecli.cli.terminal import width
from dicecli.records.label_maps import IGNORE
from dicecli.records.natural import natural
from dicecli.reports.text import inert
from dicecli.words import counted, some_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dicecli.records.label_maps import Side
    from dicecli.records.settings import Settings
    from dicecli.runs.inspection.file import Inspection
    from dicecli.runs.inspection.folder import Folder, Survey

#: The widths of format, shape, spacing, type, and at least those of labels and of names.
_WIDTHS, _LABELS, _NAME = (8, 12, 12, 9), 14, 20
#: So many files are named that differ from the others.
_NAMED = 3
#: So many lines say of labels that they are not in every mask.
_LINES = 8
#: So often it is said how far it is, where nothing else is printed, in seconds.
_EVERY = 10.0


def folder_in_json(folder: Folder, settings: Settings, side: Side | None = None) -> dict[str, Any]:
    """Return what the files of a folder are, as JSON's types; how far it is goes to standard error."""
    from dicecli.runs.inspection.folder import Survey

    survey, files, said = Survey(settings.labels.names), [], time.monotonic()
    for name, found in folder.inspected(settings, side):
        survey.add(name, found)
        files.append(found.to_dict())
        if time.monotonic() - said >= _EVERY:
            said = time.monotonic()
            click.echo(f"{len(files):,} of {counted(len(folder.names), 'file')}", err=True)
    return {"path": folder.path, **survey.to_dict(), "others": folder.others, "inspected": files}


def print_folder(folder: Folder, settings: Settings, side: Side | None = None) -> bool:
    """Print a line for each file as it is read, then what all have in common; tell whether all are fine."""
    from dicecli.runs.inspection.folder import Survey

    survey = Survey(settings.labels.names)
    click.echo(click.style(inert(folder.path), bold=True))
    head = _row("file", ("format", "shape", "spacing", "type"), "labels", _name_width(folder))
    click.echo(head)
    for name, found in folder.inspected(settings, side):
        survey.add(name, found)
        for line in _lines(name, found, _name_width(folder)):
            click.echo(line)
        sys.stdout.flush()
    click.echo("")
    for line in _summary(survey, folder, settings):
        click.echo(line)
    return not survey.bad


def _name_width(folder: Folder) -> int:
    longest = max(map(len, folder.names), default=0)
    return max(_NAME, min(longest, max(width(), 60) - sum(_WIDTHS) - len(_WIDTHS) - 1 - _LABELS))


def _row(name: str, cells: tuple[str, ...], labels: str, names: int) -> str:
    """Return a line: what is too long lacks its middle, or its end."""
    if len(name) > names:
        half = (names - 1) // 2
        name = f"{name[:half]}…{name[len(name) - (names - 1 - half) :]}"
    parts = [name.ljust(names), *(_cut(each, n) for each, n in zip(cells, _WIDTHS, strict=True))]
    rest = max(width(), 60) - names - sum(_WIDTHS) - len(_WIDTHS) - 1
    return " ".join([*parts, _cut(labels, max(_LABELS, rest)).rstrip()]).rstrip()


def _cut(text: str, most: int) -> str:
    return (text if len(text) <= most else f"{text[: most - 1]}…").ljust(most)


def _lines(name: str, found: Inspection, names: int) -> Iterator[str]:
    from dicecli.runs.inspection.folder import facts_of, labels_of, shortly

    facts = facts_of(found)
    kind = facts.get("stored as") or facts.get("mode", "").replace(", ", " ").removesuffix(" bit")
    spacing = facts.get("spacing", "").rpartition(" ")[0] or facts.get("spacing", "")
    cells = (facts.get("format", ""), facts.get("shape", ""), spacing, kind)
    labels = shortly(labels_of(found))
    odd = [f"odd: {each}" for each in found.problems]
    if found.probabilities is not None:
        stored = found.probabilities
        labels, odd = f"{stored.minimum:.4g} to {stored.maximum:.4g}", []
        number = len(stored.channels)
        if number > 1:
            labels = f"{counted(number, 'channel')}, {labels}"
        if any(each.nan for each in stored.channels):
            odd.append(f"odd: NaN in {counted(sum(each.nan for each in stored.channels), 'value')}")
    elif found.error is not None:
        odd.append(f"cannot be scored: {found.error.name}: {found.error.message}")
    yield _row(inert(name), tuple(each.replace(" x ", "x") for each in cells), labels, names)
    for each in odd:
        yield from _indented(each, 4)


def _indented(text: str, by: int, first: str = "") -> list[str]:
    space = " " * by
    return textwrap.wrap(
        inert(text),
        max(width(), 60),
        initial_indent=first.ljust(by),
        subsequent_indent=space,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _summary(survey: Survey, folder: Folder, settings: Settings) -> Iterator[str]:
    """Say how many files there are of which kind, and what they have in common, the exceptions by name."""
    from dicecli.runs.inspection.folder import COMMON

    kinds = [
        f"{counted(survey.masks, 'mask')}" * bool(survey.masks),
        f"{counted(survey.maps, 'map')} of probabilities" * bool(survey.maps),
        f"{len(survey.bad):,} that cannot be scored ({some_of(survey.bad, _NAMED)})" * bool(survey.bad),
    ]
    yield from _said("files", f"{survey.files:,}: {', '.join(filter(None, kinds))}")
    if folder.others:
        yield from _said("others", f"{len(folder.others):,} not looked at: {some_of(folder.others, _NAMED)}")
    for key in COMMON:
        found = survey.kinds(key)
        if not found:
            continue
        (most, some), *others = found
        there = sum(len(names) for _, names in found)
        text = most if not others else f"{most} in {len(some):,} of {there:,}"
        text += "".join(f"; {kind}: {some_of(names, _NAMED)}" for kind, names in others[:_NAMED])
        text += f"; and {len(others) - _NAMED:,} more" if len(others) > _NAMED else ""
        yield from _said(key, text)
    yield from _of_labels(survey, settings)


def _of_labels(survey: Survey, settings: Settings) -> Iterator[str]:
    """Say which labels there are, and which of them are not in every mask, but in which."""
    from dicecli.runs.inspection.folder import shortly

    every, called = sorted(survey.labels), survey.called
    if not every:
        return
    text = ", ".join(_named(survey, every)) if called or survey.read else shortly(every)
    yield from _said("labels", f"by the map, {text}" if survey.read else text)
    masks = [*dict.fromkeys(name for names in survey.labels.values() for name in names)]
    found = survey.not_in_all()
    for values, inside in found[:_LINES]:
        outside = sorted({*masks}.difference(inside), key=natural)
        lack = len(outside) < len(inside)
        where = f"not in {some_of(outside, _NAMED)}" if lack else f"in {some_of(inside, _NAMED)}"
        yield from _said("", f"{shortly(values)}: {where}")
    if len(found) > _LINES:
        yield from _said("", f"and {len(found) - _LINES:,} more that are not in all (all of them: -f json)")
    known = {*settings.labels.known, settings.labels.background}
    strange = [value for value in every if survey.read.get(value, value) not in {*known, IGNORE}]
    if strange and settings.labels.is_declared:
        yield from _said("undeclared", shortly(strange))


def _named(survey: Survey, values: list[float]) -> Iterator[str]:
    """Yield each value with what a map reads it as and what that is called: ``3 as 4 (floor)``."""
    for value in values:
        name = f" ({survey.called[value]})" if value in survey.called else ""
        yield f"{value:g} as {survey.read[value]}{name}" if value in survey.read else f"{value:g}{name}"


def _said(key: str, text: str) -> list[str]:
    return _indented(text, 14, f"  {key}")
