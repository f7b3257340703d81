"""BraTS: a folder per case, with its images beside the segmentation; ``-seg`` since 2023, ``_seg`` before."""

from dicecli.runs.layouts import Layout

_OF_FOLDERS = tuple(
    f"{folder}{{case}}/{{case}}{sign}seg.{end}"
    for end in ("nii.gz", "nii")
    for folder in ("", "*/")
    for sign in "-_"
)
_FLAT = ("{case}-seg.nii.gz", "{case}_seg.nii.gz")

LAYOUT = Layout(
    summary="BraTS: a folder per case, in it the segmentation; predictions likewise, or flat",
    predictions=("{case}.nii.gz", *_OF_FOLDERS, *_FLAT, "{case}.nii"),
    references=(*_OF_FOLDERS, *_FLAT),
    telltale="BraTS",
    labels="brats",
)
