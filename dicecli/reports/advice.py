"""Where a number misleads: notes that a careful colleague would make beside the table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dicecli.metrics._catalogue import catalogue, resolve
from dicecli.records.counts import Counts
from dicecli.records.measurements import layers_by_number
from dicecli.statistics.matrix import is_layered
from dicecli.words import some_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dicecli.records.cases import Scored
    from dicecli.records.settings import Settings
    from dicecli.reports.rows import RowValues
    from dicecli.reports.suggestions import Suggestion

#: Accuracy this high beside Dice this low says that the label is rare, and nothing else.
_HIGH_ACCURACY, _LOW_DICE, _RARE = 0.95, 0.5, 0.05
_ACCURACIES = {"accuracy", "overall_accuracy"}
#: Averages this far apart call for a reason.
_APART = 0.1
_NAMED = 5


#: What is said of masks that are suspiciously equal.
TWINS = {
    "file": "prediction and reference are the same file",
    "bytes": "prediction and reference are byte-identical files: is one a copy of the other?",
}


def advice(
    case: Scored, rows: Sequence[RowValues], settings: Settings, suggestions: Sequence[Suggestion] = ()
) -> list[str]:
    """Return the notes on one case that are made from its numbers, the most important first.

    Parameters
    ----------
    case : Scored
    rows : sequence of RowValues
        The evaluated labels and the regions.
    settings : Settings
    suggestions : sequence of Suggestion
        Those of the case.
    """
    labels = [row for row in rows if row.row.kind == "label"]
    shown = labels or rows  # binary layers are regions, and there are no labels
    said = [each.text for each in suggestions]
    if settings.reads == "probabilities":
        return [*said, *_absent_from_reference(shown, settings)]
    asked = None if settings.metrics is None else [resolve(name) for name in settings.metrics]
    twins = None if case.observed is None else case.observed.twins
    return [
        *([TWINS[twins]] if twins else []),
        *said,
        *_one_hot(case, shown),
        *_nothing_shared(shown),
        *_one_sided(shown),
        *(_rare(shown) if asked is None or any(each.name in _ACCURACIES for each in asked) else []),
        *(_carried(labels) if asked is None or any(each.pools for each in asked) else []),
        *_absent(shown, settings),
    ]


def _absent_from_reference(rows: Sequence[RowValues], settings: Settings) -> list[str]:
    """Say of which classes soft Dice is about nothing but ε."""
    absent = [row for row in rows if not row.facts.reference_px]
    if not absent or not settings.option("smooth"):
        return []
    return [
        f"absent from the reference, so that soft Dice is ε / (Σp + ε), near 0 for any p and 1 for none: "
        f"{_listed(absent)}; macro takes it in"
    ]


def _value(name: str, counts: Counts) -> float:
    return catalogue()[name].value(counts)


def _listed(rows: Sequence[RowValues]) -> str:
    return some_of([row.title for row in rows], _NAMED)


def _one_hot(case: Scored, rows: Sequence[RowValues]) -> list[str]:
    """Say of layers without names that share out all pixels that they may be one label map."""
    sizes = {sum(getattr(row.counts, side) for row in rows) for side in ("reference", "prediction")}
    has_names = tuple(row.row for row in rows) != layers_by_number(len(rows))
    if not is_layered(case.measured) or has_names or sizes != {case.counted}:
        return []
    return [
        f"the layers of each mask add up to all pixels, as if one-hot: then {rows[0].title} is the "
        "background, which the averages take in; --argmax reads the labels instead, and leaves label 0 out"
    ]


def _nothing_shared(rows: Sequence[RowValues]) -> list[str]:
    present = [row for row in rows if row.counts.reference or row.counts.prediction]
    shared = [row for row in present if row.counts.reference and row.counts.prediction]
    one_sided = {bool(row.counts.reference) for row in present}
    if len(present) > 1 and not shared and len(one_sided) == 2:
        return ["the masks have no label in common: do they use the same numbers for the same classes?"]
    if not present:
        return ["neither mask holds an evaluated label: overlap is undefined"]
    return []


def _one_sided(rows: Sequence[RowValues]) -> list[str]:
    missed = [row for row in rows if row.counts.reference and not row.counts.prediction]
    invented = [row for row in rows if row.counts.prediction and not row.counts.reference]
    notes = []
    if missed:
        notes.append(f"only in the reference, so Dice is 0: {_listed(missed)}")
    if invented:
        notes.append(f"only in the prediction, so Dice is 0: {_listed(invented)}")
    return notes


def _rare(rows: Sequence[RowValues]) -> list[str]:
    """Say of the largest such label that its accuracy is high for no other reason than that it is rare."""
    rare = [
        row
        for row in rows
        if row.counts.reference
        and _value("accuracy", row.counts) >= _HIGH_ACCURACY
        and _value("dice", row.counts) <= _LOW_DICE
        and _value("prevalence", row.counts) <= _RARE
    ]
    if not rare:
        return []
    row = max(rare, key=lambda row: row.counts.reference)
    accuracy, dice = _value("accuracy", row.counts), _value("dice", row.counts)
    share = _value("prevalence", row.counts)
    others = f" (likewise {len(rare) - 1} more)" if len(rare) > 1 else ""
    return [
        f"{row.title}: accuracy is {_below_one(accuracy)} only because {_share(share)} of the pixels have "
        f"the label; its Dice is {dice:.4f}{others}",
    ]


def _below_one(value: float) -> str:
    return "above 0.9999" if 0.99995 <= value < 1 else f"{value:.4f}"


def _share(value: float) -> str:
    return "less than 0.01%" if value < 0.0001 else f"{value:.2%}"


def _carried(rows: Sequence[RowValues]) -> list[str]:
    """Say when the largest label carries the micro average away from the macro one."""
    present = [row for row in rows if row.counts.tp + row.counts.fp + row.counts.fn]
    if len(present) < 2:
        return []
    every = [row.counts for row in present]
    tp, fp, fn = (sum(getattr(counts, name) for counts in every) for name in ("tp", "fp", "fn"))
    micro = _value("dice", Counts(tp, fp, fn))
    macro = sum(_value("dice", counts) for counts in every) / len(every)
    largest = max(present, key=lambda row: row.counts.reference)
    total = sum(counts.reference for counts in every)
    if abs(micro - macro) < _APART or not total or largest.counts.reference < total / 2:
        return []
    return [
        f"micro Dice is {micro:.4f} but macro {macro:.4f}: {largest.title} alone has "
        f"{largest.counts.reference / total:.0%} of the labelled reference and carries the micro average",
    ]


def _absent(rows: Sequence[RowValues], settings: Settings) -> list[str]:
    absent = [row for row in rows if not row.counts.reference and not row.counts.prediction]
    if not absent or len(absent) == len(rows):
        return []
    what = "left out of the means" if settings.undefined == "skip" else f"taken as {settings.undefined}"
    return [f"in neither mask, so undefined and {what}: {_listed(absent)}"]
