"""What was measured of a case: a measurement for each row, by the statistic that gave it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal, NamedTuple, Protocol, Self

Kind = Literal["label", "region", "image"]


class Least(NamedTuple):
    """Stands beside the type of a number: the smallest that it may be."""

    value: int


class Most(NamedTuple):
    """Stands beside the type of a number: the largest that it may be."""

    value: int


class Shape(NamedTuple):
    """Stands beside the type of an array of whole numbers: its length along each axis, None for any."""

    lengths: tuple[int | None, ...]


#: The type of a field that counts something; a float holds the square of the largest.
Whole = Annotated[int, Least(0), Most(1 << 128)]
#: The type of a field that holds a label, in the 64 bits that labels have.
Label = Annotated[int, Least(-(1 << 63)), Most((1 << 63) - 1)]


class Row(NamedTuple):
    """What a line of a report is about.

    Attributes
    ----------
    kind : {"label", "region", "image"}
        A label; a region, which is a set of labels or a binary layer; or all of the image.
    label : int or None
        The label; None for a region and the image.
    name : str or None
        The region's name, or the label's where it has one.
    members : tuple of int
        The labels that belong to it: the label itself, or those of the region.
    """

    kind: Kind
    label: Label | None = None
    name: str | None = None
    members: tuple[Label, ...] = ()

    @property
    def title(self) -> str:
        """What people call it: its name, else its number."""
        return self.name or ("the image" if self.label is None else f"label {self.label}")

    def check(self) -> None:
        """Raise ValueError where this is no row: a label not its own member, a region with no name."""
        is_row = {
            "label": self.label in self.members,
            "region": self.label is None and self.name is not None,
            "image": self == Row("image"),
        }
        if not is_row[self.kind]:
            raise ValueError(f"{tuple(self)} is no row of one {self.kind}")


#: The row of what is measured of all labels together.
IMAGE = Row("image")


def layers_by_number(number: int) -> tuple[Row, ...]:
    """Return the rows of so many binary layers that have no names."""
    return tuple(Row("region", None, f"layer {place}") for place in range(1, number + 1))


class Measurement(Protocol):
    """What one statistic gives for one row: a frozen dataclass whose values add up.

    Sums are associative and commutative, and :meth:`zero` adds nothing. The types of the fields are those
    that :mod:`dicecli.records.codec` knows; a method ``check``, where there is one, raises ValueError where
    fields that were read contradict each other; a method ``check_shape``, where no mask of a shape has them.
    """

    __dataclass_fields__: Any

    @classmethod
    def zero(cls) -> Self:
        """Return the measurement of nothing."""

    def __add__(self, other: Any) -> Any: ...


class Measured(Mapping[str, Mapping[Row, Any]]):
    """Measurements by the statistic's name, then by row; nothing in it changes.

    A hundred thousand of them are held at a time: each is one tuple of measurements, beside keys that all
    cases of a run share.

    Parameters
    ----------
    keys : tuple of (str, Row)
        The rows of one statistic stand together.
    values : tuple of Measurement
    """

    __slots__ = ("_keys", "_values")

    def __init__(self, keys: tuple[tuple[str, Row], ...], values: tuple[Any, ...]) -> None:
        self._keys, self._values = keys, values

    @classmethod
    def of(cls, measured: Mapping[str, Mapping[Row, Any]]) -> Self:
        """Take measurements from mappings."""
        pairs = [((name, row), each) for name, rows in measured.items() for row, each in rows.items()]
        return cls(tuple(key for key, _ in pairs), tuple(each for _, each in pairs))

    def __getitem__(self, name: str) -> Mapping[Row, Any]:
        found = {row: each for (of, row), each in zip(self._keys, self._values, strict=True) if of == name}
        if not found:
            raise KeyError(name)
        return {row: each.unpacked() if hasattr(each, "unpacked") else each for row, each in found.items()}

    def in_order(self, names: Sequence[str]) -> Measured:
        """Return the same with the statistics in the order of `names`, which has them all."""
        if [*self] == [each for each in names if each in {*self}]:
            return self
        pairs = sorted(zip(self._keys, self._values, strict=True), key=lambda pair: names.index(pair[0][0]))
        return Measured(tuple(key for key, _ in pairs), tuple(each for _, each in pairs))

    def rows(self, name: str) -> list[Row]:
        """Return the rows that a statistic measured, without looking at the measurements."""
        return [row for of, row in self._keys if of == name]

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys(name for name, _ in self._keys))

    def __len__(self) -> int:
        return len({name for name, _ in self._keys})

    def __reduce__(self) -> tuple[Any, ...]:
        return Measured, (self._keys, self._values)

    def __repr__(self) -> str:
        return f"Measured.of({ {name: dict(rows) for name, rows in self.items()} })"

    def packed(self, parts: dict[Any, Any]) -> Measured:
        """Return the same in less memory: with the keys of an equal one that was seen before; `parts` grows.

        A measurement that can be held in fewer bytes has a method ``packed``, which takes the parts and gives
        something that is ``unpacked`` whenever it is looked at.
        """
        values = tuple([each.packed(parts) if hasattr(each, "packed") else each for each in self._values])
        return Measured(parts.setdefault(self._keys, self._keys), values)
