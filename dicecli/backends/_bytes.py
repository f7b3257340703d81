"""Counting 8-bit labels with NumPy: what is constant is counted by the word, the rest by the pixel.

Masks are mostly constant: the background, the inside of an organ, a field on a map. Eight pixels that are
alike in both masks are one 64-bit word each, and one entry. What is left is counted with ``bincount``; labels
below 16 two pixels at a time, since the codes of both fit into 16 bits.
"""

from __future__ import annotations

import numpy as np

#: Pixels that are looked through for words at a time, with all that comes of it in a core's cache.
_PIECE = 1 << 17
#: Pixels counted at a time: enough that a table of 65,536 entries costs little beside them.
_COUNTED = 1 << 20
#: One word in so many is looked at before all of them are.
_SAMPLE = 61
#: Below this share of constant words the search does not pay.
_WORTH = 0.3
_BYTE = np.uint64(255)
_EIGHT = np.uint64(0x0101010101010101)


def count_bytes(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Count how often each pair of 8-bit codes meets.

    Parameters
    ----------
    first, second : numpy.ndarray
        uint8, one-dimensional, contiguous, of one length.

    Returns
    -------
    numpy.ndarray
        int64, shape ``(256, 256)``: rows are codes of the first, columns of the second.
    """
    table = np.zeros((256, 256), np.int64)
    rest: list[tuple[np.ndarray, np.ndarray]] = []
    alike: list[np.ndarray] = []
    for start in range(0, first.size, _PIECE):
        one, other = first[start : start + _PIECE], second[start : start + _PIECE]
        end = one.size // 8 * 8
        words = one[:end].view(np.uint64), other[:end].view(np.uint64)
        if not _is_worth_it(*words):
            rest.append((one, other))
            continue
        background, runs, scattered = _sorted_out(*words)
        table[0, 0] += 8 * background
        alike.append(runs)
        rest += [scattered, (one[end:], other[end:])]
    if alike:
        table += 8 * np.bincount(np.concatenate(alike), minlength=1 << 16).reshape(256, 256)
    for one, other in _joined(rest):
        _add_pixels(table, one, other)
    return table


def _is_worth_it(one: np.ndarray, other: np.ndarray) -> bool:
    """Tell from a sample whether a good part of the words is constant in both masks."""
    if one.size < 8 * _SAMPLE:
        return False
    return float(_constant(one[::_SAMPLE], other[::_SAMPLE]).mean()) >= _WORTH


def _constant(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    alike: np.ndarray = ((one & _BYTE) * _EIGHT == one) & ((other & _BYTE) * _EIGHT == other)
    return alike


def _sorted_out(one: np.ndarray, other: np.ndarray) -> tuple[int, np.ndarray, tuple[np.ndarray, np.ndarray]]:
    """Part words into background (their number), other constant ones (their codes), and pixels to count."""
    busy = (one | other) != 0
    background = busy.size - int(np.count_nonzero(busy))
    if background:
        one, other = one[busy], other[busy]
    alike = _constant(one, other)
    codes = ((one[alike] & _BYTE) << np.uint64(8)) | (other[alike] & _BYTE)
    mixed = ~alike
    return background, codes.astype(np.uint16), (one[mixed].view(np.uint8), other[mixed].view(np.uint8))


def _joined(parts: list[tuple[np.ndarray, np.ndarray]]) -> list[tuple[np.ndarray, np.ndarray]]:
    """Put small parts together, so that each count is of many pixels; large ones stay as they are."""
    joined = [part for part in parts if part[0].size >= _PIECE]
    small = [part for part in parts if 0 < part[0].size < _PIECE]
    if small:
        joined.append(
            (np.concatenate([one for one, _ in small]), np.concatenate([other for _, other in small]))
        )
    return joined


def _add_pixels(table: np.ndarray, first: np.ndarray, second: np.ndarray) -> None:
    """Count pixel by pixel."""
    for start in range(0, first.size, _COUNTED):
        one, other = first[start : start + _COUNTED], second[start : start + _COUNTED]
        labels = int(max(one.max(), other.max())) + 1
        if labels <= 16 and one.size % 2 == 0:
            pairs = np.bincount((one * np.uint8(labels) + other).view(np.uint16), minlength=1 << 16)
            both = pairs.reshape(256, 256)
            cells = (both.sum(axis=0) + both.sum(axis=1))[: labels * labels]
        else:
            joint = one.astype(np.uint16) * np.uint16(labels) + other
            cells = np.bincount(joint, minlength=labels * labels)
        table[:labels, :labels] += cells.reshape(labels, labels)
