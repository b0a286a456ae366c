"""metrics/verdict.json: the verdict on each source with its reason, and one next step for the study.

metrics/macro_f1.json is what DVC and editors list by themselves: one number a source, so that the table fits a screen.
"""

from __future__ import annotations

from typing import Any

from labelrisk.comparison.analyses.contract import Outputs
from labelrisk.comparison.class_losses import class_losses, weakest_class
from labelrisk.comparison.contrasts import contrasts
from labelrisk.comparison.labels_spent import money_spent, rows_and_gold
from labelrisk.comparison.next_steps import Judgements, as_json, next_step
from labelrisk.comparison.stability import stabilities
from labelrisk.comparison.study import Study
from labelrisk.comparison.systems import macro_f1_variances
from labelrisk.comparison.training_length import failed_seeds, judged_lengths
from labelrisk.comparison.verdicts import Evidence, Verdict, judge, judge_reference
from labelrisk.statistics.contrasts import Contrast
from labelrisk.statistics.scores import macro_f1, rounded


def verdict(study: Study) -> Outputs:
    """By source: verdict, reason, the gap and its interval, stability, weakest class, gold and money; the next step."""
    verdicts = {source: _verdict(study, source) for source in study.students}
    how = study.settings.evaluate
    gold = {source: rows_and_gold(study, source)[1] for source in study.students}
    gaps = macro_f1_variances(study)
    found = Judgements(
        verdicts=verdicts,
        scores={source: float(macro_f1(students.counts).mean()) for source, students in study.students.items()},
        gaps={source: gaps.difference(source, how.reference, how.confidence).estimate for source in study.students},
        wanted=[
            source
            for source, declared in study.settings.sources.items()
            if declared.noise is None and gold[source] < gold[how.reference]
        ],
        gold_labels=gold,
        lengths=judged_lengths(study),
        contrasts=contrasts(study),
        costs=study.costs,
        seeds=len(study.settings.seeds),
        rows=len(study.test.gold),
    )
    sources = {source: _summary(study, source, judged) for source, judged in verdicts.items()}
    step = as_json(next_step(found, study.settings.train, how.margin))
    judged = {"number_of_seeds": found.seeds, "margin": how.margin, "confidence": how.confidence}
    return {
        "metrics/verdict.json": judged | {"sources": sources, "next_step": step},
        "metrics/macro_f1.json": {source: rounded(score) for source, score in found.scores.items()},
    }


def _verdict(study: Study, source: str) -> Verdict:
    how, lengths, failed = study.settings.evaluate, judged_lengths(study), failed_seeds(study)
    if source == how.reference:
        return judge_reference(lengths[source], failed[source])
    found, steady = macro_f1_variances(study), stabilities(study)
    evidence = Evidence(
        length=lengths[source],
        reference_length=lengths[how.reference],
        failed=failed[source],
        difference=found.difference(source, how.reference, how.confidence),
        shares=found.components(source, how.reference),
        classes=class_losses(study)[source],
        reference_classes=class_losses(study)[how.reference],
        stability=steady.get(source),
        reference_stability=steady.get(how.reference),
        against_twin=_against_twin(study, source),
        seeds=len(study.settings.seeds),
    )
    return judge(evidence, how)


def _against_twin(study: Study, source: str) -> Contrast | None:
    found = [one for question, one in contrasts(study).items() if question[:2] == (source, "random twin")]
    return found[0] if found else None


def _summary(study: Study, source: str, judged: Verdict) -> dict[str, Any]:
    how, length = study.settings.evaluate, judged_lengths(study)[source]
    is_reference = source == how.reference
    gap = macro_f1_variances(study).difference(source, how.reference, how.confidence)
    steady = stabilities(study).get(source)
    classes = class_losses(study)[source]
    weakest = weakest_class(classes)
    return {
        "verdict": judged.word,
        "because": judged.because,
        "difference": None if is_reference else rounded(gap.estimate),
        "low": None if is_reference else rounded(gap.low),
        "high": None if is_reference else rounded(gap.high),
        "alpha_difference": None if is_reference or steady is None else rounded(steady.alpha_difference.estimate),
        "alpha_low": None if is_reference or steady is None else rounded(steady.alpha_difference.low),
        "alpha_high": None if is_reference or steady is None else rounded(steady.alpha_difference.high),
        "weakest_class": weakest,
        "weakest_recall": rounded(classes[weakest].recall.estimate),
        "gold_labels": rows_and_gold(study, source)[1],
        "cost": rounded(money_spent(study, source)),
        "converged": length.converged,
        "late_gain": rounded(length.gain),
        "gain_to_come": rounded(length.to_come),
        "last_below_best": rounded(length.below_best),
        "fit": rounded(length.fit),
        "steps": round(length.steps),
        "failed_runs": len(failed_seeds(study)[source]),
        "alpha_without_failed": None if steady is None else rounded(steady.without_failed),
    }
