"""Links in strange folders, and the journal of a run that is begun anew."""

from __future__ import annotations

import errno
import os

import make
import numpy as np
import pytest
from batches import journal_of
from record_schema import loaded
from streams import runner

import dicecli
from dicecli.cli import cli
from dicecli.errors import OutputError
from dicecli.reports import writing
from dicecli.runs.journal import Journal

posix_only = pytest.mark.skipif(os.name != "posix", reason="owners and modes are POSIX's")

#: Of label 1 of the masks below: 2 · 2 / (3 + 2).
DICE = 0.8
STRANGER = 12_345


@pytest.fixture
def folders(tmp_path):
    """Make four cases, of which the third cannot be read."""
    for side, mask in (("p", [[0, 1, 0], [1, 1, 0]]), ("r", [[0, 0, 0], [1, 1, 0]])):
        (tmp_path / side).mkdir()
        for name in "abcd":
            make.png(tmp_path / side / f"{name}.png", np.array(mask, np.uint8))
    (tmp_path / "p" / "c.png").write_bytes(b"")
    return tmp_path


def call(folder, *words):
    """Run a batch over the cases."""
    options = ["--jobs", "1", *map(str, words)]
    return runner().invoke(cli, ["batch", f"{folder}/p", f"{folder}/r", *options], catch_exceptions=False)


def to_scores(folder):
    return "-o", folder / "scores.csv", "-o", folder / "scores.json"


def mend(folder):
    make.png(folder / "p" / "c.png", np.array([[0, 1, 0], [1, 1, 0]], np.uint8))


def spoil(folder, *names):
    """Put garbage of the same size and time into masks: a case that is read again fails."""
    for path in (folder / side / f"{name}.png" for name in names for side in "pr"):
        before = path.stat()
        path.write_bytes(b"?" * before.st_size)
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


# Links


def strange_places(folder):
    """Yield a path that leads to ``mine.csv`` by a link that others may have put there, made one way after another."""
    target = folder / "mine.csv"
    (folder / "open").mkdir()
    (folder / "open").chmod(0o1777)
    (folder / "open" / "o.csv").symlink_to(target)
    yield folder / "open" / "o.csv"
    (folder / "open").chmod(0o777)
    yield folder / "open" / "o.csv"
    (folder / "way.csv").symlink_to("open/o.csv")  # a link of one's own that leads to it
    yield folder / "way.csv"
    if os.geteuid() == 0:
        (folder / "theirs.csv").symlink_to(target)
        os.lchown(folder / "theirs.csv", STRANGER, STRANGER)
        yield folder / "theirs.csv"
        (folder / "folder").symlink_to(".")
        os.lchown(folder / "folder", STRANGER, STRANGER)
        yield folder / "folder" / "mine.csv"
        (folder / "home").mkdir()
        (folder / "home" / "o.csv").symlink_to(target)
        os.chown(folder / "home", STRANGER, STRANGER)
        yield folder / "home" / "o.csv"


@posix_only
@pytest.mark.parametrize("content", [b"precious", None])
def test_symbolic_links_in_strange_folders_are_not_followed(content, folders, monkeypatch):
    """Symbolic links in strange folders are not followed: 2, what they lead to is as it was, and there is no journal."""
    mine = folders / "mine.csv"
    if content is not None:
        mine.write_bytes(content)
    for path in strange_places(folders):
        for words in (("-o", path), ("-o", folders / "n.csv", "--summary", path), ("-o", path, "--resume")):
            done = call(folders, *words)
            assert (done.exit_code, "is a symbolic link that others" in done.stderr) == (2, True), (
                path,
                done.stderr,
            )
            assert f"leads to: {mine}" in done.stderr
        with pytest.raises(OutputError, match="symbolic link"):
            writing.write(path, "late")  # also where it was put there after the check
        with pytest.raises(OutputError, match="symbolic link"):
            dicecli.batch(folders / "p", folders / "r", output=path)
        monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(path))
        assert call(folders, "--github").exit_code == 2
        with pytest.raises(OutputError, match="symbolic link"):
            writing.append(path, "late")
        assert (mine.read_bytes() if mine.exists() else None) == content
    assert not list(folders.rglob("*.journal*"))


@posix_only
def test_ones_own_links_are_followed(folders):
    """What one has linked oneself goes on: a file, a folder, one that is not there yet; what leads nowhere is replaced."""
    mend(folders)
    (folders / "real").mkdir()
    (folders / "way").symlink_to("real")
    (folders / "out.csv").symlink_to("way/../real/new.csv")
    (folders / "round.csv").symlink_to("round.csv")
    assert call(folders, "-o", folders / "out.csv", "--summary", folders / "way" / "s.csv").exit_code == 0
    assert (folders / "out.csv").is_symlink()
    assert {"new.csv", "s.csv"} == {path.name for path in (folders / "real").iterdir()}
    writing.write(folders / "round.csv", "")
    assert not (folders / "round.csv").is_symlink()


@posix_only
def test_two_runs_into_one_file_through_two_names(folders):
    """The journal lies beside the file itself: a second run that names it by a link is refused while the first goes on."""
    (folders / "link.csv").symlink_to("scores.csv")
    first = Journal.open(journal_of(folders), resume=False)
    done = call(folders, "-o", folders / "link.csv")
    first.close()
    assert done.exit_code == 2
    assert "another run is using this journal" in done.stderr


@posix_only
@pytest.mark.parametrize("suffix", ["", ".old"])
@pytest.mark.parametrize(
    ("link", "content"),
    [
        (os.symlink, None),
        *((link, content) for link in (os.symlink, os.link) for content in (b"", b"precious\n")),
    ],
)
def test_a_journal_that_is_a_link_is_left_alone(link, content, suffix, folders):
    """A link in the place of a journal, or of what is put aside: what it leads to gets no byte, and loses none."""
    mine = folders / "mine"
    if content is not None:
        mine.write_bytes(content)
    if suffix:
        call(folders, *to_scores(folders))
    link(mine, f"{journal_of(folders)}{suffix}")
    done = call(folders, *to_scores(folders))
    if not suffix or link is os.symlink or content:
        assert done.exit_code == 2
        assert "Traceback" not in done.output
    assert (mine.read_bytes() if mine.exists() else None) == content


# The journal of a run that is begun anew


def test_kept_beside_as_old_said_before(folders):
    """Kept beside as `.old`, said before; and, as that says, the run is stopped, and --resume goes on with it."""
    assert call(folders, *to_scores(folders)).exit_code == 3
    journal, old = journal_of(folders), journal_of(folders).with_name("scores.csv.journal.old")
    before = journal.read_bytes()
    done = call(folders, *to_scores(folders), "--strict", "-q")  # which ends at the first case that fails
    assert done.exit_code == 3
    notes = done.stderr.splitlines()
    assert f"Note: {journal} is of an earlier run: what it has, 3 cases, is kept in {old}." in notes[0]
    assert before == old.read_bytes()
    mend(folders)
    spoil(folders, "a", "b", "d")
    done = call(folders, *to_scores(folders), "--resume")
    assert done.exit_code == 0, done.stderr
    assert (
        f"1 case came from {old}, of an earlier run, which is of no more use: it may be deleted"
        in done.stderr
    )
    found = loaded((folders / "scores.json").read_text(encoding="utf-8"))
    assert {each["case"]: each["status"] for each in found["cases"]} == dict.fromkeys("abcd", "scored")
    assert not journal.exists()
    assert before == old.read_bytes()  # it is the user's to delete


def test_no_row_is_lost_however_often_it_is_forgotten(folders):
    """A second time, what is new joins what was kept, and nothing stands there twice: one file, that does not grow."""
    old = journal_of(folders).with_name("scores.csv.journal.old")
    call(folders, *to_scores(folders))
    call(folders, *to_scores(folders), "-m", "hd95")
    first = old.read_bytes()
    call(folders, *to_scores(folders), "--ignore-label", "7")
    call(folders, *to_scores(folders), "--ignore-label", "7")
    second = old.read_bytes()
    assert second.startswith(first)
    assert second.count(b'"fingerprint"') == 3 * first.count(b'"fingerprint"')
    call(folders, *to_scores(folders), "--ignore-label", "7")
    assert second == old.read_bytes()
    spoil(folders, "a", "b", "d")
    mend(folders)
    done = call(folders, *to_scores(folders), "--resume")
    assert done.exit_code == 0
    assert f"3 cases came from {old}, of an earlier run; what else that has is of other" in done.stderr


#: Metrics of three statistics, with numbers in their names.
MANY = ("nsd_2px", "dice", "hd95", "assd", "nsd_1px", "centroid_distance")


@pytest.mark.parametrize("again", [MANY[::-1], ("precision", *MANY[4:], *MANY[:3])], ids=["order", "others"])
def test_the_order_of_metrics_costs_nothing(again, folders):
    """Other words for what was measured: nothing is read again, and the bytes are those of an undisturbed run."""
    call(folders, *to_scores(folders), "-m", ",".join(MANY))
    mend(folders)
    asked = (*to_scores(folders), "-m", ",".join(again))
    assert call(folders, *asked).exit_code == 0
    undisturbed = [(folders / name).read_bytes() for name in ("scores.csv", "scores.json")]
    (folders / "p" / "c.png").write_bytes(b"")
    call(folders, *to_scores(folders), "-m", ",".join(MANY))
    mend(folders)
    before = journal_of(folders).read_bytes()
    done = call(folders, *asked, "--resume")
    assert (done.exit_code, "counted again" in done.stderr) == (0, False), done.stderr
    assert [(folders / name).read_bytes() for name in ("scores.csv", "scores.json")] == undisturbed
    journal_of(folders).write_bytes(before)
    spoil(folders, "a", "b", "d")
    assert call(folders, *asked, "--resume").exit_code == 0


def test_what_is_counted_again_is_said_before_with_what_is_put_aside(folders):
    """Other settings after --resume was forgotten: a note before the work has the number of all cases that are there."""
    mend(folders)
    (folders / "p" / "d.png").write_bytes(b"")
    call(folders, *to_scores(folders))
    (folders / "p" / "a.png").write_bytes(b"")
    call(folders, *to_scores(folders), "--strict")
    done = call(folders, *to_scores(folders), "--resume", "--ignore-label", "7", "--strict")
    assert done.stderr.splitlines()[0] == (
        "Note: 3 cases that an earlier run has done are counted again: their files or the settings have changed."
    )


def test_of_what_is_spent_it_is_said_that_it_may_be_deleted(folders):
    """After a run that has every case, what it took from is of no more use; before, all would be counted again."""
    old = journal_of(folders).with_name("scores.csv.journal.old")
    call(folders, *to_scores(folders))
    (folders / "p" / "0.png").symlink_to("c.png")
    (folders / "r" / "0.png").symlink_to("c.png")
    call(folders, *to_scores(folders), "--strict")
    done = call(folders, *to_scores(folders), "--resume")
    assert f"3 cases came from {old}, of an earlier run: once that is deleted, all are counted" in done.stderr
    mend(folders)
    (folders / "scores.csv.journal").unlink()
    done = call(folders, *to_scores(folders), "--resume")
    assert f"3 cases came from {old}, of an earlier run, which is of no more use: it may be" in done.stderr


def test_a_journal_without_entries_leaves_nothing(folders):
    """Of a run that had done nothing yet, or whose journal is empty, there is nothing to keep or to say."""
    Journal.open(journal_of(folders), resume=False).close()
    mend(folders)
    done = call(folders, *to_scores(folders))
    assert (done.exit_code, "earlier run" in done.stderr) == (0, False)
    assert not list(folders.glob("*.journal*"))


def test_python_keeps_it_as_well(folders):
    """So does dicecli.batch: with resume=True what was kept is not counted again."""
    dicecli.batch(folders / "p", folders / "r", output=folders / "scores.csv")
    with (
        pytest.warns(UserWarning, match=r"3 cases, is kept in .*\.old\. To go on") as said,
        pytest.raises(dicecli.CaseError),
    ):
        dicecli.batch(folders / "p", folders / "r", output=folders / "scores.csv", strict=True)
    assert [each.filename for each in said] == [__file__]
    mend(folders)
    spoil(folders, "a", "b", "d")
    report = dicecli.batch(folders / "p", folders / "r", output=folders / "scores.csv", resume=True)
    assert len(report.scored) == 4
    assert report.look_up("dice").value == pytest.approx(DICE)


def test_what_cannot_be_put_aside_stays_where_it_is(folders, monkeypatch):
    """On a full disk the run is refused before it begins, and the journal has every byte that it had."""
    call(folders, *to_scores(folders))
    before = journal_of(folders).read_bytes()

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(writing, "_give_usual_mode", full)
        done = call(folders, *to_scores(folders))
    assert (done.exit_code, "cannot be written: No space left" in done.stderr) == (2, True), done.stderr
    assert before == journal_of(folders).read_bytes()
    assert ["scores.csv.journal"] == [path.name for path in folders.glob("*journal*")]


def test_what_is_refused_leaves_no_journal(folders):
    """Where `.journal.old` is something else, no empty journal is left; a name of 251 letters can be written."""
    (folders / "scores.csv.journal.old").write_bytes(b"precious\n")
    assert call(folders, *to_scores(folders), "--resume").exit_code == 2
    assert not (folders / "scores.csv.journal").exists()
    writing.write(folders / f"{'a' * 247}.csv", "x")
    assert (folders / f"{'a' * 247}.csv").read_bytes() == b"x"
