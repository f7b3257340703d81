"""The journal: what was done comes back exactly once and exactly as it was, whatever ended the run."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
import zlib
from dataclasses import replace
from importlib.metadata import EntryPoint
from pathlib import Path
from types import SimpleNamespace

import places
import pytest
import toy
from hypothesis import given, settings
from hypothesis import strategies as st
from make import journal_record as scored
from make import measured

from dicecli import plugins
from dicecli.errors import OutputError
from dicecli.records.cases import Case, Failed, LeftOut, Scored
from dicecli.records.codec import read, written
from dicecli.records.counts import Counts
from dicecli.runs.fingerprint import fingerprint
from dicecli.runs.journal import Journal
from dicecli.runs.measuring import measure_case
from dicecli.runs.scoring import make_settings

LAW = settings(derandomize=True, database=None, max_examples=60)
SAMPLES = places.SAMPLES
PLAIN = make_settings()

COUNTS = st.builds(Counts, *[st.integers(0, 2**70)] * 4)
TEXT = st.text(st.characters(codec="utf-8"), max_size=8)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
SCORED = st.builds(
    Scored,
    case=st.builds(Case, TEXT, st.none() | TEXT, TEXT, st.none() | TEXT),
    shape=st.lists(st.integers(0, 2**40), max_size=4).map(tuple),
    spacing=st.none() | st.lists(FLOATS, max_size=4).map(tuple),
    unit=st.sampled_from([None, "mm", "m"]),
    sizes=st.dictionaries(st.sampled_from(["mm3", "m2"]), FLOATS),
    counted=st.integers(0, 2**70),
    excluded=st.dictionaries(TEXT, st.integers(0, 2**70), max_size=2),
    measured=st.builds(
        measured,
        st.dictionaries(st.integers(-(2**63), 2**63 - 1), COUNTS, max_size=4),
        st.dictionaries(TEXT, COUNTS, max_size=2),
    ),
    notes=st.lists(TEXT, max_size=3).map(tuple),
)


@pytest.fixture
def cases(tmp_path):
    """Make five cases with files of their own."""
    made = []
    for number in range(5):
        paths = [tmp_path / f"{side}{number}.png" for side in ("prediction", "reference")]
        for path in paths:
            path.write_bytes(b"x" * (number + 1))
        made.append(Case(f"case {number}", *map(str, paths)))
    return made


@pytest.fixture
def path(tmp_path):
    """Name a journal that is not there yet."""
    return tmp_path / "journal"


def write(path, cases):
    """Write a journal of some cases, and return its bytes."""
    journal = Journal.open(path, resume=False)
    for number, case in enumerate(cases):
        journal.add(case, PLAIN, scored(case, number))
    journal.close()
    return path.read_bytes()


def found(path, cases):
    """Resume a journal: the numbers of the cases that are in it, each as it was written."""
    journal = Journal.open(path, resume=True)
    results = {number: journal.find(case, PLAIN) for number, case in enumerate(cases)}
    journal.close()
    there = {number: result for number, result in results.items() if result is not None}
    assert {number: scored(cases[number], number) for number in there} == there
    return set(there)


# What is written


@LAW
@given(SCORED)
def test_a_result_comes_back_exactly(result):
    """Through JSON and back, every integer, float and text of a result is the same, and in the same order."""
    back = read(Scored, json.loads(json.dumps(written(result))))
    assert result == back
    assert repr(result) == repr(back)


@pytest.mark.parametrize(
    ("name", "suffix"), [("lesion", ".png"), ("organs", ".nii.gz"), ("landcover", ".tif")]
)
def test_a_real_result_comes_back_exactly(name, suffix):
    """So does what is counted of a file of every format."""
    result = measure_case(
        Case(name, *(str(SAMPLES / f"{name}_{side}{suffix}") for side in ("prediction", "reference"))), PLAIN
    )
    assert result == read(Scored, json.loads(json.dumps(written(result))))


def test_what_was_added_is_found_by_the_next_run(path, cases):
    """Of five cases, three were done: these are found, the others are not, and none has changed."""
    write(path, cases[:3])
    journal = Journal.open(path, resume=True)
    assert [scored(case, n) for n, case in enumerate(cases[:3])] == [
        journal.find(each, PLAIN) for each in cases[:3]
    ]
    assert [journal.find(each, PLAIN) for each in cases[3:]] == [None, None]
    assert journal.changed == 0
    journal.close()


def test_a_resumed_journal_grows_and_a_new_one_starts_empty(path, cases):
    """What is added after resuming stands beside what was there; a new one has nothing of it, which is put aside."""
    write(path, cases[:2])
    journal = Journal.open(path, resume=True)
    journal.add(cases[2], PLAIN, scored(cases[2], 2))
    journal.close()
    assert found(path, cases) == {0, 1, 2}
    write(path, cases[:1])
    assert found(path, cases) == {0, 1, 2}
    path.with_name("journal.old").unlink()
    assert found(path, cases) == {0}


def test_what_is_put_aside_is_whole_and_stands_there_once(path, cases):
    """Begun anew twice over, with lines torn in between, every whole entry is kept, and each of them once."""
    old = path.with_name("journal.old")
    first = write(path, cases[:2])
    path.write_bytes(first + b"0123abcd {torn")
    journal = Journal.open(path, resume=False)
    assert journal.kept == 2
    journal.add(cases[2], PLAIN, scored(cases[2], 2))
    journal.add(cases[0], PLAIN, scored(cases[0], 0))
    journal.close()
    assert old.read_bytes().startswith(first)
    write(path, [])
    assert old.read_bytes().count(b"fingerprint") == 3
    write(path, [])  # there is nothing to be kept of a journal without entries
    journal = Journal.open(path, resume=True)
    assert [scored(case, n) for n, case in enumerate(cases[:3])] == [
        journal.find(each, PLAIN) for each in cases[:3]
    ]
    assert (journal.find(cases[3], PLAIN), journal.used, journal.changed) == (None, 3, 0)
    journal.close()


def test_every_line_carries_its_checksum(path, cases):
    """Any line can be checked by itself: eight hexadecimal digits of CRC-32, a space, JSON."""
    lines = write(path, cases).splitlines()
    assert len(cases) + 2 == len(lines)  # what it is, and when the run began
    for line in lines:
        assert b"%08x" % zlib.crc32(line[9:]) == line[:8]
        json.loads(line[9:])


def test_only_what_was_scored_is_written(path, cases):
    """Failed and missing cases leave no trace, so that they are tried again."""
    before = write(path, [])
    journal = Journal.open(path, resume=True)
    journal.add(cases[0], PLAIN, Failed(cases[0], "WorkerDied", "was killed", "Try again."))
    journal.add(cases[1], PLAIN, LeftOut(cases[1], "Missing", "is not there", "Look for it."))
    journal.close()
    assert before == path.read_bytes()


@pytest.mark.skipif(os.name != "posix", reason="names are bytes on POSIX only")
def test_a_name_that_is_not_unicode_comes_back(path, tmp_path):
    """A path with bytes that are no UTF-8 is found again."""
    name = str(tmp_path / os.fsdecode(b"mask \xff.png"))
    case = Case("odd", name, name)
    write(path, [case])
    assert found(path, [case]) == {0}


# What ends a run


def test_a_journal_torn_anywhere_keeps_every_whole_line(path, cases, monkeypatch):
    """Cut at any byte, the lines before the cut are found, and what is added next is whole."""
    monkeypatch.setattr(os, "fsync", lambda _: None)  # a thousand of them take their time
    whole = write(path, cases[:3])
    ends = [n + 1 for n, byte in enumerate(whole) if byte == ord("\n")]
    for cut in range(len(whole) + 1):
        path.write_bytes(whole[:cut])
        done = {number for number, end in enumerate(ends[2:]) if end <= cut}
        journal = Journal.open(path, resume=True)
        journal.add(cases[4], PLAIN, scored(cases[4], 4))
        journal.close()
        assert done | {4} == found(path, cases), cut


def test_a_damaged_byte_costs_its_line_at_most_with_its_neighbour(path, cases):
    """Whichever byte is damaged, no case comes back wrong, and only those of the lines it touches are missing."""
    whole = write(path, cases[:3])
    ends = [n + 1 for n, byte in enumerate(whole) if byte == ord("\n")]
    for place in range(len(whole)):
        damaged = bytes([whole[place] ^ 1 << place % 8])
        path.write_bytes(whole[:place] + damaged + whole[place + 1 :])
        line = sum(end <= place for end in ends)
        touched = {line - 2, line - 1} if place + 1 in ends else {line - 2}
        assert {0, 1, 2} - touched == found(path, cases), place


def test_a_new_line_never_sticks_to_a_torn_one(path, cases):
    """After resuming, nothing of a torn line is left in the file."""
    whole = write(path, cases[:2])
    path.write_bytes(whole[:-5])
    Journal.open(path, resume=True).close()
    assert whole[: whole[:-1].rindex(b"\n") + 1] == path.read_bytes()


def test_a_killed_run_leaves_what_it_had_added(path, cases):
    """What was added is there though the process had no time to close anything; its lock is gone."""
    code = """
import os, sys
from dicecli.runs.scoring import make_settings
from dicecli.runs.journal import Journal
from dicecli.records.cases import Case, Scored
journal = Journal.open(sys.argv[1], resume=False)
case = Case(*sys.argv[2:])
from make import journal_record as scored
journal.add(case, make_settings(), scored(case, 0))
os._exit(9)
"""
    case = cases[0]
    done = subprocess.run(
        [sys.executable, "-c", code, str(path), case.name, case.prediction, case.reference],
        env={**os.environ, "PYTHONPATH": str(places.SUPPORT)},
        check=False,
    )
    assert done.returncode == 9
    assert found(path, cases) == {0}


# What must not be taken for done


def test_a_changed_file_is_counted_again(path, cases):
    """A mask with another size, or another time, is not found, and is said to have changed."""
    write(path, cases)
    Path(cases[0].prediction).write_bytes(b"longer than before")
    stat = Path(cases[1].reference).stat()
    os.utime(cases[1].reference, ns=(stat.st_atime_ns, stat.st_mtime_ns + 1000))
    Path(cases[2].prediction).unlink()
    journal = Journal.open(path, resume=True)
    assert [journal.find(case, PLAIN) is None for case in cases] == [True, True, True, False, False]
    assert journal.changed == 3
    journal.close()


def test_a_file_that_changes_while_it_is_counted_is_counted_again(path, cases):
    """A result stands for the files as they were when it was looked for, not as they are when it is added."""
    journal = Journal.open(path, resume=False)
    assert journal.find(cases[0], PLAIN) is None
    Path(cases[0].prediction).write_bytes(b"longer than before")
    journal.add(cases[0], PLAIN, scored(cases[0], 0))
    journal.close()
    assert found(path, cases) == set()


@pytest.mark.parametrize(
    "options",
    [
        {"ignore_label": 255},
        {"threshold": 0.5},
        {"labels": {"labels": {"1": "liver"}}},
        {"regions": {"both": [1, 2]}},
        {"nodata": "label"},
    ],
    ids=lambda options: next(iter(options)),
)
def test_other_settings_are_counted_again(path, cases, options):
    """Nothing is found under other settings; everything is said to have changed."""
    write(path, cases)
    journal = Journal.open(path, resume=True)
    assert [journal.find(case, make_settings(**options)) for case in cases] == [None] * 5
    assert journal.changed == 5
    assert None not in [journal.find(case, PLAIN) for case in cases]
    journal.close()


def test_options_on_which_no_count_depends_are_passed_over(path, cases):
    """What was counted stays, whichever average leads, and within whichever limits."""
    write(path, cases)
    journal = Journal.open(path, resume=True)
    for options in ({"average": "micro"}, {"max_pixels": 1 << 20}, {"max_memory": "4GiB"}):
        assert None not in [journal.find(case, make_settings(**options)) for case in cases]
    assert journal.changed == 0
    journal.close()


def test_a_journal_of_another_version_is_counted_again(path, cases, monkeypatch):
    """What another version of the package has counted is not taken, and is said to have changed."""
    write(path, cases)
    monkeypatch.setattr("dicecli.runs.fingerprint.__version__", "0.0.0")
    journal = Journal.open(path, resume=True)
    assert [journal.find(case, PLAIN) for case in cases] == [None] * 5
    assert journal.changed == 5
    journal.close()


def test_other_colours_are_other_settings(cases):
    """Two schemes that differ in a colour alone have different fingerprints; equal ones have the same."""
    schemes = [
        {"labels": {"1": "liver"}, "colours": {"1": colour}} for colour in ("#ff0000", "#ff0001", "#ff0000")
    ]
    first, other, same = (fingerprint(cases[0], make_settings(labels=scheme)) for scheme in schemes)
    assert first == same
    assert first != other


def test_the_name_the_paths_and_the_group_are_part_of_a_case(cases):
    """A case is another one under another name, with another mask, without one, or in another group."""
    case = cases[0]
    others = [
        replace(case, name="other"),
        replace(case, prediction=cases[1].prediction),
        replace(case, reference=cases[1].reference),
        replace(case, prediction=case.reference, reference=case.prediction),
        replace(case, prediction=None),
        replace(case, group="a"),
    ]
    assert len({fingerprint(each, PLAIN) for each in [case, *others]}) == len(others) + 1


def test_a_relative_path_means_another_file_elsewhere(tmp_path, monkeypatch):
    """The same words in another folder are another case, though neither file is there."""
    case = Case("one", "p.png", "r.png")
    monkeypatch.chdir(tmp_path)
    here = fingerprint(case, PLAIN)
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")
    assert here != fingerprint(case, PLAIN)


@pytest.mark.parametrize(
    "ends", [(".hdr", ".img"), (".img", ".hdr"), (".HDR", ".IMG"), (".hdr.gz", ".img.gz")]
)
def test_both_halves_of_a_pair_are_looked_at(tmp_path, ends):
    """Where a volume is two files and one is named, a change of the other is seen."""
    given_path, other = (tmp_path / f"mask{end}" for end in ends)
    given_path.write_bytes(b"given")
    case = Case("pair", str(given_path), str(given_path))
    states = {fingerprint(case, PLAIN)}
    for content in (b"half", b"another half"):
        other.write_bytes(content)
        states.add(fingerprint(case, PLAIN))
    assert len(states) == 3


# What the system refuses


def test_a_journal_is_used_by_one_run_at_a_time(path, cases):
    """While one run has it, another is told so and harms nothing; after that, it is free."""
    first = Journal.open(path, resume=False)
    first.add(cases[0], PLAIN, scored(cases[0], 0))
    for resume in (True, False):
        with pytest.raises(OutputError, match="another run is using this journal"):
            Journal.open(path, resume=resume)
    first.add(cases[1], PLAIN, scored(cases[1], 1))
    first.close()
    assert found(path, cases) == {0, 1}


@pytest.mark.parametrize("resume", [True, False])
@pytest.mark.parametrize("content", [b"name,dice\ncase,1\n", b"no line at all", b"\n"])
def test_a_file_that_is_no_journal_is_left_alone(path, content, resume):
    """A path that was given by mistake is refused, and what is there stays."""
    path.write_bytes(content)
    with pytest.raises(OutputError, match="this is no journal"):
        Journal.open(path, resume=resume)
    assert content == path.read_bytes()


def test_a_path_that_cannot_be_written_is_refused(tmp_path):
    """A folder, and a name in a folder that is not there, end in an error with a hint."""
    for path in (tmp_path, tmp_path / "nowhere" / "journal"):
        with pytest.raises(OutputError, match="cannot be used") as caught:
            Journal.open(path, resume=True)
        assert caught.value.hint


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes")
def test_a_pipe_is_refused(path):
    """What is no regular file is refused, without waiting for anyone."""
    os.mkfifo(path)
    with pytest.raises(OutputError, match="no regular file"):
        Journal.open(path, resume=True)


def test_a_full_disk_is_an_error_and_costs_no_other_line(path, cases, monkeypatch):
    """When the disk fills up within a line, that is an error with a hint; lines before and after are whole."""
    journal = Journal.open(path, resume=False)
    journal.add(cases[0], PLAIN, scored(cases[0], 0))
    really_write = os.write
    with monkeypatch.context() as patch:
        space = [40]

        def write_until_full(file, data):
            if not space[0]:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            taken = really_write(file, data[: space[0]])
            space[0] -= taken
            return taken

        patch.setattr(os, "write", write_until_full)
        with pytest.raises(OutputError, match="No space left") as caught:
            journal.add(cases[1], PLAIN, scored(cases[1], 1))
    assert "free some space" in caught.value.hint
    journal.add(cases[2], PLAIN, scored(cases[2], 2))
    journal.close()
    assert found(path, cases) == {0, 2}


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_device_that_is_full_is_an_error(path, cases):
    """The system's own full device says the same; the journal can be closed, and what was there resumed."""
    journal = Journal.open(path, resume=False)
    journal.add(cases[0], PLAIN, scored(cases[0], 0))
    kept = os.dup(journal._file)
    full = os.open("/dev/full", os.O_WRONLY)
    os.dup2(full, journal._file)
    with pytest.raises(OutputError, match="No space left"):
        journal.add(cases[1], PLAIN, scored(cases[1], 1))
    os.dup2(kept, journal._file)
    os.close(kept)
    os.close(full)
    journal.close()
    assert found(path, cases) == {0}


def test_the_disk_is_waited_for_once_a_second_at_most(path, cases, monkeypatch):
    """A hundred lines in a moment are flushed to the disk on closing; a line long after the last, at once."""
    synced = []
    really_sync = os.fsync
    monkeypatch.setattr(os, "fsync", lambda file: synced.append(file) or really_sync(file))
    now = [1000.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    journal = Journal.open(path, resume=False)
    for _ in range(100):
        now[0] += 0.001
        journal.add(cases[0], PLAIN, scored(cases[0]))
    assert len(synced) == 0
    now[0] += 1
    journal.add(cases[1], PLAIN, scored(cases[1]))
    assert len(synced) == 1
    journal.add(cases[2], PLAIN, scored(cases[2]))
    journal.close()
    journal.close()
    assert len(synced) == 2


def test_a_disk_that_fails_on_closing_is_an_error(path, cases, monkeypatch):
    """An error that the system tells only on flushing is told too, and the file is free all the same."""

    def fail(_):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    journal = Journal.open(path, resume=False)
    journal.add(cases[0], PLAIN, scored(cases[0], 0))
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fail)
        with pytest.raises(OutputError, match=os.strerror(errno.EIO)):
            journal.close()
    assert found(path, cases) == {0}


def test_a_closed_journal_takes_nothing_more(path, cases):
    """Adding after closing is a mistake in the program, and says so."""
    journal = Journal.open(path, resume=False)
    journal.close()
    with pytest.raises(ValueError, match="closed"):
        journal.add(cases[0], PLAIN, scored(cases[0]))


def test_a_journal_can_be_removed(path, cases):
    """Removing leaves no file, also after closing; then another run starts afresh at the same path."""
    for close_first in (False, True):
        write(path, cases)
        journal = Journal.open(path, resume=True)
        if close_first:
            journal.close()
        journal.remove()
        assert not path.exists()
    assert found(path, cases) == set()


@pytest.mark.skipif(os.name != "posix", reason="no open file can be removed elsewhere")
def test_a_journal_that_is_removed_while_it_is_opened_is_made_anew(path, cases, monkeypatch):
    """Where another run removes its journal between the opening and the locking, nothing is written to a ghost."""
    really_open = os.open

    def open_and_lose(*arguments):
        file = really_open(*arguments)
        monkeypatch.undo()
        path.unlink()
        return file

    monkeypatch.setattr(os, "open", open_and_lose)
    journal = Journal.open(path, resume=True)
    journal.add(cases[0], PLAIN, scored(cases[0], 0))
    journal.close()
    assert found(path, cases) == {0}


def test_an_entry_of_another_kind_is_passed_over(path, cases):
    """A whole line that says something else, as another version may write it, costs nothing."""
    whole = write(path, cases[:2])
    for text in (
        b"[]",
        b"1",
        b'{"fingerprint": 3}',
        b'{"fingerprint": "x", "scored": {"case": 1}}',
        b"no JSON",
    ):
        whole += b"%08x %b\n" % (zlib.crc32(text), text)
    path.write_bytes(whole)
    assert found(path, cases) == {0, 1}


def test_a_newer_package_of_a_statistic_measures_anew(cases, monkeypatch):
    """What a package's statistic has measured is of its version; metrics of other statistics are not concerned."""
    toy.install(monkeypatch)
    found = []
    for version in ("1.0", "1.0", "1.1"):
        package = SimpleNamespace(name="toys", version=version)
        entry = EntryPoint("toy", "toy", "dicecli.statistics")._for(package)
        monkeypatch.setitem(plugins._entries("statistics"), "toy", entry)
        found.append([fingerprint(cases[0], make_settings(metrics=name)) for name in ("toy_growth", "dice")])
    assert found[0] == found[1]
    assert [True, False] == [old != new for old, new in zip(found[0], found[2], strict=True)]
