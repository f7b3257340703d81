"""Points on a map: the pixels that they fall into, files of points, and a matrix that is that of the pixels."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import make
import numpy as np
import places
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from streams import runner

import dicecli
from dicecli.cli import cli
from dicecli.errors import CaseError, UsageError
from dicecli.masks.grid import Grid
from dicecli.masks.points import pixels_of
from dicecli.runs.point_files import read_points

SAMPLES = places.SAMPLES
LABELS = make.blobs((40, 30), 4).astype(np.uint8)


def run(*words):
    return runner().invoke(cli, [str(each) for each in words])


def written(path, pixels, classes, shift=(0.5, 0.5)):
    """Write points in pixels (row, column), somewhere in each, with a class."""
    lines = (
        f"{600_000 + 10 * (column + shift[1])},{5_800_000 - 10 * (row + shift[0])},{kind}"
        for (row, column), kind in zip(pixels, classes, strict=True)
    )
    path.write_text("\n".join(["x,y,class", *lines]) + "\n")
    return path


@settings(max_examples=40)
@given(st.data())
def test_a_place_falls_into_the_pixel_whose_area_it_is_in(data):
    """Also on grids that are turned or mirrored; beyond the map there is none."""
    numbers = st.integers(-5, 5).map(float)
    linear = np.array([[data.draw(numbers), data.draw(numbers)], [data.draw(numbers), data.draw(numbers)]])
    if abs(np.linalg.det(linear)) < 0.5:
        linear = np.array([[0.0, 10.0], [-10.0, 0.0]])
    grid = Grid((7, 5), affine=np.hstack([linear, [[3.0], [4.0]]]), kind="map")
    pixel = np.array([data.draw(st.integers(-2, 8)), data.draw(st.integers(-2, 6))])
    within = np.array([data.draw(st.floats(-0.49, 0.49)), data.draw(st.floats(-0.49, 0.49))])
    found, is_inside = pixels_of(grid.world((pixel + within)[None]), grid)
    assert is_inside[0] == bool(((pixel >= 0) & (pixel < grid.shape)).all())
    assert not is_inside[0] or found[0].tolist() == pixel.tolist()


@settings(max_examples=8)
@given(st.data())
def test_the_matrix_is_that_of_the_pixels(tmp_path_factory, data):
    """In any order, several in a pixel, wherever blocks begin."""
    folder = tmp_path_factory.mktemp("points")
    make.geotiff(folder / "map.tif", LABELS, tiled=True, blockxsize=16, blockysize=16)
    pixels = data.draw(st.lists(st.tuples(st.integers(0, 39), st.integers(0, 29)), min_size=1, max_size=30))
    classes = data.draw(st.lists(st.integers(0, 4), min_size=len(pixels), max_size=len(pixels)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dicecli.masks.points._WINDOW", 64)
        report = dicecli.points(folder / "map.tif", written(folder / "points.csv", pixels, classes))
    expected = dicecli.ConfusionMatrix.from_arrays(
        prediction=np.array([LABELS[each] for each in pixels]), reference=np.array(classes)
    )
    assert report.confusion.trimmed() == expected


def test_geojson_and_degrees_are_the_same_points(tmp_path):
    """In longitude and latitude, in the system that an old member names, and in columns of other names."""
    from rasterio.warp import transform

    make.geotiff(tmp_path / "map.tif", LABELS)
    pixels, classes = [(0, 0), (39, 29), (20, 7)], [1, 2, 3]
    plain = written(tmp_path / "points.csv", pixels, classes, (0.3, 0.7))
    found = read_points(str(plain), "class")
    x, y = zip(*found.places, strict=True)
    lon, lat = transform("EPSG:32632", "EPSG:4326", x, y)
    expected = dicecli.points(tmp_path / "map.tif", plain).confusion
    named = {"crs": {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::32632"}}}
    for name, axes, more in (("a", (lon, lat), {}), ("b", (x, y), named)):
        features = [
            {
                "type": "Feature",
                "properties": {"kind": kind},
                "geometry": {"type": "Point", "coordinates": [*at, 0]},
            }
            for *at, kind in zip(*axes, classes, strict=True)
        ]
        path = tmp_path / f"{name}.geojson"
        path.write_text(json.dumps({"type": "FeatureCollection", "features": features, **more}))
        assert dicecli.points(tmp_path / "map.tif", path, class_column="kind").confusion == expected
    rows = "\n".join(
        f"{kind}.0,{one!r},{other!r}" for one, other, kind in zip(lon, lat, classes, strict=True)
    )
    (tmp_path / "lonlat.csv").write_text(f"class,a,b\n{rows}\n")
    options = {"x": "a", "y": "b", "crs": "EPSG:4326"}
    assert dicecli.points(tmp_path / "map.tif", tmp_path / "lonlat.csv", **options).confusion == expected


def test_points_without_a_pixel_fail_are_misses_or_left_out(tmp_path):
    """Beyond the map, or where it has nodata; the exit code is that of a case that could not be scored."""
    make.geotiff(tmp_path / "map.tif", np.array([[1, 2, 9]], np.uint8), nodata=9)
    points = written(tmp_path / "points.csv", [(0, 0), (0, 1), (0, 2), (5, 5)], [1, 1, 2, 2])
    words = ["points", tmp_path / "map.tif", points]
    done = run(*words)
    assert (done.exit_code, done.stdout) == (3, "")
    assert "2 points beyond the map, or where it has nodata: line 4, line 5" in done.stderr
    misses = dicecli.points(*words[1:], missing="zero")
    assert (misses.confusion.total, misses.confusion.unlabelled) == (4, 2)
    left = dicecli.points(*words[1:], missing="skip")
    assert (left.confusion.total, left.scored[0].excluded["nodata"]) == (2, 2)
    assert any("line 4, line 5, left out" in note for note in left.scored[0].notes)
    record = json.loads(run(*words, "--missing", "skip", "-f", "json", "-q").stdout)
    assert record["cases"][0]["counted"] == 2


def test_labels_are_named_ignored_and_read_as_of_masks(tmp_path):
    """Names of a label file; 255 beside 0 is label 1; an ignored label of the reference is left out."""
    make.geotiff(tmp_path / "map.tif", np.array([[0, 255, 255]], np.uint8))
    points = written(tmp_path / "points.csv", [(0, 0), (0, 1), (0, 2)], [0, 1, 0])
    assert dicecli.points(tmp_path / "map.tif", points).confusion.table.tolist() == [[1, 1], [0, 1]]
    points = written(tmp_path / "points.csv", [(0, 0), (0, 1), (0, 2)], [0, 255, 0])
    report = dicecli.points(tmp_path / "map.tif", points)
    assert report.confusion.table.tolist() == [[1, 1], [0, 1]]
    assert any("255 is read as label 1" in note for note in report.scored[0].notes)
    make.geotiff(tmp_path / "map.tif", np.array([[1, 2, 3]], np.uint8))
    points = written(tmp_path / "points.csv", [(0, 0), (0, 1), (0, 2)], ["forest", "forest", "water"])
    names = {1: "forest", 2: "water", 3: "town"}
    report = dicecli.points(tmp_path / "map.tif", points, labels=names, ignore_label=2)
    assert (report.confusion.total, report.scored[0].excluded["ignore_label"]) == (2, 1)
    with pytest.raises(CaseError, match="not declared"):
        dicecli.points(tmp_path / "map.tif", points, labels={1: "forest", 2: "water"})
    with pytest.raises(UsageError, match="no name of a label"):
        dicecli.points(tmp_path / "map.tif", points)


def test_from_points_to_areas_on_the_command_line(tmp_path):
    """What `points` writes as CSV, as JSON and as a report is what `area` takes; all agree with Python."""
    files = {name: tmp_path / name for name in ("sample.csv", "sample.json", "report.json", "area.csv")}
    options = ["--class", "cover", "--labels", SAMPLES / "landcover_labels.json"]
    done = run(
        *("points", SAMPLES / "landcover_prediction.tif", SAMPLES / "landcover_points.csv", *options),
        *(
            "--confusion",
            files["sample.csv"],
            "--confusion",
            files["sample.json"],
            "-o",
            files["report.json"],
        ),
    )
    assert done.exit_code == 0
    texts = set()
    for name in ("sample.csv", "sample.json", "report.json"):
        words = ["area", files[name], "--areas", SAMPLES / "landcover_prediction.tif", "-f", "csv"]
        done = run(*words, "-o", files["area.csv"])
        assert done.exit_code == 0
        assert "Note: 1,188 pixels of nodata" in done.stderr
        assert Path(files["area.csv"]).read_text() == done.stdout
        texts.add(done.stdout)
    (text,) = texts
    rows = list(csv.DictReader(text.splitlines()))
    found = dicecli.area(files["sample.csv"], SAMPLES / "landcover_prediction.tif")
    assert float(rows[0]["value"]) == found.overall_accuracy.value
    mapped = {row["name"]: float(row["value"]) for row in rows if row["number"] == "mapped_area"}
    assert mapped["water"] == pytest.approx(2172 * 900 / 1e4)
    (tmp_path / "areas.csv").write_text(
        "label,area_km2,note\n" + "".join(f"{k},{v / 100},x\n" for k, v in mapped.items())
    )
    same = dicecli.area(files["report.json"], tmp_path / "areas.csv")
    assert [each[:2] for each in same.area.values()] == [
        pytest.approx(each[:2]) for each in found.area.values()
    ]
    metres = dicecli.area(files["report.json"], tmp_path / "areas.csv", unit="m2").area[1].value
    assert metres == pytest.approx(found.area[1].value * 1e4)


def test_a_map_in_degrees_has_pixels_alone_and_says_so(tmp_path):
    make.geotiff(
        tmp_path / "map.tif",
        np.array([[1, 2]], np.uint8),
        transform=(0.1, 0, 9, 0, -0.1, 50),
        crs="EPSG:4326",
    )
    found = dicecli.area([[0, 0, 0], [0, 3, 1], [0, 1, 3]], tmp_path / "map.tif")
    assert found.unit == "pixels"
    assert any("in degrees" in note for note in found.notes)


@pytest.mark.parametrize(
    ("name", "given"),
    [
        *(("class_column", each) for each in (None, 1, b"class", ["class"])),
        ("x", 1),
        ("y", b"y"),
        ("crs", 4326),
    ],
)
def test_a_column_or_crs_that_is_no_text_is_refused_as_what_it_is(name, given, tmp_path):
    """Each by its name, with what it may be: the classes' column is never None."""
    make.geotiff(tmp_path / "map.tif", np.array([[1, 2]], np.uint8))
    points = written(tmp_path / "points.csv", [(0, 0), (0, 1)], [1, 2])
    with pytest.raises(UsageError, match=f"(?s){name} is .*{name}='"):
        dicecli.points(tmp_path / "map.tif", points, **{name: given})
