"""GDAL's options while masks are read: fixed, whatever the environment or a host's ``rasterio.Env`` says.

GDAL takes an option from the thread, else from the process, else from the environment. Here they are set for
the thread, and put back: no other thread sees them, and none of the host's is changed.
"""

from __future__ import annotations

import ctypes
import threading
from contextlib import contextmanager, nullcontext
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from typing import Any

#: Every option that can change what is read of a file or how coordinate systems compare, its value, and why.
OPTIONS = {
    # What is read beside the file.
    "GDAL_DISABLE_READDIR_ON_OPEN": ("EMPTY_DIR", "no file beside it is looked for: .msk, .ovr, .tfw"),
    "GDAL_PAM_ENABLED": ("NO", ".aux.xml beside it would set nodata, masks and places"),
    "ESRI_XML_PAM": ("NO", ".tif.xml beside it would too"),
    "GDAL_GEOREF_SOURCES": ("INTERNAL", "NONE or TABFILE would lose or move the place"),
    "VSI_CACHE": ("NO", "bytes of a file as it was would be read"),
    # What damage is.
    "GTIFF_IGNORE_READ_ERRORS": ("NO", "a damaged block would be read as whatever lies in memory"),
    "GDAL_GTIFF_PREDICTOR_CHECKS": ("YES", "predictors that do not fit the type would be applied"),
    "TIFF_READ_STREAMING": ("NO", "blocks would be taken to come in order"),
    # How blocks are decoded: by one thread, through the cache.
    "GDAL_NUM_THREADS": ("1", "threads of GDAL's own do not have the options of this one"),
    "GTIFF_DIRECT_IO": ("NO", "would read past the decoder"),
    "GTIFF_VIRTUAL_MEM_IO": ("NO", "would map the file: the process ends where it shrinks"),
    "GTIFF_USE_MMAP": ("NO", "as above"),
    "GTIFF_HAS_OPTIMIZED_READ_MULTI_RANGE": ("NO", "would read blocks ahead, another way"),
    "GTIFF_USE_DEFER_STRILE_LOADING": ("YES", "NO reads all places of blocks at once, which may be many"),
    "GDAL_ENABLE_TIFF_SPLIT": ("YES", "NO decodes one high strip as a block, of the image's size"),
    "GDAL_FORCE_CACHING": ("NO", "would read block by block where a window is one"),
    "GTIFF_IMPLICIT_JPEG_OVR": ("NO", "would show overviews that the file has not"),
    # What values are.
    "GDAL_TIFF_INTERNAL_MASK_TO_8BIT": ("YES", "NO reads masks as 0 and 1, not 0 and 255"),
    "CONVERT_YCBCR_TO_RGB": ("YES", "NO gives other bands"),
    # Where pixels lie.
    "GTIFF_POINT_GEO_IGNORE": ("NO", "YES moves a raster of points by half a pixel"),
    "GTIFF_HONOUR_NEGATIVE_SCALEY": ("NO", "YES turns such a file upside down"),
    # Which coordinate system it is.
    "GTIFF_SRS_SOURCE": ("", "as by default: EPSG or GEOKEYS drop what the file says, or its code"),
    "GTIFF_IMPORT_FROM_EPSG": ("YES", "NO takes the code of a system without what it means"),
    "GTIFF_REPORT_COMPD_CS": ("NO", "masks lie in a plane: a system of heights does not part them"),
    "GTIFF_LINEAR_UNITS": ("DEFAULT", "BROKEN takes false eastings for other units"),
    "GTIFF_READ_ANGULAR_PARAMS_IN_DEGREE": ("NO", "YES takes angles for other units"),
    "GTIFF_ESRI_CITATION": ("YES", "NO does not read the systems of Esri's files"),
    "OSR_DEFAULT_AXIS_MAPPING_STRATEGY": ("AUTHORITY_COMPLIANT", "would make equal systems differ by axes"),
    "OSR_WKT_FORMAT": ("DEFAULT", "systems are compared by what this writes"),
    "OSR_USE_NON_DEPRECATED": ("YES", "NO keeps codes that stand for the same system apart"),
    "OSR_STRIP_TOWGS84": ("YES", "NO keeps a shift of datum that only some writers add"),
    "OSR_ADD_TOWGS84_ON_IMPORT_FROM_EPSG": ("NO", "YES adds one"),
    "OSR_ADD_TOWGS84_ON_EXPORT_TO_WKT1": ("NO", "YES adds one"),
}


#: GDAL's block cache in a process of this project's own, in bytes: of no block, as windows suit them. More
#: saves no time.
_CACHE = 64


class _Cache:
    """The process's one block cache: whose it is, and whether it is small yet."""

    is_own = is_small = False


def own_cache() -> None:
    """Say that this process is this project's own, so that GDAL's block cache may be made small.

    A host's is left alone: it is as large as the host has it, by default 5 % of the machine's memory.
    """
    _Cache.is_own = True


def keeps_blocks() -> bool:
    """Whether GDAL keeps blocks of files that are open: a host's cache does."""
    return not _Cache.is_own


def _make_cache_small() -> None:
    if _Cache.is_own and not _Cache.is_small:
        from rasterio._env import set_gdal_config

        set_gdal_config("GDAL_CACHEMAX", _CACHE)
        _Cache.is_small = True


#: Where a place need not be read.
_NO_PLACE = {"GDAL_GEOREF_SOURCES": "NONE"}


@contextmanager
def fixed(*, has_place: bool = True) -> Iterator[None]:
    """Set the options in this thread, and put back what was there; where it `has_place` not, read none."""
    import rasterio

    _make_cache_small()
    library = _library()
    if library is None:
        with rasterio.Env(**_values(has_place=has_place)):
            yield
        return
    before = library.CPLGetThreadLocalConfigOptions()
    try:
        with _environment(has_place=has_place):
            library.CPLSetThreadLocalConfigOptions(_with_ours(before, has_place=has_place))
            yield
    finally:
        library.CPLSetThreadLocalConfigOptions(before)
        library.CSLDestroy(before)


def _environment(*, has_place: bool) -> AbstractContextManager[object]:
    """Return rasterio's environment for what is read here: without one, it makes some with its own options.

    Where a host has one, opening a file sets its options again: those of the thread, but for the main thread,
    which has those of the process, that count less.
    """
    import rasterio

    if rasterio.env.hasenv() and threading.current_thread() is threading.main_thread():
        return nullcontext()
    made: AbstractContextManager[object] = rasterio.Env(
        **(_values(has_place=has_place) if rasterio.env.hasenv() else {})
    )
    return made


def _values(*, has_place: bool) -> dict[str, str]:
    values = {name: value for name, (value, _) in OPTIONS.items()}
    return values if has_place else values | _NO_PLACE


def _with_ours(before: Any, *, has_place: bool) -> Any:
    """Return the thread's options and the fixed ones as C has them: NAME=VALUE, and NULL at the end."""
    ours = _ours(has_place=has_place)
    if not before:
        return ours
    kept = []
    for text in before:
        if text is None:
            break
        if text.split(b"=", 1)[0].decode(errors="replace").upper() not in OPTIONS:
            kept.append(text)
    return (ctypes.c_char_p * (len(ours) + len(kept)))(*kept, *ours)


@cache
def _ours(*, has_place: bool) -> Any:
    texts = [f"{name}={value}".encode() for name, value in _values(has_place=has_place).items()]
    return (ctypes.c_char_p * (len(texts) + 1))(*texts, None)


@cache
def _library() -> Any:
    """Return GDAL as rasterio has loaded it; None where the system finds no names in what a library uses.

    rasterio itself sets options for the whole process, where it is called by the main thread.
    """
    from rasterio import _env

    try:
        library = ctypes.PyDLL(_env.__file__)
        take, put, destroy = (
            library.CPLGetThreadLocalConfigOptions,
            library.CPLSetThreadLocalConfigOptions,
            library.CSLDestroy,
        )
    except (OSError, AttributeError):
        return None
    texts = ctypes.POINTER(ctypes.c_char_p)
    take.argtypes, take.restype = [], texts
    put.argtypes, put.restype = [texts], None
    destroy.argtypes, destroy.restype = [texts], None
    return library
