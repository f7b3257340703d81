"""Which labels and regions alone have rows, where a run is to be about some of them.

Longer than other modules: all that a word of the option may mean, number, range or name, is decided here,
and all that may be wrong with it is said here.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dicecli.errors import UsageError
from dicecli.records.alike import one_form
from dicecli.records.labels import NO_LABEL
from dicecli.records.measurements import Label  # noqa: TC001 - the codec reads types
from dicecli.words import counted, did_you_mean, every, listed

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from dicecli.records.labels import LabelScheme
    from dicecli.records.measurements import Row

_NUMBER = re.compile(r"[+-]?\d{1,4000}")
_RANGE = re.compile(r"(-?\d{1,4000})\s*-\s*(-?\d{1,4000})")
#: So many labels a range may have where none are declared.
_LONGEST = 4096


@dataclass(frozen=True)
class Only:
    """The labels and regions that alone have rows and go into averages.

    Attributes
    ----------
    labels : tuple of int
        In ascending order, each once.
    regions : tuple of str
        Their names, each once.
    """

    labels: tuple[Label, ...]
    regions: tuple[str, ...]

    def check(self) -> None:
        """Raise ValueError where a label or region stands twice, or labels are in another order."""
        if [*self.labels] != sorted({*self.labels}) or len({*self.regions}) < len(self.regions):
            raise ValueError("labels that are not in ascending order, or a region twice")

    def has(self, row: Row) -> bool:
        """Tell whether it names a row."""
        return row.name in self.regions if row.kind == "region" else row.label in self.labels

    def has_layer(self, row: Row, regions: Collection[str]) -> bool:
        """Tell whether it names a binary layer: by its name, or, but for declared regions, by its label."""
        is_of_labels = row.name not in regions and bool(row.members)
        return self.has(row) or (is_of_labels and {*row.members} <= {*self.labels})

    def in_words(self) -> str:
        """Return all of it as a list with commas is typed: names that hold a comma or a quote in quotes."""
        return ",".join([*map(str, self.labels), *map(_quoted, self.regions)])


def _quoted(name: str) -> str:
    return f'"{name.replace(chr(34), chr(34) * 2)}"' if {*name} & {*',"'} else name


def parse_only(
    given: int | str | Iterable[int | str] | Only | None,
    scheme: LabelScheme,
    *,
    include_background: bool = False,
    classes: Collection[str] | None = (),
) -> Only | None:
    """Read which labels and regions alone are asked for.

    A number is a label's, where the scheme has that label or declares none; a name is that of a label, of a
    region, or of both where they are the same pixels, which then both have rows. What is no name of the
    scheme may be that of a class that is a file. A range, ``1-3``, that is no name is the labels in it, of
    those that are declared, where any are; but for ignored ones.

    Parameters
    ----------
    given : int, str, iterable of such, or Only, optional
        Numbers and names; a text may be a list with commas. None, and an empty list, ask for all.
    scheme : LabelScheme
        Where names come from.
    include_background : bool
        Whether it was said besides that the background is to be taken in.
    classes : collection of str, optional
        The names of classes that are a file each. None: there are some, which are not known yet, so that any
        name may be one of them, until :func:`check_classes` knows.

    Raises
    ------
    UsageError
        What is neither a label nor a region of the scheme; an ignored label; without declared labels
        anything but numbers and regions. Or the background is to be taken in, and is not among them.
    """
    words = _words(given)
    if not words:
        return None
    labels, regions = set[int](), dict[str, None]()
    for label, region in (each for word in words for each in _every_meant(word, scheme, classes)):
        if label is not None and not NO_LABEL < label < -NO_LABEL:
            raise UsageError(
                f"label {label} of --only does not fit into 63 bits",
                "No mask holds it: leave it out of --only.",
            )
        if label is not None and label in scheme.ignore:
            raise UsageError(
                f"label {label} of --only is ignored: pixels whose reference has it are left out",
                "Leave it out of --only, or do not ignore it.",
            )
        labels |= set() if label is None else {label}
        regions |= {} if region is None else {region: None}
    found = Only(tuple(sorted(labels)), tuple(regions))
    if include_background and scheme.background not in {None, *labels}:
        raise UsageError(
            f"--only says which labels have rows, and label {scheme.background} is none of them, which "
            "--include-background takes in",
            f"Name it: --only {scheme.background},{found.in_words()}; or leave out --include-background.",
        )
    return found


def _words(given: int | str | Iterable[int | str] | Only | None) -> Sequence[int | str]:
    """Return what is asked for, one by one: a text alone is a list with commas, among others a name."""
    if isinstance(given, Only):
        return [*given.labels, *given.regions]
    if given is None or isinstance(given, str):
        return [] if given is None else listed(given)
    found: list[int | str] = []
    for each in given if isinstance(given, Iterable) else [given]:
        try:
            found.append(each if isinstance(each, str) else operator.index(each))
        except TypeError:
            raise UsageError(
                f"only is {given!r}, and {each!r} is no label",
                "Labels are numbers, or names of --labels: only=[1, 'liver'].",
            ) from None
    return found


def check_classes(only: Only | None, scheme: LabelScheme, classes: Mapping[str, Collection[int]]) -> None:
    """Check that what alone is asked for is there, once it is known which classes are a file each.

    Parameters
    ----------
    only : Only, optional
    scheme : LabelScheme
    classes : mapping of str to collection of int
        Each with the labels that it is called by; empty where no class is a file.

    Raises
    ------
    UsageError
        Nothing is of a name or, where classes are files, of a label: of a declared region alone no file is.
    """
    if only is None:
        return
    strange = [name for name in only.regions if name not in (classes or scheme.regions)]
    known = {label for members in classes.values() for label in members}
    strange += [scheme.name(label) or str(label) for label in only.labels if classes and label not in known]
    if strange:
        raise _unknown(strange[0], scheme, classes)


def _every_meant(
    word: int | str, scheme: LabelScheme, classes: Collection[str] | None
) -> Iterator[tuple[int | None, str | None]]:
    """Yield what a word means, as `_meant` does; of a range each of its labels."""
    text = str(word).strip()
    found = _RANGE.fullmatch(text)
    if found is None or text in {*scheme.names.values(), *scheme.regions, *(classes or ())}:
        yield _meant(word, scheme, classes)
        return
    first, last = int(found[1]), int(found[2])
    if last < first:
        raise UsageError(
            f"the range {text} of --only ends before it begins", f"Write --only {last}-{first} in its place."
        )
    if scheme.is_declared:
        labels = {
            each for each in {*scheme.known, scheme.background} if each is not None and first <= each <= last
        }
        if not labels:
            raise _unknown(text, scheme, classes or ())
    elif last - first >= _LONGEST:
        raise UsageError(
            f"the range {text} of --only has {last - first + 1:,} labels",
            f"A mask has up to {_LONGEST:,}: write a shorter range.",
        )
    else:
        labels = {*range(first, last + 1)}
    yield from ((label, None) for label in sorted(labels - {*scheme.ignore} or labels))


def _meant(
    word: int | str, scheme: LabelScheme, classes: Collection[str] | None
) -> tuple[int | None, str | None]:
    """Return the label that a word means, and the region: one of them, or both of one name."""
    if isinstance(word, int) or _NUMBER.fullmatch(word):
        number = int(word)
        if number in {*scheme.names, *scheme.ignore, scheme.background} or not scheme.is_declared:
            return number, None
    text = one_form(str(word).strip())
    labels = [each for each, name in scheme.names.items() if one_form(name.strip()) == text]
    region = next((name for name in scheme.regions if one_form(name.strip()) == text), None)
    if not labels and region is None:
        region = text if classes is None else next((each for each in classes if each.strip() == text), None)
        if region is None:
            raise _unknown(text, scheme, classes or ())
        return None, region
    if len(labels) > 1 or (labels and region is not None and {*scheme.regions[region]} != {*labels}):
        means = [*(f"label {each}" for each in labels), *([f"region {region}"] if region else [])]
        raise UsageError(
            f"'{text}' of --only is {' and '.join(means)}",
            f"Write a label's number, as --only {labels[0]}, or rename the region.",
        )
    return next(iter(labels), None), region


def _unknown(text: str, scheme: LabelScheme, classes: Collection[str]) -> UsageError:
    if classes:
        return UsageError(
            f"'{text}' of --only is no class of these files, which are of {_counted(classes)}",
            f"{did_you_mean(text, classes)}Name some of these: {every(classes)}.",
        )
    if not scheme.is_declared:
        regions = f" Declared are the regions {every(scheme.regions)}." if scheme.regions else ""
        return UsageError(
            f"'{text}' of --only is no number, and no labels are declared that have names",
            f"Write numbers, --only 1,2; or say what labels are called: --labels FILE.{regions}",
        )
    called = [*scheme.names.values(), *scheme.regions]
    known = [*(f"{label} ({name})" for label, name in scheme.names.items()), *scheme.regions]
    return UsageError(
        f"'{text}' of --only is no label and no region of {scheme.source or 'the labels given'}, which has "
        f"{counted(len(scheme.names), 'label')}",
        f"{did_you_mean(text, called)}Declared are {every(known)}.",
    )


def _counted(classes: Collection[str]) -> str:
    return f"{len(classes):,} class{'es' * (len(classes) != 1)}"


def evaluates(label: int, scheme: LabelScheme, only: Only | None, *, include_background: bool) -> bool:
    """Tell whether a label, where a mask has it, has a row and goes into averages.

    Where `only` says which labels do, it says so alone, of the background as well.
    """
    if label in scheme.ignore:
        return False
    if only is not None:
        return label in only.labels
    if scheme.names and label not in scheme.names:
        return False
    return include_background or label != scheme.background


def declared(scheme: LabelScheme) -> Only:
    """Return the declared labels but those that are ignored; the background where there is no other."""
    every = {*scheme.names} - {*scheme.ignore}
    return Only(tuple(sorted(every - {scheme.background} or every)), ())
