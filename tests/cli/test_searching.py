"""Configuration files: where they are found."""

from __future__ import annotations

import pytest
from files_of_options import TABLE, own, shared

from dicecli.cli.searching import find
from dicecli.errors import ConfigError


@pytest.fixture
def deep(tmp_path):
    """Return a folder of a repository: tmp_path/repository/.git, and tmp_path/repository/one/two."""
    folder = tmp_path / "repository" / "one" / "two"
    folder.mkdir(parents=True)
    (tmp_path / "repository" / ".git").mkdir()
    return folder


@pytest.mark.parametrize("write", [lambda folder: own(folder, ""), shared])
@pytest.mark.parametrize("above", [0, 1, 2])
def test_it_is_found_in_the_folder_or_above(deep, write, above):
    """Either file counts, up to the folder that holds .git, which is searched itself."""
    expected = write([deep, *deep.parents][above])
    assert expected == find(deep).path


def test_the_nearest_wins(deep):
    """A file further up is not read, whichever of the two names it has."""
    own(deep.parent.parent, "")
    expected = shared(deep)
    assert expected == find(deep).path


def test_the_search_ends_with_the_repository(deep):
    """What lies above a repository is not its own; .git may be a file, as in a worktree."""
    own(deep.parent.parent.parent, "")
    assert None is find(deep).path
    (deep / ".git").write_text("gitdir: elsewhere")
    own(deep.parent, "")
    assert None is find(deep).path


def test_a_pyproject_without_the_table_is_passed_by(deep):
    """Other projects' files, even broken ones, are none of this program's business."""
    expected = own(deep.parent.parent, "")
    shared(deep, "[project]\nname = 'dicecli'\n")
    shared(deep.parent, "[project\n")
    assert expected == find(deep).path


def test_two_in_one_folder_are_an_error(deep):
    """Nobody guesses which of them is meant."""
    own(deep, "")
    shared(deep, "[project]\nname = 'other'\n")
    assert deep / "dicecli.toml" == find(deep).path
    shared(deep)
    with pytest.raises(ConfigError, match=r"both dicecli\.toml and") as error:
        find(deep)
    assert str(deep) == error.value.path


def test_a_broken_pyproject_with_the_table_is_an_error(deep):
    """A gate must not vanish because its file is broken."""
    shared(deep, TABLE + "band\n")
    with pytest.raises(ConfigError, match="line 3"):
        find(deep)
