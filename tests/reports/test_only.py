"""Some labels alone: their rows are what they are among all labels, and averages are over these rows."""

from __future__ import annotations

import json
import math

import make
import nibabel
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from streams import runner

import dicecli
from dicecli.cli import cli
from dicecli.errors import NotLabels, UnknownLabel, UsageError
from dicecli.records.cases import Case
from dicecli.records.labels import LabelScheme
from dicecli.records.only import Only, parse_only
from dicecli.reports.reading_back import from_dict
from dicecli.reports.said import of_case
from dicecli.runs.scoring import make_settings, score_many

SCHEME = LabelScheme({0: "rest", 1: "liver", 2: "7", 7: "left, kidney"}, {"both": (1, 2), "liver": (1,)})
#: Planes 0 and 1 are 1, 2 and 3 are 2, 4 and 5 are 3, which the prediction calls 2.
REFERENCE = np.repeat(np.array([1, 1, 2, 2, 3, 3, 0, 0, 0, 0], np.uint8), 100).reshape(10, 10, 10)
PREDICTION = np.where(REFERENCE == 3, 2, REFERENCE)
TWO = {1: "one", 2: "two"}
#: What a row has of all that is measured: of counts, of boundaries, of where it lies.
METRICS = "dice,iou,precision,specificity,mcc,hd95,nsd_1px,boundary_iou,centroid_distance,relative_volume_difference"
MASKS = st.integers(0, (1 << 32) - 1)


def cases_of(seed, number=2):
    """Draw pairs of masks of up to four labels."""
    rng = np.random.default_rng(seed)
    for name in map(str, range(number)):
        reference = rng.integers(0, rng.integers(1, 5), (5, 6)).astype(np.uint8)
        wrong = rng.random(reference.shape) < 0.3
        yield Case(name, np.where(wrong, rng.integers(0, 5, reference.shape), reference), reference)


def values(row):
    return {name: value if not math.isnan(value) else None for name, value in row.values.items()}


@settings(max_examples=8)
@given(seed=MASKS, only=st.sets(st.sampled_from([0, 1, 2, 3, 9, "a", "b"]), min_size=1))
def test_rows_are_those_among_all_labels_and_averages_are_over_them(seed, only):
    regions = {"a": (1, 3), "b": (0, 2)}
    cases = list(cases_of(seed))
    options = {"metrics": METRICS, "regions": regions}
    whole = score_many(cases, make_settings(**options, include_background=True))
    some = score_many(cases, make_settings(**options, only=only - {"a", "b"} | only & {"a", "b"}))
    assert [row.label or row.name or 0 for row in some.evaluated] == [
        *sorted(each for each in only if not isinstance(each, str)),
        *sorted(each for each in only if isinstance(each, str)),
    ]
    for case, all_of_case in zip(some.cases(), whole.cases(), strict=True):
        for row in case.rows:
            others = [each for each in all_of_case.rows if each.row == row.row]
            assert [(row.counts, values(row))] == [(each.counts, values(each)) for each in others] or not (
                others or row.counts.reference or row.counts.prediction
            )
        assert case.overall == pytest.approx(all_of_case.overall, nan_ok=True)
    assert some.matrix == whole.matrix
    rows = [row for row in some.evaluated if row.label is not None]
    every = [{row.row: row.counts for row in case.rows} for case in some.cases()]
    pooled = [sum((case[row] for case in every[1:]), every[0][row]) for row in rows]
    assert_averages(some, [[case[row] for row in rows] for case in every], pooled)


def assert_averages(report, cases, pooled):
    """Check the averages of Dice against sums and means of counts."""

    def dice(*some):
        tp, wrong = sum(each.tp for each in some), sum(each.fp + each.fn for each in some)
        return 2 * tp / (2 * tp + wrong) if tp + wrong else math.nan

    def mean(found, weights=None):
        known = [(value, 1 if weights is None else weights[at]) for at, value in enumerate(found) if value == value]  # fmt: skip # noqa: PLR0124
        total = sum(weight for _, weight in known)
        return sum(value * weight for value, weight in known) / total if total else math.nan

    expected = {
        "macro": mean([dice(each) for each in pooled]),
        "micro": dice(*pooled),
        "weighted": mean([dice(each) for each in pooled], [each.reference for each in pooled]),
        "micro-imagewise": mean([dice(*case) for case in cases]),
        "macro-imagewise": mean([mean([dice(each) for each in case]) for case in cases]),
        "label-mean": mean([mean([dice(each) for each in row]) for row in zip(*cases, strict=True)]),
    }
    for name, value in expected.items():
        assert report.averages[name]["dice"].value == pytest.approx(value, nan_ok=True), name


@pytest.mark.parametrize(
    ("given", "labels", "regions"),
    [
        (7, (7,), ()),  # a number is that of a label before it is a name
        ("left, kidney", None, None),
        (["left, kidney", 1, 1], (1, 7), ()),
        ('"left, kidney",0,both', (0, 7), ("both",)),
        ("liver", (1,), ("liver",)),
        (Only((2,), ("both",)), (2,), ("both",)),
        ([], None, ()),
    ],
)
def test_what_is_asked_for_is_read_by_number_or_name(given, labels, regions):
    if regions is None:
        with pytest.raises(UsageError, match="'left' of --only is no label"):
            parse_only(given, SCHEME)
        return
    found = parse_only(given, SCHEME)
    assert found == (None if labels is None else Only(labels, regions))
    assert found is None or parse_only(found.in_words(), SCHEME) == found


def test_a_label_that_is_not_declared_is_an_error_of_the_others():
    with pytest.raises(UnknownLabel, match="label 3"):
        dicecli.score(PREDICTION, REFERENCE, labels=TWO)
    report = dicecli.score(PREDICTION, REFERENCE, labels=TWO, only=[1, "two"])
    assert report.value("dice", "arrays", 2) == pytest.approx(2 / 3)
    assert report.labels == (1, 2)
    (note,) = report.notes
    assert note.startswith("reference: label 3 (200 pixels) is not declared by the labels given")
    assert report.confusion.labels == (0, 1, 2, 3)
    matrix = dicecli.from_matrix(report.confusion, labels=TWO, only=2)
    assert (matrix["two"].dice, matrix.notes) == (pytest.approx(2 / 3), (note,))


def test_white_is_no_label_of_its_own_unless_it_is_asked_for():
    """Masks of 0 and 255 are read as 0 and 1, and where 1 alone is declared nothing becomes of 255 in silence."""
    white = (REFERENCE > 0) * np.uint8(255)
    assert dicecli.score(white, white, only=1).dice.value == 1
    assert dicecli.score(white, white, only=255)[255].dice == 1
    with pytest.raises(UnknownLabel, match="255"):
        dicecli.score(white, REFERENCE > 0, labels={1: "inside"}, only=1)


def test_boundaries_are_measured_of_what_is_asked_for_alone():
    report = dicecli.score(
        PREDICTION, REFERENCE, metrics="hd95", only="2,a", regions={"a": (1, 3), "b": (1,)}
    )
    (case,) = report.scored
    assert [row.title for row in case.measured["surface"]] == ["label 2", "a"]
    with pytest.raises(UsageError, match="hd95_px of label 1 was not measured"):
        report.shown_with(make_settings(metrics="hd95", only=[1, 2]))


def test_layers_are_regions_that_are_asked_for_by_name():
    layers = np.stack([REFERENCE == 1, REFERENCE > 1], -1).astype(np.uint8)
    image = nibabel.Nifti1Image(layers, np.eye(4))
    options = {"regions": {"a": (1,), "b": (2, 3)}, "metrics": "dice,hd95"}
    report = dicecli.score(image, image, only="b", **options)
    assert [row.title for row in report.evaluated] == ["b"]
    assert [row.title for row in report.scored[0].measured["surface"]] == ["b"]
    with pytest.raises(NotLabels, match="--only 1 names none"):
        dicecli.score(image, image, only=1, **options)


def test_channels_that_are_asked_for_have_what_they_have_among_all():
    rng = np.random.default_rng(1)
    reference = rng.integers(0, 4, (6, 7))
    maps = rng.dirichlet(np.ones(4), reference.shape)
    whole, some = (dicecli.soft(maps, reference, metrics="all", only=each) for each in (None, "1,3"))
    assert some.labels == (1, 3)
    (case,), (all_of_case,) = some.cases(), whole.cases()
    assert [values(row) for row in case.rows] == [values(row) for row in all_of_case.rows if row.label != 2]
    # Those of all channels stay, but for what has a mean over the labels in it.
    others = {name for name in whole.overall if some.overall[name] != whole.overall[name]}
    assert all("dice" in name for name in others)
    alone = dicecli.soft(maps[..., 1:3], reference, independent=True, metrics="brier", only=2)
    assert alone.labels == (2,)
    assert alone[2].brier == pytest.approx(((maps[..., 2] - (reference == 2)) ** 2).mean())
    assert f"reference: no channel is about label 3 ({(reference == 3).sum()} pixels)" in " ".join(
        alone.notes
    )


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    folder = tmp_path_factory.mktemp("only")
    for case in cases_of(5, 3):
        for side, mask in (("p", case.prediction), ("r", case.reference)):
            (folder / side).mkdir(exist_ok=True)
            make.png(folder / side / f"{case.name}.png", mask.astype(np.uint8))
    return folder


def call(folder, words):
    """Run a command, its files being in the folder."""
    is_file = {"p", "r", "whole.json", "some.json"}
    given = [str(folder / each) if each in is_file else each for each in words.split()]
    jobs = ["-j", "1"] if given[0] == "batch" else []
    return runner().invoke(cli, [*given, *jobs], catch_exceptions=False)


def test_a_record_is_shown_with_some_labels_as_if_they_alone_had_been_asked_for(folders):
    call(folders, "batch p r -o whole.json")
    call(folders, "batch p r -o some.json --only 1,3")
    shown = call(folders, "report whole.json --only 1,3 -f csv")
    assert shown.stdout == call(folders, "batch p r --only 1,3 -f csv").stdout
    assert shown.stdout.count("\n1,") == 2
    record = json.loads((folders / "some.json").read_text())
    assert record["settings"]["only"] == {"labels": [1, 3], "regions": []}
    assert from_dict(record).to_dict() == record
    assert [row["label"] for row in record["summary"]["labels"]] == [1, 3]
    assert {row["label"] for case in record["cases"] for row in case["not_averaged"]} <= {0}
    del record["settings"]["only"]
    assert from_dict(record).settings.only is None
    record["settings"]["only"] = {"labels": [3, 1], "regions": []}
    with pytest.raises(UsageError, match="not in ascending order"):
        from_dict(record)
    merged = call(folders, "report whole.json some.json")
    assert "different settings: only" in merged.stderr
    compared = call(folders, "report some.json --baseline whole.json -f json")
    changes = json.loads(compared.stdout)["summary"]["comparison"]["changes"]
    assert {each["label"] for each in changes} == {None, 1, 3}
    nnunet = folders / "x.nnunet.json"
    call(folders, f"report whole.json --only 3 -o {nnunet}")
    assert [*json.loads(nnunet.read_text())["mean"]] == ["3"]


def test_a_label_that_no_mask_has_is_undefined_and_passes_no_gate(folders):
    found = call(folders, "batch p r --only 1,9 --fail-under dice[9]=0 -f json")
    assert found.exit_code == 1
    record = json.loads(found.stdout)
    assert record["summary"]["gates"][0]["value"] is None
    assert "asked for, and in no mask: label 9" in record["summary"]["notes"]
    # A gate is refused before any mask is looked for, let alone read.
    for words in ("batch p nowhere --only 1 --fail-under dice[2]=0.5", "explain some.json dice[2]"):
        refused = call(folders, words)
        assert (refused.exit_code, "'2' has no row: --only 1" in refused.stderr) == (2, True)


def test_metrics_of_all_labels_are_of_those_without_a_row_too(folders):
    found = call(folders, "batch p r --only 1,3 -m dice,overall_accuracy")
    assert "labels 0, 2, 4, not in averages" in " ".join(found.stdout.split())
    report = dicecli.score([[1, 2, 3]], [[1, 3, 3]], only=3)
    (said,) = [text for key, text in of_case(next(report.cases()), report, every=True) if key == "left out"]
    assert said.startswith("labels 1, 2: in no row and no average")


@pytest.mark.parametrize(
    ("given", "scheme", "labels"),
    [
        ("1-3,5", LabelScheme(), (1, 2, 3, 5)),
        ("-2 - 1", LabelScheme(ignore=(-1,)), (-2, 0, 1)),
        (["0-9"], LabelScheme(names={1: "a", 7: "b", 11: "c"}, ignore=(3,)), (0, 1, 7)),
        ("1-3", LabelScheme(names={1: "a", 2: "b", 5: "1-3"}), (5,)),
    ],
)
def test_a_range_is_the_labels_in_it(given, scheme, labels):
    """Of declared ones those among them, but for ignored ones; a name that looks like a range is a name."""
    assert parse_only(given, scheme) == Only(labels, ())


@pytest.mark.parametrize(
    ("given", "scheme", "message"),
    [
        ("3-1", LabelScheme(), "ends before it begins"),
        ("0-4096", LabelScheme(), "has 4,097 labels"),
        ("8-9", LabelScheme(names={1: "a"}), "'8-9' of --only is no label"),
        ("4-5", LabelScheme(ignore=(4, 5)), "label 4 of --only is ignored"),
    ],
)
def test_a_range_of_nothing_is_refused(given, scheme, message):
    with pytest.raises(UsageError, match=message):
        parse_only(given, scheme)


def test_probabilities_show_a_label_that_no_case_has(tmp_path):
    """``report`` of a batch of maps with --only of a label that none has: an empty row, in every form for people."""
    for side, array in (("p", np.full((4, 5), 0.25)), ("r", np.eye(4, 5, dtype=np.uint8))):
        (tmp_path / side).mkdir()
        for name in "ab":
            np.save(tmp_path / side / f"{name}.npy", array) if side == "p" else make.png(
                tmp_path / side / f"{name}.png", array
            )
    path = str(tmp_path / "softs.json")
    words = ["batch", "--soft", str(tmp_path / "p"), str(tmp_path / "r"), "-j", "1", "-q", "-o", path]
    assert runner().invoke(cli, words).exit_code == 0
    for form in ("table", "markdown", "html", "csv", "json"):
        done = runner().invoke(cli, ["report", path, "--only", "1,2", "-f", form])
        assert done.exit_code == 0, (form, done.output, done.exception)
