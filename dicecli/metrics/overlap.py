"""Overlap and error rates of one label: ratios of the four counts."""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING

from dicecli.metrics._catalogue import BOTH_EMPTY, metric
from dicecli.metrics._parameter import Parameter
from dicecli.records.wholes import ratio

if TYPE_CHECKING:
    from dicecli.records.counts import Counts


@metric(
    formula="2 tp / (2 tp + fp + fn)",
    undefined=BOTH_EMPTY,
    follows_undefined=True,
    aliases=("dsc", "dice_coefficient", "dice_score", "sorensen_dice", "dice_similarity_coefficient", "zsi"),
    shown="always",
    source="Dice LR. Ecology 26(3), 1945. doi:10.2307/1932409",
)
def dice(counts: Counts) -> float:
    """Twice the overlap over the sum of both sizes; the same number as F1."""
    return ratio(2 * counts.tp, 2 * counts.tp + counts.fp + counts.fn)


@metric(
    formula="2 tp / ((tp + fp) + (tp + fn))",
    undefined=BOTH_EMPTY,
    follows_undefined=True,
    aliases=("f_score", "f_measure", "f1_score"),
    spoken="F1",
    source="van Rijsbergen CJ. Information Retrieval, 2nd ed., 1979",
)
def f1(counts: Counts) -> float:
    """Harmonic mean of precision and recall, from the counts and so never lost to a 0/0; equals Dice."""
    return ratio(2 * counts.tp, counts.prediction + counts.reference)


@metric(
    formula="tp / (tp + fp + fn)",
    undefined=BOTH_EMPTY,
    follows_undefined=True,
    aliases=(
        "jaccard",
        "jaccard_index",
        "jaccard_score",
        "iou_score",
        "intersection_over_union",
        "critical_success_index",
    ),
    shown="always",
    spoken="IoU",
    source="Jaccard P. New Phytologist 11(2), 1912. doi:10.1111/j.1469-8137.1912.tb05611.x",
)
def iou(counts: Counts) -> float:
    """Intersection over union of the two masks; Dice / (2 - Dice)."""
    return ratio(counts.tp, counts.tp + counts.fp + counts.fn)


@metric(
    formula="tp / (tp + fp)",
    undefined="the prediction is empty",
    aliases=("users_accuracy", "positive_predictive_value", "ppv", "correctness"),
    shown="always",
    source="Taha AA, Hanbury A. BMC Medical Imaging 15:29, 2015. doi:10.1186/s12880-015-0068-x",
)
def precision(counts: Counts) -> float:
    """Share of the prediction that the reference confirms; user's accuracy of a map."""
    return ratio(counts.tp, counts.prediction)


@metric(
    formula="tp / (tp + fn)",
    undefined="the reference is empty",
    aliases=("sensitivity", "true_positive_rate", "tpr", "producers_accuracy", "hit_rate", "completeness"),
    shown="always",
    source="Taha AA, Hanbury A. BMC Medical Imaging 15:29, 2015. doi:10.1186/s12880-015-0068-x",
)
def recall(counts: Counts) -> float:
    """Share of the reference that the prediction finds; sensitivity, or producer's accuracy of a map."""
    return ratio(counts.tp, counts.reference)


@metric(
    formula="tn / (tn + fp)",
    undefined="the reference covers every counted pixel",
    aliases=("true_negative_rate", "tnr", "selectivity"),
    source="Taha AA, Hanbury A. BMC Medical Imaging 15:29, 2015. doi:10.1186/s12880-015-0068-x",
)
def specificity(counts: Counts) -> float:
    """Share of the pixels outside the reference that the prediction leaves out too."""
    return ratio(counts.tn, counts.tn + counts.fp)


@metric(
    formula="tn / (tn + fn)",
    undefined="the prediction covers every counted pixel",
    aliases=("negative_predictive_value",),
    spoken="NPV",
    source="Maier-Hein L et al. Nature Methods 21, 2024. doi:10.1038/s41592-023-02151-z",
)
def npv(counts: Counts) -> float:
    """Share of the pixels outside the prediction that are outside the reference too."""
    return ratio(counts.tn, counts.tn + counts.fn)


@metric(
    formula="fp / (fp + tn)",
    undefined="the reference covers every counted pixel",
    better="lower",
    aliases=("false_positive_rate", "fall_out"),
    spoken="FPR",
    source="Taha AA, Hanbury A. BMC Medical Imaging 15:29, 2015. doi:10.1186/s12880-015-0068-x",
)
def fpr(counts: Counts) -> float:
    """Share of the pixels outside the reference that the prediction claims; 1 - specificity."""
    return ratio(counts.fp, counts.fp + counts.tn)


@metric(
    formula="fn / (fn + tp)",
    undefined="the reference is empty",
    better="lower",
    aliases=("false_negative_rate", "miss_rate", "omission_error"),
    spoken="FNR",
    source="Taha AA, Hanbury A. BMC Medical Imaging 15:29, 2015. doi:10.1186/s12880-015-0068-x",
)
def fnr(counts: Counts) -> float:
    """Share of the reference that the prediction misses; 1 - recall, omission error of a map."""
    return ratio(counts.fn, counts.reference)


@metric(
    formula="fp / (fp + tp)",
    undefined="the prediction is empty",
    better="lower",
    aliases=("false_discovery_rate", "commission_error"),
    spoken="FDR",
    source="Congalton RG. Remote Sensing of Environment 37(1), 1991. doi:10.1016/0034-4257(91)90048-B",
)
def fdr(counts: Counts) -> float:
    """Share of the prediction that is wrong; 1 - precision, commission error of a map."""
    return ratio(counts.fp, counts.prediction)


@metric(
    formula="(tp + fn) / (tp + fp + fn + tn)",
    undefined="no pixel was counted",
    better="neither",
    source="Maier-Hein L et al. Nature Methods 21, 2024. doi:10.1038/s41592-023-02151-z",
)
def prevalence(counts: Counts) -> float:
    """Share of the counted pixels that have the label in the reference."""
    return ratio(counts.reference, counts.total)


@metric(
    name="fbeta_{beta}",
    parameter=Parameter("beta", 0, 1000),
    formula="(1 + beta^2) tp / ((1 + beta^2) tp + beta^2 fn + fp)",
    undefined=BOTH_EMPTY,
    follows_undefined=True,
    spoken="F{beta}",
    source="van Rijsbergen CJ. Information Retrieval, 2nd ed., 1979",
)
def fbeta(counts: Counts, *, beta: float) -> float:
    """Dice with recall counted beta times as much as precision: fbeta_2, fbeta_0.5; fbeta_1 is Dice."""
    up, down = _square(beta)
    above = (up + down) * counts.tp
    below = above + up * counts.fn + down * counts.fp
    if up:
        return ratio(above, below)
    # Where beta is 0 it is precision, which is 0 where nothing is predicted: there is nothing to reward.
    return 0.0 if counts.fn and not below else ratio(above, below)


@cache
def _square(number: float) -> tuple[int, int]:
    """Return the square of a number in a name as a fraction, exact in its decimals."""
    return (Fraction(repr(number)) ** 2).as_integer_ratio()
