"""Palettes from the field: numbers that are painted in colours, and which of both are the labels."""

from __future__ import annotations

import csv
import json
import warnings

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from make import brute, counts, geotiff, png, raw_png, scored

import dicecli
from dicecli.cli.main import cli
from dicecli.errors import AmbiguousPalette, NotLabels, UnknownColour
from dicecli.masks.palettes import Painted, check_pair
from dicecli.records.cases import Case, Failed
from dicecli.runs.inspection.file import inspect
from dicecli.runs.scoring import make_settings, score_many

BLACK, RED, GREEN, WHITE, GREY = (0, 0, 0), (128, 0, 0), (0, 128, 0), (255, 255, 255), (128, 128, 128)
#: A2: the same picture, its last two colours swapped.
REFERENCE, PREDICTION = np.array([[0, 1], [2, 2]], np.uint8), np.array([[0, 2], [1, 1]], np.uint8)
COLOURS, SWAPPED = (BLACK, RED, GREEN), (BLACK, GREEN, RED)
#: What the error for A2 names, in order.
WAYS = ("--read-as index", "--read-as colour")


def palette_png(path, array, colours):
    """Write a PNG with a palette of exactly these colours."""
    depth = next(each for each in (1, 2, 4, 8) if len(colours) <= 2**each)
    path.write_bytes(
        raw_png(np.array(array), depth=depth, colour=3, palette=bytes(np.ravel(colours).tolist()))
    )
    return path


def palette_tiff(path, array, colours, **options):
    """Write a TIFF with a colour map, which GDAL fills up with black."""
    import rasterio

    array = np.array(array, np.uint8)
    size = {"height": array.shape[0], "width": array.shape[1], "count": 1, "dtype": np.uint8}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
        with rasterio.open(path, "w", driver="GTiff", **size, **options) as dataset:
            dataset.write(array, 1)
            dataset.write_colormap(1, {number: (*colour, 255) for number, colour in enumerate(colours)})
    return path


WRITERS = {"png": palette_png, "tif": palette_tiff}


@pytest.fixture(params=[("png", "png"), ("tif", "tif"), ("png", "tif"), ("tif", "png")], ids="-".join)
def pair(request, tmp_path):
    """Write A2's prediction and reference, in every two formats that have palettes."""
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    one, other = request.param
    return (
        WRITERS[one](tmp_path / "a" / f"x.{one}", PREDICTION, SWAPPED),
        WRITERS[other](tmp_path / "b" / f"x.{other}", REFERENCE, COLOURS),
    )


def run(*arguments):
    """Run a command in this process."""
    return CliRunner().invoke(cli, [str(each) for each in arguments])


def pasted(hint, path):
    """Write the table of a hint into a file, as it stands there."""
    path.write_text(hint[hint.index("{") :])
    return path


def test_a2(pair):
    """Palette PNG, indices [[0,1],[2,2]] with colours (0,0,0), (128,0,0), (0,128,0); the other has [[0,2],[1,1]]
    with the last two colours swapped. Same picture, Dice 0; must: refused where both palettes hold the same
    colours at other indices; `--read-as colour` or `index` decides.
    """
    with pytest.raises(
        AmbiguousPalette, match="#800000 is label 1 in the reference, and label 2 in the"
    ) as caught:
        scored(*pair)
    assert all(each in caught.value.hint for each in WAYS)
    assert all(str(each) in str(caught.value) for each in pair)
    assert brute(PREDICTION, REFERENCE) == counts(scored(*pair, read_as="index"))


def test_a2_colour_without_a_table_is_an_error_that_prints_the_files_colours_ready_to_paste(pair, tmp_path):
    """Colour without a table is an error that prints the file's colours ready to paste: literally, it works."""
    with pytest.raises(UnknownColour, match=r"#008000 50\.00%, #000000 25\.00%, #800000 25\.00%") as caught:
        scored(*pair, read_as="colour")
    table = pasted(caught.value.hint, tmp_path / "labels.json")
    found = scored(*pair, read_as="colour", labels=table)
    assert brute(REFERENCE, REFERENCE) == counts(found)
    assert 2 == sum("colours are read as labels by the colour table" in note for note in found.notes)


def test_a2_in_every_command(pair, tmp_path):
    """Score, batch and inspect refuse the pair alike, with the same ways out, which they have as options."""
    labels = tmp_path / "labels.json"
    labels.write_text(
        json.dumps({"labels": dict.fromkeys("012", "x"), "colours": {"1": RED, "2": GREEN, "0": BLACK}})
    )
    by_colour = ("--read-as", "colour", "--labels", labels)
    sides = [each.parent for each in pair]
    for command in (("score", *pair), ("batch", *sides, "--jobs", 1, "-f", "json"), ("inspect", *pair)):
        refused = run(*command)
        assert 3 == refused.exit_code
        assert all(each in " ".join(refused.output.split()) for each in WAYS)
        assert 0 == run(*command, "--read-as", "index").exit_code
        assert 0 == run(*command, *by_colour).exit_code
    inspected = run("inspect", *pair).output
    assert "yet refused" in inspected
    assert "because" not in inspected  # their colours are no reason why they lie on each other
    report = dicecli.batch(*sides, read_as="colour", labels=labels)
    assert 1.0 == report.look_up("dice").value
    assert "AmbiguousPalette" == dicecli.batch(*sides).results[0].error
    named = json.loads(run("inspect", pair[0], *by_colour, "-f", "json").stdout)["files"][0]
    assert "of its palette, colours are read as labels by the colour table" == named["encoding"]


def test_a2_where_declared_colours_contradict_a_palette(tmp_path):
    """Where declared colours contradict a palette: refused. VOC says red is 1; this file paints 2 red."""
    prediction = palette_png(tmp_path / "a.png", PREDICTION, SWAPPED)
    with pytest.raises(
        AmbiguousPalette, match="paints label 1 in #008000, which is the colour of label 2"
    ) as caught:
        scored(prediction, prediction, labels="voc")
    assert all(each in caught.value.hint for each in WAYS)
    reference = palette_png(tmp_path / "b.png", REFERENCE, COLOURS)
    same = counts(scored(prediction, reference, labels="voc", read_as="colour"))
    assert brute(REFERENCE, REFERENCE) == same
    by_number = counts(scored(prediction, reference, labels="voc", read_as="index"))
    assert brute(PREDICTION, REFERENCE) == by_number


def test_a2_where_a_palette_of_three_or_more_greys_is_not_the_identity(tmp_path):
    """Where a palette of three or more greys is not the identity: 0, 128 and 255 at indices 0, 1, 2."""
    path = palette_png(tmp_path / "a.png", REFERENCE, (BLACK, GREY, WHITE))
    grey = png(tmp_path / "b.png", np.array([[0, 128], [255, 255]], np.uint8))
    for sides in ((path, path), (path, grey), (grey, path)):
        with pytest.raises(
            AmbiguousPalette, match="has greys alone, and they are not its numbers: 1 is"
        ) as caught:
            scored(*sides)
        assert all(each in caught.value.hint for each in WAYS)
    assert brute(REFERENCE, REFERENCE) == counts(scored(path, path, read_as="index"))
    values = {"0": "#000000", "128": "#808080", "255": "#ffffff"}
    table = {"labels": values, "colours": values}
    # By its colours it is what the grey file holds.
    of_grey = counts(scored(path, grey, read_as="colour", labels=table))
    assert {0: 1, 128: 1, 255: 2} == {label: each.tp for label, each in of_grey.items()}


def ramp(*colours):
    """Return a palette that is filled up to 256 with grey values that are their numbers."""
    return (*colours, *((each,) * 3 for each in range(len(colours), 256)))


@pytest.mark.parametrize(
    ("values", "colours"),
    [
        ([[0, 1]], (BLACK, WHITE)),
        ([[0, 1]], (WHITE, BLACK)),
        ([[0, 1]], (BLACK, GREY)),
        ([[0, 1]], ramp(BLACK, WHITE)),
        ([[0, 1]], (BLACK, WHITE, *[BLACK] * 14)),
        ([[0, 7, 200]], ramp()),
        ([[0, 255]], ramp()),
        ([[0, 0]], (BLACK, GREY, WHITE)),
        ([[0, 1, 2]], (BLACK, RED, GREY)),
        ([[0, 2]], (BLACK, RED, GREY, WHITE)),
    ],
)
def test_greys_that_are_numbers_or_a_binary_mask_are_read_by_number(tmp_path, values, colours):
    """Two greys, greys that are their numbers, padding that no pixel has, and greys among colours: no doubt."""
    path = palette_png(tmp_path / "a.png", np.array(values, np.uint8), colours)
    found = counts(scored(path, path))
    assert len(set(values[0])) == sum(each.tp > 0 for each in found.values())


@pytest.mark.parametrize(
    ("values", "colours"),
    [
        ([[0, 255]], tuple((255 - each,) * 3 for each in range(256))),
        ([[0, 1]], (BLACK, GREY, WHITE)),
        ([[0, 1, 2]], (*((each,) * 3 for each in (10, 20, 30)), RED)),
    ],
)
def test_greys_that_are_neither_are_refused(tmp_path, values, colours):
    """An inverted look-up table, greys that this mask happens not to hold all of, and greys beside unused colours."""
    path = palette_png(tmp_path / "a.png", np.array(values, np.uint8), colours)
    with pytest.raises(AmbiguousPalette, match="greys"):
        scored(path, path)
    with pytest.raises(AmbiguousPalette, match="greys"):
        dicecli.soft(np.zeros((1, len(values[0]))), str(path))
    found = counts(scored(path, path, read_as="index"))
    assert len(set(values[0])) == sum(each.tp > 0 for each in found.values())


def test_a_threshold_does_not_hide_greys(tmp_path):
    """With a threshold the numbers are not known any more: a palette of greys is refused, a threshold of colours is."""
    path = palette_png(tmp_path / "a.png", REFERENCE, (BLACK, GREY, WHITE))
    with pytest.raises(AmbiguousPalette, match="greys"):
        scored(path, path, threshold=1)
    with pytest.raises(NotLabels, match="a threshold is of numbers") as caught:
        scored(path, path, threshold=1, read_as="colour")
    assert "--read-as index" in caught.value.hint
    found = counts(scored(path, path, threshold=1, read_as="index"))
    assert 3 == found[1].tp


VOC = [
    tuple(sum((n >> 3 * bit + at & 1) << 7 - bit for bit in range(3)) for at in range(3)) for n in range(256)
]


def test_unused_entries_and_padding_are_no_contradiction(tmp_path):
    """VOC's palette of 256 against a file with 21 colours, and against one whose others are black or shuffled."""
    reference = palette_png(tmp_path / "a.png", REFERENCE, VOC)
    for others in (VOC[:21], VOC[:3] + [BLACK] * 253, VOC[:3] + VOC[:2:-1]):
        prediction = palette_png(tmp_path / "b.png", PREDICTION, others)
        assert brute(PREDICTION, REFERENCE) == counts(scored(prediction, reference))
        assert brute(PREDICTION, REFERENCE) == counts(scored(prediction, reference, labels="voc"))


def test_two_palettes_that_differ_in_every_colour_are_two_schemes(tmp_path):
    """No refusal where no colour is in both: indices are labels."""
    reference = palette_png(tmp_path / "a.png", REFERENCE, COLOURS)
    prediction = palette_png(tmp_path / "b.png", PREDICTION, ((1, 2, 3), (4, 5, 6), (7, 8, 9)))
    assert brute(PREDICTION, REFERENCE) == counts(scored(prediction, reference))


def test_black_on_white_against_white_on_black(tmp_path):
    """One more of the kind: a palette of white and black against grey of 0 and 255, and in TIFF by MinIsWhite."""
    inside = np.array([[0, 1], [1, 1]], np.uint8)
    grey = png(tmp_path / "grey.png", inside * 255)
    for path in (
        palette_png(tmp_path / "a.png", 1 - inside, (WHITE, BLACK)),
        geotiff(tmp_path / "a.tif", 1 - inside, photometric="miniswhite", nbits=1, transform=None, crs=None),
    ):
        for sides in ((path, grey), (grey, path)):
            with pytest.raises(
                AmbiguousPalette, match=r"#000000 is label 0 in the|#ffffff is label 0 in the"
            ):
                scored(*sides)
        assert brute(1 - inside, inside) == counts(scored(path, grey, read_as="index"))
    path = geotiff(tmp_path / "a.tif", 255 - inside * 255, photometric="miniswhite", transform=None, crs=None)
    with pytest.raises(AmbiguousPalette, match="greys"):
        scored(path, grey)
    assert brute(1 - inside, inside) == counts(scored(path, grey, read_as="index"))
    right = palette_png(tmp_path / "b.png", inside, (BLACK, WHITE))
    assert brute(inside, inside) == counts(scored(right, grey))


def test_an_image_of_pillow_has_a_palette_too():
    """In Python the same pair is refused as images, too; as arrays of numbers there are no colours."""
    from PIL import Image

    sides = []
    for values, colours in ((PREDICTION, SWAPPED), (REFERENCE, COLOURS)):
        image = Image.fromarray(values)
        image.putpalette(np.ravel(colours).tolist())
        sides.append(image)
    with pytest.raises(AmbiguousPalette):
        scored(*sides)
    assert brute(PREDICTION, REFERENCE) == counts(scored(*(np.asarray(each) for each in sides)))


def test_colours_of_an_image_without_a_table_are_ready_to_paste(tmp_path):
    """Likewise the error on colour-coded RGB: its table works; a colour more in the prediction is named."""
    drawn = np.array(COLOURS, np.uint8)
    reference = png(tmp_path / "a.png", drawn[REFERENCE])
    with pytest.raises(
        UnknownColour, match=r"by 3 colours.*: #008000 50\.00%, #000000 25\.00%, #800000 25"
    ) as caught:
        scored(reference, reference)
    table = pasted(caught.value.hint, tmp_path / "labels.json")
    assert {"#000000": 0, "#008000": 1, "#800000": 2} == {
        colour: int(label) for label, colour in json.loads(table.read_text())["colours"].items()
    }
    # Painted as the reference, and stored by number or by colour: the same.
    for prediction in (
        png(tmp_path / "b.png", drawn[REFERENCE]),
        palette_png(tmp_path / "b.png", PREDICTION, SWAPPED),
    ):
        found = counts(scored(prediction, reference, labels=table, read_as="colour"))
        assert {0: 1, 1: 2, 2: 1} == {label: each.tp for label, each in found.items()}
    more = palette_png(tmp_path / "c.png", PREDICTION, (WHITE, GREEN, RED))
    with pytest.raises(UnknownColour, match="#ffffff"):
        scored(more, reference, labels=table, read_as="colour")


def test_an_image_of_very_many_colours_gets_no_table(tmp_path):
    """A photograph is no mask: nothing to paste."""
    noise = np.random.default_rng(0).integers(0, 256, (20, 20, 3), dtype=np.uint8)
    with pytest.raises(UnknownColour, match="by 400 colours") as caught:
        scored(png(tmp_path / "a.png", noise), png(tmp_path / "a.png", noise))
    assert caught.value.hint.startswith("So many are an image, not labels")
    assert len(str(caught.value)) + len(caught.value.hint) < 1500


def test_a_number_without_a_colour(tmp_path):
    """A number that lies outside its palette has no colour to be read by."""
    path = tmp_path / "a.png"
    path.write_bytes(raw_png(np.array([[0, 3]], np.uint8), colour=3, palette=bytes(9)))
    with pytest.raises(NotLabels, match="label 3 lies outside its palette of 3 colours") as caught:
        scored(path, path, read_as="colour", labels="voc")
    assert "--read-as index" in caught.value.hint
    assert 1 == counts(scored(path, path, read_as="index"))[3].tp


def test_nodata_is_a_number_whatever_is_read(tmp_path):
    """The nodata of a TIFF with a palette is left out, and its colour asked of no table."""
    path = palette_tiff(tmp_path / "a.tif", [[0, 1], [2, 9]], (*COLOURS, *[(9, 9, 9)] * 7), nodata=9)
    found = scored(path, path, read_as="colour", labels="voc")
    assert {0: 1, 1: 1, 2: 1} == {label: each.tp for label, each in counts(found).items() if each.tp}
    assert 1 == found.excluded["nodata"]
    inspected = inspect(str(path), make_settings(read_as="colour", labels="voc"))
    assert {0: "background", 1: "aeroplane", 2: "bicycle"} == inspected.names
    assert inspected.error is None
    with pytest.raises(UnknownColour, match="#090909"):
        scored(path, path, read_as="colour", labels="voc", nodata="label")


def test_a_reference_beside_probabilities(tmp_path):
    """A palette is read by number or by colour beside a map of probabilities, too."""
    reference = palette_png(tmp_path / "a.png", PREDICTION, SWAPPED)
    maps = np.stack([np.where(REFERENCE == each, 0.9, 0.05) for each in range(3)])
    right = dicecli.soft(maps, str(reference), labels="voc", read_as="colour", channels="0,1,2")
    wrong = dicecli.soft(maps, str(reference), labels="voc", read_as="index", channels="0,1,2")
    assert right.look_up("dice_argmax").value == 1.0
    assert wrong.look_up("dice_argmax").value == 0.0
    with pytest.raises(AmbiguousPalette):
        dicecli.soft(maps, str(reference), labels="voc", channels="0,1,2")


def test_layers_beside_a_palette(tmp_path):
    """A label map with a palette beside binary layers, too."""
    layers = geotiff(
        tmp_path / "a.tif",
        np.stack([REFERENCE == 1, REFERENCE == 2]).astype(np.uint8),
        transform=None,
        crs=None,
    )
    reference = palette_png(tmp_path / "a.png", PREDICTION, SWAPPED)
    regions = {"red": [1], "green": [2]}
    found = dicecli.score(str(layers), str(reference), labels="voc", regions=regions, read_as="colour")
    assert 1.0 == found.look_up("dice[red]").value == found.look_up("dice[green]").value
    with pytest.raises(AmbiguousPalette):
        dicecli.score(str(layers), str(reference), labels="voc", regions=regions)


def test_a_row_says_why_and_the_others_have_their_numbers(tmp_path):
    """In a batch such a pair is a failed row with the error's name, in CSV as well."""
    for name, values, colours in (("a", PREDICTION, SWAPPED), ("b", REFERENCE, COLOURS)):
        (tmp_path / name).mkdir()
        palette_png(tmp_path / name / "x.png", values, colours)
        palette_png(tmp_path / name / "y.png", REFERENCE, COLOURS)
    done = run("batch", tmp_path / "a", tmp_path / "b", "--jobs", 1, "-o", tmp_path / "s.csv")
    assert 3 == done.exit_code
    said = (tmp_path / "s.csv").read_text(encoding="utf-8").splitlines()
    rows = {row["case"]: row["error"].split(":")[0] for row in csv.DictReader(said)}
    assert {"x": "AmbiguousPalette", "y": ""} == rows


# Any two palettes

COLOUR = st.sampled_from([0x000000, 0x800000, 0x008000, 0x808000, 0xFFFFFF])
PAINTED = st.tuples(
    st.lists(COLOUR, min_size=3, max_size=5), st.lists(st.integers(0, 2), min_size=4, max_size=4)
)


@settings(max_examples=150)
@given(PAINTED, PAINTED)
def test_two_masks_are_refused_where_a_colour_has_other_numbers_in_both(one, other):
    """By brute force over pixels: a colour stands at one number here and at another one there, and neither palette
    has it at the other's number, too. Sides can be swapped, and nothing is refused beside itself.
    """
    (first, used), (second, others) = one, other
    is_refused = any(
        first[here] == second[there] and here != there and second[here] != first[here] != first[there]
        for here in used
        for there in others
    )
    sides = [
        Painted(tuple(palette), {label: label for label in numbers}) for palette, numbers in (one, other)
    ]
    for pair in (sides, sides[::-1]):
        assert is_refused == _is_refused(*pair)
    assert not _is_refused(sides[0], sides[0])


def _is_refused(reference, prediction):
    try:
        check_pair(reference, prediction)
    except AmbiguousPalette:
        return True
    return False


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(PAINTED, PAINTED)
def test_by_colour_the_numbers_of_a_palette_do_not_matter(tmp_path, one, other):
    """Whatever palettes two masks have, read by colour they are compared as pictures are, by brute force; by number
    as their numbers are; and where nothing is said one of both, or an error.
    """
    table = {
        str(n): f"#{each:06x}" for n, each in enumerate((0x000000, 0x800000, 0x008000, 0x808000, 0xFFFFFF))
    }
    paths, pictures, numbers = [], [], []
    for side, (palette, used) in (("a", one), ("b", other)):
        colours = [(each >> 16, each >> 8 & 255, each & 255) for each in palette]
        numbers.append(np.array([used], np.uint8))
        paths.append(palette_png(tmp_path / f"{side}.png", numbers[-1], colours))
        names = [f"#{palette[number]:06x}" for number in used]
        pictures.append(np.array([[int(n) for name in names for n, each in table.items() if each == name]]))
    labels = {"labels": table, "colours": table}
    assert brute(*pictures) == counts(scored(*paths, labels=labels, read_as="colour"))
    assert brute(*numbers) == counts(scored(*paths, read_as="index"))
    found = score_many([Case("x", *map(str, paths))], make_settings()).results[0]
    if isinstance(found, Failed):
        assert "AmbiguousPalette" == found.error
        assert all(each in found.hint for each in WAYS)
    else:
        assert brute(*numbers) == counts(found)
