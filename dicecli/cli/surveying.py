"""``dicecli inspect FOLDER``: a line for each file, then what all of them have in common."""

from __future__ import annotations

import sys
import textwrap
import time
from typing import TYPE_CHECKING, Any

import click

from dicecli.cli.file_table import FileTable
from dicecli.cli.terminal import width
from dicecli.masks import unread
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
    return {
        "path": folder.path,
        **survey.to_dict(),
        "others": folder.others,
        "unread": folder.unread,
        "inspected": files,
    }


def print_folder(
    folder: Folder, settings: Settings, side: Side | None = None, *, verbose: bool = False
) -> bool:
    """Print a line for each file as it is read, then what all have in common; tell whether all are fine.

    What looks odd, or why a file cannot be scored, stands below all of them, once for those that share it;
    with `verbose` below each file.
    """
    from dicecli.runs.inspection.folder import Survey

    survey, table = Survey(settings.labels.names), FileTable(max(map(len, folder.names), default=0))
    click.echo(click.style(inert(folder.path), bold=True))
    for name, found in folder.inspected(settings, side):
        survey.add(name, found)
        for line in table.lines(name, found):
            click.echo(line)
        for each in _wrong(found) if verbose else ():
            click.echo("\n".join(_indented(each, 4)))
        sys.stdout.flush()
    click.echo("")
    for line in _summary(survey, folder, settings):
        click.echo(line)
    if not verbose:
        for line in _oddities(survey):
            click.echo(line)
    return not (survey.bad or folder.unread)


def _wrong(found: Inspection) -> list[str]:
    """Say what looks wrong with a file, and why it cannot be scored."""
    stored, error = found.probabilities, found.error
    if stored is not None:
        nans = sum(each.nan for each in stored.channels)
        return [f"odd: NaN in {counted(nans, 'value')}"] if nans else []
    said = [f"odd: {each}" for each in found.problems]
    return said if error is None else [*said, f"cannot be scored: {error.name}: {error.message}"]


def _oddities(survey: Survey) -> Iterator[str]:
    """Say once what looks odd or is wrong, and of which files."""
    for text, names in [*survey.odd.items()][:_LINES]:
        yield from _said("odd", f"{_of(names, survey)}: {text}")
    if len(survey.odd) > _LINES:
        yield from _said("", f"and {len(survey.odd) - _LINES:,} other things (all of them: -v)")
    for kind, found in survey.errors.items():
        first, *others = found.values()
        more = " (the first; all of them: -v)" if any(each != first for each in others) else ""
        yield from _said("not scored", f"{kind}: {_of([*found], survey)}: {first}{more}")


def _of(names: list[str], survey: Survey) -> str:
    """Name some files, and say how many they are, where these are more."""
    if len(names) == survey.files > 1:
        return f"all {survey.files:,}"
    named = some_of(names, _NAMED)
    return f"{len(names):,} of {survey.files:,} ({named})" if len(names) > _NAMED else named


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
    from dicecli.runs.inspection.probabilities import sums_said
    from dicecli.runs.naming import joined

    kinds = [
        f"{counted(survey.masks, 'mask')}" * bool(survey.masks),
        f"{counted(survey.maps, 'map')} of probabilities" * bool(survey.maps),
        f"{len(survey.bad):,} that cannot be scored ({some_of(survey.bad, _NAMED)})" * bool(survey.bad),
    ]
    yield from _said("files", f"{survey.files:,}: {', '.join(filter(None, kinds))}")
    if folder.unread:
        said = f"{len(folder.unread):,} of formats that are not read: {some_of(folder.unread, _NAMED)}."
        hint = unread.refusal(joined(folder.path, folder.unread[0])).hint
        yield from _said("not read", f"{said} In a folder of references their cases fail. {hint}")
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
    if survey.ranges:
        low, high = min(low for low, _ in survey.ranges), max(high for _, high in survey.ranges)
        yield from _said("range", f"{low:.6g} to {high:.6g}")
    if survey.sums:
        yield from _said("sums", sums_said(max(survey.sums)))
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
