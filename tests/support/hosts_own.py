"""What belongs to whoever calls this package: looked at before and after, and watched meanwhile from another thread."""

from __future__ import annotations

import csv
import decimal
import gc
import locale
import logging
import multiprocessing
import os
import random
import re
import signal
import socket
import sys
import threading
import types
import warnings
from contextlib import contextmanager, suppress
from multiprocessing import resource_tracker, spawn
from pathlib import Path

import numpy as np
import pytest

#: What sets something for all of a process: not called by this package, not even for a moment.
SETTERS = [
    ("csv", "field_size_limit"),
    ("sys", "setrecursionlimit"),
    ("sys", "set_int_max_str_digits"),
    ("sys", "setswitchinterval"),
    ("decimal", "setcontext"),
    ("locale", "setlocale"),
    ("os", "umask"),
    ("os", "chdir"),
    ("os", "putenv"),
    ("os", "unsetenv"),
    ("gc", "disable"),
    ("gc", "freeze"),
    ("random", "seed"),
    ("numpy.random", "seed"),
    ("numpy", "seterr"),
    ("numpy", "set_printoptions"),
    ("signal", "signal"),
    ("socket", "setdefaulttimeout"),
    ("logging", "disable"),
    ("multiprocessing", "set_start_method"),
    ("warnings", "simplefilter"),
    ("warnings", "filterwarnings"),
    ("warnings", "resetwarnings"),
    ("warnings", "catch_warnings"),
    ("rasterio._env", "set_gdal_config"),
    ("rasterio._env", "del_gdal_config"),
    ("pandas", "set_option"),
    ("torch", "set_num_threads"),
    ("torch", "set_default_dtype"),
    ("torch", "use_deterministic_algorithms"),
    ("torch", "manual_seed"),
    ("matplotlib", "use"),
    ("matplotlib", "rc"),
]
#: Modules whose plain values are options of their libraries.
OPTIONS = (
    "PIL.Image",
    "PIL.ImageFile",
    "PIL.PngImagePlugin",
    "nibabel.imageglobals",
    "nibabel.arrayproxy",
    "nibabel.openers",
    "logging",
    "multiprocessing.process",
)
GUARDED = ("PIL.Image", "PIL.ImageFile", "PIL.PngImagePlugin")
#: What another thread sees as well, and is never to see otherwise; and what may be otherwise meanwhile.
WATCHED, MEANWHILE = {}, {}


def watched(function):
    """Enter into the table what is watched from another thread, and compared afterwards."""
    WATCHED[function.__name__] = function
    return function


def compared(function):
    """Enter into the table what is a thread's own, or is otherwise as long as something runs."""
    MEANWHILE[function.__name__] = function
    return function


@watched
def environment():
    return dict(os.environ)


@watched
def paths():
    return (
        list(sys.path),
        list(map(str, sys.meta_path)),
        list(map(str, sys.path_hooks)),
        Path.cwd(),
        sys.argv,
    )


@watched
def signals():
    return {each: signal.getsignal(each) for each in signal.valid_signals()}


@watched
def hooks():
    given = (sys.excepthook, threading.excepthook, sys.displayhook, sys.unraisablehook, warnings.showwarning)
    return *given, sys.stdin, sys.stdout, sys.stderr, sys.gettrace(), sys.getprofile()


@watched
def filters():
    return list(warnings.filters)


@watched
def loggers():
    """Every logger with its level, handlers, filters and what was put into it; those made later are new."""
    found = {
        name: each
        for name, each in logging.root.manager.loggerDict.items()
        if isinstance(each, logging.Logger)
    }
    return {name: of_logger(each) for name, each in [*found.items(), ("", logging.root)]}


def of_logger(logger):
    handlers = [(each, each.level, list(each.filters), each.formatter) for each in logger.handlers]
    given = logger.level, logger.disabled, logger.propagate, list(logger.filters), handlers
    return *given, sorted({*vars(logger)} - {"_cache"})


@watched
def numbers():
    sizes = csv.field_size_limit(), sys.getrecursionlimit(), sys.get_int_max_str_digits()
    collected = gc.get_threshold(), gc.isenabled(), gc.get_freeze_count()
    return *sizes, *collected, sys.getswitchinterval(), socket.getdefaulttimeout(), np.get_printoptions()


@watched
def language():
    return locale.setlocale(locale.LC_ALL), os.umask if sys.platform != "linux" else mode_of_files()


def mode_of_files():
    return re.findall(r"Umask:\s*(\d+)", Path("/proc/self/status").read_text(encoding="ascii"))


@watched
def processes():
    """Nobody has chosen how processes start, so that the host still may."""
    return multiprocessing.get_start_method(allow_none=True), spawn.get_executable(), sys.executable


@watched
def of_modules():
    kinds = (bool, int, float, str, bytes, tuple, type(None))
    return {
        f"{name}.{each}": value
        for name in OPTIONS
        for each, value in vars(sys.modules.get(name, types)).items()
        if isinstance(value, kinds) and not each.startswith("_")
    }


@watched
def gdal():
    if "rasterio._env" not in sys.modules:
        return None
    from rasterio._env import get_gdal_config

    from dicecli.masks.gdal_options import OPTIONS as FIXED

    return {name: get_gdal_config(name, normalize=False) for name in [*FIXED, "GDAL_CACHEMAX", "CPL_DEBUG"]}


@watched
def of_libraries():
    found = {}
    if "matplotlib" in sys.modules:
        found |= {f"rcParams {name}": value for name, value in dict.items(sys.modules["matplotlib"].rcParams)}
    if "dask" in sys.modules:
        found["dask"] = repr(sys.modules["dask"].config.config)
    if "pandas" in sys.modules:
        found["pandas"] = repr(sys.modules["pandas"]._config.config._global_config)
    return found


@watched
def torchs():
    torch = sys.modules.get("torch")
    if torch is None:
        return None
    switches = torch.are_deterministic_algorithms_enabled(), torch.get_float32_matmul_precision()
    return (
        torch.get_num_threads(),
        torch.get_default_dtype(),
        *switches,
        torch.get_rng_state().numpy().tobytes(),
    )


@watched
def chance():
    generator = np.random.get_state()  # noqa: NPY002 - the host's own
    return hash(random.getstate()), generator[1].tobytes(), generator[2:]


@compared
def of_this_thread():
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, ()) if hasattr(signal, "pthread_sigmask") else None
    torch, env = sys.modules.get("torch"), sys.modules.get("rasterio.env")
    grad = torch is not None and torch.is_grad_enabled()
    return mask, str(decimal.getcontext()), np.geterr(), np.geterrcall(), grad, env and env.hasenv()


@compared
def open_things():
    """Threads, children, and files, but for those that libraries keep open: a database of places, fonts."""
    files = []
    for each in list(Path("/proc/self/fd").iterdir()) if Path("/proc/self/fd").is_dir() else []:
        with suppress(OSError):
            files.append(str(each.readlink()))
    left = sorted(each for each in files if not each.endswith(("proj.db", "/fd", ".ttf")))
    threads = sorted(each.name for each in threading.enumerate() if each is not Watch.thread)
    return threads, multiprocessing.active_children(), resource_tracker._resource_tracker._fd, left


class Watch:
    """A thread that compares what is the host's with what it was, again and again."""

    thread = None


class Guarded(types.ModuleType):
    """A module that remembers who sets a name of it."""

    seen: list[str] = []  # noqa: RUF012 - of all of them

    def __setattr__(self, name, value):
        if name != "__class__":
            Guarded.seen.append(f"{self.__name__}.{name}")
        super().__setattr__(name, value)


def state(table):
    return {name: look() for name, look in table.items()}


def differences(before, after):
    """Name what is otherwise; what is new was loaded meanwhile."""
    for name, value in before.items():
        if name == "environment":  # of which the names are said alone
            changed = dict(value.items() ^ after[name].items())
            yield from (f"{name}: {each}" for each in sorted(changed))
        elif isinstance(value, dict):
            yield from (f"{name}: {each}" for each in value if value[each] != after[name].get(each))
        elif value != after[name]:
            was, now = (each if isinstance(each, (tuple, list)) else (each,) for each in (value, after[name]))
            yield f"{name}: {[each for each in was if each not in now]} -> {[each for each in now if each not in was]}"


@contextmanager
def left_alone(allowed=()):
    """Collect what is set, seen otherwise from another thread, or left otherwise, but for what begins as is `allowed`.

    Yields
    ------
    list of str
        Filled at the end.
    """
    found, ended = [], threading.Event()
    before, own = state(WATCHED), state(MEANWHILE)

    def watch():
        while not ended.wait(0.02):
            seen = {f"meanwhile, {each}" for each in differences(before, state(WATCHED))}
            found.extend(seen - {*found})

    Watch.thread = threading.Thread(target=watch, name="watch")
    Guarded.seen.clear()
    Watch.thread.start()
    try:
        yield found
    finally:
        ended.set()
        Watch.thread.join()
        found += [f"for a moment, {each}" for each in sorted({*Guarded.seen})]
        found += differences(before | own, state(WATCHED) | state(MEANWHILE))
        found[:] = [each for each in found if not each.startswith(tuple(allowed))]


@contextmanager
def guarded():
    """Note what this package sets for a whole process, as :attr:`Guarded.seen`; what libraries do is their matter."""
    modules = [sys.modules[name] for name in GUARDED if name in sys.modules]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(multiprocessing.context._default_context, "_actual_context", None)
        for module, name in SETTERS:
            if module in sys.modules:
                real = getattr(sys.modules[module], name)
                patch.setattr(sys.modules[module], name, _noting(f"{module}.{name}", real))
        for module in modules:
            module.__class__ = Guarded
        try:
            yield
        finally:
            for module in modules:
                module.__class__ = types.ModuleType


def _noting(what, real):
    def called(*given, **more):
        if str(sys._getframe(1).f_globals.get("__name__")).startswith("dicecli"):
            Guarded.seen.append(what)
        return real(*given, **more)

    return called
