"""Scoring one map of probabilities against a mask."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dicecli.errors import UsageError
from dicecli.masks.channels import parse_channels
from dicecli.records.cases import Case
from dicecli.records.softness import FORMS, LOGITS, SMOOTH, Softness
from dicecli.reports.report import Report
from dicecli.runs.measuring import measure_case
from dicecli.runs.scoring import case_name, chosen_metrics, make_settings

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dicecli.records.settings import Settings


def make_soft_settings(
    *,
    logits: str | None = None,
    temperature: float = 1.0,
    channels: str | Iterable[str | int] | None = None,
    independent: bool = False,
    channel_axis: int | None = None,
    smooth: float = SMOOTH,
    form: str = "standard",
    dice_weight: float = 1.0,
    ce_weight: float = 1.0,
    accept_labels: bool = False,
    **options: Any,
) -> Settings:
    """Build the settings of soft scores from the words of the command line.

    Parameters
    ----------
    **options
        As for :func:`make_settings`.

    Raises
    ------
    UsageError
        An option that does not exist, that soft scores have no use for, or a value that it does not take.
    """
    useless = sorted({"threshold", "argmax", "device"} & set(options))
    if useless:
        raise UsageError(
            f"soft scores have no option {', '.join(useless)}", "Masks have: dicecli score, or dicecli batch."
        )
    metrics = chosen_metrics(options.pop("metrics", None), "probabilities")
    settings = replace(make_settings(**options), metrics=metrics)
    for option, word, known in (("logits", logits or "sigmoid", LOGITS), ("form", form, FORMS)):
        if word not in known:
            raise UsageError(f"{option} is {word!r}", f"It is one of {', '.join(known)}.")
    for option, number in {"smooth": smooth, "dice_weight": dice_weight, "ce_weight": ce_weight}.items():
        if not 0 <= number < math.inf:
            raise UsageError(f"{option} is {number}", "It is a number, 0 or more.")
    _check_logits(logits, temperature, independent=independent)
    if settings.missing == "zero":
        raise UsageError(
            "a missing probability map cannot be counted as zero: its channels are unknown",
            "Give --missing error or skip.",
        )
    softness = Softness(
        logits=logits,  # type: ignore[arg-type]  # checked above
        temperature=float(temperature),
        channels=None if channels is None else parse_channels(channels, settings.labels),
        independent=independent,
        channel_axis=channel_axis,
        smooth=float(smooth),
        form=form,  # type: ignore[arg-type]  # checked above
        dice_weight=float(dice_weight),
        ce_weight=float(ce_weight),
        accept_labels=accept_labels,
    )
    return replace(settings, soft=softness)


def _check_logits(logits: str | None, temperature: float, *, independent: bool) -> None:
    if not 0 < temperature < math.inf:
        raise UsageError(f"the temperature is {temperature}", "It is a number above 0, and divides logits.")
    if temperature != 1 and logits is None:
        raise UsageError("a temperature is for logits", "Say which: --logits sigmoid or --logits softmax.")
    if independent and logits == "softmax":
        raise UsageError("channels of a softmax are not independent", "Leave out one of the two.")


def soft(
    probabilities: Any,
    reference: Any,
    *,
    name: str | None = None,
    threads: int = 1,
    **options: Any,
) -> Report:
    """Score a map of probabilities against a mask; the twin of ``dicecli soft``.

    Parameters
    ----------
    probabilities : str, path, array, tensor or nibabel image
        NIfTI (classes on the fourth axis), GeoTIFF (a band per class) or ``.npy``; or an array of the
        reference's shape, or with an axis of channels before or after it.
    reference : str, path, array, tensor or nibabel image
        A mask, as :func:`score` takes it.
    name : str, optional
        What the report calls the case; the reference's name by default.
    threads : int
        How many read and sum at the same time; the result is the same.
    **options
        Of :class:`~dicecli.records.softness.Softness`: ``logits``, ``temperature``, ``channels``,
        ``independent``, ``channel_axis``, ``smooth``, ``form``, ``dice_weight``, ``ce_weight``,
        ``accept_labels``; and, as for :func:`score`, ``labels``, ``regions``, ``ignore_label``,
        ``include_background``, ``band``, ``nodata``, ``geometry``.

    Returns
    -------
    Report
        The record that ``-f json`` prints, as :meth:`Report.to_dict` gives it.

    Raises
    ------
    UsageError
        Options that are wrong.
    CaseError
        Files that cannot be read, understood or laid on each other.
    """
    for side, given in (("prediction", probabilities), ("reference", reference)):
        if given is None or isinstance(given, (bytes, bytearray)):
            raise UsageError(f"the {side} is {type(given).__name__}", "Give a path, an array or an image.")
    settings = make_soft_settings(**options)
    case = Case(name or case_name(reference), probabilities, reference)
    return Report([measure_case(case, settings, threads)], settings)
