"""The command line in this process, with its two streams apart."""

from __future__ import annotations

import inspect

from click.testing import CliRunner


def runner():
    """Return what runs a command and keeps standard error apart: click before 8.2 does so on request alone."""
    takes = inspect.signature(CliRunner).parameters
    return CliRunner(**{"mix_stderr": False} if "mix_stderr" in takes else {})
