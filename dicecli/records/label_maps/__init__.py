"""Other numbers for the labels of a side: ``5=1,6=1``, ``0-149:+1``, ``10=1,*=ignore``."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal, NamedTuple, get_args

from dicecli.errors import LabelFileError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

Side = Literal["prediction", "reference"]
SIDES: tuple[Side, ...] = get_args(Side)
#: What stands for all labels that a map does not name, and for no label.
REST, IGNORE = "*", "ignore"
#: So many labels, and so many parts of a map, are named in a note.
_NAMED = 3
#: The largest label, by its size; as in `dicecli.records.labels`.
_LARGEST = 2**63 - 1


def option_of(side: str) -> str:
    """Return the option that gives the labels of a side other numbers."""
    return f"--map-{side}"


class Span(NamedTuple):
    """Labels that follow each other, and what they are read as.

    Attributes
    ----------
    first, last : int
        Both are of it.
    to : int or None
        The label that each is read as; None: none.
    is_step : bool
        Whether `to` is added to each instead.
    """

    first: int
    last: int
    to: int | None
    is_step: bool = False

    def of(self, label: int) -> int | None:
        """Return what a label of it is read as."""
        return label + self.to if self.is_step and self.to is not None else self.to

    @property
    def is_same(self) -> bool:
        """Whether its labels keep their numbers."""
        return self.of(self.first) == self.first and (self.is_step or self.first == self.last)

    @property
    def text(self) -> str:
        """As it is written."""
        key = f"{self.first}" if self.first == self.last else f"{self.first}-{self.last}"
        return f"{key}:{self.to:+d}" if self.is_step else f"{key}={_written(self.to)}"


@dataclass(frozen=True)
class LabelMap:
    """What the labels of a mask are read as; 0 stays 0 unless it is named.

    Attributes
    ----------
    spans : tuple of Span
        In ascending order; no two have a label in common.
    rest : tuple of (int or None), at most one
        What every label but 0 that is in none of them is read as; empty: such a label is an error.
    """

    spans: tuple[Span, ...] = ()
    rest: tuple[int | None, ...] = ()

    @classmethod
    def of(cls, table: Mapping[int, int | None], rest: tuple[int | None, ...] = ()) -> LabelMap:
        """Return the map that reads each label of a table as another one, neighbours of one kind together."""
        spans: list[Span] = []
        for label in sorted(table):
            to, last = table[label], spans[-1] if spans else None
            if last is not None and last.last == label - 1:
                step = None if to is None else to - label
                if last.to == to and not last.is_step:
                    spans[-1] = last._replace(last=label)
                    continue
                if step is not None and last.of(last.last) == last.last + step and _may_step(last):
                    spans[-1] = Span(last.first, label, step, is_step=True)
                    continue
            spans.append(Span(label, label, to))
        return cls(tuple(spans), rest)

    @cached_property
    def text(self) -> str:
        """As the command line has it; equal maps have one text."""
        rest = [f"{REST}={_written(self.rest[0])}"] if self.rest else []
        return ",".join([*(span.text for span in self.spans), *rest])

    def has(self, label: int) -> bool:
        """Whether it says what a label is read as."""
        return label == 0 or bool(self.rest) or self._span(label) is not None

    def __getitem__(self, label: int) -> int | None:
        span = self._span(label)
        if span is not None:
            return span.of(label)
        if label == 0:
            return 0
        if not self.rest:
            raise KeyError(label)
        return self.rest[0]

    def said(self, side: str) -> str | None:
        """Say in words what it does to the labels of a side; None where all keep their numbers."""
        parts = list(self._parts(side))
        shown, more = parts[:_NAMED], len(parts) - _NAMED
        if more > 0:
            shown.append(f"{more:,} more parts of the map likewise" if more > 1 else parts[_NAMED])
        return "; ".join(shown) or None

    def _parts(self, side: str) -> Iterator[str]:
        changed = [span for span in self.spans if not span.is_same]
        for span in (each for each in changed if each.is_step and each.to is not None):
            yield f"{_named([span])} {abs(span.to or 0):,} {'higher' if (span.to or 0) > 0 else 'lower'}"
        for to in dict.fromkeys(span.to for span in changed if not span.is_step):
            yield _read_as([span for span in changed if span.to == to and not span.is_step], to, side)
        if self.rest:
            others = "every other label" if self._span(0) else "every other label but 0"
            yield f"{others} is {_what(self.rest[0], side)}"

    def _span(self, label: int) -> Span | None:
        at = bisect_right(self._firsts, label) - 1
        return self.spans[at] if at >= 0 and label <= self.spans[at].last else None

    @cached_property
    def _firsts(self) -> list[int]:
        return [span.first for span in self.spans]


def _may_step(span: Span) -> bool:
    return span.is_step or span.first == span.last


def _written(to: int | None) -> str:
    return IGNORE if to is None else str(to)


def _named(spans: Iterable[Span]) -> str:
    """Name the labels of some spans with a verb; many are a number."""
    spans = list(spans)
    number = sum(span.last - span.first + 1 for span in spans)
    if number == 1:
        return f"label {spans[0].first} is read"
    if len(spans) == 1 and number > 2:
        return f"labels {spans[0].first} to {spans[0].last} are read"
    labels = [label for span in spans[: _NAMED + 1] for label in range(span.first, span.last + 1)[:_NAMED]]
    if number > _NAMED:
        return f"{number:,} labels are read"
    return f"labels {', '.join(map(str, labels[:-1]))} and {labels[-1]} are read"


def _read_as(spans: list[Span], to: int | None, side: str) -> str:
    subject, _, read = _named(spans).rpartition(" ")
    return f"{subject} {read} as {to}" if to is not None else f"{subject} {_what(to, side)}"


def _what(to: int | None, side: str) -> str:
    if to is not None:
        return f"read as {to}"
    return "left out" if side == "reference" else "no label"


def check_fit(labels: Iterable[int], where: str) -> None:
    """Refuse numbers that no mask holds as labels.

    Parameters
    ----------
    labels : iterable of int
    where : str
        What has them, for the error.

    Raises
    ------
    LabelFileError
        A label beyond 63 bits, or the one that stands for none.
    """
    beyond = [label for label in labels if abs(label) > _LARGEST]
    if beyond:
        raise LabelFileError(
            f"{where} has the label {max(beyond, key=abs)}, which does not fit into 63 bits",
            f"Labels lie between -{_LARGEST} and {_LARGEST}: write such ones.",
        )
