"""GDAL, closed off from everything but the file in question, and its errors in this project's words."""

from __future__ import annotations

import logging
import os
import threading
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING

from dicecli.errors import Corrupt, TooLarge, Truncated
from dicecli.masks import files

if TYPE_CHECKING:
    from collections.abc import Iterator

#: GDAL's block cache, in megabytes: windows suit the blocks, so that little need be kept.
_CACHE_MB = 64
_OPTIONS = {
    "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
    "GDAL_PAM_ENABLED": "NO",
    "GDAL_CACHEMAX": _CACHE_MB,
}

_ONE_AT_A_TIME = threading.Lock()


@contextmanager
def closed_off(path: str) -> Iterator[None]:
    """Run GDAL closed off from everything but the file, and turn its errors into this project's."""
    import rasterio

    # rasterio lets GDAL's own errors through, of a class that only its private module names.
    from rasterio._err import CPLE_BaseError
    from rasterio.errors import RasterioError

    try:
        with rasterio.Env(**_OPTIONS):
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


@contextmanager
def listening() -> Iterator[list[str]]:
    """Collect what GDAL warns of, which rasterio logs: a tag that is ignored changes what is read.

    That a file has no georeferencing is said elsewhere. Filters of warnings and handlers of logs are the
    process's: one thread at a time.
    """
    from rasterio.errors import NotGeoreferencedWarning

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            """Keep what is said."""
            said.append(record.getMessage())

    said: list[str] = []
    listener = Listener(logging.WARNING)
    logger = logging.getLogger("rasterio")
    with _ONE_AT_A_TIME, warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        logger.addHandler(listener)
        try:
            yield said
        finally:
            logger.removeHandler(listener)


def message(error: BaseException, path: str) -> str:
    """Find the message of GDAL itself, at the end of the chain of causes, without the path."""
    while error.__cause__ is not None:
        error = error.__cause__
    text = str(getattr(error, "errmsg", None) or error)
    return text.replace(os.path.abspath(path), os.path.basename(path)).strip()  # noqa: PTH100, PTH119
