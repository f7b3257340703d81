"""The two masks of a case: opened, laid on each other, and read through one plan of windows."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

from dicecli.errors import CaseError, Changed, UnknownFormat
from dicecli.masks import files
from dicecli.masks.alignment import align
from dicecli.masks.blocks import plan
from dicecli.masks.sources import MaskSource, Reading
from dicecli.masks.views import ArraySource, NothingSource
from dicecli.plugins import by_suffix, load, with_others
from dicecli.records.limits import check_pixels
from dicecli.records.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    import numpy as np

    from dicecli.masks.blocks import Plan, Window
    from dicecli.records.cases import Case


class FilesAsOpened:
    """The files of a case as they were when they were opened: none of them may change until it is scored."""

    def __init__(self, case: Case) -> None:
        self._sides = (("reference", case.reference), ("prediction", case.prediction))
        self._before: list[tuple[str, str, files.State]] = []

    def note(self) -> None:
        """Take note of what they are now, before they are opened."""
        for side, mask in self._sides:
            if isinstance(mask, (str, os.PathLike)):
                path = os.fspath(mask)
                self._before.append((side, path, files.state(path)))

    def check(self) -> None:
        """Make sure that each is still the one that was opened.

        Raises
        ------
        Changed
        """
        for side, path, before in self._before:
            try:
                files.check_unchanged(path, before)
            except Changed as error:
                raise error.on_side(side, path) from None

    def blame(self, error: BaseException | None) -> None:
        """Raise that a file has changed, if it has, in place of what came of that."""
        if isinstance(error, CaseError):
            try:
                self.check()
            except Changed as cause:
                raise cause from error


class Pair:
    """Both masks of a case while they are open; a context manager.

    Attributes
    ----------
    reference, prediction : MaskSource
        Of one grid.
    notes : list of str
        What was done to lay one on the other.
    """

    def __init__(self, case: Case, settings: Settings) -> None:
        self._case, self._settings = case, settings
        self._stack = ExitStack()
        self._files = FilesAsOpened(case)
        self.notes: list[str] = []

    def __enter__(self) -> Self:
        """Open and align.

        Raises
        ------
        CaseError
            With the side and the file that it concerns.
        """
        case, settings = self._case, self._settings
        self._files.note()
        try:
            reference = self._stack.enter_context(opened("reference", case.reference, settings))
            if case.prediction is None:
                prediction: MaskSource = NothingSource(reference.grid, settings.labels.background)
            else:
                prediction = self._stack.enter_context(opened("prediction", case.prediction, settings))
            self.reference, self.prediction, self.notes = _aligned(reference, prediction, case, settings)
        except BaseException as error:
            self._stack.close()
            self._files.blame(error)
            raise
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self._stack.close()
        self._files.blame(error)

    def windows(self) -> Plan:
        """Return the plan that both are read through."""
        return plan(self.reference, self.prediction)

    def blocks(
        self, windows: Iterable[Window], *, ahead: bool = False
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Read windows of the plan, the reference's block and the prediction's each.

        `ahead` reads both masks at the same time, in two threads.

        Raises
        ------
        CaseError
            Damage that shows only now, and values that are no labels.
        """
        return self._both_at_once(windows) if ahead else self._in_turn(windows)

    def finish(self, threads: int = 1) -> None:
        """Check what shows only at the end of both files: checksums, that nothing follows or has changed.

        Raises
        ------
        CaseError
        """
        sides = (("reference", self.reference), ("prediction", self.prediction))
        if threads < 2:
            for side, source in sides:
                on_side(side, source, source.finish)
        else:
            with ThreadPoolExecutor(2) as pool:
                done = [pool.submit(on_side, side, source, source.finish) for side, source in sides]
            for each in done:
                each.result()
        self._files.check()

    def _in_turn(self, windows: Iterable[Window]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for window in windows:
            first = on_side("reference", self.reference, self.reference.read, window)
            yield first, on_side("prediction", self.prediction, self.prediction.read, window)

    def _both_at_once(self, windows: Iterable[Window]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Read each window of the prediction in another thread, while this one reads the reference's."""
        with ThreadPoolExecutor(1) as pool:
            for window in windows:
                second = pool.submit(on_side, "prediction", self.prediction, self.prediction.read, window)
                first = on_side("reference", self.reference, self.reference.read, window)
                yield first, second.result()


def _aligned(
    reference: MaskSource, prediction: MaskSource, case: Case, settings: Settings
) -> tuple[MaskSource, MaskSource, list[str]]:
    try:
        return align(reference, prediction, settings.geometry)
    except CaseError as error:
        error.path = f"{shown(case.prediction)} against {shown(case.reference)}"
        raise


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
    plugin = by_suffix("formats", suffix, "open_mask")
    if plugin is not None:
        reading = reading_of(settings or Settings())
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
    raise UnknownFormat(
        f"the suffix '{suffix}' belongs to no format that is read here; the content looks like "
        f"{files.looks_like(files.head(text))}",
        f"{with_others('formats', 'open_mask', 'Give .png, .nii, .nii.gz, .hdr with .img, .tif or .tiff')}.",
        text,
    )


def reading_of(settings: Settings) -> Reading:
    """Return what a format must know of the settings."""
    return Reading(
        band=settings.band,
        threshold=settings.threshold,
        nodata=settings.nodata,
        argmax=settings.argmax,
        channel_axis=settings.channel_axis,
        probability_axis=None if settings.soft is None else settings.soft.channel_axis,
        background=settings.labels.background,
        ignore=settings.labels.ignore,
        colours=settings.labels.colours,
        max_pixels=settings.max_pixels,
        max_memory=settings.max_memory,
    )


def opened(side: str, mask: Any, settings: Settings) -> MaskSource:
    """Open whatever a mask is given as."""
    try:
        if isinstance(mask, (str, os.PathLike)):
            return open_mask(os.fspath(mask), settings)
        if hasattr(mask, "dataobj") and hasattr(mask, "header"):
            image_source: MaskSource = load("formats", "nifti").from_image(mask, reading_of(settings))
            return image_source
        return ArraySource(mask, shown(mask), reading=reading_of(settings))
    except CaseError as error:
        raise error.on_side(side, shown(mask)) from error.__cause__


def on_side(side: str, source: MaskSource, action: Any, *arguments: Any) -> Any:
    """Run something that concerns one mask, so that its errors name the side and the file."""
    try:
        return action(*arguments)
    except CaseError as error:
        raise error.on_side(side, source.path) from error.__cause__


def named(case: Case) -> Case:
    """Return a case with the names of its masks in their place: what results keep, and reports show."""
    return replace(case, prediction=shown(case.prediction), reference=shown(case.reference))


def shown(mask: Any) -> str:
    """Return how a mask is named in a report: its path, or what kind of object it is."""
    if mask is None:
        return "(none)"
    if isinstance(mask, (str, os.PathLike)):
        return os.fspath(mask)
    is_nested = getattr(mask, "is_nested", False)  # a tensor of tensors: it has no shape, and says so loudly
    shape = " x ".join(str(n) for n in (() if is_nested else getattr(mask, "shape", ())))
    return f"<{type(mask).__name__} {shape}>" if shape else f"<{type(mask).__name__}>"
