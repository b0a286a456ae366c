"""Sampling designs: the probabilities that are stored are the ones by which rows are drawn."""

import numpy as np
import pandas as pd
import pytest

from labelrisk.coders.samples import draw_sample, without_earlier
from labelrisk.coders.sampling_designs import (
    draw,
    equal_allocation,
    inclusion_probabilities,
    systematic_draw,
    uncertainty_sizes,
)
from labelrisk.errors import LabelRiskError

ENTROPIES = np.array([0.0, 0.1, 0.2, 0.3, 0.5, 0.6, 0.69, np.nan, 0.0, 0.05, 0.4, 0.65])
LABELS = np.array(["a", "a", "a", "a", "a", "a", "a", "b", "b", "b", None, None], dtype=object)


def population() -> pd.DataFrame:
    rows = {"id": [f"{row:016x}" for row in range(12)], "text": [f"text {row}" for row in range(12)], "split": "train"}
    return pd.DataFrame(rows | {"label": LABELS, "entropy": ENTROPIES})


@pytest.mark.parametrize(
    ("capacities", "rows", "sizes"),
    [
        ([5, 5, 5], 6, [2, 2, 2]),
        ([5, 5, 5], 7, [3, 2, 2]),
        ([10, 2, 1], 9, [6, 2, 1]),
        ([3, 3], 6, [3, 3]),
        ([7, 3, 2], 8, [3, 3, 2]),
    ],
)
def test_strata_share_equally_where_they_can(capacities, rows, sizes):
    assert equal_allocation(capacities, rows) == sizes


def test_inclusion_probabilities_by_hand():
    # 3 of sizes 10, 4, 4, 1, 1: the first would have 1.5, so it is certain; the others share 2 rows: 2 * z / 10.
    found = inclusion_probabilities(np.array([10.0, 4, 4, 1, 1]), 3)
    assert found == pytest.approx([1, 0.8, 0.8, 0.2, 0.2])
    # 3 of 6, 3, 1, 1: 18 / 11 is certain, then 2 * 3 / 5 is, and the last two share one row.
    assert inclusion_probabilities(np.array([6.0, 3, 1, 1]), 3) == pytest.approx([1, 1, 0.5, 0.5])
    assert inclusion_probabilities(np.array([5.0, 1, 1]), 3) == pytest.approx([1, 1, 1])


def test_every_row_has_a_chance_and_a_row_without_entropy_the_largest():
    sizes = uncertainty_sizes(ENTROPIES, 2)
    assert sizes.min() == pytest.approx(0.1 * np.log(2))
    assert np.argmax(sizes) == 7
    assert sizes[7] == pytest.approx(1.1 * np.log(2))


def test_systematic_draws_have_the_number_of_rows_and_certain_rows():
    generator = np.random.default_rng(0)
    for _ in range(200):
        probabilities = inclusion_probabilities(generator.exponential(size=50) ** 3, 20)
        assert probabilities.sum() == pytest.approx(20)
        drawn = systematic_draw(probabilities, generator)
        assert len(drawn) == len(set(drawn)) == 20
        assert set(np.flatnonzero(probabilities == 1)) <= set(drawn)


@pytest.mark.parametrize("design", ["random", "stratified", "uncertainty"])
def test_stored_probabilities_are_true(design):
    """Over many draws each row is drawn as often as its probability says, and 1 / pi weights give the true total."""
    generator = np.random.default_rng(1)
    values = np.arange(12.0) ** 2
    draws, times, totals = 8000, np.zeros(12), []
    for _ in range(draws):
        drawn, probabilities = draw(design, 6, list(LABELS), ENTROPIES, 2, generator)
        assert len(set(drawn)) == 6
        times[drawn] += 1
        totals.append((values[drawn] / probabilities[drawn]).sum())
    assert (probabilities > 0).all()
    errors = np.sqrt(probabilities * (1 - probabilities) / draws)
    assert np.abs(times / draws - probabilities).max() < 4.5 * errors.max()
    assert times[probabilities == 1] == pytest.approx(draws)
    assert abs(np.mean(totals) - values.sum()) < 4.5 * np.std(totals) / np.sqrt(draws)


def test_stratified_rows_are_equal_by_label_and_no_label_is_a_stratum():
    sample = draw_sample(population(), "stratified", 6, 2, 0, seed=3)
    labels = population().set_index("id").loc[sample["id"], "label"].fillna("none")
    assert labels.value_counts().to_dict() == {"a": 2, "b": 2, "none": 2}
    by_label = dict(zip(labels, sample["sampling_probability"], strict=True))
    assert by_label == pytest.approx({"a": 2 / 7, "b": 2 / 3, "none": 1})


def test_a_seed_gives_the_same_sample_and_the_held_out_share():
    one, again, other = (draw_sample(population(), "uncertainty", 10, 2, 0.3, seed) for seed in (5, 5, 6))
    pd.testing.assert_frame_equal(one, again)
    assert list(one["id"]) != list(other["id"])
    assert one["part"].value_counts().to_dict() == {"edit": 7, "held_out": 3}
    assert (one["label"] == "").all()


def test_the_order_of_the_file_does_not_show_the_stratum():
    first = [draw_sample(population(), "stratified", 6, 2, 0, seed)["annotator_label"].iloc[0] for seed in range(60)]
    assert set(first) == {"a", "b", ""}


def test_earlier_rows_are_not_drawn_again():
    earlier = draw_sample(population(), "random", 5, 2, 0, 0)
    left = without_earlier(population(), set(earlier["id"]))
    later = draw_sample(left, "random", 7, 2, 0, 0)
    assert not set(earlier["id"]) & set(later["id"])
    assert (later["sampling_probability"] == 1).all()


@pytest.mark.parametrize(
    ("design", "rows", "holdout", "says"),
    [
        ("random", 13, 0, "there are 12 rows to draw from"),
        ("random", 0, 0, "ask for 1 to that"),
        ("random", 5, 1.0, "a share of the drawn rows"),
        ("random", 5, 0.05, "part held_out without rows"),
        ("random", 5, 0.95, "part edit without rows"),
        ("stratified", 2, 0, "make 3 strata"),
    ],
)
def test_what_can_not_be_drawn_is_one_sentence(design, rows, holdout, says):
    with pytest.raises(LabelRiskError, match=says):
        draw_sample(population(), design, rows, 2, holdout, 0)


def test_uncertainty_without_any_entropy_is_refused():
    with pytest.raises(LabelRiskError, match="gave no entropy to any row"):
        draw_sample(population().assign(entropy=np.nan), "uncertainty", 4, 2, 0, 0)
