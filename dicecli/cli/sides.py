"""Prediction and reference as arguments, by their order, and as options, by their names."""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING, Any

import click

from dicecli.cli.helping import about
from dicecli.cli.options import MASK
from dicecli.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    Command = Callable[..., Any]

SIDES = ("prediction", "reference")
#: The field of a case, or of every case of a batch.
taking_field = about(
    "sides",
    "--within",
    type=MASK,
    metavar="FILE",
    help="Compare only pixels inside this mask, where it is neither 0 nor nodata: a region of interest, a "
    "field of view, valid data.",
)


def taking_sides(first: str, second: str, what: str) -> Callable[[Command], Command]:
    """Add both sides of a command: two arguments of these names, and the options that name each side.

    Parameters
    ----------
    first, second : str
        What the arguments are called.
    what : str
        What the options take: FILE or FOLDER.
    """

    def _add(command: Command) -> Command:
        for side in reversed(SIDES):
            said = f"The {side}, whatever the order of the arguments."
            option = about("sides", f"--{side}", f"{side}_named", type=MASK, metavar=what, help=said)
            command = option(command)
        for name in (second, first):
            argument = click.argument(name, required=False, type=MASK, metavar=name.upper())
            command = argument(command)
        return command

    return _add


def sides_of(options: dict[str, Any], first: str, second: str) -> tuple[str | None, str | None, bool]:
    """Take both sides out of a command's options; what no option names is taken by the order of arguments.

    Returns
    -------
    prediction, reference : str or None
        None where it is not given.
    is_named : bool
        Whether an option says which is which.

    Raises
    ------
    UsageError
        More than two sides are given.
    """
    given = [each for name in (first, second) if (each := options.pop(name)) is not None]
    named = {side: options.pop(f"{side}_named") for side in SIDES}
    is_named = any(each is not None for each in named.values())
    for side in SIDES:
        if named[side] is None and given:
            named[side] = given.pop(0)
    if given:
        raise UsageError(
            f"a prediction and a reference are expected, and nothing else: '{given[0]}' is too many",
            "Give both by their order, without --prediction and --reference; or both by these options.",
        )
    return named["prediction"], named["reference"], is_named


def both_sides_of(options: dict[str, Any], first: str, second: str) -> tuple[str, str, bool]:
    """Take both sides out of a command's options, as :func:`sides_of`.

    Raises
    ------
    UsageError
        One is missing, or both are folders where a map and a mask are expected.
    """
    prediction, reference, is_named = sides_of(options, first, second)
    if prediction is None or reference is None:
        missing = " and ".join(
            side for side, each in zip(SIDES, (prediction, reference), strict=True) if each is None
        )
        raise UsageError(
            f"two files are expected, a prediction and a reference; missing: {missing}",
            f"Give both: {first.upper()} {second.upper()}, or --prediction FILE --reference FILE.",
        )
    # As texts: a name that is too long for the system is no folder, and no error here.
    if first == "probabilities" and all(map(os.path.isdir, (prediction, reference))):
        raise UsageError(
            f"'{prediction}' and '{reference}' are folders; two files are expected",
            "Score every file of the one by the other's: dicecli batch "
            f"{shlex.join(('--soft', prediction, reference))}",
        )
    return prediction, reference, is_named
