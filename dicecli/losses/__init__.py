"""Dice losses for training in PyTorch: the forms of ``dicecli soft``, differentiated.

>>> import torch
>>> from dicecli.losses import DiceCELoss
>>> loss = DiceCELoss(activation="softmax")
>>> logits, labels = torch.zeros(1, 2, 8, requires_grad=True), torch.zeros(1, 8, dtype=torch.long)
>>> loss(logits, labels).backward()

One pass over the pixels gives a few sums for each image and class, without a one-hot tensor of the labels;
the ratios and averages are arithmetic on these sums, as in the scores, by the same functions
(:mod:`dicecli.statistics.soft.forms`). The gradient is computed by hand from what the ratios hand back, block
by block.

Importing this package imports torch, which is an extra: ``pip install 'dicecli[torch]'``.
"""

from __future__ import annotations

from dicecli.errors import NotInstalled

try:
    import torch as _torch  # noqa: F401 - says at once, and clearly, where it is missing
except ModuleNotFoundError as error:
    raise NotInstalled(
        "dicecli.losses needs torch, which is not installed",
        "Install it with: pip install 'dicecli[torch]'.",
    ) from error

from dicecli.losses.functions import dice_ce_loss, dice_loss, generalized_dice_loss
from dicecli.losses.modules import DiceCELoss, DiceLoss, GeneralizedDiceLoss

__all__ = [
    "DiceCELoss",
    "DiceLoss",
    "GeneralizedDiceLoss",
    "dice_ce_loss",
    "dice_loss",
    "generalized_dice_loss",
]
