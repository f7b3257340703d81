"""GDAL, closed off from everything but the file in question, and its errors in this project's words."""

from __future__ import annotations

import itertools
import logging
import os
import threading
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from dicecli.errors import Corrupt, TooLarge, Truncated
from dicecli.masks import files, gdal_options

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any


@contextmanager
def closed_off(path: str, *, has_place: bool = True) -> Iterator[None]:
    """Run GDAL closed off from everything but the file, and turn its errors into this project's.

    What is opened where it `has_place` not is not asked for its transform and system.
    """
    # rasterio lets GDAL's own errors through, of a class that only its private module names.
    from rasterio._err import CPLE_BaseError
    from rasterio.errors import RasterioError

    try:
        with gdal_options.fixed(has_place=has_place):
            yield
    except (RasterioError, CPLE_BaseError) as error:
        said = message(error, path)
        short = any(word in said.lower() for word in ("eof", "got 0 bytes", "not enough data", "truncat"))
        kind = Truncated if short or "Read error" in said else Corrupt
        raise kind(f"GDAL cannot read it: {said}", "Fetch or save the file again.", path) from error
    except UnicodeDecodeError as error:
        raise Corrupt(
            "its tags hold text that is not UTF-8", "Save it again with a text that is, or without.", path
        ) from error
    except MemoryError as error:
        raise TooLarge("its blocks do not fit into memory", "Save it with tiles.", path) from error


@contextmanager
def reading_fax(path: str) -> Iterator[None]:
    """Run GDAL closed off while it reads pixels in CCITT, where it must have nothing to complain of.

    Of codes that make no sense it only warns, and goes on with whatever comes of them. In other compressions
    it ends there; and of PackBits it warns where nothing is wrong, at tiles of which it needs some rows.

    Raises
    ------
    Corrupt
    """
    with closed_off(path), listening() as said:
        yield
        if said:
            what = _without_path(said[0], path)
            raise Corrupt(f"GDAL cannot read it whole: {what}", "Fetch or save the file again.", path)


@contextmanager
def nameable(path: str) -> Iterator[str]:
    """Give a path that GDAL takes for a file and nothing else: absolute, and in UTF-8.

    A name that is not UTF-8, which POSIX allows, goes by the number of an open file.
    """
    full = os.path.abspath(path)  # noqa: PTH100 - a string, whatever is in it
    try:
        full.encode()
    except UnicodeEncodeError:
        with files.open_regular(path) as file:
            yield f"/dev/fd/{file.fileno()}"
    else:
        yield full


#: What a logger may be told by, beside ``log``.
_LEVELS = {"warning": logging.WARNING, "error": logging.ERROR, "critical": logging.CRITICAL}


class _Ears:
    """What GDAL says in threads that listen, as rasterio is about to log it: a host may have turned logs off.

    Loggers are the process's. While somebody listens, those two of rasterio pass a message on before they do
    with it what they ever did; whoever ends last puts them back.
    """

    def __init__(self) -> None:
        self._lock, self._said = threading.Lock(), list[tuple[int, list[str]]]()

    def open(self, said: list[str]) -> None:
        """Begin to collect what is said in this thread."""
        with self._lock:
            if not self._said:
                for logger, way in self._ways():
                    setattr(logger, way, partial(self._hear, logger, way))
            self._said.append((threading.get_ident(), said))

    def close(self, said: list[str]) -> None:
        """End what :meth:`open` has begun."""
        with self._lock:
            self._said = [each for each in self._said if each[1] is not said]
            if not self._said:
                for logger, way in self._ways():
                    delattr(logger, way)

    def _ways(self) -> list[tuple[logging.Logger, str]]:
        """Return the two loggers that have GDAL's messages, with every method that may be told of them."""
        loggers = [logging.getLogger(name) for name in ("rasterio._err", "rasterio._env")]
        return list(itertools.product(loggers, ("log", *_LEVELS)))

    def _hear(self, logger: logging.Logger, way: str, *given: Any) -> None:
        level, text, *words = given if way == "log" else (_LEVELS[way], *given)
        if level >= logging.WARNING:
            for thread, said in self._said:
                if thread == threading.get_ident():
                    said.append(text % tuple(words))
        getattr(type(logger), way)(logger, *given)


_EARS = _Ears()


@contextmanager
def listening() -> Iterator[list[str]]:
    """Collect what GDAL warns of in this thread: an ignored tag changes what is read."""
    said = list[str]()
    _EARS.open(said)
    try:
        yield said
    finally:
        _EARS.close(said)


def message(error: BaseException, path: str) -> str:
    """Find the message of GDAL itself, at the end of the chain of causes, without the path."""
    while error.__cause__ is not None:
        error = error.__cause__
    return _without_path(str(getattr(error, "errmsg", None) or error), path)


def _without_path(text: str, path: str) -> str:
    return text.replace(os.path.abspath(path), os.path.basename(path)).strip()  # noqa: PTH100, PTH119
