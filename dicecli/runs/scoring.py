"""Scoring one pair of masks, or many."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING, Any

from dicecli.errors import CaseError, LinkOutside, UsageError
from dicecli.masks import files
from dicecli.masks.opening import named, shown
from dicecli.metrics._catalogue import every_of, resolve
from dicecli.plugins import installed
from dicecli.records.cases import Case, Failed, Missing
from dicecli.records.labels import load_labels
from dicecli.records.limits import parse_bytes
from dicecli.records.settings import DEVICES, Settings
from dicecli.reports.report import Report
from dicecli.runs.casualties import check_timeout, within
from dicecli.runs.measuring import measure_case
from dicecli.statistics._confusion import labels_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from pathlib import Path

    from dicecli.records.cases import Result


#: Options whose None is the default.
_LIMITS = ("max_pixels", "max_memory")


def score(
    prediction: Any,
    reference: Any,
    *,
    labels: str | Path | Mapping[str, Any] | None = None,
    regions: Mapping[str, Sequence[int]] | None = None,
    ignore_label: int | Iterable[int] | None = None,
    name: str | None = None,
    threads: int = 1,
    executor: str = "serial",
    scheduler: str | None = None,
    timeout: float | None = None,
    **options: Any,
) -> Report:
    """Score one pair of masks; the twin of ``dicecli score``.

    Parameters
    ----------
    prediction, reference : str, path, array, tensor or nibabel image
        PNG, NIfTI or GeoTIFF files; or NumPy arrays, torch tensors (counted on their device) or nibabel
        images. Integers or booleans, of one shape after the documented squeeze.
    labels : str, path or mapping, optional
        A labels file, a preset's name, or the content of such a file.
    regions : mapping of str to sequence of int, optional
        Named sets of labels.
    ignore_label : int or several, optional
        Pixels whose reference has one of these are left out.
    name : str, optional
        What the report calls the case; the reference's name by default.
    threads : int
        How many may read and count one large mask at the same time; the result is the same.
    executor : {"serial", "dask"}
        ``dask`` counts a large GeoTIFF with so many worker processes instead.
    scheduler : str, optional
        The address of a Dask cluster that exists.
    timeout : float, optional
        Seconds that it may take: two files are then scored in a process of their own, which can be stopped. A
        script needs ``if __name__ == "__main__":`` for that.
    **options
        The other fields of :class:`~dicecli.records.settings.Settings`: ``metrics``, ``include_background``,
        ``undefined``, ``threshold``, ``band``, ``nodata``, ``geometry``, ``argmax``, ``device``,
        ``max_pixels``, ``max_memory`` (bytes, or as ``"4GB"``).

    Returns
    -------
    Report
        The record that ``-f json`` prints, as :meth:`Report.to_dict` gives it.

    Raises
    ------
    UsageError
        Options that are wrong.
    CaseError
        Masks that cannot be read, understood or laid on each other.
    """
    for side, mask in (("prediction", prediction), ("reference", reference)):
        if mask is None or isinstance(mask, (bytes, bytearray)):
            raise UsageError(f"the {side} is {type(mask).__name__}", "Give a path, an array or an image.")
    settings = make_settings(labels=labels, regions=regions, ignore_label=ignore_label, **options)
    check_executor(executor, scheduler)
    check_timeout(timeout, None if executor == "serial" else executor)
    case = Case(name or case_name(reference), prediction, reference)
    result: Any = _measured(case, settings, threads, executor=executor, scheduler=scheduler, timeout=timeout)
    return Report([result], settings)


def check_executor(executor: str | None, scheduler: str | None) -> None:
    """Hold that an executor makes use of a scheduler that it is given.

    Raises
    ------
    UsageError
    """
    if scheduler is not None and executor != "dask":
        raise UsageError(
            "a scheduler is for the executor dask alone", "Add --executor dask, or leave out --scheduler."
        )


def make_settings(
    *,
    labels: str | Path | Mapping[str, Any] | None = None,
    regions: Mapping[str, Sequence[int]] | None = None,
    ignore_label: int | Iterable[int] | None = None,
    metrics: str | Iterable[str] | None = None,
    **options: Any,
) -> Settings:
    """Build the settings from the words of the command line.

    Raises
    ------
    UsageError
        An option that does not exist, or a value that it does not take.
    """
    unknown = sorted(set(options) - set(Settings.__dataclass_fields__))
    if unknown:
        raise UsageError(
            f"there is no option {', '.join(unknown)}", f"Known: {', '.join(Settings.__dataclass_fields__)}."
        )
    allowed = {
        "undefined": ("skip", "zero", "one"),
        "nodata": ("auto", "ignore", "background", "label"),
        "geometry": ("strict", "ignore"),
        "missing": ("error", "zero", "skip"),
    }
    if options.get("device", "cpu") not in DEVICES:
        allowed["device"] = (*DEVICES, *installed("backends"))
    for option, values in allowed.items():
        if options.get(option, values[0]) not in values:
            raise UsageError(f"{option} is {options[option]!r}", f"It is one of {', '.join(values)}.")
    threshold = options.get("threshold")
    if threshold is not None and not (isinstance(threshold, (int, float)) and 0 < threshold < float("inf")):
        raise UsageError(
            f"the threshold is {threshold}", "It is a number above 0; what reaches it is label 1."
        )
    options = {key: value for key, value in options.items() if value is not None or key not in _LIMITS}
    if "max_memory" in options:
        options["max_memory"] = parse_bytes(options["max_memory"])
    if options.get("max_pixels", 1) < 1:
        raise UsageError(f"max_pixels is {options['max_pixels']}", "It is a number of pixels, at least 1.")
    named = {region: tuple(sorted(labels_of(members))) for region, members in (regions or {}).items()}
    scheme = load_labels(labels).adding(regions=named, ignore=labels_of(ignore_label))
    return Settings(metrics=chosen_metrics(metrics), labels=scheme, **options)


def chosen_metrics(
    names: str | Iterable[str] | None, reads: str = "labels", measured: Collection[str] | None = None
) -> tuple[str, ...] | None:
    """Return the names of the chosen metrics, each once; ``all`` is every one there is, none chosen is None.

    Parameters
    ----------
    names : str or several, optional
    reads : {"labels", "probabilities"}
        What the run reads.
    measured : collection of str, optional
        The statistics that there are, where nothing can be measured any more: ``all`` is of those.

    Raises
    ------
    UnknownName
    UsageError
        A metric of the other kind of predictions.
    """
    given = (names,) if isinstance(names, str) else tuple(names or ())
    found: dict[str, None] = {}
    for name in given:
        if name.strip().lower() == "all":
            every = [each for each in every_of(reads) if measured is None or each.statistic in measured]
            found |= dict.fromkeys(each.name for each in every)
        else:
            metric = resolve(name)
            if metric.reads != reads:
                raise _of_the_other_kind(metric.name, metric.reads)
            found[metric.name] = None
    return tuple(found) or None


def _of_the_other_kind(name: str, reads: str) -> UsageError:
    if reads == "probabilities":
        return UsageError(
            f"{name} is of probability maps, and these are masks",
            "Score maps: dicecli soft, or dicecli batch --soft; masks have the metrics of 'dicecli score'.",
        )
    return UsageError(
        f"{name} is of masks, and these are probability maps",
        "Score masks: dicecli score, or dicecli batch without --soft; or make masks of maps by --threshold.",
    )


def score_many(cases: Iterable[Case], settings: Settings) -> Report:
    """Score cases one after the other; one that fails is a row, not the end of the run."""
    return Report([result_of(case, settings) for case in cases], settings)


def result_of(
    case: Case,
    settings: Settings,
    threads: int = 1,
    *,
    executor: str = "serial",
    scheduler: str | None = None,
    timeout: float | None = None,
) -> Result:
    """Measure a case; what is wrong with its masks becomes its result."""
    if case.prediction is None and settings.missing != "zero":
        kind = Failed if settings.missing == "error" else Missing
        return kind(
            named(case),
            "Missing",
            f"there is no prediction for {shown(case.reference)}",
            "Make it; or count it as an empty one: --missing zero; or leave the case out: --missing skip."
            if settings.soft is None
            else "Make it; or leave the case out: --missing skip.",
        )
    if case.refused is not None:
        return _outside(case)
    try:
        return _measured(case, settings, threads, executor=executor, scheduler=scheduler, timeout=timeout)
    except CaseError as error:
        return Failed.because(named(case), error)


def _measured(
    case: Case,
    settings: Settings,
    threads: int,
    *,
    executor: str,
    scheduler: str | None,
    timeout: float | None,
) -> Result:
    """Measure a case here; or in a process that can be stopped, where it has a time limit."""
    if timeout is None:
        return measure_case(case, settings, threads, executor, scheduler)
    return within(timeout, partial(measure_case, settings=settings, threads=threads), case)


def _outside(case: Case) -> Failed:
    """Return the row of a case whose mask is a link that is not to be followed."""
    path = shown(case.prediction if case.refused == "prediction" else case.reference)
    error = LinkOutside(
        "it is a symbolic link that leads out of the folder; a file inside it is expected",
        "Copy the mask there; or, if the links are your own, follow them: --follow-links.",
        path,
        case.refused,
    )
    return Failed.because(named(case), error)


def case_name(reference: Any) -> str:
    """Return what a report calls a case: the reference's file name without its suffix."""
    return files.stem(reference) if isinstance(reference, (str, os.PathLike)) else "arrays"
