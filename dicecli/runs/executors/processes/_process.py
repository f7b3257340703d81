"""A worker process as its parent sees it: started, spoken with over one pipe, ended.

How it comes to be started, and what it says, is in :mod:`dicecli.runs.executors._worker`.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import socket
import struct
import sys
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Any

from dicecli.runs.executors._fresh import Fresh
from dicecli.runs.executors._worker import PATIENCE_S, signals_held, work

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess

#: How long a process whose pipe has ended is waited for, since its exit code says why it died.
_LAST_WORD_S = 10.0
#: How long the rest of a message is waited for once it has begun; a few milliseconds are usual.
_MESSAGE_S = 30
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
    seconds : float
        What its items took of late, on average.
    is_amid : bool
        Whether a message of it has been read in part: what follows cannot be understood.
    is_recalled : bool
        Whether it was asked for what it has not begun, and has not answered that yet.
    """

    def __init__(self, inherited: list[int] | None = None) -> None:
        """Start it: forked from this process, where it is said which open files it must not keep."""
        self.tasks: deque[tuple[int, Any]] = deque()
        self.is_ready = self.is_amid = self.is_recalled = False
        self.room = 0
        self.seconds = 0.0
        self.since = time.monotonic()
        self.process: Fresh | BaseProcess
        if inherited is None:
            fresh = Fresh(work)
            self.process, self.pipe = fresh, fresh.pipe
        else:
            self.process, self.pipe = _forked(inherited)
        _limit_messages(self.pipe)

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

    def kill(self) -> None:
        """Kill the process."""
        self.process.kill()

    def end(self, *, by_force: bool = False) -> str:
        """Make sure that the process is over, and say how it ended."""
        self.pipe.close()
        if by_force:
            self.kill()
        self.process.join(_LAST_WORD_S)
        if self.process.exitcode is None:
            self.process.kill()
            self.process.join(PATIENCE_S)
            return "closed its pipe"
        return ending(self.process.exitcode)


def start(workers: list[Worker], *, may_fork: bool) -> None:
    """Start a worker, and list it with the others, whatever signal comes meanwhile.

    Raises
    ------
    OSError
    """
    # In a child of a process with threads, a lock may stay locked.
    forks = may_fork and sys.platform == "linux" and threading.active_count() == 1
    inherited = _open_files() if forks else None
    with signals_held():
        workers.append(Worker(inherited))


def _open_files() -> list[int] | None:
    """Return the numbers of open files, but for the standard streams; None where they are unknown.

    A worker must not keep them: the lock of a journal, and the pipes by whose end other workers end.
    """
    try:
        listed = [int(each) for each in os.listdir("/proc/self/fd")]  # noqa: PTH208 - names alone
    except OSError:
        return None
    found = []
    for each in listed:
        with contextlib.suppress(OSError):  # the one that listed them is closed
            os.fstat(each)
            found += [each] if each > 2 else []
    return found


def _forked(inherited: list[int]) -> tuple[BaseProcess, Connection]:
    """Fork a worker, and return it with its pipe; it is told which open files it must not keep."""
    context = multiprocessing.get_context("fork")
    pipe, theirs = context.Pipe()
    try:
        process = context.Process(target=work, args=(theirs, [*inherited, pipe.fileno()]), daemon=True)
        process.start()
    except BaseException:
        pipe.close()
        raise
    finally:
        theirs.close()
    return process, pipe


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
