"""Cityscapes: https://github.com/mcordts/cityscapesScripts; predictions of label ids."""

from dicecli.runs.layouts import Layout

_ENDS = ("", "_leftImg8bit", "_leftImg8bit_*", "_gtFine_*", "_*", "_*_*")
_FOLDERS = ("*/", "", "gtFine/val/*/", "val/*/", "gtFine/*/*/")

LAYOUT = Layout(
    summary="Cityscapes: gtFine with a folder per city; predictions of label ids, by city or flat",
    predictions=tuple(f"{folder}{{case}}{end}.png" for end in _ENDS for folder in ("", "*/")),
    references=tuple(f"{folder}{{case}}_gtFine_labelIds.png" for folder in _FOLDERS),
    telltale="_gtFine_labelIds",
    labels="cityscapes",
)
