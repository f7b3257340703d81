"""The project's own form, in JSON; presets are of it.

::

    {"labels": {"0": "background", "1": "liver", "2": "tumour"},
     "regions": {"liver with tumour": [1, 2]},
     "ignore": 255, "background": 0, "colours": {"1": [255, 0, 0], "2": "#00ff00"},
     "map": {"prediction": {"5": 1, "6": 1, "*": "ignore"}}}
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from dicecli.errors import LabelFileError
from dicecli.records.label_maps import IGNORE, SIDES, LabelMap
from dicecli.records.label_maps.texts import parse_map
from dicecli.records.labels import LabelScheme
from dicecli.records.legends._entries import checked
from dicecli.records.legends._written import not_labels
from dicecli.records.literals import colours_of, integers, is_integer
from dicecli.words import did_you_mean

if TYPE_CHECKING:
    from dicecli.records.legends._written import Written

CALLED = "the project's own JSON"
_KEYS = {"labels", "regions", "ignore", "background", "colours", "map", "description"}


def is_of(written: Written) -> bool:
    """Whether it has labels that are no mapping of names to numbers."""
    content = written.content or {}
    labels = content.get("labels")
    return "labels" in content and (not isinstance(labels, dict) or all(is_integer(key) for key in labels))


def read(written: Written) -> LabelScheme:
    """Read it; nnU-Net's first version, with labels as keys too, is told by its other keys."""
    content, source = written.content or {}, written.source
    labels = content.get("labels")
    if not isinstance(labels, dict) or not labels:
        raise not_labels(source, "'labels' is missing, or is not an object")
    is_foreign = bool({"modality", "numTraining", "channel_names", "file_ending"} & set(content))
    if not is_foreign and set(content) - _KEYS:
        extra = ", ".join(sorted(set(content) - _KEYS))
        meant = did_you_mean(min(set(content) - _KEYS), _KEYS)
        raise LabelFileError(f"{source}: unknown key: {extra}", f"{meant}Known: {', '.join(sorted(_KEYS))}.")
    names = {int(key): str(value) for key, value in labels.items()}
    if len(names) < len(labels):
        raise LabelFileError(f"{source}: one label is written twice", "Give each label one name.")
    regions = {
        str(name): integers(members, source, f"region '{name}'")
        for name, members in _object(content, "regions", source).items()
    }
    ignore = content.get("ignore")
    background = content.get("background", 0)
    if not (background is None or is_integer(background)):
        raise not_labels(source, f"background {background!r} is no label")
    left_out = () if ignore is None else integers(ignore, source, "ignore")
    colours = colours_of(_object(content, "colours", source), left_out, source)
    return checked(
        LabelScheme(
            names=dict(sorted(names.items())),
            regions=regions,
            ignore=left_out,
            background=None if background is None else int(background),
            colours={colour: labels[0] for colour, labels in colours.items()},
            alike={colour: labels[1:] for colour, labels in colours.items() if labels[1:]},
            maps=_maps(content["map"], source) if "map" in content else {},
            source=source,
        ),
    )


def _maps(given: object, source: str) -> dict[str, LabelMap]:
    """Return what the labels of each side are read as; a map that names no side is of both."""
    if not isinstance(given, Mapping) or not {*SIDES} & set(given):
        both = parse_map(given, f"{source}: 'map'")
        return dict.fromkeys(SIDES, both)
    if set(given) - {*SIDES}:
        raise LabelFileError(
            f"{source}: 'map' has '{min(set(given) - {*SIDES})}' beside a side",
            'Put labels into one of both: {"prediction": {"5": 1}}; or leave the sides out, for both.',
        )
    return {side: parse_map(given[side], f"{source}: 'map' of the {side}") for side in SIDES if side in given}


def write(scheme: LabelScheme) -> dict[str, object]:
    """Return what reads back to an equal scheme, but for its source: JSON's types."""
    colours: dict[int, list[str]] = {}
    for colour, label in scheme.colours.items():
        for each in (label, *scheme.alike.get(colour, ())):
            colours.setdefault(each, []).append(f"#{bytes(colour).hex()}")
    return {
        "labels": {str(label): name for label, name in scheme.names.items()},
        "regions": {name: [*members] for name, members in scheme.regions.items()},
        "ignore": [*scheme.ignore] or None,
        "background": scheme.background,
        "colours": {str(label): said if said[1:] else said[0] for label, said in colours.items()},
        **({"map": {side: _map(each) for side, each in scheme.maps.items()}} if scheme.maps else {}),
    }


def _map(given: LabelMap) -> dict[str, object]:
    """Return a map of labels as it is read."""
    found: dict[str, object] = {}
    for part in given.text.split(","):
        key, is_label, to = part.partition("=")
        if is_label:
            found[key] = to if to == IGNORE else int(to)
        else:  # what is added keeps its sign, in a text: -1 alone would be a label
            key, _, step = part.partition(":")
            found[key] = step
    return found


def _object(content: Mapping[str, object], key: str, source: str) -> dict[str, object]:
    value = content.get(key, {})
    if not isinstance(value, dict):
        raise not_labels(source, f"'{key}' must be an object, not {value!r}")
    return value
