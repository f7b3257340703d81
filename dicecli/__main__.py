"""``python -m dicecli`` is ``dicecli``."""

from dicecli.cli import main

main()
