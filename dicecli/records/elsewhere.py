"""The words that other libraries have for what is a keyword here, so that who comes from there is told.

They are those of torchmetrics, MONAI, scikit-learn, segmentation_models.pytorch, MedPy and nnU-Net.
"""

from __future__ import annotations

from ast import literal_eval
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping


class Word(NamedTuple):
    """What a keyword of another library is here.

    Attributes
    ----------
    here : tuple of str
        Keywords, the likeliest first, but for those that are sides each with a value as it is written.
    otherwise : str
        What to do where a function has none of them; empty: nothing is known.
    is_of_masks : bool
        Whether functions that take no masks have none of them, though they have the keyword.
    """

    here: tuple[str, ...]
    otherwise: str = ""
    is_of_masks: bool = False


_EVERY_LABEL = "Leave it out: a report has every label, as report['liver'].dice."
_BY_CONTENT = "Leave it out: what masks hold says whether they are binary or label maps."
_CHECKED = "Leave it out: what is given is always checked."
_FORMS = "Leave it out: labels and one-hot are told apart by their shape."
_CHANNELS = "Leave it out: the channels say how many classes there are."


def _words() -> Iterator[tuple[str, Word]]:
    """Yield each word, and what it is here."""
    for names, word in (
        ("y_true gt gts target targets ground_truth groundtruth y mask masks", _REFERENCE),
        ("y_pred pred preds y_hat input inputs seg result y_prob y_score probs", _PREDICTION),
        ("folder_ref gt_dir gt_folder reference_folder ref_dir", Word(("references",))),
        ("folder_pred pred_dir pred_folder prediction_folder", Word(("predictions",))),
        ("ignore_index ignore_value ignore_class void_label", Word(("ignore_label=255",))),
        ("num_classes n_classes num_labels classes", Word((_LABELS,), _CHANNELS)),
        ("class_names label_names target_names label_map", Word((_LABELS,), _CHANNELS)),
        ("average", Word(("averaging='macro'",))),
        ("averaging", Word(("average='macro'",))),
        ("reduction reduce mdmc_average multidim_average aggregation_level", _OVER_CASES),
        ("per_image samplewise imagewise", _OVER_CASES),
        ("batch", Word(("imagewise=False",))),
        ("zero_division ignore_empty nan_score", Word(("undefined='zero'", "smooth=1e-5"))),
        ("eps epsilon smooth smooth_nr smooth_dr", Word(("smooth=1e-5", "undefined='one'"))),
        ("exclude_background ignore_background", Word(("include_background=False",))),
        ("thresh cutoff", Word(("threshold=0.5",))),
        ("activation from_logits sigmoid apply_sigmoid", _SIGMOID),
        ("softmax apply_softmax", Word(("logits='softmax'", "activation='softmax'"), _BY_CONTENT)),
        ("task mode multiclass", Word((), _BY_CONTENT)),
        ("to_onehot_y input_format", Word((), _FORMS)),
        ("squared_pred", Word(("form='squared'",))),
        ("jaccard", Word(("form='jaccard'", "metrics=['iou']"))),
        ("weight weights class_weight", Word(("class_weights=[1.0, 2.0]", "average='weighted'"))),
        ("w_type", Word(("weighting='square'",))),
        ("lambda_dice weight_dice", Word(("dice_weight=1.0",))),
        ("lambda_ce weight_ce", Word(("ce_weight=1.0",))),
        ("beta", Word(("metrics=['fbeta_2']",), is_of_masks=True)),
        ("percentile distance_metric", Word(("metrics=['hd95']",), is_of_masks=True)),
        ("class_thresholds tolerance_mm", Word(("tolerance='2mm'",))),
        ("voxelspacing voxel_spacing sampling", Word(("spacing='voxel'",))),
        ("num_workers n_jobs workers num_processes", Word(("jobs=4", "threads=4"))),
        ("validate_args", Word(("validate=True",), _CHECKED)),
        ("get_not_nans return_with_label per_class pos_label", Word((), _EVERY_LABEL)),
    ):
        yield from ((name, word) for name in names.split())


#: A keyword of every function that takes masks, and of no other.
_OF_MASKS = "spacing"
_LABELS = "labels={1: 'liver', 2: 'tumour'}"
_REFERENCE = Word(("reference", "references"))
_PREDICTION = Word(("prediction", "probabilities", "predictions"))
_OVER_CASES = Word(("average='macro-imagewise'", "imagewise=True"))
_SIGMOID = Word(
    ("logits='sigmoid'", "activation='sigmoid'"), "Give threshold=0.5, which takes probabilities."
)
ELSEWHERE = dict(_words())


def advised(name: str, known: Collection[str]) -> str:
    """Return what to give instead of a keyword of another library; empty where nothing is known of it.

    Parameters
    ----------
    name : str
    known : collection of str
        The keywords that there are.
    """
    word = ELSEWHERE.get(name, Word(()))
    if word.is_of_masks and _OF_MASKS not in known:
        return word.otherwise
    found = next((each for each in word.here if each.partition("=")[0] in known), None)
    return word.otherwise if found is None else f"Here it is {found}."


def typed(name: str, options: Mapping[str, str]) -> str:
    """Return what an option of another tool is on this command line, with a value; empty where unknown.

    Parameters
    ----------
    name : str
        As a keyword.
    options : mapping of str to str
        The options that there are, as they are typed, by their keywords.
    """
    for here in ELSEWHERE.get(name, Word(())).here:
        keyword, _, value = here.partition("=")
        given = literal_eval(value) if value else True
        if keyword in options and given is not False:
            text = "FILE.json" if isinstance(given, dict) else given[0] if isinstance(given, list) else given
            return options[keyword] if given is True else f"{options[keyword]} {text}"
    return ""
