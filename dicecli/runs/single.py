"""The masks of a single case, which may be folders with a file for each class."""

from __future__ import annotations

from dicecli.runs.sides import Sides, is_folder


def sides_of(prediction: object, reference: object) -> Sides:
    """Return both sides of a single case: as given, but for a folder: a file for each class.

    Raises
    ------
    PairingError
        A folder that cannot be listed, or in which no mask lies.
    """
    if not (is_folder(prediction) or is_folder(reference)):
        return Sides(prediction, reference)
    from dicecli.runs.classes import with_classes

    return with_classes(prediction, reference)
