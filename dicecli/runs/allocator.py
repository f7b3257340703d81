"""What C libraries keep in a process of this project's own: freed memory, and blocks of files."""

from __future__ import annotations

import sys

from dicecli.masks.gdal_options import own_cache

#: Freed memory that a process keeps for its next case, and the largest block that is kept so, in bytes.
KEPT, LARGEST = 1 << 26, 1 << 25
# Of mallopt in glibc's malloc.h.
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3


def keep_freed_memory() -> bool:
    """Let this process keep some of what it frees, instead of handing it back and asking for it again.

    One case after the other takes and frees the same few blocks. glibc hands them back to the system each
    time, which then clears every page anew: 40 % of the time of a small PNG pair. GDAL keeps no blocks from
    then on. Only processes that are this project's own may call it, since it concerns all of a process.

    Returns
    -------
    bool
        Whether there was something to do: glibc alone has this habit.
    """
    own_cache()
    if sys.platform != "linux":
        return False
    import ctypes

    set_option = getattr(ctypes.CDLL(None), "mallopt", None)
    return bool(set_option and set_option(_MMAP_THRESHOLD, LARGEST) and set_option(_TRIM_THRESHOLD, KEPT))
