"""What `agreement` prints: coders among themselves, and each annotator against them, part by part."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from labelrisk.text_tables import text_table

LEGEND = (
    "x100, but kappa and alpha; [95 % interval]; covered: rows to which the annotator gave a label (others count as "
    "wrong); weighted: accuracy by sampling probability, an estimate for all rows that were drawn from; "
    "all else is about the drawn rows."
)
NAME = 8  # columns that a name keeps, whatever stands beside it
Scores = Mapping[str, Any]


def agreement_table(validations: Sequence[Scores], width: int = 80) -> str:
    """Lay out the validations of annotators by the same coders as plain ASCII of at most `width` columns.

    `validations`: contents of validation/<annotator>.json.  Names that don't fit are cut in the middle; a missing
    number is '-'.
    """
    blocks = []
    for part, shown in validations[0]["parts"].items():
        blocks.append(_heading(part, shown, width))
        blocks.append(text_table(*_coders(shown), width, NAME))
        of_annotators = {of["annotator"]: of["parts"][part] for of in validations}
        for annotator, of in of_annotators.items():
            blocks.append(f"{annotator}\n" + text_table(*_against(of), width, NAME))
            blocks.append(text_table(*_classes(annotator, of["against_majority"]), width, NAME))
            blocks.append(_test(annotator, of["alternative_annotator_test"], width))
    sentences = [*validations[0]["notes"], LEGEND]
    return "\n\n".join([*blocks, *("\n".join(textwrap.wrap(sentence, width)) for sentence in sentences)])


def _heading(part: str, shown: Scores, width: int) -> str:
    line = f"PART {part}: {shown['rows']} rows, {shown['unlabelled']} unlabelled, {shown['ties']} without a majority"
    return "\n".join(textwrap.wrap(line + " (a tie)" if shown["ties"] else line, width))


def _coders(shown: Scores) -> tuple[list[str], list[list[str]]]:
    coders = shown["coders"]
    rows = [[name, str(labelled), "-", "-", "-"] for name, labelled in shown["labelled_by"].items()]
    for pair in coders["pairs"]:
        numbers = [_percent(pair["agreement"]), _number(pair["kappa"]), "-"]
        rows.append([" and ".join(pair["coders"]), str(pair["rows"]), *numbers])
    if len(coders["pairs"]) > 1:
        rows.append(["all pairs", str(coders["rows"]), _percent(coders["agreement"]), "-", _number(coders["alpha"])])
        rows.append(["all alike", str(coders["rows"]), _percent(coders["all_agree"]), "-", "-"])
    elif coders["pairs"]:
        rows[-1][-1] = _number(coders["alpha"])
    return ["coders", "rows", "agreement", "kappa", "alpha"], rows


def _against(of: Scores) -> tuple[list[str], list[list[str]]]:
    header = ["against", "rows", "covered", "accuracy", "weighted", "F1", "kappa"]
    rows = []
    against = {"majority": of["against_majority"]} if len(of["against_coders"]) > 1 else {}
    for human, scores in (against | of["against_coders"]).items():
        bounded = [_bounded(scores, metric) for metric in ("accuracy", "weighted_accuracy", "macro_f1")]
        numbers = [str(scores["rows"]), _percent(scores["coverage"]), *bounded, _number(scores["kappa"])]
        rows.append([human, *numbers])
    return header, rows


def _classes(annotator: str, scores: Scores) -> tuple[list[str], list[list[str]]]:
    return [f"{annotator} by label", "rows", "precision", "recall", "F1"], [
        [label, str(of["rows"]), *(_bounded(of, metric) for metric in ("precision", "recall", "f1"))]
        for label, of in scores["classes"].items()
    ]


def _test(annotator: str, test: Scores, width: int) -> str:
    if "reason" in test:
        reason = str(test["reason"])
        return "\n".join(textwrap.wrap(f"{reason[0].upper()}{reason[1:]}.", width))
    header = [f"{annotator} or a coder?", "rows", "annotator", "coder", "p", "annotator is as good"]
    rows = [
        [
            *(name, str(of["rows"]), _percent(of["annotator"]), _percent(of["coder"])),
            *(f"{of['p_adjusted']:.3f}", "yes" if of["rejected"] else "not shown"),
        ]
        for name, of in test["coders"].items()
    ]
    verdict = (
        f"Alternative annotator test: winning rate {test['winning_rate']:.2f}, which "
        f"{'passes' if test['passes'] else 'does not pass'} (0.50 or more does); average advantage probability "
        f"{test['advantage_probability']:.2f}; epsilon {test['epsilon']:g}."
    )
    return text_table(header, rows, width, NAME) + "\n\n" + "\n".join(textwrap.wrap(verdict, width))


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.1f}"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _bounded(scores: Scores, metric: str) -> str:
    if scores[metric] is None:
        return "-"
    value = _percent(scores[metric]).removesuffix(".0") if scores[metric] == 1 else _percent(scores[metric])
    return f"{value} [{100 * scores[f'{metric}_low']:.0f}, {100 * scores[f'{metric}_high']:.0f}]"
