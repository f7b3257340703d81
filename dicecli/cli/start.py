"""What ``dicecli`` says where no command is called: what one can do, with the files of this folder."""

from __future__ import annotations

import os
import shlex
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from dicecli.errors import UnknownName
from dicecli.plugins import suffixes, unknown
from dicecli.reports.text import inert
from dicecli.runs.sides import told_apart

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

#: So many names of a folder are looked at.
_LOOKED_AT = 1_000
_TEXT = """\
dicecli scores segmentation masks. Three things to do{where}:

  Score a predicted mask against its reference:
    dicecli score {files}

  Score a folder of predictions against a folder of references:
    dicecli batch {folders}

  See what a file is as a mask, and what looks wrong:
    dicecli inspect {file}

Every command: dicecli --help. Its options: dicecli score --help.\
"""


def what_to_do() -> str:
    """Say what one can do: lines that run as they are, where this folder has masks whose names tell sides."""
    masks = [name for name in _names(".") if _is_mask(name) and Path(name).is_file()]
    files, sides = told_apart(masks), told_apart(name for name in _names(".") if Path(name).is_dir())
    inside = [f"{side}/{name}" for side in sides or () for name in _names(side) if _is_mask(name)]
    file = next(iter([*(files or ()), *masks, *inside]), "FILE")
    return _TEXT.format(
        where="" if file == "FILE" else ", here",
        files=inert(shlex.join(files or ("PREDICTION", "REFERENCE"))),
        folders=inert(shlex.join(sides or ("PREDICTIONS", "REFERENCES"))),
        file=inert(shlex.quote(file)),
    )


def no_command(args: Sequence[str], commands: Iterable[str]) -> UnknownName:
    """Make the error of a word that is no command: one with a slip, or a file with none before it."""
    word, known = args[0], tuple(commands)
    paths = [each for each in args if not each.startswith("-")][:2]
    # As texts: a name that is too long for the system is none.
    if not (os.path.exists(word) or _is_mask(word)):  # noqa: PTH110 - a word of any length
        return unknown("command", word, known)
    if os.path.isdir(word):  # noqa: PTH112 - as above
        command = "batch"
    elif Path(word).suffix.lower() == ".json":
        command = "report"
    else:
        command = "inspect" if len(paths) == 1 else "score"
    return UnknownName(
        f"'{word}' is no command, but a file or folder",
        f"Say what to do with it: dicecli {command} {shlex.join(args)}",
    )


def _names(folder: str) -> list[str]:
    """Return the first names of a folder, sorted; none of one that cannot be read."""
    with suppress(OSError):
        return sorted(each.name for each in islice(Path(folder).iterdir(), _LOOKED_AT))
    return []


def _is_mask(name: str) -> bool:
    return name.lower().endswith(suffixes("formats", "open_mask", of_folder=True))
