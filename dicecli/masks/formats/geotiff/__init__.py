"""GeoTIFF and plain TIFF, through GDAL's own driver and nothing else that lies beside the file."""

from dicecli.masks.formats.geotiff.masks import SUFFIXES, open_mask, open_probabilities

__all__ = ["SUFFIXES", "open_mask", "open_probabilities"]
