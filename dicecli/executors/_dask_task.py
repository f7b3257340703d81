"""What the workers of a Dask cluster run, and how it is packed for the way."""

from __future__ import annotations

import os
import pickle
from contextlib import suppress
from functools import lru_cache, partial, reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dicecli.executors._worker import ERROR, answer
from dicecli.version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable


def pack(function: Callable[..., Any]) -> bytes:
    """Pack what workers need to know: where relative paths start, the version, and what to do."""
    return pickle.dumps((str(Path.cwd()), __version__, function))


@lru_cache(maxsize=8)
def _unpacked(packed: bytes) -> tuple[str, str, Callable[..., Any]]:
    folder, version, function = pickle.loads(packed)  # noqa: S301 - from our own client
    if version != __version__:
        raise RuntimeError(f"a worker has dicecli {__version__}, this is {version}")
    return folder, version, function


def do(packed: bytes, items: list[bytes]) -> list[bytes]:
    """Do the work of a task on a worker: a message for every item."""
    folder, _, function = _unpacked(packed)
    with suppress(OSError):  # absolute paths need no such folder here
        os.chdir(folder)
    return [answer(function, item) for item in items]


def add_up(packed: bytes, parts: list[list[bytes]]) -> list[bytes]:
    """Add up some messages on a worker; the first error among them is the sum."""
    messages = [message for part in parts for message in part]
    wrong = [message for message in messages if message[:1] == ERROR]
    *_, add = _unpacked(packed)
    return wrong[:1] or [answer(partial(_added, add), pickle.dumps(messages))]


def _added(add: Callable[[Any, Any], Any], messages: list[bytes]) -> Any:
    return reduce(add, [read(message)[0] for message in messages])


def read(message: bytes) -> tuple[Any, float]:
    """Return the result in a message, and the seconds that it took."""
    result, seconds = pickle.loads(memoryview(message)[1:])  # noqa: S301 - from our own worker
    return result, seconds
