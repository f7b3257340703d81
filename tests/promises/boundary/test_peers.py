"""Real masks as MONAI and SciPy measure them."""

from __future__ import annotations

import csv
import math
from functools import cache

import numpy as np
import places
import pytest

import dicecli

FOLDER = places.SHARED_MASKS

pytestmark = [
    pytest.mark.skipif(not (FOLDER / "pairs.csv").is_file(), reason="the folder of real masks is not here"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning"),
]

#: Pairs of small files, the prediction first, and labels of them; all that both of them have where none are named.
PAIRS = [
    ("nifti/sct_t2_deep3d.nii.gz", "nifti/sct_t2_manual.nii.gz", None),
    ("nifti/sct_mt1.nii.gz", "nifti/sct_mt0.nii.gz", None),
    ("nifti/evalseg_50.nii.gz", "nifti/evalseg_20.nii.gz", None),
    ("nifti/totalseg_fast.nii.gz", "nifti/totalseg_full.nii.gz", (5, 10)),
    ("png/davis_camel_osvos.png", "png/davis_camel_gt.png", None),
]
METRICS = [
    "hd", "hd95", "assd", "masd", "hd_to_reference", "hd_to_prediction", "hd95_to_reference",
    "asd_to_reference", "asd_to_prediction",
]  # fmt: skip
PEERS = {"monai": 1e-6, "scipy": 1e-12}
#: Of percentiles by MONAI, which rounds the rank to float32.
OF_RANKS = 1e-4


@cache
def arrays(name):
    """Return the stored values of a file, and its spacing; 255 beside 0 is 1."""
    if name.startswith("nifti/"):
        import nibabel

        image = nibabel.load(FOLDER / name)
        return np.asanyarray(image.dataobj), tuple(nibabel.affines.voxel_sizes(image.affine).tolist())
    from PIL import Image

    with Image.open(FOLDER / name) as image:
        found = np.asarray(image)
    return np.where(found == 255, 1, found), (1.0, 1.0)


def both(prediction, reference, label):
    """Return both masks of a label, and the spacing."""
    (one, spacing), (other, _) = arrays(prediction), arrays(reference)
    return one == label, other == label, spacing


@cache
def report(prediction, reference):
    """Score two files, with tolerances of one and two of the smallest spacing."""
    spacing = arrays(reference)[1]
    unit = "mm" if prediction.startswith("nifti/") else "px"
    tolerances = [f"{number * min(spacing):.6g}{unit}" for number in (1, 2)]
    paths = [str(FOLDER / each) for each in (prediction, reference)]
    metrics = [*METRICS, *(f"nsd_{each}" for each in tolerances)]
    return dicecli.score(*paths, metrics=metrics, name="pair"), tolerances


def labels_of(prediction, reference, chosen):
    """Return the labels to compare."""
    found = np.intersect1d(arrays(prediction)[0], arrays(reference)[0])
    return [int(each) for each in found if each and (chosen is None or each in chosen)]


def by_monai(prediction, reference, spacing, tolerances):
    """Return MONAI's numbers by their names here."""
    torch = pytest.importorskip("torch", reason="torch is not installed")
    metrics = pytest.importorskip("monai.metrics", reason="MONAI is not installed", exc_type=ImportError)
    masks = [torch.from_numpy(np.stack([~each, each])[np.newaxis]) for each in (prediction, reference)]

    def hd(**options):
        return metrics.compute_hausdorff_distance(*masks, spacing=spacing, **options).item()

    def asd(one, other, **options):
        return metrics.compute_average_surface_distance(one, other, spacing=spacing, **options).item()

    found = {
        "hd": hd(),
        "hd95": hd(percentile=95),
        "hd_to_reference": hd(directed=True),
        "hd95_to_reference": hd(directed=True, percentile=95),
        "assd": asd(*masks, symmetric=True),
        "asd_to_reference": asd(*masks),
        "asd_to_prediction": asd(*masks[::-1]),
    }
    for name, tolerance in tolerances.items():
        # Its distances are float32, and tolerances are voxel sides: so it gets the tolerance with its slack.
        found[name] = metrics.compute_surface_dice(
            *masks, class_thresholds=[tolerance * (1 + 1e-6)], spacing=spacing
        ).item()
    return found


def by_scipy(prediction, reference, spacing, tolerances):
    """Return what SciPy's erosion and distance transform make of the definitions."""
    ndimage = pytest.importorskip("scipy.ndimage", reason="SciPy is not installed")
    rims = [each & ~ndimage.binary_erosion(each) for each in (prediction, reference)]
    maps = [ndimage.distance_transform_edt(~each, sampling=spacing) for each in rims]
    to_reference, to_prediction = maps[1][rims[0]], maps[0][rims[1]]
    pooled = np.concatenate([to_reference, to_prediction])
    return {
        "hd": pooled.max(),
        "hd95": max(np.percentile(to_reference, 95), np.percentile(to_prediction, 95)),
        "hd_to_reference": to_reference.max(),
        "hd_to_prediction": to_prediction.max(),
        "hd95_to_reference": np.percentile(to_reference, 95),
        "assd": pooled.mean(),
        "masd": (to_reference.mean() + to_prediction.mean()) / 2,
        "asd_to_reference": to_reference.mean(),
        "asd_to_prediction": to_prediction.mean(),
        **{name: (pooled <= tolerance * (1 + 1e-6)).mean() for name, tolerance in tolerances.items()},
    }


@pytest.mark.parametrize(("prediction", "reference", "chosen"), PAIRS, ids=[each[1] for each in PAIRS])
@pytest.mark.parametrize(("peer", "tolerance"), PEERS.items(), ids=PEERS)
def test_a_peer(peer, tolerance, prediction, reference, chosen):
    """Every number that it has of a pair is the same, to what its arithmetic allows."""
    measure = {"monai": by_monai, "scipy": by_scipy}[peer]
    found, written = report(prediction, reference)
    lengths = {f"nsd_{each}": float(each.rstrip("pxm")) for each in written}
    labels = labels_of(prediction, reference, chosen)
    assert labels
    for label in labels:
        expected = measure(*both(prediction, reference, label), lengths)
        actual = {name: found.value(name, "pair", label) for name in expected}
        near = {
            name: pytest.approx(value, rel=OF_RANKS if peer == "monai" and "95" in name else tolerance)
            for name, value in expected.items()
        }
        assert near == actual
        assert all(map(math.isfinite, actual.values()))


def test_the_pairs_are_of_the_folder():
    """They are among those that the folder says belong together."""
    with (FOLDER / "pairs.csv").open(encoding="utf-8", newline="") as file:
        known = {frozenset((row["one"], row["other"])) for row in csv.DictReader(file)}
    assert [] == [each for each in PAIRS if frozenset(each[:2]) not in known]
