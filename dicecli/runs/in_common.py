"""The longest text that two names have in common."""

from __future__ import annotations


def shared(one: str, other: str) -> tuple[int, int, int]:
    """Return where the longest text begins that two names share, in each of them, and its length.

    Of several it is the first of one name, at its first place in the other; the time is little more than the
    product of a name's length and that of what is shared, in C.
    """
    least, most = 0, min(len(one), len(other))
    while least < most:
        size = (least + most + 1) // 2
        pieces = {other[at : at + size] for at in range(len(other) - size + 1)}
        is_shared = any(one[at : at + size] in pieces for at in range(len(one) - size + 1))
        least, most = (size, most) if is_shared else (least, size - 1)
    at = next(at for at in range(len(one) - least + 1) if one[at : at + least] in other)
    return at, other.find(one[at : at + least]), least
