"""A worker process as its parent sees it: started, spoken with over one pipe, ended.

How it comes to be started, and what it says, is in :mod:`dicecli.runs.executors._worker`.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import struct
import sys
import time
from collections import deque
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

from dicecli.runs.executors import _worker
from dicecli.runs.executors._worker import PATIENCE_S, signals_held, work

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.context import BaseContext

#: How long a process whose pipe has ended is waited for, since its exit code says why it died.
_LAST_WORD_S = 10.0
#: How long the rest of a message is waited for once it has begun; a few milliseconds are usual.
_MESSAGE_S = 30
#: The exit code of processes whose server has ended before them.
_UNKNOWN = 255
_WHY = {
    "SIGKILL": "; often the system runs out of memory",
    "SIGSEGV": "; a crash inside a library",
    "SIGABRT": "; a crash inside a library",
}


class Worker:
    """A process, its pipe, what it was given and has not answered, and how many items it may hold.

    Attributes
    ----------
    since : float
        When it began what it is at, its start or an item, by the monotonic clock.
    is_orphan : bool
        Whether the server that started it is gone, so that nobody tells how it ends: its pipe tells when.
    is_amid : bool
        Whether a message of it has been read in part: what follows cannot be understood.
    """

    #: How processes are started; see :func:`prepare`.
    context: BaseContext = get_context("spawn")

    def __init__(self) -> None:
        self.tasks: deque[tuple[int, Any]] = deque()
        self.is_ready = self.is_amid = self.is_orphan = False
        self.room = 0
        self.since = time.monotonic()
        self.pipe, theirs = self.context.Pipe()
        _limit_messages(self.pipe)
        try:
            # The stubs give each context its Process, and their common base none.
            self.process = self.context.Process(target=work, args=(theirs,), daemon=True)  # type: ignore[attr-defined]  # every context has one
            self.process.start()
        except BaseException:
            self.pipe.close()
            raise
        finally:
            theirs.close()

    def send(self, data: bytes) -> bool:
        """Send, and return whether that went; where not, the worker is dead, and its pipe will say so."""
        try:
            self.pipe.send_bytes(data)
        except OSError:
            self.room = 0
            self.kill()  # where it only does not listen
            return False
        return True

    def hear(self) -> memoryview:
        """Receive a message; an interrupt amid it leaves the worker marked.

        Raises
        ------
        EOFError, OSError
            It is dead, or stops amid the message.
        """
        self.is_amid = True
        message = memoryview(self.pipe.recv_bytes())
        self.is_amid = False
        return message

    def is_over(self) -> bool:
        """Whether the process is over, once something says so: that may be the end of its server alone."""
        code = self.process.exitcode
        if code == _UNKNOWN and self.context.get_start_method() == "forkserver":
            with contextlib.suppress(OSError):
                os.kill(self.process.pid or 0, 0)
                self.is_orphan = True
        return not self.is_orphan

    def kill(self) -> None:
        """Kill the process."""
        if self.is_orphan and self.process.pid:
            with contextlib.suppress(OSError):
                os.kill(self.process.pid, signal.SIGKILL)
        else:
            self.process.kill()

    def end(self, *, by_force: bool = False) -> str:
        """Make sure that the process is over, and say how it ended."""
        self.pipe.close()
        if by_force or self.is_orphan:
            self.kill()
        if self.is_orphan:
            return "ended; what started it has ended before, and nobody knows how"
        self.process.join(_LAST_WORD_S)
        if self.process.exitcode is None:
            self.process.kill()
            self.process.join(PATIENCE_S)
            return "closed its pipe"
        return ending(self.process.exitcode)


def prepare(*modules: str) -> None:
    """Have a small server import some modules meanwhile, and fork the workers; they start at once then.

    It concerns all of a process, and goes without `__main__`: for processes that are this project's own. On
    Linux alone; elsewhere libraries do not survive a fork. Where it fails, workers start as they do without.
    """
    if sys.platform != "linux":
        return
    from multiprocessing import forkserver

    context = get_context("forkserver")
    context.set_forkserver_preload([_worker.__name__, *modules])
    with contextlib.suppress(OSError), signals_held():
        forkserver.ensure_running()
        Worker.context = context


def started() -> Worker:
    """Start a worker; without the server of :func:`prepare` where that is gone.

    Raises
    ------
    OSError
    """
    try:
        return Worker()
    except (OSError, EOFError):
        if Worker.context.get_start_method() == "spawn":
            raise
        Worker.context = get_context("spawn")
        return Worker()


def _limit_messages(pipe: Connection) -> None:
    """Let nobody wait for ever on a worker that stops amid a message, where pipes are sockets."""
    if sys.platform == "win32":
        return
    with contextlib.suppress(OSError), socket.socket(fileno=os.dup(pipe.fileno())) as end:
        for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
            end.setsockopt(socket.SOL_SOCKET, option, struct.pack("@ll", _MESSAGE_S, 0))


def ending(code: int) -> str:
    """Say in words how a process ended, from its exit code."""
    if code >= 0:
        return f"ended with exit code {code}"
    name = {each.value: each.name for each in signal.Signals}.get(-code, "")
    return f"was killed by signal {-code}{f' ({name})' if name else ''}{_WHY.get(name, '')}"


def affordable(jobs: int) -> int:
    """Bound the workers by what the system lets one process watch."""
    if sys.platform == "win32":
        return min(jobs, 30)  # WaitForMultipleObjects takes 64 handles; each worker has two
    import resource

    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limit == resource.RLIM_INFINITY:
        return jobs
    return max(1, min(jobs, (limit - 32) // 3))  # each worker takes three, and the program needs some
