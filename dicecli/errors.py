"""Every error that a user can cause.

::

    DicecliError
    ├── UsageError            exit 2: nothing was computed
    │   ├── UnknownName       a metric, format, preset ... that does not exist
    │   │   ├── NoAttribute       in Python, an attribute of a report that is no metric either
    │   │   └── NoKey             in Python, a key of a mapping that a report has
    │   ├── BrokenPlugin      a plugin of an installed package that cannot be loaded, or fails
    │   ├── LabelFileError    a file of labels that cannot be understood
    │   ├── PairingError      folders whose files cannot be paired without a guess
    │   │   └── AmbiguousPair     two files for one side of a case
    │   ├── GateError         a gate that says nothing, such as a metric without direction
    │   ├── ConfigError       a configuration file that cannot be understood
    │   ├── OutputError       an output that cannot be written
    │   ├── NotInstalled      an optional package that this needs is not there
    │   └── WorkersFailed     worker processes that cannot start
    └── CaseError             exit 3: this case could not be scored; other cases can
        ├── ProcessError      the process that scored it
        │   ├── WorkerDied        it was killed, or crashed
        │   └── Timeout           it took longer than it was given
        ├── FileError         the file itself
        │   ├── Missing           it is not there
        │   ├── Unreadable        the system refuses to read it
        │   ├── NotARegularFile   a folder, pipe, socket or device
        │   ├── EmptyFile         zero bytes
        │   ├── UnknownFormat     not a format that is read here, or other content than its name says
        │   ├── BadHeader         a header that contradicts itself or the format
        │   ├── Truncated         fewer data than the header claims
        │   ├── Changed           it changed, or vanished, while it was read
        │   ├── TrailingData      more data than the header claims
        │   ├── Corrupt           data that cannot be decoded, or a checksum that does not hold
        │   ├── TooLarge          more pixels, or more memory, than is allowed
        │   └── LinkOutside       a symbolic link that leads out of its folder
        ├── MeaningError      its values
        │   ├── NotLabels         fractions, NaN, grey levels: not a map of labels
        │   ├── TooManyLabels     more distinct labels than any label map has
        │   ├── UnknownLabel      a label that the declared scheme lacks
        │   ├── UnknownColour     a colour that the colour table lacks
        │   ├── AmbiguousPalette  a palette whose colours say other labels than its numbers
        │   ├── ManyVolumes       several volumes, or bands, where one is needed
        │   ├── ManyImages        pages of a TIFF that are no volume, and none is chosen
        │   ├── LossyCompression  labels that the compression has changed
        │   ├── NotProbabilities  values outside 0 to 1, NaN, or labels, where probabilities are expected
        │   ├── ChannelMismatch   more or fewer channels of probabilities than labels
        │   └── NoChannel         a label of the reference that no channel is about
        ├── GeometryError     the two masks do not lie on each other
        │   ├── ShapeMismatch     other numbers of pixels
        │   ├── GridMismatch      other places in the world
        │   └── NoPixel           points where a map has no pixel, or no place at all
        └── UnitMismatch      lengths in another unit than those of the run

The name of an error's class is stable: reports carry it. The file is long because the tree is one: whoever
writes an error sees beside it all that might fit better.
"""

from __future__ import annotations

from typing import Self


class DicecliError(Exception):
    """An error with a message (what was found, what was expected) and a hint (what to do).

    ``str(error)`` is the message; the hint is a note of the exception, so that a traceback shows it.

    Parameters
    ----------
    message : str
        What was found, and what was expected.
    hint : str
        What to do about it.
    path : str, optional
        The file concerned. It is put before the message.
    side : str, optional
        ``"prediction"`` or ``"reference"``, where known. It is put before the path.

    Examples
    --------
    >>> import dicecli
    >>> try:
    ...     dicecli.score("nowhere.png", "nowhere.png")
    ... except dicecli.DicecliError as error:
    ...     print(error.name, error.side)
    Missing reference
    """

    exit_code = 2

    def __init__(self, message: str, hint: str, path: str | None = None, side: str | None = None) -> None:
        super().__init__(message, hint, path, side)
        self.message = message
        self.hint = hint
        self.path = path
        self.side = side
        #: What is known of the file all the same, for ``dicecli inspect``.
        self.facts: dict[str, object] = {}
        if hint:  # a note, once: what was pickled has its notes again in place of this one
            self.add_note(f"Hint: {hint}")

    def __str__(self) -> str:
        where = " ".join(part for part in (self.side, self.path) if part)
        return f"{where}: {self.message}" if where else self.message

    @property
    def name(self) -> str:
        """The stable name of this kind of error, as reports carry it."""
        return type(self).__name__

    def on_side(self, side: str, path: str) -> Self:
        """Return this error, told which of the two masks it concerns."""
        self.side = side
        self.path = self.path or path
        self.args = (self.message, self.hint, self.path, self.side)
        return self


class UsageError(DicecliError, ValueError):
    """Wrong options or configuration: nothing was computed.

    Examples
    --------
    >>> import dicecli
    >>> try:
    ...     dicecli.score([0, 1], [0, 1], undefined="none")
    ... except dicecli.UsageError as error:
    ...     print(error)
    undefined is 'none'
    """


class UnknownName(UsageError):
    """A metric, format, preset or other name that does not exist."""


class NoAttribute(UnknownName, AttributeError):
    """An attribute that a report does not have, and no metric that it has."""

    @property
    def name(self) -> str:
        """As of every error; Python itself would put the attribute's name there."""
        return type(self).__name__

    @name.setter
    def name(self, given: str) -> None:
        """Leave it as it is, whatever Python puts there."""
        del given


class NoKey(UnknownName, KeyError):
    """A key that a mapping of a report does not have."""


class BrokenPlugin(UsageError):
    """A plugin of an installed package that cannot be loaded, or that fails."""


class LabelFileError(UsageError):
    """A file of labels that cannot be understood."""


class OutputError(UsageError):
    """An output that cannot be written."""


class NotInstalled(UsageError, ImportError):  # type: ignore[misc] # its name is this kind of error's, as for all
    """An optional package that is not installed."""


class PairingError(UsageError):
    """Folders whose files cannot be paired without a guess."""


class AmbiguousPair(PairingError):
    """Two files for one side of a case."""


class GateError(UsageError):
    """A gate that says nothing, such as one on a metric that has no direction."""


class ConfigError(UsageError):
    """A configuration file that cannot be understood."""


class WorkersFailed(UsageError):
    """Worker processes that die before they do anything."""


class CaseError(DicecliError, ValueError):
    """One case could not be scored.

    Examples
    --------
    >>> import dicecli
    >>> try:
    ...     dicecli.score([[0, 1]], [[0, 1, 1]])
    ... except dicecli.CaseError as error:
    ...     print(error.name)
    ShapeMismatch
    """

    exit_code = 3


class ProcessError(CaseError):
    """Something happened to the process that scored the case."""


class WorkerDied(ProcessError):
    """The process was killed, or crashed."""


class Timeout(ProcessError):
    """The process took longer than it was given, and was stopped."""


class FileError(CaseError):
    """Something is wrong with the file itself."""


class Missing(FileError):
    """The file is not there."""


class Unreadable(FileError):
    """The system refuses to read the file."""


class NotARegularFile(FileError):
    """A folder, pipe, socket or device where a file is expected."""


class EmptyFile(FileError):
    """A file of zero bytes."""


class UnknownFormat(FileError):
    """Not a format that is read here, or other content than the name says."""


class BadHeader(FileError):
    """A header that contradicts itself or its format."""


class Truncated(FileError):
    """Fewer data than the header claims."""


class Changed(FileError):
    """The file changed, or vanished, while it was read."""


class TrailingData(FileError):
    """More data than the header claims."""


class Corrupt(FileError):
    """Data that cannot be decoded, or a checksum that does not hold."""


class TooLarge(FileError):
    """More pixels, or more memory, than is allowed."""


class LinkOutside(FileError):
    """A symbolic link that leads out of the folder whose masks are scored."""


class MeaningError(CaseError):
    """The values of the mask cannot be taken for labels."""


class NotLabels(MeaningError):
    """Fractions, NaN or grey levels: not a map of labels."""


class TooManyLabels(MeaningError):
    """More distinct labels than a label map has."""


class UnknownLabel(MeaningError):
    """A label that the declared scheme lacks."""


class UnknownColour(MeaningError):
    """A colour that the colour table lacks."""


class AmbiguousPalette(MeaningError):
    """A palette whose colours say other labels than its numbers, or than another palette."""


class ManyVolumes(MeaningError):
    """Several volumes or bands where one is needed.

    Attributes
    ----------
    number : int
        How many there are; 0 where they are not told apart.
    """

    number = 0


class ManyImages(MeaningError):
    """Several images in one file that are no volume: pages that differ, or times."""


class LossyCompression(MeaningError):
    """Labels that a lossy compression has changed."""


class NotProbabilities(MeaningError):
    """Values outside 0 to 1, NaN, sums other than 1, or labels: no map of probabilities."""


class ChannelMismatch(MeaningError):
    """More or fewer channels of probabilities than labels."""


class NoChannel(MeaningError):
    """A label of the reference that no channel of the probabilities is about."""


class GeometryError(CaseError):
    """The two masks do not lie on each other."""


class ShapeMismatch(GeometryError):
    """Other numbers of pixels."""


class GridMismatch(GeometryError):
    """Other places in the world."""


class NoPixel(GeometryError):
    """Points of a reference where the map has no pixel, or nodata; or a map whose pixels have no place."""


class NoSurface(CaseError):
    """A grid on which surfaces, or distances between them, mean nothing."""


class UnitMismatch(CaseError):
    """Lengths in another unit than those of the run's first case."""
