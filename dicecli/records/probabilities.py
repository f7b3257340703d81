"""The options that probability maps alone have, as they are given and as they are meant."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable  # noqa: TC003 - the options' types are read
from typing import Any, Literal, get_args

from dicecli.errors import UsageError
from dicecli.records.measurements import Row  # noqa: TC001 - as above
from dicecli.records.options import Option, option, options

#: What is added above and below, so that two empty masks agree instead of being undefined.
SMOOTH = 1e-5
Logits = Literal["sigmoid", "softmax"]
Form = Literal["standard", "jaccard", "squared"]
FORMS = get_args(Form)
#: One for the scores of masks and the channels of probabilities.
CHANNEL_AXIS = Option(
    "The axis of the scores, or of the channels.",
    metavar="N",
    least=-4,
    most=3,
    after="argmax",
    is_usual=False,
    shown="the last; of a .npy of probabilities found by the reference's shape",
)


@options
class OfMaps:
    """The options of ``dicecli soft`` that masks do not have, as they are given."""

    logits: Logits | None = option(None, Option("The values are no probabilities yet: turn them into some."))
    temperature: float = option(1.0, Option("With --logits, divide them by T first.", metavar="T", above=0))
    channels: str | Iterable[str | int | Row] | None = option(
        None,
        Option(
            "What the channels are, in their order: labels, their names, or regions.",
            metavar="0,1,2",
            shown="the declared labels; else 0, 1 ..., or for a single channel and for --independent 1, 2 "
            "...",
        ),
    )
    independent: bool = option(
        False,
        Option("Each channel is a probability of its own: they need not sum to 1."),
    )
    channel_axis: int | None = option(None, CHANNEL_AXIS)
    smooth: float = option(
        SMOOTH, Option("What soft Dice adds above and below (ε).", metavar="E", least=0, part="scoring")
    )
    form: Form = option("standard", Option("The form of Dice in dice + CE.", part="scoring"))
    dice_weight: float = option(1.0, Option("Of Dice in dice + CE.", metavar="W", least=0, part="scoring"))
    ce_weight: float = option(
        1.0, Option("Of cross-entropy in dice + CE.", metavar="W", least=0, part="scoring")
    )
    accept_labels: bool = option(False, Option("Take a map of nothing but 0 and 1 for probabilities."))


@dataclasses.dataclass(frozen=True, kw_only=True)
class Probabilities(OfMaps):
    """How predictions are read as probabilities, and scored.

    Attributes
    ----------
    channels : tuple of Row or None
        What the channels are, in their order; None: as :func:`~dicecli.masks.channels.channels_of` says.
    """

    channels: tuple[Row, ...] | None = None

    def check(self) -> None:
        """Check that the options go together.

        Raises
        ------
        UsageError
        """
        if self.temperature != 1 and self.logits is None:
            raise UsageError(
                "a temperature is for logits",
                "Leave it out for probabilities; of logits say which: --logits sigmoid or --logits softmax.",
            )
        if self.independent and self.logits == "softmax":
            raise UsageError("channels of a softmax are not independent", "Leave out one of the two.")

    def excludes(self, channels: int) -> bool:
        """Whether so many channels share each pixel among them, as a softmax does."""
        return channels > 1 and not self.independent and self.logits != "sigmoid"

    def to_dict(self) -> dict[str, Any]:
        """Return what a report says about these options: JSON's types only."""
        from dicecli.records.codec import written

        found: dict[str, Any] = written(self)
        return found
