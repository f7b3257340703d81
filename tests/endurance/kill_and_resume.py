"""Kill runs at random moments with SIGKILL, and go on with them.

Every run must end with the bytes of an undisturbed one. What stands in the journal must never be counted
again, and of what was begun at most the cases in flight; that is seen by the files that are opened::

    python tests/endurance/kill_and_resume.py --moments 200 --seed 0

It needs the system's ``/proc``. The exit code is 1 where something does not hold.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

import disturbed


def main() -> int:
    """Kill as often as asked for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--moments", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    since = time.monotonic()

    def say(killed: disturbed.Killed) -> None:
        if killed.runs % 10 == 0:
            print(f"{killed.moments} moments, {time.monotonic() - since:.0f} s", flush=True)

    with tempfile.TemporaryDirectory() as folder:
        try:
            killed = disturbed.kill_and_resume(Path(folder), options.moments, options.seed, say=say)
        except AssertionError as error:
            print(f"DOES NOT HOLD: {error}")
            return 1
    print(
        f"killed at {killed.moments} moments (seed {options.seed}); {killed.runs} runs ended with the bytes "
        f"of an undisturbed one; {killed.journalled:,} cases were in journals, and none was counted again"
    )
    for count, times in sorted(killed.again.items()):
        print(f"  {count} cases counted again after {times} of the kills")
    return 0


if __name__ == "__main__":
    sys.exit(main())
