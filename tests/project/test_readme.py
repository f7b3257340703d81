"""The README says what is so: every command in it runs, and shows what it shows there."""

from __future__ import annotations

import itertools
import re
import shlex
import shutil

import pytest
from readme_blocks import ROOT, blocks, run

README = (ROOT / "README.md").read_text(encoding="utf-8")
TASKS = blocks(README, "sh")[1:]
#: For users, and for engineers.
DOCS = sorted((ROOT / "docs").rglob("*.md"))
#: Commands with their output, on any page.
SHOWN = [
    block.rstrip("\n").split("\n", 1)
    for page in (ROOT / "README.md", *DOCS)
    for block in blocks(page.read_text(encoding="utf-8"), "console")
]


@pytest.fixture
def folder(tmp_path):
    """Return a folder that has the sample masks, as the project's root has them."""
    shutil.copytree(ROOT / "sample_masks", tmp_path / "sample_masks")
    return tmp_path


@pytest.mark.parametrize(("command", "expected"), SHOWN, ids=[command for command, _ in SHOWN])
def test_a_command_prints_what_is_shown(command, expected, folder):
    """The output under a command is the real one of 80 columns, to the letter, in the README and in docs."""
    code = 3 if "Error:" in expected else 0
    assert expected == run(command.removeprefix("$ "), folder, code).rstrip("\n")


@pytest.mark.parametrize("block", TASKS, ids=[block.split("\n", 1)[0] for block in TASKS])
def test_the_commands_of_a_task_run(block, folder):
    """Commands that are shown without their output succeed, one after the other, and print something."""
    for command in block.splitlines():
        assert run(command, folder)


def commands_of(page):
    """Return what a page has typed that can be run here: on sample masks, or on a file that it had written before."""
    found, made = [], set()
    for block in blocks(page.read_text(encoding="utf-8"), "sh"):
        for line in block.splitlines():
            words = shlex.split(line, comments=True)
            if words[:1] == ["dicecli"] and made.union(["sample_masks"]) & {
                each.split("/")[0] for each in words
            }:
                found.append(line)
                made |= {word for option, word in itertools.pairwise(words) if option in {"-o", "--output"}}
    return found


#: The pages whose commands run, but for docs/extending.md, which has a test of its own.
RUNNING = {page.stem: found for page in DOCS if page.stem != "extending" and (found := commands_of(page))}


@pytest.mark.parametrize("page", RUNNING)
def test_the_commands_of_the_docs_run(page, folder):
    """What a page shows on sample masks, or on what it wrote, succeeds, one command after the other."""
    for command in RUNNING[page]:
        assert run(command, folder)


def test_the_pages_for_users_show_commands_that_run():
    """Commands are found on them: a change of their form does not silence the test."""
    assert {"score", "batch", "soft", "labels", "conventions"} <= set(RUNNING)
    assert sum(map(len, RUNNING.values())) > 10


def test_the_readme_is_short_and_its_outputs_fit_80_columns():
    """Below 250 lines; longer outputs stand in docs."""
    assert len(README.splitlines()) < 250
    outputs = [block.split("\n", 1)[1] for block in blocks(README, "console") if " -f csv" not in block]
    assert len(outputs) > 2
    tables = [text for text in outputs if not text.startswith("Error:")]
    assert max(len(line) for text in tables for line in text.splitlines()) <= 80


def test_the_set_up_has_two_commands():
    """The first sh block is the set-up: two lines, each of which a fresh clone runs as it is."""
    install, test = blocks(README, "sh")[0].splitlines()
    assert install.startswith("python3 -m venv .venv && ")
    assert "dicecli score sample_masks/" in install
    assert test.startswith("(test -d .venv || python3 -m venv .venv) && ")
    assert test.endswith(".venv/bin/python -m pytest")


def test_the_python_example_runs(monkeypatch):
    """The Python block runs as it stands, and gives what its comments say."""
    monkeypatch.chdir(ROOT)
    names: dict = {}
    (example,) = blocks(README, "python")
    exec(example, names)  # noqa: S102 - the README's own code
    assert names["dicecli"].Counts(4, 2, 0, 2) == (names["matrix"] + names["matrix"]).counts(1)
    macro = names["report"].averages["macro"]["dice"].value
    assert 0.8 < macro < 0.81


def test_links_of_the_documentation_lead_somewhere():
    """Every relative link in the README and in docs leads to a file that is there."""
    for page in (ROOT / "README.md", *DOCS):
        for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            if not target.startswith("http"):
                assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_every_command_of_the_docs_names_a_real_command():
    """What docs show as a dicecli command uses commands and options that exist."""
    from dicecli.cli import cli

    for page in (each for each in DOCS if each.stem != "extending"):
        for block in blocks(page.read_text(encoding="utf-8"), "sh"):
            for line in block.splitlines():
                words = shlex.split(line, comments=True)
                if not words or words[0] != "dicecli" or words[1].startswith("-"):
                    continue
                command = cli.get_command(None, words[1])
                assert command is not None, f"{page.name}: {line}"
                options = {name for parameter in command.params for name in parameter.opts}
                for word in words[2:]:
                    if word.startswith("-"):
                        assert word.split("=")[0] in options | {"--help", "--help-all"}, (
                            f"{page.name}: {line}"
                        )


def test_every_average_is_defined_on_the_page_of_conventions():
    """The page has a line for each average over labels, and names each over regions."""
    from dicecli.reports.averages import AVERAGES, OVER_REGIONS, definition

    page = (ROOT / "docs" / "conventions.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `([\w-]+)` \| (.+?) \|", page, re.MULTILINE))
    assert {name: definition(name) for name in AVERAGES} == {name: rows.get(name) for name in AVERAGES}
    assert [] == [name for name in OVER_REGIONS if f"`{name}`" not in page]


def test_every_command_is_on_some_page():
    """What the command line has is shown to users."""
    from dicecli.cli import cli

    text = README + "".join(page.read_text(encoding="utf-8") for page in DOCS)
    assert [] == [name for name in cli.list_commands(None) if f"dicecli {name}" not in text]
