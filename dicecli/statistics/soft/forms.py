"""The forms of soft Dice, as functions of sums: one definition for scores and for training losses.

Everything here is arithmetic on sums over the pixels of one class, with ``p`` the probability of the class at
a pixel and ``g`` its reference, 0 or 1. It is written so that Python floats, NumPy arrays and torch tensors
go through it alike, element by element, with their gradients.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

from dicecli.records.probabilities import SMOOTH

if TYPE_CHECKING:
    from collections.abc import Callable


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
    """Soft IoU: (Σpg + ε) / (Σp + Σg - Σpg + ε).

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


def defined(form: str, sums: Sums, smooth: float) -> Any:
    """Return a form of soft Dice, NaN where it is 0/0: a float, or of arrays an array."""
    if isinstance(sums.overlap, float):
        try:
            return float(FORMS[form](sums, smooth))
        except ZeroDivisionError:
            return math.nan
    import numpy as np

    with np.errstate(divide="ignore", invalid="ignore"):
        return FORMS[form](sums, smooth)


#: Which power of the reference's size divides a class in generalised Dice, by the word for it.
WEIGHTINGS: dict[str, int] = {"square": 2, "simple": 1, "uniform": 0}


def class_weights(reference: Any, weighting: str = "square") -> Any:
    """Return the weight of each class in generalised Dice: 1/(Σg)², 1/Σg or 1, the largest of them being 1.

    They are divided by the largest one, so that ε is as much beside millions of pixels as beside a few, and
    one class alone gives the standard form; without ε this changes nothing. A class that is absent from the
    reference would weigh infinitely: it gets the largest weight of the classes that are there, which is 1,
    and 1 where none is there.

    Parameters
    ----------
    reference : numpy.ndarray or torch.Tensor
        Σg, floats of shape ``(..., C)``, the classes last.
    weighting : {"square", "simple", "uniform"}
        1/(Σg)², 1/Σg or 1.

    Returns
    -------
    numpy.ndarray or torch.Tensor
        Of the same shape, above 0 and at most 1.
    """
    absent = reference <= 0
    inverse = (reference > 0) / (reference + absent)
    largest = inverse.max(-1)
    largest = getattr(largest, "values", largest)  # torch's max returns the places too
    largest = (largest + (largest <= 0))[..., None]
    return (inverse / largest + absent) ** WEIGHTINGS[weighting]


def generalised(sums: Sums, smooth: float = SMOOTH, weighting: str = "square") -> Any:
    """Generalised Dice over the classes: (2 Σ_c w_c Σpg + ε) / (Σ_c w_c (Σp + Σg) + ε).

    Between 0 and 1; 1 where all is empty and ε is above 0. The weights are those of :func:`class_weights`.

    Parameters
    ----------
    sums : Sums
        Arrays or tensors of shape ``(..., C)``, the classes last.

    Returns
    -------
    numpy.ndarray or torch.Tensor
        Of shape ``(...)``.

    Source: Sudre CH et al. DLMIA, 2017. doi:10.1007/978-3-319-67558-9_28
    """
    weights = class_weights(sums.reference, weighting)
    above = 2 * (weights * sums.overlap).sum(-1) + smooth
    return above / ((weights * (sums.prediction + sums.reference)).sum(-1) + smooth)
