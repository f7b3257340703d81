"""``dicecli metrics``: the catalogue."""

from __future__ import annotations

import textwrap

import click

from dicecli.errors import BrokenPlugin
from dicecli.metrics._catalogue import Metric, added, catalogue, resolve
from dicecli.metrics._soft.catalogue import SoftScore, soft_catalogue
from dicecli.plugins import installed
from dicecli.records.cases import LENGTHS
from dicecli.reports.averages import OF_VALUES


@click.command("metrics")
@click.argument("names", metavar="[NAME]...", nargs=-1)
def command(names: tuple[str, ...]) -> None:
    """List the metrics, or explain one.

    With a NAME (or another name of the field for the same number, such as sensitivity or jaccard): its
    formula, range, when it is undefined, other names, and source.
    """
    soft = soft_catalogue()
    if names:
        click.echo("\n\n".join(_found(name, soft) for name in names))
        return
    width = max(len(name) for name in (*catalogue(), *soft))
    for metric in catalogue().values():
        click.echo(f"{metric.name:<{width}}  {metric.summary}")
    if installed("metrics"):
        click.echo("\nOf installed packages:\n")
        for name in installed("metrics"):
            click.echo(f"{name:<{width}}  {_summary(name)}")
    click.echo("\nOf probability maps (dicecli soft):\n")
    for score in soft.values():
        click.echo(f"{score.name:<{width}}  {score.summary}")
    click.echo("\nExplain one: dicecli metrics dice. Averages and conventions: docs/conventions.md.")


def _summary(name: str) -> str:
    """Return the line of a metric of an installed package; a broken one says so, and breaks no other."""
    try:
        return added(name).summary
    except BrokenPlugin as error:
        return str(error.message)


def _found(name: str, soft: dict[str, SoftScore]) -> str:
    """Explain the score or metric of a name.

    Raises
    ------
    UnknownName
    """
    wanted = name.strip().lower().replace("-", "_").replace(" ", "_")
    if wanted not in soft:
        return _explained(resolve(name, tuple(soft)))
    score = soft[wanted]
    return _lines(
        score.name,
        score.summary,
        [
            ("of", "probability maps: dicecli soft"),
            ("formula", score.formula),
            ("range", score.range),
            ("better", score.better),
            ("undefined", f"where {score.undefined}"),
            ("source", score.source),
        ],
    )


def _explained(metric: Metric) -> str:
    policy = "that value instead" if metric.follows_policy else "no effect"
    facts = [
        ("formula", metric.formula),
        ("range", metric.range),
        ("better", metric.better),
        ("undefined", f"where {metric.undefined}"),
        ("--undefined", f"zero or one: {policy}"),
        ("other names", ", ".join(alias.replace("_", " ") for alias in metric.aliases) or "none"),
        ("averages", _averages(metric)),
        ("source", metric.source),
    ]
    if metric.of != "counts":
        facts.insert(0, ("of", f"the statistic {metric.of}, measured where a metric of it is asked for"))
    if metric.unit is not None:
        columns = ", ".join(metric.in_unit(unit).name for unit in LENGTHS)
        facts.insert(-1, ("unit", f"that of the spacing, or pixels; it stands in the column: {columns}"))
    return _lines(metric.name, metric.summary, facts)


def _averages(metric: Metric) -> str:
    if metric.averaged and not metric.pools:
        return f"{' and '.join(OF_VALUES)} alone: values of single cases do not add up"
    return "yes" if metric.averaged else "no"


def _lines(name: str, summary: str, facts: list[tuple[str, str]]) -> str:
    lines = [click.style(name, bold=True), *textwrap.wrap(f"{summary}.", 90), ""]
    for key, value in facts:
        lines += textwrap.wrap(value, 76, initial_indent=f"{key:<13}", subsequent_indent=" " * 13)
    return "\n".join(lines)
