"""The twin of the C extension ``_rows``: the rows of a PNG, their filters undone (PNG specification, 9.2)."""

from __future__ import annotations

import numpy as np

_SUB, _UP, _AVERAGE, _PAETH = 1, 2, 3, 4
#: Bytes of a pixel: four samples of 16 bits.
_WIDEST = 8


def unfilter(source: bytes, above: np.ndarray, step: int, into: np.ndarray, first: int) -> None:
    """Write rows of an image.

    Parameters
    ----------
    source : bytes-like
        Rows of a byte that names the filter, and as many bytes as `above` has.
    above : bytes-like
        The row before them; zeros where there is none.
    step : int
        Bytes of a pixel, 1 to 8; a row has a multiple of it.
    into : bytes-like
        Where they go: writable, rows times the length of `above`.
    first : int
        The number of the first row in the image, for errors.

    Raises
    ------
    ValueError
        Lengths that do not fit, or a filter that PNG does not have.
    """
    differences, before, found = (np.frombuffer(each, np.uint8) for each in (source, above, into))
    width = before.size
    if width < 1 or not 1 <= step <= _WIDEST or width % step or differences.size % (width + 1):
        raise ValueError("not rows of this width")
    rows = differences.reshape(-1, width + 1)
    if found.size != len(rows) * width:
        raise ValueError("not rows of this width")
    strange = np.flatnonzero(rows[:, 0] > _PAETH)
    if strange.size:
        row = int(strange[0])
        raise ValueError(f"row {first + row} has filter {rows[row, 0]}, which PNG does not have")
    image: np.ndarray = found.reshape(-1, width)
    image[:] = rows[:, 1:]
    kinds: list[int] = rows[:, 0].tolist()
    for kind, row in zip(kinds, image, strict=True):
        if kind == _SUB:
            pixels = row.reshape(-1, step)
            np.cumsum(pixels, axis=0, dtype=np.uint8, out=pixels)  # it wraps, as it should
        elif kind == _UP:
            np.add(row, before, out=row)
        elif kind:
            row[:] = _one_by_one(kind, row.tolist(), before.tolist(), step)
        before = row


def _one_by_one(kind: int, differences: list[int], above: list[int], step: int) -> list[int]:
    """Undo a filter that looks to the left and above, byte by byte: no sum of NumPy's is of that form."""
    row, above = [0] * step, [0] * step + above
    for at, difference in enumerate(differences):
        left, over, corner = row[at], above[at + step], above[at]
        if kind == _AVERAGE:
            predicted = (left + over) // 2
        else:
            to_left, to_over, to_corner = (
                abs(over - corner),
                abs(left - corner),
                abs(left + over - 2 * corner),
            )
            other = over if to_over <= to_corner else corner
            predicted = left if to_left <= to_over and to_left <= to_corner else other
        row.append((difference + predicted) & 255)
    return row[step:]
