"""What a batch in Python does beside its numbers: gates, files, a journal, a bar; as the command does it, to the byte."""

from __future__ import annotations

import inspect
import json

import make
import numpy as np
import pytest
from batches import both, call, pair, sound

import dicecli
from dicecli.errors import EmptyFile, GateError, OutputError, ShapeMismatch, UsageError
from dicecli.reports.parts import PARTS
from dicecli.runs import progress as progress_module
from dicecli.runs.batch import Stopped
from dicecli.runs.progress import Progress, watching

WORDS = {name: "output" if name == "report" else name for name in PARTS}


@pytest.fixture
def folders(tmp_path):
    """Write four pairs."""
    return both(sound(tmp_path, 4))


@pytest.fixture
def broken(folders):
    """Break one of the pairs."""
    (folders[0] / "case001.png").write_bytes(b"")
    return folders


def keywords(function):
    return inspect.signature(function).parameters.keys()


def test_every_part_of_a_report_has_a_keyword():
    """A function has those that its runs have."""
    for part, its in PARTS.items():
        assert WORDS[part] in keywords(dicecli.batch)
        assert ("labels" in its.reads) == (WORDS[part] in keywords(dicecli.score))
        assert ("probabilities" in its.reads) == (WORDS[part] in keywords(dicecli.soft))


def test_files_and_verdicts_are_those_of_the_command(broken, tmp_path):
    """Gates, a baseline, several outputs and a case that fails: the same bytes, and the report is passed or not."""
    assert call(*broken, "-o", tmp_path / "old.json").exit_code == 3
    gates = ["--fail-under", "dice=0.5", "--fail-over", "fpr=0.0001", "--baseline", tmp_path / "old.json", "--max-drop", "0.01"]  # fmt: skip
    files = {word: [tmp_path / f"{word}.csv", tmp_path / f"{word}.json"] for word in ("output", "summary")}
    options = [part for word, paths in files.items() for path in paths for part in (f"--{word}", path)]
    assert call(*broken, *gates, *options, "-m", "dice,fpr", "--resume").exit_code == 3
    expected = [path.read_bytes() for paths in files.values() for path in paths]
    for paths in files.values():
        for path in paths:
            path.unlink()
    with pytest.warns(UserWarning, match=r"is of an earlier run: .* kept in .*\.journal\.old"):
        report = dicecli.batch(
            *broken,
            metrics=["dice", "fpr"],
            **files,
            fail_under="dice=0.5",
            fail_over=["fpr=0.0001"],
            baseline=tmp_path / "old.json",
            max_drop=0.01,
        )
    assert expected == [path.read_bytes() for paths in files.values() for path in paths]
    assert [True, False, True] == [each.holds for each in report.verdicts]
    assert json.loads(expected[1])["summary"]["gates"][2]["gate"] == "max-drop 0.01"
    assert not report.passed


def test_a_report_passes_as_the_command_exits(folders, broken):
    """Gates decide, and cases that failed; an earlier report is as good as its file."""
    del broken
    assert not dicecli.batch(*folders).passed
    pair(folders[0].parent, "case001", 1, 16)
    report = dicecli.batch(*folders, fail_under=["dice=0.5", "iou@micro=0.3"])
    assert report.passed
    assert 2 == len(report.verdicts)
    later = dicecli.batch(*folders, baseline=report, max_drop=["0.001", "dice[1]=0.5"])
    assert later.passed
    assert later.comparison is not None
    assert not dicecli.batch(*folders, fail_under="dice=0.99").passed
    one = dicecli.score(*(each / "case001.png" for each in folders), baseline=report)
    assert one.comparison is not None


def test_a_stopped_run_is_resumed(broken, tmp_path):
    """The first error is raised, what is done is written and kept, and only the rest is counted later."""
    output, told = tmp_path / "scores.csv", []
    with pytest.raises(EmptyFile) as error:
        dicecli.batch(*broken, output=output, strict=True)
    assert error.value.hint
    assert isinstance(error.value.__cause__, Stopped)
    assert 2 == error.value.__cause__.report.number("pending")
    assert (tmp_path / "scores.csv.journal").exists()
    assert b"Pending" in output.read_bytes()
    pair(tmp_path, "case001", 1, 16)
    (broken[0] / "case000.png").touch()
    report = dicecli.batch(*broken, output=[output], resume=True, progress=lambda *given: told.append(given))
    assert [(1, 4), (2, 4), (3, 4), (4, 4)] == [each[:2] for each in told]
    assert [*report.results] == sorted((each[2] for each in told), key=lambda each: each.case.name)
    assert not (tmp_path / "scores.csv.journal").exists()
    assert call(*broken, "-o", tmp_path / "again.csv").exit_code == 0
    assert (tmp_path / "again.csv").read_bytes() == output.read_bytes()


def test_an_interrupt_is_one_and_loses_nothing(folders, tmp_path):
    """What was done is written, and the report is in its cause; what a callback raises comes out as it is."""

    def interrupt(done, total, result):
        assert (4, "scored") == (total, result.status)
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as error:
        dicecli.batch(*folders, output=tmp_path / "scores.json", progress=interrupt)
    report = error.value.__cause__.report
    assert (2, 2) == (report.number("scored"), report.number("pending"))
    assert report.to_dict() == json.loads((tmp_path / "scores.json").read_text(encoding="utf-8"))
    with pytest.raises(ZeroDivisionError), pytest.warns(UserWarning, match="is of an earlier run"):
        dicecli.batch(*folders, output=tmp_path / "scores.json", progress=lambda *_: 1 / 0)
    assert dicecli.batch(*folders, output=tmp_path / "scores.json", resume=True).passed


def test_what_is_wrong_is_said_before_the_work(folders, tmp_path):
    """No case is scored; a gate on what is nowhere is known at the end, when files are written."""
    wrong = [
        ({"output": tmp_path / "scores.doc"}, OutputError, "no report has the suffix"),
        ({"output": tmp_path / "no" / "scores.csv"}, OutputError, "does not exist"),
        ({"output": 3.5j}, UsageError, "output is 3.5j"),
        ({"curve": tmp_path / "curve.csv"}, UsageError, "curve is for probability maps, and these are masks"),
        ({"resume": True}, UsageError, "needs the output"),
        ({"fail_under": "dyce=0.5"}, UsageError, "dyce"),
        ({"fail_under": [None]}, UsageError, "fail_under is"),
        ({"max_drop": 0.01}, UsageError, "nothing to compare with"),
        ({"baseline": tmp_path / "no.json"}, UsageError, "no.json"),
        ({"progress": 3}, UsageError, "progress is 3"),
        ({"fail_under": "hd95=3"}, GateError, "hd95"),
    ]
    for options, kind, said in wrong:
        with pytest.raises(kind, match=said) as error:
            dicecli.batch(*folders, **{"progress": lambda *_: pytest.fail("scored")} | options)
        assert error.value.hint
    with pytest.raises(GateError):
        dicecli.batch(*folders, output=tmp_path / "scores.csv", fail_under="dice[77]=0.5")
    assert (tmp_path / "scores.csv").exists()


def test_one_pair_is_written_too(tmp_path):
    """As score and soft of the command do; nothing is written of a pair that cannot be scored."""
    masks = make.blobs((3, 8, 8), 3)
    report = dicecli.score(masks, masks, output=str(tmp_path / "a.csv"), slices=tmp_path / "slices.csv")
    assert (tmp_path / "a.csv").read_text(encoding="utf-8").startswith("case,")
    assert report.settings.per_slice
    assert (tmp_path / "slices.csv").stat().st_size
    soft = dicecli.soft(np.full((4, 4), 0.75), masks[0, :4, :4] > 0, curve=[tmp_path / "c.csv"])
    assert soft.scored
    assert (tmp_path / "c.csv").stat().st_size
    with pytest.raises(ShapeMismatch):
        dicecli.score(masks, masks[:2], output=tmp_path / "b.csv")
    assert not (tmp_path / "b.csv").exists()
    with pytest.raises(OutputError):
        dicecli.score(masks, masks, summary=tmp_path)


def test_a_bar_goes_to_standard_error_as_lines(folders, monkeypatch, capsys):
    """Where there is neither a terminal nor a notebook; the last one says how long it took."""
    monkeypatch.setattr(progress_module, "_EVERY", 0.0)
    assert dicecli.batch(*folders, progress=True).passed
    said = capsys.readouterr()
    assert "" == said.out
    assert 4 == len(said.err.splitlines())
    assert said.err.splitlines()[-1].startswith("4 of 4 cases, ")
    with watching(False, 3) as told:
        assert told is None
    bar = Progress(4, quiet=True)
    assert repr(bar).startswith("0 of 4 cases, ")
    assert "0 of 0 cases in 0 s" == repr(Progress(0, quiet=True))
    assert '<progress value="0" max="4">' in bar._repr_html_()
