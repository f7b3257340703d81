"""What the JSON Schema says of any record: of settings, cases, statistics over cases, and notes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dicecli.records.cases import ALWAYS_EXCLUDED, EXCLUDED, Case, Failed, Scored
from dicecli.records.json_schema import closed, described, of, or_null, properties
from dicecli.records.label_maps import SIDES
from dicecli.records.labels import LabelScheme
from dicecli.records.lengths import SIZES
from dicecli.records.origin import NotObeyed, Obeyed
from dicecli.records.probabilities import Probabilities
from dicecli.records.settings import Settings
from dicecli.reports.bootstrap import RESAMPLES, SEED
from dicecli.reports.record import SCHEMA, STATISTICS
from dicecli.reports.summary import Spread, Statistics

if TYPE_CHECKING:
    from dicecli.records.json_schema import Schema

#: A number with full precision, null where it is undefined; infinity is a text.
VALUE = {"anyOf": [{"type": ["number", "null"]}, {"enum": ["inf", "-inf"]}]}
WHOLE = {"$ref": "#/$defs/whole"}
TEXT = {"type": "string"}
SUGGESTION = {"$ref": "#/$defs/suggestion"}
NAME_OR_NULL = {"type": ["string", "null"]}
LABEL = or_null({"$ref": "#/$defs/integer"})
_MAPS = {f"map_{side}": side for side in SIDES}


def listed(items: Schema, text: str) -> Schema:
    """Return the schema of a list."""
    return {"description": text, "type": "array", "items": dict(items)}


def chosen(when: Schema, then: str, otherwise: str) -> Schema:
    """Return a schema that is one definition where something is the case, else another."""
    return {"if": dict(when), "then": {"$ref": f"#/$defs/{then}"}, "else": {"$ref": f"#/$defs/{otherwise}"}}


def record(family: str) -> Schema:
    """Return the schema of the record of masks, or of maps."""
    case = chosen(
        {"properties": {"status": {"const": "scored"}}}, f"case_of_{family}", "case_without_numbers"
    )
    summary = chosen({"required": ["bootstrap"]}, f"summary_of_{family}", f"summary_of_one_of_{family}")
    return closed(
        {
            "schema": {"description": "The version of this form of records.", "const": SCHEMA},
            "dicecli": {"description": "The version of dicecli that wrote it.", "type": "string"},
            "origin": {"$ref": "#/$defs/origin"},
            "settings": {"$ref": f"#/$defs/settings_of_{family}"},
            "cases": listed(case, "One for every expected case, in the order of their names."),
            "summary": {"description": "What all cases come to.", "type": "object", **summary},
        }
    )


def settings(*, soft: bool) -> Schema:
    """Return the schema of the options of a run."""
    scheme, own = (
        properties(LabelScheme, without=("colours", "alike", "maps", "sha256")),
        properties(Settings, without=("labels", "soft")),
    )
    options = {
        "metrics": own.pop("metrics"),
        "labels": scheme["source"],
        "names": scheme["names"],
        "regions": scheme["regions"],
        "ignore_labels": scheme["ignore"],
        "background": scheme["background"],
        **{name: described(TEXT, f"What labels of the {side} are read as.") for name, side in _MAPS.items()},
        **own,
    }
    if soft:
        options["soft"] = of(Probabilities)
    text = "How masks were read, compared and scored: the options of the run."
    return described(closed(options, optional=("length_unit", *_MAPS)), text)


#: What is said of a case only where there is something to say.
MAY_LACK = ("columns", "within")


def facts() -> Schema:
    """Return the schema of each thing that is said of any case."""
    known = properties(Case)
    return {
        "case": {"description": "What reports call it.", "type": "string"},
        "group": known["group"],
        "columns": {
            "description": "What else the CSV of pairs says of it: what stands in each of its other columns.",
            "type": "object",
            "additionalProperties": TEXT,
        },
        "status": {
            "description": "Whether there are numbers: scored; failed; missing, left out for want of a "
            "prediction, as --missing skip asks; pending, not reached before the run ended.",
            "enum": ["scored", "failed", "missing", "pending"],
        },
        "prediction": {"description": "The path of the prediction.", "type": "string"},
        "reference": {"description": "The path of the reference.", "type": "string"},
        "within": {
            "description": "The path of the field, outside of which nothing is compared.",
            "type": "string",
        },
    }


def facts_of_scored() -> Schema:
    """Return the schema of each thing that is said of a case that has numbers, before these."""
    known = properties(Scored, without=("case", "measured", "notes", "observed"))
    number = {"type": "number"}
    sizes = dict(zip(SIZES, (described(number, f"Of a {each}.") for each in ("voxel", "pixel")), strict=True))
    reasons = (
        "Those whose reference has an ignored label.",
        "Those whose reference has no data.",
        "Those outside the field.",
        "Those of no other reason whose prediction has no data.",
    )
    excluded = {name: described(WHOLE, each) for name, each in zip(EXCLUDED, reasons, strict=True)}
    return facts() | {
        "status": {"description": "There are numbers.", "const": "scored"},
        "shape": known["shape"],
        "spacing": known["spacing"],
        "unit": known["unit"],
        "pixel_size": described(closed(sizes, optional=SIZES), "The size of one pixel, where known."),
        "counted": known["counted"],
        "excluded": described(
            closed(excluded, optional=EXCLUDED[len(ALWAYS_EXCLUDED) :]),
            "Pixels that were left out, each for one reason; one that is not there is 0.",
        ),
    }


def case_without_numbers() -> Schema:
    """Return the schema of a case that has no numbers."""
    why = properties(Failed, without=("case",))
    return described(closed(facts() | why, optional=MAY_LACK), "A case without numbers, and why.")


def how_many() -> Schema:
    """Return the schema of the sentence of a run, and of how many cases there are, in all and by status."""
    return {
        "headline": described(TEXT, "What the run comes to, in one sentence."),
        "expected": described(WHOLE, "Cases of the run, each of which stands in the record."),
        "scored": described(WHOLE, "Cases that have numbers."),
        "failed": described(WHOLE, "Cases that could not be scored."),
        "missing": described(WHOLE, "Cases left out for want of a prediction, as --missing skip asks."),
        "pending": described(WHOLE, "Cases that were not reached before the run ended."),
        "partial": {"description": "Whether any case was not reached.", "type": "boolean"},
    }


def over_cases() -> Schema:
    """Return the schema of the statistics over cases."""
    by_name = {"type": "object", "additionalProperties": {"$ref": "#/$defs/statistics"}}
    worst = closed(
        {
            "case": described(TEXT, "Its name."),
            "value": described(VALUE, "Of the metric."),
        }
    )
    row = closed(
        {
            "label": described(LABEL, "The label; null of a region."),
            "name": described(NAME_OR_NULL, "Its name, where it has one."),
            "metrics": described(by_name, "The statistics over cases of each metric."),
            "worst": described(
                closed(
                    {
                        "metric": described(
                            NAME_OR_NULL, "The metric by which cases are worst; null where none is."
                        ),
                        "cases": listed(worst, "The cases where it went worst, from the worst one."),
                    }
                ),
                "Where to look first.",
            ),
        }
    )
    bootstrap = closed(
        {
            "resamples": {"description": "How often cases were drawn.", "const": RESAMPLES},
            "seed": {"description": "Of the random numbers, always the same.", "const": SEED},
            "resampled": {
                "description": "What was drawn: cases, or groups of them.",
                "enum": ["case", "group"],
            },
        }
    )
    return {
        "bootstrap": described(bootstrap, "How the confidence intervals were made."),
        "labels": listed(row, "The statistics of each label and region."),
    }


def statistics() -> Schema:
    """Return the schema of one metric of one label over the cases."""
    every = properties(Statistics)
    own = {name: or_undefined(every[name]) for name in STATISTICS}
    own["infinite"] = described(WHOLE, every["infinite"]["description"])
    own["finite"] = {"description": every["finite"]["description"], "$ref": "#/$defs/finite"}
    found = closed(own, optional=("infinite", "finite"))
    return described(found, "One metric of one label or region over the cases; null is undefined.")


def finite() -> Schema:
    """Return the schema of the mean of the cases that are finite, of a metric that may be infinite."""
    own = {name: or_undefined(each) for name, each in properties(Spread).items()}
    return described(closed(own), "The mean of the finite values, and how sure it is; null is undefined.")


def obeyed() -> dict[str, Schema]:
    """Return the schemas of the configuration files, where a part is written alone, which has no origin."""
    said = {"obeyed": (Obeyed, "were obeyed"), "not_obeyed": (NotObeyed, "were not obeyed, for their owners")}
    return {
        name: listed(of(each), f"The configuration files that {text}; of the whole record in its origin.")
        for name, (each, text) in said.items()
    }


def notes(text: str) -> Schema:
    """Return the schema of a list of notes."""
    return listed(TEXT, text)


def or_undefined(schema: Schema) -> Schema:
    """Return a number's schema as the record has it: undefined is null; a whole number is never below 0."""
    if schema.get("type") == "number":
        return {key: each for key, each in schema.items() if key != "type"} | VALUE
    return {key: each for key, each in schema.items() if key != "$ref"} | WHOLE
