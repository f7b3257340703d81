"""Counting one case: both masks into what is reported of them."""

from __future__ import annotations

import filecmp
import os
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from dicecli.errors import UsageError
from dicecli.masks.encoding import check_declared, meaning
from dicecli.masks.pair import Pair, named, on_side
from dicecli.plugins import load
from dicecli.records.cases import SAME_BYTES, SAME_FILE, Case, Scored
from dicecli.records.labels import NO_LABEL
from dicecli.records.measurements import IMAGE, Measured
from dicecli.statistics._census import device_note, whole_tensors
from dicecli.statistics._spreading import spread
from dicecli.statistics.matrix import Matrix

if TYPE_CHECKING:
    from dicecli.masks.sources import MaskSource
    from dicecli.records.settings import Settings
    from dicecli.statistics._confusion import ConfusionMatrix
    from dicecli.statistics._spreading import Fold


def count_case(
    case: Case,
    settings: Settings,
    threads: int = 1,
    executor: str = "serial",
    scheduler: str | None = None,
) -> Scored:
    """Read both masks of a case through one plan of windows, and count.

    Parameters
    ----------
    case : Case
    settings : Settings
    threads : int
        How many may read and count at the same time; the result is the same.
    executor : str
        ``dask`` counts a raster that can be shared out with workers, `threads` of them.
    scheduler : str, optional
        The address of a Dask cluster that exists.

    Raises
    ------
    UsageError
        An executor that has no use for one case, or a cluster that cannot be had.
    CaseError
        With the side and the file that it concerns.
    """
    with Pair(case, settings) as pair:
        matrix = whole_tensors(pair)
        if matrix is None:
            matrix = spread(case, settings, pair, threads, _fold(executor, threads, scheduler))
        pair.finish(threads)
        scored = _scored(case, matrix, pair.reference, pair.prediction, settings)
        on_device = [note for note in (device_note(settings.device),) if note]
    notes = [*pair.notes, *on_device, *scored.notes, *_twins(case, matrix)]
    return replace(scored, case=named(case), notes=tuple(dict.fromkeys(notes)))


def _fold(executor: str, threads: int, scheduler: str | None) -> Fold | None:
    if executor == "serial":
        return None
    plugin = load("executors", executor)
    if not hasattr(plugin, "fold"):
        raise UsageError(f"the executor {executor} does not share out one case", "Give serial or dask.")
    return partial(plugin.fold, jobs=threads, scheduler=scheduler)


def _scored(
    case: Case, matrix: ConfusionMatrix, reference: MaskSource, prediction: MaskSource, settings: Settings
) -> Scored:
    """Take the raw matrix to what is reported: renamed labels, exclusions, counts per label and region."""
    scheme = settings.labels
    notes: list[str] = []
    renamed = {}
    for side, source in (("reference", reference), ("prediction", prediction)):
        # What values mean is a matter of the whole mask, also of what the other one leaves out.
        sizes = {
            label: n
            for label, n in matrix.sizes(side).items()
            if label not in {NO_LABEL, source.nodata_label}
        }
        renamed[side], said = on_side(side, source, meaning, sizes, settings)
        notes += [f"{side}: {note}" for note in (*source.notes, *said)]
        meant = {renamed[side].get(label, label): n for label, n in sizes.items()}
        on_side(side, source, check_declared, meant, scheme)
    notes += _on_255(matrix, renamed)
    matrix, excluded_nodata = _without_nodata(matrix, reference, prediction, settings)
    matrix = matrix.relabelled(**renamed)
    if excluded_nodata and set(matrix.labels) <= {0, NO_LABEL}:
        notes.append("all that is not 0 is nodata: if that is what the masks show, --nodata label")
    before = matrix.total
    for label in scheme.ignore:
        matrix = matrix.without(label)
    if matrix.unlabelled:
        notes.append(
            f"prediction: {matrix.unlabelled:,} pixels with nodata or an ignored label where the reference "
            "is valid count as misses"
        )
    if not matrix.total:
        notes.append("no pixel is left to compare")
    return Scored(
        case=case,
        shape=reference.shape,
        spacing=reference.grid.spacing,
        unit=reference.grid.unit,
        sizes=reference.grid.sizes(),
        counted=matrix.total,
        excluded={"ignore_label": before - matrix.total, "nodata": excluded_nodata},
        measured=Measured((("matrix", IMAGE),), (Matrix.of(matrix),)),
        notes=tuple(notes),
    )


def _on_255(matrix: ConfusionMatrix, renamed: dict[str, dict[int, int]]) -> list[str]:
    """Say when 255 means label 1 in one mask, and stands beside other labels in the other one."""
    for side, other in (("reference", "prediction"), ("prediction", "reference")):
        if renamed[side].get(255) == 1 and 255 in matrix.sizes(other) and renamed[other].get(255) != 1:
            return [
                f"255 is read as label 1 in the {side}, but stands beside other labels in the {other}: if it "
                "marks void, --ignore-label 255; if it is a label, declare it: --labels FILE",
            ]
    return []


def _without_nodata(
    matrix: ConfusionMatrix, reference: MaskSource, prediction: MaskSource, settings: Settings
) -> tuple[ConfusionMatrix, int]:
    """Leave out the reference's nodata; the prediction's belongs to no label. Or take both as background."""
    becomes = NO_LABEL
    if settings.nodata == "background":
        becomes = settings.labels.background or 0
    rename = {
        side: {} if source.nodata_label is None else {source.nodata_label: becomes}
        for side, source in (("reference", reference), ("prediction", prediction))
    }
    matrix = matrix.relabelled(**rename)
    before = matrix.total
    matrix = matrix.without(NO_LABEL)
    return matrix, before - matrix.total


def _twins(case: Case, matrix: ConfusionMatrix) -> list[str]:
    """Say when both masks are one file, or the same bytes: more often a mistake than a perfect result."""
    paths = [case.prediction, case.reference]
    if not all(isinstance(each, (str, os.PathLike)) for each in paths) or not matrix.total:
        return []
    # Masks that differ are no twins; and where nothing is in them, equal bytes are to be expected.
    if int(matrix.table.trace()) != matrix.total or len(matrix.trimmed().labels) < 2:
        return []
    try:
        if Path(case.prediction).samefile(case.reference):
            return [SAME_FILE]
        is_twin = filecmp.cmp(case.prediction, case.reference, shallow=False)
    except OSError:
        return []
    return [SAME_BYTES] if is_twin else []
