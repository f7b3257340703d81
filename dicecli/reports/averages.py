"""The table of averages: what each one means, whether it needs that measurements add up, how it is computed.

The tools of this field call different numbers by the same name; see ``docs/conventions.md``. None of these
can be converted into another, nor can an averaged Dice be converted into an averaged IoU. Each exists over
labels and, apart, over regions, which overlap, and would count pixels twice among the labels.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dicecli.reports.means import Average, mean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    import numpy as np

    from dicecli.metrics._metric import Metric
    from dicecli.reports.pools import Pools
    from dicecli.reports.resampled import Drawn


@dataclass(frozen=True)
class Definition:
    """One average.

    Attributes
    ----------
    name : str
        The word for it over labels.
    text : str
        What it is, with ``{things}`` for what adds up and ``{score}`` for what is made of it.
    pools : bool
        Whether it needs that measurements add up.
    alone : str
        Which average it is where there is one case.
    compute : callable
        From what is known of a metric in some rows of some cases.
    over_regions : str
        The word for it over regions.
    per_case : callable or None
        Of an average that is a mean over cases, what it is the mean of: its SD and interval are of these.
    drawn : callable or None
        Of any other, its value in each resample of the cases; with neither it has no interval.
    beside : str
        The average whose mean ± SD over cases stands beside it in one sentence.
    """

    name: str
    text: str
    pools: bool
    alone: str
    compute: Callable[[Pools], Average]
    over_regions: str
    per_case: Callable[[Pools], Sequence[Average]] | None = None
    drawn: Callable[[Drawn], np.ndarray] | None = None
    beside: str = "macro-imagewise"


def _macro(pools: Pools) -> Average:
    return pools.over_labels(pools.labels, pools.scores)


def _weighted(pools: Pools) -> Average:
    return pools.over_labels(pools.labels, pools.scores, pools.weights)


def _micro(pools: Pools) -> Average:
    n = pools.cells
    value = pools.score(pools.whole) if n else math.nan
    if math.isnan(value):
        return Average(value, 0, n)
    return Average(value, n, 0, 0, value)


def _micro_per_case(pools: Pools) -> list[Average]:
    return [mean([pools.score(case) if pools.labels else math.nan]) for case in pools.cases]


def _micro_imagewise(pools: Pools) -> Average:
    return _of_means(_micro_per_case(pools))


def _macro_per_case(pools: Pools) -> list[Average]:
    return [pools.over_labels_of(case) for case in range(len(pools.values))]


def _macro_imagewise(pools: Pools) -> Average:
    return _of_means(_macro_per_case(pools))


def _label_mean(pools: Pools) -> Average:
    return _of_means([mean(column) for column in pools.columns])


def _of_means(means: Sequence[Average]) -> Average:
    """Return the mean of means, with all the values that any of them left out, or that are infinite.

    The finite mean is that of the finite means: a label is not left out for one case that is infinite.
    """
    outer = mean(each.value for each in means)
    return Average(
        outer.value,
        outer.n,
        undefined=sum(each.undefined for each in means),
        infinite=sum(each.infinite for each in means),
        finite=mean(each.finite for each in means).value,
    )


_DEFINITIONS = (
    Definition(
        "macro",
        "pool the {things} over cases per label, the {score} per label, mean over labels",
        pools=True,
        alone="macro",
        compute=_macro,
        over_regions="macro-regions",
        drawn=lambda drawn: drawn.mean(drawn.scores),
    ),
    Definition(
        "micro",
        "pool the {things} over cases and labels, then the {score}",
        pools=True,
        alone="micro",
        compute=_micro,
        over_regions="micro-regions",
        drawn=lambda drawn: drawn.whole,
        beside="micro-imagewise",
    ),
    Definition(
        "weighted",
        "as macro, weighted by the label's size in the reference",
        pools=True,
        alone="weighted",
        compute=_weighted,
        over_regions="weighted-regions",
        drawn=lambda drawn: drawn.mean(drawn.scores, drawn.weights),
    ),
    Definition(
        "micro-imagewise",
        "per case pool the {things} over labels, then the {score}; mean over cases",
        pools=True,
        alone="micro",
        compute=_micro_imagewise,
        over_regions="micro-imagewise-regions",
        per_case=_micro_per_case,
        beside="micro-imagewise",
    ),
    Definition(
        "macro-imagewise",
        "per case mean over its defined labels; mean over cases",
        pools=False,
        alone="macro",
        compute=_macro_imagewise,
        over_regions="macro-imagewise-regions",
        per_case=_macro_per_case,
    ),
    Definition(
        "label-mean",
        "per label mean over the cases where it is defined; mean over labels",
        pools=False,
        alone="macro",
        compute=_label_mean,
        over_regions="region-mean",
        drawn=lambda drawn: drawn.mean(drawn.means),
    ),
)
#: Every average by its name over labels.
AVERAGES = {each.name: each for each in _DEFINITIONS}
#: The name over labels of every average over regions.
OVER_REGIONS = {each.over_regions: each.name for each in _DEFINITIONS}
#: What leads where a metric does not add up.
OF_VALUES = "label-mean"
_WORDS = {"labels": ("counts", "ratio"), "probabilities": ("sums", "score")}


def definition(name: str, reads: str = "labels") -> str:
    """Say what an average is, in a run that reads labels, or probabilities."""
    things, score = _WORDS[reads]
    text = AVERAGES[OVER_REGIONS.get(name, name)].text.format(things=things, score=score)
    return text.replace("label", "region") if name in OVER_REGIONS else text


def beside(name: str) -> str:
    """Return the average whose mean and SD over cases stand beside one, over labels or regions as that is."""
    found = AVERAGES[AVERAGES[OVER_REGIONS.get(name, name)].beside]
    return found.over_regions if name in OVER_REGIONS else found.name


def exists(name: str, metric: Metric) -> bool:
    """Whether a metric has an average of a name; most need that it pools."""
    return metric.averaged and (metric.pools or not AVERAGES[OVER_REGIONS.get(name, name)].pools)


def leading(metric: Metric, chosen: str = "macro") -> str:
    """Return the average over labels that leads: the one chosen, where the metric has it."""
    return chosen if exists(chosen, metric) else OF_VALUES


def alone(name: str, metric: Metric) -> str:
    """Return which average a name means where there is one case."""
    over = OVER_REGIONS.get(name)
    found = leading(metric, AVERAGES[over or name].alone)
    return AVERAGES[found].over_regions if over else found


def names_of(metrics: Iterable[Metric], *, several: bool) -> tuple[str, ...]:
    """Return the averages over labels that there are: of several cases all, of one those that differ.

    Those that none of the metrics has are left out.
    """
    averaged = [each for each in metrics if each.averaged]
    own = [each for each in AVERAGES if several or AVERAGES[each].alone == each]
    every = dict.fromkeys((*own, *(leading(each) for each in averaged)))
    return tuple(name for name in every if not averaged or any(exists(name, each) for each in averaged))


def without_pools() -> tuple[str, ...]:
    """Return the averages that a metric has which does not add up: means of values."""
    return tuple(each.name for each in _DEFINITIONS if not each.pools)
