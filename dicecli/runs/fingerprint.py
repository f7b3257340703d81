"""What the measurements of a case depend on, as one digest."""

from __future__ import annotations

import hashlib
import json
import os
from typing import TYPE_CHECKING, Any

from dicecli.masks import files
from dicecli.metrics._catalogue import arguments_of, statistics_needed
from dicecli.plugins import package_of
from dicecli.records.compound import Compound, paths_of
from dicecli.records.options import table_of
from dicecli.records.settings import AnyOptions
from dicecli.records.version import __version__

if TYPE_CHECKING:
    from dicecli.records.cases import Case
    from dicecli.records.settings import Settings

#: To be raised whenever entries are written otherwise, or mean something else.
SCHEMA = 2


def fingerprint(case: Case, settings: Settings) -> str:
    """Return a digest of all that a case's counts depend on, its files by their size and time of change.

    The settings, the version of this package and of those that bring statistics, the case with its paths;
    both halves of a volume whose header is a file of its own. Only of cases whose masks are paths, or None.
    """
    return digest([digest(options_of(settings)), *inputs_of(case)])


def options_of(settings: Settings) -> list[Any]:
    """Return all of the settings that decide on the counts, and what else does.

    Of the metrics it is what they have measured, whatever they are called and in whichever order.
    """
    colours = [[list(colour), label] for colour, label in settings.labels.colours.items()]
    colours += [[list(colour), *labels] for colour, labels in settings.labels.alike.items()]
    # What was scored within one limit, say, has the same counts within another.
    others = {name for name, each in table_of(AnyOptions).items() if not each.is_measured}
    counted = {key: value for key, value in settings.to_dict().items() if key not in others}
    del counted["metrics"]
    needed = sorted(statistics_needed(settings))
    measured = [[name, sorted(arguments_of(settings.metrics, name).items())] for name in needed]
    packages = [package_of("statistics", name) for name in needed]
    return [SCHEMA, __version__, counted, measured, colours, *filter(None, packages)]


def inputs_of(case: Case) -> list[Any]:
    """Return a case's name, and the state of its files."""
    masks = (case.prediction, case.reference)
    field = [] if case.within is None else [_states(case.within)]
    return [case.name, case.group, *(None if mask is None else _states(mask) for mask in masks), *field]


def _states(mask: object) -> list[Any]:
    """Return the state of the file that a side is read from; of several what it is called, and theirs."""
    states = [state_of(path) for path in paths_of(mask)]
    return [mask.identity, *states] if isinstance(mask, Compound) else states[0]


def state_of(path: str) -> list[Any]:
    """Return a path as given and in full, and size and time of change of each file that it stands for."""
    state: list[Any] = [path, os.path.abspath(path)]  # noqa: PTH100 - a string, whatever is in it
    return state + [None if found is None else found[:2] for found in files.state(path)]


def digest(content: Any) -> str:
    """Return the SHA-256 of something in JSON's types."""
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()
