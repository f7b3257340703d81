"""Score segmentation masks: exact Dice, IoU and relatives for PNG, NIfTI and GeoTIFF.

The names below are the Python twin of the command line; they are loaded on first use.

>>> import dicecli
>>> report = dicecli.score("sample_masks/street_prediction.png", "sample_masks/street_reference.png")
>>> f"{report.dice:.3f}"
'0.751'
>>> report.to_pandas().shape[0] == len(report.labels)
True
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dicecli.records.version import __version__

if TYPE_CHECKING:
    from dicecli.errors import CaseError, DicecliError, UsageError
    from dicecli.records.cases import Case
    from dicecli.records.counts import Counts
    from dicecli.records.labels import LabelScheme
    from dicecli.records.schemes import load_labels
    from dicecli.reports.report import Report
    from dicecli.runs.areas import area
    from dicecli.runs.evaluator import Evaluator
    from dicecli.runs.matrices import from_matrix
    from dicecli.runs.points import points
    from dicecli.runs.python import batch, score, soft
    from dicecli.runs.scoring import make_settings, score_many
    from dicecli.statistics._confusion import ConfusionMatrix

__all__ = [
    "Case",
    "CaseError",
    "ConfusionMatrix",
    "Counts",
    "DicecliError",
    "Evaluator",
    "LabelScheme",
    "Report",
    "UsageError",
    "__version__",
    "area",
    "batch",
    "from_matrix",
    "load_labels",
    "make_settings",
    "points",
    "score",
    "score_many",
    "soft",
]

_HOMES = {
    "Case": "records.cases",
    "CaseError": "errors",
    "ConfusionMatrix": "statistics._confusion",
    "Counts": "records.counts",
    "DicecliError": "errors",
    "Evaluator": "runs.evaluator",
    "LabelScheme": "records.labels",
    "Report": "reports.report",
    "UsageError": "errors",
    "area": "runs.areas",
    "batch": "runs.python",
    "from_matrix": "runs.matrices",
    "load_labels": "records.schemes",
    "make_settings": "runs.scoring",
    "points": "runs.points",
    "score": "runs.python",
    "score_many": "runs.scoring",
    "soft": "runs.python",
}


if not TYPE_CHECKING:  # where a name that is not there would have some type

    def __getattr__(name: str) -> Any:
        if name not in _HOMES:
            raise AttributeError(f"module 'dicecli' has no attribute '{name}'")
        from importlib import import_module

        return getattr(import_module(f"dicecli.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
