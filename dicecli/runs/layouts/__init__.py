"""Layouts of folders that the field has: in a word what patterns and labels say of them, one module each.

A layout module has ``LAYOUT``, a :class:`Layout`. :mod:`dicecli.runs.laid_out` makes options of it.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Layout:
    """How masks are called in two folders, and what their labels mean.

    Attributes
    ----------
    summary : str
        Whose folders these are, in a few words.
    predictions, references : tuple of str
        Patterns, as ``--prediction-pattern`` and ``--reference-pattern`` take them. Each of the one is tried
        with each of the other: those count that pair the most cases, of equal ones the first.
    telltale : str or None
        A part of the path of any of its references, by which it is proposed to who did not name it, where it
        pairs everything; None: it is not proposed.
    labels : str or None
        The preset, where none of the label files is there.
    label_files : tuple of str
        Names of label files, as seen from the folder of the references, then from
        that of the predictions; ``*`` is any characters but ``/``. The first that is one file alone counts.
    """

    summary: str
    predictions: tuple[str, ...]
    references: tuple[str, ...]
    telltale: str | None = None
    labels: str | None = None
    label_files: tuple[str, ...] = ()
