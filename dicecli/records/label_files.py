"""Files of labels: what the integers in a mask mean, as it is written down.

A scheme is read from one of

* the project's own JSON::

      {"labels": {"0": "background", "1": "liver", "2": "tumour"},
       "regions": {"liver with tumour": [1, 2]},
       "ignore": 255, "background": 0, "colours": {"1": [255, 0, 0], "2": "#00ff00"}}

* nnU-Net's ``dataset.json`` as it is, where ``labels`` maps a name to an integer or to a list of them;
* a preset, by its name: a file of the own form in ``dicecli/records/presets``.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from dicecli.errors import LabelFileError
from dicecli.plugins import unknown
from dicecli.records.calling import telling
from dicecli.records.labels import NO_LABEL, LabelScheme
from dicecli.records.literals import colours_of, integers, is_integer
from dicecli.words import did_you_mean, did_you_mean_file

_KEYS = {"labels", "regions", "ignore", "background", "colours", "description"}
_EXAMPLE = 'A labels file looks like {"labels": {"0": "background", "1": "liver", "2": "tumour"}}.'
_NO_NAMES = LabelScheme()


def presets() -> tuple[str, ...]:
    """List the names of the presets."""
    return tuple(sorted(path.stem for path in (Path(__file__).parent / "presets").glob("*.json")))


@telling
def load_labels(source: str | Path | Mapping[str, object] | LabelScheme | None) -> LabelScheme:
    """Read a label scheme from a file, a preset's name, or a mapping of either JSON form.

    A mapping of labels to names alone stands for the own form with nothing else: ``{1: "liver"}``.

    Raises
    ------
    LabelFileError
        The file is missing, is not JSON, or says something that is not understood.
    UnknownName
        Neither a file nor a preset has that name.

    Examples
    --------
    >>> from dicecli import load_labels
    >>> load_labels("cityscapes").name(26)
    'car'
    >>> load_labels({1: "liver", 2: "tumour"}).names
    {1: 'liver', 2: 'tumour'}
    """
    if source is None:
        return LabelScheme()
    if isinstance(source, LabelScheme):
        return source
    if not isinstance(source, (str, Path, Mapping)):
        raise LabelFileError(f"labels is {source!r}: a file, a preset or a mapping is expected", _EXAMPLE)
    if isinstance(source, Mapping):
        is_plain = bool(source) and all(isinstance(key, int) for key in source)
        labels = {str(key): name for key, name in source.items()}
        return _scheme({"labels": labels} if is_plain else dict(source), "the labels given")
    path = Path(source)
    is_own = path.is_file()
    if not is_own:
        if path.suffix or len(path.parts) > 1:
            preset = did_you_mean(path.stem, presets())
            meant = preset if str(path.parent) == "." and preset else did_you_mean_file(path)
            raise LabelFileError(f"{path}: there is no such file of labels", f"{meant}{_EXAMPLE}")
        if str(source) not in presets():
            raise unknown("labels file or preset", str(source), presets())
        path = Path(__file__).parent / "presets" / f"{source}.json"
    try:
        data = path.read_bytes()
        content = json.loads(data.decode("utf-8-sig"), object_pairs_hook=_without_repeats)
    except (OSError, ValueError, RecursionError) as error:
        raise LabelFileError(f"{path}: cannot be read as JSON: {error}", _EXAMPLE) from error
    if not isinstance(content, dict):
        raise LabelFileError(f"{path}: a JSON object is expected, not a {type(content).__name__}", _EXAMPLE)
    return replace(_scheme(content, str(source)), sha256=sha256(data).hexdigest() if is_own else None)


def parse_region(text: str, scheme: LabelScheme = _NO_NAMES) -> tuple[str, tuple[int, ...]]:
    """Read ``NAME=1,2,3`` into the region's name and its labels.

    Parameters
    ----------
    text : str
    scheme : LabelScheme, optional
        Of names that may stand there in place of numbers, which the error has then.

    Raises
    ------
    LabelFileError
        Not of that form.
    """
    name, _, members = text.partition("=")
    if not name.strip() or not re.fullmatch(r"\s*-?\d+(\s*,\s*-?\d+)*\s*", members):
        of_name = {called: label for label, called in scheme.names.items()}
        words = [each.strip() for each in members.split(",")]
        if name.strip() and all(each in of_name for each in words):
            written = f"{name.strip()}={','.join(str(of_name[each]) for each in words)}"
            raise LabelFileError(
                f"'{text}' is no region: the numbers of its labels are expected, not their names",
                f"Write --region {shlex.quote(written)}.",
            )
        raise LabelFileError(
            f"'{text}' is no region: a name and the numbers of its labels are expected",
            "Write a name, an equals sign and its labels: --region 'whole tumour=1,2,4'.",
        )
    return name.strip(), tuple(sorted({int(each) for each in members.split(",")}))


def _scheme(content: dict[str, object], source: str) -> LabelScheme:
    labels = content.get("labels")
    if not isinstance(labels, dict) or not labels:
        raise LabelFileError(f"{source}: 'labels' is missing, or is not an object", _EXAMPLE)
    if all(is_integer(key) for key in labels):
        return _own_form(content, labels, source)
    mixed = {"ignore", "regions", "background", "colours"} & set(content)
    if mixed:
        raise LabelFileError(
            f"{source}: '{min(mixed)}' beside labels written as name: number",
            'Write them as number: name, {"1": "liver"}; or put "ignore" among the labels, as nnU-Net does.',
        )
    return _nnunet_form(labels, source)


def _own_form(content: dict[str, object], labels: dict[str, object], source: str) -> LabelScheme:
    """Read the project's own form; nnU-Net v1, with labels as keys too, is told by its other keys."""
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
        for name, members in _object(content.get("regions", {}), source, "regions").items()
    }
    ignore = content.get("ignore")
    background = content.get("background", 0)
    if not (background is None or is_integer(background)):
        raise LabelFileError(f"{source}: background {background!r} is no label", _EXAMPLE)
    left_out = () if ignore is None else integers(ignore, source, "ignore")
    colours = colours_of(_object(content.get("colours", {}), source, "colours"), left_out, source)
    return _checked(
        LabelScheme(
            names=dict(sorted(names.items())),
            regions=regions,
            ignore=left_out,
            background=None if background is None else int(background),
            colours={colour: labels[0] for colour, labels in colours.items()},
            alike={colour: labels[1:] for colour, labels in colours.items() if labels[1:]},
            source=source,
        ),
    )


def _nnunet_form(labels: dict[str, object], source: str) -> LabelScheme:
    """Read nnU-Net's form: name to integer, or to a list: a region. ``ignore`` is its word for that label.

    nnU-Net evaluates regions alone once one is declared, single labels among them; so do ``regions`` here.
    """
    members = {name: integers(value, source, f"label '{name}'") for name, value in labels.items()}
    ignore = members.pop("ignore", ())
    has_regions = any(isinstance(value, list) for value in labels.values())
    names = {value[0]: name for name, value in members.items() if len(value) == 1}
    regions = {name: value for name, value in members.items() if has_regions and value != (0,)}
    if has_regions:
        inside = {label for value in members.values() for label in value}
        names = {label: names.get(label, f"label {label}") for label in inside}
    singles = [value for value in members.values() if len(value) == 1]
    if len({*singles}) < len(singles):
        raise LabelFileError(f"{source}: two names have the same label", "Give each label one name.")
    return _checked(LabelScheme(dict(sorted(names.items())), regions, ignore, source=source))


def _checked(scheme: LabelScheme) -> LabelScheme:
    beyond = [
        label
        for label in {*scheme.known, *scheme.colours.values(), scheme.background or 0}
        if not NO_LABEL < label < -NO_LABEL
    ]
    if beyond:
        raise LabelFileError(
            f"{scheme.source}: the label {max(beyond, key=abs)} does not fit into 63 bits",
            "Number the labels from 0, in the masks too.",
        )
    for label in scheme.colours.values():
        if label not in scheme.known and label != scheme.background:
            raise LabelFileError(
                f"{scheme.source}: colour of label {label}, which is not declared",
                "Declare it under 'labels', or under 'ignore'.",
            )
    for name, members in scheme.regions.items():
        strange = set(members) - {*scheme.names, *scheme.ignore, scheme.background}
        if strange:
            raise LabelFileError(
                f"{scheme.source}: region '{name}' has the label {min(strange)}, which is not declared",
                "Declare it under 'labels'.",
            )
    return scheme


def _object(value: object, source: str, key: str) -> dict[str, object]:
    if not isinstance(value, dict):
        raise LabelFileError(f"{source}: '{key}' must be an object, not {value!r}", _EXAMPLE)
    return value


def _without_repeats(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"the key '{next(key for key in keys if keys.count(key) > 1)}' stands twice")
    return found
