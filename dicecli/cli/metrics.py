"""``dicecli metrics``: the catalogue."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import click

from dicecli.cli import completing
from dicecli.cli.helping import OptionsCommand
from dicecli.cli.terminal import prose
from dicecli.errors import BrokenPlugin
from dicecli.metrics._catalogue import added, catalogue, resolve, usual_of
from dicecli.plugins import installed
from dicecli.records.lengths import LENGTHS
from dicecli.reports.averages import without_pools
from dicecli.reports.text import inert
from dicecli.words import plain

if TYPE_CHECKING:
    from dicecli.metrics._metric import Metric

_EPILOG = """\b
Examples:
  dicecli metrics
  dicecli metrics dice sensitivity
"""
_COMMANDS = {
    "labels": "masks of labels: dicecli score, dicecli batch",
    "probabilities": "probability maps: dicecli soft, dicecli batch --soft",
}


@click.command("metrics", cls=OptionsCommand, epilog=_EPILOG)
@click.argument("names", metavar="[NAME]...", nargs=-1, shell_complete=completing.metrics)
def command(names: tuple[str, ...]) -> None:
    """List the metrics, or explain one.

    With a NAME (or another name of the field for the same number, such as sensitivity or jaccard): its
    formula, range, when it is undefined, other names, and source.
    """
    if names:
        click.echo("\n\n".join(_of_family(name) or _explained(resolve(name)) for name in names))
        return
    every = catalogue().values()
    width = max(len(metric.name) for metric in every)
    for metric in every:
        if metric.reads == "labels":
            click.echo(_listed(metric.name, metric.summary, width))
    if installed("metrics"):
        click.echo("\nOf installed packages:\n")
        for name in installed("metrics"):
            click.echo(_listed(name, _summary(name), width))
    click.echo("\nOf probability maps (dicecli soft):\n")
    for metric in every:
        if metric.reads == "probabilities":
            click.echo(_listed(metric.name, metric.summary, width))
    click.echo("\nExplain one: dicecli metrics dice. Averages and conventions: docs/conventions.md.")


def _listed(name: str, summary: str, width: int) -> str:
    """Return the line of a metric; what is wider than the terminal goes on below, under itself."""
    start = f"{inert(name):<{width}}  "
    return textwrap.fill(inert(summary), prose(), initial_indent=start, subsequent_indent=" " * len(start))


def _summary(name: str) -> str:
    """Return the line of a metric of an installed package; a broken one says so, and breaks no other."""
    try:
        return added(name).summary
    except BrokenPlugin as error:
        return str(error.message)


def _of_family(name: str) -> str:
    """Say which metrics the name of a family stands for; nothing where it is none."""
    usual = usual_of(plain(name))
    lengths = {
        each.parameter.stem(each.name): each.parameter.name
        for each in catalogue().values()
        if each.parameter is not None and each.parameter.units
    }
    said = [f"{each} (with each --{lengths[each]})" if each in lengths else each for each in usual]
    return (
        f"{plain(name)}\n-m {plain(name)} is the usual metrics of this family: {', '.join(said)}."
        if usual
        else ""
    )


def _explained(metric: Metric) -> str:
    policy = "that value instead" if metric.follows_undefined else "no effect"
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
    if metric.reads != "labels":
        facts.insert(0, ("of", _COMMANDS[metric.reads]))
    elif metric.of != "counts":
        facts.insert(0, ("of", f"the statistic {metric.of}, measured where a metric of it is asked for"))
    if metric.parameter is not None:
        name, units = metric.parameter.name, metric.parameter.units
        span = f"{metric.parameter.low:g} to {metric.parameter.high:g}".replace("inf", "infinity")
        of_unit = f", with its unit ({', '.join(units)})" if units else ""
        facts.insert(1, (name, f"a number in the metric's name, from {span}{of_unit}: {metric.example}"))
    if metric.unit is not None:
        columns = ", ".join(f"{metric.name}_{unit}" for unit in LENGTHS)
        facts.insert(-1, ("unit", f"that of the spacing, or pixels; it stands in the column: {columns}"))
    if metric.options:
        facts.insert(-1, ("options", ", ".join(f"--{each.replace('_', '-')}" for each in metric.options)))
    return _lines(metric.name, metric.summary, facts)


def _averages(metric: Metric) -> str:
    if metric.averaged and not metric.pools:
        return f"{' and '.join(without_pools())} alone: values of single cases do not add up"
    return "yes" if metric.averaged else "no"


def _lines(name: str, summary: str, facts: list[tuple[str, str]]) -> str:
    lines = [click.style(inert(name), bold=True), *textwrap.wrap(inert(f"{summary}."), prose()), ""]
    for key, value in facts:
        lines += textwrap.wrap(inert(value), prose(), initial_indent=f"{key:<13}", subsequent_indent=" " * 13)
    return "\n".join(lines)
