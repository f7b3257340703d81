"""What is added up of a class: its sums and histograms as whole numbers, and back, for many at once."""

from __future__ import annotations

import operator
from functools import cached_property
from typing import TYPE_CHECKING, Any

from dicecli.records.counts import Counts
from dicecli.records.wholes import Summands, Taken
from dicecli.statistics.soft.measured import Channel
from dicecli.statistics.soft.sums import BINS, STEPS, ChannelSums

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

#: Sums in units of 2^-1074, and what else is one number.
_ALONE = ("overlap", "prediction", "squared", "cross_entropy", "brier", "bounded", "reference", "pixels")
_HISTOGRAMS = ("inside", "outside")


class AddedSums(ChannelSums):
    """Sums over pixels that were added up: each is taken when a metric looks at it.

    Parameters
    ----------
    taken : Taken
    """

    def __init__(self, taken: Taken) -> None:
        vars(self)["_taken"] = taken

    def __getattr__(self, name: str) -> Any:
        taken: Taken = vars(self)["_taken"]
        if name in _ALONE:
            (found,) = taken(name)
        elif name == "confidence":
            found = tuple(taken(name))
        elif name in _HISTOGRAMS:
            found = taken.array(name)
        else:
            raise AttributeError(name)
        vars(self)[name] = found
        return found

    @property
    def bins(self) -> tuple[list[int], list[int]]:
        """The histograms in 20 bins of equal width."""
        every = [*vars(self)["_taken"]("bins")]
        return every[:BINS], every[BINS:]

    @property
    def reference(self) -> int:
        """The number of pixels of the class in the reference."""
        found: int = self.__getattr__("reference")
        return found

    @property
    def pixels(self) -> int:
        """The number of pixels."""
        found: int = self.__getattr__("pixels")
        return found


class AddedChannel(Channel):
    """A class that was added up: what a metric looks at is taken then.

    Parameters
    ----------
    taken : Taken
    """

    def __init__(self, taken: Taken) -> None:
        vars(self).update(_taken=taken, sums=AddedSums(taken))

    def __getattr__(self, name: str) -> Any:
        if name != "argmax":
            raise AttributeError(name)
        *hard, lacking = vars(self)["_taken"]("argmax")
        return None if lacking else Counts(*hard)

    @cached_property
    def half(self) -> Counts:
        """The hard counts of p >= 0.5."""
        return Counts(*vars(self)["_taken"]("half"))


def _alone(name: str) -> Callable[[Channel], tuple[int]]:
    return lambda channel: (getattr(channel.sums, name),)


def _histogram(name: str) -> Callable[[Channel], np.ndarray]:
    return operator.attrgetter(f"sums.{name}")


def _argmax(channel: Channel) -> tuple[int, ...]:
    """Return the counts of the largest probability, and whether there are none."""
    return (0, 0, 0, 0, 1) if channel.argmax is None else (*channel.argmax, 0)


SUMMANDS = Summands(
    {
        **{name: _alone(name) for name in _ALONE},
        **{name: _histogram(name) for name in _HISTOGRAMS},
        "confidence": lambda channel: channel.sums.confidence,
        "bins": lambda channel: [count for side in channel.sums.bins for count in side],
        "half": lambda channel: tuple(channel.half),
        "argmax": _argmax,
    },
    STEPS // 5,  # histograms are rarely looked at
    AddedChannel,
    lambda channel: bool(channel.sums.reference or channel.sums.prediction),
)
