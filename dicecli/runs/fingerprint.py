"""What a case's counts depend on, as one digest; and those counts as JSON's types."""

from __future__ import annotations

import hashlib
import json
import os
from typing import TYPE_CHECKING, Any

from dicecli.masks import files
from dicecli.records.cases import Case, Scored
from dicecli.records.counts import Counts
from dicecli.records.version import __version__
from dicecli.statistics.soft.results import SoftScored

if TYPE_CHECKING:
    from dicecli.records.settings import Settings

#: To be raised whenever entries are written otherwise, or mean something else.
SCHEMA = 1


def fingerprint(case: Case, settings: Settings) -> str:
    """Return a digest of all that a case's counts depend on, its files by their size and time of change.

    The settings, this package's version, the case with its paths; both halves of a volume whose header is a
    file of its own. Only of cases whose masks are paths, or None.
    """
    return digest([digest(options_of(settings)), *inputs_of(case)])


def scored_to_dict(scored: Scored | SoftScored) -> dict[str, Any]:
    """Return a result in JSON's types only."""
    if isinstance(scored, SoftScored):
        return {"soft": scored.to_dict()}
    case = scored.case
    return {
        "case": [case.name, case.prediction, case.reference, case.group],
        "shape": list(scored.shape),
        "spacing": None if scored.spacing is None else list(scored.spacing),
        "unit": scored.unit,
        "sizes": dict(scored.sizes),
        "counted": scored.counted,
        "excluded": dict(scored.excluded),
        "labels": {str(label): list(counts) for label, counts in scored.labels.items()},
        "regions": {name: list(counts) for name, counts in scored.regions.items()},
        "notes": list(scored.notes),
    }


def scored_from_dict(content: dict[str, Any]) -> Scored | SoftScored:
    """Return the result that :func:`scored_to_dict` was given."""
    if "soft" in content:
        return SoftScored.from_dict(content["soft"])
    spacing = content["spacing"]
    return Scored(
        case=Case(*content["case"]),
        shape=tuple(content["shape"]),
        spacing=None if spacing is None else tuple(spacing),
        unit=content["unit"],
        sizes=content["sizes"],
        counted=content["counted"],
        excluded=content["excluded"],
        labels={int(label): Counts(*counts) for label, counts in content["labels"].items()},
        regions={name: Counts(*counts) for name, counts in content["regions"].items()},
        notes=tuple(content["notes"]),
    )


def options_of(settings: Settings) -> list[Any]:
    """Return all of the settings, and what else decides on the counts."""
    colours = [[list(colour), label] for colour, label in settings.labels.colours.items()]
    # What was scored within one limit has the same counts within another.
    counted = {key: value for key, value in settings.to_dict().items() if not key.startswith("max_")}
    return [SCHEMA, __version__, counted, colours]


def inputs_of(case: Case) -> list[Any]:
    """Return a case's name, and the state of its files."""
    masks = (case.prediction, case.reference)
    return [case.name, case.group, *(None if mask is None else state_of(os.fspath(mask)) for mask in masks)]


def state_of(path: str) -> list[Any]:
    """Return a path as given and in full, and size and time of change of each file that it stands for."""
    state: list[Any] = [path, os.path.abspath(path)]  # noqa: PTH100 - a string, whatever is in it
    return state + [None if found is None else found[:2] for found in files.state(path)]


def digest(content: Any) -> str:
    """Return the SHA-256 of something in JSON's types."""
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()
