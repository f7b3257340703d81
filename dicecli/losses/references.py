"""The reference of a block of pixels, as labels or one-hot: what the sums and their gradient ask of it.

Both kinds answer the same questions, so that nothing else knows which one it has. Labels never become a
one-hot tensor: what belongs to a pixel's own class is gathered, and scattered back. All that is scattered
goes to places of its own, so the result is the same every time, on every device.
"""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

#: Types of which torch knows little more than how to convert them.
_HARDLY_KNOWN = (torch.uint16, torch.uint32, torch.uint64)


class Reference(Protocol):
    """What a block of n images, C classes and s pixels is compared with: g, which is 0 or 1."""

    #: (n, 1, s) bool, true where a pixel is left out; None where none can be.
    ignored: Tensor | None
    #: One bool on the device: whether there is a label without a channel, or a value that is neither 0 nor 1.
    is_wrong: Tensor

    def counts(self) -> Tensor:
        """Σ g, shape (n, C)."""

    def sums(self, values: Tensor) -> Tensor:
        """Σ v g for `values` of shape (n, C, s); shape (n, C)."""

    def own(self, amounts: Tensor) -> Tensor:
        """Σ_c a g at each pixel for one amount per class, shape (n, C); shape (n, 1, s)."""

    def add_(self, values: Tensor, amounts: Tensor) -> Tensor:
        """Add a g to `values` of shape (n, C, s) in place, for one amount per class, shape (n, C)."""


class Labels:
    """Class numbers 0 to C − 1, shape (n, s), of an integer type."""

    def __init__(self, labels: Tensor, classes: int, ignore_label: int | None) -> None:
        wide = labels.to(torch.int64).unsqueeze(1)
        self.ignored = ignored_in(labels, ignore_label)
        if self.ignored is not None:
            wide = wide.masked_fill(self.ignored, 0)
        low, high = torch.aminmax(wide)
        self.is_wrong = (low < 0) | (high >= classes)
        # Only the processor is asked at once; elsewhere that would mean to wait.
        is_known_right = wide.device.type == "cpu" and not self.is_wrong
        self._index = wide if is_known_right else wide.clamp(0, classes - 1)
        self._classes = classes

    def counts(self) -> Tensor:
        """Σ g, shape (n, C)."""
        bins = self._index if self.ignored is None else self._index.masked_fill(self.ignored, self._classes)
        return counted(bins, self._classes) if bins.device.type == "cpu" else compared(bins, self._classes)

    def sums(self, values: Tensor) -> Tensor:
        """Σ v g for `values` of shape (n, C, s); shape (n, C)."""
        here = values.gather(1, self._index)
        if self.ignored is not None:
            here.masked_fill_(self.ignored, 0)
        return torch.zeros_like(values).scatter_(1, self._index, here).sum(2)

    def own(self, amounts: Tensor) -> Tensor:
        """Σ_c a g at each pixel for one amount per class, shape (n, C); shape (n, 1, s)."""
        return amounts.gather(1, self._index.squeeze(1)).unsqueeze(1)

    def add_(self, values: Tensor, amounts: Tensor) -> Tensor:
        """Add a g to `values` of shape (n, C, s) in place, for one amount per class, shape (n, C)."""
        return values.scatter_(1, self._index, values.gather(1, self._index).add_(self.own(amounts)))


class OneHot:
    """0 or 1 for each class, shape (n, C, s), of any type; one channel alone is the labels 0 and 1.

    Several classes at a pixel, or none, are taken as they are. Ignored are the pixels of the channel
    `ignore_label`; with one channel alone, those of that value.
    """

    def __init__(self, values: Tensor, dtype: torch.dtype, ignore_label: int | None) -> None:
        self.ignored = ignored_in(values, ignore_label)
        self._values = values.to(dtype)
        if self.ignored is not None:
            self._values = self._values.masked_fill(self.ignored, 0)
        if values.dtype == torch.bool:
            self.is_wrong = torch.zeros((), dtype=torch.bool, device=values.device)
        else:
            self.is_wrong = ~((self._values == 0) | (self._values == 1)).all()

    def counts(self) -> Tensor:
        """Σ g, shape (n, C)."""
        return self._values.sum(2)

    def sums(self, values: Tensor) -> Tensor:
        """Σ v g for `values` of shape (n, C, s); shape (n, C)."""
        return (values * self._values).sum(2)

    def own(self, amounts: Tensor) -> Tensor:
        """Σ_c a g at each pixel for one amount per class, shape (n, C); shape (n, 1, s)."""
        return (amounts.unsqueeze(2) * self._values).sum(1, keepdim=True)

    def add_(self, values: Tensor, amounts: Tensor) -> Tensor:
        """Add a g to `values` of shape (n, C, s) in place, for one amount per class, shape (n, C)."""
        return values.addcmul_(self._values, amounts.unsqueeze(2))


def counted(labels: Tensor, classes: int) -> Tensor:
    """Return how often each class from 0 up occurs in each image, labels (n, 1, s) from 0 to `classes`."""
    images, width = labels.shape[0], classes + 1
    if images > 1:
        labels = labels + width * torch.arange(images, device=labels.device)[:, None, None]
    return torch.bincount(labels.flatten(), minlength=images * width).view(images, width)[:, :classes]


def compared(labels: Tensor, classes: int) -> Tensor:
    """Return the same, class by class: ``bincount`` would make the host wait for the device."""
    return torch.cat([(labels == each).sum(2) for each in range(classes)], 1)


def ignored_in(reference: Tensor, ignore_label: int | None) -> Tensor | None:
    """Return where pixels are left out, None where none can be.

    Parameters
    ----------
    reference : torch.Tensor
        Labels of shape (n, s), or one-hot of shape (n, C, s).
    ignore_label : int or None
        Of 64 bits; what the reference's type cannot hold is none of its labels.

    Returns
    -------
    torch.Tensor or None
        Bool, shape (n, 1, s).
    """
    if ignore_label is None:
        return None
    is_channel = reference.ndim == 3 and reference.shape[1] > 1
    value = 1 if is_channel else ignore_label
    if not _can_hold(reference.dtype, value):
        return None
    here = reference[:, ignore_label, None] if is_channel else reference.view(len(reference), 1, -1)
    return (here.to(torch.int64) if here.dtype in _HARDLY_KNOWN else here) == value


def _can_hold(dtype: torch.dtype, value: int) -> bool:
    """Return whether a type has this number: in a comparison torch would wrap or round one that it lacks."""
    if dtype == torch.bool:
        return value in {0, 1}
    if not (dtype.is_floating_point or dtype.is_complex):
        return bool(torch.iinfo(dtype).min <= value <= torch.iinfo(dtype).max)
    return bool(torch.tensor(float(value), dtype=torch.float64).to(dtype).item() == value)


def block_of(reference: Tensor, classes: int, dtype: torch.dtype, ignore_label: int | None) -> Reference:
    """Make the reference of a block: labels of shape (n, s), or one-hot of shape (n, C, s)."""
    if reference.ndim == 2:
        return Labels(reference, classes, ignore_label)
    return OneHot(reference, dtype, ignore_label)
