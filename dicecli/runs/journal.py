"""What a run has done so far, on disk: one that was killed can be resumed, and nothing counts twice.

A journal is text, a line per scored case, after one that says what it is and one with the day on which the
run began: the CRC-32 of the rest in eight hexadecimal digits, a space, JSON.
It only grows, so that whatever ends the run costs its last line at most. Damaged lines are passed over.
Entries of a run that is begun anew are kept in a second file beside it, which only grows as well.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Self

from dicecli.errors import OutputError
from dicecli.metrics._catalogue import statistics_needed
from dicecli.records.cases import Case, Scored
from dicecli.records.codec import written
from dicecli.runs.entries import HEADER, OLD, as_line, put_aside, read_aside, read_entries
from dicecli.runs.fingerprint import digest, inputs_of, options_of
from dicecli.runs.locked import open_alone
from dicecli.runs.provenance import date_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dicecli.records.cases import Result
    from dicecli.records.settings import Settings

#: What is done is flushed to the disk at most this often; a power failure costs what came after.
_SYNC_S = 1.0


class Journal:
    """The cases that were scored, by the fingerprint of all that their counts depend on.

    Attributes
    ----------
    kept : int
        Cases of an earlier run, whose entries were put aside where this one begins anew.
    used : int
        Cases that were looked for and found among those put aside by earlier runs.
    changed : int
        Cases that were looked for and are here, or among those put aside, but with other settings or files.
    began : str
        The day in UTC on which the run first began, as ISO 8601 has it; that of ``SOURCE_DATE_EPOCH`` where
        it is set.
    """

    def __init__(
        self, path: Path, file: int, entries: dict[str, Scored], began: str, aside: dict[str, Scored]
    ) -> None:
        self.path = path
        self.began = began
        self.kept = self.used = self.changed = 0
        self._aside = aside
        self._file: int | None = file
        self._entries = entries
        self._names = {scored.case.name for each in (entries, aside) for scored in each.values()}
        self._found: set[str] = set()
        self._settings: tuple[Settings | None, str, tuple[str, ...]] = (None, "", ())
        self._before: dict[tuple[Case, str], str] = {}
        self._gap = b""
        self._is_dirty = False
        self._synced = time.monotonic()

    @classmethod
    def open(cls, path: str | os.PathLike[str], *, resume: bool) -> Self:
        """Start a journal; or read what earlier runs left, and go on after the last whole line at `path`.

        Where one is started at a `path` that has entries, these are put aside first, into :attr:`old`;
        what earlier runs put there is read as well where one is gone on with.

        Raises
        ------
        OutputError
            The path cannot be written, something else is there, or another run is using it.
        UsageError
            ``SOURCE_DATE_EPOCH`` is no moment.
        """
        target, today = Path(path), date_of()
        is_new = not os.path.lexists(target)
        with _said(target, "Give a path in a folder that can be written to."):
            file = open_alone(target)
        try:
            with _said(target):
                entries, began, end = read_entries(target, file)
                kept = 0 if resume else len(entries)
                if kept:
                    put_aside(target)
                aside = read_aside(target) if resume else {}
            entries, began, end = (entries, began, end) if resume else ({}, None, 0)
            journal = cls(target, file, entries, date_of(began), aside)
            journal.kept = kept
            journal._start_after(end)
            if began is None:
                journal._write(as_line({"began": today}))
        except BaseException:
            if is_new and not os.fstat(file).st_size:
                with contextlib.suppress(OSError):
                    target.unlink()
            os.close(file)
            raise
        return journal

    @property
    def old(self) -> str:
        """Where entries of earlier runs are."""
        return f"{self.path}{OLD}"

    @property
    def is_old_spent(self) -> bool:
        """Whether every case that was put aside was looked for and found."""
        return self._aside.keys() <= self._found

    def find(self, case: Case, settings: Settings) -> Scored | None:
        """Return what is here of a case whose files and settings are still the same.

        Call it before the case is read: what :meth:`add` writes is then filed under the files as they were,
        so that one which changes in between is counted again.
        """
        options = self._options(settings)
        key = digest([options, *inputs_of(case)])
        found = self._entries.get(key)
        if found is None and key in self._aside:
            found = self._aside[key]
            self.used += 1
        if found is None:
            self._before[case, options] = key
            self.changed += case.name in self._names
            return None
        self._found.add(key)
        # What a CSV says of a case besides may have changed since, and the order of metrics; nothing that was
        # measured depends on it.
        measured = found.measured.in_order(self._settings[2])
        return replace(found, case=replace(found.case, columns=case.columns), measured=measured)

    def add(self, case: Case, settings: Settings, result: Result) -> None:
        """Write down a case that was scored; other results are not kept, so that they are tried again.

        Raises
        ------
        OutputError
            The system refuses. What was written before stays readable, and more may be added.
        """
        options = self._options(settings)
        key = self._before.pop((case, options), None) or digest([options, *inputs_of(case)])
        if isinstance(result, Scored):
            self._write(as_line({"fingerprint": key, "scored": written(result)}))

    def close(self) -> None:
        """Flush to the disk, and let other runs use the file."""
        if self._file is None:
            return
        try:
            with _said(self.path):
                self._sync(self._file)
        finally:
            os.close(self._file)
            self._file = None

    def remove(self) -> None:
        """Close and delete the file; where the system refuses, it stays, and does no harm."""
        self._is_dirty = False
        if sys.platform == "win32":  # no open file can be deleted there
            self.close()
        with contextlib.suppress(OSError):
            self.path.unlink()
        self.close()

    def _options(self, settings: Settings) -> str:
        """Return the digest of the settings, which are the same for every case of a run."""
        if self._settings[0] is not settings:
            self._settings = (settings, digest(options_of(settings)), statistics_needed(settings))
        return self._settings[1]

    def _start_after(self, end: int) -> None:
        """Cut off what follows the last good line: a torn one must not become the start of another."""
        if self._file is not None:
            with _said(self.path):
                os.ftruncate(self._file, end)
        if not end:
            self._write(HEADER)

    def _write(self, line: bytes) -> None:
        """Append a line in one call. One that the system took in part is ended before the next."""
        if self._file is None:
            raise ValueError("the journal is closed")
        rest = memoryview(self._gap + line)
        self._gap = b"\n"
        with _said(self.path):
            while rest:
                rest = rest[os.write(self._file, rest) :]
            self._gap = b""
            self._is_dirty = True
            if time.monotonic() - self._synced >= _SYNC_S:
                self._sync(self._file)

    def _sync(self, file: int) -> None:
        if self._is_dirty:
            os.fsync(file)
            self._is_dirty = False
            self._synced = time.monotonic()


@contextlib.contextmanager
def _said(path: Path, hint: str = "What it holds is kept: free some space, then resume.") -> Iterator[None]:
    """Turn the system's refusal into an error of ours."""
    try:
        yield
    except OSError as error:
        raise OutputError(f"{path}: the journal cannot be used: {error.strerror}", hint) from error
