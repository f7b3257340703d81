"""Integers of 64 bits are exact, or refused, however they come (row A13)."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from make import brute, counts, geotiff, nifti, read, scored

import dicecli
from dicecli.errors import LabelFileError, NotLabels
from dicecli.masks.opening import open_mask
from dicecli.records.labels import NO_LABEL

BIG = 2**53
REFERENCE = np.array([[1, BIG, BIG + 1, BIG + 2], [1, BIG, BIG + 1, 2**63 - 1]], np.int64)
PREDICTION = np.array([[1, BIG, BIG, BIG + 2], [1, BIG + 1, BIG + 1, 2**63 - 1]], np.int64)


def masked(_, labels):
    """Return a masked array that hides nothing."""
    return np.ma.array(labels, mask=False)


def big_endian(_, labels):
    """Return an array in the other byte order."""
    return labels.astype(labels.dtype.newbyteorder(">"))


def as_nifti(path, labels):
    """Write a NIfTI in this machine's byte order."""
    return nifti(path.with_suffix(".nii"), labels[..., None])


def as_big_nifti(path, labels):
    """Write a NIfTI in the other byte order."""
    return nifti(path.with_suffix(".nii.gz"), labels[..., None], endianness=">")


def as_image(_, labels):
    """Return an image of nibabel."""
    import nibabel

    return nibabel.Nifti1Image(labels[..., None], np.eye(4), dtype=labels.dtype)


def as_tiff(path, labels):
    """Write a GeoTIFF with another nodata value."""
    return geotiff(path.with_suffix(".tif"), labels, nodata=7)


def as_tensor(_, labels):
    """Return a tensor."""
    return pytest.importorskip("torch").from_numpy(labels.copy())


EVERY = pytest.mark.parametrize(
    "given", [masked, big_endian, as_nifti, as_big_nifti, as_image, as_tiff, as_tensor]
)


@EVERY
def test_the_least_integer_is_exact_or_refused(tmp_path, given):
    """'-2^63 in big-endian int64, or in a native int64 GeoTIFF with another nodata' is no more 'dropped'."""
    labels = REFERENCE.copy()
    labels[0, 1] = NO_LABEL
    for pair in ((labels, REFERENCE), (REFERENCE, labels)):
        prediction, reference = (given(tmp_path / f"{n}", each) for n, each in enumerate(pair))
        with pytest.raises(NotLabels, match=str(NO_LABEL)):
            scored(prediction, reference)


@EVERY
@pytest.mark.parametrize("dtype", ["int64", "uint64"])
def test_neighbours_above_2_to_53_are_told_apart(tmp_path, given, dtype):
    """'uint64 labels above 2^53' are no more 'confused with neighbours', in score and in soft."""
    prediction, reference = PREDICTION.astype(dtype), REFERENCE.astype(dtype)
    expected = brute(PREDICTION, REFERENCE)
    assert expected == counts(scored(given(tmp_path / "a", prediction), given(tmp_path / "b", reference)))
    channels = sorted(expected)
    chances = np.stack([PREDICTION == label for label in channels]).astype(float)
    report = dicecli.soft(chances, given(tmp_path / "c", reference), channels=channels, accept_labels=True)
    for label, each in expected.items():
        dice = 2 * each.tp / (2 * each.tp + each.fp + each.fn)
        found = report.look_up(f"soft_dice_standard[{label}]").value
        assert dice == pytest.approx(found, abs=1e-4)  # which has an epsilon


@pytest.mark.parametrize("given", [masked, big_endian, as_nifti, as_tiff, as_tensor])
def test_what_63_bits_cannot_hold_is_refused(tmp_path, given):
    """A label of 2^63 wraps round to no other, hidden among masked ones or not."""
    labels = REFERENCE.astype(np.uint64)
    labels[1, 3] = 2**63
    with pytest.raises(NotLabels, match="63 bits"):
        scored(given(tmp_path / "a", REFERENCE.astype(np.uint64)), given(tmp_path / "b", labels))


@pytest.mark.parametrize("order", ["LITTLE", "BIG"])
@pytest.mark.parametrize(
    ("dtype", "text", "value"),
    [
        ("int64", str(BIG + 1), BIG + 1),
        ("int64", str(NO_LABEL), NO_LABEL),
        ("int64", "-9.2233720368547758e+18", NO_LABEL),
        ("int64", "-9007199254740993", -BIG - 1),
        ("uint64", str(BIG + 1), BIG + 1),
        ("uint64", str(2**64 - 1), 2**64 - 1),
    ],
)
def test_a_nodata_tag_is_exact(tmp_path, order, dtype, text, value):
    """'nodata 2^53+1' hides its pixels and not those of 2^53; so does every number of 64 bits."""
    stored = REFERENCE.astype(dtype)
    stored[0, 0] = value
    path = _tagged(geotiff(tmp_path / "a.tif", stored, endianness=order), text, order)
    shows = stored != np.array(value, dtype)
    result = scored(geotiff(tmp_path / "b.tif", PREDICTION), path)
    expected = brute(PREDICTION[shows], REFERENCE[shows])
    assert expected == {
        label: each for label, each in counts(result).items() if each.tp or each.fp or each.fn
    }
    assert int((~shows).sum()) == result.excluded["nodata"]
    background = brute(PREDICTION, np.where(shows, REFERENCE, 0))
    assert background == counts(scored(tmp_path / "b.tif", path, nodata="background"))
    with open_mask(path) as source:
        assert source.facts["nodata"] == str(value)


def _tagged(path, text, order):
    """Put a nodata tag into a TIFF that has none, as the last entry of its directory, which moves to the end."""
    mark = "<" if order == "LITTLE" else ">"
    whole = bytearray(path.read_bytes())
    (at,) = struct.unpack_from(mark + "I", whole, 4)
    (n,) = struct.unpack_from(mark + "H", whole, at)
    entries = bytes(whole[at + 2 : at + 2 + 12 * n])
    place, content = len(whole), text.encode() + b"\0"
    whole += content + bytes(len(content) % 2)
    struct.pack_into(mark + "I", whole, 4, len(whole))
    whole += struct.pack(mark + "H", n + 1) + entries
    whole += struct.pack(mark + "HHII", 42113, 2, len(content), place) + bytes(4)
    path.write_bytes(whole)
    return path


@pytest.mark.parametrize("text", ["nan", "1e400", "9" * 20, "0.5", "", "x"])
def test_a_nodata_text_that_no_integer_equals_hides_nothing(tmp_path, text):
    """Whatever stands in the tag, pixels that do not have that value count."""
    path = _tagged(geotiff(tmp_path / "a.tif", REFERENCE), text, "LITTLE")
    result = scored(path, geotiff(tmp_path / "b.tif", REFERENCE))
    assert brute(REFERENCE, REFERENCE) == counts(result) == counts(scored(tmp_path / "b.tif", path))


def test_integers_of_64_bits_that_are_scaled_are_exact_or_refused(tmp_path):
    """A slope and an intercept that are integers are applied in integers; others where nothing is rounded."""
    import nibabel

    stored = REFERENCE.copy()
    stored[stored > BIG + 2] = 5
    path = nifti(tmp_path / "a.nii", stored[..., None], slope=1, inter=1)
    assert (stored + 1)[..., None].tolist() == read(path)[..., None].tolist()
    for slope, inter in ((0.5, 0), (1024, 0)):
        path = nifti(tmp_path / "b.nii", stored[..., None], slope=slope, inter=inter)
        with pytest.raises(NotLabels, match="exact"):
            read(path)
    with pytest.raises(NotLabels, match="exact"):
        scored(nibabel.load(tmp_path / "b.nii"), nibabel.load(tmp_path / "b.nii"))
    small = np.array([[2, 4], [6, 8]], np.int64)
    path = nifti(tmp_path / "c.nii", small[..., None], slope=0.5, inter=0)
    assert (small // 2).tolist() == read(path).tolist()


@pytest.mark.parametrize("label", [NO_LABEL, 2**63])
def test_no_label_is_declared_that_no_mask_can_hold(label):
    """A colour, a name or a region of -2^63 would become no label at all; of 2^63 another one."""
    for given in (
        {"labels": {"1": "a", str(label): "b"}},
        {"labels": {"1": "a"}, "colours": {str(label): "#ff0000"}},
        {"labels": {"1": "a"}, "regions": {"all": [1, label]}},
        {"labels": {"1": "a"}, "ignore": label},
    ):
        with pytest.raises(LabelFileError, match=str(label)):
            scored(REFERENCE, REFERENCE, labels=given)
