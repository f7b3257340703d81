"""How far the boundaries of two masks are from each other.

Every distance is from a point of one surface to the nearest point of the other; *to_reference* is from the
prediction's surface to the reference's. Definitions, and the switches to those of other tools:
``docs/boundary.md``.

The file is long because the family is one: whoever adds a number sees beside it what it is not.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

from dicecli.metrics._catalogue import BOTH_EMPTY, metric
from dicecli.metrics._parameter import Parameter
from dicecli.records.lengths import LENGTHS
from dicecli.records.surfaces import shares
from dicecli.records.wholes import ratio

if TYPE_CHECKING:
    from collections.abc import Callable

    from dicecli.records.lengths import Length
    from dicecli.statistics.surface.measured import Distances, Surfaces

    #: What a distance is where one mask alone is empty.
    Empty = str
    Direction = Literal["to_prediction", "to_reference"]

#: What ``-m boundary`` stands for.
USUAL = ("hd95", "assd", "nsd")

_HUTTENLOCHER = (
    "Huttenlocher DP et al. IEEE Transactions on Pattern Analysis and Machine Intelligence 15(9), 1993. "
    "doi:10.1109/34.232073"
)
_TAHA = "Taha AA, Hanbury A. BMC Medical Imaging 15:29, 2015. doi:10.1186/s12880-015-0068-x"
_HEIMANN = "Heimann T et al. IEEE Transactions on Medical Imaging 28(8), 2009. doi:10.1109/TMI.2009.2013851"
_MAIER_HEIN = "Maier-Hein L et al. Nature Methods 21, 2024. doi:10.1038/s41592-023-02151-z"
_NIKOLOV = "Nikolov S et al. Journal of Medical Internet Research 23(7):e26151, 2021. doi:10.2196/26151"
_CHENG = "Cheng B et al. CVPR, 2021. doi:10.1109/CVPR46437.2021.01508"
_PERAZZI = "Perazzi F et al. CVPR, 2016. doi:10.1109/CVPR.2016.85"
#: The parts of the measurement.
DISTANCES, BANDS, CONTOURS = "distances", "bands", "contours"
_PERCENTILE = Parameter("percentile", 0, 100, usual=95.0)
#: What all distances have.
_LENGTH = {
    "of": "surface",
    "needs": (DISTANCES,),
    "unit": "length",
    "pools": False,
    "infinite": True,
    "high": math.inf,
    "better": "lower",
    "undefined": BOTH_EMPTY,
}


def _distance(surfaces: Surfaces, empty_distance: Empty, value: Callable[[Distances], float]) -> float | None:
    """Return a distance; what stands for it where one mask alone is empty; None where none was measured."""
    if DISTANCES not in surfaces.parts:
        return None
    if surfaces.pooled is not None:
        return value(surfaces.pooled)
    if bool(surfaces.reference) == bool(surfaces.prediction):
        return math.nan  # both empty, or one has no surface among the pixels that are compared
    words = {"inf": math.inf, "diagonal": surfaces.diagonal, "skip": math.nan}
    return words[empty_distance] if empty_distance in words else float(empty_distance)


def _is_empty(surfaces: Surfaces) -> bool:
    return not surfaces.reference and not surfaces.prediction


def _missed(surfaces: Surfaces) -> float:
    """Return what a share without boundaries is: 0 where one mask alone is empty, else undefined."""
    return 0.0 if bool(surfaces.reference) != bool(surfaces.prediction) else math.nan


def _directed(surfaces: Surfaces, direction: Direction) -> Distances:
    found: Distances = getattr(surfaces, direction)
    return found


def _percentile(surfaces: Surfaces, percentile: float, directions: str) -> float:
    at = surfaces.percents.index(percentile)
    both = [_directed(surfaces, each).percentiles[at] for each in ("to_prediction", "to_reference")]
    if directions == "pool" and surfaces.pooled is not None:
        return surfaces.pooled.percentiles[at]
    return max(both) if directions == "max" else math.fsum(both) / 2


@metric(
    **_LENGTH,
    formula="max of max over the reference's surface of d to the prediction's, and the reverse",
    options=("directions", "empty_distance"),
    aliases=("hausdorff", "hausdorff_distance"),
    spoken="HD",
    source=_HUTTENLOCHER,
)
def hd(surfaces: Surfaces, *, directions: str, empty_distance: Empty) -> float | None:
    """Hausdorff distance: the farthest that a point of one surface is from the other surface."""

    def value(_: Distances) -> float:
        """Return the larger of both directions, or with ``mean`` their mean."""
        both = [_directed(surfaces, each).largest for each in ("to_prediction", "to_reference")]
        return math.fsum(both) / 2 if directions == "mean" else max(both)

    return _distance(surfaces, empty_distance, value)


@metric(
    **_LENGTH,
    name="hd{percentile}",
    parameter=_PERCENTILE,
    formula="max of the percentile of d over the reference's surface, and over the prediction's",
    options=("directions", "empty_distance"),
    aliases=(
        "hd_{percentile}",
        "hausdorff{percentile}",
        "hausdorff_{percentile}",
        "hausdorff_distance{percentile}",
        "hausdorff_distance_{percentile}",
    ),
    spoken="HD{percentile}",
    source=_TAHA,
)
def hd_percentile(
    surfaces: Surfaces, *, percentile: float, directions: str, empty_distance: Empty
) -> float | None:
    """Percentile of the Hausdorff distance, such as hd95: less at the mercy of a single voxel than hd."""
    if surfaces.parts and percentile not in surfaces.percents:
        return None
    return _distance(surfaces, empty_distance, lambda _: _percentile(surfaces, percentile, directions))


@metric(
    **_LENGTH,
    formula="max over the prediction's surface of d to the reference's",
    options=("empty_distance",),
    spoken="HD to the reference",
    source=_HUTTENLOCHER,
)
def hd_to_reference(surfaces: Surfaces, *, empty_distance: Empty) -> float | None:
    """Hausdorff distance of the prediction's surface alone: its farthest point from the reference's."""
    return _distance(surfaces, empty_distance, lambda _: _directed(surfaces, "to_reference").largest)


@metric(
    **_LENGTH,
    formula="max over the reference's surface of d to the prediction's",
    options=("empty_distance",),
    spoken="HD to the prediction",
    source=_HUTTENLOCHER,
)
def hd_to_prediction(surfaces: Surfaces, *, empty_distance: Empty) -> float | None:
    """Hausdorff distance of the reference's surface alone: its farthest point from the prediction's."""
    return _distance(surfaces, empty_distance, lambda _: _directed(surfaces, "to_prediction").largest)


def _directed_percentile(
    surfaces: Surfaces, direction: Direction, percentile: float, empty_distance: Empty
) -> float | None:
    if surfaces.parts and percentile not in surfaces.percents:
        return None
    return _distance(
        surfaces,
        empty_distance,
        lambda _: _directed(surfaces, direction).percentiles[surfaces.percents.index(percentile)],
    )


@metric(
    **_LENGTH,
    name="hd{percentile}_to_reference",
    parameter=_PERCENTILE,
    formula="percentile over the prediction's surface of d to the reference's",
    options=("empty_distance",),
    spoken="HD{percentile} to the reference",
    source=_TAHA,
)
def hd_percentile_to_reference(
    surfaces: Surfaces, *, percentile: float, empty_distance: Empty
) -> float | None:
    """Percentile of the distances from the prediction's surface to the reference's."""
    return _directed_percentile(surfaces, "to_reference", percentile, empty_distance)


@metric(
    **_LENGTH,
    name="hd{percentile}_to_prediction",
    parameter=_PERCENTILE,
    formula="percentile over the reference's surface of d to the prediction's",
    options=("empty_distance",),
    spoken="HD{percentile} to the prediction",
    source=_TAHA,
)
def hd_percentile_to_prediction(
    surfaces: Surfaces, *, percentile: float, empty_distance: Empty
) -> float | None:
    """Percentile of the distances from the reference's surface to the prediction's."""
    return _directed_percentile(surfaces, "to_prediction", percentile, empty_distance)


@metric(
    **_LENGTH,
    formula="mean of d over the points of both surfaces",
    options=("empty_distance",),
    aliases=("average_symmetric_surface_distance", "average_surface_distance"),
    spoken="ASSD",
    source=_HEIMANN,
)
def assd(surfaces: Surfaces, *, empty_distance: Empty) -> float | None:
    """Average symmetric surface distance: over all points, so that the larger surface counts more."""
    return _distance(surfaces, empty_distance, lambda pooled: pooled.mean)


@metric(
    **_LENGTH,
    formula="(mean of d over the reference's surface + mean over the prediction's) / 2",
    options=("empty_distance",),
    aliases=("mean_average_surface_distance",),
    spoken="MASD",
    source=_MAIER_HEIN,
)
def masd(surfaces: Surfaces, *, empty_distance: Empty) -> float | None:
    """Mean average surface distance: both directions count the same, whatever the size of the surfaces."""

    def value(_: Distances) -> float:
        """Return the mean of both means."""
        return math.fsum(_directed(surfaces, each).mean for each in ("to_prediction", "to_reference")) / 2

    return _distance(surfaces, empty_distance, value)


@metric(
    **_LENGTH,
    formula="mean over the prediction's surface of d to the reference's",
    options=("empty_distance",),
    spoken="ASD to the reference",
    source=_HEIMANN,
)
def asd_to_reference(surfaces: Surfaces, *, empty_distance: Empty) -> float | None:
    """Average distance from the prediction's surface to the reference's: islands and spurs count."""
    return _distance(surfaces, empty_distance, lambda _: _directed(surfaces, "to_reference").mean)


@metric(
    **_LENGTH,
    formula="mean over the reference's surface of d to the prediction's",
    options=("empty_distance",),
    spoken="ASD to the prediction",
    source=_HEIMANN,
)
def asd_to_prediction(surfaces: Surfaces, *, empty_distance: Empty) -> float | None:
    """Average distance from the reference's surface to the prediction's: parts that were missed count."""
    return _distance(surfaces, empty_distance, lambda _: _directed(surfaces, "to_prediction").mean)


@metric(
    of="surface",
    needs=(DISTANCES,),
    name="nsd_{tolerance}",
    parameter=Parameter("tolerance", units=LENGTHS),
    pools=False,
    formula="share of the points of both surfaces with d <= tolerance (1 + 1e-6)",
    undefined=BOTH_EMPTY,
    follows_undefined=True,
    is_empty=_is_empty,
    options=("directions", "nsd_directions"),
    aliases=(
        "normalized_surface_dice_{tolerance}",
        "normalised_surface_dice_{tolerance}",
        "normalized_surface_distance_{tolerance}",
        "surface_dice_{tolerance}",
    ),
    spoken="NSD at {tolerance}",
    source=_NIKOLOV,
)
def nsd(
    surfaces: Surfaces, *, tolerance: Length, directions: str, nsd_directions: str | None
) -> float | None:
    """Normalised surface Dice: the share of both surfaces that lies within a tolerance of the other."""
    if surfaces.parts and (DISTANCES not in surfaces.parts or str(tolerance) not in surfaces.tolerances):
        return None
    if surfaces.to_reference is None or surfaces.to_prediction is None:
        return _missed(surfaces)
    at = surfaces.tolerances.index(str(tolerance))
    both = (surfaces.to_prediction, surfaces.to_reference)
    if shares(directions, nsd_directions) == "mean":
        return math.fsum(each.within[at] / each.weight for each in both) / 2
    return math.fsum(each.within[at] for each in both) / math.fsum(each.weight for each in both)


@metric(
    of="surface",
    needs=(BANDS,),
    formula="pixels in both bands / pixels in either; bands lie inside of each mask, along its boundary",
    undefined=BOTH_EMPTY,
    follows_undefined=True,
    is_empty=_is_empty,
    spoken="Boundary IoU",
    source=_CHENG,
)
def boundary_iou(surfaces: Surfaces) -> float | None:
    """IoU of the pixels of each mask that are near its boundary: of large objects, where IoU hides edges."""
    if surfaces.parts and surfaces.bands is None:
        return None
    if surfaces.bands is None:
        return math.nan
    union = surfaces.bands.reference + surfaces.bands.prediction - surfaces.bands.both
    return ratio(surfaces.bands.both, union) if union else _missed(surfaces)


@metric(
    of="surface",
    needs=(CONTOURS,),
    pools=False,
    formula="2 P R / (P + R), of shares of boundary pixels within the width of the other boundary",
    undefined=f"{BOTH_EMPTY}, or fill the image; of volumes",
    follows_undefined=True,
    is_empty=_is_empty,
    aliases=("boundary_f1", "boundary_f_measure"),
    spoken="Boundary F",
    source=_PERAZZI,
)
def boundary_f(surfaces: Surfaces) -> float | None:
    """F measure of the boundaries of two images, as of DAVIS and BSDS."""
    if CONTOURS not in surfaces.parts and surfaces.parts:
        return None
    found = surfaces.contours
    if found is None:
        return math.nan
    if not found.reference + found.prediction:
        return _missed(surfaces)
    if not found.reference_near or not found.prediction_near:
        return 0.0
    precision, recall = found.prediction_near / found.prediction, found.reference_near / found.reference
    return 2 * precision * recall / (precision + recall)
