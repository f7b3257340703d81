"""What a sample says of a map: accuracy and areas, in the forms in which they leave."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from dicecli.errors import UsageError
from dicecli.plugins import having, load
from dicecli.records.calling import telling
from dicecli.records.codec import written
from dicecli.records.origin import NOWHERE, Origin
from dicecli.records.version import __version__
from dicecli.reports import origins
from dicecli.reports.blocks import Facts, Headline
from dicecli.reports.look import PLAIN
from dicecli.reports.pages.area import sheets, written_area
from dicecli.reports.presentation import figure
from dicecli.reports.text import inert
from dicecli.words import counted, some_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pandas import DataFrame

    from dicecli.records.codec import Json
    from dicecli.records.origin import NotObeyed, Obeyed
    from dicecli.reports.blocks import Block
    from dicecli.reports.estimates import Estimate, Estimates
    from dicecli.reports.look import Look

#: The version of the JSON.
SCHEMA = 1
COLUMNS = ("number", "label", "name", "value", "standard_error", "low", "high", "unit")
_SOURCE = "Olofsson et al. 2014, Remote Sensing of Environment 148, 42-57"
#: So many classes are named in a note.
_NAMED = 5


@dataclass(frozen=True, eq=False, repr=False)
class AreaReport:
    """Accuracy and areas of a map, with standard errors and 95 % intervals.

    Attributes
    ----------
    estimates : Estimates
        Accuracies and shares of the area.
    unit : {"ha", "m2", "km2", "pixels"}
        Of areas.
    factor : float
        By it what was mapped is multiplied to be in that unit.
    names : mapping of int to str
        What labels are called.
    matrix, areas : str
        Where both were read.
    given_notes : tuple of str
        What was assumed of them.
    origin : Origin
        The configuration file that was obeyed, if any, and others that were not.

    Examples
    --------
    >>> import dicecli
    >>> found = dicecli.area([[66, 0], [4, 30]], {0: 9000, 1: 1000})
    >>> f"{found.overall_accuracy.value:.3f} +- {found.overall_accuracy.margin:.3f}"
    '0.949 +- 0.048'
    """

    estimates: Estimates
    unit: str
    factor: float
    names: Mapping[int, str] = field(default_factory=dict)
    matrix: str = ""
    areas: str = ""
    given_notes: tuple[str, ...] = ()
    origin: Origin = NOWHERE

    def __repr__(self) -> str:
        return f"<dicecli.AreaReport: {self.headline}>"

    @property
    def labels(self) -> tuple[int, ...]:
        """The classes of the map and of the reference, ascending."""
        return self.estimates.labels

    @property
    def overall_accuracy(self) -> Estimate:
        """The share of the area whose class in the map is right."""
        return self.estimates.overall

    @property
    def users_accuracy(self) -> dict[int, Estimate]:
        """By label, of what the map calls so: the share that is so."""
        return dict(zip(self.labels, self.estimates.users, strict=True))

    @property
    def producers_accuracy(self) -> dict[int, Estimate]:
        """By label, of what is so: the share that the map calls so."""
        return dict(zip(self.labels, self.estimates.producers, strict=True))

    @property
    def area(self) -> dict[int, Estimate]:
        """By label, the area by the reference, in :attr:`unit`."""
        total = self.estimates.total * self.factor
        return {label: each.times(total) for label, each in self.share.items()}

    @property
    def share(self) -> dict[int, Estimate]:
        """By label, the share of the area by the reference."""
        return dict(zip(self.labels, self.estimates.shares, strict=True))

    def rendered(self, obeyed: Obeyed | None, not_obeyed: Iterable[NotObeyed] = ()) -> AreaReport:
        """Return the same from a command that obeyed a configuration file, or none, and that not others."""
        return replace(self, origin=self.origin.rendered(obeyed).beside(not_obeyed))

    @property
    def notes(self) -> tuple[str, ...]:
        """What was assumed, and what may mislead."""
        few = [self.title(label) for label in self.estimates.of_one_point]
        given = (*self.given_notes, *self.origin.notes)
        if not few:
            return given
        said = f"{some_of(few, _NAMED)}: a single point in the map's class, of which no variance is known; "
        return (*given, f"{said}standard errors that need it are undefined")

    @property
    def headline(self) -> str:
        """The sentence for a paper."""
        found = self.overall_accuracy
        margin = f" ± {figure(found.margin)} (95 %)" if math.isfinite(found.margin) else ""
        points = counted(sum(self.estimates.points), "point")
        return f"overall accuracy {figure(found.value)}{margin}, weighted by area, from {points}"

    def title(self, label: int) -> str:
        """Return what a class is called: its name, else its number."""
        return inert(self.names.get(label) or f"label {label}")

    def blocks(self, look: Look) -> Iterator[Block]:
        """Yield what people see, in the order to read it."""
        yield Headline(self.headline)
        if self.notes:
            yield Facts(tuple(("note", inert(note)) for note in self.notes), "notes")
        total = self.estimates.total * self.factor
        mapped = f"{written_area(total, of=total)} {self.unit}"
        heading = [("sample", self.matrix), ("areas", self.areas), ("mapped", mapped)]
        heading += origins.said(self.origin, verbose=look.verbose)
        yield Facts(tuple((key, inert(said)) for key, said in heading), "heading")
        yield from sheets(self.estimates, self.names, self.unit, self.factor, every=look.verbose)
        yield Facts(
            (
                ("user's accuracy", "of the area that the map calls so, the share that is so"),
                ("producer's accuracy", "of the area that is so, the share that the map calls so"),
                ("95 % CI", "1.96 standard errors (SE) to both sides"),
                ("source", _SOURCE),
            )
            if look.verbose
            else (("95 % CI", "1.96 standard errors (SE) to both sides"),),
            "said",
        )

    def rows(self) -> Iterator[dict[str, object]]:
        """Yield a row for each number: which, of which class, value, how sure; undefined is None."""
        yield {"number": "overall_accuracy", **_record(self.overall_accuracy)}
        of_class = {
            "user_accuracy": self.users_accuracy,
            "producer_accuracy": self.producers_accuracy,
            "area": self.area,
            "area_share": self.share,
        }
        for name, every in of_class.items():
            for label, each in every.items():
                unit = {"unit": self.unit} if name == "area" else {}
                yield {"number": name, "label": label, "name": self.names.get(label), **_record(each), **unit}
        for label, area in zip(self.labels, self.estimates.mapped, strict=True):
            known = {"label": label, "name": self.names.get(label), "value": area * self.factor}
            yield {"number": "mapped_area", **known, "unit": self.unit}

    def to_dict(self) -> Json:
        """Return everything as JSON's types; undefined is None."""
        found = self.estimates
        each = zip(found.labels, found.points, found.reference_points, found.mapped, strict=True)
        return {
            "schema": SCHEMA,
            "dicecli": __version__,
            "kind": "area",
            "matrix": self.matrix,
            "areas": self.areas,
            "unit": self.unit,
            "mapped_area": found.total * self.factor,
            "points": sum(found.points),
            "overall_accuracy": _record(found.overall),
            "classes": [
                {
                    "label": label,
                    "name": self.names.get(label),
                    "points": points,
                    "reference_points": reference,
                    "mapped_area": area * self.factor,
                    "user_accuracy": _record(self.users_accuracy[label]),
                    "producer_accuracy": _record(self.producers_accuracy[label]),
                    "area": _record(self.area[label]),
                    "area_share": _record(self.share[label]),
                }
                for label, points, reference, area in each
            ],
            "proportions": [list(row) for row in found.proportions],
            "notes": list(self.notes),
            **({"obeyed": written(self.origin.obeyed)} if self.origin.obeyed else {}),
        }

    def to_pandas(self) -> DataFrame:
        """Return a data frame with a row for each number; undefined is NaN."""
        from pandas import DataFrame

        return DataFrame(list(self.rows()), columns=list(COLUMNS))

    @telling
    def render(self, exporter: str = "table", look: Look = PLAIN) -> str:
        """Return it in the form of an exporter: table, csv, json, markdown, html.

        Raises
        ------
        UsageError
            There is no such exporter, or it has no form for this.
        """
        plugin = load("exporters", exporter)
        if not hasattr(plugin, "of_area"):
            known = ", ".join(having("exporters", "of_area"))
            raise UsageError(f"{exporter} is no form of accuracy and areas", f"Give one of {known}.")
        found: str = plugin.of_area(self, look)
        return found


def _record(found: Estimate) -> dict[str, Any]:
    values = {
        "value": found.value,
        "standard_error": found.standard_error,
        "low": found.low,
        "high": found.high,
    }
    return {key: value if math.isfinite(value) else None for key, value in values.items()}
