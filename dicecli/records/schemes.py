"""Files of labels: what the integers in a mask mean, as it is written down.

A scheme is read from a file in one of the forms of ``dicecli/records/legends``, which is told by its
content; from a preset, by its name: a file of the project's own form in ``dicecli/records/presets``; or, in
Python, from a mapping of any of the forms in JSON.
"""

from __future__ import annotations

import json
import os
import re
import shlex
from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from dicecli.errors import BrokenPlugin, LabelFileError
from dicecli.plugins import blame, having, installed, load, own, unknown
from dicecli.records.alike import did_you_mean_file, one_form
from dicecli.records.calling import telling
from dicecli.records.labels import LabelScheme
from dicecli.records.legends._written import Written, not_labels
from dicecli.words import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import ModuleType

_PRESETS = Path(__file__).parent / "presets"
_NO_NAMES = LabelScheme()
#: A larger file is not read further.
_MOST_BYTES = 64 << 20


def presets() -> tuple[str, ...]:
    """List the names of the presets."""
    return tuple(sorted(path.stem for path in _PRESETS.glob("*.json")))


def naming(names: Iterable[str]) -> list[str]:
    """Return the presets in which each of some names is that of a label or region."""
    wanted = {*names}
    found = {name: load_labels(name) for name in presets()}
    return [name for name, each in found.items() if wanted <= {*each.names.values(), *each.regions}]


def described(preset: str) -> str:
    """Return what a preset says of itself: in the first sentence what it is, then what is odd, its source."""
    return str(json.loads((_PRESETS / f"{preset}.json").read_text(encoding="utf-8"))["description"])


def forms() -> dict[str, str]:
    """Return what the forms of files are called, by their modules' names; a broken one is left out."""
    return {name: load("legends", name).CALLED for name in having("legends", "read")}


def as_own(scheme: LabelScheme) -> dict[str, object]:
    """Return a scheme in the project's own form: JSON's types, which are read back to an equal scheme."""
    found: dict[str, object] = load("legends", "own").write(scheme)
    return found


@telling
def load_labels(source: str | Path | Mapping[str, object] | LabelScheme | None) -> LabelScheme:
    """Read a label scheme from a file, a preset's name, or a mapping of any form in JSON.

    Such as a mapping of labels to names alone: ``{1: "liver"}``, or of names to labels. Then, and in all
    forms but the project's own and nnU-Net's, 0 is the background where its name says so.

    Raises
    ------
    LabelFileError
        The file is missing, is of no form that is read, or says something that is not understood.
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
        raise not_labels(f"labels is {source!r}", "a file, a preset or a mapping is expected")
    if isinstance(source, Mapping):
        return _read(Written("the labels given", {str(key): value for key, value in source.items()}))
    path = Path(source)
    is_own = os.path.isfile(path)  # noqa: PTH113 - which takes names too long
    if not is_own:
        if path.suffix or len(path.parts) > 1:
            preset = did_you_mean(path.stem, presets())
            meant = preset if str(path.parent) == "." and preset else did_you_mean_file(path)
            raise LabelFileError("there is no such file of labels", f"{meant}{_read_here()}", str(path))
        if str(source) not in presets():
            raise unknown("labels file or preset", str(source), presets())
        path = _PRESETS / f"{source}.json"
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise not_labels(str(path), f"cannot be read: {error}") from error
    if len(data) > _MOST_BYTES:
        raise not_labels(str(path), f"is larger than {_MOST_BYTES >> 20} MiB, which no list of labels is")
    scheme = _read(_written(data, path, str(source)))
    return replace(scheme, sha256=sha256(data).hexdigest() if is_own else None)


def _read_here() -> str:
    return f"A labels file is {', '.join(forms().values())}; presets are {', '.join(presets())}."


def _written(data: bytes, path: Path, source: str) -> Written:
    """Return what a file holds: an object of JSON, or a text, in UTF-8 or else in Latin-1."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    if path.suffix.lower() != ".json" and text.lstrip()[:1] not in {"{", "["}:
        return Written(source, None, text)
    try:
        content = json.loads(data.decode("utf-8-sig"), object_pairs_hook=_without_repeats)
    except (ValueError, RecursionError) as error:
        raise not_labels(str(path), f"cannot be read as JSON: {error}") from error
    if not isinstance(content, dict):
        raise not_labels(str(path), f"a JSON object is expected, not a {type(content).__name__}")
    return Written(source, content)


def _read(written: Written) -> LabelScheme:
    """Read it by the form that it is of; those of installed packages are asked last.

    Raises
    ------
    LabelFileError
    """
    for name, form in _loaded():
        try:
            if form.is_of(written):
                return _in_one_form(form.read(written))
        except LabelFileError:
            raise
        except Exception as error:
            blame("legends", name, error)
            raise
    is_text = written.content is None
    what = "it is of no form that is read" if is_text else "'labels' is missing, or is not an object"
    raise LabelFileError(f"{written.source}: {what}", _read_here())


def _in_one_form(scheme: LabelScheme) -> LabelScheme:
    """Return a scheme whose names are in the form in which names are compared."""
    called = [*scheme.names.values(), *scheme.regions]
    if all(map(str.isascii, called)):
        return scheme
    regions = {one_form(name): members for name, members in scheme.regions.items()}
    if len(regions) < len(scheme.regions):
        raise LabelFileError(
            f"{scheme.source}: two regions have one name, in two forms of its letters",
            "Rename one of them.",
        )
    names = {label: one_form(name) for label, name in scheme.names.items()}
    return replace(scheme, names=names, regions=regions)


def _loaded() -> Iterator[tuple[str, ModuleType]]:
    """Yield the forms, those of installed packages last; one of these that is broken raises at the end."""
    broken = []
    for names in (own, installed):
        for name in names("legends"):
            try:
                yield name, load("legends", name)
            except BrokenPlugin as error:
                broken.append(error)
    if broken:
        raise broken[0]


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
    if not name.strip() or not re.fullmatch(r"\s*-?\d{1,4000}(\s*,\s*-?\d{1,4000})*\s*", members):
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


def _without_repeats(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"the key '{next(key for key in keys if keys.count(key) > 1)}' stands twice")
    return found
