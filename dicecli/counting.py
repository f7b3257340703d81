"""Counting one case: both masks, read through one plan of windows, into what is reported of them."""

from __future__ import annotations

import filecmp
import os
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from dicecli import files
from dicecli.alignment import align
from dicecli.blocks import plan
from dicecli.confusion import NO_LABEL, ConfusionMatrix
from dicecli.encoding import check_declared, meaning
from dicecli.errors import CaseError, UnknownFormat
from dicecli.plugins import load, names
from dicecli.results import SAME_BYTES, SAME_FILE, Case, Scored
from dicecli.settings import Settings
from dicecli.sources import MaskSource, Reading
from dicecli.views import ArraySource, NothingSource


def count_case(case: Case, settings: Settings) -> Scored:
    """Read both masks of a case through one plan of windows, and count.

    Raises
    ------
    CaseError
        With the side and the file that it concerns.
    """
    with ExitStack() as stack:
        reference = stack.enter_context(_open("reference", case.reference, settings))
        if case.prediction is None:
            prediction: MaskSource = NothingSource(reference.grid, settings.labels.background)
        else:
            prediction = stack.enter_context(_open("prediction", case.prediction, settings))
        try:
            first, second, notes = align(reference, prediction, settings.geometry)
        except CaseError as error:
            error.path = f"{shown(case.prediction)} against {shown(case.reference)}"
            raise
        matrix, said = _count(first, second, settings)
        for side, source in (("reference", first), ("prediction", second)):
            _on_side(side, source, source.finish)
        scored = _scored(case, matrix, first, second, settings)
    notes = [*notes, *said, *scored.notes, *_twins(case, matrix)]
    return replace(scored, case=named(case), notes=tuple(dict.fromkeys(notes)))


def open_mask(path: str | Path, settings: Settings | None = None) -> MaskSource:
    """Open a mask file by the format that its suffix names.

    Raises
    ------
    UnknownFormat
        No format has that suffix.
    FileError
        Whatever the format finds wrong.
    """
    text = os.fspath(path)
    suffix = files.suffix(text)
    for format_name in names("formats"):
        module = _FORMATS.get(suffix) or format_name
        plugin = load("formats", module)
        if suffix in plugin.SUFFIXES:
            source: MaskSource = plugin.open_mask(text, _reading(settings or Settings()))
            return source
    files.check_regular(text)
    raise UnknownFormat(
        f"the suffix '{suffix}' belongs to no format that is read here; the content looks like "
        f"{files.looks_like(files.head(text))}",
        "Give .png, .nii, .nii.gz, .hdr with .img, .tif or .tiff.",
        text,
    )


# The usual suffixes, so that opening a PNG does not import what reads NIfTI.
_FORMATS = {".png": "png", ".nii": "nifti", ".nii.gz": "nifti", ".tif": "geotiff", ".tiff": "geotiff"}


def _reading(settings: Settings) -> Reading:
    return Reading(
        band=settings.band,
        threshold=settings.threshold,
        nodata=settings.nodata,
        argmax=settings.argmax,
        channel_axis=settings.channel_axis,
        background=settings.labels.background,
        ignore=settings.labels.ignore,
        colours=settings.labels.colours,
    )


def _open(side: str, mask: Any, settings: Settings) -> MaskSource:
    """Open whatever a mask is given as."""
    try:
        if isinstance(mask, (str, os.PathLike)):
            return open_mask(os.fspath(mask), settings)
        if hasattr(mask, "dataobj") and hasattr(mask, "header"):
            image_source: MaskSource = load("formats", "nifti").from_image(mask, _reading(settings))
            return image_source
        return ArraySource(mask, shown(mask), reading=_reading(settings))
    except CaseError as error:
        raise error.on_side(side, shown(mask)) from error.__cause__


def _on_side(side: str, source: MaskSource, action: Any, *arguments: Any) -> Any:
    """Run something that concerns one mask, so that its errors name the side and the file."""
    try:
        return action(*arguments)
    except CaseError as error:
        raise error.on_side(side, source.path) from error.__cause__


def _count(
    reference: MaskSource, prediction: MaskSource, settings: Settings
) -> tuple[ConfusionMatrix, list[str]]:
    """Count window by window; tensors that lie on a device are counted there, whole."""
    notes: list[str] = []
    tensors = [each.whole_tensor() for each in (reference, prediction) if isinstance(each, ArraySource)]
    if len(tensors) == 2 and any(tensor is not None for tensor in tensors):
        arrays = [each.array for each in (reference, prediction) if isinstance(each, ArraySource)]
        return ConfusionMatrix.from_arrays(reference=arrays[0], prediction=arrays[1]), notes
    backend = load("backends", "numpy" if settings.device == "cpu" else "torch")
    where = None
    if settings.device != "cpu":
        where, note = backend.device(settings.device)
        notes += [note] if note else []
    matrix = ConfusionMatrix.empty()
    for window in plan(reference, prediction):
        first = _on_side("reference", reference, reference.read, window)
        second = _on_side("prediction", prediction, prediction.read, window)
        matrix += (
            backend.count_block(first, second) if where is None else backend.count_block(first, second, where)
        )
    return matrix, notes


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
        renamed[side], said = _on_side(side, source, meaning, sizes, settings)
        notes += [f"{side}: {note}" for note in (*source.notes, *said)]
        meant = {renamed[side].get(label, label): n for label, n in sizes.items()}
        _on_side(side, source, check_declared, meant, scheme)
    matrix, excluded_nodata = _without_nodata(matrix, reference, prediction, settings)
    matrix = matrix.relabelled(**renamed)
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
        labels=matrix.every_count(),
        regions={name: matrix.counts(members) for name, members in scheme.regions.items()},
        notes=tuple(notes),
    )


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
    if int(matrix.table.trace()) != matrix.total:
        return []
    try:
        if Path(case.prediction).samefile(case.reference):
            return [SAME_FILE]
        is_twin = filecmp.cmp(case.prediction, case.reference, shallow=False)
    except OSError:
        return []
    return [SAME_BYTES] if is_twin else []


def named(case: Case) -> Case:
    """Return a case with the names of its masks in their place: what results keep, and reports show."""
    return replace(case, prediction=shown(case.prediction), reference=shown(case.reference))


def shown(mask: Any) -> str:
    """Return how a mask is named in a report: its path, or what kind of object it is."""
    if mask is None:
        return "(none)"
    if isinstance(mask, (str, os.PathLike)):
        return os.fspath(mask)
    shape = " x ".join(str(n) for n in getattr(mask, "shape", ()))
    return f"<{type(mask).__name__} {shape}>" if shape else f"<{type(mask).__name__}>"
