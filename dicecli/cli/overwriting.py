"""What a command writes and reads, by what it was called with: no output takes the place of an input."""

from __future__ import annotations

import os
import stat
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from dicecli.cli.origins import file_obeyed

if TYPE_CHECKING:
    from collections.abc import Iterator

    import click


def check_files(ctx: click.Context) -> None:
    """Check, before a command does anything, that its outputs are no files that it reads, nor each other.

    Outputs are what options that write say; every other value may name a file that is read. Where a run
    has a journal, that is an output as well; so are standard output and error that are sent to a file.

    Raises
    ------
    OutputError
    """
    written: list[tuple[str, str]] = []
    read: list[tuple[str, str]] = []
    for each in ctx.command.params:
        value = ctx.params.get(each.name or "")
        if value is None:
            continue
        is_option = each.param_type_name == "option"
        called = max(each.opts, key=len) if is_option else each.human_readable_name
        writes = getattr(each, "writes", None)
        names = _texts(value) if writes is None else writes(value)
        (read if writes is None else written).extend((name, f"{called} {name}") for name in names)
    config = file_obeyed(ctx)
    if config is not None:
        read.append((str(config), f"the configuration {config}"))
    if "resume" in ctx.params and ctx.params["outputs"]:
        from dicecli.runs.entries import journals_of

        written += [(each, f"the journal {each}") for each in journals_of(ctx.params["outputs"][0])]
    streams = [*_streams()]
    if written or streams:
        from dicecli.reports.overwriting import Named, check_apart

        check_apart(*(map(Named._make, files) for files in (written, read, streams)))


def _texts(value: object) -> Iterator[str]:
    """Yield every text of a value, which may be several."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, (tuple, list)):
        for each in value:
            yield from _texts(each)


def _streams() -> Iterator[tuple[int, str]]:
    """Yield the descriptors of standard streams that go to files; tests and notebooks have others."""
    for stream, called in ((sys.stdout, "standard output"), (sys.stderr, "standard error")):
        with suppress(AttributeError, OSError, ValueError):  # closed, or none
            if stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
                yield stream.fileno(), called
