"""``python -m dicecli`` is ``dicecli``."""

import os
import sys

if __name__ == "__main__":  # worker processes import this file under another name
    # The interpreter looks first of all in the current folder, which may be a stranger's. What it has loaded
    # before this line comes from there all the same, but for: python -P -m dicecli.
    if sys.path[:1] == [os.getcwd()]:  # noqa: PTH109 - as the interpreter writes it
        del sys.path[0]
    from dicecli.cli import main

    main()
