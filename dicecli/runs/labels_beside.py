"""Files of labels that lie beside masks and were not given: they are looked for by name."""

from __future__ import annotations

import os
import shlex
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING

from dicecli.errors import DicecliError
from dicecli.records.schemes import load_labels

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dicecli.records.labels import LabelScheme

#: What such files are called, of each form.
_NAMES = (
    *("labelmap.txt", "dataset.json", "dseg.tsv", "class_dict.csv", "labels.json", "id2label.json"),
    "config.json",
)
#: A larger one is none that people write; it is not read.
_MOST_BYTES = 1_000_000


def labels_beside(labels: LabelScheme, references: str, predictions: str) -> tuple[str, ...]:
    """Return the file of labels that lies beside masks whose labels have no names, if there is one.

    It is looked for in the folder of the references, right above it, and in that of the predictions; the
    first that can be read counts. Where labels are declared nothing is looked for.

    Parameters
    ----------
    labels : LabelScheme
        Those of the run.
    references, predictions : str
        Folders, or files.
    """
    return () if labels.is_declared else tuple(islice(_beside(references, predictions), 1))


def note_on_labels(path: str) -> str:
    """Say where a file of labels lies."""
    return f"labels have no names, and a file of labels lies beside: give --labels {shlex.quote(path)}"


def _beside(references: str, predictions: str) -> Iterator[str]:
    """Yield the files of labels that there are, the likeliest first."""
    for folder in (references, os.path.join(references, os.pardir), predictions):  # noqa: PTH118 - strings
        for name in _NAMES:
            path = os.path.normpath(os.path.join(folder, name))  # noqa: PTH118 - these are strings throughout
            if os.path.isfile(path) and os.path.getsize(path) <= _MOST_BYTES:  # noqa: PTH113, PTH202 - as above
                with suppress(DicecliError, OSError):
                    if load_labels(path).is_declared:
                        yield path
