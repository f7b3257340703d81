"""SimpleITK: LabelOverlapMeasuresImageFilter.

Usage: with_simpleitk.py PREDICTION REFERENCE LABELS
"""

from __future__ import annotations

import json
import sys

import SimpleITK


def main(prediction: str, reference: str, labels: int) -> None:
    """Print the Dice of each label from 1 on."""
    measures = SimpleITK.LabelOverlapMeasuresImageFilter()
    measures.Execute(SimpleITK.ReadImage(reference), SimpleITK.ReadImage(prediction))
    print(json.dumps({label: measures.GetDiceCoefficient(label) for label in range(1, labels + 1)}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
