"""What the integers in a mask mean: names, regions, the ignore labels, the background, colours."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from dicecli.errors import LabelFileError, UsageError
from dicecli.records.label_maps import LabelMap, check_fit
from dicecli.words import listed

Colour = tuple[int, int, int]
#: Stands for "belongs to no label" among labels; no file can hold this value as a label.
NO_LABEL = -(2**63)


@dataclass(frozen=True)
class LabelScheme:
    """What the labels of a run mean.

    Attributes
    ----------
    names : mapping of int to str
        The declared labels. Empty: none were declared, and whatever is found is evaluated.
    regions : mapping of str to tuple of int
        Named sets of labels; they may overlap.
    ignore : tuple of int
        Pixels whose reference has one of these are left out.
    background : int or None
        Left out of averages unless asked for; None: every label counts.
    colours : mapping of (red, green, blue) to int
        The label that each colour of a colour-coded image means.
    alike : mapping of (red, green, blue) to tuple of int
        The other labels that have the colour of one in `colours`; all of them are left out.
    maps : mapping of {"prediction", "reference"} to LabelMap
        What the labels of a side are read as; a side that is not there keeps its own.
    source : str or None
        Where it was read: a file's name or a preset's; None: labels were not declared.
    sha256 : str or None
        The SHA-256 of the file that it was read from; None of a preset, and of what is no file.

    Examples
    --------
    >>> from dicecli import LabelScheme
    >>> LabelScheme({1: "liver", 2: "tumour"}, regions={"both": (1, 2)}).name(2)
    'tumour'
    """

    names: Mapping[int, str] = field(default_factory=dict)
    regions: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    ignore: tuple[int, ...] = ()
    background: int | None = 0
    colours: Mapping[Colour, int] = field(default_factory=dict)
    alike: Mapping[Colour, tuple[int, ...]] = field(default_factory=dict)
    maps: Mapping[str, LabelMap] = field(default_factory=dict)
    source: str | None = None
    sha256: str | None = field(default=None, compare=False)

    @property
    def is_declared(self) -> bool:
        """Whether the labels are known, so that any other one found is an error."""
        return bool(self.names)

    @property
    def known(self) -> frozenset[int]:
        """Every label that may stand in a mask under this scheme."""
        members = (label for region in self.regions.values() for label in region)
        return frozenset([*self.names, *members, *self.ignore])

    @property
    def is_one(self) -> bool:
        """Whether label 1 is the only one beside the background 0."""
        return self.known - {0} == {1} and self.background in {0, None}

    @property
    def has_background(self) -> bool:
        """Whether the background may be a label of a mask: not where labels are declared without it."""
        return not self.is_declared or self.background in {*self.names, *self.ignore}

    def name(self, label: int) -> str | None:
        """Return the declared name of a label, or None."""
        return self.names.get(label)

    def adding(
        self,
        *,
        regions: Mapping[str, tuple[int, ...]] | None = None,
        ignore: Iterable[int] = (),
        maps: Mapping[str, LabelMap] | None = None,
    ) -> LabelScheme:
        """Return this scheme with further regions and ignore labels, and with maps in place of its own."""
        if self.is_declared:
            for name, members in (regions or {}).items():
                strange = set(members) - {*self.names, *self.ignore, self.background}
                if strange:
                    known = ", ".join(f"{label} ({title})" for label, title in self.names.items())
                    raise LabelFileError(
                        f"region '{name}' has the label {min(strange)}, which {self.source} does not declare",
                        f"Declared are {known}.",
                    )
        check_fit([label for members in (regions or {}).values() for label in members], "a region")
        check_fit(ignore := tuple(ignore), "what is ignored")
        return replace(
            self,
            regions={**self.regions, **(regions or {})},
            ignore=tuple(sorted({*self.ignore, *ignore})),
            maps={**self.maps, **(maps or {})},
        )


def labels_of(given: int | str | Iterable[int] | None) -> list[int]:
    """Return the labels that one, several, none, or a text with commas are given as.

    Raises
    ------
    UsageError
        Something else than integers.
    """
    try:
        if isinstance(given, str):
            return [int(each) for each in listed(given)]
        several = given if isinstance(given, Iterable) else () if given is None else (given,)
        return [operator.index(label) for label in several]
    except (TypeError, ValueError) as error:
        raise UsageError(f"{given!r} is no label", "Labels are integers: one, or a list of them.") from error
