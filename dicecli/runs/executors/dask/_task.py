"""What the workers of a Dask cluster run, and how it is packed for the way."""

from __future__ import annotations

import os
import pickle
import threading
from contextlib import contextmanager
from functools import lru_cache, partial, reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dicecli.records.version import __version__
from dicecli.runs.executors._worker import ERROR, answer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def pack(function: Callable[..., object]) -> bytes:
    """Pack what workers need to know: where relative paths start, the version, and what to do."""
    return pickle.dumps((str(Path.cwd()), __version__, function))


@lru_cache(maxsize=8)
def _unpacked(packed: bytes) -> tuple[str, str, Callable[..., object]]:
    folder, version, function = pickle.loads(packed)  # noqa: S301 - from our own client
    if version != __version__:
        raise RuntimeError(f"a worker has dicecli {__version__}, this is {version}")
    return folder, version, function


def do(packed: bytes, items: list[bytes]) -> list[bytes]:
    """Do the work of a task on a worker: a message for every item."""
    folder, _, function = _unpacked(packed)
    with _working_in(folder):
        return [answer(function, item) for item in items]


class _Place:
    """Where the process of a worker is, and how many of its threads rely on that."""

    changed = threading.Condition()
    folder = ""
    users = 0
    before = ""


@contextmanager
def _working_in(folder: str) -> Iterator[None]:
    """Let relative paths start where they did for who gave them, as long as the context lasts.

    The folder belongs to all threads of a process: tasks that need another one wait. Where there is no such
    folder, relative paths lead nowhere, so that no file is taken for another of the same name.
    """
    with _Place.changed:
        _Place.changed.wait_for(lambda: not _Place.users or _Place.folder == folder)
        if not _Place.users:
            _Place.before = os.getcwd()  # noqa: PTH109 - as it is given back
            try:
                os.chdir(folder)
            except OSError:
                os.chdir(os.path.abspath(os.sep))  # noqa: PTH100 - the root of the drive
            _Place.folder = folder
        _Place.users += 1
    try:
        yield
    finally:
        with _Place.changed:
            _Place.users -= 1
            if not _Place.users:
                os.chdir(_Place.before)
                _Place.changed.notify_all()


def add_up(packed: bytes, parts: list[list[bytes]]) -> list[bytes]:
    """Add up some messages on a worker; the first error among them is the sum."""
    messages = [message for part in parts for message in part]
    wrong = [message for message in messages if message[:1] == ERROR]
    *_, add = _unpacked(packed)
    return wrong[:1] or [answer(partial(_added, add), pickle.dumps(messages))]


def _added(add: Callable[[object, object], object], messages: list[bytes]) -> object:
    return reduce(add, [read(message)[0] for message in messages])


def read(message: bytes) -> tuple[Any, float]:
    """Return the result in a message, and the seconds that it took."""
    result, seconds = pickle.loads(memoryview(message)[1:])  # noqa: S301 - from our own worker
    return result, seconds
