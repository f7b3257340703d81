"""Which cases a batch has: of two folders, or of a CSV that names the pairs."""

from __future__ import annotations

import os
import shlex
from dataclasses import replace
from typing import TYPE_CHECKING

from dicecli.errors import UsageError
from dicecli.records.alike import on_disk
from dicecli.records.one_each import OneEach
from dicecli.records.settings import Settings
from dicecli.runs.labels_beside import labels_beside, note_on_labels
from dicecli.runs.laying import CASE
from dicecli.runs.pairing import pair_folders
from dicecli.runs.pairs_csv import pair_csv
from dicecli.runs.placeholders import filled
from dicecli.runs.sides import check_apart, contradiction
from dicecli.runs.tiles import pair_tiles, tiled

if TYPE_CHECKING:
    from dicecli.records.observed import Side
    from dicecli.runs.pairing import Pairing

#: What names the fields of cases, by the names of options.
FIELDS = ("within", "within_pattern")


def find_pairs(
    predictions: str | None,
    references: str | None,
    *,
    prediction_pattern: str | None = None,
    reference_pattern: str | None = None,
    follow_links: bool = False,
    pairs: str | None = None,
    settings: Settings | None = None,
    allow_same: bool = False,
    is_named: bool = False,
    notes: tuple[str, ...] = (),
    within: str | None = None,
    within_pattern: str | None = None,
) -> Pairing:
    """Pair two folders by name, by pattern, or by a CSV; or a folder of tiles with the raster they lie in.

    How masks are read, and whether predictions are probabilities, is said by the `settings`.
    Every case has the field `within`, or the one at the path that `within_pattern` comes to, where ``{case}``
    is the name of the case. Unless `allow_same`, the predictions must not be the references themselves.
    Unless it `is_named` which folder has the predictions, a note says where the names of the folders
    contradict their order. It follows `notes`, which say what was done to come here.

    Raises
    ------
    UsageError
    """
    if pairs is not None:
        if prediction_pattern or reference_pattern:
            raise UsageError("a list of pairs and patterns exclude each other", "Give one of them.")
        found = pair_csv(pairs, predictions=predictions, references=references)
        check_apart(found.cases, allow_same=allow_same)
        return _with_fields(found, within, within_pattern)
    if predictions is None or references is None:
        raise UsageError(
            "two folders are expected: predictions, then references",
            "Give both, or a CSV that names the pairs: --pairs pairs.csv.",
        )
    settings = settings or Settings()
    tiles = tiled(predictions, references, settings)
    if tiles is not None:
        patterns: dict[Side, str | None] = {"prediction": prediction_pattern, "reference": reference_pattern}
        found = pair_tiles(tiles, settings, patterns, follow_links=follow_links)
    else:
        found = pair_folders(
            predictions,
            references,
            prediction_pattern=prediction_pattern,
            reference_pattern=reference_pattern,
            follow_links=follow_links,
            soft=settings.soft is not None,
            declared=(*settings.labels.names.values(), *settings.labels.regions),
        )
        check_apart(found.cases, allow_same=allow_same)
    said = () if is_named else contradiction(predictions, references)
    has_names = any(isinstance(case.reference, OneEach) for case in found.cases)
    legends = () if has_names else labels_beside(settings.labels, references, predictions)
    notes = (*notes, *said, *found.notes, *map(note_on_labels, legends))
    found = replace(found, notes=notes, legends=legends)
    return _with_fields(found, within, within_pattern)


def _with_fields(found: Pairing, within: str | None, pattern: str | None) -> Pairing:
    """Return a pairing whose cases have the field that is given for all of them, or one each.

    Raises
    ------
    UsageError
        Several of these are given, or a pattern that is one file.
    """
    if within is None and pattern is None:
        return found
    if within is not None and pattern is not None:
        raise UsageError(
            "one mask for all cases and a pattern exclude each other",
            "Give one of them: --within, or --within-pattern.",
        )
    if within is not None and CASE in str(within) and not os.path.exists(within):  # noqa: PTH110 - a text
        raise UsageError(
            f"there is no file '{within}', and --within is one mask for all cases",
            f"For one of each case give --within-pattern {shlex.quote(str(within))} instead.",
        )
    if pattern is not None and CASE not in str(pattern):
        raise UsageError(
            f"the pattern '{pattern}' of --within-pattern has no {CASE}",
            f"Put {CASE} where the case's name stands; for one mask of all cases give "
            f"--within {shlex.quote(str(pattern))} instead.",
        )
    named = next((case for case in found.cases if case.within is not None), None)
    if named is not None:
        raise UsageError(
            f"the list of pairs has a mask for '{named.name}' in its column within, and an option has others",
            "Give one of them: leave out --within and --within-pattern, or delete the column.",
        )
    fields = (within if pattern is None else on_disk(filled(str(pattern), case.name)) for case in found.cases)
    cases = (replace(case, within=field) for case, field in zip(found.cases, fields, strict=True))
    return replace(found, cases=tuple(cases))
