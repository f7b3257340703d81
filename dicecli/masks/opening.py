"""Opening whatever a mask or a map of probabilities is given as: a source for each layer or channel."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from dicecli.errors import CaseError, ManyVolumes, UnknownFormat
from dicecli.masks import files
from dicecli.masks.arrays import ArraySource
from dicecli.masks.reading import Reading
from dicecli.masks.views import BinaryLayer
from dicecli.plugins import by_suffix, load, with_others
from dicecli.records.compound import Compound, Uncovered
from dicecli.records.limits import check_pixels
from dicecli.records.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from dicecli.masks.sources import MaskSource
    from dicecli.records.cases import Case

P = ParamSpec("P")
Found = TypeVar("Found")

#: What errors and notes name the field of a case by, as they name the two sides.
FIELD = "within"
#: Of more volumes or bands than this nobody means binary layers.
MOST_LAYERS = 256


def opened_layers(side: str, mask: object, settings: Settings) -> list[MaskSource]:
    """Open whatever a mask is given as: a label map, or binary layers: volumes, bands, or a file for each.

    Raises
    ------
    CaseError
        With the side and the file. Several volumes that are not binary are refused as they are read.
    """
    if isinstance(mask, Uncovered):
        return _outside_tiles(side, mask, settings)
    if side == "prediction" and settings.threshold is not None:
        # What is left out is so by the reference alone; a prediction's values reach the threshold, or do not.
        settings = replace(settings, labels=replace(settings.labels, ignore=()))
    if isinstance(mask, Compound):
        from dicecli.masks.classes import opened_classes
        from dicecli.records.one_each import OneEach

        if isinstance(mask, OneEach):
            return opened_classes(side, mask, settings, lambda path, n: open_mask(path, settings, sharing=n))
    try:
        return [_opened(mask, settings)]
    except ManyVolumes as error:
        # Without its frames: a layer keeps it, and they would keep the mask.
        said = error.on_side(side, shown(mask)).with_traceback(None)
        is_asked_otherwise = settings.threshold is not None or settings.argmax or settings.band is not None
        if settings.soft or is_asked_otherwise or not 2 <= error.number <= MOST_LAYERS:
            raise said from error.__cause__
        try:
            channels = _channels(mask, (), settings, is_binary=True)
        except CaseError:
            raise said from error.__cause__
        return [BinaryLayer(each, said) for each in channels]
    except CaseError as error:
        raise error.on_side(side, shown(mask)) from error.__cause__


def _outside_tiles(side: str, mask: Uncovered, settings: Settings) -> list[MaskSource]:
    from dicecli.masks.uncovered import outside_tiles

    layers = opened_layers(side, mask.path, settings)
    try:
        return outside_tiles(layers, mask)
    except CaseError as error:
        raise error.on_side(side, mask.path) from None


def opened_channels(given: object, shape: tuple[int, ...], settings: Settings) -> list[MaskSource]:
    """Open whatever probabilities are given as: one source for each channel.

    Raises
    ------
    CaseError
        With the side and the file.
    """
    try:
        return _channels(given, shape, settings)
    except CaseError as error:
        raise error.on_side("prediction", shown(given)) from error.__cause__


def _opened(mask: object, settings: Settings) -> MaskSource:
    if isinstance(mask, (str, os.PathLike)):
        return open_mask(os.fspath(mask), settings)
    if hasattr(mask, "dataobj") and hasattr(mask, "header"):
        image_source: MaskSource = load("formats", "nifti").from_image(mask, reading_of(settings))
        return image_source
    source = ArraySource(mask, shown(mask), reading=reading_of(settings))
    if settings.argmax and len(source.shape) == 4:
        from dicecli.masks.channel_arrays import largest_of_array

        return largest_of_array(source)
    return source


def _channels(
    given: object, shape: tuple[int, ...], settings: Settings, *, is_binary: bool = False
) -> list[MaskSource]:
    if isinstance(given, (str, os.PathLike)):
        return open_probabilities(os.fspath(given), settings, shape, is_binary=is_binary)
    reading = replace(reading_of(settings), is_binary=is_binary)
    if hasattr(given, "dataobj") and hasattr(given, "header"):
        nifti = load("formats", "nifti")
        channels: list[MaskSource] = nifti.probabilities_from_image(given, reading, shape)
        return channels
    from dicecli.masks.channel_arrays import array_channels

    return array_channels(given, shown(given), shape, reading)


def open_mask(path: str | Path, settings: Settings | None = None, *, sharing: int = 1) -> MaskSource:
    """Open a mask file by the format that its suffix names; one of so many that share the memory.

    Raises
    ------
    UnknownFormat
        No format has that suffix.
    FileError
        Whatever the format finds wrong.
    """
    text = os.fspath(path)
    suffix = files.suffix(text)
    plugin = by_suffix("formats", suffix, "open_mask")
    if plugin is not None:
        reading = replace(reading_of(settings or Settings()), sharing=sharing)
        source: MaskSource = plugin.open_mask(text, reading)
        try:
            check_pixels(source.shape, reading.max_pixels, text)
        except CaseError:
            source.close()
            raise
        return source
    files.check_regular(text)
    if by_suffix("formats", suffix) is not None:
        raise UnknownFormat(
            f"{suffix} holds probabilities here, not a mask",
            "Score probabilities with 'dicecli soft'; save masks as .png, .nii.gz or .tif.",
            text,
        )
    from dicecli.masks.unread import refusal

    raise refusal(text)


def open_probabilities(
    path: str, settings: Settings, shape: tuple[int, ...], *, is_binary: bool = False
) -> list[MaskSource]:
    """Open a file of probabilities, or of binary layers, by its suffix: one source per channel.

    Raises
    ------
    UnknownFormat
        No format that can hold probabilities has that suffix.
    FileError
        Whatever the format finds wrong.
    """
    suffix = files.suffix(path)
    plugin = by_suffix("formats", suffix, "open_probabilities")
    if plugin is not None:
        reading = replace(reading_of(settings), is_binary=is_binary)
        channels: list[MaskSource] = plugin.open_probabilities(path, reading, shape)
        return channels
    files.check_regular(path)
    hint = with_others("formats", "open_probabilities", "Give .nii, .nii.gz, .tif or .npy")
    raise UnknownFormat(
        f"the suffix '{suffix}' belongs to no format that probabilities are read from; the content looks "
        f"like {files.looks_like(files.head(path))}",
        f"{hint}; masks of labels are scored by 'dicecli score'.",
        path,
    )


def reading_of(settings: Settings) -> Reading:
    """Return what a format must know of the settings."""
    return Reading(
        band=settings.band,
        page=settings.page,
        threshold=settings.threshold,
        nodata="ignore" if settings.nodata == "both" else settings.nodata,
        argmax=settings.argmax,
        channel_axis=settings.channel_axis,
        probability_axis=None if settings.soft is None else settings.soft.channel_axis,
        background=settings.labels.background,
        is_background_a_label=settings.labels.has_background,
        ignore=settings.labels.ignore,
        geometry=settings.geometry,
        colours=settings.labels.colours,
        alike=settings.labels.alike,
        max_pixels=settings.max_pixels,
        max_memory=settings.max_memory,
    )


def on_side(
    side: str, source: MaskSource, action: Callable[P, Found], *arguments: P.args, **options: P.kwargs
) -> Found:
    """Run something that concerns one mask, so that its errors name the side and the file."""
    try:
        return action(*arguments, **options)
    except CaseError as error:
        raise error.on_side(side, source.path) from error.__cause__


def named(case: Case) -> Case:
    """Return a case with the names of its masks in their place: what results keep, and reports show."""
    within = None if case.within is None else shown(case.within)
    return replace(case, prediction=shown(case.prediction), reference=shown(case.reference), within=within)


def shown(mask: object) -> str:
    """Return how a mask is named in a report: its path, or what kind of object it is."""
    if mask is None:
        return "(none)"
    if isinstance(mask, (str, os.PathLike)):
        return os.fspath(mask)
    if isinstance(mask, Compound):
        return str(mask)
    is_nested = getattr(mask, "is_nested", False)  # a tensor of tensors: it has no shape, and says so loudly
    shape = " x ".join(str(n) for n in (() if is_nested else getattr(mask, "shape", ())))
    return f"<{type(mask).__name__} {shape}>" if shape else f"<{type(mask).__name__}>"
