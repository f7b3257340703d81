"""The confusion matrix, pooled and of each case: the same integers everywhere, and brute force's."""

from __future__ import annotations

import csv
import io
import json
from itertools import product
from pathlib import Path

import layered
import numpy as np
import places
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from streams import runner

import dicecli
from dicecli.cli import cli
from dicecli.errors import UsageError
from dicecli.records.cases import Case
from dicecli.reports.figures import _percent
from dicecli.reports.merging import merged
from dicecli.reports.mistaken import in_words, matrix_sheet, mistaken
from dicecli.reports.reading_back import from_dict
from dicecli.reports.report import Report
from dicecli.runs.scoring import make_settings, score_many

SAMPLES = places.SAMPLES
MASKS = arrays(np.uint8, (3, 4), elements=st.integers(0, 3))


def brute(reference, prediction, lost=None):
    """Count each pair of labels pixel by pixel; None where the prediction has none."""
    found = {}
    lost = np.zeros(np.shape(reference), bool) if lost is None else lost
    for row, column, is_lost in zip(np.ravel(reference), np.ravel(prediction), lost.ravel(), strict=True):
        pair = int(row), None if is_lost else int(column)
        found[pair] = found.get(pair, 0) + 1
    return found


def cells(report):
    """Return the pairs that meet, as JSON has them of all cases pooled."""
    return {(row, column): n for row, column, n in report.record("summary")["confusion"]["cells"]}


def in_csv(text):
    """Return the pairs that meet, of the CSV."""
    rows = csv.DictReader(io.StringIO(text))
    found = {}
    for row in rows:
        label, _ = int(row.pop("reference")), row.pop("name")
        found |= {(label, None if key == "none" else int(key)): int(n) for key, n in row.items() if int(n)}
    return found


def scored(*pairs, **options):
    """Score pairs of a prediction and a reference as the cases of a batch."""
    cases = [Case(f"case {at}", *pair) for at, pair in enumerate(pairs)]
    return score_many(cases, make_settings(**options))


@settings(max_examples=15)
@given(st.lists(st.tuples(MASKS, MASKS), min_size=1, max_size=3), st.sampled_from([None, 2]))
def test_every_form_has_what_brute_force_counts(pairs, ignored):
    """JSON, CSV, the table for people and Python; pooled, of each case, and put together from shards."""
    report = scored(*pairs, **({} if ignored is None else {"ignore_label": ignored}))
    expected, kept = {}, []
    for prediction, reference in pairs:
        inside = reference != ignored
        kept.append(brute(reference[inside], prediction[inside], (prediction == ignored)[inside]))
        expected = {pair: kept[-1].get(pair, 0) + expected.get(pair, 0) for pair in {*kept[-1], *expected}}
    assert cells(report) == expected == in_csv(report.render("csv", "confusion"))
    parts = [report.confusion_of(each.case.name) for each in report.scored]
    assert sum(parts[1:], parts[0]) == report.confusion
    assert [part.total for part in parts] == [sum(each.values()) for each in kept]
    shards = [from_dict(scored(pair, ignore_label=ignored).to_dict()) for pair in pairs[:1]]
    assert merged([*shards, Report(report.results[1:], report.settings)]).confusion == report.confusion
    sheet = matrix_sheet(report)
    total, correct = sum(expected.values()), sum(n for (row, at), n in expected.items() if row == at)
    assert sheet.rows[-2][2] == str(total)
    assert sheet.rows[-1][3] == ("—" if not total else f"{correct / total:.4f}")
    every = next(report.cases()) if len(pairs) == 1 else None
    for row in () if every is None else every.rows:
        line = next(each for each in sheet.rows if each[0] == str(row.label))
        assert line[3] == f"{row.values['recall']:.4f}".replace("nan", "—")
        below = sheet.rows[-1][sheet.columns.index(str(row.label))]
        assert below == f"{row.values['precision']:.4f}".replace("nan", "—")


def test_values_are_what_they_mean():
    """Masks of 0 and 255 have the labels 0 and 1; nodata of the reference is left out, of the prediction no label."""
    report = dicecli.score(np.array([[0, 255], [255, 255]]), np.array([[0, 0], [255, 255]]))
    assert cells(report) == {(0, 0): 1, (0, 1): 1, (1, 1): 2}
    reference = np.ma.masked_array([[1, 2, 2, 1]], [[1, 0, 0, 0]])
    prediction = np.ma.masked_array([[1, 2, 1, 1]], [[0, 0, 0, 1]])
    report = dicecli.score(prediction, reference)
    assert cells(report) == {(2, 2): 1, (2, 1): 1, (1, None): 1}
    assert report.render("csv", "confusion") == "reference,name,1,2,none\n1,,0,0,1\n2,,1,1,0\n"


SAMPLE = [
    ("landcover", ".tif", ["--labels", str(SAMPLES / "landcover_labels.json")]),
    ("organs", ".nii.gz", ["--labels", str(SAMPLES / "organs_labels.json")]),
]


@pytest.mark.parametrize(("name", "suffix", "options"), SAMPLE)
def test_files_are_counted_in_windows_to_the_same(name, suffix, options, tmp_path):
    """A map with nodata, and a volume; `report` writes the same bytes from the JSON, and names stand beside labels."""
    pair = [str(SAMPLES / f"{name}_{side}{suffix}") for side in ("prediction", "reference")]
    files = [f"{tmp_path}/{which}.{end}" for which, end in product("ab", ("csv", "md", "json"))]
    asked = [word for file in files[:3] for word in ("--confusion", file)]
    done = runner().invoke(cli, ["score", *pair, *options, "-q", "-o", f"{tmp_path}/r.json", *asked])
    assert done.exit_code == 0, done.output
    again = [word for file in files[3:] for word in ("--confusion", file)]
    assert runner().invoke(cli, ["report", f"{tmp_path}/r.json", *again]).exit_code == 0
    texts = [Path(file).read_text(encoding="utf-8") for file in files]
    assert texts[:3] == texts[3:]
    record = json.loads((tmp_path / "r.json").read_text())
    (matrix,) = record["cases"][0]["measured"]["matrix"]
    per_case = zip(matrix["reference"], matrix["prediction"], matrix["pixels"], strict=True)
    assert record["summary"]["confusion"] == json.loads(texts[2])
    assert [*map(list, per_case)] == json.loads(texts[2])["cells"]
    expected = json.loads((SAMPLES / "expected.json").read_text())["pairs"]
    (known,) = [each for each in expected if each["prediction"] == f"{name}_prediction{suffix}"]
    for label, counts in known["labels"].items():
        row, found = int(label), in_csv(texts[0])
        assert found.get((row, row), 0) == counts["tp"]
        assert sum(n for (at, _), n in found.items() if at == row) == counts["tp"] + counts["fn"]
        assert sum(n for (_, at), n in found.items() if at == row) == counts["tp"] + counts["fp"]
    assert f",{json.loads(texts[2])['names'][0]}," in texts[0]


def test_what_has_no_matrix_says_so_and_costs_nothing_else(tmp_path):
    """Binary layers: exit 2 at the end, when all else is written; JSON has null. Maps: before the work."""
    layers = layered.drawn((6, 7), 2)
    pair = [layered.written(tmp_path / f"{name}.tif", layers) for name in "pr"]
    done = runner().invoke(
        cli, ["score", *pair, "-o", f"{tmp_path}/r.json", "--confusion", f"{tmp_path}/m.csv"]
    )
    assert done.exit_code == 2
    assert "layers" in done.stderr
    assert not (tmp_path / "m.csv").exists()
    assert json.loads((tmp_path / "r.json").read_text())["summary"]["confusion"] is None
    folders = [str(SAMPLES / "probabilities"), str(SAMPLES / "references")]
    done = runner().invoke(cli, ["batch", "--soft", *folders, "--confusion", "m.csv"])
    assert (done.exit_code, "--confusion is for masks" in done.stderr) == (2, True)
    done = runner().invoke(cli, ["soft", *folders, "--confusion", "m.csv"])
    assert (done.exit_code, "--confusion" in done.stderr) == (2, True)
    failed = ["score", f"{tmp_path}/no.png", str(SAMPLES / "lesion_reference.png")]
    assert runner().invoke(cli, [*failed, "--confusion", f"{tmp_path}/m.csv"]).exit_code == 3
    assert not (tmp_path / "m.csv").exists()


def test_largest_confusions_are_said():
    """The largest shares of the reference's labels, three of at least 5 %; the background has its name."""
    scheme = {"labels": {"0": "sky", "4": "cropland", "5": "grassland\n"}}
    reference = np.repeat([4, 5, 0], [100, 100, 1000])[None]
    prediction = np.repeat([4, 5, 0, 4, 0, 4, 5], [88, 12, 1, 4, 95, 951, 49])[None]
    report = dicecli.score(prediction, reference, labels=scheme)
    assert in_words(report) == (
        "96 % of grassland\\n is called sky",
        "95 % of sky is called cropland",
        "12 % of cropland is called grassland\\n",
    )
    assert [(each.reference, each.prediction) for each in mistaken(report)][3:] == [(0, 5), (5, 4)]
    report = dicecli.score(np.ma.masked_array([[1, 1, 2]], [[1, 0, 0]]), np.array([[1, 0, 0]]))
    assert in_words(report) == (
        "all of label 1 has no label in the prediction",
        "50 % of background is called label 1",
        "50 % of background is called label 2",
    )
    same = dicecli.score(prediction, prediction)
    assert in_words(same) == in_words(Report([], same.settings)) == ()


def test_shares_are_never_written_as_all_or_nothing_where_they_are_not():
    """Of the cells of the picture."""
    assert [_percent(each) for each in (1.0, 0.9999, 0.5, 0.0004)] == [
        "100.0 %",
        ">99.9 %",
        "50.0 %",
        "<0.1 %",
    ]


@pytest.mark.parametrize("labels", [2, 61])
def test_pictures_of_few_and_many_labels(labels):
    """Whatever the names, and in letters that the font lacks, which is no warning."""
    pytest.importorskip("matplotlib")
    names = {str(label): f"${label} 植物 \\frac" * 3 for label in range(labels)}
    mask = np.arange(labels)[None].repeat(2, axis=0)
    report = dicecli.score(np.ma.masked_array(mask, mask == 1), mask, labels={"labels": names})
    assert report.render("png", "confusion").startswith(b"\x89PNG")


def test_more_pixels_than_64_bits_hold_are_exact():
    """As a file of results may say: the matrix has Python's integers then."""
    record = dicecli.score(np.array([[0, 1]]), np.array([[0, 0]])).to_dict()
    case, large = record["cases"][0], 1 << 70
    case["measured"]["matrix"][0]["pixels"] = [large, 1]
    case["counted"] = large + 1
    case["shape"] = [1, large + 1]
    report = from_dict(record)
    assert report.confusion.total == large + 1
    assert in_csv(report.render("csv", "confusion")) == {(0, 0): large, (0, 1): 1}
    assert cells(report) == {(0, 0): hex(large), (0, 1): 1}
    with pytest.raises(UsageError, match="0 scored cases are named"):
        report.confusion_of("no case")
