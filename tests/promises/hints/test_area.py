"""Hints on points, on samples of a map and on its areas, followed to the letter."""

from __future__ import annotations

import csv
import io

import numpy as np
import pytest
from following import DICE, PREDICTION, REFERENCE, Table

import dicecli
from dicecli.errors import UsageError

TABLE = Table("area")
#: Of a map of 300 and 100 pixels: 8 of 10 points and 9 of 10 are right.
SAMPLE, AREAS = "reference,name,0,1\n0,,8,1\n1,,2,9\n", "label,pixels\n0,300\n1,100\n"
OVERALL = 0.75 * 0.8 + 0.25 * 0.9
_AREA = "area sample.csv --areas areas.csv"
_POINTS = "points map.tif points.csv"
POINTS = "x,y,class\n" + "".join(
    f"{600_005 + 10 * column},{5_799_995 - 10 * row},{REFERENCE[row, column]}\n"
    for row, column in np.ndindex(2, 3)
)


def sampled(scene, sample=SAMPLE, areas=AREAS):
    """Write a sample and the areas of its map."""
    scene.text("sample.csv", sample)
    scene.text("areas.csv", areas)


def mapped(scene, points=POINTS):
    """Write a map and points."""
    scene.tif("map.tif", PREDICTION)
    scene.text("points.csv", points)


def overall(scene, command=_AREA, expected=OVERALL):
    """Follow a hint to the overall accuracy that was computed apart."""
    rows = list(csv.DictReader(io.StringIO(scene.works(f"{command} -f csv -q"))))
    assert float(rows[0]["value"]) == pytest.approx(expected, abs=1e-12)
    return rows


@TABLE("runs.matrix_files.", "reports.estimates._check: Give one of a sample:")
def no_matrix(scene):
    mapped(scene)
    sampled(scene)
    name = {
        "read_matrix": "sampel.csv",
        "_of_json": "sample.json",
        "_of_record": "sample.json",
        "_count": "sample.csv",
        "_refuse": "sample.csv",
        "_check": "sample.csv",
    }[scene.place.function]
    content = {
        "read_matrix": None,
        "_of_json": "{",
        "_of_record": {"cells": [[0]], "labels": [0], "names": [None]},
        "_count": "reference,0,1\n0,0.8,0.1\n1,0.2,0.9\n",
        "_refuse": "map,0,1\n0,8,1\n",
        "_check": "reference,0,1\n0,0,0\n1,0,0\n",
    }[scene.place.function]
    if scene.place.text.startswith("Give") and scene.place.function == "read_matrix":
        name = "elsewhere.xyz"
    if content is not None:
        scene.text(name, content)
    scene.refused(f"area {name} --areas areas.csv")
    if "Did you mean" in scene.place.text:
        overall(scene, f"area {scene.meant()} --areas areas.csv")
    sampled(scene)
    overall(scene)
    every = scene.place.function == "read_matrix"
    for form in ("csv", "json") if every else ("json",):
        scene.do(f"{_POINTS} --confusion made.{form}")
        overall(scene, f"area made.{form} --areas map.tif", 5 / 6)
    if every:
        scene.do("score map.tif map.tif --confusion made.csv")
        overall(scene, "area made.csv --areas map.tif", 1)


@TABLE("reports.estimates._check: Leave them out, as 'dicecli points")
def points_without_a_class_of_the_map(scene):
    sampled(scene, "reference,name,0,1,none\n0,,8,1,1\n1,,2,9,0\n")
    scene.refused(_AREA)
    sampled(scene)
    overall(scene)
    mapped(scene, f"{POINTS}0,0,1\n")
    scene.do(f"{_POINTS} --missing skip --confusion sample.csv")
    overall(scene, "area sample.csv --areas map.tif", 5 / 6)


@TABLE("reports.estimates._check: Sample every class of the map;")
def a_class_without_points(scene):
    sampled(scene, areas=f"{AREAS}2,50\n")
    scene.refused(_AREA)
    sampled(scene)
    overall(scene)
    sampled(scene, "reference,name,0,1,2\n0,,8,1,0\n1,,2,9,0\n2,,0,0,4\n", f"{AREAS}2,400\n")
    overall(scene, expected=OVERALL / 2 + 0.5)


@TABLE("reports.estimates._check: Rows and columns of")
def areas_of_an_array_from_1(scene):
    sample = [[8, 1], [2, 9]]
    hint = scene.refused(dicecli.area, sample, {1: 300, 2: 100})
    assert hint.startswith(
        "Rows and columns of an array are labels from 0 on: give areas of {0: 300, 1: 100}."
    )
    scene.gives(OVERALL, lambda: dicecli.area(sample, {0: 300, 1: 100}).overall_accuracy)


def test_areas_of_other_labels_are_no_areas_from_1():
    """Three classes beside a sample of two are one more, and count from 0 themselves."""
    with pytest.raises(UsageError) as error:
        dicecli.area([[8, 1], [2, 9]], {0: 300, 1: 100, 2: 5})
    assert error.value.hint.startswith("Sample every class of the map;")


@TABLE("reports.estimates._check: Give the areas of the map")
def points_without_an_area(scene):
    sampled(scene, areas="label,pixels\n0,300\n")
    scene.refused(_AREA)
    sampled(scene)
    overall(scene)


@TABLE("runs.mapped.factor: Say how large a pixel is:")
def pixels_of_no_size(scene):
    sampled(scene)
    scene.refused(f"{_AREA} --unit ha")
    assert overall(scene, f"{_AREA} --unit ha --pixel-size 30m")[-1]["value"] == "9.0"
    assert overall(scene, f"{_AREA} --unit ha --pixel-size 30x20m")[-1]["value"] == "6.0"


@TABLE("runs.mapped.factor: Did you mean", "runs.mapped.factor: Give one of")
def no_unit(scene):
    sample, areas = [[8, 1], [2, 9]], {0: 300, 1: 100}
    slip = "HA" if "Did" in scene.place.text else "zz"
    hint = scene.refused(dicecli.area, sample, areas, unit=slip)
    for unit in hint.partition("one of ")[2].rstrip(".").split(", "):
        scene.gives(
            OVERALL,
            lambda unit=unit: dicecli.area(sample, areas, unit=unit, pixel_size="1m").overall_accuracy,
        )


@TABLE("runs.mapped.mapped_areas: Give a map", "runs.mapped._of_mapping: Give pixels by label")
def no_areas(scene):
    bad = {0: "many"} if "_of_mapping" in scene.place.name else 5
    scene.refused(dicecli.area, [[8, 1], [2, 9]], bad)
    scene.gives(OVERALL, lambda: dicecli.area([[8, 1], [2, 9]], {0: 300, 1: 100}).overall_accuracy)
    mapped(scene)
    sampled(scene)
    overall(scene)
    overall(scene, "area sample.csv --areas map.tif", (0.8 + 0.9) / 2)


@TABLE("runs.mapped.mapped_areas: Leave out --pixel-size.")
def a_size_that_is_known(scene):
    sampled(scene, areas="label,area_ha\n0,3\n1,1\n")
    scene.refused(f"{_AREA} --pixel-size 30m")
    overall(scene)
    scene.followed.add("--pixel-size")


@TABLE("runs.mapped._pixel_area: Write it in metres:")
def a_size_in_pixels(scene):
    sampled(scene)
    scene.refused(f"{_AREA} --pixel-size 30px")
    assert overall(scene, f"{_AREA} --pixel-size 30m")[-1]["value"] == "9.0"
    assert overall(scene, f"{_AREA} --pixel-size 30x20m")[-1]["value"] == "6.0"


#: The hint, the CSV of areas that is refused with it, and what it becomes.
LISTS = [
    ("_of_csv: Did you mean", "label,pixels\nforst,300\nwater,100\n", "label,pixels\n0,300\n1,100\n"),
    ("_of_csv: Write the number of", "label,pixels\nxyzzy,300\n1,100\n", "label,pixels\n0,300\n1,100\n"),
    ("_of_csv: Write each label once.", "label,pixels\n0,300\n0,100\n", "label,pixels\n0,300\n1,100\n"),
    ("_check_header: Write two columns:", "class,n\n0,300\n", "label,area_km2\n0,3\n1,1\n"),
    ("_check_header: Write two columns:", "label,pixels,area_ha\n0,3,3\n", "label,area_m2\n0,300\n1,100\n"),
    (
        "_size: Write it with a point, and",
        'label,area_ha\n0,"1,300"\n1,10\n',
        "label,area_ha\n0,30.00\n1,10\n",
    ),
]


@TABLE(*dict.fromkeys(f"runs.mapped.{name}" for name, _, _ in LISTS))
def a_list_of_areas_that_is_none(scene):
    named = "reference,name,0,1\n0,forest,8,1\n1,water,2,9\n"
    for name, bad, good in LISTS:
        if scene.place.name.startswith(f"runs.mapped.{name}"):
            sampled(scene, named, bad)
            scene.refused(_AREA)
            sampled(scene, named, good)
            overall(scene)


@TABLE("masks.one_map.one_map: Say which band")
def several_bands(scene):
    mapped(scene)
    sampled(scene)
    scene.tif("map.tif", np.stack([PREDICTION, 1 - PREDICTION]))
    scene.refused("area sample.csv --areas map.tif")
    overall(scene, "area sample.csv --areas map.tif --band 1", (0.8 + 0.9) / 2)
    scene.refused(_POINTS)
    scene.right(DICE, f"{_POINTS} --band 1")


@TABLE("runs.mapped._meant: Declare it in --labels")
def a_class_that_is_not_declared(scene):
    scene.tif("map.tif", np.array([[0, 1, 7]], np.uint8))
    sampled(scene)
    scene.text("labels.json", {"labels": {"0": "forest", "1": "water"}})
    scene.refused("area sample.csv --areas map.tif --labels labels.json")
    overall(scene, "area sample.csv --areas map.tif --labels labels.json --ignore-label 7", (0.8 + 0.9) / 2)
    sampled(scene, "reference,name,0,1,7\n0,,8,1,0\n1,,2,9,0\n7,,0,0,5\n")
    scene.text("labels.json", {"labels": {"0": "forest", "1": "water", "7": "town"}})
    overall(scene, "area sample.csv --areas map.tif --labels labels.json", (0.8 + 0.9 + 1) / 3)


@TABLE("reports.areas.render: Give one of")
def no_form_of_areas(scene):
    found = dicecli.area([[8, 1], [2, 9]], {0: 300, 1: 100})
    hint = scene.refused(found.render, "junit")
    for name in hint.removeprefix("Give one of ").rstrip(".").split(", "):
        assert found.render(name)


@TABLE("runs.points.points: Give two paths.")
def arrays_for_points(scene):
    mapped(scene)
    scene.refused(dicecli.points, PREDICTION, REFERENCE)
    scene.right(DICE, dicecli.points, "map.tif", "points.csv")


@TABLE("runs.points.points: It is a text, such")
def a_column_of_points_that_is_no_text(scene):
    mapped(scene)
    scene.refused(dicecli.points, "map.tif", "points.csv", class_column=1)
    scene.right(DICE, dicecli.points, "map.tif", "points.csv", class_column="class")


@TABLE("masks.points.check_placed: Give the map as a")
def a_map_without_a_place(scene):
    mapped(scene)
    scene.png("map.png", PREDICTION)
    scene.refused("points map.png points.csv")
    scene.right(DICE, _POINTS)


@TABLE("masks.points.moved: Give the points in the", but={"--crs": "it is to be left out"})
def a_map_without_a_crs(scene):
    mapped(scene)
    scene.tif("map.tif", PREDICTION, crs=None)
    scene.refused(f"{_POINTS} --crs EPSG:4326")
    scene.right(DICE, _POINTS)


@TABLE("masks.points.moved: Write the code of")
def a_crs_that_is_none(scene):
    degrees(scene)
    scene.refused(f"{_POINTS} --crs nowhere")
    scene.right(DICE, f"{_POINTS} --crs EPSG:4326")


def degrees(scene):
    """Write a map, and points in longitude and latitude."""
    from rasterio.warp import transform

    rows = [each.split(",") for each in POINTS.split()[1:]]
    places = transform(
        "EPSG:32632", "EPSG:4326", [float(row[0]) for row in rows], [float(row[1]) for row in rows]
    )
    lines = (f"{lon!r},{lat!r},{row[2]}" for lon, lat, row in zip(*places, rows, strict=True))
    mapped(scene, "\n".join(["lon,lat,class", *lines]))


@TABLE("masks.points._no_way: Leave out --crs where they", but={"--crs": "it is to be left out"})
def metres_that_are_called_degrees(scene):
    """Say that they are no degrees; a code alone is one of EPSG's."""
    mapped(scene)
    assert "no longitude and latitude" in scene.do(f"{_POINTS} --crs EPSG:4326").text
    scene.refused(f"{_POINTS} --crs EPSG:4326")
    scene.right(DICE, _POINTS)
    scene.right(DICE, f"{_POINTS} --crs 32632")


@TABLE("masks.points._no_way: Give the points in the", but={"--crs": "it is to be left out"})
def a_crs_of_heights(scene):
    mapped(scene)
    scene.refused(f"{_POINTS} --crs EPSG:5773")
    scene.right(DICE, _POINTS)


@TABLE("runs.at_points._elsewhere: Name the columns of a")
def longitude_and_latitude_exchanged(scene):
    degrees(scene)
    points = scene.folder / "points.csv"
    rows = [each.split(",") for each in points.read_text().split()[1:]]
    points.write_text("\n".join(["lon;lat;class", *(f"{lat};{lon};{kind}" for lon, lat, kind in rows)]))
    scene.refused(f"{_POINTS} --crs 4326")
    scene.right(DICE, f"{_POINTS} --crs 4326 --x lat --y lon")


@TABLE("runs.at_points._elsewhere: Say what the points")
def points_elsewhere(scene):
    degrees(scene)
    scene.refused(_POINTS)
    scene.right(DICE, f"{_POINTS} --crs EPSG:4326")
    mapped(scene)
    scene.right(DICE, _POINTS)


@TABLE("runs.at_points._lost: Take them for misses:")
def points_beyond_the_map(scene):
    mapped(scene, f"{POINTS}0,0,1\n")
    scene.refused(_POINTS)
    scene.right(2 * 2 / (3 + 3), f"{_POINTS} --missing zero")
    scene.right(DICE, f"{_POINTS} --missing skip")


@TABLE("runs.at_points._classes: Did you mean", "runs.at_points._classes: Write the label's number")
def a_class_of_no_label(scene):
    scene.text("labels.json", {"labels": {"0": "forest", "1": "water"}, "background": 0})
    slip = "watr" if "Did you" in scene.place.text.partition(" / ")[0] else "xyzzy"
    for labels in ("", " --labels labels.json") if slip == "xyzzy" else (" --labels labels.json",):
        mapped(scene, POINTS.replace(",1\n", f",{slip}\n"))
        scene.refused(f"{_POINTS}{labels}")
        mapped(scene)
        scene.right(DICE, f"{_POINTS}{labels}")
        mapped(scene, POINTS.replace(",1\n", ",water\n").replace(",0\n", ",forest\n"))
        scene.right(DICE, f"{_POINTS} --labels labels.json")


#: The hint, the points that are refused with it, and what is said of points that are as they should be.
FILES = [
    ("_axes: Say which columns have", "east,north,class\n", "--x east --y north"),
    ("_no_class: Did you mean", "x,y,clas\n", "--class clas"),
    ("_no_class: Say which one has", "x,y,landcover\n", "--class landcover"),
]


@TABLE(*(f"runs.point_files.{name}" for name, _, _ in FILES))
def columns_of_other_names(scene):
    for name, header, options in FILES:
        if scene.place.name.startswith(f"runs.point_files.{name}"):
            mapped(scene, POINTS.replace("x,y,class\n", header))
            scene.refused(_POINTS)
            scene.right(DICE, f"{_POINTS} {options}")


@TABLE(
    "runs.point_files._place: Write both coordinates", "runs.point_files._class: Write its number or its name"
)
def a_point_without_a_place_or_class(scene):
    mapped(
        scene,
        f"{POINTS}nowhere,5799995,1\n" if "_place" in scene.place.name else f"{POINTS}600005,5799995,\n",
    )
    scene.refused(_POINTS)
    mapped(scene)
    scene.right(DICE, _POINTS)
    mapped(scene, f"{POINTS}600005,5799995,0\n")
    scene.right(DICE, _POINTS)


@TABLE(
    "runs.point_files.read_points: Give a CSV with a",
    "runs.point_files.read_points: Did you mean",
    "runs.point_files._of_geojson: Give",
)
def no_points(scene):
    mapped(scene)
    shape = {
        "type": "Feature",
        "properties": {"class": 1},
        "geometry": {"type": "Polygon", "coordinates": []},
    }
    name, content = {
        "read_points: Did": ("point.csv", None),
        "read_points: Giv": ("points.shp", "x"),
        "_of_geojson: Giv": ("points.geojson", "{}"),
    }[scene.place.name.removeprefix("runs.point_files.")[:16]]
    if "points alone" in scene.place.text:
        content = {"type": "FeatureCollection", "features": [shape]}
    if content is not None:
        scene.text(name, content)
    scene.refused(f"points map.tif {name}")
    scene.right(DICE, _POINTS)
    degrees(scene)
    rows = [each.split(",") for each in (scene.folder / "points.csv").read_text().split()[1:]]
    features = [
        {
            "type": "Feature",
            "properties": {"class": int(kind)},
            "geometry": {"type": "Point", "coordinates": [float(lon), float(lat)]},
        }
        for lon, lat, kind in rows
    ]
    scene.text("points.geojson", {"type": "FeatureCollection", "features": features})
    scene.right(DICE, "points map.tif points.geojson")


@pytest.mark.parametrize("place", TABLE.places(), ids=lambda place: place.name)
def test_a_hint_leads_to_a_right_number_or_a_further_error(place, tmp_path):
    TABLE.follow(place, tmp_path)


def test_every_scenario_is_of_a_hint_that_is_there():
    assert TABLE.stale() == []
