"""A metric that the catalogue lacks: it weighs misses more than false alarms."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from dicecli.metrics import BOTH_EMPTY, metric

if TYPE_CHECKING:
    from dicecli.records.counts import Counts


@metric(
    formula="tp / (tp + 0.3 fp + 0.7 fn)",
    range="0 to 1",
    undefined=BOTH_EMPTY,
    source="Salehi SSM et al. MLMI, 2017. doi:10.1007/978-3-319-67389-9_44",
)
def tversky_03(counts: Counts) -> float:
    """Tversky index that counts a miss as 0.7 and a false alarm as 0.3."""
    below = counts.tp + 0.3 * counts.fp + 0.7 * counts.fn
    return counts.tp / below if below else math.nan
