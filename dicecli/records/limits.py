"""How large a mask may be: what its header says is checked against it, before memory is asked for."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from dicecli.errors import TooLarge, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

#: A square of a million pixels a side: no scanner, camera or satellite makes one mask of more.
MAX_PIXELS = 1 << 40
#: Bytes of a mask that must be held whole; more than most machines have, and than any usual mask needs.
MAX_MEMORY = 16 << 30

#: What is read in pieces instead of a file of which much is held, by its suffix.
_IN_PIECES = {".png": ", as a tiled GeoTIFF", ".gz": ", as a plain .nii", ".tif": ", with small tiles"}
_IN_PIECES |= {".tiff": _IN_PIECES[".tif"]}

_UNITS = {unit: 1000**power for power, unit in enumerate(("b", "kb", "mb", "gb", "tb"))}
_UNITS |= {unit: 1024**power for power, unit in enumerate(("b", "kib", "mib", "gib", "tib"))} | {"": 1}


def check_pixels(shape: Sequence[int], most: int, path: str) -> None:
    """Check the shape that a header claims against the limit.

    Raises
    ------
    TooLarge
    """
    pixels = math.prod(shape)
    if pixels > most:
        claim = " x ".join(f"{n:,}" for n in shape)
        raise TooLarge(
            f"its header claims {claim} = {pixels:,} pixels; {most:,} are allowed",
            f"If the mask is meant to be so large, allow it: --max-pixels {pixels}.",
            path,
        )


def check_memory(needed: int, most: int, what: str, path: str) -> None:
    """Check the bytes that a mask needs at once against the limit; `what` needs them, in words.

    Raises
    ------
    TooLarge
    """
    if needed > most:
        end = next((each for each in _IN_PIECES if str(path).lower().endswith(each)), "")
        raise TooLarge(
            f"{what}, which takes {in_bytes(needed)} of memory; {in_bytes(most, -1)} are allowed",
            f"Save it so that it is read in pieces{_IN_PIECES.get(end, '')}; or allow it: --max-memory "
            f"{in_bytes(needed)}.",
            path,
        )


def in_bytes(number: int, sign: int = 1) -> str:
    """Write a number of bytes so that :func:`parse_bytes` reads as many, or up to a tenth more of them.

    With a `sign` of -1 up to a tenth less.
    """
    for unit, power in (("GiB", 3), ("MiB", 2), ("KiB", 1)):
        size = 1024**power
        if number % size == 0 or number >= 10 * size:
            return f"{sign * -(-sign * number // size)}{unit}"
    return f"{number}B"


def parse_bytes(text: str | int) -> int:
    """Read a number of bytes: 500000000, ``500MB``, ``16GiB``; kB is 1,000 bytes and KiB 1,024.

    Raises
    ------
    UsageError
    """
    match = re.fullmatch(r"\s*(\d{1,200}(?:\.\d+)?)\s*+([a-z]*+)\s*", str(text), re.IGNORECASE | re.ASCII)
    unit = match[2].lower() if match else "?"
    if match is None or unit not in _UNITS or not 1 <= (number := float(match[1]) * _UNITS[unit]) < math.inf:
        raise UsageError(
            f"'{text}' is no number of bytes, of which there is at least one",
            "Write it as 500MB, 16GB or 16GiB.",
        )
    return int(number)
