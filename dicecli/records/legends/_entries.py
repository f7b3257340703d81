"""Labels as the forms name them, and what they come to: a scheme that is checked."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from dicecli.errors import LabelFileError
from dicecli.records.labels import NO_LABEL, LabelScheme
from dicecli.records.legends._written import colour_at, not_labels
from dicecli.words import plain

if TYPE_CHECKING:
    import re
    from collections.abc import Iterable

    from dicecli.records.labels import Colour
    from dicecli.records.legends._written import Written

#: Names that say of a label that it is the background, in lower case and without what is between their parts.
BACKGROUND = {
    *("background", "bg", "clearlabel", "nodata", "nolabel", "none"),
    *("nothing", "unknown", "unlabeled", "unlabelled", "void"),
}


class Entry(NamedTuple):
    """A label as a form names it.

    Attributes
    ----------
    label : int
    name : str
    colour : (red, green, blue) or None
    line : int or None
        Where it stands, from 1; None: in no text.
    """

    label: int
    name: str
    colour: Colour | None = None
    line: int | None = None


def says_background(name: str) -> bool:
    """Whether the name of a label says that it is the background."""
    return plain(name).replace("_", "") in BACKGROUND


def of_lines(written: Written, line: re.Pattern[str], right: str) -> LabelScheme:
    """Return what a text comes to whose lines are a number, a name, red, green and blue.

    Parameters
    ----------
    written : Written
    line : re.Pattern
        Its groups are these, in this order.
    right : str
        A line as it should be, for errors.

    Raises
    ------
    LabelFileError
        A line is of another form, or says what another one contradicts.
    """
    entries = (
        Entry(int(each[1]), each[2], colour_at(written, number, each.groups()[2:], right), number)
        for number, each in written.matches(line, right)
    )
    return scheme_of(entries, written)


def scheme_of(
    entries: Iterable[Entry], written: Written, *, is_coded: bool = False, by_order: bool = False
) -> LabelScheme:
    """Return what entries come to; no name makes a label one that is left out.

    Parameters
    ----------
    entries : iterable of Entry
    written : Written
    is_coded : bool, optional
        The form is of colour-coded masks: two labels of one colour are an error. Else colours are for the
        eye, and one that several labels have stands for none of them.
    by_order : bool, optional
        Numbers are places in the file, so that a name is what tells labels apart: no two have the same, and
        the background may have any number. Else 0 alone can be the background: where its name says so, or
        where the file has no 0.

    Raises
    ------
    LabelFileError
        There is none, or one is there twice.
    """
    names: dict[int, str] = {}
    of_colour: dict[Colour, list[int]] = {}
    called = set[str]()
    for label, name, colour, line in entries:
        place = f"{written.source}, line {line}" if line else written.source
        if label in names or (by_order and name in called):
            again = f"the name '{name}'" if by_order else f"label {label}"
            raise LabelFileError(f"{place}: {again} is there a second time", "Give each label one name.")
        names[label] = name
        called.add(name)
        if colour is not None:
            of_colour.setdefault(colour, []).append(label)
            if is_coded and len(of_colour[colour]) > 1:
                other = names[of_colour[colour][0]]
                raise LabelFileError(
                    f"{place}: '{name}' has the same colour as '{other}'", "Give each label its own colour."
                )
    if not names:
        raise not_labels(written.source, "no label is in it")
    background: int | None = 0
    if by_order or not says_background(names.get(0, "background")):
        background = next((each for each in names if by_order and says_background(names[each])), None)
    return checked(
        LabelScheme(
            names=dict(sorted(names.items())),
            background=background,
            colours={colour: labels[0] for colour, labels in of_colour.items() if len(labels) == 1},
            source=written.source,
        )
    )


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
