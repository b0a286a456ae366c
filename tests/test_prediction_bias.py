"""Which classes are predicted too often: hand-worked shares, a world with a bias and one without."""

import numpy as np
import pytest
from evidence_worlds import certain, evidence_of

from labelrisk.explanations.prediction_bias import NOT_DECIDED, bias_of, prediction_bias
from labelrisk.statistics.scores import confusion

GOLD = np.repeat([0, 1, 2], [500, 300, 200])


def drawn(to_first, seeds=5, errors=0.1, gold=GOLD):
    """Runs that err on some rows; of these a share says the first class, the others any."""
    generator = np.random.default_rng(1)
    wrong = generator.random((seeds, len(gold))) < errors
    any_class = generator.choice(3, p=[0.5, 0.3, 0.2], size=wrong.shape)
    other = np.where(generator.random(wrong.shape) < to_first, 0, any_class)
    return certain(np.where(wrong, other, gold), 3)


def test_the_bias_of_a_class_is_worked_by_hand():
    gold, predicted = np.array([0, 0, 1, 1, 2]), np.array([0, 1, 1, 1, -1])
    counts = confusion(gold, predicted, 3)
    assert [float(bias_of(code)(counts)) for code in range(3)] == pytest.approx([-0.2, 0.2, -0.2])


def test_a_bias_is_found_and_told_from_what_students_of_gold_do_too():
    world = evidence_of(
        GOLD,
        {"gold": drawn(0.0), "llm": drawn(1.0, errors=0.4)},
        classes=3,
        annotators={"llm": certain(np.where(np.arange(1000) % 4 == 0, 0, GOLD), 3)},
    )
    found = prediction_bias(world)
    table = found.tables[""].set_index(["name", "kind", "class"])
    first = table.loc["llm", "students", "class_0"]
    # of the 500 rows of other classes, 40 % become the first: a fifth of all rows
    assert first["bias"] == pytest.approx(0.2, abs=0.03)
    assert first["low"] < 0.2 < first["high"]
    assert first["decision"] == "too often"
    assert first["predicted_share"] == pytest.approx(0.5 + first["bias"])
    annotator = table.loc["llm", "annotator", "class_0"]
    assert annotator["bias"] == pytest.approx(0.125)  # a quarter of the other 500 rows
    assert annotator["decision"] == "too often"
    assert any("Students of llm say 'class_0' too often" in says for says in found.says)
    assert any("say 'class_0' more often than those of gold do" in says for says in found.says)
    assert found.metrics["biases"]["llm"]["class"] == "class_0"
    assert found.metrics["biases"]["llm directly"]["class"] == "class_0"


def test_errors_that_keep_the_shares_are_no_bias():
    world = evidence_of(GOLD, {"gold": drawn(0.0), "llm": drawn(0.0, errors=0.4)}, classes=3)
    found = prediction_bias(world)
    assert found.says == [NOT_DECIDED]
    assert set(found.tables[""]["decision"]) <= {"little", "not decided"}


def test_missing_labels_are_of_no_class_and_a_class_without_gold_can_be_said_too_often():
    gold = np.repeat([0, 1], [60, 60])
    said = np.where(np.arange(120) % 3 == 0, 2, gold)
    world = evidence_of(gold, {"gold": certain(np.stack([gold]), 3), "llm": certain(np.stack([said]), 3)}, classes=3,
                        annotators={"llm": np.full(120, -1) + (np.arange(120) < 30)})  # fmt: skip
    table = prediction_bias(world).tables[""].set_index(["name", "kind", "class"])
    assert table.loc["llm", "students", "class_2"]["true_share"] == 0
    assert table.loc["llm", "students", "class_2"]["bias"] == pytest.approx(1 / 3)
    assert table.loc["llm", "annotator", "class_0"]["predicted_share"] == pytest.approx(0.25)
