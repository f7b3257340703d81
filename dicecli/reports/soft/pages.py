"""What a report on probability maps shows to people, as plain sheets that every human format renders."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from dicecli.records.cases import Failed
from dicecli.reports.pages import Sheet, count_sheet, interval, short, unscored_sheet, worst_sheet
from dicecli.reports.presentation import figure
from dicecli.reports.soft.report import AVERAGES, AVERAGES_OF_RUN, channels_of
from dicecli.reports.summary import RESAMPLES, SEED
from dicecli.reports.text import inert
from dicecli.statistics.soft.sums import BINS, STEPS, rounded

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from dicecli.records.cases import Scored
    from dicecli.records.softness import Softness
    from dicecli.reports.soft.report import SoftReport
    from dicecli.reports.soft.rows import SoftScores

_FORMS = ("standard", "jaccard", "squared")
_FIRST = ("label", "name")


def soft_sheets(report: SoftReport) -> Iterator[Sheet]:
    """Yield the sheets of a report in the order to read them; empty ones are left out."""
    if report.is_batch:
        yield count_sheet(report)
    if report.scored:
        yield from _of_scores(report.pooled, report)
    if report.scored and report.is_batch:
        yield from _statistics(report)
        yield worst_sheet(report.summary, report.summary.rows)
    if report.is_batch:
        yield unscored_sheet(report)


def _of_scores(scores: SoftScores, report: SoftReport) -> Iterator[Sheet]:
    rows = _rows(scores)
    of = ", all cases pooled" if report.is_batch else ""
    dice = [f"soft_dice_{form}" for form in _FORMS]
    yield Sheet(
        f"Soft Dice{of}",
        (*_FIRST, "reference px", "expected px", *_FORMS),
        tuple((*first, *sizes, *_figures(values, dice)) for first, sizes, values in rows),
        f"ε = {report.softness.smooth:g}. expected px is Σp.",
    )
    losses = (*(f"loss_{form}" for form in _FORMS), "cross_entropy", "dice_ce")
    yield Sheet(
        f"Losses{of}",
        (*_FIRST, *_FORMS, "cross-entropy", "dice + CE"),
        tuple((*first, *_figures(values, losses)) for first, _, values in rows),
        f"1 - soft Dice; cross-entropy of each label against the rest; dice + CE = {_weights(report)}.",
    )
    quality = ("brier", "ece", "average_precision")
    yield Sheet(
        f"Calibration and ranking{of}",
        (*_FIRST, "brier", "ECE", "average precision"),
        tuple((*first, *_figures(values, quality)) for first, _, values in rows),
        f"Of each label against the rest; ECE over {BINS} bins of equal width, average precision over "
        f"{STEPS:,} thresholds.",
    )
    yield _thresholds(scores, rows, of)
    yield _overall(scores, of)


def _rows(scores: SoftScores) -> list[tuple[tuple[str, str], tuple[str, str], Mapping[str, float]]]:
    """Return name, sizes and values of each label, then of the averages."""
    found: list[tuple[tuple[str, str], tuple[str, str], Mapping[str, float]]] = []
    for row in scores.rows:
        label = "" if row.channel.label is None else str(row.channel.label)
        sizes = (f"{row.sums.reference:,}", f"{rounded(row.sums.prediction):,.1f}")
        found.append(((label, inert(row.channel.name or "")), sizes, row.values))
    for name, values in scores.averages.items():
        found.append((("", name), ("", ""), values))
    return found


def _figures(values: Mapping[str, float], names: Sequence[str]) -> tuple[str, ...]:
    return tuple(figure(values.get(name, math.nan)) for name in names)


def _weights(report: SoftReport) -> str:
    softness = report.softness
    return f"{softness.dice_weight:g} x loss {softness.form} + {softness.ce_weight:g} x cross-entropy"


def _thresholds(
    scores: SoftScores, rows: Sequence[tuple[tuple[str, str], tuple[str, str], Mapping[str, float]]], of: str
) -> Sheet:
    now = (("dice_argmax",) if scores.has_argmax else ()) + ("dice_at_half", "dice_best")
    titles = (("argmax",) if scores.has_argmax else ()) + ("at 0.5", "best")
    lines = []
    for first, _, values in rows:
        threshold, gain = values.get("best_threshold", math.nan), values.get("gain", math.nan)
        tuned = ("—", "—") if math.isnan(threshold) else (f"{threshold:.3f}", f"{gain:+.4f}")
        lines.append((*first, *_figures(values, now), *tuned))
    than = "argmax" if scores.has_argmax else "0.5"
    each = "; each label against the rest" if scores.has_argmax else ""
    return Sheet(
        f"Hard Dice, and what tuning the threshold brings{of}",
        (*_FIRST, *titles, "threshold", "gain"),
        tuple(lines),
        f"A pixel is predicted where p >= threshold{each}; gain = best - {than}. macro and micro: one "
        "threshold for all labels. A threshold flatters the data that it was chosen on: try it on others.",
    )


def _overall(scores: SoftScores, of: str) -> Sheet:
    values = scores.overall
    columns = {
        "GD 1/(Σg)²": "generalised_dice_square",
        "GD 1/Σg": "generalised_dice_simple",
        "GD 1": "generalised_dice_uniform",
        "cross-entropy": "overall_cross_entropy",
        "dice + CE": "overall_dice_ce",
        "brier": "overall_brier",
        "ECE": "overall_ece",
    }
    columns |= {"accuracy": "overall_accuracy"} if scores.has_argmax else {}
    remark = (
        "GD: generalised Dice over the labels above, by weight; an absent label has the largest weight of "
        "those that are there. "
    )
    remark += (
        "The rest: over channels that exclude each other, the background included; ECE of the largest p."
        if scores.has_argmax
        else "The rest: the mean over channels, each of its own; ECE of all of them pooled."
    )
    line = tuple(figure(values[name]) for name in columns.values())
    return Sheet(f"All channels together{of}", tuple(columns), (line,), remark)


def _statistics(report: SoftReport) -> Iterator[Sheet]:
    found = report.summary
    yield Sheet("What the averages are", ("average", "definition"), tuple(AVERAGES_OF_RUN.items()))
    for name in report.shown:
        lines = []
        for row in found.rows:
            it = row.metrics[name]
            label = "" if row.label is None else str(row.label)
            spread = [short(it.mean), short(it.sd), interval(it.ci_low, it.ci_high)]
            spread += [short(value) for value in (it.min, it.median, it.max, it.pooled)]
            lines.append((label, inert(row.name or ""), str(it.n), str(it.undefined), *spread))
        columns = ("n", "undefined", "mean", "SD", "95 % CI", "min", "median", "max", "pooled")
        yield Sheet(
            f"{name} over cases",
            (*_FIRST, *columns),
            tuple(lines),
            f"95 % CI: of the mean, percentile bootstrap over {found.resampled}s ({RESAMPLES:,} resamples, "
            f"seed {SEED}).",
        )


def soft_heading(result: Scored, softness: Softness) -> list[tuple[str, str]]:
    """Return what was compared: files, shape, pixels, channels."""
    counted = f"{result.counted:,} pixels"
    words = {"ignore_label": "an ignored label", "nodata": "nodata"}
    left_out = [f"{n:,} of {words[why]}" for why, n in result.excluded.items() if n]
    if left_out:
        counted += f"; left out: {', '.join(left_out)}"
    return [
        ("probabilities", inert(str(result.case.prediction))),
        ("reference", inert(str(result.case.reference))),
        ("shape", " x ".join(str(n) for n in result.shape)),
        ("channels", ", ".join(inert(row.title) for row in channels_of(result) if not softness.is_sum(row))),
        ("counted", counted),
    ]


def soft_explanations(report: SoftReport) -> list[tuple[str, str]]:
    """Return what the numbers of one case mean."""
    scores = report.pooled
    said = list(AVERAGES.items())
    if scores.others:
        others = ", ".join(inert(row.channel.title) for row in scores.others)
        said.append(
            (
                "left out",
                f"{others}, of the tables and averages (--include-background takes the background in); not "
                "of what concerns all channels together",
            )
        )
    if scores.regions:
        said.append(
            (
                "regions",
                "their probability is the sum of their labels'; they overlap, and are in no average",
            )
        )
    undefined = {
        name: n for name, n in scores.undefined.items() if n and (scores.has_argmax or name != "dice_argmax")
    }
    if undefined:
        each = ", ".join(f"{name} ({n})" for name, n in undefined.items())
        said.append(("undefined", f"labels left out of macro, shown as —: {each}"))
    return said


def soft_notes(report: SoftReport) -> list[str]:
    """Return the notes: of the one case, or of the run."""
    if report.is_batch:
        return [*report.notes]
    (result,) = report.results
    return [] if isinstance(result, Failed) else [*result.notes, *advice(report.pooled, report)]


def advice(scores: SoftScores, report: SoftReport) -> list[str]:
    """Return the notes that a careful colleague would make beside the numbers."""
    absent = [row for row in scores.labels if not row.sums.reference]
    notes = []
    if absent and report.softness.smooth:
        names = ", ".join(inert(row.channel.title) for row in absent)
        notes.append(
            f"absent from the reference, so that soft Dice is ε / (Σp + ε), near 0 for any p and 1 for none: "
            f"{names}; macro takes it in"
        )
    return notes
