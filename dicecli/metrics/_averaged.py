"""Words of the field for an average of a metric: each names a number of a report, and is no metric itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dicecli.records.settings import AVERAGES
from dicecli.words import plain

if TYPE_CHECKING:
    from dicecli.records.settings import Average

#: Which average of which metric some words are; what is meant by others differs, as by "mean accuracy".
_WORDS: dict[tuple[str, Average], tuple[str, ...]] = {
    ("iou", "macro"): ("miou", "m_iou", "mean_iou", "mean_intersection_over_union", "mean_jaccard"),
    ("dice", "macro"): ("mdice", "mean_dice", "mdsc", "mean_dsc", "mean_dice_score"),
    ("f1", "macro"): ("mf1", "mean_f1", "mfscore", "mean_f1_score"),
    ("precision", "macro"): ("mprecision", "mean_precision"),
    ("recall", "macro"): ("mrecall", "mean_recall", "macc", "mean_class_accuracy"),
    ("iou", "weighted"): ("fwiou", "fw_iou", "frequency_weighted_iou", "frequency_weighted_jaccard"),
}
_BY_WORD = {word: meant for meant, words in _WORDS.items() for word in words}
#: How averages stand in words, the longest first: ``macro_f1`` and ``f1_macro``.
_PARTS: dict[str, Average] = {plain(each): each for each in sorted(AVERAGES, key=len, reverse=True)}


def taken_apart(word: str) -> tuple[str, Average] | None:
    """Return the word for a metric, and the average, that a plain word means; None where it names none."""
    if word in _BY_WORD:
        return _BY_WORD[word]
    for part, average in _PARTS.items():
        rest = word.removeprefix(f"{part}_") if word.startswith(f"{part}_") else word.removesuffix(f"_{part}")
        if rest != word:
            return rest, average
    return None
