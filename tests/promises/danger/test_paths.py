"""Paths that no system takes, and paths that only look like one that is there: in every place where one is given."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import unicodedata
from pathlib import Path

import make
import pytest
from streams import runner

import dicecli
from dicecli.cli.choices import FilePath
from dicecli.cli.main import COMMANDS, cli
from dicecli.errors import UsageError
from dicecli.records.alike import did_you_mean_file

#: A line of each command that reads paths: its arguments, and what stands before options.
LINES = {
    "score": "a.png b.png",
    "soft": "map.npy a.png",
    "batch": "p r",
    "points": "a.tif points.csv",
    "area": "matrix.csv --areas areas.csv",
    "inspect": "a.png b.png",
    "labels": "labels.json",
    "report": "score.json single.json",
    "explain": "score.json dice",
    "config": "score",
}
NONE = {"long": "n" * 300, "deep": "d/" * 2500 + "x", "nul": "a\0b"}
#: By the one option that takes it; others get one of a CSV.
SUFFIXES = {"--labels": ".json", "--baseline": ".json", "--config": ".toml", "--within": ".png"}


def places(command):
    """Yield lines of a command, with None where a path is given."""
    words = LINES[command].split()
    for number in range(0 if command == "config" else 1 if command == "explain" else len(words)):
        if not words[number].startswith("-"):
            yield [command, *words[:number], None, *words[number + 1 :]]
    context = cli.make_context("dicecli", ["metrics"])
    for each in cli.get_command(context, command).params:
        if isinstance(each.type, FilePath) and each.param_type_name == "option":
            option = max(each.opts, key=len)
            line = [] if option in {"--pairs", "--prediction", "--reference"} else words
            yield [command, *line, option, None]


def ended(words):
    """Call a line, and return how it ended and what it said."""
    found = runner().invoke(cli, words)
    assert found.exception is None or isinstance(found.exception, SystemExit), (words[0], found.exception)
    return found.exit_code, found.stderr + found.stdout


@pytest.mark.usefixtures("at_desk")
@pytest.mark.parametrize("command", LINES)
def test_paths_that_are_none(command):
    """No traceback, exit 2 (or a failed row in pairs) with a message: names too long, and with a character 0."""
    assert set(LINES) == {*COMMANDS} - {"metrics"}
    for words in places(command):
        option = words[-2] if words[-1] is None else ""
        for path in NONE.values():
            code, said = ended(
                [path + SUFFIXES.get(option, ".csv") if each is None else each for each in words]
            )
            assert code in {2, 3}, (words, path[:9], said)
            assert "Hint:" in said or "what to do" in said or "Missing" in said or "Unreadable" in said


@pytest.mark.usefixtures("at_desk")
def test_cells_that_are_none():
    """A cell of pairs that is too long is a failed row; the other case is scored."""
    Path("pairs.csv").write_text(f"prediction,reference\n{'n' * 300}.png,r/a.png\np/b.png,r/b.png\n")
    found = dicecli.batch(pairs="pairs.csv")
    assert (1, 1) == (len(found.scored), len(found.unscored))


@pytest.mark.usefixtures("at_desk")
def test_names_as_long_as_they_may_be():
    """A file name of 255 bytes is written, as others are; one more is refused before anything is scored."""
    for name in ("n" * 251 + ".csv", "\u00e9" * 125 + "n.csv"):
        assert 0 == ended(["score", "a.png", "b.png", "-o", name])[0]
        assert Path(name).is_file()
        assert (2, True) == (
            (got := ended(["score", "a.png", "nowhere.png", "-o", f"n{name}"]))[0],
            "cannot be written" in got[1],
        )


def test_python_refuses_a_csv_whose_name_is_none():
    """What no system takes is this package's error in Python as well."""
    for path in ("a\0.csv", "\ud800.csv"):
        with pytest.raises(UsageError, match="cannot be read"):
            dicecli.batch(pairs=path)


#: Where a path is read, and which file it is there.
READ = [
    ("score X b.png", "a.png"),
    ("score b.png X", "a.png"),
    ("score a.png b.png --within X", "roi.png"),
    ("score a.png b.png --labels X", "labels.json"),
    ("score a.png b.png --baseline X", "score.json"),
    ("score a.png b.png --config X", "own.toml"),
    ("soft X a.png", "map.npy"),
    ("soft map.npy a.png --within X", "roi.png"),
    ("batch X r", "p"),
    ("batch p X", "r"),
    ("batch --soft X q", "soft"),
    ("batch p r --within X", "roi.png"),
    ("batch --pairs X", "pairs.csv"),
    ("points X points.csv", "a.tif"),
    ("points a.tif X", "points.csv"),
    ("area X --areas areas.csv", "matrix.csv"),
    ("area matrix.csv --areas X", "areas.csv"),
    ("area matrix.csv --areas X", "a.png"),
    ("inspect X", "a.png"),
    ("labels X", "labels.json"),
    ("report X", "score.json"),
    ("explain X dice", "score.json"),
    ("config --config X", "own.toml"),
]
#: What stands on the disk, and what is typed.
ALIKE = {
    "NFC": ("e\u0301x", "\u00e9x", "form of their letters"),
    "NFD": ("\u00e9x", "e\u0301x", "form of their letters"),
    "case": ("Ab", "aB", "by case alone"),
    "a space": ("k", "k ", "U+0020 SPACE"),
    "no-break": ("my name", "my\u00a0name", "U+00A0 NO-BREAK SPACE"),
    "CR": ("k", "k\r", "U+000D"),
    "Cyrillic": ("pat", "p\u0430t", "U+0430 CYRILLIC SMALL LETTER A"),
}


@pytest.mark.usefixtures("at_desk")
@pytest.mark.parametrize("number", range(2))
def test_the_file_that_is_there_is_proposed(number, monkeypatch):
    """The hint must propose the file that is there and say what differs; it is proposed, not opened."""
    monkeypatch.setenv("COLUMNS", "400")
    Path("own.toml").write_text("jobs = 1\n")
    for place, (line, source) in enumerate(READ):
        there, typed, differs = [*ALIKE.values()][(place + number * 2) % len(ALIKE)]
        suffix = Path(source).suffix
        there, typed = there + suffix, typed + suffix
        if typed.startswith("k"):
            typed = there + typed.replace(there[:1], "").replace(suffix, "")
        if os.path.lexists(typed):
            continue  # a disk for which the two are one
        (shutil.copytree if Path(source).is_dir() else shutil.copyfile)(source, there)
        code, said = ended([typed if each == "X" else each for each in line.split()])
        assert code in {2, 3}, (line, typed)
        assert differs in said, (line, typed, said)
        (meant,) = shlex.split(said.partition("Did you mean ")[2].partition("? It differs")[0])
        assert meant == there
        code, said = ended([meant if each == "X" else each for each in line.split()])
        assert code in {0, 3}, (line, said)
        assert "Did you mean" not in said
        shutil.rmtree(there) if Path(there).is_dir() else Path(there).unlink()


def test_rows_of_pairs_say_it_too(at_desk):
    """A cell by another case is a failed row whose hint names the file; by another form alone it is that file."""
    folder = at_desk.folder
    shutil.copyfile(folder / "p" / "a.png", folder / "p" / "e\u0301.png")
    Path("pairs.csv").write_text(
        "prediction,reference,case\np/A.png,r/a.png,1\np/\u00e9.png,r/b.png,2\n", encoding="utf-8"
    )
    found = dicecli.batch(pairs="pairs.csv")
    assert ["2"] == [each.case.name for each in found.scored]
    (failed,) = found.unscored
    assert failed.hint.startswith(f"Did you mean {Path('p', 'a.png')}? It differs by case alone. ")


def test_none_of_two_is_proposed(tmp_path):
    """Where two files look like the path, in its last part or on the way, neither is said to be meant by its look."""
    for name in ("Ab.png", "aB.png"):
        (tmp_path / name).touch()
    assert "differs" not in did_you_mean_file(tmp_path / "ab.png")
    (tmp_path / "IN").mkdir()
    (tmp_path / "IN" / "Q.png").touch()
    assert did_you_mean_file(tmp_path / "in" / "q.png").startswith(
        f"Did you mean {tmp_path / 'IN' / 'Q.png'}?"
    )
    assert not did_you_mean_file(tmp_path / "IN" / "Q.png")
    assert not did_you_mean_file("a\0.png")


def test_a_run_goes_on_where_names_have_changed_their_form(tmp_path, monkeypatch):
    """`--resume` counts nothing twice and loses nothing where NFC becomes NFD between runs, or names are hostile."""
    monkeypatch.chdir(tmp_path)
    composed, apart = "caf\u00e9.png", "cafe\u0301.png"
    if os.name == "nt":
        pytest.skip("these are no names on Windows")
    names = [composed, "::error x.png", "a,b.png", "=1+1.png", "x\ny.png", "\u202eabc.png", "%0A.png"]
    for number, side in enumerate("pr"):
        Path(side).mkdir()
        for seed, name in enumerate(names):
            make.png(Path(side, name), make.blobs((6, 7), 3, seed + number))
        Path(side, "bad.png").write_bytes(b"no image")
    numbers = []
    for more in ([], ["--resume"], ["--resume"]):
        assert 3 == ended(["batch", "p", "r", "-o", "o.json", "--jobs", "1", *more])[0]
        record = json.loads(Path("o.json").read_text(encoding="utf-8"))
        assert [unicodedata.normalize("NFC", f"{each['case']}.png") for each in record["cases"]] == sorted(
            [*names, "bad.png"]
        )
        numbers.append([each["labels"] for each in record["cases"] if each["status"] == "scored"])
        assert Path("o.json.journal").is_file()
        renamed = ("r",) if more else ("p", "r")
        for side in renamed:
            there = next(each.name for each in Path(side).iterdir() if each.name in {composed, apart})
            Path(side, there).rename(Path(side, apart if there == composed else composed))
    assert len(names) == len(numbers[0])
    assert numbers[0] == numbers[1] == numbers[2]
