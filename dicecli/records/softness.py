"""How probability maps are read and scored: the options of the soft scores, in one record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

from dicecli.records.measurements import Row  # noqa: TC001 - the codec reads types

#: What is added above and below, so that two empty masks agree instead of being undefined.
SMOOTH = 1e-5
Logits = Literal["sigmoid", "softmax"]
LOGITS = get_args(Logits)
Form = Literal["standard", "jaccard", "squared"]
FORMS = get_args(Form)


@dataclass(frozen=True)
class Softness:
    """The options of ``dicecli soft``; the same words as on the command line.

    Attributes
    ----------
    logits : {None, "sigmoid", "softmax"}
        What turns the stored values into probabilities; None: they are probabilities.
    temperature : float
        Logits are divided by it.
    channels : tuple of Row or None
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
    channels: tuple[Row, ...] | None = None
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

    def is_sum(self, row: Row) -> bool:
        """Whether no channel gives a row's probability, but several that exclude each other, added up."""
        return row.kind == "region" and row.name not in {each.name for each in self.channels or ()}

    def to_dict(self) -> dict[str, Any]:
        """Return what a report says about these options: JSON's types only."""
        from dicecli.records.codec import written

        found: dict[str, Any] = written(self)
        return found
