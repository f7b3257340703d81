"""One table, four ways: an option on the command line, in a file, in Python and in the settings is one option."""

from __future__ import annotations

import inspect
import json
import re
from importlib import import_module

import click
import pytest
from streams import runner

import dicecli
from dicecli.cli import cli
from dicecli.cli.configuration import load
from dicecli.cli.defaults import COMMANDS, _known
from dicecli.cli.helping import SHOWS_ALL, TOPICS, SharedOption
from dicecli.cli.options import settings_from
from dicecli.records.options import Option, table_of
from dicecli.records.settings import KINDS, AnyOptions, reads_of
from dicecli.reports.reading_back import settings_from_dict

#: Of options whose values are texts with a meaning of their own: what is typed, and the same in Python.
TEXTS = {
    "metrics": ("all", ["all"]),
    "labels": ("voc", "voc"),
    "regions": ("both=1,2", {"both": [1, 2]}),
    "map_prediction": ("0-9:+1", {"0-9": "+1"}),
    "map_reference": ("5=1,*=ignore", {5: 1, "*": "ignore"}),
    "max_memory": ("2GiB", "2GiB"),
    "channels": ("1,2", [1, 2]),
    "tolerance": ("2mm", ["2mm"]),
    "group_by": ("fold", "fold"),
    "boundary_width": ("5px", "5px"),
    "empty_distance": ("diagonal", "diagonal"),
}
#: What an option needs beside it to make sense.
WITH = {"temperature": {"logits": "sigmoid"}}
#: Which parts of the options a command has, and what it reads.
TAKES = {
    "score": ("labels", {"reporting", "scoring", "reading", "pairing"}),
    "soft": ("probabilities", {"reporting", "scoring", "reading"}),
    "inspect": ("labels", {"reading"}),
    "batch": (None, {"reporting", "scoring", "reading", "pairing", "summing"}),
}
#: Those that commands take; what is asked for by a file is in the table of the parts of a report.
TAKEN = {name: each for name, each in table_of(AnyOptions).items() if each.part != "measuring"}
EACH = [pytest.param(name, reads, id=f"{name} of {reads}") for name in TAKEN for reads in reads_of(name)]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Return an empty folder, which is the current one and a repository of its own."""
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def list_commands():
    return cli.list_commands(None)


def of(command):
    return import_module(f"dicecli.cli.{command}").command


def example(name):
    """Return a value that is not the default: as it is typed, None for a flag, and as it is in Python."""
    if name in TEXTS:
        return TEXTS[name]
    option = table_of(AnyOptions)[name]
    if option.type == "flag":
        return None, True
    if option.choices:
        return option.choices[-1], option.choices[-1]
    value = 0.5 if option.type == "number" else 2
    return str(value), value


def typed(name, reads):
    """Return the settings that `batch` makes of an option on its command line."""
    values = {name: example(name)} | {each: (value, value) for each, value in WITH.get(name, {}).items()}
    options = ["--soft"] if reads == "probabilities" else []
    for each, (text, _) in values.items():
        options += [f"--{table_of(AnyOptions)[each].key}", *([] if text is None else [text])]
    return settings_from(
        dict(of("batch").make_context("batch", options).params), soft=reads == "probabilities"
    )


def kept(name, reads, folder):
    """Return the settings that `batch` makes of an option in a configuration file."""
    _, value = example(name)
    if name in TEXTS:
        value = TEXTS[name][0]
    lines = {name: value} | WITH.get(name, {})
    path = folder / "dicecli.toml"
    path.write_text(
        "".join(f"{table_of(AnyOptions)[each].key} = {json.dumps(value)}\n" for each, value in lines.items())
    )
    found = load(path, _known("batch")[1])
    context = of("batch").make_context("batch", [], default_map=found)
    return settings_from(dict(context.params), soft=reads == "probabilities")


@pytest.mark.parametrize(("name", "reads"), EACH)
def test_an_option_means_the_same_everywhere(name, reads, tmp_path):
    """Command line, file and keyword come to the same settings, which are others than without it."""
    soft = reads == "probabilities"
    keywords = {name: example(name)[1], **WITH.get(name, {})}
    expected = dicecli.make_settings(soft=soft, **keywords)
    assert expected == typed(name, reads)
    assert expected == kept(name, reads, tmp_path)
    assert expected != dicecli.make_settings(soft=soft, **WITH.get(name, {}))


@pytest.mark.parametrize(("name", "reads"), EACH)
def test_an_option_is_kept_in_records(name, reads):
    """Reports say it, and what they say gives the same settings again."""
    soft = reads == "probabilities"
    keywords = {name: example(name)[1], **WITH.get(name, {})}
    settings = dicecli.make_settings(soft=soft, **keywords)
    record = json.loads(json.dumps(settings.to_dict()))
    again = settings_from_dict(record)
    assert record != dicecli.make_settings(soft=soft, **WITH.get(name, {})).to_dict()
    assert record == again.to_dict()
    assert (settings.soft, settings.average) == (again.soft, again.average)


@pytest.mark.parametrize("command", TAKES)
def test_a_command_has_the_options_of_its_parts(command):
    """No more and no fewer than the table says, each with its long and short name, its default and its range."""
    reads, parts = TAKES[command]
    table = table_of(AnyOptions if reads is None else KINDS[reads])
    expected = {name: each for name, each in table.items() if each.part in parts}
    found = {each.name: each for each in of(command).params if each.name in table_of(AnyOptions)}
    assert expected.keys() == found.keys()
    for name, each in expected.items():
        shown = found[name]
        assert isinstance(shown, SharedOption)
        assert f"--{each.key}" in shown.opts
        assert (f"-{each.short}" in shown.opts) == (each.short is not None)
        assert shown.multiple == each.is_many
        assert bool(shown.is_flag) == (each.type == "flag")
        assert shown.reads == reads_of(name)
        assert (
            each.is_many
            or of(command).make_context("x", ["a", "b"]).params[name] == each.default
            or each.type == "text"
        )
        assert set(each.choices) <= set(getattr(shown.type, "choices", ()))


def test_report_has_the_options_on_reports():
    """Results that are rendered again take what is about reports alone."""
    names = {each.name for each in of("report").params}
    assert {"metrics", "average", "group_by", "only"} == names & table_of(AnyOptions).keys()


@pytest.mark.parametrize(
    ("function", "reads"),
    [("score", "labels"), ("soft", "probabilities"), ("batch", None), ("make_settings", None)],
)
def test_python_has_the_options_of_its_kind(function, reads):
    """Every option is a keyword with its default and its type, and the docstring explains it."""
    table = table_of(AnyOptions if reads is None else KINDS[reads])
    function = getattr(dicecli, function)
    keywords = inspect.signature(function).parameters
    for name, each in table.items():
        assert keywords[name].kind is inspect.Parameter.KEYWORD_ONLY
        assert keywords[name].default == each.default
        assert keywords[name].annotation != inspect.Parameter.empty
        assert f"\n    {name} : " in function.__doc__
    others = table_of(AnyOptions).keys() - table.keys()
    assert not others & keywords.keys()


def test_every_option_stands_in_a_file():
    """The keys of a configuration file are the long names of the table, with its choices."""
    for command in COMMANDS:
        _, known = _known(command)
        for each in TAKEN.values():
            kind = known[each.key]
            assert (kind.name, kind.is_flag, kind.is_multiple) == (
                each.name,
                each.type == "flag",
                each.is_many,
            )
            assert set(each.choices) <= set(kind.choices)
            assert kind.is_path == each.is_path
            assert each.choices or each.type in {"flag", kind.type}


@pytest.mark.parametrize("name", [name for name in TAKEN if len(reads_of(name)) == 1])
def test_an_option_of_the_other_kind_is_refused_by_name(name):
    """On the command line of `batch`; the hint says what leads on, and does."""
    (reads,) = reads_of(name)
    text, _ = example(name)
    long = f"--{table_of(AnyOptions)[name].key}"
    arguments = ["batch", "no", "where", long, *([] if text is None else [text])]
    if reads == "labels":
        arguments.append("--soft")
    done = runner().invoke(cli, arguments)
    assert done.exit_code == 2
    assert f"{long} is for {'masks' if reads == 'labels' else 'probability maps'}" in done.stderr
    assert f"Hint: Leave it out, or {'leave out' if reads == 'labels' else 'add'} --soft." in done.stderr


def test_help_of_both_kinds_says_which_options_go_with_soft():
    """Where --soft is a choice, an option that not every run has says so; elsewhere there is nothing to say."""
    context = click.Context(of("batch"))
    context.meta[SHOWS_ALL] = True
    for each in of("batch").params:
        if isinstance(each, SharedOption):
            _, said = each.get_help_record(context)
            assert said.endswith("[with --soft]") == (each.reads == ("probabilities",))
            assert said.endswith("[without --soft]") == (each.reads == ("labels",))
    assert [each for each in of("batch").params if getattr(each, "reads", ()) == ("labels",)]
    for command in ("score", "soft"):
        assert "--soft]" not in runner().invoke(cli, [command, "--help"]).stdout


@pytest.mark.parametrize("command", list_commands())
def test_help_in_two_parts(command, folder):
    """--help shows the usual options and how many others there are, --help-all every one; neither asks the file."""
    (folder / "dicecli.toml").write_text("nothing = 1\n")
    usual, every = (runner().invoke(cli, [command, word]) for word in ("--help", "--help-all"))
    assert (usual.exit_code, every.exit_code, usual.stderr, every.stderr) == (0, 0, "", "")
    found = {
        each.name: max(each.opts, key=len) for each in of(command).params if isinstance(each, SharedOption)
    }
    hidden = {max(each.opts, key=len) for each in of(command).unusual}
    table = table_of(AnyOptions)
    assert hidden >= {long for name, long in found.items() if not table.get(name, Option("")).is_usual}
    shown = {long for long in found.values() if re.search(rf"^  (-\w, )?{long} ", usual.stdout, re.MULTILINE)}
    assert shown == {*found.values()} - hidden
    assert all(re.search(rf"^  (-\w, )?{long}\b", every.stdout, re.MULTILINE) for long in found.values())
    assert bool(hidden) == (command in {"score", "batch", "soft", "inspect", "points", "area"})
    assert ("--help-all" in usual.stdout) == bool(hidden)
    said = f"  {len(hidden)} more options: cli {command} --help-all"
    assert (usual.stdout.splitlines()[-1] == said) == bool(hidden)
    assert "more options" not in every.stdout


@pytest.mark.parametrize("command", list_commands())
def test_help_shows_options_in_groups(command):
    """Every option has one, in one order everywhere, the usual ones first; examples stand before them."""
    own = [each for each in of(command).params if isinstance(each, click.Option)]
    assert [] == [each for each in own if not isinstance(each, SharedOption)]
    said = runner().invoke(cli, [command, "--help-all"], terminal_width=80).stdout
    heads = re.findall(r"^([A-Z].*):$", said, re.MULTILINE)
    assert [
        title for topic, title in TOPICS.items() if topic == "help" or topic in {each.topic for each in own}
    ] == heads
    assert "Examples:" not in said or said.index("Examples:") < said.index(f"\n{heads[0]}:")
    for title, body in zip(heads, re.split(r"^[A-Z].*:$", said, flags=re.MULTILINE)[1:], strict=True):
        longs = re.findall(r"^  (?:-\w, )?(--[a-z-]+)", body, re.MULTILINE)
        inside = {max(each.opts, key=len): each.is_usual for each in own if TOPICS[each.topic] == title}
        assert sorted(longs, key=lambda long: not inside.get(long, True)) == longs
        assert title == TOPICS["help"] or {*inside} == {*longs}


def test_what_help_hides_can_be_given_all_the_same(folder):
    """An option that --help does not show is one like any other, in a file as well, and config shows it."""
    (folder / "dicecli.toml").write_text('percentile-rule = "step"\n')
    done = runner().invoke(cli, ["config", "score", "-f", "json"])
    assert json.loads(done.stdout)["commands"]["score"]["percentile-rule"] == {
        "value": "step",
        "from": "file",
    }
    assert "help-all" not in json.loads(done.stdout)["commands"]["score"]
