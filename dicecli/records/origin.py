"""Where a report comes from: what was compared with what, and by which words."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dicecli.records.labels import labels_of
from dicecli.records.measurements import Row

if TYPE_CHECKING:
    from dicecli.records.options import Option


@dataclass(frozen=True)
class Obeyed:
    """A configuration file that a command obeyed.

    Attributes
    ----------
    config : str
        The file, as seen from the current folder.
    from_config : tuple of str
        The options that came from it, by their long names.
    """

    config: str
    from_config: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.config}: {', '.join(self.from_config)}"


@dataclass(frozen=True)
class NotObeyed:
    """A configuration file that a command would have obeyed but for its owner.

    Attributes
    ----------
    config : str
        The file, as seen from the current folder.
    why : str
        Why not, in words.
    has_gates : bool
        Whether a gate seems to stand in it, which nobody has parsed.
    """

    config: str
    why: str
    has_gates: bool

    def __str__(self) -> str:
        return f"{self.config} is not obeyed: {self.why}{'; its gates do not hold' * self.has_gates}"


@dataclass(frozen=True, kw_only=True)
class RunOrigin:
    """Where one run comes from.

    Attributes
    ----------
    prediction, reference : str or None
        The two files or folders as they were given, or what was given in Python: ``array 128 x 128 uint8``;
        None where a file of pairs names all of them.
    pairs : str or None
        The CSV of the pairs.
    prediction_pattern, reference_pattern : str or None
        The patterns by which names were paired.
    labels : str or None
        The file of labels, or the preset.
    labels_sha256 : str or None
        The SHA-256 of that file; None of a preset, which belongs to the version, and of what is no file.
    options : tuple of str
        Those that are not as by default, as on the command line: ``--ignore-label 255``; but for those on
        what is shown, which may be chosen again.
    config : str or None
        The configuration file that was obeyed, as seen from the current folder.
    from_config : tuple of str
        The options that came from it, by their long names.
    version : str
        That of dicecli.
    date : str or None
        The day in UTC on which the run began, as ISO 8601 has it; that of ``SOURCE_DATE_EPOCH`` where it is
        set.
    """

    prediction: str | None = None
    reference: str | None = None
    pairs: str | None = None
    prediction_pattern: str | None = None
    reference_pattern: str | None = None
    labels: str | None = None
    labels_sha256: str | None = None
    options: tuple[str, ...] = ()
    config: str | None = None
    from_config: tuple[str, ...] = ()
    version: str
    date: str | None = None

    @property
    def obeyed(self) -> Obeyed | None:
        """The configuration file with the options that came from it; None without."""
        return None if self.config is None else Obeyed(self.config, self.from_config)


@dataclass(frozen=True)
class Origin:
    """Where a report comes from.

    Attributes
    ----------
    runs : tuple of RunOrigin
        One for each run whose cases are in it, alike ones once; empty where nobody said.
    rendered_by : tuple of Obeyed
        What commands obeyed that rendered it again, alike ones once.
    not_obeyed : tuple of NotObeyed
        What neither the runs nor these commands obeyed, for its owner; alike ones once.
    """

    runs: tuple[RunOrigin, ...] = ()
    rendered_by: tuple[Obeyed, ...] = ()
    not_obeyed: tuple[NotObeyed, ...] = ()

    def since(self, date: str) -> Origin:
        """Return the same with the day on which its run first began."""
        return replace(self, runs=tuple(replace(run, date=date) for run in self.runs))

    def rendered(self, obeyed: Obeyed | None) -> Origin:
        """Return the same rendered again by a command that obeyed a file, or none."""
        more = () if obeyed is None else (obeyed,)
        return replace(self, rendered_by=tuple(dict.fromkeys((*self.rendered_by, *more))))

    def beside(self, others: Iterable[NotObeyed]) -> Origin:
        """Return the same of a command beside which there are files that it did not obey."""
        return replace(self, not_obeyed=tuple(dict.fromkeys((*self.not_obeyed, *others))))

    @property
    def notes(self) -> tuple[str, ...]:
        """What is to be noted in every output: the configuration files that were not obeyed."""
        return tuple(map(str, self.not_obeyed))

    @property
    def obeyed(self) -> tuple[Obeyed, ...]:
        """Every configuration file that was obeyed, alike ones once."""
        of_runs = (run.obeyed for run in self.runs)
        return tuple(dict.fromkeys(each for each in (*of_runs, *self.rendered_by) if each is not None))


#: Of reports of which nobody said it.
NOWHERE = Origin()


def together(origins: Iterable[Origin]) -> Origin:
    """Return the origin of reports that are put together: each run once."""
    every = list(origins)
    runs = dict.fromkeys(run for origin in every for run in origin.runs)
    rendered_by = dict.fromkeys(each for origin in every for each in origin.rendered_by)
    not_obeyed = dict.fromkeys(each for origin in every for each in origin.not_obeyed)
    return Origin(tuple(runs), tuple(rendered_by), tuple(not_obeyed))


def words(values: Mapping[str, object], table: Mapping[str, Option]) -> tuple[str, ...]:
    """Return options as the command line has them, those alone that are not as by default.

    Parameters
    ----------
    values : mapping
        By the names of the options, as they were given, there or in Python; nothing that can be read only
        once. Others are passed over.
    table : mapping of str to Option
        By the same names; its order is that of the words.
    """
    found = []
    for name, option in table.items():
        value = values.get(name, option.default)
        if option.type == "flag":
            found += [f"--{option.key}"] if value else []
            continue
        texts = [] if value is None else _texts(value)
        if texts and not option.is_many:
            texts = [",".join(texts)]
        if texts != [str(option.default)]:
            found += [f"--{option.key} {shlex.quote(each)}" for each in texts]
    return tuple(found)


def _texts(value: object) -> list[str]:
    """Return each value of an option as a text; of a mapping ``NAME=1,2``."""
    if isinstance(value, Mapping):
        return [f"{name}={','.join(map(str, labels_of(labels)))}" for name, labels in value.items()]
    if isinstance(value, str) or not isinstance(value, Iterable):
        return [str(value)]
    return [each.name or str(each.label) if isinstance(each, Row) else str(each) for each in value]
