"""What a worker process does, and what is said with it over one pipe.

A worker says HELLO, is sent the function, says READY (or FAILED), and answers every item that it is sent, in
their order, with RESULT or ERROR. A message may bring several items. Sent BACK, a worker says BACK with the
positions of those that it has not begun, and forgets them, even amid an item. It ends as soon as its pipe
closes: the run is over, or the parent is gone.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import sys
import threading
import time
import traceback
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import TYPE_CHECKING

from dicecli.runs.allocator import keep_freed_memory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from multiprocessing.connection import Connection

HELLO, READY, FAILED, RESULT, ERROR, BACK = b"H", b"Y", b"F", b"R", b"E", b"B"
#: Bytes before an item, and behind the kind of an answer, that say the item's position.
PLACE = 8
#: How long a worker is waited for at each step of ending it.
PATIENCE_S = 1.0
_HELD = tuple(getattr(signal, each) for each in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, each))


@contextlib.contextmanager
def signals_held(blocked: Sequence[signal.Signals] = _HELD) -> Iterator[None]:
    """Hold signals back, so that no child starts unlisted; it inherits the blocked ones."""
    if sys.platform == "win32":
        yield
        return
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


def packed(items: Iterable[tuple[int, object]]) -> bytes:
    """Return the message that brings these items: of each its position, how long it is, and itself."""
    parts = []
    for position, item in items:
        body = pickle.dumps(item)
        parts += [position.to_bytes(PLACE, "little"), len(body).to_bytes(PLACE, "little"), body]
    return b"".join(parts)


def work(pipe: Connection, unwanted: Sequence[int] | None = None) -> None:
    """Be a worker: answer every item until the pipe closes.

    Parameters
    ----------
    pipe : Connection
    unwanted : sequence of int, optional
        Of a worker that was forked: the open files that are its parent's.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what an interrupt means
    if sys.platform != "win32":
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # and what the end of the terminal means
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _HELD)
    _leave(unwanted or ())
    keep_freed_memory()
    inbox: SimpleQueue[tuple[bytes, bytes]] = SimpleQueue()
    speaking = Lock()
    Thread(target=_read, args=(pipe, inbox, speaking), daemon=True).start()
    with contextlib.suppress(OSError):  # the parent is gone
        pipe.send_bytes(HELLO)
        try:
            function = pickle.loads(inbox.get()[1])  # noqa: S301 - from our own parent
        except BaseException as error:  # noqa: BLE001 - whatever it is, the parent tells it
            reason = f"could not load what it is to run: {_summary(error)}"
            pipe.send_bytes(FAILED + reason.encode("utf-8", "replace"))
            return
        pipe.send_bytes(READY)
        while True:
            place, data = inbox.get()
            reply = answer(function, data)
            # An answer names its item: one that an interrupt keeps the parent from reading shifts no other.
            with speaking:
                pipe.send_bytes(reply[:1] + place + reply[1:])


def _leave(files: Sequence[int]) -> None:
    """Let go of files of the parent, whose numbers stay taken: no object of it may close one of ours."""
    if not files:
        return
    nothing = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    for each in files:
        os.dup2(nothing, each, inheritable=False)
    os.close(nothing)


def _read(pipe: Connection, inbox: SimpleQueue[tuple[bytes, bytes]], speaking: Lock) -> None:
    """Take what comes, so that the parent never waits; end the process with its pipe, even amid an item."""
    try:
        inbox.put((b"", pipe.recv_bytes()))  # the function
        while True:
            message = pipe.recv_bytes()
            if message == BACK:
                given_back = _taken_out(inbox)
                with speaking:
                    pipe.send_bytes(BACK + given_back)
                continue
            start = 0
            while start < len(message):
                place, start = message[start : start + PLACE], start + 2 * PLACE
                end = start + int.from_bytes(message[start - PLACE : start], "little")
                inbox.put((place, message[start:end]))
                start = end
    except (EOFError, OSError):
        os._exit(0)


def _taken_out(inbox: SimpleQueue[tuple[bytes, bytes]]) -> bytes:
    """Empty an inbox, and return the positions of what was in it."""
    places = []
    with contextlib.suppress(Empty):
        while True:
            places.append(inbox.get_nowait()[0])
    return b"".join(places)


def answer(function: Callable[..., object], data: bytes) -> bytes:
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
