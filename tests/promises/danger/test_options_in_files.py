"""No stranger's file rules a run: which configuration is obeyed, what it may set, and that it is said."""

from __future__ import annotations

import io
import itertools
import json
import os
import subprocess
import sys
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import make
import numpy as np
import pytest
from batches import posix_only
from PIL import Image
from streams import runner

import dicecli
from dicecli.cli import cli
from dicecli.cli.choices import OutputPath
from dicecli.cli.configuration import load
from dicecli.cli.defaults import COMMANDS, _known, in_a_file
from dicecli.cli.searching import find
from dicecli.errors import ConfigError
from dicecli.plugins import load as plugin
from dicecli.plugins import own
from dicecli.records.cases import Case
from dicecli.records.origin import Obeyed, Origin, RunOrigin
from dicecli.reports.look import Look
from dicecli.reports.parts import PARTS
from dicecli.reports.reading_back import from_dict
from dicecli.reports.report import Report
from dicecli.runs.areas import area
from dicecli.runs.scoring import make_settings, score_many

MASK = np.array([[0, 1, 1], [2, 2, 1]], np.uint8)
ORIGIN = Origin((RunOrigin(prediction="p", reference="r", version="0"),))
#: A folder and a file of options in it are drawn as paths below a folder; "home" is the home folder.
WHERE = {
    "up to the repository's root": ("repo/.git", "repo/a/b", "repo", True),
    "the root may be a file of a worktree": ("repo/.git:", "repo/a/b", "repo", True),
    "never above the repository": ("repo/.git", "repo/a/b", ".", False),
    "up to the root of a repository of another kind": ("repo/.hg", "repo/a", "repo", True),
    "up to the home folder": ("home", "home/a/b", "home", True),
    "never above the home folder": ("home", "home/a/b", ".", False),
    "never above a repository in the home folder": ("home/repo/.git", "home/repo/a", "home", False),
    "else the current folder": ("home", "data/a", "data/a", True),
    "else the current folder alone": ("home", "data/a", "data", False),
}


@pytest.fixture
def top(tmp_path, monkeypatch):
    """Return a folder in no repository, beside which the home folder is."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    return tmp_path


def here(folder, monkeypatch, text=None):
    """Make a repository with two masks and a file of options the current folder."""
    (folder / ".git").mkdir(parents=True, exist_ok=True)
    for name, mask in (("p.png", MASK), ("r.png", MASK[:, ::-1])):
        make.png(folder / name, mask)
    if text is not None:
        (folder / "dicecli.toml").write_text(text, encoding="utf-8")
    monkeypatch.chdir(folder)


def run(*words):
    return runner().invoke(cli, [str(each) for each in words])


@pytest.mark.parametrize("case", WHERE)
def test_only_up_to_the_root_of_the_repository_or_the_home_folder(case, top):
    """Only up to the repository's root or the home folder, else the current folder alone."""
    mark, start, place, is_found = WHERE[case]
    for each in (mark.rstrip(":"), start, place):
        (top / each).mkdir(parents=True, exist_ok=True)
    if mark.endswith(":"):
        (top / mark[:-1]).rmdir()
        (top / mark[:-1]).write_text("gitdir: elsewhere\n")
    file = top / place / "dicecli.toml"
    file.write_text('undefined = "one"\n')
    found = find(top / start)
    assert found.path == (file if is_found else None)
    assert {each.path: each.is_near for each in found.passed if top in each.path.parents} == (
        {} if is_found else {file: False}
    )


@pytest.mark.parametrize("home", ["/", "", "relative", "link"])
def test_what_is_no_home_folder_is_none(home, top, monkeypatch):
    """All of a machine is nobody's home, nor is what has no whole path; a link to the home folder is it."""
    for name in ("home", "home/a", "data/a"):
        (top / name).mkdir(parents=True, exist_ok=True)
        (top / name / "dicecli.toml").write_text("")
    (top / "home/a/dicecli.toml").unlink()
    (top / "data/a/dicecli.toml").rename(top / "data/dicecli.toml")
    (top / "link").symlink_to(top / "home")
    monkeypatch.setenv("HOME", str(top / "link") if home == "link" else home)
    monkeypatch.setenv("USERPROFILE", str(top / "link") if home == "link" else home)
    assert find(top / "data/a").path is None
    assert find(top / "home/a").path == (top / "home/dicecli.toml" if home == "link" else None)


@posix_only
@pytest.mark.parametrize("name", ["dicecli.toml", "pyproject.toml"])
def test_never_of_another_owner(name, top, monkeypatch):
    """Never of another owner (a note says so; --config FILE names one explicitly); it is not parsed."""
    here(top / "repo", monkeypatch)
    file = top / "repo" / name
    file.write_text(
        '[tool.dicecli]\nundefined = "one"\n' if name == "pyproject.toml" else 'undefined = "one"\n'
    )
    assert "options from" in run("score", "p.png", "r.png", "-q").stderr
    monkeypatch.setattr(os, "geteuid", lambda: file.stat().st_uid + 1)
    done = run("score", "p.png", "r.png", "-q", "-f", "json")
    assert done.stderr == (
        f"Note: {file} is not obeyed: it belongs to another user; --config {file} obeys it\n"
    )
    assert json.loads(done.stdout)["settings"]["undefined"] == "skip"
    named = run("score", "p.png", "r.png", "-q", "-f", "json", "--config", name)
    assert json.loads(named.stdout)["settings"]["undefined"] == "one"
    shown = json.loads(run("config", "-f", "json").stdout)
    assert shown["not_obeyed"] == [{"file": str(file), "why": "it belongs to another user"}]
    file.write_text("[tool.dicecli]\nno TOML\n")
    assert run("score", "p.png", "r.png").exit_code == 0


@posix_only
def test_a_link_of_another_owner_to_a_file_of_ours(top, monkeypatch):
    """Who put a link there chose which file is obeyed: the link's owner counts, too."""
    here(top / "repo", monkeypatch)
    (top / "mine.toml").write_text('undefined = "one"\n')
    (top / "repo" / "dicecli.toml").symlink_to(top / "mine.toml")
    assert find(top / "repo").path == top / "repo" / "dicecli.toml"
    real = Path.lstat

    def strange(path):
        found = real(path)
        return os.stat_result((*found[:4], found.st_uid + 1, *found[5:10]))

    monkeypatch.setattr(Path, "lstat", strange)
    assert find(top / "repo").path is None


def test_a_folder_that_is_gone_has_no_file(top, monkeypatch):
    """That is no traceback: the command says what it cannot find."""
    here(top / "repo", monkeypatch)

    def gone():
        raise FileNotFoundError

    monkeypatch.setattr("dicecli.cli.searching.Path.cwd", gone)
    assert run("metrics").exit_code == run("score", "p.png", "r.png").exit_code == 0


@pytest.mark.parametrize("command", [*COMMANDS, "config"])
def test_every_command_that_takes_options_can_be_told_which_file(command):
    """--config names one explicitly, and --no-config takes none."""
    options = {
        each for option in import_module(f"dicecli.cli.{command}").command.params for each in option.opts
    }
    assert {"--config", "--no-config"} <= options


def test_of_two_files_the_named_one_is_obeyed(top, monkeypatch):
    """Its paths start in its own folder; --no-config obeys neither."""
    here(top / "repo", monkeypatch, 'undefined = "zero"\n')
    (top / "labels.json").write_text('{"1": "liver"}')
    (top / "other.toml").write_text('undefined = "one"\nlabels = "labels.json"\noutput = "x.csv"\n')
    words = ("score", "p.png", "r.png", "-f", "json")
    found = json.loads(run(*words, "--config", "../other.toml").stdout)["settings"]
    assert (found["undefined"], found["names"]["1"]) == ("one", "liver")
    assert (top / "x.csv").is_file()
    assert json.loads(run(*words, "--no-config").stdout)["settings"]["undefined"] == "skip"
    assert json.loads(run("config", "--no-config", "-f", "json").stdout)["file"] is None


def test_every_option_that_names_a_file_to_be_written_is_known_as_one():
    """Of any command: those of the parts of a report, and -o; one long name has one meaning in all commands."""
    found, names = {}, {}
    for command in COMMANDS:
        for long, option in in_a_file(import_module(f"dicecli.cli.{command}").command).items():
            names.setdefault(long, set()).add(option.name)
            if isinstance(option.type, OutputPath):
                found.setdefault(long, set()).add(command)
    expected = {each.option.removeprefix("--") for name, each in PARTS.items() if name != "report"}
    assert {*found} == expected | {"output"}
    assert found["output"] == {*COMMANDS} - {"inspect"}
    assert {long: each for long, each in names.items() if len(each) > 1} == {}


@pytest.mark.parametrize(
    "value", ["../x.csv", "a/../../x.csv", "{top}/x.csv", "out/x.csv", "link.csv", "a\\u0000.csv"]
)
def test_outputs_only_inside_its_own_folder(value, top, monkeypatch):
    """Outputs only inside its own folder: no path and no link leads out of it, by any option."""
    here(top / "repo", monkeypatch)
    (top / "elsewhere").mkdir()
    (top / "repo" / "out").symlink_to(top / "elsewhere")
    (top / "repo" / "link.csv").symlink_to(top / "elsewhere" / "x.csv")
    known = _known("batch")[1]
    file = top / "repo" / "dicecli.toml"
    for option in (long for long, kind in known.items() if kind.is_output):
        for text in (
            f'"{value.format(top=top.as_posix())}"',
            f'["good.csv", "{value.format(top=top.as_posix())}"]',
        ):
            file.write_text(f"{option} = {text}\n")
            with pytest.raises(ConfigError, match="outside the folder"):
                load(file, known)
    done = run("score", "p.png", "r.png")
    assert done.exit_code == 2
    assert not list((top / "elsewhere").iterdir())


def test_an_output_inside_is_written_where_the_file_is(top, monkeypatch):
    """Also from a folder below, and through a link that stays inside."""
    here(top / "repo", monkeypatch, 'output = ["x.csv", "in/y.csv"]\nsummary = "./below/../s.csv"\n')
    (top / "repo" / "below").mkdir()
    (top / "repo" / "in").symlink_to(top / "repo" / "below")
    monkeypatch.chdir(top / "repo" / "below")
    done = run("score", "../p.png", "../r.png", "-q")
    assert done.exit_code == 0
    assert done.stderr.endswith(": output ../x.csv and ../in/y.csv, summary ../s.csv\n")
    assert {each.name for each in (top / "repo").glob("*.csv")} == {"x.csv", "s.csv"}
    assert [each.name for each in (top / "repo" / "below").iterdir()] == ["y.csv"]


@pytest.mark.parametrize(
    "option", ["follow-links", "allow_same", "scheduler", "resume", "config", "no-config"]
)
def test_what_lifts_a_protection_stands_in_no_file(option, top, monkeypatch):
    """What a run is protected by is lifted by whoever gives the command, never by a file."""
    here(top / "repo", monkeypatch, f"{option} = true\n")
    done = run("batch", "p.png", "r.png")
    assert done.exit_code == 2
    assert f"{option} stands in a file, and is for the command line alone" in done.stderr


@pytest.fixture(scope="module")
def reports():
    """Score masks with all that a part may need, several cases of which one fails, that one alone, and maps."""
    asked = {each.asks: True for each in PARTS.values() if each.asks is not None}
    settings = make_settings(regions={"all": [1, 2]}, **asked)
    cases = [Case("good", MASK, MASK[:, ::-1]), Case("bad", MASK[:1], MASK)]
    maps = np.stack([MASK == 0, MASK == 1, MASK == 2]) * 0.7 + 0.1
    many = score_many(cases, settings)
    found = [
        Report(each, settings, origin=ORIGIN) for each in (many.results, many.results[:1], many.results[1:])
    ]
    return [*found, dicecli.soft(maps, MASK)]


def _said(content):
    """Return the text of an output, of a picture what stands beside its pixels."""
    if isinstance(content, bytes):
        return " ".join(Image.open(io.BytesIO(content)).text.values())
    return content.replace("\\", "")


@pytest.mark.parametrize("name", own("exporters"))
def test_which_file_was_obeyed_is_said_in_every_output(name, reports):
    """Which file was obeyed is said in every output: every part of every form, of the run and of what shows it."""
    exporter = plugin("exporters", name)
    if name == "png":
        pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    looks = (Look(),) if name == "png" else (Look(), Look(verbose=True))  # which changes nothing of a picture
    for report in reports:
        (run,), reads = report.origin.runs, report.settings.reads
        of_run = Origin((replace(run, config="c/d.toml", from_config=("undefined",)),))
        of_report = report.origin.rendered(Obeyed("c/d.toml", ("undefined",)))
        for part in exporter.PARTS:
            needs = PARTS[part].needs_numbers and not report.scored
            if needs or reads not in PARTS[part].reads or reads not in getattr(exporter, "READS", (reads,)):
                continue
            for each, look in itertools.product((of_run, of_report), looks):
                text = _said(exporter.render(report.shown_with(report.settings, each), part, look))
                assert "c/d.toml" in text, (reads, part, look)
                assert "undefined" in text.split("c/d.toml", 1)[1][:60], (reads, part, text)
            assert "c/d.toml" not in _said(exporter.render(report, part, Look()))
    if hasattr(exporter, "of_area"):
        found = area([[66, 0], [4, 30]], {0: 9000, 1: 1000}).rendered(Obeyed("c/d.toml", ("labels",)))
        assert "c/d.toml" in _said(exporter.of_area(found, Look()))


@pytest.mark.parametrize("form", ["csv", "json", "table"])
@pytest.mark.parametrize("command", COMMANDS)
def test_and_under_quiet(command, form, top, monkeypatch):
    """Which file was obeyed is said in every output, and on standard error under -q, by every command."""
    monkeypatch.setenv("COLUMNS", "200")
    words = _words(command, top, monkeypatch)
    quiet = () if command == "inspect" else ("-q",)
    form = "json" if (command, form) == ("inspect", "csv") else form
    done = run(*words, *quiet, "-f", form)
    assert done.exit_code == 0, done.output
    assert "Note: options from " in done.stderr
    assert "own.toml" in done.stdout
    assert "own.toml" not in run(*words[:-2], *quiet, "-f", form).stdout


def _words(command, top, monkeypatch):
    """Write what a command works on, and return a command line that obeys own.toml, by its last two words."""
    here(top / "repo", monkeypatch)
    (top / "repo" / "own.toml").write_text('average = "micro"\nthreshold = 0.5\nunit = "pixels"\n')
    if command in {"score", "inspect", "report"}:
        words = ["p.png", "r.png"]
    if command == "report":
        run("score", *words, "-o", "results.json")
        words = ["results.json"]
    if command == "batch":
        for side in ("p", "r"):
            Path(side).mkdir()
            make.png(Path(side) / "a.png", MASK)
        words = ["p", "r"]
    if command == "soft":
        np.save("p.npy", (MASK == 1) * 0.5)
        make.png(Path("m.png"), (MASK == 1).astype(np.uint8))
        words = ["p.npy", "m.png"]
    if command == "points":
        make.geotiff(Path("map.tif"), MASK)
        Path("points.csv").write_text("x,y,class\n600005,5799995,0\n")
        words = ["map.tif", "points.csv"]
    if command == "area":
        Path("m.csv").write_text("reference,0,1\n0,5,1\n1,0,4\n")
        Path("areas.csv").write_text("label,pixels\n0,50\n1,40\n")
        words = ["m.csv", "--areas", "areas.csv"]
    return [command, *words, "--config", "own.toml"]


def test_a_record_says_it_again_when_it_is_read_back(top, monkeypatch):
    """What `report` obeyed stands in its JSON, of which a report can be made again; a matrix is read as well."""
    here(top / "repo", monkeypatch, 'average = "micro"\nfail-under = "dice=0.1"\n')
    assert (
        run("score", "p.png", "r.png", "-o", "a.json", "--confusion", "m.csv", "--no-config").exit_code == 0
    )
    assert run("report", "a.json", "-o", "b.json").exit_code == 0
    assert "rendered_by" not in json.loads(Path("a.json").read_text())["origin"]
    record = json.loads(Path("b.json").read_text())
    (obeyed,) = record["origin"]["rendered_by"]
    assert obeyed["config"] == "dicecli.toml"
    assert {*obeyed["from_config"]} == {"average", "fail-under"}
    assert from_dict(record).origin.obeyed == (Obeyed("dicecli.toml", tuple(obeyed["from_config"])),)
    run("score", "p.png", "r.png", "--confusion", "n.csv")
    assert "notes" in Path("n.csv").read_text().splitlines()[0]
    found = [dicecli.area(each, {0: 1, 1: 3, 2: 2}).estimates.points for each in ("m.csv", "n.csv")]
    assert found[0] == found[1]


def test_python_obeys_no_file(top, monkeypatch):
    """Whatever lies in the folder, what is called in Python has the options that it is given."""
    here(top / "repo", monkeypatch, 'undefined = "one"\nbroken\n')
    report = dicecli.score("p.png", "r.png")
    assert report.settings.undefined == "skip"
    assert report.origin.obeyed == ()


def test_a_matplotlibrc_of_the_folder_is_not_obeyed(top, monkeypatch):
    """Of the kind: what draws would obey one of the current folder, which can have TeX run and name modules."""
    here(top / "repo", monkeypatch)
    pytest.importorskip("matplotlib")
    Path("matplotlibrc").write_text("figure.facecolor: ff0000\n")
    words = [sys.executable, "-P", "-m", "dicecli", "score", "p.png", "r.png", "--confusion", "c.png"]
    done = subprocess.run(words, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr
    assert Image.open("c.png").convert("RGB").getpixel((0, 0)) == (255, 255, 255)


def test_files_of_options_and_labels_have_a_bound(tmp_path):
    """A configuration of any size is not read whole, nor is a file of labels: refused at once, with the bound."""
    for name, words in (("big.toml", ["score", "a", "b", "--config"]), ("big.json", ["labels"])):
        with (tmp_path / name).open("wb") as file:
            file.truncate(1 << 30)
        done = runner().invoke(cli, [*words, str(tmp_path / name)])
        assert (done.exit_code, "is larger than" in done.stderr, "no TOML" in done.stderr) == (2, True, False)


@posix_only
@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root gives files away")
@pytest.mark.parametrize("way", ["mid.toml", "folder/own.toml"])
def test_a_link_of_another_user_in_the_middle_is_not_followed(way, tmp_path):
    """One's own link that leads on by a link of another user's, to a file or a folder, obeys nobody."""
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "own.toml").write_text('average = "micro"\n', encoding="utf-8")
    (tmp_path / "x" / "mid.toml").symlink_to("own.toml")
    (tmp_path / "x" / "folder").symlink_to(".")
    (tmp_path / "repo").mkdir()
    (tmp_path / "repo" / "dicecli.toml").symlink_to(tmp_path / "x" / way)
    assert find(tmp_path / "repo").path is not None
    os.lchown(tmp_path / "x" / way.partition("/")[0], 12_345, 12_345)
    found = find(tmp_path / "repo")
    assert (found.path, [each.is_near for each in found.passed]) == (None, [True])
