"""Agreement of two masks: accuracy, and what is left of it once chance is taken off."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from dicecli.metrics._catalogue import metric
from dicecli.records.wholes import ratio

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dicecli.records.counts import Counts

_COHEN = "Cohen J. Educational and Psychological Measurement 20(1), 1960. doi:10.1177/001316446002000104"
_MATTHEWS = "Matthews BW. Biochimica et Biophysica Acta 405(2), 1975. doi:10.1016/0005-2795(75)90109-9"
_GORODKIN = (
    "Gorodkin J. Computational Biology and Chemistry 28(5-6), 2004. doi:10.1016/j.compbiolchem.2004.09.006"
)
_CONGALTON = "Congalton RG. Remote Sensing of Environment 37(1), 1991. doi:10.1016/0034-4257(91)90048-B"


@metric(
    formula="(tp + tn) / (tp + fp + fn + tn)",
    undefined="no pixel was counted",
    aliases=("rand_accuracy", "binary_accuracy"),
    source="Taha AA, Hanbury A. BMC Medical Imaging 15:29, 2015. doi:10.1186/s12880-015-0068-x",
)
def accuracy(counts: Counts) -> float:
    """Share of the pixels on which the masks agree about this label; near 1 for any rare label."""
    return ratio(counts.tp + counts.tn, counts.total)


@metric(
    formula="(tp / (tp + fn) + tn / (tn + fp)) / 2",
    undefined="the reference is empty, or covers every counted pixel",
    source="Brodersen KH et al. ICPR 2010. doi:10.1109/ICPR.2010.764",
)
def balanced_accuracy(counts: Counts) -> float:
    """Mean of recall and specificity."""
    positive, negative = counts.reference, counts.tn + counts.fp
    return ratio(counts.tp * negative + counts.tn * positive, 2 * positive * negative)


@metric(
    formula="2 (tp tn - fn fp) / ((tp + fp)(fp + tn) + (tp + fn)(fn + tn))",
    low=-1,
    undefined="both masks are empty, or both cover every counted pixel",
    aliases=("cohens_kappa", "cohen_kappa"),
    source=_COHEN,
)
def kappa(counts: Counts) -> float:
    """Cohen's kappa of this label against the rest: agreement beyond chance."""
    tp, fp, fn, tn = counts
    below = (tp + fp) * (fp + tn) + (tp + fn) * (fn + tn)
    return ratio(2 * (tp * tn - fn * fp), below)


def _correlation(covariance: int, variances: int) -> float:
    """Divide by the root of the product of both variances; squared first, so that 1 is exactly 1."""
    if not variances:
        return math.nan
    return math.copysign(math.sqrt(covariance * covariance / variances), covariance)


@metric(
    formula="(tp tn - fp fn) / sqrt((tp + fp)(tp + fn)(tn + fp)(tn + fn))",
    low=-1,
    undefined="either mask is empty or covers every counted pixel",
    aliases=("matthews_correlation_coefficient", "phi"),
    spoken="MCC",
    source=_MATTHEWS,
)
def mcc(counts: Counts) -> float:
    """Matthews correlation coefficient of this label against the rest."""
    tp, fp, fn, tn = counts
    below = (tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)
    return _correlation(tp * tn - fp * fn, below)


def _margins(labels: Iterable[Counts]) -> tuple[int, int, list[tuple[int, int]]]:
    """Sum up a whole matrix: pixels, agreeing pixels, and (reference, prediction) sizes per label.

    Pixels whose prediction belongs to no label make up a size of their own, with no reference.
    """
    every = list(labels)
    total = every[0].total if every else 0
    sizes = [(each.reference, each.prediction) for each in every]
    sizes.append((0, total - sum(prediction for _, prediction in sizes)))
    return total, sum(each.tp for each in every), sizes


@metric(
    formula="sum of tp over all labels / pixels",
    undefined="no pixel was counted",
    takes="every",
    aliases=("pixel_accuracy", "global_accuracy", "oa", "aacc"),
    source=_CONGALTON,
)
def overall_accuracy(labels: Iterable[Counts]) -> float:
    """Share of all counted pixels, background included, whose label is right."""
    total, right, _ = _margins(labels)
    return right / total if total else math.nan


@metric(
    formula="(N sum(tp) - sum(ref pred)) / (N^2 - sum(ref pred)), over all labels",
    low=-1,
    undefined="no pixel was counted, or both masks hold one and the same label only",
    takes="every",
    source=_COHEN,
)
def overall_kappa(labels: Iterable[Counts]) -> float:
    """Cohen's kappa of the whole matrix, background included."""
    total, right, sizes = _margins(labels)
    chance = sum(reference * prediction for reference, prediction in sizes)
    below = total * total - chance
    return (total * right - chance) / below if below else math.nan


@metric(
    formula="(N sum(tp) - sum(ref pred)) / sqrt((N^2 - sum(pred^2)) (N^2 - sum(ref^2))), over all labels",
    low=-1,
    undefined="no pixel was counted, or either mask holds one label only",
    takes="every",
    aliases=("rk",),
    spoken="Overall MCC",
    source=_GORODKIN,
)
def overall_mcc(labels: Iterable[Counts]) -> float:
    """Correlation coefficient of the whole matrix (Gorodkin's R_K), background included."""
    total, right, sizes = _margins(labels)
    covariance = total * right - sum(reference * prediction for reference, prediction in sizes)
    of_reference = total * total - sum(reference * reference for reference, _ in sizes)
    of_prediction = total * total - sum(prediction * prediction for _, prediction in sizes)
    below = of_reference * of_prediction
    return _correlation(covariance, below)
