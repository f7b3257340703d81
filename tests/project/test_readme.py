"""The README says what is so: every command in it runs, and shows what it shows there."""

from __future__ import annotations

import shlex
import shutil

import pytest
from readme_blocks import ROOT, blocks, run

README = (ROOT / "README.md").read_text(encoding="utf-8")
SHOWN = [block.rstrip("\n").split("\n", 1) for block in blocks(README, "console")]
TASKS = blocks(README, "sh")[1:]
#: For users, and for engineers.
DOCS = sorted((ROOT / "docs").rglob("*.md"))


@pytest.fixture
def folder(tmp_path):
    """Return a folder that has the sample masks, as the project's root has them."""
    shutil.copytree(ROOT / "sample_masks", tmp_path / "sample_masks")
    return tmp_path


@pytest.mark.parametrize(("command", "expected"), SHOWN, ids=[command for command, _ in SHOWN])
def test_a_command_prints_what_the_readme_shows(command, expected, folder):
    """The output under a command is the real one, to the letter."""
    code = 3 if "Error:" in expected else 0
    assert expected == run(command.removeprefix("$ "), folder, code).rstrip("\n")


@pytest.mark.parametrize("block", TASKS, ids=[block.split("\n", 1)[0] for block in TASKS])
def test_the_commands_of_a_task_run(block, folder):
    """Commands that are shown without their output succeed, one after the other, and print something."""
    for command in block.splitlines():
        assert run(command, folder)


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
    import re

    for page in (ROOT / "README.md", *DOCS):
        for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            if not target.startswith("http"):
                assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_every_command_of_the_docs_names_a_real_command():
    """What docs show as a dicecli command uses commands and options that exist."""
    from dicecli.cli import cli

    for page in DOCS:
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
                        assert word.split("=")[0] in options | {"--help"}, f"{page.name}: {line}"
