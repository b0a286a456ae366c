"""`labelrisk export`: a classifier as a plain folder of transformers, or as ONNX."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path

HELP = "write a classifier as a plain folder of transformers, or as ONNX"
EXAMPLE = """labelrisk export --classifier classifiers/distilled --to exported
labelrisk export --classifier classifiers/chosen --format onnx --to graph"""


def arguments(parser: ArgumentParser) -> None:
    """Which classifier, the form, and where it goes."""
    default = Path("classifiers/distilled")
    parser.add_argument("--classifier", type=Path, default=default, help="folder, such as classifiers/chosen")
    parser.add_argument("--to", type=Path, required=True, metavar="FOLDER", help="a new folder")
    text = "what other programs read: a folder of transformers, or a graph that onnxruntime runs"
    parser.add_argument("--format", choices=("transformers", "onnx"), default="transformers", help=text)
    text = "probabilities as students say them, without the temperature of the stage calibrate"
    parser.add_argument("--uncalibrated", action="store_true", help=text)
    text = "JSON file of the stage calibrate (default: ../calibration/NAME.json beside the classifier)"
    parser.add_argument("--calibration", type=Path, metavar="FILE", help=text)


def run(params: Path, classifier: Path, to: Path, format: str, uncalibrated: bool, calibration: Path | None) -> None:
    """Write the folder, whole or not at all.

    Raises LabelRiskError for a folder that is there already, an ensemble in one form, and where a package is missing.
    """
    from labelrisk.classifiers.calibration import digest, place_of, read_calibration
    from labelrisk.classifiers.folders import read_form

    form = read_form(classifier)
    heat = 1.0
    if not uncalibrated:
        found = read_calibration(calibration or place_of(classifier), digest(classifier))
        heat = found.form.temperature
    from labelrisk.classifiers.exported import export_onnx, export_transformers

    (export_onnx if format == "onnx" else export_transformers)(classifier, to, heat)
    members = f"{len(form.members)} students" if len(form.members) > 1 else "one student"
    print(f"{to}: {members}, {len(form.classes)} classes, as {format}; {to / 'README.md'} shows how it is called.")
