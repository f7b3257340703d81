"""Limits on how large a mask may be: the same in a shell, in a file of options, and in Python."""

from __future__ import annotations

import json
import os
import re

import make
import numpy as np
import pytest
from click.testing import CliRunner

import dicecli
from dicecli.cli import cli
from dicecli.errors import NotARegularFile, TooLarge, UsageError
from dicecli.masks import files
from dicecli.masks.opening import open_mask
from dicecli.records import limits
from dicecli.records.limits import in_bytes, parse_bytes
from dicecli.records.settings import Settings
from dicecli.runs.scoring import make_settings

needs_pipes = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")


def written(folder, suffix):
    """Write a mask of 600 pixels in a format, and return its path as text."""
    labels = make.blobs((20, 30))
    write = {".png": make.png, ".tif": make.geotiff}.get(suffix, make.nifti)
    return str(write(folder / f"a{suffix}", labels))


@pytest.mark.parametrize("suffix", [".png", ".tif", ".nii", ".nii.gz", ".hdr"])
def test_more_pixels_than_allowed_are_refused(tmp_path, suffix):
    """A mask of as many pixels as are allowed is read; of one more it is TooLarge, and the hint allows it."""
    path = written(tmp_path, suffix)
    with open_mask(path, make_settings(max_pixels=600)) as source:
        assert (20, 30) == source.shape
    with pytest.raises(TooLarge, match="20 x 30 = 600 pixels; 599 are allowed") as caught:
        open_mask(path, make_settings(max_pixels=599))
    assert "--max-pixels 600" in caught.value.hint


def test_more_memory_than_allowed_is_refused(tmp_path):
    """What has to be held whole, or in large blocks, is held against --max-memory: a PNG, one strip of a TIFF."""
    for suffix, needs in ((".png", 600), (".tif", 600)):
        path = written(tmp_path, suffix)
        with pytest.raises(TooLarge, match="of memory; 500B are allowed") as caught:
            open_mask(path, make_settings(max_memory=needs - 100))
        assert "--max-memory" in caught.value.hint
        open_mask(path, make_settings(max_memory="2kB")).close()


def test_a_stream_takes_memory_only_where_it_is_turned(tmp_path):
    """A .nii.gz that is read forwards needs none of its size; read in another order it must be held whole."""
    path = str(make.nifti(tmp_path / "a.nii.gz", make.blobs((8, 9, 10))))
    planes = [(slice(0, 8), slice(0, 9), slice(n, n + 1)) for n in range(10)]
    for most, order in ((100, planes), (720, planes[::-1])):
        with open_mask(path, make_settings(max_memory=most)) as source:
            for window in order:
                source.read(window)
    source = open_mask(path, make_settings(max_memory=719))
    with source, pytest.raises(TooLarge, match="held whole, to be read in another order"):
        source.read(planes[-1])


@pytest.mark.parametrize(
    ("text", "number"),
    [("1", 1), ("500000000", 500_000_000), ("500MB", 500_000_000), ("2 GiB", 2 << 30), ("1.5kb", 1500)],
)
def test_sizes_in_words(text, number):
    """Sizes are numbers of bytes, or have a unit of 1,000s or 1,024s, in any case."""
    assert number == limits.parse_bytes(text)


@pytest.mark.parametrize("text", ["", "much", "-1", "1 parsec", "0", "MB", "nan", "1e9"])
def test_sizes_that_are_none(text):
    """What is no size, or nothing, is wrong usage that shows how to write one."""
    with pytest.raises(UsageError, match="no number of bytes"):
        limits.parse_bytes(text)


@pytest.mark.parametrize("command", ["score", "batch", "inspect"])
def test_the_options_of_every_command_that_reads(tmp_path, command):
    """score, batch and inspect take both limits, and a mask beyond them is exit code 3."""
    for side in ("p", "r"):
        (tmp_path / side).mkdir()
        written(tmp_path / side, ".png")
    masks = [str(tmp_path / side / "a.png") for side in ("p", "r")]
    words = [command, *([str(tmp_path / "p"), str(tmp_path / "r")] if command == "batch" else masks)]
    assert 0 == CliRunner().invoke(cli, [*words, "--max-pixels", "600", "--max-memory", "2kB"]).exit_code
    for limit in (["--max-pixels", "599"], ["--max-memory", "600"]):
        ended = CliRunner().invoke(cli, [*words, *limit])
        assert (3, True) == (ended.exit_code, "TooLarge" in ended.output or "are allowed" in ended.output)
    assert 2 == CliRunner().invoke(cli, [*words, "--max-pixels", "0"]).exit_code
    assert 2 == CliRunner().invoke(cli, [*words, "--max-memory", "much"]).exit_code


def test_points_and_areas_take_both_limits(tmp_path):
    """A map at points, and one whose area is counted: with what the hint says they are read."""
    path = make.geotiff(tmp_path / "a.tif", make.blobs((20, 30)), transform=(1, 0, 0, 0, -1, 0))
    places, matrix = tmp_path / "p.csv", tmp_path / "m.csv"
    places.write_text("x,y,class\n2.5,-3.5,1\n20.5,-10.5,2\n")
    matrix.write_text("reference,name,0,1,2,3\n" + "".join(f"{label},,5,5,5,5\n" for label in range(4)))
    for words in (["points", str(path), str(places)], ["area", str(matrix), "--areas", str(path)]):
        for limit in ("--max-pixels 599", "--max-memory 599"):
            refused = CliRunner().invoke(cli, [*words, *limit.split()], terminal_width=500)
            hint = re.search(rf"{limit.split()[0]} \d+", refused.output)
            assert (3, True) == (refused.exit_code, hint is not None), refused.output
            assert 0 == CliRunner().invoke(cli, [*words, *hint[0].split()]).exit_code
    with pytest.raises(TooLarge):
        dicecli.points(path, places, max_memory=599)
    with pytest.raises(TooLarge):
        dicecli.area(matrix, path, max_pixels=599)


def test_the_limits_stand_in_a_file_of_options(tmp_path, monkeypatch):
    """A repository can lower both for all that is scored in it."""
    path = written(tmp_path, ".png")
    monkeypatch.chdir(tmp_path)
    for text in ("max-pixels = 599", 'max-memory = "600B"'):
        (tmp_path / "dicecli.toml").write_text(text)
        assert 3 == CliRunner().invoke(cli, ["score", path, path]).exit_code


def test_the_limits_in_python_and_in_reports(tmp_path):
    """The Python twins take them, and the record says what they were."""
    path = written(tmp_path, ".png")
    with pytest.raises(TooLarge):
        dicecli.score(path, path, max_pixels=10)
    settings = dicecli.score(path, path, max_pixels=1000, max_memory="1MB").to_dict()["settings"]
    assert (1000, 10**6) == (settings["max_pixels"], settings["max_memory"])
    usual = json.loads(json.dumps(Settings().to_dict()))
    assert (1 << 40, 16 << 30) == (usual["max_pixels"], usual["max_memory"])
    with pytest.raises(UsageError):
        dicecli.score(path, path, max_pixels=0)


def test_a_large_file_that_claims_little_is_not_read(tmp_path):
    """A PNG's header may claim one pixel in a file of terabytes, which sparse files take no disk for."""
    path = tmp_path / "a.png"
    path.write_bytes(make.raw_png(np.zeros((1, 1), np.uint8)))
    with path.open("r+b") as file:
        file.truncate(20 << 30)
    with pytest.raises(TooLarge, match="a PNG must be held whole"):
        open_mask(str(path))


@needs_pipes
def test_a_file_that_has_become_a_pipe_is_not_waited_for(tmp_path):
    """Between the check and the opening a file may be replaced: what is open must be a regular file."""
    path = tmp_path / "a.png"
    os.mkfifo(path)
    with pytest.raises(NotARegularFile):
        files.open_regular(path)


@pytest.mark.parametrize("number", [1, 1023, 4096, 10_239, 262_145, 123_456_789, 16 << 30, 7**20])
def test_bytes_are_written_as_they_are_read(number):
    """What a hint proposes is enough, and little more; what is allowed is not said to be more than it is."""
    least, most = parse_bytes(in_bytes(number, -1)), parse_bytes(in_bytes(number))
    assert 0.9 * number <= least <= number <= most <= 1.1 * number
    assert len(in_bytes(number)) <= 12
