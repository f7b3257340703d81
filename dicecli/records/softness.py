"""How probability maps are read and scored: the options of the soft scores, in one record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

#: What is added above and below, so that two empty masks agree instead of being undefined.
SMOOTH = 1e-5
Logits = Literal["sigmoid", "softmax"]
LOGITS = ("sigmoid", "softmax")
Form = Literal["standard", "jaccard", "squared"]


@dataclass(frozen=True)
class Channel:
    """What one channel of a probability map is the probability of.

    Attributes
    ----------
    label : int or None
        None for a region.
    name : str or None
    members : tuple of int
        The labels of the reference that belong to it: the label itself, or those of the region.
    is_sum : bool
        Whether no channel gives its probability, but several that exclude each other, added up.
    """

    label: int | None
    name: str | None
    members: tuple[int, ...]
    is_sum: bool = False

    @property
    def title(self) -> str:
        """What people call it."""
        return self.name or f"label {self.label}"


@dataclass(frozen=True)
class Softness:
    """The options of ``dicecli soft``; the same words as on the command line.

    Attributes
    ----------
    logits : {None, "sigmoid", "softmax"}
        What turns the stored values into probabilities; None: they are probabilities.
    temperature : float
        Logits are divided by it.
    channels : tuple of Channel or None
        What the channels are, in their order; None: as :func:`~dicecli.masks.channels.channels_of` says.
    independent : bool
        Whether each channel is a probability of its own, so that they need not sum to 1.
    channel_axis : int or None
        The axis of the channels of an array.
    smooth : float
        ε of the soft scores.
    form : {"standard", "jaccard", "squared"}
        The Dice in Dice + cross-entropy.
    dice_weight, ce_weight : float
        The weights of the two in their sum.
    accept_labels : bool
        Whether a map that holds nothing but 0 and 1 is taken for probabilities.
    """

    logits: Logits | None = None
    temperature: float = 1.0
    channels: tuple[Channel, ...] | None = None
    independent: bool = False
    channel_axis: int | None = None
    smooth: float = SMOOTH
    form: Form = "standard"
    dice_weight: float = 1.0
    ce_weight: float = 1.0
    accept_labels: bool = False

    def excludes(self, channels: int) -> bool:
        """Whether so many channels share each pixel among them, as a softmax does."""
        return channels > 1 and not self.independent and self.logits != "sigmoid"

    def to_dict(self) -> dict[str, Any]:
        """Return what a report says about these options: JSON's types only."""
        channels = None
        if self.channels is not None:
            channels = [
                {"label": each.label, "name": each.name, "members": list(each.members)}
                for each in self.channels
            ]
        return {**vars(self), "channels": channels}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Softness:
        """Return the options that :meth:`to_dict` was given."""
        channels = content["channels"]
        if channels is not None:
            channels = tuple(
                Channel(each["label"], each["name"], tuple(each["members"])) for each in channels
            )
        return cls(**{**content, "channels": channels})
