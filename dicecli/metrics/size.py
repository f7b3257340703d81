"""Sizes: how much of a label there is in each mask, whatever the overlap."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from dicecli.metrics._catalogue import BOTH_EMPTY, metric
from dicecli.records.wholes import ratio

if TYPE_CHECKING:
    from dicecli.records.counts import Counts

_TAHA = "Taha AA, Hanbury A. BMC Medical Imaging 15:29, 2015. doi:10.1186/s12880-015-0068-x"
_HEIMANN = "Heimann T et al. IEEE Transactions on Medical Imaging 28(8), 2009. doi:10.1109/TMI.2009.2013851"
_OLOFSSON = "Olofsson P et al. Remote Sensing of Environment 148, 2014. doi:10.1016/j.rse.2014.02.015"
_NO_VOLUME = "the file gives no voxel size in a known unit of length, or is no volume"
_NO_AREA = "the file has no projected CRS, or is no map"


@metric(
    formula="1 - |fn - fp| / (2 tp + fp + fn)",
    undefined=BOTH_EMPTY,
    follows_undefined=True,
    aliases=("volumetric_similarity", "vs"),
    source=_TAHA,
)
def volume_similarity(counts: Counts) -> float:
    """How equal the two sizes are, wherever they lie; 1 for equal sizes without any overlap."""
    below = 2 * counts.tp + counts.fp + counts.fn
    return ratio(below - abs(counts.fn - counts.fp), below)


@metric(
    formula="(prediction - reference) / reference",
    low=-1,
    high=math.inf,
    remark="0 is best",
    undefined="the reference is empty",
    better="neither",
    aliases=("rvd",),
    source=_HEIMANN,
)
def relative_volume_difference(counts: Counts) -> float:
    """By which share of the reference's size the prediction is too large; negative where too small."""
    return ratio(counts.fp - counts.fn, counts.reference)


@metric(
    formula="|prediction - reference| / reference",
    high=math.inf,
    remark="0 is best",
    undefined="the reference is empty",
    better="lower",
    aliases=("absolute_relative_volume_difference",),
    source=_HEIMANN,
)
def relative_volume_error(counts: Counts) -> float:
    """By which share of the reference's size the prediction is too large or too small."""
    return ratio(abs(counts.fp - counts.fn), counts.reference)


@metric(
    formula="|prediction - reference| x voxel size",
    high=math.inf,
    remark="0 is best",
    undefined=_NO_VOLUME,
    better="lower",
    size="mm3",
    source=_HEIMANN,
)
def volume_error_mm3(counts: Counts, size_mm3: float) -> float:
    """By how many cubic millimetres the prediction is too large or too small."""
    return abs(counts.fp - counts.fn) * size_mm3


@metric(
    formula="|prediction - reference| x pixel size",
    high=math.inf,
    remark="0 is best",
    undefined=_NO_AREA,
    better="lower",
    size="m2",
    source=_OLOFSSON,
)
def area_error_m2(counts: Counts, size_m2: float) -> float:
    """By how many square metres the predicted map has too much or too little of the label."""
    return abs(counts.fp - counts.fn) * size_m2


@metric(
    formula="(tp + fn) x voxel size",
    high=math.inf,
    undefined=_NO_VOLUME,
    better="neither",
    size="mm3",
    source=_TAHA,
)
def volume_reference_mm3(counts: Counts, size_mm3: float) -> float:
    """Volume of the label in the reference, in cubic millimetres."""
    return counts.reference * size_mm3


@metric(
    formula="(tp + fp) x voxel size",
    high=math.inf,
    undefined=_NO_VOLUME,
    better="neither",
    size="mm3",
    source=_TAHA,
)
def volume_prediction_mm3(counts: Counts, size_mm3: float) -> float:
    """Volume of the label in the prediction, in cubic millimetres."""
    return counts.prediction * size_mm3


@metric(
    formula="(tp + fn) x pixel size",
    high=math.inf,
    undefined=_NO_AREA,
    better="neither",
    size="m2",
    source=_OLOFSSON,
)
def area_reference_m2(counts: Counts, size_m2: float) -> float:
    """Area of the label in the reference map, in square metres."""
    return counts.reference * size_m2


@metric(
    formula="(tp + fp) x pixel size",
    high=math.inf,
    undefined=_NO_AREA,
    better="neither",
    size="m2",
    source=_OLOFSSON,
)
def area_prediction_m2(counts: Counts, size_m2: float) -> float:
    """Area of the label in the predicted map, in square metres."""
    return counts.prediction * size_m2
