"""The forms of soft Dice, as functions of sums: one definition for scores and for training losses.

Everything here is arithmetic on sums over the pixels of one class, with ``p`` the probability of the class at a
pixel and ``g`` its reference, 0 or 1. It is written so that Python floats, NumPy arrays and torch tensors go
through it alike, element by element, with their gradients.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

#: What is added above and below, so that two empty masks agree instead of being undefined.
SMOOTH = 1e-5


class Sums(NamedTuple):
    """Sums over pixels: floats, or arrays or tensors with one entry for each class.

    Attributes
    ----------
    overlap
        Σ p g
    prediction
        Σ p
    prediction_squared
        Σ p²
    reference
        Σ g, which equals Σ g² since g is 0 or 1
    """

    overlap: Any
    prediction: Any
    prediction_squared: Any
    reference: Any


def standard(sums: Sums, smooth: float = SMOOTH) -> Any:
    """Soft Dice: (2 Σpg + ε) / (Σp + Σg + ε).

    Between 0 and 1; 1 where both are empty and ε is above 0.

    Source: Drozdzal M et al. DLMIA, 2016. doi:10.1007/978-3-319-46976-8_19
    """
    return (2 * sums.overlap + smooth) / (sums.prediction + sums.reference + smooth)


def jaccard(sums: Sums, smooth: float = SMOOTH) -> Any:
    """Soft IoU: (Σpg + ε) / (Σp + Σg − Σpg + ε).

    Between 0 and 1; 1 where both are empty and ε is above 0.

    Source: Rahman MA, Wang Y. ISVC, 2016. doi:10.1007/978-3-319-50835-1_22
    """
    return (sums.overlap + smooth) / (sums.prediction + sums.reference - sums.overlap + smooth)


def squared(sums: Sums, smooth: float = SMOOTH) -> Any:
    """Soft Dice with squares below: (2 Σpg + ε) / (Σp² + Σg² + ε), where Σg² = Σg.

    Between 0 and 1; 1 where both are empty and ε is above 0.

    Source: Milletari F et al. 3DV, 2016. doi:10.1109/3DV.2016.79
    """
    return (2 * sums.overlap + smooth) / (sums.prediction_squared + sums.reference + smooth)


#: Every form by the word for it on the command line and in Python.
FORMS: dict[str, Callable[[Sums, float], Any]] = {
    "standard": standard,
    "jaccard": jaccard,
    "squared": squared,
}
