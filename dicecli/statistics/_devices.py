"""Which backend counts on a device."""

from __future__ import annotations

from functools import cache

from dicecli.plugins import load


@cache
def cpu_backend() -> str:
    """Return the name of the backend that counts on the processor: the C extension's where that was built."""
    return "native" if load("backends", "native").is_available() else "numpy"


def backend_of(device: str) -> str:
    """Return the backend that counts on a device; an installed one is a device of its own name."""
    if device == "cpu":
        return cpu_backend()
    return "torch" if device in {"cuda", "mps", "auto"} else device
