"""Metrics that people ask for and that are not there yet, so that asking says so; never one that is there."""

from __future__ import annotations

import re

_BOUNDARY = "a boundary metric"
_INSTANCE = "an instance metric"
#: What each word means, by what it has to look like.
_PLANNED = {
    r"(hd|hausdorff|hausdorff_distance)_?\d*(\.\d+)?(_(mm|m|px))?": _BOUNDARY,
    r"(assd|masd|asd|average_surface_distance|surface_distance)(_(mm|m|px))?": _BOUNDARY,
    r"(nsd|normali[sz]ed_surface_dice|surface_dice)(_.*)?": _BOUNDARY,
    r"(boundary|surface)_(iou|f|f1|dice)": _BOUNDARY,
    r"(pq|sq|rq|panoptic_quality|segmentation_quality|recognition_quality)": _INSTANCE,
    r"(instance|lesion|component)_\w+": _INSTANCE,
    r"(cldice|centre_?line_dice|centerline_dice)": "a metric of skeletons",
}


def planned(word: str) -> str | None:
    """Return what a word for a metric that is not there yet means; None for any other word."""
    return next((what for form, what in _PLANNED.items() if re.fullmatch(form, word)), None)
