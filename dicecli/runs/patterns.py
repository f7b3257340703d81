"""By which patterns two folders would pair whose names differ: each one that is proposed was tried."""

from __future__ import annotations

import re
import shlex
from collections import Counter, defaultdict
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, NamedTuple

from dicecli.runs.listing import named_by

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dicecli.runs.listing import Side

#: So many names of predictions are looked at, and so many of references beside each, to see how they differ.
_SAMPLE, _BESIDE = 30, 12
#: So many ways to name both sides are tried on all names; so many are proposed.
_TRIED, _PROPOSED = 12, 3
#: What a case's name does not start or end with, where one is proposed.
_EDGES = "/_-. "
#: Words that names of label maps have, and no picture's: the likelier to be the labels, the sooner.
OF_LABELS = (
    *("labelids", "dseg", "labels", "label", "segmentation", "seg", "gt", "groundtruth", "annotation"),
    "mask",
)
_WORDS = re.compile(r"[a-z]+")
#: A letter before or behind the case's name, which has another one at that end, or digits beside digits.
_CUT = re.compile(r"[A-Za-z0-9](?=\{case\})|(?<=\{case\})[A-Za-z0-9]")
_TOKEN = re.compile(r"[A-Za-z]+|\d+")


class _Trial(NamedTuple):
    """What came of a pattern for each side; the larger, the better it is.

    Attributes
    ----------
    pairs : int
        Cases that have both masks.
    expected : int
        Cases that there would be: of two patterns that pair as many, one leaves out references.
    is_of_labels : bool
        Whether the reference pattern says that these are labels: beside them may be pictures of the same.
    wholeness : int
        Minus how many words a pattern cuts in two.
    plainness : int
        Minus the number of stars.
    """

    pairs: int
    expected: int
    is_of_labels: bool
    wholeness: int
    plainness: int
    patterns: tuple[str, str]
    references: frozenset[str]


def proposed(found: Side, expected: Side, alone: Sequence[str], missing: Sequence[str]) -> list[str]:
    """Return the options that pair every prediction, or every reference, the best ones first.

    Several are of references that lie side by side, as a picture and a label map of each case.

    Parameters
    ----------
    found, expected : Side
        Predictions and references, named by their paths.
    alone, missing : sequence of str
        Those names of each that have no counterpart.
    """
    votes: Counter[tuple[str, str]] = Counter()
    for prediction, references in _beside(alone, missing):
        votes.update(_patterns(prediction, references))
    trials = [_tried(found, expected, patterns) for patterns, _ in votes.most_common(_TRIED)]
    wanted = min(len(found.named), len(expected.named))
    whole = sorted((each for each in trials if each and each.pairs >= max(wanted, 2)), reverse=True)
    chosen: list[_Trial] = []
    for each in whole:
        if all(each.pairs == other.pairs and not each.references & other.references for other in chosen):
            chosen.append(each)
    return [_options(found, expected, each.patterns) for each in chosen[:_PROPOSED]]


def _beside(alone: Sequence[str], missing: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """Yield some predictions, each with the references whose names share its rarest part."""
    by_token: defaultdict[str, list[str]] = defaultdict(list)
    for name in missing:
        for token in set(_TOKEN.findall(name)):
            by_token[token].append(name)
    for prediction in alone[:: max(1, len(alone) // _SAMPLE)][:_SAMPLE]:
        shared = [by_token[token] for token in _TOKEN.findall(prediction) if token in by_token]
        yield prediction, min(shared, key=len, default=list(missing))[:_BESIDE]


def _patterns(prediction: str, references: Sequence[str]) -> set[tuple[str, str]]:
    """Return the patterns under which a prediction is one case with the references that are most like it."""
    matcher = SequenceMatcher(None, "", prediction, autojunk=False)
    found: dict[int, set[tuple[str, str]]] = defaultdict(set)
    for reference in references:
        matcher.set_seq1(reference)
        at = matcher.find_longest_match()
        common = reference[at.a : at.a + at.size]
        first, last = len(common) - len(common.lstrip(_EDGES)), len(common.rstrip(_EDGES))
        for start, end in {(first, last), _at_signs(common, first, last)}:
            if start < end:
                around = [
                    (name[: at_name + start], common[start:end], name[at_name + end :])
                    for name, at_name in ((prediction, at.b), (reference, at.a))
                ]
                found[last - first] |= {
                    (one, other) for one in _variants(*around[0]) for other in _variants(*around[1])
                }
    return found[max(found)] if found else set()


def _at_signs(common: str, first: int, last: int) -> tuple[int, int]:
    """Return the part of a text up to its last sign between words: what stands behind may be cut in two."""
    end = max(common.rfind(sign, first, last) for sign in _EDGES)
    return first, len(common[: end + 1].rstrip(_EDGES)) if end >= 0 else last


def _variants(before: str, case: str, after: str) -> set[str]:
    """Return a name as a pattern: as it is, with the case wherever it stands, with folders of any name."""
    plain = f"{before}{{case}}{after}"
    repeated = f"{before.replace(case, '{case}')}{{case}}{after.replace(case, '{case}')}"
    return {each for name in (plain, repeated) for each in (name, _with_any_folder(name))}


def _with_any_folder(pattern: str) -> str:
    *folders, name = pattern.split("/")
    return "/".join([*(each if "{case}" in each else "*" for each in folders), name])


def _tried(found: Side, expected: Side, patterns: tuple[str, str]) -> _Trial | None:
    """Return what comes of two patterns; None where two masks of a side would be one case."""
    sides = [
        side if pattern == "{case}" else named_by(side, _with_suffix(side, pattern))
        for side, pattern in zip((found, expected), patterns, strict=True)
    ]
    both = sides[0].named.keys() & sides[1].named.keys()
    named = [sides[1].named.values(), (sides[0].named[name] for name in both)]
    if any(len(masks) > 1 for side in named for masks in side):
        return None
    return _Trial(
        pairs=len(both),
        expected=len(sides[1].named),
        is_of_labels=any(word in _WORDS.findall(patterns[1].lower()) for word in OF_LABELS),
        wholeness=-sum(len(_CUT.findall(each)) for each in patterns),
        plainness=-sum(each.count("*") for each in patterns),
        patterns=patterns,
        references=frozenset(sides[1].matched()),
    )


def _with_suffix(side: Side, pattern: str) -> str:
    endings = {mask[-len(suffix) :] for mask, suffix in side.masks.items()}
    return pattern + (endings.pop() if len(endings) == 1 else ".*")


def _options(found: Side, expected: Side, patterns: tuple[str, str]) -> str:
    return " ".join(
        f"--{side.side}-pattern {shlex.quote(_with_suffix(side, pattern))}"
        for side, pattern in zip((found, expected), patterns, strict=True)
        if pattern != "{case}"
    )
