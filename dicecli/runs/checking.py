"""Whether what Python gives can be masks, a field, a name or a number of workers at all."""

from __future__ import annotations

import os
from os import PathLike

from dicecli.errors import UsageError


def check_given(prediction: object, reference: object, *, soft: bool = False) -> None:
    """Check that both sides may be masks at all; with `soft` the prediction is of probabilities.

    Raises
    ------
    UsageError
    """
    for side, mask in (("prediction", prediction), ("reference", reference)):
        if mask is None or isinstance(mask, (bytes, bytearray)):
            raise UsageError(f"the {side} is {type(mask).__name__}", "Give a path, an array or an image.")
    # A name that is too long is no folder; Path would raise.
    sides = (prediction, reference)
    if soft and all(isinstance(each, (str, PathLike)) and os.path.isdir(each) for each in sides):  # noqa: PTH112
        raise UsageError(
            f"'{prediction}' and '{reference}' are folders; a map and a mask are expected",
            "Score every file of the one by the other's: "
            f"dicecli.batch({str(prediction)!r}, {str(reference)!r}, soft=True).",
        )


def check_field(within: object) -> None:
    """Check that a field may be a mask at all.

    Raises
    ------
    UsageError
    """
    if isinstance(within, (bytes, bytearray, bool)):
        raise UsageError(
            f"within is {type(within).__name__}", "Give a path, an array or an image, or leave it out."
        )


def check_name(name: object) -> None:
    """Check that a case can be called so.

    Raises
    ------
    UsageError
    """
    if not isinstance(name, (str, type(None))):
        raise UsageError(f"name is {name!r:.60}", "Give a text, or leave it out.")


def check_workers(name: str, given: object) -> None:
    """Check that as many can work at the same time.

    Raises
    ------
    UsageError
    """
    if not isinstance(given, int) or isinstance(given, bool) or given < 1:
        raise UsageError(f"{name} is {given!r}", "It is a whole number from 1.")
