"""What the tests of executors run: module-level functions, since worker processes import them."""

from __future__ import annotations

import contextlib
import gc
import os
import sys
import time
from multiprocessing.connection import Connection
from pathlib import Path


class Deadly:
    """A function whose loading ends the process, as a broken library does."""

    def __init__(self, code):
        self.code = code

    def __reduce__(self):
        return os._exit, (self.code,)


class Unloadable:
    """A function whose loading fails."""

    def __reduce__(self):
        return fail, ("no such library",)


class FirstComes:
    """A function that only one process can load; others die of it."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return load_first, (self.path,)


class OneWayError(Exception):
    """An error that can be pickled, but not unpickled."""

    def __init__(self, what, why):
        super().__init__(f"{what}: {why}")


def children():
    """List the processes that this one has started and that are not over; of Linux alone."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            state, parent = (path / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()[:2]
            # That of multiprocessing itself, which a test may have started, stays.
            if parent == str(os.getpid()) and state not in "ZX":
                found += [] if b"resource_tracker" in (path / "cmdline").read_bytes() else [int(path.name)]
    return found


def paths(*_: object):
    """Return where a worker looks for modules."""
    return [*sys.path]


def start_up(_):
    """Return the names of all packages and modules that a process has loaded once it has scored two arrays."""
    import dicecli

    dicecli.score([[0, 1]], [[1, 1]])
    return sorted({name.partition(".")[0] for name in sys.modules})


def square(number):
    return number * number


def fail(what):
    raise ValueError(what)


def fail_at_five(number):
    return fail(f"item {number}") if number == 5 else number


def slow_square(number):
    time.sleep(0.02)
    return number * number


def echo(item):
    return item


def lost(item, reason):
    return "lost", item, reason


def obey(order):
    """Wait some seconds, then do as told: die of a signal, leave with a code, or return."""
    seconds, what, number = order
    time.sleep(seconds)
    if what == "signal":
        os.kill(os.getpid(), number)
    elif what == "exit":
        os._exit(number)
    return number


def load_first(path):
    try:
        path.touch(exist_ok=False)
    except FileExistsError:
        os._exit(4)
    return obey


def break_the_rules(what):
    """Give back, or raise, what cannot travel between processes."""
    if what == "result":
        return lambda: None
    if what == "error":
        error = ValueError("with a lambda in it")
        error.cargo = lambda: None
        raise error
    if what == "one-way error":
        raise OneWayError("the cause", "the reason")
    return what


def sign_in(folder):
    """Leave the process's number in a folder, then work for an hour; without a folder, return at once."""
    if folder is not None:
        (Path(folder) / str(os.getpid())).touch()
        time.sleep(3600)


def sign_in_and_hold_the_lock(folder):
    """Leave the process's number in a folder, then count for hours without letting another thread run."""
    if folder is not None:
        (Path(folder) / str(os.getpid())).touch()
        sum(range(10**13))


def process_id(_):
    return os.getpid()


def inherited(_):
    """Return whether a module of the parent is here, and which regular files are open."""
    listed = Path("/proc/self/fd").iterdir()
    files = [each.resolve() for each in listed if int(each.name) > 2 and each.is_file()]
    return "loaded_by_the_parent" in sys.modules, [each.name for each in files if each.name == "journal"]


def babble(what):
    """Say something to the parent beside the answers: bytes as they are; return other things."""
    if isinstance(what, bytes):
        pipes = [each for each in gc.get_objects() if isinstance(each, Connection) and not each.closed]
        for pipe in pipes:
            os.write(pipe.fileno(), what)
        time.sleep(60)
    return what


class Hanging:
    """A function whose loading never ends."""

    def __reduce__(self):
        return time.sleep, (60,)


def nest(left, right):
    """Add up by telling what was added to what."""
    return left, right


def where(_):
    """Return the set of the processes that have worked on it."""
    return frozenset({os.getpid()})


def both_and_where(left, right):
    return left | right | {os.getpid()}
