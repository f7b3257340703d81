"""Cases by a column of pairs.csv: each group's numbers are those of a run over its cases alone."""

from __future__ import annotations

import csv
import re
from dataclasses import replace

import make
import numpy as np
import pytest
from record_schema import loaded
from streams import runner

import dicecli
from dicecli.cli import cli
from dicecli.errors import UsageError
from dicecli.records.cases import Failed
from dicecli.reports.pages.groups import groups
from dicecli.reports.reading_back import read_report
from dicecli.runs.journal import Journal

SCHEME = {"labels": {"0": "background", "1": "liver", "2": "tumour"}, "regions": {"both": [1, 2]}}
#: Folds of seven cases; the fifth has none, and the last one's prediction cannot be read.
FOLDS = ["10", "2", "2", "10", "", "2", "10"]


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    """Write seven pairs and a CSV with two columns more."""
    folder = tmp_path_factory.mktemp("pairs")
    rng, lines = np.random.default_rng(3), ["fold,prediction,reference,case,group,a reader"]
    for number, fold in enumerate(FOLDS):
        reference = make.blobs((12, 12), 3, number)
        prediction = np.where(rng.random((12, 12)) < 0.2, rng.integers(0, 3, (12, 12)), reference)
        for side, mask in (("p", prediction), ("r", reference)):
            make.png(folder / f"{side}{number}.png", mask.astype(np.uint8))
        lines.append(f"{fold},p{number}.png,r{number}.png,c{number},{'xy'[number % 2]},")
    (folder / "p6.png").write_bytes(b"")
    (folder / "pairs.csv").write_text("\n".join(lines) + "\n")
    return folder / "pairs.csv"


def of_fold(pairs, tmp_path, fold):
    """Score the cases of a fold alone."""
    with pairs.open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["fold"] == fold]
    path = tmp_path / f"fold{fold}.csv"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return dicecli.batch(pairs.parent, pairs.parent, pairs=path, labels=SCHEME)


def test_the_numbers_of_a_group_are_those_of_its_cases_alone(pairs, tmp_path):
    """Averages, statistics and counts of cases; values in their natural order, the missing one last."""
    report = dicecli.batch(pairs=pairs, labels=SCHEME, group_by="fold")
    assert [*report.groups] == ["2", "10", None]
    for value, group in report.groups.items():
        alone = of_fold(pairs, tmp_path, value or "")
        assert group.averages == alone.averages
        assert repr(group.summary) == repr(alone.summary)
        assert [each.case.name for each in group.results] == [each.case.name for each in alone.results]
        assert group.number("failed") == (value == "10")
    assert dicecli.batch(pairs=pairs, labels=SCHEME).groups == {}
    # The group of the bootstrap is a column, too.
    by_group = dicecli.batch(pairs=pairs, labels=SCHEME, group_by="group").groups
    assert {value: len(each.results) for value, each in by_group.items()} == {"x": 4, "y": 3}


def test_lengths_are_in_the_unit_of_the_whole_run():
    """Also in a group without a case that was scored: metrics have one name in all groups."""
    settings = dicecli.make_settings(group_by="site", metrics=["centre_distance"])
    case, mask = dicecli.Case("a", "p", "r", columns=(("site", "x"),)), np.eye(4, dtype=int)
    (found,) = dicecli.score(mask, mask, metrics=["centre_distance"]).results
    broken = Failed(replace(case, name="b", columns=(("site", "y"),)), "Truncated", "it ends", "Copy it.")
    report = dicecli.Report([replace(found, case=case, spacing=(1.0, 1.0), unit="mm"), broken], settings)
    assert [each.metrics[0].name for each in report.groups.values()] == ["centre_distance_mm"] * 2


def test_labels_are_those_of_the_whole_run(tmp_path):
    """A label that no case of a group has is evaluated in it, as in the whole run."""
    for name, top in (("a", 1), ("b", 3)):
        make.png(tmp_path / f"{name}.png", np.full((4, 4), top, np.uint8))
        make.png(tmp_path / f"{name}2.png", np.full((4, 4), top, np.uint8))
    lines = ["prediction,reference,site", *(f"{each}.png,{each}2.png,{each}" for each in "ab")]
    (tmp_path / "pairs.csv").write_text("\n".join(lines))
    report = dicecli.batch(pairs=tmp_path / "pairs.csv", group_by="site", undefined="zero")
    assert [group.labels for group in report.groups.values()] == [(1, 3), (1, 3)]
    assert [group.look_up("dice").value for group in report.groups.values()] == [0.5, 0.5]


def test_columns_travel_in_json_and_the_journal(pairs, tmp_path):
    """A record that is read back is grouped by any column; a column that changed counts no case again."""
    out = tmp_path / "o.json"
    assert do("batch", "--pairs", pairs, "-o", out, "-q").exit_code == 3
    record = loaded(out.read_text())
    assert [case.get("columns") for case in record["cases"]][3:5] == [{"fold": "10"}, None]
    again = read_report(out)
    assert again.to_dict() == record
    assert do("report", out, "--group-by", "fold", "-o", tmp_path / "again.json").exit_code == 3
    found = read_report(tmp_path / "again.json")
    assert [*found.groups] == ["2", "10", None]
    case = dicecli.batch(pairs=pairs).results[0].case
    result, settings = again.scored[0], again.settings
    journal = Journal.open(tmp_path / "journal", resume=False)
    journal.add(case, settings, result)
    journal.close()
    journal = Journal.open(tmp_path / "journal", resume=True)
    other = dicecli.Case(case.name, case.prediction, case.reference, case.group, columns=(("fold", "7"),))
    assert journal.find(other, settings).case.columns == (("fold", "7"),)
    journal.close()


@pytest.mark.parametrize("column", ["flod", "prediction"])
def test_a_column_that_no_case_has_is_refused_before_the_work(pairs, tmp_path, column):
    """With those that there are; of folders there are none."""
    for call in (
        lambda: dicecli.batch(pairs=pairs, group_by=column),
        lambda: raised(do("batch", "--pairs", pairs, "--group-by", column)),
    ):
        with pytest.raises(UsageError, match=re.escape(f"column '{column}'")) as caught:
            call()
        assert "Known: fold, group, a reader." in caught.value.hint
    for side in "pr":
        (tmp_path / side).mkdir()
        make.png(tmp_path / side / "a.png", np.eye(3, dtype=np.uint8))
    with pytest.raises(UsageError, match="the cases have no column 'fold'"):
        dicecli.batch(tmp_path / "p", tmp_path / "r", group_by="fold")


def test_a_column_in_which_no_case_has_anything_is_one_group(pairs):
    """As of a part of a run whose other parts have something there: the header names the column."""
    done = do("batch", "--pairs", pairs, "--group-by", "a reader", "-f", "json", "-j", 1)
    assert done.exit_code == 3  # of the broken case
    (group,) = loaded(done.stdout)["summary"]["groups"]["groups"]
    assert (group["value"], group["expected"]) == (None, 7)


def raised(done):
    """Raise what a command has printed as its error."""
    assert done.exit_code == 2
    error, _, hint = done.stderr.partition("Hint: ")
    raise UsageError(error, hint)


def do(*arguments):
    return runner().invoke(cli, [*map(str, arguments)])


def test_outputs_have_a_row_for_each_group(pairs, tmp_path):
    """JSON, the summary as CSV and the sheet say what the averages and intervals of the groups' reports are."""
    report = dicecli.batch(pairs=pairs, labels=SCHEME, group_by="fold", metrics=["dice", "recall"])
    record = report.to_dict()["summary"]["groups"]
    assert (record["by"], [each["value"] for each in record["groups"]]) == ("fold", ["2", "10", None])
    rows = [each for each in report.rows("summary") if each["kind"] == "group"]
    assert [(each["group"], each["metric"]) for each in rows] == [
        (value, metric) for value in ("2", "10", None) for metric in ("dice", "recall")
    ]
    for said, (value, group) in zip(record["groups"], report.groups.items(), strict=True):
        assert (said["expected"], said["scored"]) == (len(group.results), len(group.scored))
        alone = of_fold(pairs, tmp_path, value or "")
        for name, each in said["metrics"].items():
            average, interval = alone.averages["macro"][name], alone.intervals["macro"][name]
            assert (each["average"], each["value"], each["n"]) == ("macro", average.value, average.n)
            if value is not None:
                assert (each["ci_low"], each["ci_high"]) == (interval.low, interval.high)
            (row,) = [row for row in rows if (row["group"], row["metric"]) == (value, name)]
            assert [row[key] for key in ("value", "n", "ci_low")] == [
                each[key] for key in ("value", "n", "ci_low")
            ]
    sheet = groups(report)
    assert [row[:2] for row in sheet.rows] == [
        ("2", "3 of 3"),
        ("10", "2 of 3"),
        ("(none)", "1 of 1"),
        ("all", "6 of 7"),
    ]
    assert sheet.columns[:4] == ("group", "cases", "dice@macro", "95 % CI")
    assert sheet.rows[3][2] == f"{report.look_up('dice').value:.4f}"
    out = tmp_path / "s.csv"
    assert do("batch", "--pairs", pairs, "--group-by", "fold", "--summary", out).exit_code == 3
    with out.open(newline="") as file:
        assert {row["group"] for row in csv.DictReader(file) if row["kind"] == "group"} == {"2", "10", ""}
    ungrouped = dicecli.batch(pairs=pairs)
    assert groups(ungrouped).rows == ()
    assert "groups" not in ungrouped.to_dict()["summary"]
