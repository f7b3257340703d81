"""nnU-Net: https://github.com/MIC-DKFZ/nnUNet, documentation/dataset_format.md."""

from dicecli.runs.layouts import Layout

_ENDINGS = ("nii.gz", "png", "tif", "nii")

LAYOUT = Layout(
    summary="nnU-Net: labelsTs or labelsTr, or the folder above; predictions, or folds of a trainer",
    predictions=tuple(f"{folder}{{case}}.{end}" for folder in ("", "fold_*/validation/") for end in _ENDINGS),
    references=tuple(
        f"{folder}{{case}}.{end}" for folder in ("", "labelsTs/", "labelsTr/") for end in _ENDINGS
    ),
    telltale="/labelsT",
    label_files=("../dataset.json", "dataset.json"),
)
