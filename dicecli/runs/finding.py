"""Which cases a batch has: of two folders, or of a CSV that names the pairs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dicecli.errors import UsageError
from dicecli.runs.pairing import pair_folders
from dicecli.runs.pairs_csv import pair_csv
from dicecli.runs.sides import check_apart, contradiction

if TYPE_CHECKING:
    from dicecli.runs.pairing import Pairing


def find_pairs(
    predictions: str | None,
    references: str | None,
    *,
    prediction_pattern: str | None = None,
    reference_pattern: str | None = None,
    follow_links: bool = False,
    pairs: str | None = None,
    soft: bool = False,
    allow_same: bool = False,
    is_named: bool = False,
    notes: tuple[str, ...] = (),
) -> Pairing:
    """Pair two folders by name, by pattern, or by a CSV; with `soft`, predictions are probabilities.

    Unless `allow_same`, the predictions must not be the references themselves. Unless it `is_named` which
    folder has the predictions, a note says where the names of the folders contradict their order. It follows
    `notes`, which say what was done to come here.

    Raises
    ------
    UsageError
    """
    if pairs is not None:
        if prediction_pattern or reference_pattern:
            raise UsageError("a list of pairs and patterns exclude each other", "Give one of them.")
        found = pair_csv(pairs, predictions=predictions, references=references)
        check_apart(found.cases, allow_same=allow_same)
        return found
    if predictions is None or references is None:
        raise UsageError(
            "two folders are expected: predictions, then references",
            "Give both, or a CSV that names the pairs: --pairs pairs.csv.",
        )
    found = pair_folders(
        predictions,
        references,
        prediction_pattern=prediction_pattern,
        reference_pattern=reference_pattern,
        follow_links=follow_links,
        soft=soft,
    )
    check_apart(found.cases, allow_same=allow_same)
    said = () if is_named else contradiction(predictions, references)
    return replace(found, notes=(*notes, *said, *found.notes))
