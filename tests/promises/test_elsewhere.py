"""References to elsewhere, and names: nothing but the mask is opened, and no name does anything but name."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import warnings
from contextlib import closing
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree as ET

import faults
import make
import pytest
import watch
from click.testing import CliRunner
from faults import LABELS, OTHER, Fault
from plain import is_plain
from record_schema import loaded

import dicecli
from dicecli.cli import cli
from dicecli.plugins import having
from dicecli.records.cases import Case
from dicecli.reports.look import Look
from dicecli.reports.report import Report
from dicecli.runs.inspection.file import inspect
from dicecli.runs.scoring import make_settings, score_many

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

NAMES = [
    "\x1b[31mred\x1b[0m",
    "\x1b]8;;http:evil\x07link",
    "\x9b31m",
    "two\nlines",
    "tab\tand\rreturn",
    "\u202eevil\u202c",
    "\u2066isolated\u2069",
    "zero\u200bwidth\ufeff\u00ad",
    "next\x85line\u2028separator",
    "[/x]",
    "[id]",
    "[bold red]x[/]",
    ":smile:",
    '=HYPERLINK("x","y")',
    "+1+1",
    "-1-1",
    "@SUM(1)",
    "=cmd|'calc'!A1",
    "<script>alert(1)<",
    "<b>bold<",
    "&lt;b&gt;&amp;&#60;",
    "]]><!--x-->",
    "100%_$x^2${}~#\\textbf",
    "a|b",
    "`code`",
    "*bold*_it_~~no~~",
    "![alt](x)[l](y)",
    "a,b;c",
    "\"quoted\" 'name'",
    "#1. heading",
    "%s%n{case}{0}",
    "né汉字🦴",
    "\uffff\ufffe",
    "--output=x",
]
if sys.platform == "linux":
    NAMES.append(os.fsdecode(b"caf\xe9\xff"))


def back(text):
    """Return the name that an escaped one stands for; a name with a backslash of its own has no escapes here."""
    if "textbf" in text:
        return text
    return re.sub(
        r"\\(x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8}|[nrt])",
        lambda match: match[0].encode().decode("unicode_escape"),
        text,
    )


@pytest.fixture(scope="module")
def oddly_named(tmp_path_factory):
    """Score pairs of all names, half of them broken, and return every report as text."""
    if os.name == "nt":
        pytest.skip("such names cannot be there")
    root = tmp_path_factory.mktemp("names")
    for side, labels in (("p", OTHER), ("r", LABELS)):
        for name in NAMES:
            for kind in ("ok", "ko"):
                path = root / side / kind / f"{name}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                make.png(path, labels)
                if (side, kind) == ("p", "ko"):
                    path.write_bytes(b"this is text")
    words = [sys.executable, "-m", "dicecli", "batch", str(root / "p"), str(root / "r"), "-j", "1", "-v"]
    for end in ("csv", "json", "xml", "md", "txt"):
        words += ["-o", str(root / f"out.{end}")]
    done = subprocess.run(words, capture_output=True, check=False, timeout=300)
    assert 3 == done.returncode, done.stderr
    texts = {
        end: (root / f"out.{end}").read_text(encoding="utf-8") for end in ("csv", "json", "xml", "md", "txt")
    }
    return texts | {"stdout": done.stdout.decode(), "stderr": done.stderr.decode(), "root": root}


EXPECTED = sorted(f"{kind}/{name}" for kind in ("ok", "ko") for name in NAMES)


@needs_posix
def test_odd_names_in_json(oddly_named):
    """JSON has every name as it is, each case once; it is ASCII, and can be rendered again."""
    record = loaded(oddly_named["json"])
    assert EXPECTED == sorted(each["case"] for each in record["cases"])
    assert len(NAMES) == sum(each["status"] == "scored" for each in record["cases"])
    assert oddly_named["json"].isascii()
    path = oddly_named["root"] / "out.json"
    again = CliRunner().invoke(cli, ["report", str(path), "-f", "csv", "-q"])
    assert oddly_named["csv"] in again.output


@needs_posix
def test_odd_names_in_csv(oddly_named):
    """CSV has every name, whole, escaped, and as no formula in any cell, by the reader of the standard library."""
    cells = list(csv.reader(io.StringIO(oddly_named["csv"])))[1:]
    assert EXPECTED == sorted({back(row[0]) for row in cells})
    assert is_plain(oddly_named["csv"])
    assert not any(cell.startswith(("=", "@", "+", "\t", "\r")) for row in cells for cell in row)


def test_formulas_in_csv():
    """A case whose name begins as a formula, which no folder stands before, is text with an apostrophe."""
    formulas = ['=HYPERLINK("x","y")', "+1", "-1", "@SUM(1)", "\t=1", "\n=1"]
    made = [dicecli.score(OTHER, LABELS, name=name) for name in formulas]
    for name, report in zip(formulas, made, strict=True):
        row = next(iter(list(csv.reader(io.StringIO(report.render("csv"))))[1:]))
        assert name == back(row[0].removeprefix("'"))
        assert not row[0].startswith(("=", "+", "-", "@", "\t", "\n"))


@needs_posix
def test_odd_names_in_junit(oddly_named):
    """XML parses, holds every name whole in an attribute, and nothing but the elements of JUnit."""
    root = ET.fromstring(oddly_named["xml"])  # noqa: S314 - our own output
    found = sorted(back(each.get("name")) for each in root.iter("testcase"))
    assert EXPECTED == found
    elements = {"testsuites", "testsuite", "testcase", "error", "system-out", "properties", "property"}
    assert elements == {each.tag for each in root.iter()}
    assert is_plain(oddly_named["xml"])


class Tags(HTMLParser):
    """Collects the elements of some HTML, and the text of each cell."""

    def __init__(self):
        super().__init__()
        self.tags, self.cells = set(), [""]

    def handle_starttag(self, tag, attrs):
        """Begin a cell."""
        del attrs
        self.tags.add(tag)
        if tag in {"td", "li", "p", "h2"}:
            self.cells.append("")

    def handle_data(self, data):
        """Add to it."""
        self.cells[-1] += data


def rendered(text):
    """Return what a reader of GitHub's Markdown makes of a text: its elements, and its cells."""
    from markdown_it import MarkdownIt

    parser = Tags()
    parser.feed(MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(text))
    return parser.tags, parser.cells


@needs_posix
def test_odd_names_in_markdown(oddly_named):
    """Markdown renders as tables and headings alone: no link, image, emphasis or element comes of a name; each
    name of a failed case is one cell, whole.
    """
    tags, cells = rendered(oddly_named["md"])
    assert {"h2", "table", "thead", "tbody", "tr", "th", "td", "p"} >= tags - {"ul", "li", "strong"}
    shown = {back(cell.strip()) for cell in cells}
    failed = sorted(f"ko/{name}" for name in NAMES)[:20]
    assert [] == [name for name in failed if name.strip() not in shown]
    assert is_plain(oddly_named["md"])


@pytest.mark.parametrize("name", NAMES)
def test_an_odd_name_in_every_report_of_one_case(name):
    """Each exporter shows the name of a case, and the paths of its masks, inert and whole, whether it was scored
    or not.
    """
    for prediction in (OTHER, OTHER[:5]):
        report = score_many([Case(name, prediction, LABELS)], make_settings())
        texts = {each: report.render(each, look=Look(width=2000)) for each in having("exporters", "report")}
        assert all(is_plain(text) for text in texts.values())
        assert name == json.loads(texts["json"])["cases"][0]["case"]
        assert name == back(ET.fromstring(texts["junit"]).find("*/testcase").get("name"))  # noqa: S314
        tags, cells = rendered(texts["markdown"])
        assert name.strip() in {back(cell.strip()) for cell in cells}
        assert not tags & {"a", "img", "em", "code", "script", "b", "s"}
        batch = Report(report.results, report.settings, is_batch=True)
        listed = batch.render("table", look=Look(width=2000, verbose=True))
        assert is_plain(listed)
        assert f" {name}" in back(listed) or f"\n{name}" in back(listed)


@needs_posix
def test_odd_names_on_a_terminal(oddly_named):
    """What is printed holds every name of the failed cases it lists, inert; rich neither raises nor swallows."""
    for where in ("stdout", "txt"):
        text = oddly_named[where]
        assert is_plain(text)
        joined = re.sub(r"\s", "", text)
        for name in ("[/x]", "[bold red]x[/]", "=HYPERLINK"):
            assert re.sub(r"\s", "", name) in joined
    assert is_plain(oddly_named["stderr"])
    assert "Traceback" not in oddly_named["stderr"]


@needs_posix
@pytest.mark.parametrize("suffix", [".png", ".nii", ".nii.gz", ".hdr", ".tif"])
def test_odd_names_in_every_format(tmp_path, suffix):
    """Every format is read whatever the file is called: what is a URL or another driver's word to GDAL, too."""
    more = ["a!b", "a?b#c", "a:b", "http:x", "GTIFF_DIR:1:x", "zip+x", "%20", "$HOME", "~", "nul"]
    make.read(faults.write(tmp_path / f"first{suffix}", LABELS))
    for name in [*NAMES, *more]:
        source = faults.write(tmp_path / f"plain{suffix}", LABELS)
        path = str(tmp_path / f"{name}{suffix}")
        Path(path).parent.mkdir(exist_ok=True)
        for end in (".hdr", ".img") if suffix == ".hdr" else (suffix,):
            shutil.copy(source.with_name(f"plain{end}"), str(tmp_path / f"{name}{end}"))
        with watch.Watch(tmp_path) as seen:
            assert LABELS.tolist() == make.read(path).tolist(), name
            assert [] == seen.strange()


@needs_posix
def test_odd_names_in_errors_of_score(tmp_path):
    """The error of one pair shows the name inert and whole on standard error, and on standard output."""
    for name in NAMES:
        path = tmp_path / f"{name}.png"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"text")
        done = CliRunner().invoke(cli, ["inspect", str(path)])
        assert is_plain(done.output)
        assert f"{name}.png" in back(done.output)
