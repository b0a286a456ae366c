"""`labelrisk export`: a classifier as a plain folder of transformers, as ONNX, or as a fast graph of OpenVINO."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path

HELP = "write a classifier as a plain folder of transformers, as ONNX, or as a fast graph of OpenVINO"
EXAMPLE = """labelrisk export --classifier classifiers/distilled --to exported
labelrisk export --classifier classifiers/chosen --format onnx --to graph
labelrisk export --format openvino --precision int8 --texts some.csv --to fast"""


def arguments(parser: ArgumentParser) -> None:
    """Which classifier, the form, and where it goes."""
    default = Path("classifiers/distilled")
    parser.add_argument("--classifier", type=Path, default=default, help="folder, such as classifiers/chosen")
    parser.add_argument("--to", type=Path, required=True, metavar="FOLDER", help="a new folder")
    text = "a folder of transformers, a graph that onnxruntime runs, or one of OpenVINO, which predict reads by --graph"
    parser.add_argument("--format", choices=("transformers", "onnx", "openvino"), default="transformers", help=text)
    text = "of a graph of OpenVINO; int8 is kept where more than 99.5 %% of the labels are the classifier's"
    parser.add_argument("--precision", choices=("fp32", "int8"), default="fp32", help=text)
    text = "table of texts like those that will be labelled, by which a graph of OpenVINO is fitted and measured"
    parser.add_argument("--texts", type=Path, metavar="FILE", help=text)
    parser.add_argument("--text", default="text", metavar="COLUMN", help="column of --texts (default: text)")
    text = "probabilities as students say them, without the temperature of the stage calibrate"
    parser.add_argument("--uncalibrated", action="store_true", help=text)
    text = "JSON file of the stage calibrate (default: ../calibration/NAME.json beside the classifier)"
    parser.add_argument("--calibration", type=Path, metavar="FILE", help=text)


def run(
    params: Path,
    classifier: Path,
    to: Path,
    format: str,
    precision: str,
    texts: Path | None,
    text: str,
    uncalibrated: bool,
    calibration: Path | None,
) -> None:
    """Write the folder, whole or not at all.

    Raises LabelRiskError for options that do not fit together, a folder that is there already, an ensemble in one form,
    labels that are not the classifier's, and where a package is missing.
    """
    from labelrisk.classifiers.calibration import digest, place_of, read_calibration
    from labelrisk.classifiers.folders import read_form
    from labelrisk.errors import LabelRiskError

    if format != "openvino" and (precision == "int8" or texts is not None):
        raise LabelRiskError("--precision int8 and --texts are about graphs of OpenVINO; give --format openvino")
    form = read_form(classifier)
    heat = 1.0
    if not uncalibrated:
        found = read_calibration(calibration or place_of(classifier), digest(classifier))
        heat = found.form.temperature
    members = f"{len(form.members)} students" if len(form.members) > 1 else "one student"
    said = f"{to}: {members}, {len(form.classes)} classes, as {format}; {to / 'README.md'} shows how it is called."
    if format == "openvino":
        if texts is None:
            raise LabelRiskError(
                "--format openvino is measured on texts; name a table of some hundred or more by --texts, such as "
                "those that will be labelled"
            )
        from labelrisk.applying.some_texts import some_texts
        from labelrisk.classifiers.openvino_export import export_openvino

        graph = export_openvino(classifier, to, heat, precision, some_texts(texts, text))
        print(f"{said}\n{graph.told}")
        return
    from labelrisk.classifiers.exported import export_onnx, export_transformers

    (export_onnx if format == "onnx" else export_transformers)(classifier, to, heat)
    print(said)
