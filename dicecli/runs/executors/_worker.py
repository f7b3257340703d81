"""One worker process and what is said with it, over one pipe.

A worker says HELLO, is sent the function, says READY (or FAILED), and answers every item that it is sent, in
their order, with RESULT or ERROR. It ends as soon as its pipe closes: the run is over, or the parent is gone.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import socket
import struct
import sys
import threading
import time
import traceback
from collections import deque
from multiprocessing import get_context, resource_tracker
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any

from dicecli.runs.allocator import keep_freed_memory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from multiprocessing.connection import Connection
    from multiprocessing.context import BaseContext

HELLO, READY, FAILED, RESULT, ERROR = b"H", b"Y", b"F", b"R", b"E"
#: How long a worker is waited for at each step of ending it.
PATIENCE_S = 1.0
#: How long a process whose pipe has ended is waited for, since its exit code says why it died.
_LAST_WORD_S = 10.0
#: How long the rest of a message is waited for once it has begun; a few milliseconds are usual.
_MESSAGE_S = 30
_HELD = tuple(getattr(signal, each) for each in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, each))
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
            self.process = self.context.Process(target=_work, args=(theirs,), daemon=True)  # type: ignore[attr-defined]
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
    context.set_forkserver_preload([__name__, *modules])
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


#: Bytes before an item, and behind the kind of an answer, that say the item's position.
PLACE = 8


@contextlib.contextmanager
def signals_held(blocked: Sequence[signal.Signals] = _HELD) -> Iterator[None]:
    """Hold signals back, so that no child starts unlisted; it inherits the blocked ones."""
    if sys.platform == "win32":
        yield
        return
    resource_tracker.ensure_running()  # by its first start it would let the signals through again
    came: list[int] = []
    # The mask is the main thread's and the child's; a signal that another thread takes is only noted.
    is_main = threading.current_thread() is threading.main_thread()
    handlers = {each: signal.signal(each, lambda number, _: came.append(number)) for each in _HELD if is_main}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, blocked)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        for held, handler in handlers.items():
            signal.signal(held, handler)
        for number in dict.fromkeys(came):
            signal.raise_signal(number)


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


def unpacked(body: memoryview) -> BaseException:
    """Return the error that a worker sent, or one that says the same where it does not travel."""
    packed, summary, text = pickle.loads(body)  # noqa: S301 - from our own worker
    error = None
    with contextlib.suppress(Exception):
        error = pickle.loads(packed)  # noqa: S301 - as above
    if not isinstance(error, BaseException):
        error = RuntimeError(summary)
    error.add_note(f"In a worker process:\n{text}")
    return error


def _work(pipe: Connection) -> None:
    """Be a worker: answer every item until the pipe closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what an interrupt means
    if sys.platform != "win32":
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # and what the end of the terminal means
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _HELD)
    keep_freed_memory()
    inbox: SimpleQueue[bytes] = SimpleQueue()
    Thread(target=_read, args=(pipe, inbox), daemon=True).start()
    with contextlib.suppress(OSError):  # the parent is gone
        pipe.send_bytes(HELLO)
        try:
            function = pickle.loads(inbox.get())  # noqa: S301 - from our own parent
        except BaseException as error:  # noqa: BLE001 - whatever it is, the parent tells it
            reason = f"could not load what it is to run: {_summary(error)}"
            pipe.send_bytes(FAILED + reason.encode("utf-8", "replace"))
            return
        pipe.send_bytes(READY)
        while True:
            data = inbox.get()
            reply = answer(function, data[PLACE:])
            # An answer names its item: one that an interrupt keeps the parent from reading shifts no other.
            pipe.send_bytes(reply[:1] + data[:PLACE] + reply[1:])


def _read(pipe: Connection, inbox: SimpleQueue[bytes]) -> None:
    """Take what comes, so that the parent never waits; end the process with its pipe, even amid an item."""
    try:
        while True:
            inbox.put(pipe.recv_bytes())
    except (EOFError, OSError):
        os._exit(0)


def answer(function: Callable[[Any], Any], data: bytes) -> bytes:
    """Return the message for one item: its result and the seconds that it took, or the error."""
    started = time.perf_counter()
    try:
        result = function(pickle.loads(data))  # noqa: S301 - from our own parent
        return RESULT + pickle.dumps((result, time.perf_counter() - started))
    except BaseException as error:  # noqa: BLE001 - it is raised again in the parent
        text = "".join(traceback.format_exception(error))
        try:
            packed = pickle.dumps(error)
        except Exception:  # noqa: BLE001 - an error may hold anything
            packed = b""
        return ERROR + pickle.dumps((packed, _summary(error), text))


def _summary(error: BaseException) -> str:
    return "".join(traceback.format_exception_only(error)).strip()
