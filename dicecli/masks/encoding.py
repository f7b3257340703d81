"""From stored values to labels: rounding, thresholds, nodata, and masks of 0 and 255."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from dicecli.errors import NotLabels
from dicecli.masks.exact import is_wide, where_missing, whole
from dicecli.records.labels import NO_LABEL

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dicecli.records.settings import Settings

#: Values at most this far from an integer are that integer; slopes such as 1/255 leave such residuals.
MAX_RESIDUAL = 0.01
#: How far JPEG moves most values of a binary mask from 0 and 255, and how many pixels it leaves there.
_NEAR, _NEARLY_ALL = 15, 0.95

# What a thresholded pixel is, until the whole mask is known: see `_thresholded` and `meaning`.
_ZERO, _ONE, _REACHED, _BELOW, _NODATA, _IGNORED = range(6)


class Fractions(ValueError):
    """Values that are no integers; the argument is the largest distance from one, in this block."""


def nodata_label(nodata: float | None, dtype: np.dtype, threshold: float | None) -> int | None:
    """Return which label stands for nodata in the blocks that :func:`to_labels` gives, None for none."""
    if nodata is None:
        return None
    if threshold is not None:
        return _NODATA
    if dtype.kind == "f" or is_wide(nodata, dtype):
        return NO_LABEL
    exact = int(nodata) if math.isfinite(nodata) and nodata == int(nodata) else None
    info = np.iinfo(dtype) if dtype.kind in "iu" else np.iinfo(np.uint8)
    return exact if exact is not None and info.min <= exact <= info.max else None


def to_labels(
    values: np.ndarray,
    nodata: float | None = None,
    threshold: float | None = None,
    *,
    nan_is_nodata: bool = False,
    ignore: Sequence[int] = (),
) -> np.ndarray:
    """Turn a block of stored values into integer labels.

    Parameters
    ----------
    values : numpy.ndarray
        Booleans, integers of any width (returned as they are) or floats, any shape.
    nodata : float, optional
        The stored value that means "nothing known here".
    threshold : float, optional
        Values at or above it are inside.
    nan_is_nodata : bool
        Whether NaN means that too.
    ignore : sequence of int
        Labels that a threshold must leave alone.

    Returns
    -------
    numpy.ndarray
        Integers, the same shape; nodata is what :func:`nodata_label` says.

    Raises
    ------
    Fractions
        A float further than 0.01 from an integer.
    NotLabels
        NaN or infinity outside nodata, or beyond 64 bits; complex numbers.
    """
    if values.dtype.kind == "b":
        values = values.astype(np.uint8)
    if values.dtype.kind not in "iuf":
        raise NotLabels(f"values of type {values.dtype} are no labels", "Save the mask as integers.")
    if values.dtype.kind in "iu" and threshold is None:
        return whole(values, nodata)
    missing = where_missing(values, nodata, nan_is_nodata=nan_is_nodata)
    return (
        _rounded(values, missing) if threshold is None else _thresholded(values, threshold, missing, ignore)
    )


def residual(values: np.ndarray, nodata: float | None = None) -> float:
    """Return the largest distance of any finite value from an integer, nodata apart; 0 for integers."""
    if values.dtype.kind != "f" or not values.size:
        return 0.0
    with np.errstate(invalid="ignore"):  # infinity has no distance, and is left out below
        distance = np.abs(values - np.rint(values))
    missing = where_missing(values, nodata)
    if missing is not None:
        distance[missing] = 0
    return float(np.nanmax(distance, initial=0.0, where=np.isfinite(distance)))


def _refuse_nonfinite(values: np.ndarray, missing: np.ndarray | None) -> None:
    bad = ~np.isfinite(values)
    if missing is not None:
        bad &= ~missing
    count = int(bad.sum())
    if count:
        kind = "NaN" if np.isnan(values[bad]).any() else "infinity"
        raise NotLabels(
            f"it holds {kind} ({count:,} such values in the block where the first was met)",
            "Save the mask as integers. If NaN marks missing pixels of a GeoTIFF: --nodata ignore.",
        )


def _rounded(values: np.ndarray, missing: np.ndarray | None) -> np.ndarray:
    _refuse_nonfinite(values, missing)
    if missing is not None:
        values = np.where(missing, 0, values)
    if values.size and float(np.abs(values).max()) >= 2.0**63:
        raise NotLabels(
            f"the value {float(np.abs(values).max()):.4g} is no label", "Save the mask as integers."
        )
    rounded = np.rint(values)
    largest = float(np.abs(values - rounded).max(initial=0.0))
    if largest > MAX_RESIDUAL:
        raise Fractions(largest)
    labels: np.ndarray = rounded.astype(np.int64)
    if missing is not None:
        labels[missing] = NO_LABEL
    return labels


def _thresholded(
    values: np.ndarray, threshold: float, missing: np.ndarray | None, ignore: Sequence[int]
) -> np.ndarray:
    """Code each value, so that a mask that was 0/1 already can be told from one that nothing reaches."""
    if values.dtype.kind == "f":
        _refuse_nonfinite(values, missing)
    codes = np.full(values.shape, _BELOW, np.min_scalar_type(_IGNORED + len(ignore)))
    codes[values == 0] = _ZERO
    codes[values == 1] = _ONE
    codes[values >= threshold] = _REACHED
    for code, label in enumerate(ignore, start=_IGNORED):
        codes[values == label] = code
    if missing is not None:
        codes[missing] = _NODATA
    return codes


READ_AS_ONE = "values are 0 and 255: 255 is read as label 1"


def meaning(sizes: Mapping[int, int], settings: Settings) -> tuple[dict[int, int], list[str]]:
    """Decide what the labels that a whole mask holds mean, and say what was assumed.

    Parameters
    ----------
    sizes : mapping of int to int
        Pixels by label, as :func:`to_labels` gives them, without nodata.
    settings : Settings

    Returns
    -------
    dict of int to int
        The labels to rename.
    list of str
        Notes.

    Raises
    ------
    NotLabels
        Grey levels between 0 and 255: an anti-aliased or JPEG-damaged binary mask. With a threshold, 1 beside
        values that reach it, and nothing between.
    """
    if settings.threshold is not None:
        ignored = dict(enumerate(settings.labels.ignore, start=_IGNORED))
        if _ONE in sizes and not {_REACHED, _BELOW} & set(sizes):
            return ignored, [
                f"it holds only 0 and 1: taken as it is, without the threshold {settings.threshold:g}"
            ]
        is_grey = settings.threshold > _NEAR  # lower ones are of labels, or of probabilities
        if is_grey and {_ONE, _REACHED} <= set(sizes) and _BELOW not in sizes:
            raise NotLabels(
                f"beside 0 it holds 1, values from the threshold {settings.threshold:g} on, and nothing "
                "between: labels rather than grey levels, of which label 1 would become background",
                "If the larger value marks void, and this is the reference: --ignore-label with that value, "
                "beside --threshold. If 1 is a grey level, save the mask again as 0 and 255.",
            )
        nothing = f"no value reaches the threshold {settings.threshold:g}: all of it is 0"
        said = [nothing] if {_ONE, _BELOW} & set(sizes) and _REACHED not in sizes else []
        return ignored | {_ZERO: 0, _ONE: 0, _BELOW: 0, _REACHED: 1}, said
    if settings.expects_raw_labels:
        return {}, []
    if 255 in sizes and set(sizes) <= {0, 255}:
        return {255: 1}, [READ_AS_ONE]
    if _is_smooth_binary(sizes):
        between = sum(n for label, n in sizes.items() if label not in {0, 255})
        raise NotLabels(
            f"values between 0 and 255 ({len(sizes) - 2} of them, {between / sum(sizes.values()):.1%} of the "
            "pixels) beside mostly 0 and 255: an anti-aliased or JPEG-damaged binary mask, not labels",
            "If both masks are binary, give a threshold, as --threshold 128. If they are labels, declare "
            "them: --labels FILE.",
        )
    return {}, []


def _is_smooth_binary(sizes: Mapping[int, int]) -> bool:
    """Tell a binary mask with soft edges, or one that was a JPEG, from labels.

    Soft edges: both ends hold most pixels, each more than any grey level between, and the levels lie on both
    sides of the middle. Label maps with 255 for "void" have classes that outweigh the void.
    JPEG: nearly all pixels lie close to an end, some of them close to both ends but not on them, or scattered
    over many levels. Label maps with 255 for "void" have no labels close to it, and maps of instances have
    most numbers in use.
    """
    if not {0, 255} <= set(sizes) or min(sizes) < 0 or max(sizes) > 255:
        return False
    between = {label: n for label, n in sizes.items() if label not in {0, 255}}
    total = sum(sizes.values())
    if not between:
        return False
    is_soft = (
        len(between) >= 3
        and min(between) < 128 <= max(between)
        and max(between.values()) < min(sizes[0], sizes[255])
        and 2 * (sizes[0] + sizes[255]) > total
    )
    near = sum(n for label, n in sizes.items() if not _NEAR < label < 255 - _NEAR)
    is_noisy = min(between) <= _NEAR and max(between) >= 255 - _NEAR
    is_scattered = len(between) >= 8 and min(between) < 128 <= max(between)
    was_jpeg = (is_noisy or is_scattered) and near >= _NEARLY_ALL * total and len(sizes) <= 128
    return is_soft or was_jpeg
