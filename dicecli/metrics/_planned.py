"""Metrics that people ask for and that are not there yet, so that asking says so; never one that is there."""

from __future__ import annotations

import re

_INSTANCE = "an instance metric"
#: What each word means, by what it has to look like.
_PLANNED = {
    r"(pq|sq|rq|panoptic_quality|segmentation_quality|recognition_quality)": _INSTANCE,
    r"(instance|lesion|component)_\w+": _INSTANCE,
    r"(cldice|centre_?line_dice|centerline_dice)": "a metric of skeletons",
}


def planned(word: str) -> str | None:
    """Return what a word for a metric that is not there yet means; None for any other word."""
    return next((what for form, what in _PLANNED.items() if re.fullmatch(form, word)), None)
