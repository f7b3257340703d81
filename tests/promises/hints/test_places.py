"""Every hint of the program is found by reading its source, and belongs to a table of scenarios."""

from __future__ import annotations

import re

import click
import hint_places
from following import MODULES, options_of, table_of_module
from hint_places import OPTION

from dicecli.cli import cli

#: Options that hints name and no command declares: of other programs, and of all commands.
_OF_OTHERS = {"-co", "--help", "--help-all", "--bounds", "--resampling"}


def test_every_hint_belongs_to_a_table():
    assert {name for name in hint_places.places() if table_of_module(name) is None} == set()
    assert len(hint_places.places()) > 300
    assert set(MODULES) == {table_of_module(name) for name in hint_places.places()}


def test_every_option_that_a_hint_names_exists():
    known = {option for name in cli.list_commands(None) for option in options_of(name)} | _OF_OTHERS
    strange = {
        (name, option)
        for name, each in hint_places.places().items()
        for option in OPTION.findall(each.text)
        if option not in known
    }
    assert set() == strange


def test_every_value_that_a_hint_gives_an_option_is_one_of_its_own():
    choices = {
        option: set(each.type.choices)
        for name in cli.list_commands(None)
        for each in cli.get_command(None, name).params
        if isinstance(each.type, click.Choice)
        for option in each.opts
    }
    given = {
        found.groups()
        for each in hint_places.places().values()
        for found in re.finditer(r"(?<![\w-])(--[a-z-]+) ([a-z]+)\b", each.text)
    }
    known = {(option, value) for option, values in choices.items() for value in values}
    strange = {(option, value) for option, value in given if option in choices} - known
    # Where an option is spoken of, words follow it that are no value of it.
    assert {("--executor", "dask"), ("--missing", "zero"), ("--geometry", "ignore")} <= given
    assert strange == set()


def test_every_command_that_a_hint_names_exists():
    named = {
        word
        for each in hint_places.places().values()
        for word in re.findall(r"dicecli ([a-z]+)\b", each.text)
    }
    assert named - {"of", "once"} <= set(cli.list_commands(None)), named


def test_hints_are_told_apart_by_function_and_text(tmp_path):
    """The means itself: a hint in a branch, in a name, in pieces and by way of a function is found each time."""
    module = tmp_path / "module.py"
    module.write_text(
        "from dicecli.errors import UsageError\n"
        '_TAIL = "Or so."\n'
        "def said(n):\n"
        '    hint = "First."\n'
        "    if n:\n"
        '        hint = f"Second {n}. {_TAIL}"\n'
        '    raise UsageError("what", hint)\n'
        "def other():\n"
        '    raise UsageError("what", "Third, " + _how())\n'
        "def _how():\n"
        '    return "with --option" if 1 else "without"\n',
        encoding="utf-8",
    )
    reader = hint_places._Reader.__new__(hint_places._Reader)
    before, hint_places.PACKAGE = hint_places.PACKAGE, tmp_path
    try:
        reader.__init__(module)
        texts = sorted(each.text for each in reader.places() if not each.is_note)
    finally:
        hint_places.PACKAGE = before
    assert ["First.", "Second …. Or so.", "Third, with --option", "Third, without"] == texts
