"""What the JSON Schema says of the record of probability maps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dicecli.metrics._soft.catalogue import OVERALL, SCORES
from dicecli.records.json_schema import closed, described, or_null
from dicecli.reports import schema_parts as parts
from dicecli.reports.soft.report import AVERAGES
from dicecli.statistics.soft.sums import BINS, STEPS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dicecli.metrics._soft.catalogue import SoftScore


def record() -> dict[str, Any]:
    """Return the schema of the whole record."""
    return parts.record(
        "maps",
        {
            "thresholds": {
                "description": "Probabilities are told apart by multiples of 1 / this.",
                "const": STEPS,
            },
            "calibration_bins": {"description": "Calibration is looked at in so many bins.", "const": BINS},
        },
    )


def definitions() -> dict[str, Any]:
    """Return what the schema of the whole record refers to."""
    said = {name: described(parts.TEXT, f"How {name} is computed.") for name in AVERAGES}
    head = parts.how_many() | {
        "definitions": described(closed(said), "What each average is."),
        "pooled": or_null({"$ref": "#/$defs/scores_of_maps"})
        | {"description": "The numbers of all cases pooled; null where none was scored."},
    }
    return {
        "settings_of_maps": parts.settings(soft=True),
        "case_of_maps": _case(),
        "scores_of_maps": described(closed(_numbers()), "Every score of some maps."),
        "row_of_maps": _row(),
        "averages_of_maps": _all_or_none(parts.VALUE, "Every score; none where no label is evaluated."),
        "undefined_of_maps": _all_or_none(
            parts.WHOLE, "For each score, how many undefined values the macro average leaves out."
        ),
        "summary_of_maps": described(
            closed(head | parts.over_cases("score", [each.name for each in SCORES]) | parts.judged()),
            "What the cases of a batch come to.",
        ),
        "summary_of_one_of_maps": described(closed(head | parts.judged()), "The same of one case alone."),
    }


def _numbers() -> dict[str, Any]:
    row, average = {"$ref": "#/$defs/row_of_maps"}, {"$ref": "#/$defs/averages_of_maps"}
    averages = {name: described(average, f"{text[0].upper()}{text[1:]}.") for name, text in AVERAGES.items()}
    return {
        "labels": parts.listed(row, "The evaluated classes, then the regions, whose label is null."),
        "not_averaged": parts.listed(row, "Classes that averages leave out: the background, ignored labels."),
        "averages": described(closed(averages), "The averages over the evaluated classes."),
        "undefined": {"$ref": "#/$defs/undefined_of_maps"},
        "overall": described(closed(_scores(OVERALL)), "The scores of all channels together."),
    }


def _case() -> dict[str, Any]:
    channel = closed(
        {
            "label": described(parts.LABEL, "The label; null of a region."),
            "name": described(parts.NAME_OR_NULL, "Its name, where it has one."),
            "members": parts.listed({"$ref": "#/$defs/integer"}, "The labels that belong to it."),
        }
    )
    content = {
        **parts.facts_of_scored(),
        "channels": parts.listed(channel, "What the channels of the map are, in their order."),
        **_numbers(),
        "notes": parts.notes("What was assumed of the case, or looks odd in it."),
        "measured": {
            "description": "What every number is made of.",
            "$ref": "#/$defs/measured",
            "required": ["soft"],
        },
    }
    return described(closed(content), "A case of a probability map that has its numbers.")


def _row() -> dict[str, Any]:
    """Return the schema of the numbers of one class."""
    number = {"type": "number"}
    sums = {
        "pg": described(number, "Σpg, with p the probability of the class at a pixel, and g its reference."),
        "p": described(number, "Σp."),
        "p2": described(number, "Σp²."),
        "g": described(parts.WHOLE, "Σg."),
        "cross_entropy": described(number, "Σ -(g log p + (1 - g) log(1 - p))."),
        "brier": described(number, "Σ(p - g)²."),
    }
    content = {
        "label": described(parts.LABEL, "The label; null of a region."),
        "name": described(parts.NAME_OR_NULL, "Its name, where it has one."),
        "reference_px": described(parts.WHOLE, "Pixels of the class in the reference."),
        "expected_px": described(number, "Σp, the number of pixels that the map expects."),
        "sums": described(closed(sums), "The sums over pixels, rounded to the nearest float64."),
        **_scores(SCORES),
    }
    return described(closed(content), "One class: its sums and every score; null is undefined.")


def _scores(scores: Iterable[SoftScore], content: Mapping[str, Any] = parts.VALUE) -> dict[str, Any]:
    return {each.name: described(content, f"{each.summary}.") for each in scores}


def _all_or_none(content: Mapping[str, Any], text: str) -> dict[str, Any]:
    found = closed(_scores(SCORES, content))
    needed = found.pop("required")
    return {"description": text, **found, "if": {"minProperties": 1}, "then": {"required": needed}}
