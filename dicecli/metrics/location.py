"""Where the two masks have a label, whatever the overlap."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from dicecli.metrics._catalogue import metric

if TYPE_CHECKING:
    from dicecli.statistics.place import Places


@metric(
    of="place",
    unit="length",
    takes_spacing=True,
    pools=False,
    formula="|mean coordinates of the prediction - mean coordinates of the reference|, in the grid's spacing",
    high=math.inf,
    undefined="either mask is empty",
    better="lower",
    aliases=("center_distance", "centroid_distance"),
    source="Maier-Hein L et al. Nature Methods 21:195, 2024. doi:10.1038/s41592-023-02151-z",
)
def centre_distance(place: Places, spacing: tuple[float, ...] | None) -> float:
    """Distance between the centres of mass of the two masks; 0 says nothing about their sizes."""
    if not place.reference or not place.prediction:
        return math.nan
    steps = spacing or (1.0,) * len(place.reference_sums)
    # Whole numbers over one divisor, and the squares added in one order: the same in every orientation.
    pixels = place.prediction * place.reference
    apart = [
        abs(prediction * place.reference - reference * place.prediction) / pixels * step
        for prediction, reference, step in zip(
            place.prediction_sums, place.reference_sums, steps, strict=True
        )
    ]
    return math.hypot(*sorted(apart))
