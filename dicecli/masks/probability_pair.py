"""A probability map and its reference: opened, laid on each other, and read through one plan of windows."""

from __future__ import annotations

import os
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from dicecli.errors import CaseError, UnknownFormat
from dicecli.masks import files
from dicecli.masks.alignment import align
from dicecli.masks.blocks import WINDOW_PIXELS, plan
from dicecli.masks.channel_arrays import array_channels
from dicecli.masks.pair import FilesAsOpened, on_side, opened, reading_of, shown
from dicecli.plugins import by_suffix, load, with_others

if TYPE_CHECKING:
    from collections.abc import Callable

    from dicecli.masks.blocks import Plan, Window
    from dicecli.masks.sources import MaskSource
    from dicecli.records.cases import Case
    from dicecli.records.settings import Settings

#: Windows do not shrink below this, however many channels there are.
_LEAST_PIXELS = 1 << 16
#: What they may grow to for the sake of the files' blocks: there are several channels to hold.
_GROWTH = 4


class SoftPair:
    """Both sides of a case while they are open; a context manager.

    Attributes
    ----------
    reference : MaskSource
    channels : list of MaskSource
        Each of the reference's grid.
    notes : list of str
        What was done to lay one on the other.
    """

    def __init__(self, case: Case, settings: Settings) -> None:
        self._case, self._settings = case, settings
        self._stack = ExitStack()
        self._files = FilesAsOpened(case)
        self.channels: list[MaskSource] = []
        self.notes: list[str] = []

    def __enter__(self) -> Self:
        """Open and align.

        Raises
        ------
        CaseError
            With the side and the file that it concerns.
        """
        case = self._case
        self._files.note()
        try:
            # Its values are labels: thresholds and the like are about predictions.
            reference = self._stack.enter_context(opened("reference", case.reference, self._settings))
            channels = _opened_channels(case.prediction, reference.shape, self._settings)
            for each in channels:
                self._stack.enter_context(each)
            self._align(reference, channels)
        except BaseException as error:
            self._stack.close()
            self._files.blame(error)
            raise
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self._stack.close()
        self._files.blame(error)

    def windows(self) -> Plan:
        """Return the plan that both are read through; memory does not grow with the number of channels."""
        pixels = max(_LEAST_PIXELS, WINDOW_PIXELS // (2 * len(self.channels)))
        return plan(self.channels[0], self.reference, pixels=pixels, growth=_GROWTH)

    def read(
        self, window: Window, mapped: Callable[..., Any] = map
    ) -> tuple[np.ndarray, list[np.ndarray], np.ndarray | None]:
        """Read a window of everything, flat and in one order.

        Returns
        -------
        numpy.ndarray
            Integer labels, ``(n,)``.
        list of numpy.ndarray
            The stored values of each channel, ``(n,)``.
        numpy.ndarray or None
            bool, ``(n,)``: where the map has nodata; None where it has none.

        Raises
        ------
        CaseError
        """
        readers = [(each, each.values) for each in self.channels]
        tasks = [("prediction", *each) for each in readers]
        tasks.append(("reference", self.reference, self.reference.read))
        *values, labels = mapped(lambda task: on_side(*task, window), tasks)
        order = self.channels[0].order
        flat = [np.asarray(block).ravel(order) for block in values]  # type: ignore[arg-type]
        return np.asarray(labels).ravel(order), flat, _missing(flat, self.channels)  # type: ignore[arg-type]

    def finish(self) -> None:
        """Check what shows only at the end of both files: checksums, that nothing follows or has changed.

        Raises
        ------
        CaseError
        """
        for each in self.channels:
            on_side("prediction", each, each.finish)
        on_side("reference", self.reference, self.reference.finish)
        self._files.check()

    def _align(self, reference: MaskSource, channels: list[MaskSource]) -> None:
        try:
            for each in channels:
                self.reference, channel, notes = align(reference, each, self._settings.geometry)
                self.channels.append(channel)
                self.notes = notes
        except CaseError as error:
            error.path = f"{shown(self._case.prediction)} against {shown(self._case.reference)}"
            raise


def _missing(blocks: list[np.ndarray], sources: list[MaskSource]) -> np.ndarray | None:
    """Return where a map has nodata: in any of its channels, or in all where the value is a probability too.

    A map whose nodata is 0 has pixels where one class has the probability 0, and others where nothing is
    known: there every channel is 0.
    """
    found = [_nodata(block, each) for block, each in zip(blocks, sources, strict=True)]
    if all(each.nodata is not None and 0 <= each.nodata <= 1 for each in sources):
        return np.logical_and.reduce(found) if len(found) > 1 else None
    return np.logical_or.reduce(found) if any(each.any() for each in found) else None


def _nodata(values: np.ndarray, source: MaskSource) -> np.ndarray:
    """Return where one channel has the value that stands for nodata."""
    missing = np.zeros(values.shape, bool)
    if source.nodata is not None and not np.isnan(source.nodata):
        missing = np.asarray(np.equal(values, np.asarray(source.nodata).astype(values.dtype)))
    is_nan = source.nan_is_nodata or (source.nodata is not None and np.isnan(source.nodata))
    return missing | np.isnan(values) if is_nan and values.dtype.kind == "f" else missing


def open_probabilities(path: str, settings: Settings, shape: tuple[int, ...]) -> list[MaskSource]:
    """Open a file of probabilities by the format that its suffix names: one source per channel.

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
        channels: list[MaskSource] = plugin.open_probabilities(path, reading_of(settings), shape)
        return channels
    files.check_regular(path)
    hint = with_others("formats", "open_probabilities", "Give .nii, .nii.gz, .tif or .npy")
    raise UnknownFormat(
        f"the suffix '{suffix}' belongs to no format that probabilities are read from; the content looks "
        f"like {files.looks_like(files.head(path))}",
        f"{hint}; masks of labels are scored by 'dicecli score'.",
        path,
    )


def _opened_channels(given: Any, shape: tuple[int, ...], settings: Settings) -> list[MaskSource]:
    """Open whatever probabilities are given as."""
    try:
        if isinstance(given, (str, os.PathLike)):
            return open_probabilities(os.fspath(given), settings, shape)
        if hasattr(given, "dataobj") and hasattr(given, "header"):
            nifti = load("formats", "nifti")
            channels: list[MaskSource] = nifti.probabilities_from_image(given, reading_of(settings))
            return channels
        return array_channels(given, shown(given), shape, reading_of(settings))
    except CaseError as error:
        raise error.on_side("prediction", shown(given)) from error.__cause__
