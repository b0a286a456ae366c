"""Calibration: errors without their bias, scores, bands and temperatures; worlds in which the truth is known."""

from dataclasses import replace
from types import MappingProxyType

import numpy as np
import pandas as pd
import pytest
from evidence_worlds import certain, evidence_of
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss, log_loss

from labelrisk.explanations.calibration.explanation import calibration
from labelrisk.explanations.evidence import Given
from labelrisk.sources.learning import at_temperature, temperature
from labelrisk.statistics.bins import equal_mass
from labelrisk.statistics.calibration import (
    TopLabels,
    binned_errors,
    brier_rows,
    log_loss_rows,
    log_temperature_influences,
    reliability,
    top_labels,
)
from labelrisk.statistics.shares import wilson

BINS, LEAST = 15, 20


def softmax(logits):
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def drawn(probabilities, generator):
    """Labels drawn from these probabilities: (..., N, K) -> (..., N)."""
    return (probabilities.cumsum(axis=-1) < generator.random((*probabilities.shape[:-1], 1))).sum(axis=-1)


def test_bins_hold_as_many_rows_each_and_never_part_equal_values():
    assert equal_mass(np.arange(6.0), 3).tolist() == [0, 0, 1, 1, 2, 2]
    assert equal_mass(np.array([0.5, 1, 1, 1, 1, 1]), 3).tolist() == [0, 1, 1, 1, 1, 1]
    assert equal_mass(np.full(4, 0.7), 3).tolist() == [0] * 4
    assert equal_mass(np.arange(7.0), 7, least=3).tolist() == [0, 0, 0, 1, 1, 1, 1]
    assert equal_mass(np.arange(2.0), 5, least=3).tolist() == [0, 0]


def test_calibration_errors_by_hand():
    # two bins: residuals .4 and -.6, .1 and .1; sums -.2 and .2, squares .52 and .02
    top = TopLabels(np.array([0.6, 0.6, 0.9, 0.9]), np.array([1.0, 0, 1, 1]))
    found = binned_errors(top, 2, 1)
    assert found.plain == pytest.approx((0.2 + 0.2) / 4)
    assert found.squared == pytest.approx(((0.04 - 0.52) + (0.04 - 0.02)) / 4)
    assert found.by_chance == pytest.approx((np.sqrt(2 / np.pi * 0.48) + np.sqrt(2 / np.pi * 0.18)) / 4)


def test_with_equal_confidences_in_a_bin_it_is_the_estimator_of_kumar_and_others():
    generator = np.random.default_rng(0)
    confidence = np.repeat([0.5, 0.7, 0.9], [40, 30, 50])
    right = (generator.random(120) < confidence - 0.1).astype(float)
    expected = 0.0
    for value in np.unique(confidence):  # of section 4: p (s - y)^2 - p y (1 - y) / (n - 1)
        inside = right[confidence == value]
        mean, number = inside.mean(), len(inside)
        expected += number / 120 * ((value - mean) ** 2 - mean * (1 - mean) / (number - 1))
    assert binned_errors(TopLabels(confidence, right), 50, 3).squared == pytest.approx(expected)


def test_influences_are_delete_one_values():
    generator = np.random.default_rng(1)
    confidence = np.repeat([0.4, 0.6, 0.8, 0.95], [8, 12, 10, 15])
    right = (generator.random(45) < confidence).astype(float)
    found = binned_errors(TopLabels(confidence, right), 40, 3)
    without = np.array(
        [
            binned_errors(TopLabels(np.delete(confidence, row), np.delete(right, row)), 40, 3).squared
            for row in range(45)
        ]
    )
    expected = 44 * (found.squared - without)
    assert found.influences == pytest.approx(expected - expected.mean())


def test_where_confidences_are_right_the_plain_error_is_not_zero_and_the_corrected_one_is_on_average():
    generator = np.random.default_rng(2)
    worlds = []
    for _ in range(1500):
        confidence = generator.uniform(0.5, 1, 400)
        worlds.append(binned_errors(TopLabels(confidence, (generator.random(400) < confidence).astype(float)), 15, 20))
    squared = np.array([one.squared for one in worlds])
    error = squared.std() / np.sqrt(len(squared))
    assert abs(squared.mean()) < 3 * error < 0.0002
    roots = np.sign(squared) * np.sqrt(np.abs(squared))
    plain = np.mean([one.plain for one in worlds])
    assert abs(roots.mean()) < 0.005
    assert plain > 0.05
    assert plain == pytest.approx(np.mean([one.by_chance for one in worlds]), rel=0.02)


def test_where_confidences_are_ten_points_too_high_the_error_is_ten_points():
    generator = np.random.default_rng(3)
    squared, plain = [], []
    for _ in range(400):
        confidence = generator.uniform(0.6, 1, 400)
        right = (generator.random(400) < confidence - 0.1).astype(float)
        found = binned_errors(TopLabels(confidence, right), 15, 20)
        squared.append(found.squared)
        plain.append(found.plain)
    assert np.mean(squared) == pytest.approx(0.01, abs=3 * np.std(squared) / 20)
    assert np.mean(plain) > 0.105


@pytest.mark.parametrize("classes", [2, 4])
def test_scores_are_those_of_scikit_learn(classes):
    generator = np.random.default_rng(4)
    probabilities = softmax(generator.standard_normal((300, classes)))
    gold = generator.integers(0, classes, 300)
    labels = list(range(classes))
    brier = brier_score_loss(gold, probabilities, labels=labels, scale_by_half=False)
    assert brier_rows(probabilities, gold).mean() == pytest.approx(brier)
    assert log_loss_rows(probabilities, gold).mean() == pytest.approx(log_loss(gold, probabilities, labels=labels))
    assert log_loss_rows(np.array([[0.0, 1.0]]), np.array([0])) == pytest.approx([-np.log(1e-6)])


def test_a_reliability_curve_of_one_run_is_scikit_learns_with_wilsons_band():
    generator = np.random.default_rng(5)
    probabilities = softmax(2 * generator.standard_normal((1004, 3)))
    gold = generator.integers(0, 3, 1004)
    top = top_labels(probabilities, gold)
    found = reliability(TopLabels(*(part[None] for part in top)), 10, 20, 0.95)
    accuracy, confidence = calibration_curve(top.right, top.confidence, n_bins=10, strategy="quantile")
    assert [one.accuracy for one in found] == pytest.approx(accuracy.tolist())
    assert [one.confidence for one in found] == pytest.approx(confidence.tolist())
    for one in found:
        assert (one.accuracy, one.low, one.high) == pytest.approx(
            wilson(round(one.accuracy * one.rows), one.rows, 0.95)
        )


def test_runs_that_say_the_same_make_no_band_narrower():
    generator = np.random.default_rng(6)
    confidence = generator.uniform(0.5, 1, 300)
    right = (generator.random(300) < confidence).astype(float)
    one = reliability(TopLabels(confidence[None], right[None]), 5, 20, 0.95)
    four = reliability(TopLabels(np.stack([confidence] * 4), np.stack([right] * 4)), 5, 20, 0.95)
    assert [bin.rows for bin in four] == [4 * bin.rows for bin in one]
    assert [bin[2:] for bin in four] == [pytest.approx(bin[2:]) for bin in one]
    others = (generator.random((4, 300)) < confidence).astype(float)  # of their own chance: worth more
    apart = reliability(TopLabels(np.stack([confidence] * 4), others), 5, 20, 0.95)
    widths = [np.mean([bin.high - bin.low for bin in curve]) for curve in (one, apart)]
    assert widths[1] < 0.75 * widths[0]


def test_all_right_or_all_wrong_has_a_band_of_wilson_over_rows():
    top = TopLabels(np.full((2, 30), 0.9), np.ones((2, 30)))
    (found,) = reliability(top, 15, 20, 0.95)
    assert (found.accuracy, found.low, found.high) == pytest.approx(wilson(30, 30, 0.95))


def test_influences_on_the_temperature_are_delete_one_values():
    generator = np.random.default_rng(7)
    true = softmax(generator.standard_normal((120, 3)))
    gold = drawn(true, generator)
    sharp = at_temperature(true, 0.5)
    heat = temperature(sharp, gold)
    found = log_temperature_influences(at_temperature(sharp, heat), gold)
    assert found.mean() == pytest.approx(0, abs=1e-3)
    without = [np.log(temperature(np.delete(sharp, row, 0), np.delete(gold, row))) for row in range(120)]
    expected = 119 * (np.log(heat) - np.array(without))
    assert np.corrcoef(found, expected)[0, 1] > 0.999
    assert found.std() == pytest.approx(expected.std(), rel=0.05)
    assert np.isnan(log_temperature_influences(np.full((5, 2), 0.5), np.zeros(5, dtype=int))).all()


def world(rows=800, seeds=4, classes=3, heats=(1.0, 1.0), annotator=1.0, validation=400, seed=0, absent=None):
    """Students of gold and llm, llm, that are right as often as probabilities at these temperatures say.

    heats: 1 / 3 makes the logits of a source's students three times as large as they should be.
    """
    generator = np.random.default_rng(seed)
    weights = np.ones(classes)
    if absent is not None:
        weights[absent] = 0

    def split(number):
        signal = 1.5 * generator.standard_normal((number, classes))
        probabilities = softmax(signal) * weights
        gold = drawn(probabilities / probabilities.sum(axis=1, keepdims=True), generator)
        return signal, gold

    def said(signal, heat, runs):
        noise = 1e-3 * generator.standard_normal((runs, *signal.shape))
        return softmax((signal + noise) / heat).astype(np.float32)

    (signal, gold), (more, more_gold) = split(rows), split(validation)
    students = {name: said(signal, heat, seeds) for name, heat in zip(("gold", "llm"), heats, strict=True)}
    on_validation = {name: said(more, heat, seeds) for name, heat in zip(("gold", "llm"), heats, strict=True)}
    found = evidence_of(
        gold, students, classes=classes, annotators={"llm": said(signal, annotator, 1)[0]},
        validation_gold=more_gold, validation=on_validation,
    )  # fmt: skip
    codes = said(more, annotator, 1)[0].astype(np.float64)
    given = {**found.given, "validation": {"llm": Given(codes.argmax(axis=1), codes)}}
    return replace(found, given=MappingProxyType(given))


def said_of(found, words):
    return next(one for one in found.says if words in one)


def test_students_that_are_three_times_too_sure_are_found_and_cured_by_their_temperature():
    found = calibration(world(heats=(1.0, 1 / 3), annotator=0.5))
    gold, llm = (found.metrics["systems"]["students"][name] for name in ("gold", "llm"))
    assert gold["as_they_are"]["overconfidence"]["low"] < 0 < gold["as_they_are"]["overconfidence"]["high"]
    assert llm["as_they_are"]["overconfidence"]["low"] > 0.15
    assert llm["temperature"]["low"] < 3 < llm["temperature"]["high"]
    assert gold["temperature"]["low"] < 1 < gold["temperature"]["high"]
    assert llm["tempered"]["overconfidence"]["low"] < 0 < llm["tempered"]["overconfidence"]["high"]
    assert llm["change"]["log_loss"]["high"] < -0.3
    assert abs(gold["change"]["log_loss"]["estimate"]) < 0.02
    assert llm["as_they_are"]["calibration_error"]["low"] > 0.15
    assert gold["as_they_are"]["calibration_error"]["low"] == 0.0
    assert llm["tempered"]["calibration_error"]["low"] == 0.0
    against = found.metrics["overconfidence_against_reference"]["llm"]
    assert against["low"] > 0.15
    assert against["p_holm"] < 0.001
    assert "students of llm, by +" in said_of(found, "Surely more overconfident than those of gold")
    assert "llm" in said_of(found, "Surely overconfident")
    annotator = found.metrics["systems"]["annotator"]["llm"]
    assert annotator["temperature"]["low"] < 2 < annotator["temperature"]["high"]
    claim = found.claims["llm"]["annotator_badly_calibrated"]
    assert claim.finding == "holds"
    assert claim.low > 0.02


def test_where_all_probabilities_are_right_nothing_is_found():
    found = calibration(world(rows=4000))
    assert said_of(found, "Of no source are students surely over- or underconfident")
    assert not any("Surely" in one for one in found.says)
    assert all(one["p_holm"] > 0.05 for one in found.metrics["overconfidence_of_students"].values())
    assert found.claims["llm"]["annotator_badly_calibrated"].finding != "holds"
    with_rows = calibration(world(rows=12000, seed=1)).claims["llm"]["annotator_badly_calibrated"]
    assert with_rows.finding == "does not hold"


def test_metrics_are_means_over_seeds_and_tables_hold_them():
    evidence = world(rows=300, heats=(0.5, 1.0))
    found = calibration(evidence)
    gold, probabilities = evidence.study.test.gold, evidence.study.students["gold"].probabilities
    table = found.tables[""].set_index(["system", "kind", "state", "measure"])["estimate"]
    as_is = found.metrics["systems"]["students"]["gold"]["as_they_are"]
    exact = [run / run.sum(axis=1, keepdims=True) for run in probabilities.astype(np.float64)]
    expected = np.mean([log_loss(gold, run, labels=[0, 1, 2]) for run in exact])
    assert as_is["log_loss"]["estimate"] == pytest.approx(expected, abs=1e-4)
    assert table["gold", "students", "as they are", "log_loss"] == pytest.approx(expected, abs=1e-6)
    top = top_labels(probabilities, gold)
    assert as_is["overconfidence"]["estimate"] == pytest.approx((top.confidence - top.right).mean(), abs=1e-4)
    plain = np.mean([binned_errors(TopLabels(*run), BINS, LEAST).plain for run in zip(*top, strict=True)])
    assert as_is["plain_ece"] == pytest.approx(plain, abs=1e-4)
    vote = found.metrics["systems"]["vote of seeds"]["gold"]["as_they_are"]
    mean = probabilities.astype(np.float64).mean(axis=0)
    assert vote["brier"]["estimate"] == pytest.approx(brier_rows(mean, gold).mean(), abs=1e-4)
    curve = found.tables["reliability"]
    mine = curve[(curve["system"] == "gold") & (curve["kind"] == "students") & (curve["state"] == "as they are")]
    assert mine["rows"].sum() == 4 * 300
    heat = temperature(evidence.study.students["gold"].validation[0].astype(np.float64), evidence.study.validation.gold)
    assert table["gold", "students", "tempered", "temperature"] == pytest.approx(heat, rel=0.02)


def test_gold_of_test_rows_moves_no_temperature():
    evidence = world(rows=200)
    other = (evidence.study.test.gold + 1) % 3
    moved = replace(evidence, study=replace(evidence.study, test=replace(evidence.study.test, gold=other)))
    heats = [
        {name: one["temperature"] for name, one in calibration(of).metrics["systems"]["students"].items()}
        for of in (evidence, moved)
    ]
    assert heats[0] == heats[1]


def test_a_validation_row_that_a_source_says_nothing_of_is_left_out():
    evidence = world(rows=200)
    students = dict(evidence.study.students)
    holes = students["llm"].validation.copy()
    holes[:, ::2] = np.nan
    students["llm"] = replace(students["llm"], validation=holes)
    found = calibration(replace(evidence, study=replace(evidence.study, students=students)))
    llm = found.metrics["systems"]["students"]["llm"]
    assert llm["validation_rows"] == 200
    known = holes[0, 1::2].astype(np.float64)
    expected = temperature(known, evidence.study.validation.gold[1::2])
    assert llm["temperature"]["estimate"] == pytest.approx(expected, rel=0.02)
    whole = found.metrics["systems"]["students"]["gold"]["temperature"]
    assert llm["temperature"]["high"] - llm["temperature"]["low"] > 1.2 * (whole["high"] - whole["low"])


def test_with_few_validation_rows_there_is_no_temperature_and_a_sentence_says_so():
    found = calibration(world(rows=200, validation=49))
    assert "temperature" not in found.metrics["systems"]["students"]["gold"]
    assert set(found.tables["reliability"]["state"]) == {"as they are"}
    assert "49 validation rows have gold and probabilities, and it takes 50." in said_of(found, "No temperature")


def test_an_annotator_without_probabilities_is_named():
    generator = np.random.default_rng(0)
    gold = generator.integers(0, 2, 100)
    students = {name: softmax(generator.standard_normal((2, 100, 2))).astype(np.float32) for name in ("gold", "llm")}
    found = calibration(evidence_of(gold, students, classes=2, annotators={"llm": gold}))
    assert found.says[-1] == "Without probabilities of enough test rows to tell: llm."
    claim = found.claims["llm"]["annotator_badly_calibrated"]
    assert (claim.finding, claim.because) == ("not decided here", "llm gives no probabilities of enough test rows.")
    assert "annotator" not in found.metrics["systems"]


def test_rows_without_an_annotators_probabilities_are_left_out_of_it():
    evidence = world(rows=200)
    given = evidence.given["test"]["llm"].probabilities.copy()
    given[:50] = np.nan
    test = {"llm": Given(evidence.given["test"]["llm"].codes, given)}
    found = calibration(replace(evidence, given={**evidence.given, "test": test}))
    of_annotator = found.metrics["systems"]["annotator"]["llm"]
    assert of_annotator["rows"] == 150
    expected = log_loss_rows(given[50:], evidence.study.test.gold[50:]).mean()
    assert of_annotator["as_they_are"]["log_loss"]["estimate"] == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("changes", [{"seeds": 1}, {"classes": 2}, {"absent": 2, "classes": 3}])
def test_one_seed_two_classes_or_a_class_without_test_rows(changes, tmp_path):
    found = calibration(world(rows=150, **changes))
    assert ("With one seed there is no vote of seeds to calibrate." in found.says) == (changes.get("seeds") == 1)
    assert isinstance(found.tables[""], pd.DataFrame)
    found.pictures[""](tmp_path / "calibration.png")
    assert (tmp_path / "calibration.png").stat().st_size > 10_000
    gold = found.metrics["systems"]["students"]["gold"]["as_they_are"]
    assert gold["brier"]["low"] < gold["brier"]["estimate"] < gold["brier"]["high"]


def test_students_that_are_always_right_and_equally_sure_have_no_invented_interval():
    gold = np.arange(60) % 3
    sure = certain(np.stack([gold] * 3), 3, 0.9)
    found = calibration(evidence_of(gold, {"gold": sure, "llm": sure}, classes=3, annotators={"llm": gold}))
    as_is = found.metrics["systems"]["students"]["gold"]["as_they_are"]
    assert as_is["overconfidence"] == {"estimate": -0.1, "low": -0.1, "high": -0.1}
    assert as_is["calibration_error"]["estimate"] == 0.1
    assert found.metrics["overconfidence_of_students"] == {}
