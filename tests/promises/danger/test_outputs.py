"""No output takes the place of what is read, or of another output."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from contextlib import chdir
from dataclasses import fields
from pathlib import Path
from types import SimpleNamespace

import click
import make
import numpy as np
import places
import pytest
from streams import runner

import dicecli
from dicecli.cli import cli
from dicecli.cli.completing import files
from dicecli.cli.overwriting import check_files
from dicecli.errors import OutputError
from dicecli.reports import overwriting
from dicecli.runs import areas, points, python, wanted

needs_links = pytest.mark.skipif(os.name == "nt", reason="links need rights there")

MASK = np.array([[0, 1, 0], [1, 1, 0]], np.uint8)
#: Other names of one file: each is made beside what it leads to.
OTHER_NAMES = {"hard.csv": os.link, "soft.csv": os.symlink}


def call(words):
    return runner().invoke(cli, shlex.split(words), catch_exceptions=False)


def state(folder):
    """Return every file under a folder with its bytes and the time of its last change."""
    return {
        path: (path.read_bytes(), path.lstat().st_mtime_ns) for path in folder.rglob("*") if path.is_file()
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Make one file of everything that is read; what is refused leaves them all as they are."""
    folder = tmp_path_factory.mktemp("files")
    for side in ("p", "r", "w", "pc", "rc"):
        (folder / side).mkdir()
    for path in (
        "p/a.png",
        "r/a.png",
        "w/a.png",
        "p.png",
        "r.png",
        "roi.png",
        "pc/liver.png",
        "rc/liver.png",
    ):
        make.png(folder / path, MASK)
    for side in ("p", "r"):
        make.nifti(folder / f"{side}.img", MASK[..., None])
    make.geotiff(folder / "map.tif", MASK)
    np.save(folder / "soft.npy", MASK * 0.5)
    (folder / "pairs.csv").write_text("prediction,reference\np/a.png,r/a.png\n", encoding="utf-8")
    (folder / "l.json").write_text(
        json.dumps({"labels": {"0": "background", "1": "liver"}}), encoding="utf-8"
    )
    (folder / "points.csv").write_text("x,y,class\n0.5,0.5,1\n", encoding="utf-8")
    with chdir(folder):
        made = call("batch p r -o x.json -o old.json --confusion m.csv -q")
        assert made.exit_code == 0, made.stderr
        for name, link in OTHER_NAMES.items():
            for target in (
                "x.json",
                "pairs.csv",
                "p/a.png",
                "roi.png",
                "p.img",
                "p.hdr",
                "map.tif",
                "pc/liver.png",
            ):
                if (folder / target).exists():
                    link(folder / target, folder / f"{target.replace('/', '-')}.{name}")
        yield folder


OF_TWO_OUTPUTS = [
    "batch p r -o n.csv --summary n.csv",
    "batch p r -o n.csv --summary ./n.csv",
    "batch p r -o n.csv --summary ../files0/n.csv",
    "batch p r -o n.csv -o n.csv",
    "batch p r -o n.json --summary n.csv --confusion n.csv",
    "batch p r -o n.csv --per-slice n.csv",
    "batch p r -o n.csv --confusion n.csv",
    "batch p r -o x.json --summary x.json.hard.csv",
    "batch p r -o x.json --summary x.json.soft.csv",
    "batch --soft p r -o n.csv --curve n.csv",
    "score p.png r.png -o n.csv --summary n.csv",
    "soft soft.npy r.png -o n.csv --curve n.csv",
    "points map.tif points.csv -o n.csv --confusion n.csv",
    "report x.json -o n.csv --summary n.csv",
    "area m.csv --areas map.tif -o n.csv -o ./n.csv",
]
OF_INPUTS = [
    "batch --pairs pairs.csv -o pairs.csv",
    "batch --pairs pairs.csv -o ./pairs.csv",
    "batch --pairs pairs.csv.soft.csv -o pairs.csv",
    "batch --pairs pairs.csv --summary pairs.csv.hard.csv",
    "batch --pairs pairs.csv -o p-a.png.hard.csv",
    "batch p r --labels l.json -o l.json",
    "batch p r --baseline old.json -o old.json",
    "batch p r --baseline old.json --summary ./old.json",
    "batch p r --confusion p/a.png",
    "batch p r --confusion r/a.png --dry-run",
    "batch p r -o p-a.png.soft.csv",
    "batch p r -o p-a.png.hard.csv --resume",
    "batch p r --within roi.png -o roi.png.hard.csv",
    "batch p r --within-pattern 'w/{case}.png' -o n.csv --confusion w/a.png",
    "score p.png r.png --confusion p.png",
    "score p.png r.png --confusion n.png --confusion r.png",
    "score --prediction p.png --reference r.png --confusion r.png",
    "score p.png r.png --within roi.png --confusion roi.png",
    "score p.png r.png --labels l.json -o l.json",
    "score p.png r.png --baseline old.json -o old.json",
    "score pc rc --confusion pc/liver.png",
    "score pc rc -o pc-liver.png.soft.csv",
    "score p.hdr r.hdr -o p.img.hard.csv",
    "score p.img r.img -o p.hdr.soft.csv",
    "soft soft.npy r.png --curve r.png",
    "points map.tif points.csv -o points.csv",
    "points map.tif points.csv -o map.tif.hard.csv",
    "report x.json -o x.json",
    "report x.json -o x.json.soft.csv",
    "report old.json x.json --summary x.json",
    "report x.json --baseline old.json -o old.json",
    "area m.csv --areas map.tif -o m.csv",
    "area m.csv --areas pairs.csv -o pairs.csv.hard.csv",
    "area m.csv --areas map.tif --labels l.json -o l.json",
]


@needs_links
@pytest.mark.parametrize("words", [*OF_TWO_OUTPUTS, *OF_INPUTS])
def test_2_before_anything_is_read(words, folder):
    """2 before anything is read; the same through links."""
    if ".png" in words.partition("--confusion")[2]:
        pytest.importorskip("matplotlib", reason="matplotlib is not installed, which is said first")
    before = state(folder)
    done = call(words.replace("files0", folder.name))
    said = " are one file, " if words in OF_TWO_OUTPUTS else " is a file that is read, "
    if "--dry-run" not in words:
        assert (done.exit_code, done.stdout) == (2, ""), done.stdout
        assert said in done.stderr
        assert "Hint: " in done.stderr
    assert before == state(folder)
    assert not list(folder.glob("*.journal*"))


@pytest.mark.usefixtures("folder")
def test_summary_repeats_like_o(tmp_path):
    """`--summary` repeats like `-o`."""
    names = [tmp_path / name for name in ("a.csv", "b.csv", "c.md")]
    done = call(f"batch p r -q {shlex.join(f'--summary={name}' for name in names)}")
    assert done.exit_code == 0
    assert names[0].read_bytes() == names[1].read_bytes() != b""
    assert names[2].read_text(encoding="utf-8").startswith("**Dice 1.0000")


OF_THE_NEXT_RUN = [
    "batch p r --confusion r/c.png",
    "batch p r --confusion p/c.PNG",
    "batch p r --confusion r/./../r/below/c.png -o n.csv",
    "batch p r -o n.csv --summary r/n.csv --confusion link/c.png",
    "batch p r --reference-pattern '{case}.png' --confusion r/c.png",
    "batch tiles map.tif --confusion tiles/c.png",
    "score pc rc --confusion rc/spleen.png",
]
NOT_OF_IT = [
    "batch p r --confusion r/c.csv",
    "batch p r --confusion r/.c.png",
    "batch p r --confusion c.png",
    "batch p r --reference-pattern '{case}_gt.png' --prediction-pattern '{case}.png' --confusion r/c.png",
    "batch --pairs pairs.csv --confusion r/c.png",
    "score pc rc -o rc/n.csv --summary rc/n.md",
]


@needs_links
@pytest.mark.parametrize("words", [*OF_THE_NEXT_RUN, *NOT_OF_IT])
def test_no_output_is_a_mask_of_the_next_run(words, folder, tmp_path, monkeypatch):
    """A picture of a matrix in a folder of masks is refused the first time, not as a mask of the second run."""
    if ".png" in words.partition("--confusion")[2].lower():
        pytest.importorskip("matplotlib", reason="matplotlib is not installed, which is said first")
    shutil.copytree(folder, tmp_path / "run", symlinks=True)
    monkeypatch.chdir(tmp_path / "run")
    for path in ("r/below", "rc/below", "tiles"):
        Path(path).mkdir()
    Path("link").symlink_to("r")
    make.geotiff("tiles/a.tif", MASK)
    if "_gt" in words:
        Path("r/a.png").rename("r/a_gt.png")
    before = state(Path())
    done = call(words)
    if words in NOT_OF_IT:
        assert done.exit_code == 0, done.stderr
        assert call(words).exit_code == 0
        return
    assert (done.exit_code, done.stdout) == (2, ""), done.stdout
    assert "the next run would take it for a mask" in done.stderr
    assert "Hint: " in done.stderr
    assert before == state(Path())
    if words.startswith("batch p r --confusion"):
        with pytest.raises(OutputError, match=r"^confusion='(r|p)/.*' lies in"):
            dicecli.batch("p", "r", confusion=words.split()[4])


def test_a_report_in_the_folder_of_masks_is_no_mask(tmp_path):
    """What people do goes on: a report in the folder of the masks, time and again, over what is there already."""
    for side in ("p", "r"):
        (tmp_path / side).mkdir()
        make.png(tmp_path / side / "a.png", MASK)
    for _ in range(2):
        done = call(
            f"batch {tmp_path}/p {tmp_path}/r -o {tmp_path}/p/results.csv --summary {tmp_path}/r/s.md -q"
        )
        assert done.exit_code == 0, done.stderr


@needs_links
def test_the_configuration_that_is_obeyed_is_read_as_well(folder, tmp_path):
    """An output that is the configuration file is refused."""
    with chdir(tmp_path):
        (tmp_path / "dicecli.toml").write_text('average = "micro"\n', encoding="utf-8")
        os.link("dicecli.toml", "c.csv")
        done = call(f"score {folder}/p.png {folder}/r.png -o c.csv")
    assert done.exit_code == 2
    assert "the configuration" in done.stderr


@pytest.fixture
def laid_out(tmp_path):
    """Make a folder as nnU-Net has it, whose labels a layout finds by itself."""
    for side in ("p", "labelsTr"):
        (tmp_path / side).mkdir()
        make.png(tmp_path / side / "a.png", MASK)
    content = {"labels": {"background": 0, "liver": 1}, "file_ending": ".png"}
    (tmp_path / "dataset.json").write_text(json.dumps(content), encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("layout", [{}, {"layout": "nnunet"}])
def test_labels_that_are_found_are_read_as_well(layout, laid_out):
    """An output that is the file of labels beside the masks is refused, whether a layout or a look has found it."""
    before = state(laid_out)
    words = [f"--{key}={value}" for key, value in layout.items()]
    with chdir(laid_out):
        done = call(f"batch p labelsTr -j 1 -o dataset.json {shlex.join(words)}")
        with pytest.raises(OutputError, match="is a file that is read"):
            dicecli.batch("p", "labelsTr", output="dataset.json", **layout)
    assert (done.exit_code, "is a file that is read" in done.stderr) == (2, True), done.stderr
    assert before == state(laid_out)


@needs_links
def test_nothing_that_is_written_is_a_mask(laid_out, monkeypatch):
    """The summary of GitHub's step, the journal and standard output are no masks of a case either."""
    os.link(laid_out / "p" / "a.png", laid_out / "n.csv.journal.old")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(laid_out / "p" / "a.png"))
    before = state(laid_out)
    for words in ("--github", "-o n.csv"):
        with chdir(laid_out):
            done = call(f"batch p labelsTr -j 1 {words}")
        assert (done.exit_code, "is a file that is read" in done.stderr) == (2, True), done.stderr
    with pytest.raises(OutputError, match="is a file that is read"):
        dicecli.batch(laid_out / "p", laid_out / "labelsTr", output=laid_out / "n.csv")
    with (laid_out / "labelsTr" / "a.png").open("ab") as file:
        words = [sys.executable, "-m", "dicecli", "batch", "p", "labelsTr", "-j", "1"]
        done = subprocess.run(words, cwd=laid_out, stdout=file, stderr=subprocess.PIPE, check=False)
    assert (done.returncode, b"standard output is a file that is read" in done.stderr) == (2, True)
    assert before == state(laid_out)


@needs_links
@pytest.mark.usefixtures("folder")
def test_the_journal_and_what_github_is_told_are_outputs(tmp_path, monkeypatch):
    """So are the journal beside the first output, entries that are put aside, and the summary of GitHub's step."""
    for name in ("n.csv.journal", "n.csv.journal.old", "step.md"):
        (tmp_path / name).touch()
        (tmp_path / f"{name}.csv").symlink_to(name)
        monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "step.md"))
        done = call(f"batch p r --github -o {tmp_path}/n.csv --summary {tmp_path}/{name}.csv")
        assert (done.exit_code, "are one file" in done.stderr) == (2, True), done.stderr
        assert (tmp_path / name).read_bytes() == b""


@pytest.mark.usefixtures("folder")
def test_names_that_a_file_system_may_take_for_one_are_tried(tmp_path, monkeypatch):
    """Outputs that are not there yet are one file where their folder takes the two names for one, and only there."""
    words = f"score p.png r.png -q -o {tmp_path}/{{}} --summary {tmp_path}/{{}}"
    tried = []
    for names in (("A.csv", "a.csv"), ("e\u0301.csv", "\u00e9.csv")):
        (tmp_path / names[0]).touch()
        is_one = (tmp_path / names[1]).exists()
        (tmp_path / names[0]).unlink()
        assert call(words.format(*names)).exit_code == 2 * is_one
        for path in [*tmp_path.iterdir()]:
            path.unlink()
    monkeypatch.setattr(overwriting, "_are_one_name", lambda *names: tried.append(names) or True)
    assert call(words.format("A.csv", "a.csv")).exit_code == 2
    assert call(words.format("e\u0301.csv", "\u00e9.csv")).exit_code == 2
    assert len(tried) == 2


def test_standard_output_into_a_file_that_is_written_or_read(folder, tmp_path):
    """A file that the shell opened for standard output is none that is written besides, or read."""
    for words, name in (("score p.png r.png -o {}", "n.csv"), ("report {}", "x.json")):
        path = tmp_path / name
        path.write_bytes((folder / "x.json").read_bytes())
        with path.open("ab") as file:
            done = subprocess.run(
                [sys.executable, "-m", "dicecli", *words.format(path).split(), "-f", "csv"],
                stdout=file,
                stderr=subprocess.PIPE,
                encoding="utf-8",
                check=False,
            )
        assert done.returncode == 2
        assert "standard output" in done.stderr
        assert (folder / "x.json").read_bytes() == path.read_bytes()


# Every option there is


def parameters():
    return [(name, each) for name in cli.list_commands(None) for each in cli.get_command(None, name).params]


def test_every_option_that_writes_says_so():
    """An option of any command is known to write, or what it names is held against what is written."""
    for command, each in parameters():
        writes = getattr(each, "writes", None)
        said = getattr(each, "help", None) or ""
        is_said = (
            bool(re.match(r"(Write|Append|Save|Draw)\b", said))
            or getattr(each, "_custom_shell_complete", None) is files
        )
        assert is_said == (writes is not None), (command, each.name)
        if writes is None and (isinstance(each.type, click.Path) or "FILE" in (each.metavar or "")):
            found = click.Context(cli.get_command(None, command), info_name=command)
            outputs = [one for one in found.command.params if getattr(one, "writes", None) is tuple]
            for output in outputs:
                found.params = {"outputs": (), output.name: ("new.csv",), each.name: "new.csv"}
                with pytest.raises(OutputError, match="is a file that is read"):
                    check_files(found)


def test_whatever_opens_a_file_to_write_is_known():
    """A new place that writes is to be held against what is read: its option says what it writes, or it is put here."""
    writing = re.compile(
        r"writing\.(?:write|append)\(|open_alone\(|mkstemp|NamedTemporaryFile|(?<!formatter)\.write_text\(|\.write_bytes\(|O_CREAT"
        r"""|open\([^)]*["'][wax]b?["']|\.to_csv\(\w|\.savefig\("""
    )
    package = places.ROOT / "dicecli"
    found = {
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        if writing.search(path.read_text(encoding="utf-8"))
    }
    assert found == {
        "cli/judging.py",  # --github
        "cli/streams.py",  # to nowhere
        "reports/exporters/png.py",  # into memory
        "reports/outputs.py",  # -o and the parts
        "reports/writing.py",
        "runs/areas.py",  # -o of area
        "runs/entries.py",  # journals, as are those below
        "runs/journal.py",
        "runs/locked.py",
    }


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("report x.json -o x.json", "--output x.json is a file that is read, the results file x.json, and"),
        (
            "score p.png r.png --confusion r.png",
            "--confusion r.png is a file that is read, the reference r.png,",
        ),
        (
            "batch p r --confusion r/a.png",
            "--confusion r/a.png is a file that is read, r/a.png, the reference of",
        ),
        ("batch p r -o p", "p: this is a folder"),
        ("score pc rc -o pc", "pc: this is a folder"),
    ],
)
def test_what_would_be_overwritten_is_said_in_plain_words(words, said):
    """What is read is called by what it is, and not by what the usage calls an argument."""
    if ".png" in words.partition("--confusion")[2]:
        pytest.importorskip("matplotlib", reason="matplotlib is not installed, which is said first")
    done = call(words)
    assert (done.exit_code, said in done.stderr) == (2, True), done.stderr


@pytest.mark.parametrize(
    ("function", "kind", "given"),
    [
        ("score", python._Score, (MASK, MASK)),
        ("soft", python._Soft, (MASK * 0.5, MASK)),
        ("batch", python._Batch, ("p", "r")),
        ("points", points._Points, ("map.tif", "points.csv")),
        ("area", areas._Area, ("m.csv", "map.tif")),
    ],
)
def test_python_is_held_to_the_same(function, kind, given, folder):
    """Every keyword that is for files refuses two of one file, and one that any other keyword reads."""
    before = state(folder)
    own = {each.name for each in fields(kind)}
    assert {each.name for each in fields(kind) if each.type == "Paths"} == own & {*wanted.OUTPUTS}
    called = getattr(dicecli, function)
    for word in own & {*wanted.OUTPUTS}:
        with pytest.raises(OutputError, match="are one file"):
            called(*given, **{word: ["n.csv", folder / "n.csv"]})
        for read in own & {"labels", "baseline", "pairs", "within"}:
            with pytest.raises(OutputError, match="is a file that is read"):
                called(*given, **{word: "l.json", read: folder / "l.json"})
    assert before == state(folder)


@pytest.mark.usefixtures("folder")
def test_python_calls_its_outputs_by_their_keywords():
    """Masks of cases, too, are said to be overwritten by a keyword, not by an option."""
    pytest.importorskip("matplotlib", reason="matplotlib is not installed, which is said first")
    for word, path in (("confusion", "r/a.png"), ("output", "p-a.png.hard.csv")):
        with pytest.raises(OutputError, match=f"^{word}='{path}' is a file that is read, ./a.png, the"):
            dicecli.batch("p", "r", **{word: path})


def test_an_image_that_was_opened_from_a_file_is_that_file(folder):
    """Also of images that Python has, the file is left as it is."""
    import nibabel

    image = nibabel.load(folder / "p.img")
    with pytest.raises(OutputError, match="is a file that is read"):
        dicecli.score(image, image, output="p.img.hard.csv")
    with pytest.raises(OutputError, match="is a file that is read"):
        wanted.check_files(SimpleNamespace(prediction=SimpleNamespace(filename="p.png"), confusion="p.png"))


def test_a_name_that_none_can_have(tmp_path, monkeypatch):
    """A NUL in an output's name is an error with a hint, of every keyword and every option that writes."""
    monkeypatch.chdir(tmp_path)
    matrix = np.eye(2, dtype=int) * 9 + 1
    for word in ("output", "summary", "confusion", "slices"):
        with pytest.raises(OutputError, match="NUL"):
            dicecli.score(MASK, MASK, **{word: "a\0.csv"})
    with pytest.raises(OutputError, match="NUL"):
        dicecli.soft(MASK * 0.5, MASK, curve="a\0.csv")
    with pytest.raises(OutputError, match="NUL"):
        dicecli.area(matrix, {0: 5, 1: 4}, output="a\0.csv")
    for side in ("p", "r"):
        (tmp_path / side).mkdir()
        make.png(tmp_path / side / "a.png", MASK)
    with pytest.raises(OutputError, match="NUL"):
        dicecli.batch("p", "r", output="a\0.csv")
    assert {path.name for path in tmp_path.iterdir()} == {"p", "r"}
