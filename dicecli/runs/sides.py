"""Both sides of a case: which is the prediction, whether both are one, whether their names say otherwise."""

from __future__ import annotations

import os
import re
import shlex
from contextlib import contextmanager
from dataclasses import replace
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from dicecli.errors import CaseError, PairingError
from dicecli.masks import files
from dicecli.plugins import suffixes
from dicecli.records.cases import Failed, Scored
from dicecli.records.compound import Compound, paths_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from dicecli.records.cases import Case, Result
    from dicecli.records.settings import Settings
    from dicecli.reports.overwriting import Folder

#: Words by which references are called, and those by which predictions are.
_OF_REFERENCES = frozenset(
    (
        *(
            "annotation",
            "annotations",
            "expert",
            "gold",
            "groundtruth",
            "gt",
            "gts",
            "manual",
            "mask",
            "masks",
        ),
        *("label", "labels", "labelstr", "labelsts", "labelsval", "ref", "reference", "references", "refs"),
        "truth",
    )
)
_OF_PREDICTIONS = frozenset(
    (
        *("infer", "inference", "inferred", "output", "outputs", "pred", "predicted", "prediction"),
        *("predictions", "preds", "result", "results"),
    )
)
#: Words in names, also where only a capital begins them: labelsTs, gtFine, case_1_GT.
_WORD = re.compile("[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


class Sides(NamedTuple):
    """Both sides of a single case, as they are scored.

    Attributes
    ----------
    prediction, reference
        What was given; in place of a folder the files in it, a class each.
    notes : tuple of str
    advice : str
        What else to try where the case cannot be scored: two folders may be of cases.
    folders : tuple of Folder
        The folders that were given.
    """

    prediction: object
    reference: object
    notes: tuple[str, ...] = ()
    advice: str = ""
    folders: tuple[Folder, ...] = ()

    @property
    def masks(self) -> tuple[object, object]:
        """Both."""
        return self.prediction, self.reference

    @property
    def names(self) -> tuple[str, ...]:
        """Every class of which one of them has a file; none where none is a file for each."""
        if not any(isinstance(each, Compound) for each in self.masks):
            return ()
        from dicecli.records.one_each import names_among

        return names_among(self.masks)

    def check_asked(self, settings: Settings) -> None:
        """Check that a class is of what alone is asked for, where a side is a file for each class.

        Raises
        ------
        UsageError
        """
        if settings.only is not None:
            from dicecli.masks.class_names import check_asked

            check_asked(settings, self.masks)

    def told(self, result: Result) -> Result:
        """Return a result with the advice, where it failed for what the masks are."""
        if not isinstance(result, Failed) or not self.advice:
            return result
        return type(result)(result.case, result.error, result.message, f"{result.hint} {self.advice}")

    @contextmanager
    def advising(self) -> Iterator[None]:
        """Add the advice to the error of a case that is raised meanwhile."""
        try:
            yield
        except CaseError as error:
            if not self.advice:
                raise
            hint = f"{error.hint} {self.advice}"
            raise type(error)(error.message, hint, error.path, error.side) from error.__cause__


def is_folder(mask: object) -> bool:
    """Tell whether something is a folder of masks: one that is named as a mask stands for a mask."""
    # A name that is too long is no folder; Path would raise.
    if not isinstance(mask, (str, os.PathLike)) or not os.path.isdir(mask):  # noqa: PTH112
        return False
    return files.suffix(os.fsdecode(os.path.abspath(mask))) not in suffixes("formats", "open_mask")  # noqa: PTH100 - links stay


def check_apart(cases: Sequence[Case], *, allow_same: bool) -> None:
    """Check that the predictions are not the references themselves, whatever the paths to them.

    Nothing is checked where no case has a prediction, or where one cannot be looked at: that is its row.

    Raises
    ------
    PairingError
        Both masks of every case that has a prediction are one file, by identity, not by what is in it.
    """
    pairs = [(each.prediction, each.reference) for each in cases if each.prediction is not None]
    if allow_same or not pairs or not all(_is_one(*each) for each in pairs):
        return
    raise PairingError(
        f"the predictions are the references: both masks are one file in {len(pairs):,} of {len(pairs):,} "
        f"cases, as {pairs[0][1]}; predictions are expected that are files of their own",
        "Give the folder that the predictions were written to. To compare masks with themselves on purpose, "
        "add --allow-same, in Python allow_same=True.",
    )


def _is_one(prediction: object, reference: object) -> bool:
    pairs = zip_longest(paths_of(prediction), paths_of(reference), fillvalue="")
    try:
        return all(os.path.samefile(*each) for each in pairs)  # noqa: PTH121 - strings, whatever is in them
    except (OSError, ValueError):
        return False


def contradiction(prediction: object, reference: object) -> tuple[str, ...]:
    """Return a note where names of paths say that the first is the reference; nothing of what is no path."""
    if not all(isinstance(each, (str, os.PathLike)) for each in (prediction, reference)):
        return ()
    first, second = (os.fsdecode(os.fspath(each)) for each in (prediction, reference))  # type: ignore[call-overload]  # paths, by now
    words, others = _own_words(first, second)
    if not words & _OF_REFERENCES or words & _OF_PREDICTIONS or others & _OF_REFERENCES:
        return ()
    said = f"'{first}' is taken as the prediction and '{second}' as the reference, though names say otherwise"
    named = f"--prediction {shlex.quote(second)} --reference {shlex.quote(first)}"
    return (f"{said}; if these are right, precision and recall have changed places: {named}",)


def told_apart(names: Iterable[str]) -> tuple[str, str] | None:
    """Return the first prediction and its reference among names that say which they are, else being alike.

    Where there is one of each, they need not be alike.
    """
    references: dict[frozenset[str], str] = {}
    predictions: dict[frozenset[str], str] = {}
    for name in names:
        words = frozenset(word.lower() for word in _WORD.findall(name))
        is_reference, is_prediction = bool(words & _OF_REFERENCES), bool(words & _OF_PREDICTIONS)
        if is_reference != is_prediction:
            side = references if is_reference else predictions
            side.setdefault(words - _OF_REFERENCES - _OF_PREDICTIONS, name)
    alike = [(name, references[rest]) for rest, name in predictions.items() if rest in references]
    if not alike and len(references) == len(predictions) == 1:
        alike = [*zip(predictions.values(), references.values(), strict=True)]
    return alike[0] if alike else None


def noting(result: Result, notes: tuple[str, ...]) -> Result:
    """Return a result with more notes; one without numbers says why, and nothing else."""
    if not notes or not isinstance(result, Scored):
        return result
    return replace(result, notes=tuple(dict.fromkeys([*result.notes, *notes])))


def _own_words(*paths: str) -> tuple[set[str], ...]:
    """Return the words of each path in lower case, but for parts of the path that both have."""
    parts = [Path(os.path.abspath(each)).parts for each in paths]  # noqa: PTH100 - links stay
    shared = {each for each in parts[0] if each in parts[1]}
    return tuple(
        {word.lower() for part in each if part not in shared for word in _WORD.findall(part)}
        for each in parts
    )
