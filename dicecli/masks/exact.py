"""Numbers as they are stored, exactly: which integers can be labels, and which values are nodata."""

from __future__ import annotations

import math

import numpy as np

from dicecli.errors import NotLabels
from dicecli.records.labels import NO_LABEL


def is_wide(nodata: float, dtype: np.dtype) -> bool:
    """Whether nodata is a number that the type holds, and 64 bits with a sign do not."""
    return dtype.kind == "u" and dtype.itemsize == 8 and 2**63 <= nodata < 2**64


def whole(values: np.ndarray, nodata: float | None) -> np.ndarray:
    """Return integers as they are; what is nodata, and 64 bits with a sign do not hold, is ``NO_LABEL``.

    Raises
    ------
    NotLabels
        As :func:`check_whole`.
    """
    if values.dtype.itemsize < 8 or not values.size:
        return values
    if nodata is not None and is_wide(nodata, values.dtype):
        missing = values == np.uint64(nodata)
        values = np.where(missing, np.uint64(0), values)
        check_whole(values)
        return np.where(missing, np.int64(NO_LABEL), values.astype(np.int64))
    if values.dtype.kind == "u" or nodata != NO_LABEL:
        check_whole(values)
    return values


def check_whole(values: np.ndarray, path: str | None = None) -> None:
    """Refuse integers of 64 bits of which one cannot be a label.

    Parameters
    ----------
    values : numpy.ndarray
        Of any integer type and byte order; of a masked array what is masked does not count.
    path : str, optional

    Raises
    ------
    NotLabels
        A number that 64 bits with a sign cannot hold, or the one that stands for no label here.
    """
    if values.dtype.itemsize < 8 or not np.ma.count(values):
        return
    if values.dtype.kind == "u" and int(values.max()) >= 2**63:
        raise NotLabels(
            f"label {int(values.max())} does not fit into 63 bits", "Renumber the labels from 0.", path
        )
    if values.dtype.kind == "i" and int(values.min()) == NO_LABEL:
        raise NotLabels(
            f"it holds {NO_LABEL}, which NaN becomes when it is cast to integers",
            "Save the mask again, with a label in its place.",
            path,
        )


def where_missing(
    values: np.ndarray, nodata: float | None, *, nan_is_nodata: bool = False
) -> np.ndarray | None:
    """Return where numbers are nodata, exactly: bool, of their shape; None for nowhere."""
    is_float = values.dtype.kind == "f"
    if is_float and (nan_is_nodata or (nodata is not None and math.isnan(nodata))):
        missing: np.ndarray = np.isnan(values)
        of_tag = None if nodata is None or math.isnan(nodata) else where_missing(values, nodata)
        return missing if of_tag is None else missing | of_tag
    if nodata is None or math.isnan(nodata) or values.dtype.kind == "b":
        return None
    if is_float:
        with np.errstate(over="ignore"):
            nodata = float(values.dtype.type(nodata))
        return np.asarray(np.equal(values, nodata))
    info = np.iinfo(values.dtype)
    if not math.isfinite(nodata) or nodata != int(nodata) or not info.min <= int(nodata) <= info.max:
        return None
    return np.asarray(np.equal(values, values.dtype.type(int(nodata))))


def shown(value: float) -> str:
    """Return a stored value as people read it, an integer with all its digits."""
    return str(value) if isinstance(value, int) else f"{value:g}"
