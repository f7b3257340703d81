"""What the parts of a record that was read must not say together; each by itself is of its type."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from dicecli.records.given import check_numbers
from dicecli.records.label_maps import check_fit
from dicecli.records.lengths import LENGTHS
from dicecli.records.measurements import IMAGE
from dicecli.records.surfaces import parse_empty_distance, parse_tolerances, parse_width

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dicecli.records.cases import Scored
    from dicecli.records.measurements import Measured, Row
    from dicecli.records.settings import Settings

#: No size of a pixel and no weight is more; sums and squares of what is made of such numbers are floats.
_HUGE = 1e60
#: A probability map of more pixels there is not; 64 bits hold those of a thousand such cases.
_PIXELS = 1 << 53


def check_size(numbers: Iterable[float], where: str) -> None:
    """Raise ValueError for numbers that no mask and no option has."""
    if any(abs(each) > _HUGE for each in numbers):
        raise ValueError(f"{where} has a number beyond {_HUGE:g}")


def check_settings(settings: Settings) -> None:
    """Raise ValueError for settings that no option comes to: each is of its type, and yet no such value."""
    check_numbers(settings)
    for name, found, written in (
        ("tolerance", settings.tolerance, parse_tolerances(settings.tolerance)),
        ("boundary_width", settings.boundary_width, parse_width(settings.boundary_width)),
        ("empty_distance", settings.empty_distance, parse_empty_distance(settings.empty_distance)),
    ):
        if written != found:
            raise ValueError(f"settings.{name} is {found!r}, where {written!r} would be written")
    labels = {*settings.labels.known, settings.labels.background or 0}
    check_fit(labels | {*(settings.only.labels if settings.only else ())}, "settings")
    if settings.length_unit not in {None, *LENGTHS}:
        raise ValueError(
            f"settings.length_unit is {settings.length_unit!r}, where one of {LENGTHS} is expected"
        )
    if settings.soft is not None:
        check_numbers(settings.soft)
        check_size(
            [each for each in vars(settings.soft).values() if isinstance(each, float)], "settings.soft"
        )


def check_pixels(case: Scored, where: str) -> None:
    """Raise ValueError where more was compared or left out than there is: a part may lie in tiles alone."""
    there, said = math.prod(case.shape), case.counted + sum(case.excluded.values())
    if there < said:
        raise ValueError(f"{where}: its shape has {there} pixels, and {said} were counted or left out")


def check_spacing(case: Scored, where: str) -> None:
    """Raise ValueError for a spacing of other axes than the shape's, or of steps that are none."""
    spacing = case.spacing
    if spacing is None:
        return
    if len(spacing) != len(case.shape) or not all(each > 0 for each in spacing):
        raise ValueError(f"{where}.spacing is {list(spacing)}: no steps along {len(case.shape)} axes")
    check_size(spacing, f"{where}.spacing")


def check_shape(found: Measured, shape: tuple[int, ...], where: str) -> None:
    """Raise ValueError for measurements that say of themselves that no mask of that shape has them."""
    for name, rows in found.items():
        for row, each in rows.items():
            if hasattr(each, "check_shape"):
                try:
                    each.check_shape(shape)
                except ValueError as error:
                    raise ValueError(f"{where}: {name} of {row.title}: {error}") from None


def check_matrices(found: Measured, counted: int, where: str) -> None:
    """Raise ValueError where a matrix has another number of pixels than its case."""
    for row, each in found.get("matrix", {}).items():
        if each.total != counted:
            raise ValueError(f"{where}: the matrix of {row.title} has {each.total} pixels, not {counted}")


def check_slices(found: Measured, where: str) -> None:
    """Raise ValueError where slices are missing, or do not add up to the matrix of their case."""
    matrices, slices = found.get("matrix", {}), found.get("slices", {})
    if matrices.keys() != slices.keys():
        raise ValueError(f"{where} has no slices, or slices of other rows than its matrix")
    for row, each in slices.items():
        cells: dict[tuple[int, int | None], int] = {}
        for _, first, second, n in each.cells():
            cells[first, second] = cells.get((first, second), 0) + n
        whole = {(first, second): n for first, second, n in matrices[row].cells()}
        # What is to be ignored is no label in slices, and a label of the prediction in the matrix.
        labels = {pair: n for pair, n in cells.items() if pair[1] is not None}
        if sum(cells.values()) != sum(whole.values()) or not labels.items() <= whole.items():
            raise ValueError(f"{where}: the slices of {row.title} do not add up to its matrix")


def check_observed(case: Scored, where: str) -> None:
    """Raise ValueError where what was seen besides is of more pixels, or other axes, than the case has."""
    seen = case.observed
    if seen is None:
        return
    for name, cells in (("nodata", seen.nodata), ("ignored", seen.ignored)):
        if cells is not None and cells.total > case.counted:
            raise ValueError(f"{where}.observed.{name} has {cells.total} pixels, of {case.counted}")
    if seen.moved is not None:
        total = seen.moved.cells.total
        if total != case.counted or len(seen.moved.axes) != len(case.shape):
            raise ValueError(f"{where}.observed.moved is of another mask: it has {total} pixels")


def check_sums(rows: Mapping[Row, Any], counted: int, where: str) -> None:
    """Raise ValueError where soft sums are of other pixels than their case, or of unlike channels."""
    channels = [row for row in rows if row.kind != "image"]
    if not channels:
        raise ValueError(f"{where} has sums of no channel")
    if counted > _PIXELS:
        raise ValueError(f"{where}.counted is {counted}, more than any probability map has")
    for row, each in rows.items():
        histograms = (each.table.ravel(), each.most) if row == IMAGE else ((*each.inside, *each.outside),)
        for pixels in (sum(map(int, numbers)) for numbers in histograms):
            if pixels != counted:
                raise ValueError(f"{where}: the sums of {row.title} are of {pixels} pixels, not {counted}")
    joint, labels = rows.get(IMAGE), sum(row.kind == "label" for row in channels)
    if joint is not None and len(joint.table) != labels:
        raise ValueError(f"{where}: the sums of the image are of {len(joint.table)} channels, not {labels}")
