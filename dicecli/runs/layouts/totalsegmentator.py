"""TotalSegmentator: https://github.com/wasserth/TotalSegmentator; its data: doi:10.5281/zenodo.6802613."""

from dicecli.runs.layouts import Layout

_BY_CLASS = ("{case}/segmentations/{label}.nii.gz", "{case}/{label}.nii.gz")
_WHOLE = ("{case}.nii.gz", "{case}/segmentations.nii.gz")

LAYOUT = Layout(
    summary="TotalSegmentator: a folder per case, in it a file per class; or one file per case",
    predictions=(*_BY_CLASS, *_WHOLE),
    references=(*_BY_CLASS, *_WHOLE),
    telltale="/segmentations/",
    labels="totalsegmentator",
)
