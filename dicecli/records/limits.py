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
        raise TooLarge(
            f"{what}, which takes {needed:,} bytes of memory; {most:,} are allowed",
            "Save it so that it is read in pieces, a PNG as a tiled GeoTIFF, a .nii.gz as a plain .nii; or "
            f"allow it: --max-memory {needed}.",
            path,
        )


def parse_bytes(text: str | int) -> int:
    """Read a number of bytes: 500000000, ``500MB``, ``16GiB``; kB is 1,000 bytes and KiB 1,024.

    Raises
    ------
    UsageError
    """
    match = re.fullmatch(r"\s*(\d{1,200}(?:\.\d+)?)\s*+([a-z]*+)\s*", str(text), re.IGNORECASE | re.ASCII)
    unit = match[2].lower() if match else "?"
    if match is None or unit not in _UNITS or not 1 <= (number := float(match[1]) * _UNITS[unit]) < math.inf:
        raise UsageError(f"'{text}' is no number of bytes", "Write it as 500MB, 16GB or 16GiB.")
    return int(number)
