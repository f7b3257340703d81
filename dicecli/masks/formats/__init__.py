"""The formats of masks, one module each: its name is the user's word.

A format module has

``SUFFIXES``
    The suffixes it answers to, in lower case, with the dot; ``.nii.gz`` counts as one.
``open_mask(path, reading)``
    Open a regular file for reading: the header now, voxels by window, as a
    :class:`~dicecli.masks.sources.MaskSource`. Raises a :class:`~dicecli.errors.CaseError` for whatever is
    wrong.

``open_probabilities(path, reading, shape)``
    Likewise for a map of probabilities against a reference of some shape: one source per channel, in their
    order. A module has this function, the one above, or both.

Only these modules open masks.
"""
