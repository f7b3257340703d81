"""The command line: the only part that knows click, prints, and ends the process."""

from dicecli.cli.main import cli, main

__all__ = ["cli", "main"]
