"""Standard streams and signals that cannot spoil a run: closed or full streams, SIGTERM."""

from __future__ import annotations

import errno
import io
import os
import select
import signal
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from dicecli.errors import OutputError

if TYPE_CHECKING:
    from types import FrameType

#: Signals that end a run as an interrupt does: with a report of what is done, and no temporary file left.
_ENDING = ("SIGTERM", "SIGHUP")


def prepare() -> None:
    """Make standard streams and signals safe, for a process that is the command line."""
    _fill_gaps()
    for name, kind in (("stdout", _Output), ("stderr", _Errors)):
        stream = getattr(sys, name)
        if os.name == "posix":
            setattr(sys, name, _over(kind, stream))
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    for each in _ENDING:
        # Who ignores a signal, as under nohup, means it.
        if hasattr(signal, each) and signal.getsignal(getattr(signal, each)) == signal.SIG_DFL:
            signal.signal(getattr(signal, each), _end)


def to_nowhere(number: int) -> None:
    """Let what is still written to a stream vanish; Python would complain of it once more on closing."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, number)
    os.close(nowhere)


class _Output(io.FileIO):
    """Standard output. A reader that has gone is nobody's fault; what else is refused is an error."""

    def write(self, data: Any) -> int:
        """Write all that the system takes now; where it takes nothing for now, wait."""
        try:
            while (count := super().write(data)) is None:
                select.select([], [self.fileno()], [])
        except OSError as error:
            self.refused(error)
            return len(memoryview(data).cast("B"))
        return count

    def refused(self, error: OSError) -> None:
        """Write no more; say why not, unless nobody listens.

        Raises
        ------
        OutputError
        """
        to_nowhere(self.fileno())
        if error.errno != errno.EPIPE:
            raise OutputError(
                f"standard output cannot be written: {error.strerror}",
                "Send it where space is: > FILE.",
            ) from error


class _Errors(_Output):
    """Standard error. Whatever becomes of notes and progress, the run goes on."""

    def refused(self, error: OSError) -> None:
        """Write no more."""
        del error
        to_nowhere(self.fileno())


def _fill_gaps() -> None:
    """Open what was closed: no other file, and no pipe, is to become a standard stream by its number."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            with suppress(OSError):
                os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # the lowest number that is free
    for number, name in ((1, "stdout"), (2, "stderr")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, "w", encoding="utf-8", closefd=False))  # noqa: SIM115 - to the end


def _over(kind: type[_Output], stream: Any) -> io.TextIOWrapper:
    """Put a text stream, encoded as the given one, over a raw one of a kind."""
    stream.flush()
    raw = kind(stream.fileno(), "wb", closefd=False)
    is_terminal = raw.isatty()
    return io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding=stream.encoding,
        errors="backslashreplace",
        line_buffering=is_terminal or kind is _Errors,
    )


def _end(number: int, _: FrameType | None) -> None:
    raise SystemExit(128 + number)
