"""``dicecli metrics``: the catalogue."""

from __future__ import annotations

import textwrap

import click

from dicecli.catalogue import Metric, catalogue, resolve


@click.command("metrics")
@click.argument("names", metavar="[NAME]...", nargs=-1)
def command(names: tuple[str, ...]) -> None:
    """List the metrics, or explain one.

    With a NAME (or another name of the field for the same number, such as sensitivity or jaccard): its
    formula, range, when it is undefined, other names, and source.
    """
    if names:
        click.echo("\n\n".join(_explained(resolve(name)) for name in names))
        return
    width = max(len(name) for name in catalogue())
    for metric in catalogue().values():
        click.echo(f"{metric.name:<{width}}  {metric.summary}")
    click.echo("\nExplain one: dicecli metrics dice. Averages and conventions: docs/conventions.md.")


def _explained(metric: Metric) -> str:
    policy = "that value instead" if metric.follows_policy else "no effect"
    facts = [
        ("formula", metric.formula),
        ("range", metric.range),
        ("better", metric.better),
        ("undefined", f"where {metric.undefined}"),
        ("--undefined", f"zero or one: {policy}"),
        ("other names", ", ".join(alias.replace("_", " ") for alias in metric.aliases) or "none"),
        ("averages", "yes" if metric.averaged else "no"),
        ("source", metric.source),
    ]
    lines = [click.style(metric.name, bold=True), *textwrap.wrap(f"{metric.summary}.", 90), ""]
    for key, value in facts:
        lines += textwrap.wrap(value, 76, initial_indent=f"{key:<13}", subsequent_indent=" " * 13)
    return "\n".join(lines)
