"""BIDS derivatives: https://bids-specification.readthedocs.io, "Imaging data types" of derivatives.

``_dseg`` is a discrete segmentation; masks of the brain (``_mask``), probabilities (``_probseg``) and images
lie beside it.
"""

from dicecli.runs.layouts import Layout

_NAMED = tuple(
    f"{{case}}{entity}_dseg.{end}"
    for end in ("nii.gz", "nii")
    for entity in ("", "_desc-*", "_seg-*", "_space-*")
)

LAYOUT = Layout(
    summary="BIDS derivatives: _dseg files in sub-*/anat or sub-*/ses-*/anat of both",
    predictions=_NAMED,
    references=(*_NAMED, "sub-*/anat/{case}_dseg.nii.gz", "sub-*/ses-*/anat/{case}_dseg.nii.gz"),
    telltale="/sub-",
    label_files=("dseg.tsv", "*_dseg.tsv", "../dseg.tsv"),
)
