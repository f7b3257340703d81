"""Gates and baselines, on cases whose numbers can be checked on paper."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from make import measured

from dicecli.errors import GateError, UnknownName
from dicecli.metrics._catalogue import catalogue
from dicecli.records.cases import Case, Pending, Scored
from dicecli.records.counts import Counts
from dicecli.reports.comparison.drops import compare
from dicecli.reports.gates import judge, parse
from dicecli.reports.report import Report
from dicecli.runs.scoring import make_settings, score_many

NAMES = {"0": "background", "1": "liver", "2": "a=b", "3": "x[1]", "4": "nowhere"}
SCHEME = {"labels": NAMES, "regions": {"both": [1, 2]}}
REFERENCE = np.array([[1, 1, 2, 2, 0, 0, 0, 0]])
#: Liver 2/3 (tp 1, fn 1), a=b 4/5 (tp 2, fp 1).
GOOD = np.array([[1, 2, 2, 2, 0, 0, 0, 0]])
#: Liver 2/5 (tp 1, fp 2, fn 1), a=b 0 (fn 2).
BAD = np.array([[1, 0, 1, 1, 0, 0, 0, 0]])
EMPTY = np.zeros_like(REFERENCE)
#: Pooled over GOOD and BAD: liver (2, 2, 2), Dice 1/2; a=b (2, 1, 2), Dice 4/7; both together (7, 0, 1).
LIVER, SECOND = 1 / 2, 4 / 7


def run(predictions, reference=REFERENCE, **options):
    """Score arrays by name against one reference."""
    options = {"labels": SCHEME} | options
    cases = [Case(name, prediction, reference) for name, prediction in predictions.items()]
    return score_many(cases, make_settings(**options))


def verdict(text, report, *, over=False):
    (only,) = judge([parse(text, over=over)], report)
    return only


@pytest.fixture(scope="module")
def report():
    return run({"good": GOOD, "bad": BAD})


@pytest.mark.parametrize(
    ("text", "row", "average", "limit"),
    [
        ("dice=0.8", None, None, 0.8),
        (" dice = .5 ", None, None, 0.5),
        ("dice@micro=1e-3", None, "micro", 0.001),
        ("dice @ Label_Mean = 0.5", None, "label-mean", 0.5),
        ("dice[liver]=1", "liver", None, 1.0),
        ("dice [ 2 ] = 1", "2", None, 1.0),
        ("dice[a=b]=0.5", "a=b", None, 0.5),
        ("dice[x[1]]=0.5", "x[1]", None, 0.5),
        ("dice[x]=1]=0.5", "x]=1", None, 0.5),
        ("dice[left@micro]=0.5", "left@micro", None, 0.5),
        ("dice[left@micro]@macro=0.5", "left@micro", "macro", 0.5),
        ("dice[x[1]] @ Label Mean=0.5", "x[1]", "label-mean", 0.5),
        ("min:dice=0.5", None, None, 0.5),
        ("MIN : dice[1]=0.5", "1", None, 0.5),
        ("min:dice@micro=0.5", None, "micro", 0.5),
        ("min:dice[1]@label-mean=0.5", "1", "label-mean", 0.5),
    ],
)
def test_a_gate_is_read_from_the_right(text, row, average, limit):
    """Average, label and limit are found whatever signs the label's name holds; spaces are allowed."""
    found = parse(text, over=False)
    assert (catalogue()["dice"], row, average) == (found.metric, found.asked.row, found.asked.average)
    assert (text, limit, "under") == (found.text, found.limit, found.direction)
    assert text.lower().startswith("min") == found.every_case


def test_an_alias_is_the_metric_that_it_names():
    """Other names of the field work in gates."""
    assert catalogue()["iou"] == parse("Jaccard-Index[1]=0.5", over=False).metric


def test_overall_metrics_have_neither_row_nor_average():
    """They are one number: neither an average nor a label is put in their place."""
    found = parse("overall_kappa=0.5", over=False).asked
    assert (None, None) == (found.row, found.average)


@pytest.mark.parametrize(
    "text",
    # One a word.
    [
        "",
        "dice",
        "0.8",
        "=0.8",
        "dice=",
        "dice=high",
        "dice=nan",
        "dice=inf",
        "dice=-inf",
        "dice[1=0.5",
        "dice]1[=0.5",
        "dice[]=0.5",
        "dice@=0.5",
        "min:=0.5",
        "mean:dice=0.5",
        "min:max:dice=0.5",
        "dice[a=b]",
        "dice[1]x=0.5",
    ],
)
def test_a_malformed_gate_is_an_error_with_an_example(text):
    """What cannot be read is never guessed; the hint shows gates as they are written."""
    with pytest.raises(GateError, match="is no gate") as error:
        parse(text, over=False)
    assert "dice=0.8" in error.value.hint


def test_an_unknown_metric_names_the_nearest():
    """A metric that does not exist is an error of its name, not of the gate's form."""
    with pytest.raises(UnknownName) as error:
        parse("dise=0.5", over=False)
    assert "Did you mean dice" in error.value.hint


@pytest.mark.parametrize(
    ("text", "over", "proposed"),
    [
        ("fpr=0.1", False, "--fail-over 'fpr=0.1'"),
        ("min:fpr[1]=0.1", False, "--fail-over 'max:fpr[1]=0.1'"),
        ("dice=0.9", True, "--fail-under 'dice=0.9'"),
        ("max:dice=0.9", True, "--fail-under 'min:dice=0.9'"),
        ("max:dice=0.9", False, "--fail-under 'min:dice=0.9'"),
        ("min:fpr=0.1", True, "--fail-over 'max:fpr=0.1'"),
    ],
)
def test_the_wrong_direction_proposes_the_right_one(text, over, proposed):
    """A gate against a metric's direction would pass what is bad, so it is an error that says what to write."""
    with pytest.raises(GateError) as error:
        parse(text, over=over)
    assert f"Write {proposed}." == error.value.hint


@pytest.mark.parametrize("over", [False, True])
def test_a_metric_without_direction_has_no_gate(over):
    """Neither too much nor too little volume is better."""
    with pytest.raises(GateError, match="neither better high nor better low"):
        parse("relative_volume_difference=0.1", over=over)


@pytest.mark.parametrize(
    "text", ["dice=85", "min:dice[left lung]=100", "iou@micro = 2", "soft_dice_standard=80"]
)
def test_a_percentage_proposes_the_share_of_the_same_number(text):
    with pytest.raises(GateError, match="lies from 0 to 1") as caught:
        parse(text, over=False)
    proposed = parse(caught.value.hint.split("'")[1], over=False)
    meant = parse(f"{text.rpartition('=')[0]}=0.5", over=False)
    assert replace(proposed, text="", limit=0, asked=replace(proposed.asked, text="")) == replace(
        meant, text="", limit=0, asked=replace(meant.asked, text="")
    )
    assert proposed.limit == float(text.rpartition("=")[2]) / 100


@pytest.mark.parametrize("limit", [-0.5, 850])
def test_what_is_no_percentage_proposes_no_share(limit):
    with pytest.raises(GateError, match="lies from 0 to 1") as caught:
        parse(f"dice={limit}", over=False)
    assert "percentages" not in caught.value.hint


@pytest.mark.parametrize("text", ["overall_kappa[1]=0.5", "overall_kappa@micro=0.5"])
def test_an_overall_metric_has_neither_labels_nor_averages(text):
    """The error shows the gate that is meant."""
    with pytest.raises(GateError, match="one number of all labels") as error:
        parse(text, over=False)
    assert error.value.hint == "Write overall_kappa=0.5."


def test_a_size_is_gated_for_a_label_of_every_case_alone(monkeypatch):
    """A metric without averages has no number over the run; of a label of every case it has one."""
    size = replace(catalogue()["volume_reference_mm3"], name="size", better="higher")
    monkeypatch.setitem(catalogue(), "size", size)
    with pytest.raises(GateError, match="no averages") as error:
        parse("size[1]=2", over=False)
    assert "min:size[1]" in error.value.hint
    masks = {
        n: Scored(Case(str(n), 0, 0), (9,), None, "mm", {"mm3": n}, 9, {}, measured({1: Counts(1, 0, 1, 7)}))
        for n in (2, 3)
    }
    report = Report(list(masks.values()), make_settings())
    assert verdict("min:size[1]=4", report).value == 4


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("dice=0", (LIVER + SECOND) / 2),
        ("dice@macro=0", (LIVER + SECOND) / 2),
        ("dice@micro=0", 8 / 15),
        ("dice@macro-imagewise=0", ((2 / 3 + 4 / 5) / 2 + (2 / 5 + 0) / 2) / 2),
        ("dice@label-mean=0", ((2 / 3 + 2 / 5) / 2 + (4 / 5 + 0) / 2) / 2),
        ("dice@macro-regions=0", 14 / 15),
        ("dice[1]=0", LIVER),
        ("dice[liver]=0", LIVER),
        ("dice[a=b]=0", SECOND),
        ("dice[both]=0", 14 / 15),
        # The background: tp 8, fp 1, as BAD misses one pixel.
        ("dice[background]=0", 16 / 17),
        ("dice[0]=0", 16 / 17),
        ("overall_accuracy=0", 12 / 16),
        ("min:dice=0", 1 / 5),
        ("min:dice@micro=0", 2 / 7),
        ("min:dice[liver]=0", 2 / 5),
        ("min:dice[both]=0", 6 / 7),
        ("min:overall_accuracy=0", 5 / 8),
    ],
)
def test_the_value_is_the_one_that_the_gate_names(report, text, value):
    """Averages are the report's own; labels and regions are pooled over cases; min: takes the worst case."""
    actual = verdict(text, report)
    assert pytest.approx(value, rel=1e-15) == actual.value
    assert (text, 0.0, True) == (actual.gate, actual.limit, actual.holds)


def test_overall_metrics_are_of_the_pooled_matrix(report):
    """Kappa over two cases is that of their pixels put together, not a mean of two kappas."""
    together = run({"one": np.hstack([GOOD, BAD])}, np.hstack([REFERENCE, REFERENCE]))
    expected = together.case(together.scored[0]).overall
    for name in ("overall_kappa", "overall_mcc"):
        assert expected[name] == verdict(f"{name}=0", report).value


def test_a_metric_that_the_report_does_not_show_is_gated_all_the_same(report):
    """Choosing metrics for the table changes no gate."""
    narrow = Report(report.results, replace(report.settings, metrics=("iou",)))
    assert judge([parse("dice=0.5", over=False)], report) == judge([parse("dice=0.5", over=False)], narrow)
    assert narrow.settings.metrics == ("iou",)


def test_the_limit_itself_passes(report):
    """fail-under fails below its limit, fail-over above it; neither at it."""
    just_above, just_below = math.nextafter(LIVER, 1), math.nextafter(LIVER, 0)
    under = [verdict(f"dice[1]={limit!r}", report).holds for limit in (just_below, LIVER, just_above)]
    assert under == [True, True, False]
    # The false discovery rate of the liver is 2 of 4.
    over = [verdict(f"fdr[1]={limit!r}", report, over=True).holds for limit in (just_below, 0.5, just_above)]
    assert over == [False, True, True]


def test_verdicts_come_in_the_order_of_the_gates(report):
    """One verdict for each gate, and none for none."""
    texts = ["iou[2]=0", "dice=0", "iou[2]=0"]
    assert texts == [each.gate for each in judge([parse(text, over=False) for text in texts], report)]
    assert judge([], report) == []


def test_every_case_must_hold(report):
    """One case beyond the limit fails min:, and the detail names the worst and counts them."""
    actual = verdict("min:dice[liver]=0.5", report)
    assert (actual.value, actual.holds) == (2 / 5, False)
    assert actual.detail == "worst case: bad; 1 of 2 cases beyond the limit"
    largest = verdict("max:fdr[liver]=0.5", report, over=True)
    assert (largest.value, largest.holds, largest.detail.split(";")[0]) == (2 / 3, False, "worst case: bad")


def test_an_undefined_case_is_left_out_of_the_worst():
    """A case whose masks both lack the label says nothing of it, and is counted in the detail."""
    report = score_many(
        [Case("good", GOOD, REFERENCE), Case("empty", EMPTY, EMPTY)], make_settings(labels=SCHEME)
    )
    actual = verdict("min:dice[liver]=0.5", report)
    assert (actual.value, actual.holds) == (2 / 3, True)
    assert actual.detail == "worst case: good; 1 undefined left out"


@pytest.mark.parametrize("text", ["min:dice[4]=0", "dice[nowhere]=0", "dice[4]=0"])
def test_undefined_never_passes(report, text):
    """A declared label that no mask holds has no number, so its gate fails whatever the limit."""
    actual = verdict(text, report)
    assert math.isnan(actual.value)
    assert not actual.holds
    assert "undefined never passes" in actual.detail


def test_a_label_found_by_nobody_follows_the_policy():
    """Where --undefined one puts a 1 for masks that are both empty, gates see the same 1."""
    assert verdict("dice[nowhere]=1", run({"good": GOOD}, undefined="one")).value == 1.0


@pytest.mark.parametrize(
    "text", ["dice=0", "dice@micro=0", "dice[1]=0", "dice[liver]=0", "overall_accuracy=0", "min:dice=0"]
)
def test_a_run_without_numbers_passes_no_gate(text):
    """Where no case was scored everything is undefined, whatever the policy for empty masks."""
    report = run({"broken": np.zeros((2, 2), int)}, undefined="one")
    actual = verdict(text, report)
    assert (math.isnan(actual.value), actual.holds) == (True, False)
    assert "1 case not scored" in actual.detail


def test_a_number_of_an_undeclared_label_is_no_error_where_nothing_was_scored():
    """Nobody can know which labels there would have been."""
    report = run({"broken": np.zeros((2, 2), int)}, labels=None)
    assert not verdict("dice[7]=0", report).holds


@pytest.mark.parametrize("left_over", [np.zeros((2, 2), int), None])
def test_a_case_that_was_not_scored_fails_min(left_over):
    """Every case means every expected one: a broken or unreached case is none that holds."""
    results = [*run({"good": GOOD}).results]
    if left_over is None:
        results.append(Pending(Case("later", None, None), "Pending", "not reached", ""))
    else:
        results += run({"broken": left_over}).results
    report = Report(results, make_settings(labels=SCHEME))
    actual = verdict("min:dice=0.1", report)
    assert not actual.holds
    assert actual.detail == "worst case: good; 1 case not scored"
    assert verdict("dice=0.1", report).holds


def test_every_average_exists_for_one_case():
    """The averages over cases are those over labels where there is one case, so a gate may name them all."""
    report = run({"good": GOOD})
    for one, same in {"label-mean": "macro", "macro-imagewise": "macro", "micro-imagewise": "micro"}.items():
        assert verdict(f"dice@{same}=0", report).value == verdict(f"dice@{one}=0", report).value
        assert verdict(f"dice@{same}=0", report).value == verdict(f"min:dice@{one}=0", report).value


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("dice[9]=0", "1 (liver)"),
        ("dice[kidney]=0", "both"),
        ("dice[ ]=0", "both"),
    ],
)
def test_what_the_report_lacks_is_an_error_that_lists_what_it_has(report, text, known):
    """A gate on nothing must not pass or fail, even beside one that would."""
    gates = [parse("dice=0", over=False), parse(text, over=False)]
    with pytest.raises(GateError, match="there is no") as error:
        judge(gates, report)
    assert known in error.value.hint


@pytest.mark.parametrize("text", ["dice@mean=0", "min:dice@mean=0", "dice[9]@mirco=0"])
def test_an_average_that_there_is_nowhere_is_an_error_before_the_work(text):
    """With the list of all that there are."""
    with pytest.raises(UnknownName, match="there is no average") as error:
        parse(text, over=False)
    assert "Known: macro, micro," in error.value.hint


def test_an_average_over_regions_needs_regions():
    """Without regions that average does not exist, and the list does not name it."""
    with pytest.raises(GateError, match="no average 'macro-regions'") as error:
        verdict("dice@macro-regions=0", run({"good": GOOD}, labels=None))
    assert "macro-regions" not in error.value.hint


def test_an_ignored_label_has_no_gate():
    """Its pixels were left out, so no number of it would mean anything."""
    with pytest.raises(GateError, match="no label or region '2'"):
        verdict("dice[2]=0", run({"good": GOOD}, ignore_label=2))


@pytest.mark.parametrize(
    ("labels", "regions"),
    [({"1": "liver", "2": "liver"}, {}), ({"1": "liver", "2": "tumour"}, {"liver": [1, 2]})],
)
def test_a_name_with_two_meanings_is_an_error(labels, regions):
    """Two labels of one name, or a label and a region: nobody guesses which is meant."""
    report = run({"good": GOOD}, labels={"labels": {"0": "background"} | labels, "regions": regions})
    with pytest.raises(GateError, match="'liver' is label 1 and"):
        verdict("dice[liver]=0", report)
    assert verdict("dice[1]=0", report).value == 2 / 3


def test_a_region_of_one_label_may_have_its_name():
    """nnU-Net's form gives every label a region too; both are the same pixels."""
    report = run({"good": GOOD}, labels={"labels": NAMES, "regions": {"liver": [1]}})
    assert verdict("dice[liver]=0", report).value == 2 / 3


def drop(report, baseline, text):
    (only,) = compare(report, baseline, [text])
    return only


def test_a_number_alone_is_a_drop_of_the_macro_dice():
    """0.1 and dice=0.1 ask the same; the verdict's value is the drop."""
    old, new = run({"case": GOOD}), run({"case": BAD})
    lost = (2 / 3 + 4 / 5) / 2 - 1 / 5
    for text in ("0.1", "dice=0.1", " dice@macro = 0.1"):
        actual = drop(new, old, text)
        assert pytest.approx(lost, rel=1e-15) == actual.value
        assert (f"max-drop {text.strip()}", 0.1, False) == (actual.gate, actual.limit, actual.holds)
    assert drop(new, old, "0.54").holds


@pytest.mark.parametrize(
    ("text", "lost"),
    [
        ("dice[liver]=1", 2 / 3 - 2 / 5),
        ("dice[2]=1", 4 / 5),
        ("dice[both]=1", 1 - 6 / 7),
        ("dice@micro=1", 6 / 8 - 2 / 7),
        ("dice@label-mean=1", (2 / 3 + 4 / 5) / 2 - 1 / 5),
        ("overall_accuracy=1", 7 / 8 - 5 / 8),
        # Lower is better: from 0 of 1 to 2 of 3 pixels.
        ("fdr[liver]=1", 2 / 3),
    ],
)
def test_a_drop_is_in_the_bad_direction(text, lost):
    """A metric that is better low has dropped where it rose; getting better is a drop below 0."""
    old, new = run({"case": GOOD}), run({"case": BAD})
    assert pytest.approx(lost, rel=1e-14) == drop(new, old, text).value
    assert pytest.approx(-lost, rel=1e-14) == drop(old, new, text).value
    assert drop(old, new, text.replace("=1", "=0")).holds


def test_the_same_report_has_dropped_by_nothing(report):
    """Against itself a run holds with a limit of 0, and nothing is listed as worse."""
    actual = drop(report, report, "0")
    assert (actual.value, actual.holds) == (0.0, True)
    assert actual.detail == "0.535714 → 0.535714; 2 shared cases"


def test_noise_of_floating_point_is_no_drop():
    """A drop that is beyond the limit by a rounding error holds, and by more it does not."""
    old, new = run({"case": GOOD}), run({"case": BAD})
    lost = 2 / 3 - 2 / 5
    just_below = math.nextafter(lost, 0)
    assert drop(new, old, f"dice[1]={just_below!r}").holds
    assert not drop(new, old, f"dice[1]={lost - 1e-11!r}").holds


def test_only_shared_cases_are_compared():
    """A case that one report lacks, or could not score, takes no part in either number and is named."""
    old = run({"a": GOOD, "b": BAD, "gone": EMPTY, "broken": GOOD})
    new = run({"new": EMPTY, "b": BAD, "a": GOOD, "broken": np.zeros((2, 2), int)})
    actual = drop(new, old, "0")
    assert (actual.value, actual.holds) == (0.0, True)
    assert "2 shared cases; only in the baseline: broken, gone; only in this run: new" in actual.detail


def test_a_label_of_a_case_that_is_not_shared_is_still_known():
    """A label that only left-out cases hold is undefined in what is shared, and no error."""
    old = run({"a": GOOD, "gone": GOOD * 3}, labels=None)
    actual = drop(run({"a": GOOD}, labels=None), old, "dice[6]=0")
    assert (math.isnan(actual.value), actual.holds) == (True, False)


def test_undefined_never_holds_on_either_side():
    """A number against none is not comparable, and what nobody measured in either run has not been kept."""
    both = run({"case": GOOD})
    nowhere = drop(both, both, "dice[nowhere]=0")
    assert (math.isnan(nowhere.value), nowhere.holds) == (True, False)
    assert nowhere.detail.startswith("undefined → undefined; ")
    assert "undefined in both, which never passes" in nowhere.detail
    empty = score_many([Case("case", EMPTY, EMPTY)], make_settings(labels=SCHEME))
    for new, old, said in ((both, empty, "undefined → 0.666667"), (empty, both, "0.666667 → undefined")):
        actual = drop(new, old, "dice[liver]=1")
        assert (math.isnan(actual.value), actual.holds) == (True, False)
        assert actual.detail.startswith(said)


def test_the_detail_lists_what_got_worse():
    """Labels by their pooled value and cases by the gate's own, the largest drop first, five cases at most."""
    old = run({f"case{n}": GOOD for n in range(7)} | {"same": GOOD})
    new = run({f"case{n}": BAD for n in range(6)} | {"case6": EMPTY, "same": GOOD})
    said = drop(new, old, "dice[liver]=0.01").detail.split("; ")
    assert said[1] == "8 shared cases"
    # Six times (1, 2, 1) and (0, 0, 2), once nothing found, once as before.
    assert said[2] == "worse labels: a=b 0.8 → 0.210526, liver 0.666667 → 0.4, both 1 → 0.814815"
    assert said[3] == (
        "worse cases: case6 0.666667 → 0, case0 0.666667 → 0.4, case1 0.666667 → 0.4, case2 0.666667 → 0.4, "
        "case3 0.666667 → 0.4, 2 more"
    )


def test_pixels_invented_in_an_empty_case_are_worse_than_undefined():
    """Dice goes from undefined to 0 where a prediction finds what is not there: that is listed, the way back
    is not.
    """
    clean = {"good": (GOOD, REFERENCE), "healthy": (EMPTY, EMPTY)}
    invented = clean | {"healthy": (GOOD, EMPTY)}
    old, new = (
        score_many([Case(name, *masks) for name, masks in each.items()], make_settings(labels=SCHEME))
        for each in (clean, invented)
    )
    assert "worse cases: healthy undefined → 0" in drop(new, old, "dice[liver]=1").detail
    assert "worse" not in drop(old, new, "dice[liver]=1").detail


def test_other_settings_are_said():
    """Numbers under another convention are compared as they are, and the detail says what differs."""
    old, new = (
        run({"case": GOOD}, undefined="one"),
        run({"case": GOOD}, metrics="iou", include_background=True),
    )
    assert "other settings than the baseline: include_background, undefined" in drop(new, old, "1").detail


def test_no_shared_case_is_an_error():
    """Reports of different cases cannot be compared, and the error shows names of both."""
    with pytest.raises(GateError, match=r"this run \(a\) and in the baseline \(b\)"):
        compare(run({"a": GOOD}), run({"b": GOOD}), ["0.1"])


def test_a_run_without_a_scored_case_fails_every_drop():
    """The rows of its cases stay, with their errors: what dropped is undefined, which never passes."""
    (verdict,) = compare(run({"a": np.zeros((2, 2), int)}), run({"a": GOOD}), ["0.1"])
    assert not verdict.holds
    assert math.isnan(verdict.value)


def test_two_cases_of_one_name_are_an_error():
    """Nobody could say which of them belongs to which."""
    twice = Report(run({"a": GOOD}).results * 2, make_settings(labels=SCHEME))
    with pytest.raises(GateError, match="of this run is named a"):
        compare(twice, run({"a": GOOD}), ["0"])
    with pytest.raises(GateError, match="of the baseline is named a"):
        compare(run({"a": GOOD}), twice, ["0"])


def test_what_either_report_lacks_is_an_error():
    """A region that the baseline does not have cannot have dropped."""
    with pytest.raises(GateError, match="no label or region 'both' in the baseline"):
        compare(run({"a": GOOD}), run({"a": GOOD}, labels={"labels": NAMES}), ["dice[both]=0"])
    with pytest.raises(GateError, match="no average 'macro-regions' in this run"):
        compare(run({"a": GOOD}, labels={"labels": NAMES}), run({"a": GOOD}), ["dice@macro-regions=0"])


@pytest.mark.parametrize(
    "text", ["-0.1", "dice=-0.1", "min:dice=0.1", "max:fdr=0.1", "volume_reference_mm3=1"]
)
def test_a_drop_that_says_nothing_is_an_error(text):
    """No limit below 0, no single cases, no metric without direction."""
    with pytest.raises(GateError):
        compare(run({"a": GOOD}), run({"a": GOOD}), [text])


@pytest.mark.parametrize("text", ["", "dice", "nan", "inf", "relative_volume_difference=0.1"])
def test_a_malformed_drop_shows_drops(text):
    """The hint is of drops, not of gates."""
    with pytest.raises(GateError) as error:
        compare(run({"a": GOOD}), run({"a": GOOD}), [text])
    assert error.value.hint.startswith("Write 0.01")
