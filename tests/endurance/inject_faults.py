"""Let every call of the file system fail in its turn, with every error that disks are known for.

Runs over small masks of each format, in one process and with two workers; after each failure the outputs must
be old or new, and whole, and going on must end with the bytes of an undisturbed run::

    python tests/endurance/inject_faults.py

What Python asks of the system can be made to fail so: opens, reads, writes, flushes and renames. What GDAL
reads by itself cannot. The exit code is 1 where something does not hold.
"""

from __future__ import annotations

import argparse
import errno
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

import disturbed

ERRORS = ("EIO", "ENOSPC", "EDQUOT", "EACCES", "EROFS", "ESTALE", "EMFILE", "EINTR")


def main() -> int:
    """Inject every error, alone and with workers."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--errors", default=",".join(ERRORS))
    options = parser.parse_args()
    failures = 0
    for name in options.errors.split(","):
        for how in (disturbed.inject, disturbed.inject_everywhere):
            since = time.monotonic()
            with tempfile.TemporaryDirectory() as folder:
                try:
                    codes = how(Path(folder), getattr(errno, name))
                    said = f"{sum(codes.values()) - 1} calls failed, exit codes {dict(sorted(codes.items()))}"
                except AssertionError as error:
                    failures += 1
                    said = f"DOES NOT HOLD: {error}"
            print(f"{name:8} {how.__name__:18} {said}, {time.monotonic() - since:.0f} s", flush=True)
    return int(failures > 0)


if __name__ == "__main__":
    sys.exit(main())
