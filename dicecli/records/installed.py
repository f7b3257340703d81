"""A statistic of an installed package, looked at before anything is measured."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, get_args

from dicecli.errors import UnknownName
from dicecli.plugins import broken, load, own
from dicecli.records.json_schema import of
from dicecli.records.measurements import Kind, Row
from dicecli.records.settings import Settings

if TYPE_CHECKING:
    from types import ModuleType

READS = ("labels", "probabilities")


def check_statistic(name: str, metric: str, parameter: str | None = None) -> None:
    """Check that a statistic, which a metric of an installed package is of, says what records can take.

    A `parameter` is that of the metric, which the statistic may have as an option.

    Raises
    ------
    BrokenPlugin
        Nobody brings it, it cannot be loaded, or its facts are others than those of a statistic.
    """
    if name in own("statistics"):
        return
    try:
        statistic = load("statistics", name)
    except UnknownName as error:
        what = f"is of the statistic '{name}', which neither that package nor another one brings"
        raise broken("metrics", metric, what) from error
    wrong = _wrong(statistic, parameter)
    if wrong:
        raise broken("statistics", name, f"cannot be loaded: {wrong}")


def _wrong(statistic: ModuleType, parameter: str | None) -> str | None:
    """Return what is wrong with the facts of a statistic; None for nothing."""
    kinds = get_args(Kind)
    if statistic.READS not in READS:
        return f"its READS is {statistic.READS!r}; {' or '.join(READS)} is expected"
    options, settings = statistic.OPTIONS, tuple(Settings.__dataclass_fields__)
    if not isinstance(options, tuple) or not all(each in {*settings, parameter} for each in options):
        return f"its OPTIONS are {options!r}; a tuple of names of settings is expected"
    measures = statistic.MEASURES
    if not isinstance(measures, Mapping) or not measures or set(measures) - set(kinds):
        return f"its MEASURES are {measures!r}; types by the kind of a row are expected: {', '.join(kinds)}"
    return next((wrong for wrong in map(_wrong_with, measures.values()) if wrong), None)


def _wrong_with(kind: Any) -> str | None:
    """Return what is wrong with the type of a measurement."""
    is_frozen = isinstance(kind, type) and dataclasses.is_dataclass(kind) and _is_frozen(kind)
    if not is_frozen or not hasattr(kind, "zero") or not hasattr(kind, "__add__"):
        return f"its measurement {kind!r} is no frozen dataclass with zero() and +"
    taken = [each for each in kind.__dataclass_fields__ if each in Row._fields]
    if taken:
        return f"its measurement {kind.__name__} has a field {taken[0]}, which records have of each row"
    try:
        of(kind)
    except (TypeError, NameError) as error:
        return f"a field of its measurement {kind.__name__} has no type of records: {error}"
    return None


def _is_frozen(kind: Any) -> bool:
    return bool(kind.__dataclass_params__.frozen)
