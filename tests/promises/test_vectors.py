"""Numbers that other tools publish or test against, and the right one where a tool's own is wrong."""

from __future__ import annotations

import math
from fractions import Fraction

import make
import numpy as np
import pytest
from averaging import average

import dicecli
from dicecli.metrics._catalogue import resolve
from dicecli.records.cases import Case, Scored
from dicecli.records.counts import Counts
from dicecli.reports.means import mean
from dicecli.reports.report import Report
from dicecli.runs.scoring import make_settings, score_many
from dicecli.statistics._confusion import ConfusionMatrix

UNDEFINED = math.nan


def published(value):
    """Expect a number: text is rounded to its last digit, anything else is exact."""
    if isinstance(value, str):
        return pytest.approx(float(value), rel=0, abs=0.5 * 10.0 ** -len(value.partition(".")[2]) + 1e-12)
    return pytest.approx(float(value), rel=0, abs=1e-12, nan_ok=True)


def arrays(rows_are_reference):
    """Make a reference and a prediction whose confusion matrix is the given one, with labels from 0."""
    table = np.array(rows_are_reference)
    rows, columns = np.indices(table.shape)
    return np.repeat(rows.ravel(), table.ravel()), np.repeat(columns.ravel(), table.ravel())


def grid(text):
    """Read rows of numbers, ``n`` for a null pixel, into an array with -1 for null."""
    return np.array([[-1 if each == "n" else int(each) for each in row.split()] for row in text.split("/")])


def scored(reference, prediction, **options):
    """Score two arrays with the background included, and give the report and its only case."""
    report = dicecli.score(prediction, reference, **{"include_background": True, **options})
    assert () == report.failed
    return report, next(report.cases())


def per_label(case, metric):
    return [row.values[metric] for row in case.labels]


def assert_values(expected, actual):
    assert [published(value) for value in expected] == list(actual)


# --- 1: GRASS r.kappa ---------------------------------------------------------------------------------------

GRASS_PREDICTION = grid("1 n 3 3 4 / 5 3 1 4 n / n 1 3 6 6 / 6 n 6 1 3 / 4 4 4 4 3")
GRASS_REFERENCE = grid("1 3 n 3 6 / 5 3 1 n n / n 1 2 2 2 / 6 n 6 1 3 / 1 1 1 n 3")


@pytest.fixture(scope="module")
def grass():
    """Score it as r.kappa does: a pixel that is null in either map is compared nowhere."""
    reference = np.where(GRASS_PREDICTION == -1, -1, GRASS_REFERENCE)
    return scored(reference, GRASS_PREDICTION, ignore_label=-1)


def test_grass_counts(grass):
    """r.kappa's 18 valid pixels give its counts for every label."""
    _, case = grass
    counts = [row.counts for row in case.labels]
    assert 18 == case.result.counted
    assert [1, 2, 3, 4, 5, 6] == [row.label for row in case.labels]
    assert [4, 0, 4, 0, 1, 2] == [each.tp for each in counts]
    assert [0, 0, 1, 4, 0, 2] == [each.fp for each in counts]
    assert [3, 3, 0, 0, 0, 1] == [each.fn for each in counts]
    assert [11, 15, 13, 14, 17, 13] == [each.tn for each in counts]


def test_grass_overall(grass):
    """Overall accuracy and kappa are r.kappa's."""
    _, case = grass
    assert published("0.611111") == case.overall["overall_accuracy"]
    assert published("0.520913") == case.overall["overall_kappa"]


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        ("producers_accuracy", ["57.1429", 0, 100, UNDEFINED, 100, "66.6667"]),
        ("users_accuracy", [100, UNDEFINED, 80, 0, 100, 50]),
    ],
)
def test_grass_accuracies_in_percent(grass, metric, expected):
    """User's and producer's accuracy are r.kappa's, undefined where the map or the reference lacks the label."""
    _, case = grass
    assert_values(expected, [100 * value for value in per_label(case, resolve(metric).name)])


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        ("dice", ["0.727273", 0, "0.888889", 0, 1, "0.571429"]),
        ("f1", ["0.727273", 0, "0.888889", 0, 1, "0.571429"]),
        ("iou", ["0.571429", 0, Fraction(4, 5), 0, 1, Fraction(2, 5)]),
    ],
)
def test_grass_overlap(grass, metric, expected):
    """A label with tp = 0 has Dice and IoU 0, not undefined."""
    _, case = grass
    assert_values(expected, per_label(case, metric))


@pytest.mark.parametrize(
    ("name", "metric", "expected"),
    [
        ("macro", "dice", "0.531265"),
        ("macro", "f1", "0.531265"),
        ("macro", "iou", "0.461905"),
        ("micro", "dice", "0.611111"),
        ("micro", "iou", Fraction(11, 25)),
        ("weighted", "dice", "0.631153"),
        ("weighted", "iou", "0.522222"),
    ],
)
def test_grass_averages(grass, name, metric, expected):
    """Macro F1 is 0.531265; the well-known mistake, F1 through precision and recall, makes it 0.796898."""
    report, case = grass
    assert published(expected) == report.averages[name][metric].value
    assert published(expected) == case.averages[name][metric].value


def test_grass_null_prediction_is_a_miss():
    """Where only the prediction is null the pixel stays, as a miss of its label and nobody's false positive."""
    _, case = scored(GRASS_REFERENCE, GRASS_PREDICTION, ignore_label=-1)
    assert 19 == case.result.counted
    assert [1, 2, 3, 4, 5, 6] == [row.label for row in case.labels]
    assert Counts(4, 1, 1, 13) == case.labels[2].counts
    assert [0, 0, 1, 4, 0, 2] == [row.counts.fp for row in case.labels]


# --- 2, 3, 5, 7, 8: one matrix or one small pair ------------------------------------------------------------


def test_otb_confusion_measurements():
    """Orfeo ToolBox: counts, F, IoU, accuracy and kappa of a 4 x 4 matrix."""
    report, case = scored(*arrays([[1, 0, 0, 2], [0, 1, 1, 1], [0, 0, 2, 1], [0, 0, 1, 2]]))
    counts = [row.counts for row in case.labels]
    assert [1, 1, 2, 2] == [each.tp for each in counts]
    assert [2, 2, 1, 1] == [each.fn for each in counts]
    assert [0, 0, 2, 4] == [each.fp for each in counts]
    assert [9, 9, 7, 5] == [each.tn for each in counts]
    assert_values([Fraction(1, 2), Fraction(1, 2), "0.571429", "0.444444"], per_label(case, "f1"))
    assert_values([Fraction(1, 3), Fraction(1, 3), Fraction(2, 5), "0.285714"], per_label(case, "iou"))
    assert published("0.503968") == report.averages["macro"]["f1"].value
    assert published("0.338095") == report.averages["macro"]["iou"].value
    assert published(Fraction(1, 2)) == case.overall["overall_accuracy"]
    assert published("0.333333") == case.overall["overall_kappa"]


def test_raster_vision():
    """raster-vision: three labels of which two are never found."""
    reference, prediction = np.zeros((4, 4), np.uint8), np.zeros((4, 4), np.uint8)
    reference[2, 2], reference[0, 0], prediction[1, 1] = 1, 2, 1
    matrix = ConfusionMatrix.from_arrays(prediction=prediction, reference=reference)
    assert (0, 1, 2) == matrix.labels
    assert [[13, 1, 0], [1, 0, 0], [1, 0, 0]] == matrix.table.tolist()
    report, case = scored(reference, prediction)
    assert published(Fraction(13, 15)) == case.labels[0].values["precision"]
    assert published(Fraction(13, 14)) == case.labels[0].values["recall"]
    assert published(Fraction(13, 16)) == case.labels[0].values["iou"]
    assert_values(["0.896552", 0, 0], per_label(case, "f1"))
    assert published("0.298851") == report.averages["macro"]["dice"].value


def test_scikit_learn_f1():
    """scikit-learn's example of f1_score."""
    report, case = scored(np.array([0, 1, 2, 0, 1, 2]), np.array([0, 2, 1, 0, 0, 1]))
    assert_values([Fraction(4, 5), 0, 0], per_label(case, "f1"))
    assert published("0.266667") == report.averages["macro"]["f1"].value
    assert published("0.333333") == report.averages["micro"]["f1"].value
    assert published("0.266667") == report.averages["weighted"]["f1"].value


def test_scikit_learn_jaccard():
    """scikit-learn's example of jaccard_score."""
    _, case = scored(np.array([0, 1, 2, 2]), np.array([0, 2, 1, 2]))
    assert_values([1, 0, Fraction(1, 3)], per_label(case, "iou"))


def test_arcgis_confusion_matrix():
    """ArcGIS writes the classified map in the rows; read so, its accuracies and kappa come out."""
    prediction, reference = arrays([[49, 4, 4], [2, 40, 2], [3, 3, 59]])
    _, case = scored(reference, prediction)
    assert_values(["0.8596", "0.9091", "0.9077"], per_label(case, "precision"))
    assert_values(["0.9074", "0.8511", "0.9077"], per_label(case, "recall"))
    assert_values(["0.790323", "0.784314", "0.830986"], per_label(case, "iou"))
    assert_values(["0.882883", "0.879121", "0.907692"], per_label(case, "f1"))
    assert published("0.8916") == case.overall["overall_accuracy"]
    assert published("0.8357") == case.overall["overall_kappa"]


def test_monai():
    """MONAI's 2 x 2 example."""
    _, case = scored(np.array([[1, 0], [1, 1]]), np.array([[1, 0], [0, 1]]), include_background=False)
    assert [1] == [row.label for row in case.labels]
    assert_values([Fraction(4, 5)], per_label(case, "dice"))
    assert_values(["0.666667"], per_label(case, "iou"))


# --- 4: Hugging Face mean_iou, from mmsegmentation ----------------------------------------------------------

HUGGING_FACE = [
    ([[1, 2], [3, 4], [5, 255]], [[0, 3], [5, 4], [6, 255]]),
    ([[2, 7], [9, 2], [3, 6]], [[1, 7], [9, 2], [3, 6]]),
    ([[2, 2, 3], [8, 2, 4], [3, 255, 2]], [[1, 2, 2], [8, 2, 1], [3, 255, 1]]),
]


@pytest.fixture(scope="module")
def hugging_face():
    """Score its three images together, ten labels declared and the reference's 255 ignored."""
    settings = make_settings(
        labels={"labels": {str(label): f"class {label}" for label in range(10)}},
        ignore_label=255,
        include_background=True,
    )
    cases = [
        Case(str(number), np.array(prediction), np.array(reference))
        for number, (prediction, reference) in enumerate(HUGGING_FACE)
    ]
    report = score_many(cases, settings)
    assert () == report.failed
    return report


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        ("iou", [0, 0, Fraction(3, 8), Fraction(2, 5), Fraction(1, 2), 0, Fraction(1, 2), 1, 1, 1]),
        ("recall", [0, 0, Fraction(3, 4), "0.666667", 1, 0, Fraction(1, 2), 1, 1, 1]),
    ],
)
def test_hugging_face_per_label(hugging_face, metric, expected):
    """Counts pooled over the images give its IoU and recall of every label."""
    function = resolve(metric).function
    zero = Counts()
    pooled = [
        [
            sum(numbers)
            for numbers in zip(
                *(make.counts(each).get(label, zero) for each in hugging_face.scored), strict=True
            )
        ]
        for label in hugging_face.labels
    ]
    assert tuple(range(10)) == hugging_face.labels
    assert_values(expected, [function(Counts(*numbers)) for numbers in pooled])


@pytest.mark.parametrize(
    ("name", "metric", "expected"),
    [
        ("macro", "iou", Fraction(191, 400)),
        ("macro", "recall", "0.591667"),
        ("macro", "dice", "0.545022"),
        ("micro", "iou", "0.357143"),
        ("micro", "dice", "0.526316"),
        ("micro", "recall", "0.526316"),
        ("weighted", "iou", "0.378947"),
    ],
)
def test_hugging_face_averages(hugging_face, name, metric, expected):
    """Its mean IoU and mean accuracy are macro averages; its overall accuracy is micro Dice here."""
    assert published(expected) == hugging_face.averages[name][metric].value


def test_hugging_face_ignored(hugging_face):
    """Two of its 21 pixels are ignored."""
    assert [5, 6, 8] == [each.counted for each in hugging_face.scored]
    assert [1, 0, 1] == [each.excluded["ignore_label"] for each in hugging_face.scored]


# --- 6: segmentation_models.pytorch -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def segmentation_models():
    """Score its two 4 x 4 images of labels 0 to 2."""
    references = ["0011/0011/2222/2222", "0000/0000/1111/1111"]
    predictions = ["0011/0111/2222/2221", "0000/0001/1111/1112"]
    masks = [
        [np.array([[int(each) for each in row] for row in text.split("/")]) for text in pair]
        for pair in zip(predictions, references, strict=True)
    ]
    cases = [Case(str(number), *pair) for number, pair in enumerate(masks)]
    report = score_many(cases, make_settings(include_background=True))
    assert () == report.failed
    return report


def test_segmentation_models_counts(segmentation_models):
    """Its tables of counts, image by label."""
    rows = [[row.counts for row in case.labels] for case in segmentation_models.cases()]
    assert [[3, 4, 7], [7, 7, 0]] == [[each.tp for each in row] for row in rows]
    assert [[0, 2, 0], [0, 1, 1]] == [[each.fp for each in row] for row in rows]
    assert [[1, 0, 1], [1, 1, 0]] == [[each.fn for each in row] for row in rows]
    assert [[12, 10, 8], [8, 7, 15]] == [[each.tn for each in row] for row in rows]


@pytest.mark.parametrize(
    ("name", "iou", "f1"),
    [
        ("micro", "0.777778", Fraction(7, 8)),
        ("macro", "0.781481", "0.876748"),
        ("micro-imagewise", "0.777778", Fraction(7, 8)),
        ("macro-imagewise", "0.657407", "0.733135"),
    ],
)
def test_segmentation_models_averages(segmentation_models, name, iou, f1):
    """Its four reductions are four of the named averages; label 2 of image 2, only predicted, counts as 0."""
    assert published(iou) == segmentation_models.averages[name]["iou"].value
    assert published(f1) == segmentation_models.averages[name]["f1"].value


# --- 9: MetricsReloaded -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("counts", "metric", "expected"),
    [
        (Counts(45, 10, 5, 40), "mcc", "0.7035"),
        (Counts(45, 10, 5, 40), "kappa", "0.7000"),
        (Counts(45, 10, 5, 40), "f1", "0.85714"),
        (Counts(45, 10, 5, 40), "precision", "0.81818"),
        (Counts(45, 10, 5, 40), "balanced_accuracy", Fraction(17, 20)),
        (Counts(45, 10, 5, 40), "npv", "0.88889"),
        (Counts(81, 2, 9, 8), "mcc", "0.5591"),
        (Counts(81, 2, 9, 8), "kappa", "0.5339"),
        (Counts(81, 2, 9, 8), "f1", "0.93642"),
        (Counts(81, 2, 9, 8), "precision", "0.97590"),
        (Counts(81, 2, 9, 8), "npv", "0.47059"),
        (Counts(1499, 0, 500, 1), "mcc", "0.03869"),
        (Counts(1499, 0, 500, 1), "kappa", "0.00299"),
    ],
)
def test_metrics_reloaded(counts, metric, expected):
    """MetricsReloaded's numbers of four counts."""
    assert published(expected) == resolve(metric).value(counts)


# --- 10: one input, five scores -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("undefined", "name", "iou", "dice"),
    [
        ("skip", "macro", "0.633333", "0.649123"),
        ("zero", "macro", Fraction(19, 40), "0.486842"),
        ("one", "macro", Fraction(29, 40), "0.736842"),
        ("skip", "weighted", Fraction(19, 20), "0.973684"),
        ("skip", "micro", "0.904762", Fraction(19, 20)),
    ],
)
def test_one_input_five_scores(undefined, name, iou, dice):
    """One pair of masks has five mean IoUs, by the average and by what stands for an undefined label."""
    reference = np.repeat([0, 1], 50)
    prediction = np.repeat([0, 2, 1], [45, 5, 50])
    labels = {"labels": {str(label): f"class {label}" for label in range(4)}}
    report, case = scored(reference, prediction, labels=labels, undefined=undefined)
    assert [0, 1, 2, 3] == [row.label for row in case.labels]
    assert published(iou) == report.averages[name]["iou"].value
    assert published(dice) == report.averages[name]["dice"].value


# --- 11: six aggregates of one data set ---------------------------------------------------------------------

DATA_SET = {
    "c1": {1: (80, 10, 30), 2: (5, 5, 0), 3: (0, 0, 0)},
    "c2": {1: (900, 50, 50), 2: (0, 0, 0), 3: (0, 7, 0)},
    "c3": {1: (10, 0, 90), 2: (40, 20, 0), 3: (0, 0, 9)},
}
POLICIES = ("skip", "one", "zero")


def data_set(undefined):
    """Make the report of the three cases straight from their counts, 2,000 pixels each."""
    pixels = 2000
    results = [
        Scored(
            case=Case(name, "prediction.png", "reference.png"),
            shape=(40, 50),
            spacing=None,
            unit=None,
            sizes={},
            counted=pixels,
            excluded={},
            measured=make.measured(
                {label: Counts(*counts, pixels - sum(counts)) for label, counts in rows.items()}
            ),
        )
        for name, rows in DATA_SET.items()
    ]
    return Report(results, make_settings(undefined=undefined))


@pytest.mark.parametrize("undefined", POLICIES)
@pytest.mark.parametrize(
    ("label", "metric", "expected"),
    [
        (1, "dice", ["0.643062", "0.643062", "0.643062"]),
        (2, "dice", ["0.733333", "0.822222", "0.488889"]),
        (3, "dice", [0, "0.333333", 0]),
        (1, "iou", ["0.555556", "0.555556", "0.555556"]),
        (2, "iou", ["0.583333", "0.722222", "0.388889"]),
        (3, "iou", [0, "0.333333", 0]),
    ],
)
def test_six_aggregates_label_over_cases(label, metric, expected, undefined):
    """The mean of one label over the cases, under each policy."""
    rows = [row for case in data_set(undefined).cases() for row in case.labels if row.label == label]
    assert published(expected[POLICIES.index(undefined)]) == mean(row.values[metric] for row in rows).value


@pytest.mark.parametrize("undefined", POLICIES)
@pytest.mark.parametrize(
    ("name", "metric", "expected"),
    [
        ("label-mean", "dice", ["0.458799", "0.599539", "0.377317"]),
        ("label-mean", "iou", ["0.379630", "0.537037", "0.314815"]),
        ("macro-imagewise", "dice", ["0.511430", "0.599539", "0.377317"]),
        ("macro-imagewise", "iou", ["0.429630", "0.537037", "0.314815"]),
        ("macro", "dice", ["0.559512", "0.559512", "0.559512"]),
        ("macro", "iou", ["0.484778", "0.484778", "0.484778"]),
        ("micro", "dice", [Fraction(2070, 2341)] * 3),
        ("micro", "iou", [Fraction(1035, 1306)] * 3),
        # By hand: pooled by case (85, 15, 30), (900, 57, 50), (50, 20, 99).
        (
            "micro-imagewise",
            "dice",
            [(Fraction(170, 215) + Fraction(1800, 1907) + Fraction(100, 219)) / 3] * 3,
        ),
        ("micro-imagewise", "iou", [(Fraction(85, 130) + Fraction(900, 1007) + Fraction(50, 169)) / 3] * 3),
        # By hand: references of 1160, 45 and 9 pixels.
        (
            "weighted",
            "dice",
            [(1160 * Fraction(198, 221) + 45 * Fraction(18, 23)) / 1214] * 3,
        ),
        ("weighted", "iou", [(1160 * Fraction(99, 122) + 45 * Fraction(9, 14)) / 1214] * 3),
    ],
)
def test_six_aggregates(name, metric, expected, undefined):
    """Each of the six averages, under each policy; where a label is in some mask the policies agree."""
    report = data_set(undefined)
    assert published(expected[POLICIES.index(undefined)]) == report.averages[name][metric].value


def test_six_aggregates_pooled():
    """The ratios that macro averages: labels pooled over the cases."""
    rows = [[Counts(*counts) for counts in case.values()] for case in DATA_SET.values()]
    for metric, expected in (("dice", ["198/221", "18/23", "0"]), ("iou", ["99/122", "9/14", "0"])):
        function = resolve(metric).function
        actual = [average("micro", [[row[label]] for row in rows], function).value for label in range(3)]
        assert [float(Fraction(each)) for each in expected] == actual


# --- 13: large counts ---------------------------------------------------------------------------------------

SIDE = 4097
PIXELS = 16_785_409


def test_large_count_is_exact():
    """A count beyond 2^24, where float32 saturates, is exact in a report."""
    mask = np.ones((SIDE, SIDE), np.uint8)
    report = dicecli.score(mask, mask)
    assert Counts(PIXELS, 0, 0, 0) == make.counts(report.scored[0])[1]
    assert PIXELS == report.scored[0].counted


@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_large_count_is_exact_among_other_labels(backend):
    """It is exact on each backend, also where another label makes it count pixel by pixel."""
    reference = np.ones((SIDE, SIDE), np.uint8)
    prediction = np.ones((SIDE, SIDE), np.uint8)
    prediction[-1, -1] = 2
    if backend == "torch":
        torch = pytest.importorskip("torch", reason="torch is not installed")
        reference, prediction = torch.from_numpy(reference), torch.from_numpy(prediction)
    matrix = ConfusionMatrix.from_arrays(prediction=prediction, reference=reference)
    assert (1, 2) == matrix.labels
    assert [[PIXELS - 1, 1], [0, 0]] == matrix.table.tolist()


def test_large_count_is_exact_with_torch():
    """A tensor of one label is counted exactly beyond 2^24."""
    torch = pytest.importorskip("torch", reason="torch is not installed")
    mask = torch.ones((SIDE, SIDE), dtype=torch.uint8)
    matrix = ConfusionMatrix.from_arrays(prediction=mask, reference=mask)
    assert (1,) == matrix.labels
    assert [[PIXELS]] == matrix.table.tolist()
