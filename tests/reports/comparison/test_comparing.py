"""A run beside its baseline: every number again by loops, the cases that take no part, and what is refused."""

from __future__ import annotations

import math
from dataclasses import replace

import make
import numpy as np
import pytest
from record_schema import loaded
from streams import runner

from dicecli.cli import cli
from dicecli.errors import GateError
from dicecli.records.cases import Case
from dicecli.reports.bootstrap import bootstrap
from dicecli.reports.comparison.changes import changes
from dicecli.reports.comparison.comparing import comparison
from dicecli.reports.reading_back import from_dict
from dicecli.runs.scoring import make_settings, score_many

SCHEME = {"labels": {"0": "background", "1": "liver", "2": "tumour"}, "regions": {"both": [1, 2]}}
REFERENCES = [make.blobs((12, 12), 3, seed) for seed in range(9)]
REFERENCES[4][:] = 0


def pair(number, seed):
    """Return a prediction that is wrong in a tenth of the pixels, otherwise for every seed; its reference."""
    rng, reference = np.random.default_rng((seed, number)), REFERENCES[number]
    wrong = rng.random(reference.shape) < 0.1
    return np.where(wrong, rng.integers(0, 3, reference.shape), reference), reference


def run(numbers, seed, groups=(None,), **options):
    """Score the pairs of some numbers."""
    cases = [Case(f"c{n}", *pair(n, seed), groups[n % len(groups)]) for n in numbers]
    return score_many(cases, make_settings(**{"labels": SCHEME} | options))


def dice(prediction, reference, label):
    """Return Dice by its definition; NaN where neither mask has the label."""
    both = np.isin(prediction, label).sum() + np.isin(reference, label).sum()
    return 2 * (np.isin(prediction, label) & np.isin(reference, label)).sum() / both if both else math.nan


@pytest.mark.parametrize("groups", [(None,), ("p", "q", "r")])
def test_every_number_is_that_of_loops_over_the_common_cases(groups):
    """Old and new over the common cases alone; the mean difference of the cases where both are defined."""
    old, new = run(range(7), 1), run(range(2, 9), 2, groups)
    found = comparison(new, old, "old.json")
    assert (found.baseline, found.common) == ("old.json", 5)
    assert (found.only_in_baseline, found.only_in_run) == (("c0", "c1"), ("c7", "c8"))
    assert found.resampled == ("case" if groups == (None,) else "group")
    by_name = {each.title: each for each in found.changes}
    common = range(2, 7)
    masks = [{n: pair(n, seed) for n in common} for seed in (1, 2)]
    for title, label in (("dice[liver]", [1]), ("dice[tumour]", [2]), ("dice[both]", [1, 2])):
        was, now = ([dice(*side[name], label) for name in common] for side in masks)
        difference = np.array(now) - np.array(was)
        (interval,) = bootstrap(difference[:, None], [groups[n % len(groups)] for n in common])
        pooled = [
            dice(*(np.concatenate(each) for each in zip(*(side[n] for n in common), strict=True)), label)
            for side in masks
        ]
        actual = by_name[title]
        assert (actual.old, actual.new) == pytest.approx(pooled, rel=1e-14)
        assert actual.difference == pytest.approx(pooled[1] - pooled[0], abs=1e-15)
        assert actual.n == np.isfinite(difference).sum()
        assert actual.mean_difference == pytest.approx(np.nanmean(difference), abs=1e-15)
        assert (actual.ci_low, actual.ci_high) == pytest.approx(interval, abs=1e-12)
    leads = by_name["dice@macro"]
    mean = [[np.nanmean([dice(*side[n], [k]) for k in (1, 2)]) for n in common] for side in masks]
    assert leads.mean_difference == pytest.approx(np.mean(np.subtract(*mean[::-1])), abs=1e-12)
    assert [each.leads for each in found.changes].count(True) == len(new.shown)


def test_it_travels_in_json_and_is_shown_within_80_columns():
    """Written, read back and written again it is the same; a sheet shows what leads, or all of it."""
    old, new = run(range(3), 1), run([1, 2, 3], 2, undefined="one")
    assert changes(None).rows == ()
    new.comparison = comparison(new, old, "old.json")
    record = new.to_dict()
    again = from_dict(record)
    assert again.comparison == new.comparison
    assert again.shown_with(replace(new.settings, metrics=("iou",))).comparison == new.comparison
    assert again.to_dict() == record
    sheet, every = changes(new.comparison), changes(new.comparison, every=True)
    assert [row[0] for row in sheet.rows] == [f"{each.name}@macro" for each in new.shown]
    assert len(every.rows) == len(new.comparison.changes)
    widths = [max(map(len, column)) for column in zip(every.columns, *every.rows, strict=True)]
    assert sum(widths) + 2 * len(widths) <= 80
    assert "Over the 2 cases that both scored." in sheet.remark
    assert "Only in the baseline: 1 case (c0)." in sheet.remark
    assert "Other settings than the baseline: undefined." in sheet.remark


def test_a_region_is_compared_by_its_labels_where_the_baseline_has_no_such_name():
    """Two regions of one name and other labels are not one."""
    names = SCHEME["labels"]
    of_old = [{"sum": [2, 1]}, {"both": [1], "sum": [1, 2]}, {"both": [1]}, {"sum": [1]}]
    for old, expected in zip(of_old, (True, False, False, False), strict=True):
        was = run([0, 1], 1, labels={"labels": names, "regions": old})
        found = comparison(run([0, 1], 2), was)
        assert expected == any(each.title == "dice[both]" for each in found.changes)


def test_what_cannot_be_compared_is_said_and_the_rest_is():
    """A distance that was not measured; lengths in other units; another average is that of this run."""
    old = run([0, 1], 1, average="micro")
    found = comparison(run([0, 1], 2, metrics=["centre_distance", "iou"]), old)
    assert {each.metric for each in found.changes} == {"iou"}
    assert found.changes[0].title == "iou@macro"
    (note,) = found.notes
    assert note.startswith("centre_distance_px is not compared")
    old, new = (run([0, 1], n, metrics=["centre_distance", "dice"]) for n in (1, 2))
    old = from_dict(replace_unit(old.to_dict()))
    found = comparison(new, old)
    assert {each.metric for each in found.changes} == {"dice"}
    assert "lengths of the baseline are in mm" in found.notes[0]


def replace_unit(record):
    """Say of a record's cases that their pixels are of a millimetre."""
    for case in record["cases"]:
        case |= {"unit": "mm", "spacing": [1.0, 1.0], "prediction": "p", "reference": "r"}
    return record


def test_what_has_nothing_in_common_is_refused():
    """As for gates: no common case, two of one name."""
    with pytest.raises(GateError, match=r"in this run \(c0\) and in the baseline \(c1\)"):
        comparison(run([0], 1), run([1], 1))
    twice = replace_results(run([0], 1))
    with pytest.raises(GateError, match="more than one case of the baseline is named c0"):
        comparison(run([0], 1), twice)


def replace_results(report):
    return type(report)(report.results * 2, report.settings, is_batch=True)


def test_commands_compare_without_a_gate(tmp_path, monkeypatch):
    """A score, a batch and a report take a baseline alone: exit code 0, and the record has the comparison."""
    for side, shift in (("p", 1), ("r", 0)):
        (tmp_path / side).mkdir()
        for name in "ab":
            make.png(tmp_path / side / f"{name}.png", np.roll(REFERENCES[ord(name) % 3], shift, 1))
    old, new = tmp_path / "old.json", tmp_path / "new.json"
    pair = [tmp_path / "p" / "a.png", tmp_path / "r" / "a.png"]
    folders = ["batch", tmp_path / "p", tmp_path / "r", "-j", 1]
    assert do(*folders, "-o", old, "--fail-under", "dice=0.01").exit_code == 0
    for command in (folders, ["report", old], ["score", *pair]):
        done = do(*command, "--baseline", old, "-o", new)
        assert done.exit_code == 0, done.output
        record = loaded(new.read_text())
        found = record["summary"]["comparison"]
        assert found["common"] == (1 if command[0] == "score" else 2)
        assert found["changes"][0]["difference"] == 0
        # The verdicts of a run stay in its report.
        assert len(record["summary"]["gates"]) == (command[0] == "report")
    # The baseline of a configuration file is for runs of many cases; one of other cases is refused.
    (tmp_path / "dicecli.toml").write_text(f"baseline = '{old}'\n")
    monkeypatch.chdir(tmp_path)
    other = (tmp_path / "r" / "a.png").rename(tmp_path / "other.png")
    assert do("score", other, other).exit_code == 0
    done = do("score", other, other, "--baseline", old)
    assert done.exit_code == 2
    assert "dice" in done.stdout
    assert "no case was scored both" in done.stderr


def do(*arguments):
    return runner().invoke(cli, [*map(str, arguments)])
