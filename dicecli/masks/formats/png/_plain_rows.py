"""The twin of the C extension ``_rows``: the rows of a PNG, their filters undone (PNG specification, 9.2)."""

from __future__ import annotations

import numpy as np

_SUB, _UP, _AVERAGE, _PAETH = 1, 2, 3, 4
#: Bytes of a pixel: four samples of 16 bits.
_WIDEST = 8


def unfiltered(source: bytes | memoryview, width: int, step: int) -> np.ndarray:
    """Return the rows of an image.

    Parameters
    ----------
    source : bytes or memoryview
        Rows of 1 + `width` bytes, the first of each naming its filter.
    width : int
        Bytes of a row, a multiple of `step`.
    step : int
        Bytes of a pixel, 1 to 8.

    Returns
    -------
    numpy.ndarray
        uint8, of rows times `width` values.

    Raises
    ------
    ValueError
        A length that is no multiple of a row's, or a filter that PNG does not have.
    """
    if width < 1 or not 1 <= step <= _WIDEST or width % step or len(source) % (width + 1):
        raise ValueError("not rows of this width")
    rows = np.frombuffer(source, np.uint8).reshape(-1, width + 1)
    kinds, differences = rows[:, 0], rows[:, 1:]
    strange = np.flatnonzero(kinds > _PAETH)
    if strange.size:
        row = int(strange[0])
        raise ValueError(f"row {row} has filter {kinds[row]}, which PNG does not have")
    found = differences.copy()
    above = np.zeros(width, np.uint8)
    for kind, row in zip(kinds.tolist(), found, strict=True):
        if kind == _SUB:
            pixels = row.reshape(-1, step)
            np.cumsum(pixels, axis=0, dtype=np.uint8, out=pixels)  # it wraps, as it should
        elif kind == _UP:
            np.add(row, above, out=row)
        elif kind:
            row[:] = _one_by_one(kind, row.tolist(), above.tolist(), step)
        above = row
    return found.reshape(-1)


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
