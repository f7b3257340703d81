"""Coordinate reference systems in the words of different programs: which are one, and which are not."""

from __future__ import annotations

import make
import numpy as np
import pytest
from rasterio.crs import CRS

import dicecli
from dicecli.errors import GridMismatch
from dicecli.masks.differing import same_crs

LABELS = np.arange(64, dtype=np.uint8).reshape(8, 8) % 3


def written(path, crs, flavour="STANDARD"):
    place = {"transform": (0.01, 0, 10, 0, -0.01, 50), "GEOTIFF_KEYS_FLAVOR": flavour}
    return make.geotiff(path, LABELS, crs=crs, **place)


@pytest.mark.parametrize("code", [4326, 4674, 4258, 4807, 32632])
def test_keys_of_esri(tmp_path, code):
    """EPSG:4326, 4674, 4258 written with ESRI keys against the plain file: equal."""
    crs = CRS.from_epsg(code)
    plain = written(tmp_path / "plain.tif", crs)
    of_esri = CRS.from_wkt(crs.to_wkt(version="WKT1_ESRI"))
    for name, each in (("keys", crs), ("words", of_esri)):
        path = written(tmp_path / f"{name}.tif", each, "ESRI_PE")
        for pair in ((path, plain), (plain, path)):
            assert 1.0 == dicecli.score(*pair).look_up("dice").value


def test_other_datums_written_so_are_refused(tmp_path):
    """The order of the axes is not compared; the datum is: NAD27 is not NAD83."""
    plain = written(tmp_path / "plain.tif", CRS.from_epsg(4267))
    with pytest.raises(GridMismatch):
        dicecli.score(written(tmp_path / "esri.tif", CRS.from_epsg(4269), "ESRI_PE"), plain)


OWN = (
    'GEOGCS["own",DATUM["Own",SPHEROID["S",6378000,298]],PRIMEM["Greenwich",0],'
    'UNIT["degree",0.0174532925199433],AXIS["Latitude",NORTH],AXIS["Longitude",EAST]]'
)
ROTATED = OWN.replace('AXIS["Latitude",NORTH],AXIS["Longitude",EAST]', 'AXIS["Lon",EAST],AXIS["Lat",NORTH]')


def test_what_makes_a_system():
    """Datum, unit and prime meridian are compared, not axis order."""
    for same in (OWN, ROTATED, ROTATED.replace('"degree"', '"Degree"')):
        assert same_crs(OWN, same)
    for old, new in (
        ("6378000", "6378100"),
        ('"Own"', '"Other"'),
        ('"Greenwich",0', '"Paris",2.33722917'),
        ('"degree",0.0174532925199433', '"grad",0.01570796326794897'),
        ("EAST", "WEST"),
    ):
        assert not same_crs(OWN, ROTATED.replace(old, new))
    wkts = {code: CRS.from_epsg(code).to_wkt() for code in (4326, 4979, 4258, 4269, 4267, 4807, 4275, 32632)}
    assert {(one, one) for one in wkts} == {
        (one, other) for one in wkts for other in wkts if same_crs(wkts[one], wkts[other])
    }
    projected = "+proj=laea +lat_0=10 +lon_0=20 +datum=WGS84 +units="
    metres, feet = (CRS.from_string(projected + unit).to_wkt() for unit in ("m", "us-ft"))
    assert same_crs(metres, CRS.from_wkt(CRS.from_wkt(metres).to_wkt(version="WKT1_ESRI")).to_wkt())
    assert not same_crs(metres, feet)
