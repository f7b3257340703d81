"""What a GeoTIFF's bands mean: masks and alpha bands hide, colours and scores are labels (rows A10 and A11)."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from make import blobs, brute, counts, geotiff, png, read, scored

import dicecli
from dicecli.errors import (
    ChannelMismatch,
    Corrupt,
    ManyVolumes,
    NotLabels,
    Truncated,
    UnknownColour,
)
from dicecli.runs.inspection.file import inspect

REFERENCE = np.array([[0, 0, 1], [2, 1, 2]], np.uint8)
PREDICTION = np.array([[1, 0, 1], [2, 1, 2]], np.uint8)
#: Hides the one pixel in which the two differ.
SHOWS = np.array([[0, 1, 1], [1, 1, 1]], bool)
COLOURS = np.array([[0, 0, 0], [255, 0, 0], [0, 255, 0]], np.uint8)
TABLE = {
    "labels": {"1": "building", "2": "tree"},
    "colours": {"0": "#000000", "1": "#ff0000", "2": "#00ff00"},
}
#: A value that stands for nodata in the arrays that tests count themselves.
NONE = -9


def rgb(labels, table=COLOURS):
    """Return labels as colours, the bands first."""
    return np.moveaxis(table[labels], -1, 0)


def with_mask(path, labels, shows, **options):
    """Write a GeoTIFF with an internal mask that shows some of its pixels."""
    import rasterio

    geotiff(path, labels, **options)
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True), rasterio.open(path, "r+") as dataset:
        dataset.write_mask(shows)
    return path


def with_alpha(path, labels, shows, **options):
    """Write a GeoTIFF of a band of labels and one of alpha."""
    full = np.iinfo(labels.dtype).max if labels.dtype.kind in "iu" else 1
    return geotiff(path, np.stack([labels, shows * labels.dtype.type(full)]), alpha="yes", **options)


HIDING = pytest.mark.parametrize("hiding", [with_mask, with_alpha])


def hidden(labels, shows):
    """Return labels with NONE in place of what is hidden."""
    return np.where(shows, labels.astype(np.int64), NONE)


def by_the_rules(prediction, reference):
    """Count by brute force: NONE in the reference is left out, in the prediction it is nobody's label."""
    valid = reference != NONE
    counted = brute(prediction[valid], reference[valid])
    counted.pop(NONE, None)
    return counted


# A10.


@HIDING
def test_what_a_mask_or_alpha_band_hides_is_nodata(tmp_path, hiding):
    """'Internal mask or alpha band of a GeoTIFF' must be: 'they are nodata; --nodata label counts them'."""
    reference = hiding(tmp_path / "reference.tif", REFERENCE, SHOWS)
    prediction = geotiff(tmp_path / "prediction.tif", PREDICTION)
    result = scored(prediction, reference)
    assert by_the_rules(PREDICTION.astype(int), hidden(REFERENCE, SHOWS)) == counts(result)
    assert result.excluded["nodata"] == 1
    assert any("hides is nodata" in note for note in result.notes)
    counted = scored(prediction, reference, nodata="label")
    assert brute(PREDICTION, REFERENCE) == counts(counted)
    assert any("not used, as --nodata label says" in note for note in counted.notes)
    background = scored(prediction, reference, nodata="background")
    assert brute(PREDICTION, np.where(SHOWS, REFERENCE, 0)) == counts(background)


@HIDING
def test_what_the_predictions_mask_hides_is_a_miss(tmp_path, hiding):
    """Hidden pixels of the prediction over a valid reference are misses, and noted."""
    prediction = hiding(tmp_path / "prediction.tif", PREDICTION, SHOWS)
    result = scored(prediction, geotiff(tmp_path / "reference.tif", REFERENCE))
    assert by_the_rules(hidden(PREDICTION, SHOWS), REFERENCE.astype(int)) == counts(result)
    assert any("1 pixel with nodata" in note for note in result.notes)


@HIDING
@pytest.mark.parametrize("dtype", ["uint8", "uint64", "float32"])
@settings(max_examples=6)
@given(
    labels=arrays(np.uint8, (20, 18), elements=st.integers(0, 3)),
    shows=arrays(bool, (20, 18)),
    tag=st.sampled_from([None, 3, 0]),
    tiled=st.booleans(),
)
def test_any_mask_hides_its_pixels_and_no_others(tmp_path_factory, hiding, dtype, labels, shows, tag, tiled):
    """In tiles and strips, with a nodata value beside it, of every type: against counting by brute force."""
    folder = tmp_path_factory.mktemp("masks")
    tiles = {"tiled": True, "blockxsize": 16, "blockysize": 16} if tiled else {}
    reference = hiding(folder / "a.tif", labels.astype(dtype), shows, nodata=tag, compress="deflate", **tiles)
    prediction = geotiff(folder / "b.tif", np.roll(labels, 1, axis=0))
    known = shows & (labels != 3) if tag == 3 else shows
    expected = by_the_rules(np.roll(labels, 1, axis=0).astype(int), hidden(labels, known))
    assert expected == counts(scored(prediction, reference))


def test_overviews_of_masks_are_never_used(tmp_path):
    """A mask that is at full resolution alone, or has overviews of its own, hides what it hides there."""
    import rasterio
    from rasterio.enums import Resampling

    labels, shows = blobs((64, 64), 3), np.indices((64, 64)).sum(axis=0) % 2 == 0
    path = with_mask(tmp_path / "a.tif", labels, shows, tiled=True, blockxsize=16, blockysize=16)
    with rasterio.open(path, "r+") as dataset:
        dataset.build_overviews([2, 4], Resampling.nearest)
    result = scored(geotiff(tmp_path / "b.tif", labels), path)
    assert brute(labels[shows], labels[shows]) == counts(result)


def test_values_under_a_mask_are_never_looked_at(tmp_path):
    """Fractions, NaN and labels beyond 63 bits are no error where they are hidden; elsewhere they are."""
    for strange in (np.nan, 0.5, np.inf):
        stored = REFERENCE.astype(np.float32)
        stored[0, 0] = strange
        path = with_mask(tmp_path / "a.tif", stored, SHOWS)
        assert brute(REFERENCE[SHOWS], REFERENCE[SHOWS]) == counts(
            scored(geotiff(tmp_path / "b.tif", REFERENCE), path)
        )
        with pytest.raises(NotLabels):
            read(with_mask(tmp_path / "c.tif", stored, ~SHOWS))
    wide = REFERENCE.astype(np.uint64)
    wide[0, 0] = 2**63
    assert read(with_mask(tmp_path / "d.tif", wide, SHOWS)).tolist()[1] == REFERENCE.tolist()[1]
    with pytest.raises(NotLabels, match="63 bits"):
        read(with_mask(tmp_path / "e.tif", wide, ~SHOWS))


def test_an_alpha_between_hidden_and_seen_is_refused_and_its_hint_counts_all(tmp_path):
    """Partial alpha is an error; --nodata label, which it proposes, counts every pixel as it is stored."""
    path = geotiff(tmp_path / "a.tif", np.stack([REFERENCE, SHOWS * np.uint8(128)]), alpha="yes")
    prediction = geotiff(tmp_path / "b.tif", PREDICTION)
    with pytest.raises(NotLabels, match="128") as caught:
        scored(prediction, path)
    assert "--nodata label" in caught.value.hint
    assert brute(PREDICTION, REFERENCE) == counts(scored(prediction, path, nodata="label"))


def test_the_alpha_band_is_no_band_of_labels(tmp_path):
    """--band of the alpha band is an error that says where the labels are; any other one reads them."""
    path = with_alpha(tmp_path / "a.tif", REFERENCE, SHOWS)
    with pytest.raises(ManyVolumes, match="alpha band") as caught:
        read(path, band=2)
    assert "band 1" in caught.value.hint
    result = scored(geotiff(tmp_path / "b.tif", PREDICTION), path, band=1)
    assert by_the_rules(PREDICTION.astype(int), hidden(REFERENCE, SHOWS)) == counts(result)


def test_a_damaged_mask_is_no_mask(tmp_path):
    """A mask whose deflate stream is damaged, or holds more than it should, is found, as labels are."""
    labels, shows = blobs((64, 64), 3), blobs((64, 64), 2, seed=3).astype(bool)
    path = with_mask(tmp_path / "a.tif", labels, shows, compress="deflate")
    whole, packed = path.read_bytes(), zlib.compress(np.packbits(shows, axis=1).tobytes())
    _put(path, whole, packed)
    assert brute(labels[shows], labels[shows]) == counts(scored(geotiff(tmp_path / "b.tif", labels), path))
    for stream in (packed[:-2] + b"??", zlib.compress(zlib.decompress(packed) * 2), packed[:-4]):
        _put(path, whole, stream)
        with pytest.raises((Corrupt, Truncated)):
            read(path)


def _put(path, whole, stream):
    """Give the second image of a TIFF another stream as its only strip, at the file's end."""
    (first,) = struct.unpack_from("<I", whole, 4)
    (n,) = struct.unpack_from("<H", whole, first)
    (second,) = struct.unpack_from("<I", whole, first + 2 + 12 * n)
    (n,) = struct.unpack_from("<H", whole, second)
    changed = bytearray(whole + stream)
    for at in range(second + 2, second + 2 + 12 * n, 12):
        value = {273: len(whole), 279: len(stream)}.get(struct.unpack_from("<H", whole, at)[0])
        if value is not None:
            struct.pack_into("<HII", changed, at + 2, 4, 1, value)
    path.write_bytes(changed)


@HIDING
def test_hidden_pixels_of_probabilities_are_unknown(tmp_path, hiding):
    """What a mask hides of a probability map is nodata there, too, and --nodata label counts it."""
    chance = np.where(REFERENCE > 0, 0.75, 0.25).astype(np.float32)
    found = hiding(tmp_path / "p.tif", chance, SHOWS)
    reference = geotiff(tmp_path / "r.tif", (REFERENCE > 0).astype(np.uint8))
    with_nan = geotiff(tmp_path / "n.tif", np.where(SHOWS, chance, np.nan))
    name = "soft_dice_standard[1]"
    expected = dicecli.soft(with_nan, reference, nodata="ignore").look_up(name).value
    assert expected == dicecli.soft(found, reference).look_up(name).value
    plain = dicecli.soft(geotiff(tmp_path / "q.tif", chance), reference).look_up(name).value
    assert plain == dicecli.soft(found, reference, nodata="label").look_up(name).value


def test_inspect_says_what_is_hidden(tmp_path):
    """Hidden pixels are counted apart by ``inspect``, and no value stands in their place."""
    found = inspect(str(with_mask(tmp_path / "a.tif", REFERENCE, SHOWS)))
    assert found.facts["hidden"] == "1 of its pixels"
    assert found.values == {0: 1, 1: 2, 2: 2}


# A11.


@pytest.mark.parametrize(
    "layout", [{}, {"interleave": "pixel", "compress": "deflate"}, {"compress": "lzw"}], ids=str
)
def test_a_colour_table_works_for_tiff_as_for_png(tmp_path, layout):
    """'RGB-coded GeoTIFF' must be: 'colour tables ... work for TIFF'. Today: 'refused'."""
    prediction = geotiff(tmp_path / "a.tif", rgb(PREDICTION), **layout)
    reference = geotiff(tmp_path / "b.tif", rgb(REFERENCE), **layout)
    assert brute(PREDICTION, REFERENCE) == counts(scored(prediction, reference, labels=TABLE))
    labels = geotiff(tmp_path / "c.tif", REFERENCE)
    assert brute(PREDICTION, REFERENCE) == counts(scored(prediction, labels, labels=TABLE))


def test_unknown_colours_are_the_same_error_in_tiff_and_png(tmp_path):
    """The message, its hint and the colours are those of PNG, with the shares of the whole file."""
    labels = np.repeat(blobs((700, 8), 3), 2, axis=1)
    (tmp_path / "a").mkdir()
    tif, image = (
        geotiff(tmp_path / "a" / "a.tif", rgb(labels)),
        png(tmp_path / "a" / "a.png", COLOURS[labels]),
    )
    for table in (None, {"labels": {"1": "a"}, "colours": {"0": "#000000", "1": "#ff0000"}}):
        found = []
        for path in (tif, image):
            with pytest.raises(UnknownColour) as caught:
                scored(path, path, labels=table)
            found.append((caught.value.message, caught.value.hint, caught.value.facts))
        assert found[0] == found[1]


def test_the_hint_for_colours_gives_the_right_number(tmp_path):
    """RGB without a table: the hint is a colour table, not 'the hint --band 1 gives .25 for 1.0'."""
    path = geotiff(tmp_path / "a.tif", rgb(REFERENCE))
    with pytest.raises(UnknownColour) as caught:
        scored(path, path)
    assert "--labels" in caught.value.hint
    assert "--band" not in caught.value.hint
    assert brute(REFERENCE, REFERENCE) == counts(scored(path, path, labels=TABLE))


def test_the_hint_tells_one_hot_bands_from_colours(tmp_path):
    """'One-hot bands' of 0 and 255, which a writer calls red, green and blue: the table alone, pasted, gave 0."""
    hot = np.stack([(REFERENCE == label) * 255 for label in range(3)]).astype(np.uint8)
    path, labels = geotiff(tmp_path / "a.tif", hot, photometric="RGB"), geotiff(tmp_path / "b.tif", REFERENCE)
    with pytest.raises(UnknownColour) as caught:
        scored(path, labels)
    assert caught.value.hint.startswith(
        "If each band is the mask of a label, the first of label 0: --argmax."
    )
    assert brute(REFERENCE, REFERENCE) == counts(scored(path, labels, argmax=True))
    with pytest.raises(UnknownColour) as caught:  # black is no label's mask
        scored(
            geotiff(
                tmp_path / "c.tif",
                hot[[1, 2, 2]] * np.array([[[1]], [[1]], [[0]]], np.uint8),
                photometric="RGB",
            ),
            labels,
        )
    assert "--argmax" not in caught.value.hint


@pytest.mark.parametrize("white", [[255, 255, 255], [255, 255, 0], [0, 0, 255]], ids=str)
def test_colours_of_0_and_255_are_no_binary_layers(tmp_path, white):
    """Two colours of 0 and 255 are colours, or grey stored as colours, and never three masks."""
    table = np.array([[0, 0, 0], white], np.uint8)
    mask = (REFERENCE > 0).astype(np.uint8)
    path = geotiff(tmp_path / "a.tif", rgb(mask, table))
    labels = geotiff(tmp_path / "b.tif", mask)
    if len(set(white)) == 1:
        with pytest.raises(ManyVolumes, match="grey") as caught:
            scored(path, labels)
        assert "--band 1" in caught.value.hint
        assert brute(mask, mask) == counts(scored(path, labels, band=1))
    else:
        with pytest.raises(UnknownColour):
            scored(path, labels)


def test_alpha_hides_colours_too(tmp_path):
    """RGBA: hidden pixels are nodata, whatever colour they have, also one that the table lacks."""
    coloured = rgb(REFERENCE).copy()
    coloured[:, 0, 0] = 7, 7, 7
    path = geotiff(tmp_path / "a.tif", np.concatenate([coloured, SHOWS[None] * np.uint8(255)]))
    prediction = geotiff(tmp_path / "b.tif", rgb(PREDICTION))
    expected = by_the_rules(PREDICTION.astype(int), hidden(REFERENCE, SHOWS))
    assert expected == counts(scored(prediction, path, labels=TABLE))
    with pytest.raises(UnknownColour, match="070707"):
        scored(prediction, path, labels=TABLE, nodata="label")


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
@pytest.mark.parametrize("channels", [3, 4, 5])
def test_argmax_works_for_tiff(tmp_path, dtype, channels):
    """'one-hot bands' must be: '--argmax work[s] for TIFF'. Today: '--argmax has no effect'."""
    hot = np.stack([PREDICTION == label for label in range(channels)]).astype(dtype)
    prediction, reference = geotiff(tmp_path / "a.tif", hot), geotiff(tmp_path / "b.tif", REFERENCE)
    assert brute(PREDICTION, REFERENCE) == counts(scored(prediction, reference, argmax=True))
    with pytest.raises(ChannelMismatch) as caught:
        scored(prediction, reference)
    assert "--argmax" in caught.value.hint
    assert "--band" not in caught.value.hint


def test_argmax_of_scores_with_a_mask_and_a_scale(tmp_path):
    """Scores are taken as they are meant, with the band's scale; where they are hidden there is no label."""
    import rasterio

    scores = np.random.default_rng(0).random((3, 20, 18)).astype(np.float32)
    shows = blobs((20, 18), 2).astype(bool)
    path = with_mask(tmp_path / "a.tif", scores, shows)
    with rasterio.open(path, "r+") as dataset:
        dataset.scales = (1.0, -1.0, 1.0)
    labels = (scores * np.array([1, -1, 1]).reshape(3, 1, 1)).argmax(axis=0)
    reference = blobs((20, 18), 3, seed=2)
    result = scored(path, geotiff(tmp_path / "b.tif", reference), argmax=True)
    assert by_the_rules(hidden(labels, shows), reference.astype(int)) == counts(result)


def test_argmax_of_colours_is_refused(tmp_path):
    """Red, green and blue are no scores, whatever is asked for."""
    path = geotiff(tmp_path / "a.tif", rgb(REFERENCE))
    with pytest.raises(NotLabels):
        scored(path, geotiff(tmp_path / "b.tif", REFERENCE), argmax=True)


def test_one_hot_bands_that_a_writer_calls_colours_are_layers(tmp_path):
    """Four bands of 0 and 1 that the writer marked as red, green, blue and alpha are four layers."""
    hot = np.stack([REFERENCE == label for label in range(4)]).astype(np.uint8)
    path = geotiff(tmp_path / "a.tif", hot)
    (note,) = [each for each in scored(path, path).notes if each.startswith("reference: it has")]
    assert "4 binary layers" in note
    with pytest.raises(NotLabels, match="hold nodata"):
        scored(geotiff(tmp_path / "b.tif", np.where(hot[0], 7, hot), nodata=7), path)


def test_a_file_of_several_label_maps_is_told_how_to_choose(tmp_path):
    """Bands of labels: --band N, which the hint has, reads the one that it names."""
    path = geotiff(tmp_path / "a.tif", np.stack([PREDICTION, REFERENCE]))
    reference = geotiff(tmp_path / "b.tif", REFERENCE)
    with pytest.raises(ManyVolumes) as caught:
        scored(path, reference)
    assert "--band N" in caught.value.hint
    assert brute(REFERENCE, REFERENCE) == counts(scored(path, reference, band=2))


def test_nodata_of_colours_is_a_pixel_with_the_tag_in_every_band(tmp_path):
    """A tag of 9 makes (9, 9, 9) nodata; one of 0 leaves the black that the table declares a label."""
    coloured = rgb(REFERENCE).copy()
    coloured[:, 0, 0] = 9
    path = geotiff(tmp_path / "a.tif", coloured, nodata=9)
    prediction = geotiff(tmp_path / "b.tif", rgb(PREDICTION), nodata=0)
    result = scored(prediction, path, labels=TABLE)
    expected = by_the_rules(PREDICTION.astype(int), hidden(REFERENCE, SHOWS))
    assert expected == counts(result)
