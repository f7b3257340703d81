"""Where a run comes from, as its report says it: the two sides, the words of the command line, the day."""

from __future__ import annotations

import os
import shlex
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from dicecli.errors import UsageError
from dicecli.masks.tensors import is_tensor
from dicecli.records.options import table_of
from dicecli.records.origin import Origin, RunOrigin, words
from dicecli.records.settings import AnyOptions
from dicecli.records.version import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dicecli.records.origin import Obeyed
    from dicecli.records.settings import Settings

#: By this environment variable the day is fixed for outputs that are to be reproduced.
EPOCH = "SOURCE_DATE_EPOCH"
#: Flags of a batch that are no options of reading and scoring, and yet decide on its numbers.
_FLAGS = ("soft", "follow_links", "allow_same")
#: What names the fields of cases.
_FIELDS = ("within", "within_pattern")


def origin_of(
    settings: Settings,
    values: Mapping[str, Any],
    sides: tuple[object, object],
    obeyed: Obeyed | None = None,
) -> Origin:
    """Return where a run comes from.

    Parameters
    ----------
    settings : Settings
        What the options came to.
    values : mapping
        What was given by name, as :func:`~dicecli.records.origin.words` takes it: options of reading and
        scoring; of a batch what says which files are paired, too.
    sides : tuple
        Prediction and reference: files, folders, or what was given in Python.
    obeyed : Obeyed, optional
        The configuration file that the command obeys.

    Raises
    ------
    UsageError
        ``SOURCE_DATE_EPOCH`` is no moment.
    """
    # What is shown can be chosen again, and stands in the settings.
    told = {name: each for name, each in table_of(AnyOptions).items() if each.part != "reporting"}
    table = {name: each for name, each in told.items() if name != "labels"}
    values = {**values, **_maps_of(settings, values)}
    flags = (f"--{name.replace('_', '-')}" for name in _FLAGS if values.get(name))
    fields = {name: described(values.get(name)) for name in _FIELDS}
    named = (f"--{name.replace('_', '-')} {shlex.quote(each)}" for name, each in fields.items() if each)
    run = RunOrigin(
        prediction=described(sides[0]),
        reference=described(sides[1]),
        pairs=described(values.get("pairs")),
        prediction_pattern=values.get("prediction_pattern"),
        reference_pattern=values.get("reference_pattern"),
        labels=settings.labels.source,
        labels_sha256=settings.labels.sha256,
        options=(*flags, *named, *words(values, table)),
        config=None if obeyed is None else obeyed.config,
        from_config=() if obeyed is None else obeyed.from_config,
        version=__version__,
        date=date_of(),
    )
    return Origin((run,))


def _maps_of(settings: Settings, values: Mapping[str, Any]) -> dict[str, str]:
    """Return the maps of labels that were given, by their options, as texts."""
    maps = {f"map_{side}": each.text for side, each in settings.labels.maps.items()}
    return {name: text for name, text in maps.items() if values.get(name) is not None}


def date_of(began: str | None = None) -> str:
    """Return the day of a run as ISO 8601 has it, in UTC.

    The one that ``SOURCE_DATE_EPOCH`` fixes; else the one on which an earlier run began that this one goes on
    with; else today.

    Raises
    ------
    UsageError
        ``SOURCE_DATE_EPOCH`` is no number of seconds that a date has.
    """
    given = os.environ.get(EPOCH)
    if not given:
        return began or datetime.now(UTC).date().isoformat()
    try:
        return _moment(given).date().isoformat()
    except (ValueError, OverflowError, OSError) as error:
        raise UsageError(
            f"the environment variable {EPOCH} is '{given}'; seconds since 1970 are expected",
            f"Set it to a whole number, as the time of a commit: {EPOCH}=1700000000; or unset it.",
        ) from error


def _moment(given: str) -> datetime:
    """Return the moment so many seconds after 1970 began; a ValueError of one before."""
    seconds = int(given)
    if seconds < 0:
        raise ValueError(f"{seconds} is before 1970")
    return datetime.fromtimestamp(seconds, UTC)


def described(mask: object) -> str | None:
    """Return what was given as a mask, or a folder, in words: its path, or its kind, shape and type."""
    if mask is None:
        return None
    if isinstance(mask, (str, os.PathLike)):
        return os.fsdecode(mask)
    known = getattr(mask, "get_filename", None)
    path = known() if hasattr(mask, "dataobj") and callable(known) else None
    if path:
        return os.fsdecode(path)
    if is_tensor(mask):
        shape = () if mask.is_nested else mask.shape
        return _said("tensor", shape, str(mask.dtype).removeprefix("torch."), f"on {mask.device}")
    is_image = hasattr(mask, "dataobj")
    kind = "image" if is_image else "array"
    dtype = (
        mask.get_data_dtype() if is_image and hasattr(mask, "get_data_dtype") else getattr(mask, "dtype", "")
    )
    return _said(
        kind if hasattr(mask, "shape") else type(mask).__name__, getattr(mask, "shape", ()), str(dtype)
    )


def _said(kind: str, shape: tuple[int, ...], *more: str) -> str:
    return " ".join(filter(None, (kind, " x ".join(map(str, shape)), *more)))
