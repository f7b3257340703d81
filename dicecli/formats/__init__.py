"""The formats of masks, one module each: its name is the user's word.

A format module has

``SUFFIXES``
    The suffixes it answers to, in lower case, with the dot; ``.nii.gz`` counts as one.
``open_mask(path, reading)``
    Open a regular file for reading: the header now, voxels by window, as a
    :class:`~dicecli.sources.MaskSource`. Raises a :class:`~dicecli.errors.CaseError` for whatever is wrong.

Only these modules open masks.
"""
