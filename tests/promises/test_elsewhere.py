"""References to elsewhere, and names: nothing but the mask is opened, and no name does anything but name."""

from __future__ import annotations

import os
import shutil
import socket
import sys
import warnings
from contextlib import closing
from pathlib import Path

import faults
import make
import pytest
import watch
from click.testing import CliRunner
from faults import LABELS, OTHER, Fault
from hostile import NAMES

import dicecli
from dicecli.cli import cli
from dicecli.runs.inspection.file import inspect

needs_links = pytest.mark.skipif(os.name == "nt", reason="links need rights there")
needs_posix = pytest.mark.skipif(os.name != "posix", reason="names are freer elsewhere")


# Files that refer to others


def vrt(inner):
    """Return a VRT of one band."""
    return (
        (
            '<VRTDataset rasterXSize="15" rasterYSize="12"><VRTRasterBand dataType="Byte" band="1"{}>{}'
            "</VRTRasterBand></VRTDataset>"
        )
        .format(*inner)
        .encode()
    )


def simple(where):
    return vrt(
        (
            "",
            f"<SimpleSource><SourceFilename>{where}</SourceFilename><SourceBand>1</SourceBand></SimpleSource>",
        )
    )


def raw(where):
    return vrt(
        (' subClass="VRTRawRasterBand"', f'<SourceFilename relativetoVRT="0">{where}</SourceFilename>')
    )


def wms(where):
    return (
        f'<GDAL_WMS><Service name="TMS"><ServerUrl>{where}/${{z}}/${{x}}</ServerUrl></Service><DataWindow>'
        "<UpperLeftX>0</UpperLeftX><UpperLeftY>0</UpperLeftY><LowerRightX>1</LowerRightX><LowerRightY>1"
        "</LowerRightY><SizeX>15</SizeX><SizeY>12</SizeY></DataWindow></GDAL_WMS>"
    ).encode()


REFERRING = {
    "a VRT": simple,
    "a VRT with a raw band": raw,
    "WMS": wms,
    "WCS": lambda where: f"<WCS_GDAL><ServiceURL>{where}?</ServiceURL></WCS_GDAL>".encode(),
    "a tile index": lambda where: (
        f"<GDALTileIndexDataset><IndexDataset>{where}</IndexDataset></GDALTileIndexDataset>".encode()
    ),
    "an ENVI header's text": lambda where: f"ENVI\ndata file = {where}\n".encode(),
}


@pytest.fixture
def canary(tmp_path):
    """Return a map that must never be opened, and a port that nobody may call; both are asked at the end."""
    (tmp_path / "elsewhere").mkdir()
    other = make.geotiff(tmp_path / "elsewhere" / "canary.tif", LABELS)
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        listener.settimeout(0)
        yield other, f"http://127.0.0.1:{listener.getsockname()[1]}/canary.tif"
        with pytest.raises(BlockingIOError):
            listener.accept()


@pytest.mark.parametrize("suffix", [".tif", ".png", ".nii"])
@pytest.mark.parametrize("kind", REFERRING)
@pytest.mark.parametrize("where", ["a local file", "a URL"])
def test_files_that_refer_to_others(tmp_path, canary, kind, suffix, where):
    """A VRT, WMS or other XML driver file named .tif or .png, raw band on a local file or on a URL: row; the
    other file is never opened, no connection made.
    """
    target = str(canary[0] if where == "a local file" else canary[1])
    build = Fault(kind, suffix, lambda path: path.write_bytes(REFERRING[kind](target)), "UnknownFormat")
    folders = faults.folders(tmp_path, suffix)
    build.build(folders[0] / f"bad{suffix}")
    with watch.Watch(*folders, tmp_path / "elsewhere") as seen:
        seen.clear()
        report = dicecli.batch(*folders)
        inspect(str(folders[0] / f"bad{suffix}"))
        assert [] == seen.strange(f"good{suffix}", f"bad{suffix}")
    faults.hold(report, build)


def test_the_trap_is_one_that_gdal_falls_into(tmp_path, canary):
    """GDAL by itself, asked for any format, opens the other file; and the watch sees that."""
    import rasterio

    warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
    path = tmp_path / "trap.tif"
    path.write_bytes(simple(canary[0]))
    with watch.Watch(tmp_path / "elsewhere") as seen:
        seen.clear()
        with rasterio.open(path) as dataset:
            assert LABELS.tolist() == dataset.read(1).tolist()
        if sys.platform == "linux":
            assert "opened canary.tif" in seen.strange("trap.tif")


# Files beside a map


def mask_beside(path):
    shutil.copy(make.geotiff(path.parent / "x.tif", 0 * OTHER), f"{path}.msk")


def metadata_beside(path):
    Path(f"{path}.aux.xml").write_text(
        '<PAMDataset><PAMRasterBand band="1"><NoDataValue>1</NoDataValue></PAMRasterBand></PAMDataset>'
    )


def overviews_beside(path):
    shutil.copy(make.geotiff(path.parent / "x.tif", 0 * OTHER), f"{path}.ovr")


def world_file_beside(path):
    path.with_suffix(".tfw").write_text("2\n0\n0\n2\n1000\n1000\n")


@pytest.mark.parametrize("layout", [{}, {"transform": None, "crs": None}], ids=["map", "without place"])
@pytest.mark.parametrize(
    ("end", "put"),
    [
        (".tif.msk", mask_beside),
        (".tif.aux.xml", metadata_beside),
        (".tif.ovr", overviews_beside),
        (".tfw", world_file_beside),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_files_beside_a_map(tmp_path, end, put, layout):
    """A good .tif with .msk, .aux.xml, .ovr, .tfw beside it: same score as without; a note that they were not
    used; they are not even opened.
    """
    reference = make.geotiff(tmp_path / "r.tif", LABELS, **layout)
    (tmp_path / "p").mkdir()
    path = make.geotiff(tmp_path / "p" / "a.tif", OTHER, **layout)
    before = make.scored(path, reference)
    put(path)
    with watch.Watch(tmp_path / "p") as seen:
        seen.clear()
        after = make.scored(path, reference)
        opened = [each for each in seen.strange("a.tif") if each.startswith("opened")]
    assert make.counts(before) == make.counts(after)
    assert (before.excluded, before.sizes) == (after.excluded, after.sizes)
    assert any(f"a{end}" in note and "not used" in note for note in after.notes)
    assert [] == opened


# Arguments that are no files


@pytest.mark.parametrize(
    "place",
    [
        "http://127.0.0.1:{port}/a.tif",
        "https://127.0.0.1:{port}/a.png",
        "/vsicurl/http://127.0.0.1:{port}/a.tif",
        "/vsizip/a.zip/a.tif",
        "/vsimem/a.tif",
        "vrt://a.tif",
        "GTIFF_DIR:1:a.tif",
        "s3://bucket/a.nii.gz",
    ],
)
@pytest.mark.parametrize("command", ["score", "inspect", "batch"])
def test_places_that_are_no_files(tmp_path, canary, monkeypatch, place, command):
    """http://..., /vsicurl/..., vrt://..., GTIFF_DIR:1:... as an argument: 2; nobody is called."""
    monkeypatch.chdir(tmp_path)
    make.geotiff(tmp_path / "a.tif", LABELS)
    place = place.format(port=canary[1].split(":")[2].split("/")[0])
    words = {"inspect": [place], "batch": [place, str(tmp_path)], "score": [place, "a.tif"]}[command]
    ended = CliRunner().invoke(cli, [command, *words], standalone_mode=False)
    assert 2 == getattr(ended.exception, "exit_code", ended.exit_code)


# Links


@needs_links
def test_links(tmp_path):
    """Symbolic link out of the folder, broken, in a loop: row, row, ends; the first is scored if that is asked."""
    folders = faults.folders(tmp_path, ".png")
    (tmp_path / "secret").mkdir()
    make.png(tmp_path / "secret" / "s.png", LABELS)
    targets = {"out": "../secret/s.png", "broken": "nothing.png", "loop": "loop.png", "inside": "good.png"}
    for name, target in targets.items():
        (folders[0] / f"{name}.png").symlink_to(target)
        make.png(folders[1] / f"{name}.png", LABELS)
    (folders[0] / "around").symlink_to(".")
    with watch.Watch(folders[0], folders[1], tmp_path / "secret") as seen:
        seen.clear()
        report = dicecli.batch(*folders).to_dict()
        assert not any("s.png" in each for each in seen.strange("good.png", "bad.png"))
    found = {each["case"]: each.get("error") for each in report["cases"]}
    expected = {"out": "LinkOutside", "broken": "Missing", "loop": "Unreadable"}
    assert expected | dict.fromkeys(("good", "bad", "inside")) == found
    rows = {each["case"]: each for each in report["cases"] if each.get("error")}
    for name, row in rows.items():
        assert row["message"].startswith(f"prediction {folders[0] / name}.png: "), row["message"]
        assert row["hint"]
    assert "--follow-links" in rows["out"]["hint"]
    followed = dicecli.batch(*folders, follow_links=True).to_dict()
    assert "scored" == next(each["status"] for each in followed["cases"] if each["case"] == "out")


# Names


@needs_posix
@pytest.mark.parametrize("suffix", [".png", ".nii", ".nii.gz", ".hdr", ".tif"])
def test_odd_names_in_every_format(tmp_path, suffix):
    """Every format is read whatever the file is called: what is a URL or another driver's word to GDAL, too."""
    more = ["a!b", "a?b#c", "a:b", "http:x", "GTIFF_DIR:1:x", "zip+x", "%20", "$HOME", "~", "nul"]
    make.read(faults.write(tmp_path / f"first{suffix}", LABELS))
    for name in [*NAMES[::2], NAMES[-1], *more]:
        source = faults.write(tmp_path / f"plain{suffix}", LABELS)
        path = str(tmp_path / f"{name}{suffix}")
        Path(path).parent.mkdir(exist_ok=True)
        for end in (".hdr", ".img") if suffix == ".hdr" else (suffix,):
            shutil.copy(source.with_name(f"plain{end}"), str(tmp_path / f"{name}{end}"))
        with watch.Watch(tmp_path) as seen:
            assert LABELS.tolist() == make.read(path).tolist(), name
            assert [] == seen.strange()
