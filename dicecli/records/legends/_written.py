"""What a file of labels holds before it is known which form it has, and what every form makes of it."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - a field of a class
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from dicecli.errors import LabelFileError
from dicecli.records.labels import NO_LABEL, LabelScheme
from dicecli.words import plain

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Names that say of a label that it is the background, in lower case and without what is between their parts.
BACKGROUND = {
    *("background", "bg", "clearlabel", "nodata", "nolabel", "none"),
    *("nothing", "unknown", "unlabeled", "unlabelled", "void"),
}


@dataclass(frozen=True)
class Written:
    """A file of labels, read and not yet understood.

    Attributes
    ----------
    source : str
        Its name, for errors.
    content : mapping of str to object, or None
        The object that a JSON file holds, or that is given in Python; None: it is a text.
    text : str
        Empty where there is `content`.
    """

    source: str
    content: Mapping[str, object] | None = None
    text: str = ""


class Entry(NamedTuple):
    """A label as a form names it.

    Attributes
    ----------
    label : int
    name : str
    """

    label: int
    name: str


def not_labels(source: str, what: str) -> LabelFileError:
    """Make the error of a file that is none of labels, with one that is."""
    return LabelFileError(
        f"{source}: {what}",
        'A labels file looks like {"labels": {"0": "background", "1": "liver", "2": "tumour"}}.',
    )


def says_background(name: str) -> bool:
    """Whether the name of a label says that it is the background."""
    return plain(name).replace("_", "") in BACKGROUND


def scheme_of(entries: Iterable[Entry], written: Written) -> LabelScheme:
    """Return what entries come to; no name makes a label one that is left out.

    0 is the background where its name says so, or where the file has no 0.

    Raises
    ------
    LabelFileError
        There is none, or one is there twice.
    """
    names: dict[int, str] = {}
    for label, name in entries:
        if label in names:
            what = f"label {label} is there a second time"
            raise LabelFileError(f"{written.source}: {what}", "Give each label one name.")
        names[label] = name
    if not names:
        raise not_labels(written.source, "no label is in it")
    background = 0 if says_background(names.get(0, "background")) else None
    return checked(LabelScheme(dict(sorted(names.items())), background=background, source=written.source))


def checked(scheme: LabelScheme) -> LabelScheme:
    """Return a scheme whose labels can be in a mask, and which declares all that it speaks of.

    Raises
    ------
    LabelFileError
    """
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
