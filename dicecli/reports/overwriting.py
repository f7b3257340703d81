"""Outputs that would overwrite what is read, or each other: by which file they are, not by names."""

from __future__ import annotations

import os
import tempfile
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

from dicecli.errors import OutputError
from dicecli.masks.files import halves
from dicecli.reports import writing

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dicecli.records.cases import Case
    from dicecli.reports.outputs import Target


class Named(NamedTuple):
    """A file, or one that is not there yet, and how it was given.

    Attributes
    ----------
    path : str or int
        A path; or the descriptor of what is open already.
    called : str
        As messages call it: ``-o scores.csv``.
    option : str
        Of a file that a configuration file names the option that takes its place; else empty.
    """

    path: str | int
    called: str
    option: str = ""


class _Place(NamedTuple):
    """Which file a path is: device and number; of one that is not there those of its folder, and its name.

    The name is in the form that names have which some file systems take for one: folded, NFC.
    """

    device: int
    number: int
    name: str = ""


def check_apart(written: Iterable[Named], read: Iterable[Named] = (), streams: Iterable[Named] = ()) -> None:
    """Check that every output is a file of its own, and none that is read, by whatever links or names.

    Parameters
    ----------
    written : iterable of Named
        Files to be written.
    read : iterable of Named
        Files that are read; of a volume in two files both are, whichever is given.
    streams : iterable of Named
        What the system opened before this program began; two of them may be one file, as in ``> log 2>&1``.

    Raises
    ------
    OutputError
        Nothing was written or read.
    """
    outputs: dict[_Place, Named] = {}
    for each in written:
        if not isinstance(each.path, int) and os.path.isdir(each.path):  # noqa: PTH112 - as it is given
            writing.check_writable(each.path)
        other = _hit(outputs, each.path)
        if other is not None:
            what = f"{other.called} and {each.called} are one file, of which the last one would be left"
            raise _of_a_file(what, each, other) or OutputError(what, "Give each a file of its own.")
        place = _place(each.path)
        if place is not None:
            outputs[place] = each
    opened: dict[_Place, Named] = {}
    for each in streams:
        other = _hit(outputs, each.path)
        if other is not None:
            raise OutputError(
                f"{other.called} is the file that {each.called} goes to, and would take its place",
                f"Send {each.called} elsewhere, or give another name for the file.",
            )
        place = _place(each.path)
        if place is not None:
            opened[place] = each
    _check_read(outputs | opened, read)


def _check_read(outputs: dict[_Place, Named], read: Iterable[Named]) -> None:
    """Check that nothing that is read would be overwritten.

    Raises
    ------
    OutputError
    """
    if not outputs:
        return
    for each in read:
        for path in halves(each.path) if isinstance(each.path, str) else (each.path,):
            output = _hit(outputs, path)
            if output is not None:
                what = f"{output.called} is a file that is read, {each.called}, and would be overwritten"
                raise _of_a_file(what, output) or OutputError(
                    what,
                    "Give another name for what is written; what is read is left as it is. If a pattern such "
                    "as *.json took in what was written before, name what is to be read.",
                )


def _of_a_file(what: str, *outputs: Named) -> OutputError | None:
    """Return the error where a configuration file names one of some outputs."""
    for each in outputs:
        if each.option:
            other = f"{each.option} other{Path(str(each.path)).suffix}"
            hint = f"Put what a file of options names elsewhere: {other}; or obey no such file: --no-config."
            return OutputError(what, hint)
    return None


def check_cases(written: Iterable[Named], cases: Iterable[Case], beside: Iterable[Named] = ()) -> None:
    """Check that nothing that is written is a mask of a case, or was found beside the masks.

    Parameters
    ----------
    written : iterable of Named
        Everything: planned files, journals, what CI services are told, and what the system opened.
    cases : iterable of Case
    beside : iterable of Named, optional
        Other files that were found, and read, as one of labels.

    Raises
    ------
    OutputError
    """
    outputs: dict[_Place, Named] = {}
    for each in written:
        place = _place(each.path)
        if place is not None:
            outputs[place] = each
    _check_read(outputs, beside)
    for case in cases if outputs else ():
        for side, path in case.files:
            if any(_hit(outputs, each) is not None for each in halves(path)):
                _check_read(outputs, [Named(path, f"{path}, the {side} of case '{case.name}'")])


class Folder(Protocol):
    """A folder whose files are masks of a run."""

    @property
    def side(self) -> str:
        """The side that it is."""

    @property
    def folder(self) -> str:
        """Its path."""

    def takes(self, path: str) -> bool:
        """Tell whether a file would be such a mask, once it is there."""


def check_folders(files: Iterable[Target], folders: Iterable[Folder]) -> None:
    """Check that no planned file would be taken for a mask by the next run with the same folders.

    Raises
    ------
    OutputError
    """
    where = [*folders]
    for each, folder in ((each, folder) for each in files for folder in where):
        if folder.takes(each.path):
            raise OutputError(
                f"{each.called} lies in {folder.folder}, the folder of the {folder.side}s: the next run "
                "would take it for a mask",
                "Write it outside of that folder; or in a form that is no mask, as .csv: that may lie there.",
            )


def _place(path: str | int) -> _Place | None:
    """Return which file a path is; None where not even its folder is there."""
    try:
        found = os.stat(path)  # noqa: PTH116 - of descriptors, too
    except (OSError, ValueError):
        return None if isinstance(path, int) else _place_to_be(path)
    if found.st_ino or isinstance(path, int):
        return _Place(found.st_dev, found.st_ino)
    return _Place(found.st_dev, 0, os.path.normcase(os.path.realpath(path)))  # a disk that has no numbers


def _place_to_be(path: str) -> _Place | None:
    folder, name = _split(path)
    try:
        found = os.stat(folder)  # noqa: PTH116 - a text, whatever is in it
    except (OSError, ValueError):
        return None
    return _Place(found.st_dev, found.st_ino, unicodedata.normalize("NFC", name).casefold())


def _split(path: str) -> tuple[str, str]:
    """Return the folder and the name of a file that is not there; what a link leads to, if it is one."""
    try:
        return os.path.split(os.path.realpath(path))
    except (OSError, ValueError):
        return os.path.split(path)


def _hit(outputs: dict[_Place, Named], path: str | int) -> Named | None:
    """Return the output that is the same file as a path."""
    place = _place(path)
    output = None if place is None else outputs.get(place)
    if output is None or place is None or not place.name:
        return output
    return output if _are_one_name(str(output.path), str(path)) else None


def _are_one_name(one: str, other: str) -> bool:
    """Tell whether two names of files that are not there would be one file in their folder: it is tried."""
    folder, first = _split(one)
    second = _split(other)[1]
    if first == second:
        return True
    try:
        with tempfile.TemporaryDirectory(dir=folder) as tried:
            (Path(tried) / first).touch()
            return (Path(tried) / second).exists()
    except OSError:
        return False  # what cannot be written is refused by that
