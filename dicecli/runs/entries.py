"""The lines of journals: written, read back, and put aside where a run is begun anew."""

from __future__ import annotations

import contextlib
import json
import os
import zlib
from pathlib import Path

from dicecli.errors import OutputError
from dicecli.records.cases import Scored
from dicecli.records.codec import read
from dicecli.reports import writing
from dicecli.runs.locked import NEVER_LED, check_regular

#: What is put behind the name of a journal for the entries of earlier ones.
OLD = ".old"


def journals_of(output: str | os.PathLike[str]) -> tuple[str, str]:
    """Return where the journal of a run with this first output is, and what earlier ones put aside.

    They lie beside the file itself, so that a run that names it otherwise, by a link, finds the same.

    Raises
    ------
    OutputError
        As of :func:`dicecli.reports.writing.followed`.
    """
    path = f"{writing.followed(output)}.journal"
    return path, f"{path}{OLD}"


def as_line(content: object) -> bytes:
    """Return something in JSON's types as a line with its checksum."""
    return _checked(json.dumps(content, separators=(",", ":")).encode())


def _checked(text: bytes) -> bytes:
    return b"%08x %b\n" % (zlib.crc32(text), text)


#: The first line, by which a journal is told from a file that lies there by mistake.
HEADER = as_line({"journal": "dicecli"})


def read_entries(path: Path, file: int) -> tuple[dict[str, Scored], str | None, int]:
    """Return the whole entries by their fingerprints, when the run began, where the last good line ends."""
    entries: dict[str, Scored] = {}
    began: str | None = None
    position = end = 0
    is_torn_header = True
    with open(file, "rb", closefd=False) as lines:
        for line in lines:
            position += len(line)
            is_torn_header = is_torn_header and HEADER.startswith(line)
            if line != _checked(line[9:-1]):
                continue
            end = position
            with contextlib.suppress(LookupError, TypeError, ValueError, AttributeError):  # of another schema
                content = json.loads(line[9:])
                if "began" in content:
                    began = read(str, content["began"])
                    continue
                entries[content["fingerprint"]] = read(Scored, content["scored"])
    if not (end or is_torn_header):
        raise OutputError(f"{path}: this is no journal", "It is left as it is: give another path.")
    return entries, began, end


def read_aside(path: Path) -> dict[str, Scored]:
    """Return the entries that were put aside from the journals at a path, by their fingerprints.

    Raises
    ------
    OutputError
        Something else is there.
    OSError
        The system refuses.
    """
    old = Path(f"{path}{OLD}")
    try:
        file = os.open(old, os.O_RDONLY | NEVER_LED | getattr(os, "O_NONBLOCK", 0))
    except FileNotFoundError:
        return {}
    try:
        check_regular(old, os.fstat(file))
        return read_entries(old, file)[0]
    finally:
        os.close(file)


def put_aside(path: Path) -> None:
    """Add what is in the journal at a path to what was put aside before; nothing stands there twice.

    It is written whole before anything of the journal is given up.

    Raises
    ------
    OutputError
        It cannot be written, or something else is there.
    OSError
        The system refuses to read.
    """
    old = Path(f"{path}{OLD}")
    read_aside(path)  # what is no journal is left as it is
    before = old.read_bytes() if old.exists() else b""
    lines = [*before.splitlines(), *path.read_bytes().splitlines()]
    writing.write(old, b"".join(b"%b\n" % line for line in dict.fromkeys(lines)))
