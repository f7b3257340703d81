"""Cases of binary layers from the file to the report, by brute force; and what is refused, with hints that help."""

from __future__ import annotations

import itertools
import json
import math
import pickle
import time
from functools import reduce

import click
import layered
import make
import numpy as np
import pytest
from batches import call, record
from layered import REGIONS, WORDS
from streams import runner
from watch import memory_below

import dicecli
from dicecli.cli.main import cli
from dicecli.errors import ManyVolumes
from dicecli.masks.pair import Pair
from dicecli.records.cases import Case
from dicecli.records.counts import Counts
from dicecli.reports.look import Look
from dicecli.runs.inspection.file import inspect
from dicecli.runs.inspection.pair import inspect_pair
from dicecli.runs.measuring import measure_case
from dicecli.runs.scoring import make_settings
from dicecli.statistics._sharing import CensusWork, share_out

SHAPE, FLAT = (13, 12, 11), (70, 60)
LAYERS, OTHERS = layered.drawn(SHAPE, 3, 1), layered.drawn(SHAPE, 3, 2)
MAP = make.blobs(SHAPE, 4)
BANDS, OTHER_BANDS = layered.drawn(FLAT, 3, 1), layered.drawn(FLAT, 3, 2)
FLAT_MAP = make.blobs(FLAT, 4)


def measured(prediction, reference, threads=1, **options):
    return measure_case(Case("case", prediction, reference), make_settings(**options), threads)


def as_layers(mask):
    return mask if mask.dtype == bool else layered.of_map(mask)


def expected(prediction, reference):
    """Count two sides by brute force, label maps by their regions."""
    return layered.brute(as_layers(prediction), as_layers(reference))


def command(*words):
    return runner().invoke(cli, [str(each) for each in words], catch_exceptions=False)


# Every combination.

PAIRS = [(OTHERS, LAYERS), (OTHERS, MAP), (MAP, LAYERS)]
FLAT_PAIRS = [(OTHER_BANDS, BANDS), (OTHER_BANDS, FLAT_MAP), (FLAT_MAP, BANDS)]
BOTH = ["layers-layers", "layers-map", "map-layers"]


@pytest.mark.parametrize("which", range(3), ids=BOTH)
@pytest.mark.parametrize(("suffix", "stored", "threads"), [
    *itertools.product((".nii", ".nii.gz", ".tif"), layered.STORED, (1, 3)),
])  # fmt: skip
def test_files_of_layers(tmp_path, which, suffix, stored, threads):
    """Layers and label maps against each other, however they are stored and read, are what brute force counts."""
    prediction, reference = (FLAT_PAIRS if suffix == ".tif" else PAIRS)[which]
    paths = [
        layered.written(tmp_path / f"{at}{suffix}", mask, *stored)
        for at, mask in enumerate((prediction, reference))
    ]
    found = measured(*paths, threads, regions=REGIONS)
    assert layered.found(found) == dict(zip(REGIONS, expected(prediction, reference), strict=True))
    assert found.counted == reference[0].size * (1 if reference.dtype == bool else len(reference))


@pytest.mark.parametrize("which", range(3), ids=BOTH)
def test_images_of_nibabel(which):
    """Images in memory are what their files are; booleans and other types alike."""
    sides = PAIRS[which]
    for stored in layered.STORED:
        given = [layered.image(each, *stored) if each.dtype == bool else each for each in sides]
        found = layered.found(measured(*given, regions=REGIONS))
        assert list(found.values()) == expected(*sides)


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
@pytest.mark.parametrize("axes", [(0, 1, 2), (2, 0, 1), (1, 0, 2)])
@pytest.mark.parametrize("flips", [(False, False, False), (True, False, True)])
def test_turned_axes(tmp_path, suffix, axes, flips):
    """Layers whose axes are stored in another order or direction are laid on each other."""
    affine = np.diag([2.0, 3.0, 4.0, 1.0])
    volume, place = make.turned(np.moveaxis(OTHERS, 0, -1).astype(np.uint8), affine, axes, flips)
    turned = str(make.nifti(tmp_path / f"turned{suffix}", volume, affine=place))
    for reference in (LAYERS, MAP):
        straight = layered.written(tmp_path / f"straight{suffix}", reference, affine=affine)
        found = layered.found(measured(turned, straight, regions=REGIONS))
        assert list(found.values()) == expected(OTHERS, reference)
        # And the other way round.
        if reference is LAYERS:
            assert list(layered.found(measured(straight, turned)).values()) == expected(LAYERS, OTHERS)


@pytest.mark.parametrize("interleave", ["pixel", "band"])
@pytest.mark.parametrize("compress", ["none", "deflate", "lzw"])
def test_tiled_bands_shared_out(tmp_path, interleave, compress, monkeypatch):
    """Bands whose windows threads or workers share, are what brute force counts, and every worker's part adds up."""
    monkeypatch.setattr("dicecli.statistics._sharing.WORTH_PIXELS", 1)
    monkeypatch.setattr("dicecli.masks.pair.WINDOW_PIXELS", 1 << 11)
    monkeypatch.setattr("dicecli.masks.pair._LEAST_PIXELS", 1 << 8)
    tiles = {
        "tiled": True,
        "blockxsize": 16,
        "blockysize": 16,
        "interleave": interleave,
        "compress": compress,
    }
    paths = [
        layered.written(tmp_path / f"{at}.tif", each, **tiles) for at, each in enumerate((OTHER_BANDS, BANDS))
    ]
    wanted = expected(OTHER_BANDS, BANDS)
    assert list(layered.found(measured(*paths, 3)).values()) == wanted
    case, settings, shares = Case("case", *paths), make_settings(), []

    def fold(of_share, cut, combine):
        shares.extend(cut(2))
        of_share = pickle.loads(pickle.dumps(of_share))  # noqa: S301 - our own
        return reduce(combine, map(of_share, reversed(shares)))

    with Pair(case, settings) as pair:
        sums = share_out(case, settings, pair, CensusWork("cpu"), threads=2, fold=fold).parts
    assert len(shares) > 1
    assert [sums[at, at].counts(1) for at in range(3)] == wanted


@pytest.mark.parametrize("suffix", [".nii.gz", ".tif"])
def test_a_missing_prediction(tmp_path, suffix):
    """With --missing zero a reference of layers is missed in each of them, with or without declared regions."""
    reference = BANDS if suffix == ".tif" else LAYERS
    path = layered.written(tmp_path / f"reference{suffix}", reference)
    for options in ({}, {"regions": REGIONS}):
        found = layered.found(measured(None, path, missing="zero", **options))
        assert list(found.values()) == expected(reference & False, reference)


def test_what_a_reference_ignores(tmp_path):
    """Nodata and ignored labels of a label map are left out of the layers beside it."""
    bands = layered.written(tmp_path / "prediction.tif", OTHER_BANDS)
    stored = FLAT_MAP.copy()
    stored[10:30, 20:40] = 9
    path = layered.written(tmp_path / "reference.tif", stored, nodata=9)
    found = measured(bands, path, regions=REGIONS, ignore_label=2)
    kept = (stored != 9) & (stored != 2)
    assert found.counted == kept.sum()
    assert found.excluded == {"ignore_label": (stored == 2).sum(), "nodata": (stored == 9).sum()}
    wanted = layered.brute(OTHER_BANDS[:, kept], layered.of_map(FLAT_MAP)[:, kept])
    assert list(layered.found(found).values()) == wanted


def test_scale_and_offset_are_not_applied(tmp_path):
    """A band's scale turns no 1 into 0: layers are the stored values, as labels are."""
    import rasterio

    paths = [layered.written(tmp_path / f"{at}.tif", each) for at, each in enumerate((OTHER_BANDS, BANDS))]
    for path in paths:
        with rasterio.open(path, "r+") as dataset:
            dataset.scales, dataset.offsets = (1 / 255,) * 3, (0.5,) * 3
    found = measured(*paths)
    assert list(layered.found(found).values()) == expected(OTHER_BANDS, BANDS)
    assert any("scale and offset are not applied" in note for note in found.notes)


def test_twins_of_layers(tmp_path):
    """It is seen that both files are the same, also where one of the layers is empty."""
    layers = LAYERS.copy()
    layers[1] = False
    paths = [layered.written(tmp_path / f"{at}.nii", layers) for at in range(2)]
    assert "bytes" == measured(*paths).observed.twins


# What comes of it.


@pytest.fixture
def folders(tmp_path):
    """Write four cases of layers, the last one without a prediction."""
    for number, (side, shift) in itertools.product(range(4), (("p", 1), ("r", 0))):
        (tmp_path / side).mkdir(exist_ok=True)
        if (number, side) != (3, "p"):
            layers = np.roll(layered.drawn(SHAPE, 3, number), shift, 1)
            layered.written(tmp_path / side / f"case{number}.nii.gz", layers)
    return tmp_path


def outputs(folder, name):
    return [word for suffix in ("csv", "json", "md", "xml") for word in ("-o", folder / f"{name}.{suffix}")]


def test_a_record_comes_back(folders):
    """What a run writes as JSON is read again with every number: its CSV, its tables, and merged shards."""
    sides = folders / "p", folders / "r"
    done = call(*sides, "--missing", "zero", *WORDS, *outputs(folders, "all"))
    assert done.exit_code == 0, done.output
    again = command("report", folders / "all.json", "-f", "csv")
    assert again.stdout == (folders / "all.csv").read_text(encoding="utf-8")
    table = command("report", folders / "all.json")
    assert table.stdout == command("report", folders / "all.json", "-f", "table").stdout
    rows = (
        [
            (each["case"], each["name"])
            for each in record(folders / "all.json")["cases"]
            for each in each["regions"]
        ]
        if False
        else None
    )
    del rows
    parts = []
    for part in (("case0", "case2"), ("case1", "case3")):
        for side in ("p", "r"):
            (folders / part[0] / side).mkdir(parents=True, exist_ok=True)
            for path in (folders / side).iterdir():
                if path.name.startswith(part):
                    (folders / part[0] / side / path.name).write_bytes(path.read_bytes())
        parts.append(folders / f"{part[0]}.json")
        shard = folders / part[0] / "p", folders / part[0] / "r"
        assert call(*shard, "--missing", "zero", *WORDS, "-o", parts[-1]).exit_code == 0
    merged = command("report", *parts, "-f", "csv")
    columns = [line.split(",")[2:] for line in merged.stdout.splitlines()]
    assert columns == [line.split(",")[2:] for line in again.stdout.splitlines()]


def test_a_batch_of_layers_is_what_brute_force_counts(folders):
    """Every case of a batch has its layers in JSON, with the counts of each."""
    assert call(folders / "p", folders / "r", "--missing", "zero", "-o", folders / "x.json").exit_code == 0
    for number, case in enumerate(record(folders / "x.json")["cases"]):
        layers = layered.drawn(SHAPE, 3, number)
        counts = expected(np.roll(layers, 1, 1) if number < 3 else layers & False, layers)
        found = [[row[each] for each in ("tp", "fp", "fn", "tn")] for row in case["labels"]]
        assert found == [[each.tp, each.fp, each.fn, each.tn] for each in counts]
        named = [(row["label"], row["name"]) for row in case["labels"]]
        assert named == [(None, "layer 1"), (None, "layer 2"), (None, "layer 3")]
        assert case["not_averaged"] == []


def test_a_resumed_batch_of_layers(folders):
    """A run that goes on after a damaged file was replaced writes the bytes of an undisturbed one."""
    sides = folders / "p", folders / "r"
    options = ["--missing", "zero", *WORDS]
    assert call(*sides, *options, *outputs(folders, "whole")).exit_code == 0
    sound = (folders / "p" / "case1.nii.gz").read_bytes()
    (folders / "p" / "case1.nii.gz").write_bytes(sound[: len(sound) // 2])
    assert call(*sides, *options, *outputs(folders, "part")).exit_code == 3
    journal = folders / "part.csv.journal"
    assert journal.read_text(encoding="utf-8").count('"matrix"') == 3
    (folders / "p" / "case1.nii.gz").write_bytes(sound)
    assert call(*sides, *options, *outputs(folders, "part"), "--resume").exit_code == 0
    for suffix in ("csv", "md", "xml"):
        assert (folders / f"part.{suffix}").read_bytes() == (folders / f"whole.{suffix}").read_bytes()
    assert record(folders / "part.json")["cases"] == record(folders / "whole.json")["cases"]


@pytest.mark.parametrize("form", ["table", "csv", "json", "markdown"])
def test_every_format_names_the_layers(folders, form):
    """Each form of a report names every layer in every table of labels."""
    sides = folders / "p", folders / "r"
    done = call(*sides, "--missing", "zero", "-m", "dice", "-f", form)
    assert done.exit_code == 0
    for name in ("layer 1", "layer 2", "layer 3"):
        rows = [line for line in done.stdout.splitlines() if name in line and "note" not in line]
        assert len(rows) >= 2


@pytest.mark.parametrize("terminal", ["xterm", "dumb"])
@pytest.mark.parametrize("width", [60, 80, 100])
def test_no_terminal_is_too_narrow_for_names(folders, width, terminal, monkeypatch):
    """A table that is wider than the terminal names its layers all the same: they have no numbers to tell them by."""
    monkeypatch.setenv("TERM", terminal)
    report = dicecli.batch(folders / "p", folders / "r", missing="zero", metrics="dice", executor="serial")
    text = click.unstyle(report.render("table", look=Look(width, colour=True)))
    tables = text.count("label  name")
    assert tables >= 1
    for name in ("layer 1", "layer 2", "layer 3"):
        assert len([line for line in text.splitlines() if line.startswith(8 * " " + name)]) == tables


def test_a_gate_on_a_layer(folders):
    """Gates are on layers as on regions."""
    sides = [folders / "p", folders / "r", "--missing", "skip", *WORDS]
    assert call(*sides, "--fail-under", "dice[core]=0.2").exit_code == 0
    assert call(*sides, "--fail-under", "dice[core]=0.99").exit_code == 1
    undeclared = folders / "p", folders / "r", "--missing", "skip"
    assert call(*undeclared, "--fail-under", "dice[layer 2]=0.2").exit_code == 0


# What is refused.


def spoiled(value, dtype="uint8", layer=1):
    """Return stored layers of which one pixel, of the last plane, has another value."""
    stored = LAYERS.astype(dtype)
    stored[(layer, *np.argwhere(LAYERS[layer, ..., -1])[-1], -1)] = value
    return stored


PROBABILITIES = np.random.default_rng(0).random((3, *SHAPE)).astype(np.float32)
REFUSED = {
    "2 in a channel": spoiled(2),
    "1 beside 255": spoiled(255),
    "NaN": spoiled(np.nan, "float32"),
    "infinity": spoiled(np.inf, "float64"),
    "a negative value": spoiled(-1, "int16"),
    "a fraction": spoiled(0.5, "float64", 2),
    "probabilities": PROBABILITIES,
}


@pytest.mark.parametrize("which", REFUSED)
@pytest.mark.parametrize("suffix", [".nii.gz", ".tif"])
@pytest.mark.parametrize("side", ["prediction", "reference"])
def test_what_is_no_binary_layer(tmp_path, which, suffix, side):
    """Several volumes or bands that are not binary are the error that they were, by score and inspect alike."""
    cut = slice(None) if suffix == ".nii.gz" else -1
    bad = layered.written(tmp_path / f"bad{suffix}", REFUSED[which][..., cut])
    other = layered.written(tmp_path / f"good{suffix}", LAYERS[..., cut])
    sides = {"prediction": other, "reference": other, side: bad}
    with pytest.raises(ManyVolumes) as told:
        measured(**sides)
    assert (told.value.side, told.value.path) == (side, bad)
    found = inspect(bad)
    assert found.error.name == "ManyVolumes"
    assert found.error.hint == told.value.hint


def refused(*words):
    """Score something that cannot be, and return what is said of it, the hint apart."""
    done = command("score", *words)
    assert done.exit_code == 3
    message, _, hint = done.stderr.partition("Hint: ")
    return message, hint.strip()


def scored(*words):
    """Score something, and return the counts of every row."""
    done = command("score", *words, "-f", "json", "-m", "dice")
    assert done.exit_code == 0, done.output
    (case,) = json.loads(done.stdout)["cases"]
    return [Counts(*(row[each] for each in ("tp", "fp", "fn", "tn"))) for row in case["labels"]]


def test_other_numbers_of_layers(tmp_path):
    """Three layers against two: the hint, to save the same in both, makes it right."""
    two = layered.written(tmp_path / "two.nii", OTHERS[:2])
    three = layered.written(tmp_path / "three.nii", LAYERS)
    message, hint = refused(two, three)
    assert "the reference has 3 binary layers, the prediction 2" in message
    assert hint == "Save the same layers in both, in the same order."
    same = layered.written(tmp_path / "same.nii", LAYERS[:2])
    assert scored(two, same) == layered.brute(OTHERS[:2], LAYERS[:2])


@pytest.mark.parametrize("words", [[], ["--region", "a=1"]])
@pytest.mark.parametrize("number", [2, 3])
def test_regions_that_are_not_declared(tmp_path, words, number):
    """A label map beside layers needs a region for each, as the hint says: with so many it is right."""
    layers = layered.written(tmp_path / "layers.nii", OTHERS[:number])
    labels = layered.written(tmp_path / "labels.nii", MAP)
    message, hint = refused(layers, labels, *words)
    assert f"there are {number} binary layers, and {len(words) // 2} declared regions" in message
    assert f"a region for each of the {number} layers, in their order" in hint
    assert hint.endswith("--region NAME=LABELS.")
    assert scored(layers, labels, *WORDS[: 2 * number]) == layered.brute(
        OTHERS[:number], layered.of_map(MAP)[:number]
    )


@pytest.mark.parametrize("value", [7, 1, 255])
def test_nodata_in_a_band(tmp_path, value):
    """Nodata in layers is refused; taken for outside, or for a value, as the hint says, it is right or an error."""
    full = 255 if value == 255 else 1
    stored = OTHER_BANDS.astype(np.uint8) * full
    stored[1, 5:9] = value
    bands = layered.written(tmp_path / "p.tif", stored, nodata=value)
    other = layered.written(tmp_path / "r.tif", BANDS)
    message, hint = refused(bands, other)
    assert "hold nodata" in message
    assert hint.count("--nodata background") == hint.count("--nodata label") == 1
    outside = (stored == full) & (stored != value)
    assert scored(bands, other, "--nodata", "background") == layered.brute(outside, BANDS)
    if value == 7:
        assert "it has 3 bands" in refused(bands, other, "--nodata", "label")[0]
    else:
        assert scored(bands, other, "--nodata", "label") == layered.brute(stored == full, BANDS)


@pytest.mark.parametrize("prediction", [OTHERS, MAP], ids=["layers", "map"])
def test_labels_to_ignore_in_layers(tmp_path, prediction):
    """A label to ignore is refused where the reference has layers; without it, as the hint says, it is right."""
    paths = [layered.written(tmp_path / f"{at}.nii", each) for at, each in enumerate((prediction, LAYERS))]
    message, hint = refused(*paths, "--ignore-label", "3", *WORDS)
    assert "binary layers hold no label" in message
    assert "without --ignore-label" in hint
    assert scored(*paths, *WORDS) == expected(prediction, LAYERS)


def test_hints_for_several_volumes(tmp_path):
    """What is no binary layer is right once it is saved alone, by its largest score, or by one band, as hints say."""
    bad, good = (
        layered.written(tmp_path / f"{at}.nii", each) for at, each in enumerate((spoiled(2), OTHERS))
    )
    _, hint = refused(bad, good)
    assert "save one volume per file" in hint
    alone = [
        layered.written(tmp_path / f"alone{at}.nii", each[1].astype(np.uint8))
        for at, each in enumerate((spoiled(2), OTHERS))
    ]
    assert scored(*alone)[0] == make.brute(spoiled(2)[1], OTHERS[1].astype(int))[1]
    assert "--argmax" in hint
    scores = layered.written(tmp_path / "scores.nii", PROBABILITIES)
    labels = layered.written(tmp_path / "labels.nii", MAP % 3)
    found = scored(scores, labels, "--argmax")
    assert found == [make.brute(PROBABILITIES.argmax(0), MAP % 3)[each] for each in (1, 2)]
    bands = layered.written(tmp_path / "bands.tif", spoiled(2)[..., -1])
    labels = layered.written(tmp_path / "labels.tif", MAP[..., -1])
    _, hint = refused(bands, labels)
    assert "--band N, from 1 to 3" in hint
    assert scored(bands, labels, "--band", "1")[0] == make.brute(LAYERS[0, ..., -1], MAP[..., -1])[1]


def test_lossy_bands_are_no_layers(tmp_path):
    """Bands that a compression may have changed are refused, as labels are."""
    bands = np.zeros((3, 64, 64), np.uint8)
    path = str(make.geotiff(tmp_path / "p.tif", bands, compress="jpeg", interleave="pixel"))
    other = layered.written(tmp_path / "r.tif", bands.astype(bool))
    assert "it has 3 bands" in refused(path, other)[0]
    assert "changes values" in refused(path, other, "--band", "1")[0]


@pytest.mark.parametrize("number", [257, 4096, 65_529])
def test_more_bands_than_anybody_means(tmp_path, number):
    """More than 256 bands are several bands at once, whatever they hold: in no time, and in little memory."""
    one = layered.written(tmp_path / "r.tif", MAP[..., 0])
    if number < 65_529:
        path = layered.written(tmp_path / "p.tif", np.ones((number, 13, 12), bool))
    else:
        strip = [(258, 3, 8), (277, 3, number), (278, 4, 100), (273, 4, 8), (279, 4, 100)]
        path = str(make.tiff(tmp_path / "p.tif", (100, 100), strip, bytes(100)))
    refused(path, one)
    start = time.process_time()
    with memory_below(30e6):
        assert f"it has {number:,} bands".replace(",", "") in refused(path, one)[0].replace(",", "")
    assert time.process_time() - start < 20


def test_as_many_layers_as_there_may_be(tmp_path):
    """256 bands are 256 layers."""
    bands = np.random.default_rng(0).random((2, 256, 5, 4)) < 0.5
    paths = [layered.written(tmp_path / f"{at}.tif", each) for at, each in enumerate(bands)]
    assert list(layered.found(measured(*paths)).values()) == layered.brute(*bands)


# What inspect says.


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz", ".tif"])
def test_inspect_says_that_there_are_layers(tmp_path, suffix):
    """Layers are said to be some, with the pixels of all; two files are compared where they lie."""
    cut = (..., 0) if suffix == ".tif" else ...
    paths = [
        layered.written(tmp_path / f"{at}{suffix}", each[cut])
        for at, each in enumerate((OTHERS, LAYERS, MAP))
    ]
    found = inspect(paths[1])
    assert found.error is None
    assert found.encoding == "3 binary layers, which may overlap; pixels of all are added up"
    inside = int(LAYERS[cut].sum())
    assert found.values == {0: LAYERS[cut].size - inside, 1: inside}
    for path in (paths[0], paths[2]):
        assert inspect_pair(path, paths[1])["aligned"]
    other = layered.written(tmp_path / f"other{suffix}", OTHERS[cut][:, 1:])
    assert not inspect_pair(other, paths[1])["aligned"]


def test_inspect_refuses_what_score_refuses(tmp_path):
    """Nodata in bands is what inspect says, too, before anybody scores them."""
    stored = np.where(BANDS & OTHER_BANDS, 7, BANDS).astype(np.uint8)
    path = layered.written(tmp_path / "p.tif", stored, nodata=7)
    assert inspect(path).error.name == "NotLabels"
    assert inspect(path, make_settings(nodata="background")).error is None


def test_grey_in_three_colours_is_told_from_layers(tmp_path):
    """Bands of 0 and 1 that are one mask three times are layers; of 0 and 255 grey stored as colours.

    So they are where the file says that they are colours. --band 1, as the hint says, reads one of them.
    """
    mask = make.blobs((12, 11), 2, 1)
    path = str(make.geotiff(tmp_path / "m.tif", np.stack([mask] * 3)))
    grey = str(make.geotiff(tmp_path / "g.tif", np.stack([mask] * 3) * 255))
    with pytest.raises(ManyVolumes, match="grey") as told:
        dicecli.score(grey, path)
    assert "--band 1" in told.value.hint
    assert dicecli.score(grey, path, band=1).averages["macro"]["dice"].value == 1.0
    layers = dicecli.score(path, str(make.geotiff(tmp_path / "n.tif", np.stack([mask] * 3))))
    assert layers.averages["macro-regions"]["dice"].value == 1.0
    alone = dicecli.score(path, str(make.geotiff(tmp_path / "o.tif", mask)), band=1)
    assert alone.averages["macro"]["dice"].value == 1.0


def test_declared_labels_have_no_rows_where_cases_are_layers(tmp_path):
    """Layers hold no label: none has a row of nothing, which a policy would call right; regions alone are compared."""
    rng = np.random.default_rng(3)
    layers = [(rng.random((3, 12, 11)) < 0.4).astype(np.uint8) for _ in range(2)]
    scheme = {"labels": {"1": "a", "2": "b", "3": "c"}, "regions": {"w": [1, 2, 3], "t": [1, 3], "e": [3]}}
    paths = [str(make.geotiff(tmp_path / f"{at}.tif", each)) for at, each in enumerate(layers)]
    report = dicecli.score(*paths, labels=scheme, undefined="one")
    assert [row.title for row in report.evaluated] == ["w", "t", "e"]
    assert math.isnan(report.averages["macro"]["dice"].value)
    assert report.averages["macro-regions"]["dice"].value < 1
    assert not any("evaluated label" in note for case in report.cases() for note in case.notes)


def test_a_run_of_layers_and_label_maps_compares_regions(tmp_path):
    """Labels have no rows, since not every case has them; nor is there anything of all labels at once."""
    layers = np.stack([(make.blobs((12, 11), 4, 1) >= label).astype(np.uint8) for label in (1, 2, 3)])
    for side, roll in (("p", 1), ("r", 0)):
        (tmp_path / side).mkdir()
        make.geotiff(tmp_path / side / "a.tif", np.roll(layers, roll, 1))
        make.geotiff(tmp_path / side / "b.tif", np.roll(make.blobs((12, 11), 4, 1), roll, 0))
    regions = {"w": [1, 2, 3], "t": [2, 3], "e": [3]}
    report = dicecli.batch(tmp_path / "p", tmp_path / "r", regions=regions)
    first, second = report.scored
    assert [row.title for row in report.evaluated] == ["w", "t", "e"]
    assert [row.counts for row in report.case(first).rows] == [row.counts for row in report.case(second).rows]
    assert all(map(math.isnan, report.overall.values()))


def test_a_baseline_of_layers_is_of_regions(tmp_path):
    """An average over labels compares nothing, and is refused; what leads is the mean over regions."""
    layers = np.stack([(make.blobs((12, 11), 4, 1) >= label).astype(np.uint8) for label in (1, 2, 3)])
    path = make.geotiff(tmp_path / "a.tif", layers)
    saved = tmp_path / "s.json"
    assert command("score", path, path, "-o", saved).exit_code == 0
    assert command("report", saved, "--baseline", saved, "--max-drop", "0.01").exit_code == 0
    refused = command("report", saved, "--baseline", saved, "--max-drop", "dice@macro=0.01")
    assert refused.exit_code == 2
    assert "regions alone" in refused.stderr
    assert (
        command("report", saved, "--baseline", saved, "--max-drop", "dice@macro-regions=0.01").exit_code == 0
    )
    assert command("report", saved, "--baseline", saved, "--max-drop", "dice[layer 1]=0.01").exit_code == 0


def test_an_axis_that_is_named_is_not_passed_over(tmp_path):
    """Layers stand on the last axis, or on the one that --channel-axis names: each is counted by itself."""
    first, second = ((np.random.default_rng(n).random((4, 5, 6, 3)) < 0.4).astype(np.uint8) for n in range(2))
    for axis, suffix in itertools.product((-1, 0, 1, 2, 3), (".nii", ".nii.gz")):
        paths = [make.nifti(tmp_path / f"{n}{suffix}", each) for n, each in enumerate((first, second))]
        expected = layered.brute(*(np.moveaxis(each, axis, 0) for each in (first, second)))
        assert expected == list(layered.found(make.scored(*paths, channel_axis=axis)).values())
