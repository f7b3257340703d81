"""The scores of probability maps: what each one is, means and when it is undefined."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from dicecli.records.softness import SMOOTH

_EMPTY = f"the class is neither in the reference nor predicted, and --smooth is 0 (its default is {SMOOTH:g})"
_NOWHERE = "neither mask has the class"


@dataclass(frozen=True)
class SoftScore:
    """One score, as the catalogue shows it.

    Attributes
    ----------
    name : str
        The word in every column's header.
    summary, formula, range, undefined, source : str
        What a paper would say, with p the probability of the class at a pixel and g its reference, 0 or 1.
    better : {"higher", "lower", "neither"}
    """

    name: str
    summary: str
    formula: str
    range: str = "0 to 1"
    undefined: str = "there is no pixel"
    source: str = "this project"
    better: Literal["higher", "lower", "neither"] = "higher"


def _dice(form: str, summary: str, formula: str, source: str) -> tuple[SoftScore, SoftScore]:
    return (
        SoftScore(f"soft_dice_{form}", summary, formula, undefined=_EMPTY, source=source),
        SoftScore(
            f"loss_{form}", f"1 - soft_dice_{form}", f"1 - ({formula})", "0 to 1", _EMPTY, source, "lower"
        ),
    )


_FORMS = (
    *_dice(
        "standard",
        "Soft Dice, the overlap of probabilities",
        "(2 Σpg + ε) / (Σp + Σg + ε)",
        "Drozdzal M et al. DLMIA, 2016. doi:10.1007/978-3-319-46976-8_19",
    ),
    *_dice(
        "jaccard",
        "Soft IoU, the Jaccard form of soft Dice",
        "(Σpg + ε) / (Σp + Σg - Σpg + ε)",
        "Rahman MA, Wang Y. ISVC, 2016. doi:10.1007/978-3-319-50835-1_22",
    ),
    *_dice(
        "squared",
        "Soft Dice with squares in the divisor, as of V-Net",
        "(2 Σpg + ε) / (Σp² + Σg² + ε)",
        "Milletari F et al. 3DV, 2016. doi:10.1109/3DV.2016.79",
    ),
)

#: What every class has, in the order of the reports: the three forms, their losses, then the rest.
SCORES: tuple[SoftScore, ...] = (
    *(each for each in _FORMS if each.better == "higher"),
    *(each for each in _FORMS if each.better == "lower"),
    SoftScore(
        "cross_entropy",
        "Binary cross-entropy of the class, the mean over pixels, in nats",
        "-mean(g log p + (1 - g) log(1 - p))",
        "0 to 36.04: p is bounded by 2^-52 where it would be infinite",
        source="Good IJ. Journal of the Royal Statistical Society B 14:107, 1952",
        better="lower",
    ),
    SoftScore(
        "dice_ce",
        "Dice loss and cross-entropy added with weights, as losses for training do",
        "dice_weight (1 - D) + ce_weight cross_entropy, with D of --form",
        "from 0",
        _EMPTY,
        "Isensee F et al. Nature Methods 18:203, 2021. doi:10.1038/s41592-020-01008-z",
        "lower",
    ),
    SoftScore(
        "brier",
        "Brier score of the class: the mean squared error of its probability",
        "mean((p - g)²)",
        source="Brier GW. Monthly Weather Review 78:1, 1950",
        better="lower",
    ),
    SoftScore(
        "ece",
        "Expected calibration error: how far probabilities are from how often they come true",
        "Σ_b n_b / n abs(mean p - mean g) over 20 bins of equal width, [0, 0.05) to [0.95, 1]",
        source="Naeini MP et al. AAAI, 2015. doi:10.1609/aaai.v29i1.9602",
        better="lower",
    ),
    SoftScore(
        "average_precision",
        "Area under precision and recall, over the thresholds 1, 0.999 ... 0, not interpolated",
        "Σ_k (R_k - R_(k-1)) P_k",
        undefined="the reference is empty",
        source="Zhu M. Technical report, University of Waterloo, 2004",
    ),
    SoftScore(
        "dice_at_half",
        "Hard Dice of p >= 0.5, as 'dicecli score --threshold 0.5' gives it",
        "2 tp / (2 tp + fp + fn)",
        undefined=_NOWHERE,
    ),
    SoftScore(
        "dice_argmax",
        "Hard Dice of the class with the largest probability, where channels exclude each other",
        "2 tp / (2 tp + fp + fn)",
        undefined=f"{_NOWHERE}, or channels do not exclude each other",
    ),
    SoftScore(
        "dice_best",
        "Hard Dice at the best of the thresholds 0.001, 0.002 ... 1",
        "max_t 2 tp / (2 tp + fp + fn)",
        undefined=_NOWHERE,
    ),
    SoftScore(
        "best_threshold",
        "The threshold of dice_best; of equally good ones the nearest to 0.5",
        "argmax_t dice(p >= t)",
        "0.001 to 1",
        _NOWHERE,
        better="neither",
    ),
    SoftScore(
        "gain",
        "What tuning the threshold would bring",
        "dice_best - dice_argmax, or where there is no argmax dice_best - dice_at_half",
        "-1 to 1; at most below 0 where argmax is better than any threshold",
        _NOWHERE,
    ),
)

#: What all channels have together.
OVERALL: tuple[SoftScore, ...] = (
    SoftScore(
        "generalised_dice_square",
        "Generalised Dice over the classes, weighted by 1/(Σg)²",
        "(2 Σ_c w Σpg + ε) / (Σ_c w (Σp + Σg) + ε); w is divided by the largest, an absent class has 1",
        undefined=_EMPTY,
        source="Sudre CH et al. DLMIA, 2017. doi:10.1007/978-3-319-67558-9_28",
    ),
    SoftScore(
        "generalised_dice_simple",
        "Generalised Dice over the classes, weighted by 1/Σg",
        "as generalised_dice_square, with w = 1/Σg",
        undefined=_EMPTY,
        source="Sudre CH et al. DLMIA, 2017. doi:10.1007/978-3-319-67558-9_28",
    ),
    SoftScore(
        "generalised_dice_uniform",
        "Generalised Dice over the classes, every weight 1: micro soft Dice",
        "as generalised_dice_square, with w = 1",
        undefined=_EMPTY,
        source="Sudre CH et al. DLMIA, 2017. doi:10.1007/978-3-319-67558-9_28",
    ),
    SoftScore(
        "overall_cross_entropy",
        "Cross-entropy over channels that exclude each other; else the mean of the channels' own",
        "-mean(log p of the reference's class)",
        "0 to 36.04, as cross_entropy",
        source="Good IJ. Journal of the Royal Statistical Society B 14:107, 1952",
        better="lower",
    ),
    SoftScore(
        "overall_dice_ce",
        "Macro Dice loss and overall cross-entropy, added with weights",
        "dice_weight mean_c(1 - D) + ce_weight overall_cross_entropy",
        "from 0",
        _EMPTY,
        "Isensee F et al. Nature Methods 18:203, 2021. doi:10.1038/s41592-020-01008-z",
        "lower",
    ),
    SoftScore(
        "overall_brier",
        "Brier score over channels that exclude each other, their sum; else the mean of the channels' own",
        "mean(Σ_c (p - g)²)",
        "0 to 2; 0 to 1 for the mean",
        source="Brier GW. Monthly Weather Review 78:1, 1950",
        better="lower",
    ),
    SoftScore(
        "overall_ece",
        "Calibration of the largest probability, where channels exclude each other; else of all pooled",
        "Σ_b n_b / n abs(mean of the largest p - share of pixels where it is right), over the bins of ece",
        source="Guo C et al. ICML, 2017",
        better="lower",
    ),
    SoftScore(
        "overall_accuracy",
        "Share of the pixels where the largest probability is the reference's class",
        "pixels where it is / pixels",
        undefined="channels do not exclude each other",
    ),
)


def soft_catalogue() -> dict[str, SoftScore]:
    """Return every score of probability maps by its name."""
    return {each.name: each for each in (*SCORES, *OVERALL)}
