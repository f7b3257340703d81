"""Whether a file is a map of probabilities, and what its channels hold."""

from __future__ import annotations

import math
import shlex
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from dicecli.errors import CaseError
from dicecli.masks import files
from dicecli.masks.blocks import pixels_within, plan
from dicecli.masks.layers import nodata_of
from dicecli.masks.opening import open_probabilities
from dicecli.plugins import by_suffix
from dicecli.records.probabilities import Probabilities
from dicecli.records.undefined import number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dicecli.masks.sources import MaskSource
    from dicecli.records.settings import Settings

#: As far from 1 the sums over channels may be: ``soft`` refuses what is further.
_NEAR = 1e-3
#: So far from 1 float32 leaves them.
_ROUNDING = 1e-6


@dataclass
class Channel:
    """What one channel holds where it is known.

    Attributes
    ----------
    minimum, maximum : float
        Without NaN; infinite, the wrong way round, where there is nothing else.
    nan : int
        Pixels with NaN.
    """

    minimum: float = math.inf
    maximum: float = -math.inf
    nan: int = 0

    def see(self, values: np.ndarray) -> None:
        """Take note of some values, float64."""
        is_nan = np.isnan(values)
        self.nan += int(np.count_nonzero(is_nan))
        self.minimum = min(self.minimum, float(values.min(initial=math.inf, where=~is_nan)))
        self.maximum = max(self.maximum, float(values.max(initial=-math.inf, where=~is_nan)))


@dataclass
class Stored:
    """What a map of probabilities holds.

    Attributes
    ----------
    channels : tuple of Channel
        In the order of the file.
    command : str
        What scores it.
    meant : str
        What the values look like.
    source : MaskSource
        The first channel, whose file is closed.
    apart : float
        How far from 1 the sum over the channels is, at most; 0 of one channel.
    has_fractions : bool
        Whether any value lies strictly between 0 and 1.
    """

    channels: tuple[Channel, ...]
    source: MaskSource
    apart: float = 0.0
    has_fractions: bool = False
    command: str = ""
    meant: str = ""

    @property
    def minimum(self) -> float:
        """Of all channels."""
        return min(each.minimum for each in self.channels)

    @property
    def maximum(self) -> float:
        """Of all channels."""
        return max(each.maximum for each in self.channels)

    def to_dict(self) -> dict[str, object]:
        """Return it as JSON's types; infinite numbers are texts, and null is of one channel alone."""
        return {
            "channels": [
                {"minimum": number(each.minimum), "maximum": number(each.maximum), "nan": each.nan}
                for each in self.channels
            ],
            "sums_apart_from_1": number(self.apart) if len(self.channels) > 1 else None,
            "meant": self.meant,
            "command": self.command,
        }


def stored_probabilities(path: str, settings: Settings) -> Stored | None:
    """Read a file as ``soft`` would; None where it is no map of probabilities.

    Those are floats: of several channels any, as these may be logits; of one channel what lies from 0 to 1
    and is not all 0 and 1. In a format that holds no masks they may be anything.
    """
    axis = None if settings.channel_axis == -1 else settings.channel_axis
    settings = replace(settings, soft=Probabilities(channel_axis=axis))
    try:
        with ExitStack() as stack:
            channels = open_probabilities(path, settings, ())
            for each in channels:
                stack.enter_context(each)
            if any(each.dtype.kind != "f" for each in channels):
                return None
            found = _read(channels)
            for each in channels:
                each.finish()
    except CaseError:
        return None
    is_of_masks = by_suffix("formats", files.suffix(path), "open_mask") is not None
    is_share = found.minimum >= 0 and found.maximum <= 1
    if is_of_masks and len(channels) == 1 and not (is_share and found.has_fractions):
        return None
    found.command, found.meant = _meant(found, shlex.quote(path), is_share=is_share)
    if any(each.nan for each in found.channels):
        found.meant += "; NaN is refused, unless it is nodata"
    return found


def _read(channels: Sequence[MaskSource]) -> Stored:
    found = Stored(tuple(Channel() for _ in channels), channels[0])
    pixels, pixel_bytes = max(1 << 16, (1 << 22) // len(channels)), sum(each.pixel_bytes for each in channels)
    most = pixels_within(channels[0].reading.max_memory, pixel_bytes)
    for window in plan(channels[0], pixels=pixels, most=most):
        values = [each.values(window) for each in channels]
        missing = nodata_of(values, channels)
        block = np.stack(values).astype(np.float64, copy=False)
        block = block.reshape(len(channels), -1) if missing is None else block[:, ~missing]
        for each, of_channel in zip(found.channels, block, strict=True):
            each.see(of_channel)
        found.has_fractions = found.has_fractions or bool(((block > 0) & (block < 1)).any())
        if len(channels) > 1:
            with np.errstate(invalid="ignore"):  # of infinities of both signs
                apart = np.abs(block.sum(axis=0) - 1)
            found.apart = max(found.apart, float(apart.max(initial=0, where=~np.isnan(apart))))
    return found


def sums_said(apart: float) -> str:
    """Say how far from 1 the sums over channels are, at most; what rounding leaves is not said."""
    if apart <= _ROUNDING:
        return "of the channels: 1"
    return f"of the channels: 1, but for up to {apart:.2g}"


def _meant(found: Stored, path: str, *, is_share: bool) -> tuple[str, str]:
    """Return the command that scores it, and what it looks like."""
    is_one = len(found.channels) == 1
    if is_share and is_one:
        return f"dicecli soft {path} REFERENCE", "probabilities of one class"
    if is_share and found.apart <= _NEAR:
        return f"dicecli soft {path} REFERENCE", "probabilities of classes that exclude each other"
    if is_share:
        command = f"dicecli soft {path} REFERENCE --independent"
        return command, "probabilities of their own, which do not sum to 1"
    if is_one:
        return f"dicecli soft {path} REFERENCE --logits sigmoid", "no probabilities, but logits perhaps"
    command = f"dicecli soft {path} REFERENCE --logits softmax"
    return command, "no probabilities, but logits perhaps, of classes that exclude each other"
