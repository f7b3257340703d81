"""The counts of labels and regions, which are read from the matrix, and what reports ask of them."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

from dicecli.records.counts import Counts
from dicecli.records.measurements import IMAGE
from dicecli.records.wholes import Summands
from dicecli.statistics.matrix.cells import Matrix

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dicecli.records.cases import Scored
    from dicecli.records.measurements import Measured, Row


def label_counts(measured: Measured) -> dict[int, Counts]:
    """Return the counts of every label that either side of a case holds."""
    rows = measured.get("matrix", {})
    found = rows[IMAGE].every_count() if IMAGE in rows else {}
    return found | {
        row.label: each.counts((1,))
        for row, each in rows.items()
        if row.kind == "label" and row.label is not None
    }


def region_counts(measured: Measured, regions: Mapping[str, tuple[int, ...]]) -> dict[str, Counts]:
    """Return the counts of regions, given as the labels of each; some have a matrix of their own."""
    rows = measured.get("matrix", {})
    own = {row.name: each.counts((1,)) for row, each in rows.items() if row.kind == "region"}
    whole = rows.get(IMAGE, Matrix.zero())
    return {name: own[name] if name in own else whole.counts(members) for name, members in regions.items()}


def is_layered(measured: Measured) -> bool:
    """Whether a case is of binary layers, so that it has regions of its own, and no label."""
    rows = measured.rows("matrix")
    return bool(rows) and all(row.kind == "region" for row in rows)


def taken(case: Scored, rows: Sequence[Row]) -> list[Counts | None]:
    """Return the counts of some rows of a case; of a label that neither side holds, true negatives."""
    labels = label_counts(case.measured)
    nothing = Counts(tn=case.counted)
    members = {row.name or "": row.members for row in rows if row.kind == "region"}
    regions = region_counts(case.measured, members) if members else {}
    return [
        regions[row.name or ""] if row.kind == "region" else labels.get(row.label or 0, nothing)
        for row in rows
    ]


def every(cases: Sequence[Scored], evaluated: Sequence[Row]) -> list[Counts]:
    """Return the counts of every label that any case holds, evaluated or not, added up over the cases."""
    del evaluated
    return list(totals(cases).values())


def totals(cases: Sequence[Scored]) -> dict[int, Counts]:
    """Return the counts of every label that any case holds, added up over the cases.

    Nothing where a case lacks a label, or is of layers: of the others alone it would be another number.
    """
    found: dict[int, Counts] = {}
    counted, of = 0, dict[int, int]()
    for each in cases:
        if is_layered(each.measured) or not _is_whole(each):
            return {}
        counted += each.counted
        for label, counts in label_counts(each.measured).items():
            found[label] = found.get(label, Counts()) + counts
            of[label] = of.get(label, 0) + each.counted
    # In a case where neither mask holds a label, all pixels are its true negatives.
    return {label: found[label] + Counts(tn=counted - of[label]) for label in sorted(found)}


def _is_whole(case: Scored) -> bool:
    """Tell whether the labels of a case are of all of its pixels: some tools leave the background out."""
    own = case.measured.get("matrix", {})
    return (
        IMAGE in own or sum(each.reference for each in label_counts(case.measured).values()) == case.counted
    )


def facts(counts: Counts) -> Counts:
    """Return what reports say of a row: the counts themselves."""
    return counts


def sizes(counts: Counts) -> dict[str, float]:
    """Return what tables for people say of a row, by the column's title."""
    return {"reference px": counts.reference}


def is_there(counts: Counts) -> bool:
    """Tell whether either side has the row."""
    return bool(counts.tp + counts.fp + counts.fn)


def weight(counts: Counts) -> int:
    """Return the size of the row in the reference, by which averages weight it."""
    return counts.reference


def wrong(counts: Counts) -> int:
    """Return how many pixels of the row are wrong: false positives and false negatives."""
    return counts.fp + counts.fn


#: What JSON and rows say of a row, beside its metrics.
FACTS = Counts
COLUMNS = tuple(each.name for each in fields(Counts))
#: A count needs no more than its four numbers.
SUMMANDS = Summands({"counts": tuple}, 4, lambda taken: Counts(*taken("counts")), is_there)
