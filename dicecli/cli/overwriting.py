"""What a command writes and reads, by what it was called with: no output takes the place of an input."""

from __future__ import annotations

import os
import stat
import sys
from contextlib import suppress
from itertools import starmap
from typing import TYPE_CHECKING

from dicecli.cli.origins import file_obeyed, from_here, is_of_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import click

    from dicecli.reports.overwriting import Named

#: What arguments are, in words, by their names.
_ARGUMENTS = {
    "prediction": "the prediction",
    "reference": "the reference",
    "predictions": "the predictions",
    "references": "the references",
    "probabilities": "the probabilities",
    "matrix": "the confusion matrix",
    "file": "the results file",
    "files": "the results file",
    "source": "the labels",
}


def check_files(ctx: click.Context, **found: object) -> None:
    """Check, before a command does anything, that its outputs are no files that it reads, nor each other.

    Outputs are what options that write say; every other value may name a file that is read. Where a run
    has a journal, that is an output as well; so are standard output and error that are sent to a file.

    Parameters
    ----------
    ctx : click.Context
    **found
        What options come to that were not given, as the labels of a layout.

    Raises
    ------
    OutputError
    """
    written, read, streams = _files(ctx, found)
    if written or streams:
        from dicecli.reports.overwriting import Named, check_apart

        check_apart(*(starmap(Named, files) for files in (written, read, streams)))


def outputs_of(ctx: click.Context) -> list[Named]:
    """Return everything that a command writes, standard streams that are sent to files among it.

    Raises
    ------
    OutputError
        As of :func:`dicecli.reports.writing.followed`.
    """
    from dicecli.reports.overwriting import Named

    written, _, streams = _files(ctx, {})
    return [*starmap(Named, written), *starmap(Named, streams)]


def _files(
    ctx: click.Context, found: Mapping[str, object]
) -> tuple[list[tuple[str, str, str]], list[tuple[str, str, str]], list[tuple[int, str]]]:
    """Return what a command writes, what it reads, and its streams, each as :class:`Named` takes it."""
    written: list[tuple[str, str, str]] = []
    read: list[tuple[str, str, str]] = []
    values = {**ctx.params, **found}
    for each in ctx.command.params:
        value = values.get(each.name or "")
        if value is None:
            continue
        writes = getattr(each, "writes", None)
        names = _texts(value) if writes is None else writes(value)
        (read if writes is None else written).extend(given_as(ctx, each, name) for name in names)
    config = file_obeyed(ctx)
    if config is not None:
        read.append((str(config), f"the configuration {config}", ""))
    if "resume" in ctx.params and ctx.params["outputs"]:
        from dicecli.runs.entries import journals_of

        first = ctx.params["outputs"][0]
        option = next(each for path, _, each in written if path == first)
        written += [(each, f"the journal {each}", option) for each in journals_of(first)]
    return written, read, [*_streams()]


def given_as(ctx: click.Context, parameter: click.Parameter, path: str) -> tuple[str, str, str]:
    """Return a file as :class:`~dicecli.reports.overwriting.Named` has it: who gave it, and how."""
    is_option = parameter.param_type_name == "option"
    called = max(parameter.opts, key=len) if is_option else _ARGUMENTS.get(parameter.name or "", "the file")
    config = file_obeyed(ctx)
    if config is None or not is_of_file(ctx, parameter.name):
        return path, f"{called} {path}", ""
    return path, f"{called.strip('-')} {from_here(path)} of {from_here(config)}", parameter.opts[0]


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
