"""A pair whose values are understood: what every statistic is told of a case, whatever it measures."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple, Protocol, Self

from dicecli.masks.layers import Encoding, nodata_of
from dicecli.records.observed import NOTHING, Observed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    import numpy as np

    from dicecli.masks.blocks import Mapped, Window
    from dicecli.masks.pair import Stored
    from dicecli.masks.sources import MaskSource
    from dicecli.records.measurements import Row
    from dicecli.statistics._confusion import ConfusionMatrix

    #: How often labels of two layers meet, by the layers' places: the reference's, the prediction's.
    Census = Mapping[tuple[int, int], ConfusionMatrix]
    #: What a statistic depends on, by the option's name: each has the type that it has in the settings.
    Options = Mapping[str, Any]

#: The place in a census of how many classes the pixels of each side are in.
DEPTHS = (-1, -1)


class Block(NamedTuple):
    """A piece of both sides, in the order of the grid's axes.

    Attributes
    ----------
    at : Window
        Where it lies in the grid, its context included.
    core : Window
        The block's own pixels, which every pixel is once; the rest is context.
    reference, prediction : tuple of numpy.ndarray
        A layer each, unsigned: places among the rows, counted from 1; 0 for none. Of a prediction that is a
        map of probabilities the stored values of its channels.
    ignored : numpy.ndarray or None
        bool: pixels that are left out, for whatever reason; None for none.
    unknown : numpy.ndarray or None
        bool: where a map of probabilities has nodata; None for nowhere.
    """

    at: Window
    core: Window
    reference: tuple[np.ndarray, ...]
    prediction: tuple[np.ndarray, ...]
    ignored: np.ndarray | None = None
    unknown: np.ndarray | None = None

    @property
    def inner(self) -> Window:
        """Where the block's own pixels lie in its arrays."""
        return tuple(
            slice(own.start - whole.start, own.stop - whole.start)
            for whole, own in zip(self.at, self.core, strict=True)
        )


class State(Protocol):
    """What a statistic keeps during a pass: picklable; blocks and other states are added in any order."""

    def add(self, block: Block, mapped: Mapped = map) -> None:
        """Add a block's own pixels; `mapped` works on shares of it at a time."""

    def __add__(self, other: Self, /) -> Self: ...


@dataclass(frozen=True, eq=False, repr=False)
class Opened:
    """What is known of a pair once its stored labels were counted; it travels to workers.

    Attributes
    ----------
    shape : tuple of int
    spacing : tuple of float or None
        Along each axis, in `unit`.
    unit : str or None
    length : str or None
        What distances are in; None where they are no lengths: :attr:`~dicecli.records.cases.Scored.length`.
    order : {"C", "F"}
        Whether the last or the first axis runs fastest in the files.
    rows : tuple of Row
        The labels that either side holds, in ascending order, the background among them; or binary layers,
        which are regions. What a block holds are places among them, counted from 1.
    regions : tuple of Row
        The declared regions, as sets of those labels.
    channels : tuple of Row
        What the channels of a map of probabilities are; empty where both sides are labels.
    census : mapping of (int, int) to ConfusionMatrix
        By pair of layers; labels as they are meant, without what is left out. Of a map of probabilities the
        reference against itself.
    counted : int
        Pixels that are compared.
    excluded : mapping of str to int
        Pixels left out, by reason: see :class:`~dicecli.records.cases.Scored`.
    notes : tuple of str
    reference, prediction : tuple of mapping of int to int
        By layer, the place of each stored label among the rows; 0 for none.
    ignored : frozenset of int
        The stored labels of the reference whose pixels are left out.
    unpredicted : frozenset of int
        Those of a prediction that is a label map.
    ignores_unknown : bool
        Whether pixels are left out where a map of probabilities has nodata.
    observed : Observed
        What the census and the sources say beside the matrix.
    """

    shape: tuple[int, ...]
    spacing: tuple[float, ...] | None
    unit: str | None
    length: str | None
    order: str
    rows: tuple[Row, ...]
    regions: tuple[Row, ...]
    channels: tuple[Row, ...]
    census: Census
    counted: int
    excluded: Mapping[str, int]
    notes: tuple[str, ...]
    reference: tuple[Mapping[int, int], ...]
    prediction: tuple[Mapping[int, int], ...]
    ignored: frozenset[int] = frozenset()
    unpredicted: frozenset[int] = frozenset()
    ignores_unknown: bool = False
    observed: Observed = NOTHING

    def block(
        self,
        at: Window,
        core: Window,
        stored: Stored,
        sources: Sequence[MaskSource],
        mapped: Mapped = map,
    ) -> Block:
        """Make a block of what was read: stored labels, and stored values of channels from `sources`.

        `mapped` works on several layers at a time.
        """
        of_reference, of_prediction = self._encodings
        tasks = list(_beside(of_reference, stored[0]))
        number = len(tasks)
        tasks += [] if self.channels else _beside(of_prediction, stored[1])
        found = list(mapped(lambda task: task[0].encode(task[1]), tasks))
        places = tuple(each for each, _ in found)
        # The layers of a side are left out alike; where there is a field, what is outside of it is as well.
        reasons = [found[0][1], *(each for (each,) in stored[2:])]
        if self.channels:
            unknown = nodata_of(stored[1], sources)
            reasons += [unknown] if self.ignores_unknown else []
            return Block(at, core, places, stored[1], _any_of(reasons), unknown)
        reasons += [found[number][1]] if self.unpredicted else []
        return Block(at, core, places[:number], places[number:], _any_of(reasons))

    @property
    def is_layered(self) -> bool:
        """Whether rows are binary layers, each with a census of its own; not labels of one."""
        return any(row.kind == "region" for row in self.rows)

    @cached_property
    def _encodings(self) -> tuple[tuple[Encoding, ...], tuple[Encoding, ...]]:
        return (
            tuple(Encoding.of(each, self.ignored) for each in self.reference),
            tuple(Encoding.of(each, self.unpredicted) for each in self.prediction),
        )


def _any_of(reasons: Sequence[np.ndarray | None]) -> np.ndarray | None:
    """Return where any of some reasons is; None where none is one."""
    found: np.ndarray | None = None
    for each in reasons:
        if each is not None:
            found = each if found is None else found | each
    return found


def _beside(
    encodings: Sequence[Encoding], layers: Sequence[np.ndarray]
) -> Iterator[tuple[Encoding, np.ndarray]]:
    """Yield what to encode each layer with; a label map beside binary layers is a layer for each of them."""
    return zip(encodings, layers if len(layers) > 1 else (*layers,) * len(encodings), strict=True)
