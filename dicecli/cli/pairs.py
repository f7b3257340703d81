"""What ``--dry-run`` shows of a batch: which files are paired, and what is left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from dicecli.reports.text import inert
from dicecli.words import counted

if TYPE_CHECKING:
    from dicecli.records.settings import Settings
    from dicecli.runs.pairing import Pairing


def say_left_out(pairing: Pairing, *, verbose: bool) -> None:
    """Name on standard error, with `verbose`, what lies in the folders and is no case."""
    for path in pairing.left_out if verbose else ():
        click.echo(f"Left out: {inert(path)}", err=True)


def show_pairs(pairing: Pairing, settings: Settings, *, verbose: bool) -> int:
    """Print the pairing; the exit code is what a run would give for want of predictions."""
    from dicecli.runs.classes import is_complete, said_of

    missing = [case for case in pairing.cases if case.prediction is None]
    partly = [case for case in pairing.cases if not is_complete(case, settings)]
    for case in pairing.cases:
        prediction = "NO PREDICTION" if case.prediction is None else inert(said_of(case.prediction))
        click.echo(f"{inert(case.name)}\n  prediction  {prediction}")
        click.echo(f"  reference   {inert(said_of(case.reference))}")
        if case.within is not None:
            click.echo(f"  within      {inert(str(case.within))}")
    lack = f", {len(partly):,} with a class that one side lacks" if partly else ""
    click.echo(f"{counted(len(pairing.cases), 'case')}, {len(missing):,} without prediction{lack}")
    for note in pairing.notes:
        click.echo(f"Note: {inert(note)}", err=True)
    say_left_out(pairing, verbose=verbose)
    return 3 if (missing or partly) and settings.missing == "error" else 0
