"""By which patterns two folders would pair whose names differ: each one that is proposed was tried."""

from __future__ import annotations

import re
import shlex
from collections import Counter, defaultdict
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from dicecli.errors import PairingError
from dicecli.runs.in_common import shared
from dicecli.runs.name_kinds import IMAGES, Kind, are_apart, end_of, kind_of
from dicecli.runs.naming import named_by

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from dicecli.runs.naming import Side

#: So many names of predictions are looked at, and so many of references beside each, to see how they differ.
_SAMPLE, _BESIDE = 30, 12
#: So many ways to name both sides are tried on all names; so many are proposed.
_TRIED, _PROPOSED = 12, 3
#: What a case's name does not start or end with, where one is proposed.
_EDGES = "/_-. "
#: A letter before or behind the case's name, which has another one at that end, or digits beside digits.
_CUT = re.compile(r"[A-Za-z0-9](?=\{case\})|(?<=\{case\})[A-Za-z0-9]")
_TOKEN = re.compile(r"[A-Za-z]+|\d+")


class _Trial(NamedTuple):
    """What came of a pattern for each side; the larger, the better it is.

    Attributes
    ----------
    pairs : int
        Cases that have both masks.
    purity : int
        Minus how many pictures, as their names say, would be references.
    is_alike : bool
        Whether both patterns end in one word that pictures do not have.
    kind : Kind
        What the reference pattern says that these are: beside labels may be pictures of the same.
    expected : int
        Cases that there would be: of two patterns that pair as many, one leaves out references.
    wholeness : int
        Minus how many words a pattern cuts in two.
    plainness : int
        Minus the number of stars.
    brevity : int
        Minus the length of both: the longer, the more they take from the names of the cases.
    """

    pairs: int
    purity: int
    is_alike: bool
    kind: Kind
    expected: int
    wholeness: int
    plainness: int
    brevity: int
    patterns: tuple[str, str]
    references: frozenset[str]


class Proposed(NamedTuple):
    """What pairs two folders whose names differ.

    Attributes
    ----------
    options : tuple of str
        The options that pair every prediction, or every reference, the best ones first.
    is_open : bool
        Whether nothing tells the first from the second: a person has to choose.
    """

    options: tuple[str, ...]
    is_open: bool


def proposed(found: Side, expected: Side, alone: Sequence[str], missing: Sequence[str]) -> Proposed:
    """Return the options that pair every prediction, or every reference.

    Several are of references that lie side by side, as the labels of two raters for each case. Pictures,
    fields of view and instances are proposed where there is nothing else.

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
    pictures = _pictures(found, expected)
    likely = sorted(votes, key=lambda each: (votes[each], *_by_text(each)), reverse=True)[:_TRIED]
    trials = [_tried(found, expected, patterns, pictures) for patterns in likely]
    wanted = min(len(found.named), len(expected.named))
    whole = sorted((each for each in trials if each and each.pairs >= max(wanted, 2)), reverse=True)
    chosen: list[_Trial] = []
    for each in whole:
        if all(each.pairs == other.pairs and not each.references & other.references for other in chosen):
            chosen.append(each)
    worst = min(Kind.UNSAID, max((each.kind for each in chosen), default=Kind.UNSAID))
    best = [each for each in chosen if each.is_alike or each.kind >= worst][:_PROPOSED]
    is_open = len(best) > 1 and best[0][1:4] == best[1][1:4]
    return Proposed(tuple(_options(found, expected, each.patterns) for each in best), is_open)


def _pictures(found: Side, expected: Side) -> set[str]:
    """Return the references that are pictures by their names, of a kind that the predictions are not."""
    ends = {end_of(mask[: -len(suffix)]) for mask, suffix in found.masks.items()} - {"", *IMAGES}
    named = {mask: mask[: -len(suffix)] for mask, suffix in expected.masks.items()}
    return {mask for mask, name in named.items() if not kind_of(name) and end_of(name) not in ends}


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
    """Return the patterns under which a prediction is one case with the references that are most like it.

    Of references of each kind, as the last word of their names says, these are other ones.
    """
    own = _without_end(prediction)
    found: dict[str, dict[int, set[tuple[str, str]]]] = defaultdict(lambda: defaultdict(set))
    for reference in references:
        in_reference, in_prediction, size = shared(_without_end(reference), own)
        common = reference[in_reference : in_reference + size]
        first, last = len(common) - len(common.lstrip(_EDGES)), len(common.rstrip(_EDGES))
        for start, end in {(first, last), _at_signs(common, first, last)}:
            if start < end:
                around = [
                    (name[: at_name + start], common[start:end], name[at_name + end :])
                    for name, at_name in ((prediction, in_prediction), (reference, in_reference))
                ]
                found[_known_end(reference)][last - first] |= {
                    (one, other) for one in _variants(*around[0]) for other in _variants(*around[1])
                }
    return {patterns for each in found.values() for patterns in each[max(each)]}


def _known_end(name: str) -> str:
    """Return the last word of a name where it says a kind; an empty text otherwise."""
    end = end_of(name)
    return end if _kind(end) != Kind.UNSAID else ""


def _without_end(name: str) -> str:
    """Return a name without a last word that says its kind: this is no part of the case's."""
    end = _known_end(name)
    return name[: len(name) - len(end)] if name.lower().endswith(end) else name


#: Many paths and patterns are asked for again and again.
_kind = lru_cache(4096)(kind_of)


def _by_text(patterns: tuple[str, str]) -> tuple[bool, Kind, int, int, int]:
    """Return how likely two patterns are to be meant, as far as they say so themselves."""
    ends = [end_of(each) for each in patterns]
    return (
        ends[0] == ends[1] and _kind(ends[0]) > Kind.UNSAID,
        _kind(patterns[1]),
        -sum(len(_CUT.findall(each)) for each in patterns),
        -sum(each.count("*") for each in patterns),
        -sum(map(len, patterns)),
    )


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


def _tried(
    found: Side, expected: Side, patterns: tuple[str, str], pictures: Collection[str]
) -> _Trial | None:
    """Return what comes of two patterns; None where they cannot be laid, or two masks would be one case."""
    try:
        sides = [
            side if pattern == "{case}" else named_by(side, _with_suffix(side, pattern))
            for side, pattern in zip((found, expected), patterns, strict=True)
        ]
    except PairingError:
        return None
    both = sides[0].named.keys() & sides[1].named.keys()
    named = [sides[1].named.values(), (sides[0].named[name] for name in both)]
    if any(len(masks) > 1 for side in named for masks in side):
        return None
    if any(are_apart(*(side.named[name][0] for side in sides)) for name in islice(sorted(both), _BESIDE)):
        return None
    references = frozenset(sides[1].matched())
    is_alike, kind, wholeness, plainness, brevity = _by_text(patterns)
    # A star may stand for a folder of pictures.
    some = {each: kind_of(each[: -len(expected.masks[each])]) for each in islice(references, _BESIDE)}
    kind = min([kind, *(said for each, said in some.items() if said == Kind.INSTANCES or each in pictures)])
    return _Trial(
        pairs=len(both),
        purity=-len(references.intersection(pictures)) if kind else 0,
        is_alike=is_alike,
        kind=kind,
        expected=len(sides[1].named),
        wholeness=wholeness,
        plainness=plainness,
        brevity=brevity,
        patterns=patterns,
        references=references,
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
