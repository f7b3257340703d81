"""PASCAL VOC: http://host.robots.ox.ac.uk/pascal/VOC/voc2012, its devkit."""

from dicecli.runs.layouts import Layout

LAYOUT = Layout(
    summary="PASCAL VOC: SegmentationClass, or the folder above; predictions flat, or of the devkit",
    predictions=("{case}.png", "comp*_cls/{case}.png", "SegmentationClass/{case}.png"),
    references=("{case}.png", "SegmentationClass/{case}.png", "*/SegmentationClass/{case}.png"),
    telltale="SegmentationClass/",
    labels="voc",
    label_files=("labelmap.txt", "../labelmap.txt"),  # as CVAT exports its own classes
)
