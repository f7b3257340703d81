"""Metrics with a number in their name: each number asked for is a metric, and its statistic measures for it."""

from __future__ import annotations

import csv
import io
import json
import math
from dataclasses import replace
from fractions import Fraction

import batches
import make
import numpy as np
import pytest
import reach
from hypothesis import given
from hypothesis import strategies as st
from streams import runner

import dicecli
from dicecli.cli import cli
from dicecli.errors import UnknownName, UsageError
from dicecli.metrics import Parameter
from dicecli.metrics._catalogue import arguments_of, catalogue, resolve, statistics_of
from dicecli.records.cases import Case
from dicecli.records.counts import Counts
from dicecli.reports.gates import judge, parse
from dicecli.reports.merging import merged
from dicecli.reports.reading_back import from_dict
from dicecli.reports.report import Report
from dicecli.runs.choosing import chosen_metrics
from dicecli.runs.scoring import make_settings, score_many

LABELS = {"labels": {"1": "liver", "2": "tumour", "3": "cyst"}, "regions": {"both": [1, 2]}}
PAIRS = {
    name: (make.blobs((10, 12), 4, seed), make.blobs((10, 12), 4, seed + 5))
    for seed, name in enumerate("abc")
}


def cases(names="abc"):
    return [Case(name, *PAIRS[name]) for name in names]


def rows(text):
    return list(csv.DictReader(io.StringIO(text)))


def run(*words, **options):
    return runner().invoke(cli, [str(each) for each in words], **options)


# --- fbeta: a parameter of counts -----------------------------------------------------------------------------------


def by_hand(beta, counts):
    """Compute F-beta from precision and recall, in exact fractions: 0 where nothing was found."""
    tp, fp, fn = counts
    if not tp + fp + fn:
        return math.nan
    if not tp:
        return 0.0
    precision, recall, square = Fraction(tp, tp + fp), Fraction(tp, tp + fn), Fraction(beta) ** 2
    return float((1 + square) * precision * recall / (square * precision + recall))


@given(
    st.sampled_from(["0", "0.1", "0.5", "1", "2", "3.25", "1000"]),
    *[st.integers(0, 2**60) | st.integers(0, 3) | st.integers(10**400, 10**401)] * 3,
)
def test_fbeta_is_its_formula(beta, tp, fp, fn):
    """The weighted harmonic mean of precision and recall, exactly; undefined where both masks are empty alone."""
    found = resolve(f"fbeta_{beta}").with_settings(make_settings(), "px").value(Counts(tp, fp, fn, 5))
    expected = by_hand(beta, (tp, fp, fn))
    assert expected == found or (math.isnan(expected) and math.isnan(found))


@given(*[st.integers(0, 100) | st.integers(0, 2**80)] * 3)
def test_fbeta_1_is_dice_and_0_is_precision(tp, fp, fn):
    """The ends: 1 weighs both alike, 0 has precision alone, but for a reference that was missed."""
    counts = Counts(tp, fp, fn)
    one, none = (resolve(f"fbeta_{n}").with_settings(make_settings(), "px").value(counts) for n in (1, 0))
    assert catalogue()["dice"].value(counts) == one or (tp + fp + fn == 0 and math.isnan(one))
    if tp + fp:
        assert catalogue()["precision"].value(counts) == none


@pytest.mark.parametrize(
    ("word", "name", "beta"),
    [
        ("fbeta_2", "fbeta_2", 2),
        ("FBeta-0.5", "fbeta_0.5", 0.5),
        ("fbeta 2.0", "fbeta_2", 2),
        ("fbeta_02", "fbeta_2", 2),
    ],
)
def test_the_name_is_the_number(word, name, beta):
    """Case, hyphens, spaces and zeros do not matter: there is one metric for each number."""
    found = resolve(word)
    assert (name, beta) == (found.name, found.argument)
    assert (name,) == chosen_metrics([word, name])
    assert found == resolve(found.name)


@pytest.mark.parametrize(
    "word", ["fbeta", "fbeta_", "fbeta_x", "fbeta_-1", "fbeta_1_2", "fbeta_{beta}2", "xfbeta_2", "fbeta_nan"]
)
def test_a_word_without_its_number_is_no_metric(word):
    """Which number is meant is for the user to say; the name is proposed."""
    with pytest.raises(UnknownName, match="there is no metric") as caught:
        resolve(word)
    assert "dicecli metrics" in caught.value.hint


@pytest.mark.parametrize("word", ["fbeta_1001", "reach0", "reach100.5"])
def test_a_number_out_of_range_is_an_error(word, monkeypatch):
    """It says what the number may be; the ends are among it."""
    reach.install(monkeypatch)
    with pytest.raises(UsageError, match=rf"{word}: its (beta|percent) is") as caught:
        resolve(word)
    low, high = ("0", "1000") if "beta" in word else ("1", "100")
    assert f"from {low} to {high}" in caught.value.hint
    for end in (low, high):
        assert float(end) == resolve(word.rstrip("0123456789.") + end).argument
    done = run("score", "p.png", "r.png", "-m", word)
    assert (2, "") == (done.exit_code, done.stdout)
    assert f"Error: {word}: its" in done.stderr


def test_all_leaves_it_out():
    """-m all is every metric that needs no number of the user's; a table of metrics lists it by its name."""
    assert not [each for each in chosen_metrics("all") if "beta" in each]
    assert "fbeta_{beta}" in catalogue()
    assert ("accuracy", "fbeta_2") == chosen_metrics(["accuracy", "fbeta_2"])
    assert chosen_metrics(["all", "fbeta_2"])[-1] == "fbeta_2"


def test_fbeta_stands_in_every_form(tmp_path):
    """-m, gates, CSV columns, JSON, averages and statistics, by the name with its number."""
    folder = batches.sound(tmp_path, 2, 24)
    words = [
        "-m",
        "dice",
        "-m",
        "fbeta_2",
        "-m",
        "fbeta_0.5",
        "--fail-under",
        "fbeta_2=0.1",
        "--fail-under",
        "min:fbeta_0.5[1]=0",
    ]
    done = batches.call(*batches.both(folder), *words, "-o", tmp_path / "r.json", "-o", tmp_path / "r.csv")
    assert 0 == done.exit_code, done.stderr
    assert "fbeta_2" in done.stdout
    record = batches.record(tmp_path / "r.json")
    for row in [row for case in record["cases"] for row in case["labels"]]:
        for beta in ("2", "0.5"):
            expected = by_hand(beta, (row["tp"], row["fp"], row["fn"]))
            assert expected == pytest.approx(row[f"fbeta_{beta}"], rel=1e-14)
    table = rows((tmp_path / "r.csv").read_text())
    assert [str(row["fbeta_2"]) for case in record["cases"] for row in case["labels"]] == [
        row["fbeta_2"] for row in table
    ]
    # Pooled: the counts of each label over the cases, then the formula, then the mean over labels.
    pooled = {}
    for row in [row for case in record["cases"] for row in case["labels"]]:
        known = pooled.setdefault(row["label"], [0, 0, 0])
        pooled[row["label"]] = [known[at] + row[name] for at, name in enumerate(("tp", "fp", "fn"))]
    macro = sum(by_hand("2", counts) for counts in pooled.values()) / len(pooled)
    assert macro == pytest.approx(record["summary"]["averages"]["macro"]["values"]["fbeta_2"], rel=1e-14)
    assert macro == pytest.approx(record["summary"]["gates"][0]["value"], rel=1e-14)
    assert {"dice", "fbeta_2", "fbeta_0.5"} == {*record["summary"]["labels"][0]["metrics"]}


def test_a_report_can_be_asked_for_any_number(tmp_path):
    """Of counts every number is known, whichever was shown: in Python, in gates, and by dicecli report."""
    report = score_many(cases(), make_settings(labels=LABELS))
    (counts,) = [row.counts for row in report.case(report.scored[0]).labels if row.label == 1]
    assert by_hand("3", tuple(counts)[:3]) == pytest.approx(report.value("fbeta_3", "a", "liver"), rel=1e-14)
    assert report.look_up("fbeta_1@micro").value == pytest.approx(
        report.look_up("dice@micro").value, rel=1e-14
    )
    (verdict,) = judge([parse("fbeta_7[both]@label-mean=0", over=False)], report)
    assert verdict.value == report.look_up("fbeta_7[both]@label-mean").value
    path = tmp_path / "r.json"
    path.write_text(report.render("json"))
    done = run("report", path, "-m", "fbeta_4", "-f", "csv")
    assert 0 == done.exit_code
    assert "fbeta_4" in rows(done.stdout)[0]


@pytest.mark.parametrize("policy", ["zero", "one"])
def test_a_policy_puts_a_value(policy):
    """Where both masks are empty, as of Dice."""
    empty = Case("empty", np.zeros((2, 2), int), np.zeros((2, 2), int))
    report = score_many([empty], make_settings(labels=LABELS, metrics="fbeta_2", undefined=policy))
    assert float(policy == "one") == report.value("fbeta_2", "empty", 1)


# --- A statistic that measures for the numbers asked for ------------------------------------------------------------


@pytest.fixture
def _reach(monkeypatch):
    reach.install(monkeypatch)


def share(pair, label, percent, members=None):
    """Count the first columns in plain Python."""
    first, second = (
        sum(
            int(value) in (members or (label,))
            for row in mask
            for at, value in enumerate(row)
            if at < percent / 100 * len(row)
        )
        for mask in pair
    )
    return first / (first + second) if first + second else math.nan


@pytest.mark.usefixtures("_reach")
def test_the_statistic_gets_the_numbers_asked_for():
    """Each once, in ascending order, whatever the order and however often; nothing is begun for others."""
    names = ("dice", "reach75", "reach20", "front75", "Reach20.0", "reach12.5")
    assert ("matrix", "reach") == statistics_of(names)
    assert {"percent": (12.5, 20.0, 75.0)} == arguments_of(names, "reach")
    assert (
        {} == arguments_of(names, "matrix") == arguments_of(("dice",), "reach") == arguments_of(None, "reach")
    )
    dicecli.score(*PAIRS["a"], metrics=names)
    assert {(12.5, 20.0, 75.0)} == {*reach.BEGUN}
    reach.BEGUN.clear()
    dicecli.score(*PAIRS["a"], metrics="dice")
    assert [] == reach.BEGUN


@pytest.mark.usefixtures("_reach")
def test_two_numbers_at_once_are_two_metrics():
    """Each label, region and average has both, by brute force."""
    report = score_many(cases(), make_settings(labels=LABELS, metrics=["reach75", "reach20"]))
    assert ["reach75", "reach20"] == [each.name for each in report.metrics]
    for case in report.cases():
        pair = PAIRS[case.result.case.name]
        for percent in (75, 20):
            for row in case.labels:
                assert share(pair, row.label, percent) == pytest.approx(
                    row.values[f"reach{percent}"], nan_ok=True
                )
            expected = share(pair, None, percent, (1, 2))
            assert expected == pytest.approx(case.regions[0].values[f"reach{percent}"], nan_ok=True)
    stacked = [np.vstack([PAIRS[name][side] for name in "abc"]) for side in (0, 1)]
    for percent in (75, 20):
        every = [share(stacked, label, percent) for label in (1, 2, 3)]
        assert every == pytest.approx([report.pooled(f"reach{percent}", label) for label in (1, 2, 3)])
        assert sum(every) / 3 == pytest.approx(report.averages["macro"][f"reach{percent}"].value)
    assert report.look_up("reach20").value != report.look_up("reach75").value
    assert report.look_up("front20[both]").value == report.look_up("reach20[both]@macro").value


@pytest.mark.usefixtures("_reach")
def test_shards_merge_and_are_rendered_again():
    """The record of each shard has what was measured for both numbers; the bytes are those of one run."""
    settings = make_settings(labels=LABELS, metrics=["reach75", "reach20"])
    whole = Report(score_many(cases(), settings).results, settings, is_batch=True)
    shards = [
        from_dict(
            json.loads(
                Report(score_many(cases(name), settings).results, settings, is_batch=True).render("json")
            )
        )
        for name in "cab"
    ]
    assert whole.render("json") == merged(shards).render("json")
    other = Report(score_many(cases("b"), make_settings(labels=LABELS, metrics="reach75")).results,
                   make_settings(labels=LABELS, metrics="reach75"), is_batch=True)  # fmt: skip
    with pytest.raises(UsageError, match="different settings: metrics"):
        merged([shards[0], other])


@pytest.mark.usefixtures("_reach")
def test_a_run_goes_on_with_its_numbers(tmp_path):
    """What the journal holds is what was asked for; with another number every case is measured again."""
    folder = batches.sound(tmp_path, 3, 24)
    mask = folder / "predictions" / "case002.png"
    content = mask.read_bytes()
    mask.write_bytes(b"")
    words = [*batches.both(folder), "-o", tmp_path / "scores.csv", "-m", "reach20", "-m", "reach75"]
    assert 3 == batches.call(*words).exit_code
    assert [(20.0, 75.0)] * 2 == reach.BEGUN
    mask.write_bytes(content)
    reach.BEGUN.clear()
    assert 0 == batches.call(*words, "--resume").exit_code
    assert [(20.0, 75.0)] == reach.BEGUN
    resumed = (tmp_path / "scores.csv").read_bytes()
    assert 0 == batches.call(*words).exit_code
    assert resumed == (tmp_path / "scores.csv").read_bytes()
    mask.write_bytes(b"")
    assert 3 == batches.call(*words).exit_code
    mask.write_bytes(content)
    reach.BEGUN.clear()
    done = batches.call(*words[:-2], "-m", "reach50", "--resume")
    assert (0, [(20.0, 50.0)] * 3) == (done.exit_code, reach.BEGUN)
    assert "reach50" in rows((tmp_path / "scores.csv").read_text())[0]


@pytest.mark.usefixtures("_reach")
def test_a_number_that_was_not_measured_is_told(tmp_path):
    """A report has values of the numbers that were asked for; of another one it says how to get it, never NaN."""
    report = score_many(cases(), make_settings(metrics="reach20"))
    assert math.isfinite(report.look_up("reach20").value)
    for name in ("reach30", "reach30[1]", "reach30@micro"):
        with pytest.raises(
            UsageError, match="reach30 has a number in its name for which the statistic"
        ) as caught:
            report.look_up(name)
        assert "-m reach30" in caught.value.hint
    with pytest.raises(UsageError, match="reach30 has a number"):
        report.shown_with(make_settings(metrics=["reach20", "reach30"]))
    path = tmp_path / "r.json"
    path.write_text(report.render("json"))
    assert "reach20" in run("report", path, "-m", "reach20", "-f", "csv").stdout
    done = run("report", path, "-m", "reach30")
    assert (2, "") == (done.exit_code, done.stdout)
    assert "-m reach30" in done.stderr


@pytest.mark.usefixtures("_reach")
def test_a_gate_on_a_number_that_is_not_measured_is_refused_before_the_work(tmp_path):
    """The hint, followed literally, leads to a run that measures it."""
    folder = batches.sound(tmp_path, 1, 24)
    words = [*batches.both(folder), "-m", "reach20", "--fail-over", "reach30=1"]
    done = batches.call(*words)
    assert (2, []) == (done.exit_code, reach.BEGUN)
    assert "reach30" in done.stderr
    assert "-m reach30" in done.stderr
    assert 0 == batches.call(*words, "-m", "reach30").exit_code


# --- What is not there yet ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "what"),
    [("pq", "instance"), ("panoptic-quality", "instance"), ("cldice", "skeletons")],
)  # fmt: skip
def test_what_is_not_there_yet_says_so(word, what):
    """In Python, -m, gates and dicecli metrics: what it is, and that it is not there; no list of all names."""
    with pytest.raises(UnknownName, match=f"{what}.*not there yet") as caught:
        resolve(word)
    assert "dicecli metrics" in caught.value.hint
    for words in (
        ["score", "p.png", "r.png", "-m", word],
        ["batch", "p", "r", "--fail-over", f"{word}=3"],
        ["metrics", word],
    ):
        done = run(*words)
        assert 2 == done.exit_code, done.output
        assert "not there yet" in done.stderr
        assert "volume_similarity" not in done.stderr


# --- What a parameter is --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "reach"},
        {"parameter": None},
        {"parameter": Parameter("other")},
        {"name": "reach{other}"},
    ],
)
def test_a_name_and_a_parameter_that_do_not_agree_are_refused(fields):
    """The parameter stands in braces in the name, and nothing else does."""
    with pytest.raises(ValueError, match="in braces"):
        replace(reach.METRIC, **fields)
