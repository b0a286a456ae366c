"""How an annotator's errors reach its students: numbers by hand, against references, and in worlds that are known."""

import json
from dataclasses import replace

import numpy as np
import pytest
from evidence_worlds import certain, evidence_of
from pydantic import ValidationError
from scipy.stats import entropy as scipy_entropy
from sklearn.metrics import cohen_kappa_score, roc_auc_score
from sklearn.neighbors import NearestNeighbors

from labelrisk.explanations.contract import outputs
from labelrisk.explanations.propagation.annotator_errors import annotators_errors
from labelrisk.explanations.propagation.chance import predictability
from labelrisk.explanations.propagation.explanation import NOBODY, propagation
from labelrisk.explanations.propagation.followed_errors import followed_errors
from labelrisk.explanations.propagation.look_alike_errors import neighbourhoods
from labelrisk.explanations.propagation.parts import entropy, quantile_parts
from labelrisk.explanations.propagation.terms import terms_of
from labelrisk.settings.propagation import PropagationSettings
from labelrisk.statistics.divergences import divergence_terms, log_losses, smoothed
from labelrisk.statistics.error_propagation import error_consistency, errors_of, repeats_beyond_chance, transitions
from labelrisk.statistics.influence import row_influences
from labelrisk.statistics.intervals import rows_interval
from labelrisk.statistics.look_alikes import nearest_rows
from labelrisk.statistics.predictability import auc_within
from labelrisk.statistics.row_means import mean_variances, share_interval
from labelrisk.statistics.run_variances import RunVariances
from labelrisk.statistics.scores import accuracy, confusion

GENERATOR_SEED = 7
CONFUSED = {"annotator": "llm", "labels": "gold", "noise": "confusion"}


# ---- statistics ----


def test_repeats_and_chance_by_hand():
    """Gold 0 0 0 0 1 1, annotator 1 1 0 - 1 0: wrong on rows 0, 1 and 5.

    The student says 1 0 1 0 1 0: it repeats rows 0 and 5.  Of gold 0 it says 1 on half of the rows, and the annotator's
    two errors there are 1; of gold 1 it says 0 on half, the annotator's one error there: (1/2 + 1/2 + 1/2) / 3.
    """
    gold, given = np.array([0, 0, 0, 0, 1, 1]), np.array([1, 1, 0, -1, 1, 0])
    found = repeats_beyond_chance(gold, given, np.array([[1, 0, 1, 0, 1, 0]]), 2)
    assert errors_of(gold, given).tolist() == [True, True, False, False, False, True]
    assert found.repeated == pytest.approx([2 / 3])
    assert found.chance == pytest.approx([1 / 2])


def test_values_without_a_row_are_those_of_the_other_rows_alone():
    generator = np.random.default_rng(0)
    gold = np.sort(generator.integers(0, 4, 60))
    given = np.where(generator.random(60) < 0.5, generator.integers(0, 4, 60), gold)
    given[[3, 30]] = -1
    gold[-1] = 4  # a class of one row
    runs = np.where(generator.random((3, 60)) < 0.6, generator.integers(0, 5, (3, 60)), given.clip(0))
    found = repeats_beyond_chance(gold, given, runs, 5)
    for row in range(60):
        left = np.arange(60) != row
        other = repeats_beyond_chance(gold[left], given[left], runs[:, left], 5)
        difference = (found.repeated - found.chance) - (other.repeated - other.chance)
        assert found.influences[:, row] == pytest.approx(59 * difference, abs=1e-9)


def test_error_consistency_is_cohens_kappa_of_being_right():
    generator = np.random.default_rng(1)
    one, other = generator.integers(0, 2, (2, 80))
    found = error_consistency(np.stack([confusion(one, other, 2), confusion(one, one, 2)]))
    assert found == pytest.approx([cohen_kappa_score(one, other), 1.0])
    assert np.isnan(error_consistency(confusion(np.ones(5, dtype=int), np.ones(5, dtype=int), 2)))


def test_transitions_by_hand():
    found = transitions(np.array([0, 0, 1, 0]), np.array([1, 1, -1, 0]), np.array([[1, 0, 0, 0], [1, 1, 1, 0]]), 2)
    assert found.shape == (2, 2, 3, 2)
    assert found.mean(axis=0)[0, 1].tolist() == [0.5, 1.5]  # gold 0, given 1
    assert found.mean(axis=0)[1, 2].tolist() == [0.5, 0.5]  # gold 1, no label
    assert found.sum() == 8


def test_terms_by_hand_and_by_scipy():
    """One row: gold 0, annotator (.5, .5), student (.25, .75): -log .25 = log 2 + estimation + remainder."""
    found = divergence_terms(np.array([0]), np.array([[0.5, 0.5]]), np.array([[[0.25, 0.75]]], dtype=np.float32))
    assert found.total[0, 0] == pytest.approx(np.log(4))
    assert found.annotator == pytest.approx([np.log(2)])
    assert found.estimation[0, 0] == pytest.approx(0.5 * np.log(2) + 0.5 * np.log(2 / 3))
    generator = np.random.default_rng(2)
    given, runs = generator.dirichlet(np.ones(4), 50), generator.dirichlet(np.ones(4), (3, 50))
    gold = generator.integers(0, 4, 50)
    found = divergence_terms(gold, given, runs)
    assert found.estimation == pytest.approx(np.stack([scipy_entropy(given, run, axis=1) for run in runs]))
    true = np.eye(4)[gold]  # the cross term, written out
    cross = ((true - given) * (np.log(given) - np.log(runs))).sum(axis=-1)
    assert found.remainder == pytest.approx(cross)
    assert found.total == pytest.approx(log_losses(gold, runs))


def test_the_remainder_does_not_hang_on_what_is_uncertain_in_gold():
    """Gold drawn from P: the mean remainder is that of P itself, while the total is too high by the entropy of P."""
    generator = np.random.default_rng(3)
    true, given, student = np.array([0.6, 0.3, 0.1]), np.array([0.4, 0.4, 0.2]), np.array([0.3, 0.3, 0.4])
    gold = generator.choice(3, 200_000, p=true)
    found = divergence_terms(gold, np.tile(given, (len(gold), 1)), np.tile(student, (1, len(gold), 1)))
    assert found.remainder.mean() == pytest.approx(((true - given) * np.log(given / student)).sum(), abs=0.005)
    assert found.total.mean() - scipy_entropy(true, student) == pytest.approx(scipy_entropy(true), abs=0.005)
    assert found.annotator.mean() - scipy_entropy(true, given) == pytest.approx(scipy_entropy(true), abs=0.005)


def test_smoothing_leaves_no_zero_and_sums_to_one():
    found = smoothed(np.array([[1.0, 0.0, 0.0, 0.0]]), 0.04)
    assert found[0].tolist() == pytest.approx([0.97, 0.01, 0.01, 0.01])
    impossible = np.array([[[0.0, 1.0]]], dtype=np.float32)
    assert log_losses(np.array([0]), impossible)[0, 0] == pytest.approx(np.log(1e12))


@pytest.mark.parametrize("digits", [1, 8])  # with ties, without
def test_auc_of_one_cell_is_that_of_scikit_learn(digits):
    generator = np.random.default_rng(4)
    events = generator.random(90) < 0.3
    scores = np.round(generator.random(90) + 0.3 * events, digits)
    found = auc_within(scores, events, np.zeros(90, dtype=int), 0.95)
    assert found.estimate == pytest.approx(roc_auc_score(events, scores))


def test_auc_within_cells_by_hand_and_without_each_row():
    """Cells: two of 2 events and 2 others with AUC 1 and 1/4, one of no event: equal weights."""
    scores = np.array([3.0, 4.0, 1.0, 2.0, 2.0, 4.0, 3.0, 5.0, 9.0])
    events = np.array([1, 1, 0, 0, 1, 1, 0, 0, 0]) == 1
    cells = np.array([0, 0, 0, 0, 1, 1, 1, 1, 2])
    assert auc_within(scores, events, cells, 0.95).estimate == pytest.approx(5 / 8)
    generator = np.random.default_rng(5)
    events, cells = generator.random(70) < 0.4, generator.integers(0, 6, 70)
    scores = np.round(generator.random(70) + 0.2 * events, 1)
    whole = auc_within(scores, events, cells, 0.95)
    used = [row for row in range(70) if 0 < events[cells == cells[row]].sum() < (cells == cells[row]).sum()]
    left = [np.arange(70) != row for row in used]
    without = np.array([auc_within(scores[r], events[r], cells[r], 0.95).estimate for r in left])
    values = (len(used) - 1) * (whole.estimate - without)
    assert whole.error == pytest.approx(rows_interval(0, values - values.mean(), 0.95).error)
    assert np.isnan(auc_within(scores, np.ones(70, dtype=bool), cells, 0.95).estimate)


def test_nearest_rows_are_those_of_scikit_learn(monkeypatch):
    monkeypatch.setattr("labelrisk.statistics.look_alikes.CELLS", 100)  # several blocks
    generator = np.random.default_rng(6)
    vectors, among = generator.standard_normal((31, 5)), generator.standard_normal((40, 5)) * 3
    wanted = NearestNeighbors(n_neighbors=7, metric="cosine").fit(among).kneighbors(vectors, return_distance=False)
    assert np.sort(nearest_rows(vectors, among, 7)).tolist() == np.sort(wanted).tolist()
    assert nearest_rows(vectors, among, 50).shape == (31, 40)


def test_of_rows_that_look_alike_the_first_are_the_nearest(monkeypatch):
    monkeypatch.setattr("labelrisk.statistics.look_alikes.CELLS", 500)  # several blocks
    generator = np.random.default_rng(3)
    kinds = generator.standard_normal((4, 6)).astype(np.float32)
    among, vectors = kinds[np.arange(200) % 4], kinds[generator.integers(0, 4, 50)]
    among = among * generator.uniform(0.5, 2, (200, 1)).astype(np.float32)  # so that cosines differ in a last digit
    vectors = vectors * np.float32(1e-3)
    found = np.sort(nearest_rows(vectors, among, 5))
    kind = (vectors[:, None] == kinds * np.float32(1e-3)).all(axis=2).argmax(axis=1)
    assert found.tolist() == (kind[:, None] + 4 * np.arange(5)).tolist()


def test_rows_that_look_more_alike_come_before_equal_ones():
    """Cosines 0, 0, 1, 0, 1 and 0: of three both ones, and the first of the others."""
    among = np.array([[0, 1], [0, 2], [1, 0], [0, 1], [3, 0], [0, 1]], dtype=np.float32)
    assert np.sort(nearest_rows(np.array([[2, 0]], dtype=np.float32), among, 3)).tolist() == [[0, 2, 4]]


def test_means_vary_as_accuracy_does():
    generator = np.random.default_rng(8)
    gold = generator.integers(0, 3, 100)
    runs = {name: np.where(generator.random((4, 100)) < 0.7, gold, 0) for name in ("a", "b")}
    counts = {name: np.stack([confusion(gold, run, 3) for run in of]) for name, of in runs.items()}
    by_counts = RunVariances(gold, runs, counts, accuracy).difference("a", "b", 0.95)
    by_means = mean_variances({name: of == gold for name, of in runs.items()}).difference("a", "b", 0.95)
    assert by_means == pytest.approx(by_counts)
    influences = row_influences(gold, runs["a"], counts["a"], accuracy)
    assert influences == pytest.approx((runs["a"] == gold) - (runs["a"] == gold).mean(axis=1, keepdims=True))


def test_a_share_without_any_variation_has_wilsons_interval():
    nothing = mean_variances({"a": np.zeros((3, 20))}).mean("a", 0.95)
    assert share_interval(nothing, 20, 0.95)[:3] == pytest.approx((0, 0, 0.1611), abs=1e-4)  # 1.96^2 / (20 + 1.96^2)
    some = mean_variances({"a": np.repeat([[1.0, 0.0]], [1, 19], axis=1)}).mean("a", 0.95)
    assert some.low < 0 == share_interval(some, 20, 0.95).low


def test_entropy_and_quantiles():
    probabilities = np.array([[1.0, 0.0], [0.5, 0.5], [0.2, 0.8], [np.nan, np.nan]])
    assert entropy(probabilities)[:3] == pytest.approx(scipy_entropy(probabilities[:3], axis=1))
    assert np.isnan(entropy(probabilities)[3])
    parts = quantile_parts("length", np.array([5.0, 1, 2, np.nan, 2, 2, 9]), 3, "{:.0f} words")
    assert [(part.name, part.rows.tolist()) for part in parts] == [("1 to 2 words", [1, 2, 4, 5]),
                                                                  ("5 to 9 words", [0, 6])]  # fmt: skip
    assert [part.name for part in quantile_parts("length", np.ones(4), 4, "{:.0f} words")] == ["1 words"]
    assert quantile_parts("length", np.full(3, np.nan), 4, "{:.0f} words") == []


# ---- worlds ----


def world(*, systematic=True, taught=True, seeds=5, rows=600, train_rows=900, share=0.3, classes=3, **more):
    """An annotator that is wrong on `share` of each class, and then says gold + 1: on the rows whose vectors point most
    to the first axis, or on as many at random.  One in five labels of its students, or of gold's where its own taught
    nothing, is drawn at random, and one in ten of those of gold's students.
    """
    generator = np.random.default_rng(GENERATOR_SEED)

    def draw(number):
        gold = generator.integers(0, classes, number)
        vectors = generator.standard_normal((number, 6))
        vectors[np.arange(number), 1 + gold] += 2
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        key = vectors[:, 0] if systematic else generator.random(number)
        wrong = np.zeros(number, dtype=bool)
        for code in range(classes):
            inside = np.flatnonzero(gold == code)
            wrong[inside[np.argsort(-key[inside])[: round(share * len(inside))]]] = True
        return gold, vectors, np.where(wrong, (gold + 1) % classes, gold)

    def spoilt(labels, rate):
        drawn = generator.integers(0, classes, (seeds, len(labels)))
        return np.where(generator.random(drawn.shape) < rate, drawn, labels)

    gold, vectors, given = draw(rows)
    train_gold, train_vectors, train_given = draw(train_rows)
    learned = given if taught else gold
    students = {"gold": certain(spoilt(gold, 0.1), classes), "plain": certain(spoilt(learned, 0.2), classes)}
    arguments = {
        "classes": classes, "annotators": {"llm": given}, "train_gold": train_gold, "vectors": vectors,
        "train_vectors": train_vectors, "train_annotators": {"llm": train_given},
        "training": {"plain": train_given}, "words": generator.integers(3, 60, rows),
    }  # fmt: skip
    return evidence_of(gold, students, **(arguments | more))


def found_in(evidence):
    (followed,), lacking = followed_errors(evidence)
    assert lacking == []
    return followed


def test_taught_errors_are_told_from_errors_of_the_students_own():
    taught, own = (found_in(world(taught=taught)).sources["plain"] for taught in (True, False))
    # 80 % are copied, and 1 in 3 labels drawn is the same by luck
    assert taught.repeats.repeated.own.estimate == pytest.approx(0.8 + 0.2 / 3, abs=0.02)
    assert taught.repeats.repeated.gold.estimate == pytest.approx(0.1 / 3, abs=0.02)
    assert taught.repeats.corrected.own.estimate == pytest.approx(0.2 / 3, abs=0.02)
    assert taught.repeats.invented.own.estimate == pytest.approx(0.2 * 2 / 3, abs=0.02)
    assert taught.taught.decision == "better"
    assert taught.repeats.excess.difference.low > 0.3
    assert taught.repeats.consistency.own.low > 0.5 > taught.repeats.consistency.gold.high
    assert own.repeats.repeated.own.estimate == pytest.approx(0.2 / 3, abs=0.02)
    assert own.repeats.excess.own.low < 0 < own.repeats.excess.own.high
    assert own.repeats.consistency.own.low < 0 < own.repeats.consistency.own.high
    assert abs(own.repeats.excess.own.estimate) < 0.02


def test_systematic_and_random_errors_with_one_confusion_matrix_are_told_apart():
    systematic, random = (world(systematic=of) for of in (True, False))
    labels = [of.study.annotators_on_train["llm"] for of in (systematic, random)]
    shares = [of.counts / of.counts.sum(axis=1, keepdims=True) for of in labels]
    assert shares[0] == pytest.approx(shares[1], abs=0.005)
    one, other = found_in(systematic), found_in(random)
    assert one.predictable.within.low > 0.9
    assert other.predictable.within.low < 0.5 < other.predictable.within.high
    assert other.predictable.within.high < 0.6
    assert one.rates.difference.low > 0.3
    assert abs(other.rates.difference.estimate) < 0.05
    says = [" ".join(propagation(of).says) for of in (systematic, random)]
    assert "so its errors are systematic" in says[0]
    assert "its errors come together in texts that look alike" in says[0]
    assert "so errors at random within each class are not ruled out" in says[1]
    assert "that does not show that its errors come together" in says[1]


def test_errors_that_differ_by_class_alone_are_predictable_but_not_within_a_class():
    """Class 0 is wrong in half of its rows, the others in 1 of 20: the text tells the class, nothing tells the row."""
    generator = np.random.default_rng(9)
    gold = generator.integers(0, 3, 900)
    vectors = generator.standard_normal((900, 6)) + 3 * np.eye(6)[gold]
    given = np.where(generator.random(900) < np.array([0.5, 0.05, 0.05])[gold], (gold + 1) % 3, gold)
    evidence = world(train_gold=gold, train_vectors=vectors, train_annotators={"llm": given}, training={"plain": given})
    found = predictability(evidence, "llm")
    assert found.auc.low > 0.7
    assert found.within.low < 0.5 < found.within.high


def test_random_errors_with_the_same_confusion_cost_a_share_of_the_loss():
    """Students of systematic errors lose 30 points of accuracy, those of the noise control 15: half of the loss."""
    evidence = world()
    gold, plain = evidence.study.test.gold, evidence.study.students["plain"].probabilities
    generator = np.random.default_rng(10)
    wrong = generator.random((5, len(gold))) < [[0.25]]
    noise = np.where(wrong, (gold + generator.integers(1, 3, wrong.shape)) % 3, gold)
    sources = {"gold": {"annotator": "gold"}, "plain": {"annotator": "llm"}, "noise": CONFUSED}
    students = {"gold": evidence.study.students["gold"].probabilities, "plain": plain, "noise": certain(noise, 3)}
    found = found_in(evidence_of(gold, students, classes=3, annotators={"llm": evidence.given["test"]["llm"].codes},
                                 sources=sources))  # fmt: skip
    random = found.sources["plain"].random
    assert random.twin == "noise"
    assert random.share.estimate == pytest.approx(random.twin_gap.estimate / random.gap.estimate)
    assert random.share.low < 0.55 < random.share.high < 1
    assert found.sources["noise"].random is None
    assert found.sources["noise"].repeats.excess.own.high < 0.1


def test_where_nothing_is_lost_no_share_of_it_is_told():
    evidence = world(taught=False, rows=200)
    sources = {"gold": {"annotator": "gold"}, "plain": {"annotator": "llm"}, "noise": CONFUSED}
    gold = evidence.study.students["gold"].probabilities
    llm = evidence.given["test"]["llm"].codes
    again = evidence_of(evidence.study.test.gold, dict.fromkeys(sources, gold), classes=3, sources=sources,
                        annotators={"llm": llm})  # fmt: skip
    assert found_in(again).sources["plain"].random.share is None
    says = " ".join(propagation(again).says)
    assert "which is not surely a loss" in says
    assert "which does not decide whether its labels taught them" in says


def test_look_alikes_are_counted_by_hand():
    """Train rows at 0, 90 and 180 degrees, two of each; labels of 0 degrees are wrong, one of 90 is, 180 is right."""
    train = np.array([[1, 0], [1, 0.1], [0, 1], [0.1, 1], [-1, 0], [-1, 0.1]])
    train_gold, labels = np.array([0, 0, 0, 1, 1, 1]), np.array([1, 1, 0, 0, 1, 1])
    gold = np.repeat([0, 0, 1], 12)
    vectors = np.repeat([[1, 0.05], [0.05, 1], [-1, 0.05]], 12, axis=0)
    student = np.where(np.arange(36) % 12 < 3, 1 - gold, gold)  # wrong on 3 of the 12 rows of each place
    given = np.where(np.arange(36) % 3 == 0, 1 - gold, gold)
    evidence = evidence_of(gold, {"gold": certain(gold[None], 2), "plain": certain(student[None], 2)}, classes=2,
                           annotators={"llm": given}, train_gold=train_gold, vectors=vectors, train_vectors=train,
                           train_annotators={"llm": labels}, training={"plain": labels},
                           explain={"propagation": {"neighbours": 2}})  # fmt: skip
    shares = neighbourhoods(evidence, annotators_errors(evidence.study)).of_sources["plain"]
    assert shares.tolist() == [1.0] * 12 + [0.5] * 12 + [0.0] * 12
    near = found_in(evidence).sources["plain"].look_alikes
    assert (near.wrong_rows, near.right_rows) == (12, 12)
    assert near.corrected.own.estimate == pytest.approx(0.75)
    assert near.invented.own.estimate == pytest.approx(0.25)
    assert near.corrected.gold.estimate == 1
    assert near.invented.gold.estimate == 0


def test_look_alikes_are_rows_that_have_a_label_and_gold():
    evidence = world(train_rows=300)
    labels = evidence.study.training_rows["plain"].codes.copy()
    labels[::2] = -1
    part = world(train_rows=300, training={"plain": labels})
    whole, half = (neighbourhoods(of, annotators_errors(of.study)).of_sources["plain"] for of in (evidence, part))
    assert not np.array_equal(whole, half)
    assert not np.isnan(half).any()
    none = world(train_rows=300, training={"plain": np.full(300, -1)})
    assert neighbourhoods(none, annotators_errors(none.study)).of_sources["plain"] is None
    assert "corrections." not in " ".join(propagation(none).says)


# ---- the two terms ----


def soft_world(annotator_certain, student_share, zeros=False, gold_share=0.95, **more):
    """The annotator is wrong on 3 of 10 rows, as sure as is said; students copy it, with another certainty."""
    generator = np.random.default_rng(11)
    gold = np.arange(400) % 2
    given = np.where(generator.random(400) < 0.3, 1 - gold, gold)
    probabilities = certain(given, 2, 1.0 if zeros else annotator_certain)
    runs = np.where(generator.random((4, 400)) < 0.05, 1 - given, given)
    students = {"gold": certain(np.tile(gold, (4, 1)), 2, gold_share), "plain": certain(runs, 2, student_share)}
    return evidence_of(gold, students, classes=2, annotators={"llm": probabilities}, **more)


def test_the_larger_term_is_named_and_its_claim_decided():
    own = propagation(soft_world(0.9, 0.9))
    assert own.claims["llm"]["error_is_the_annotators"].finding == "holds"
    assert "It does not hang on gold labels being certain" in own.claims["llm"]["error_is_the_annotators"].because
    assert "own error is the larger one, also if gold is as uncertain as its own students" in " ".join(own.says)
    unsure = propagation(
        soft_world(0.9, 0.9, gold_share=0.4)
    )  # gold's students' loss is .92, more than the .84 of the annotator
    assert "It rests on gold labels being certain" in unsure.claims["llm"]["error_is_the_annotators"].because
    estimation = propagation(soft_world(0.55, 0.9999))
    assert estimation.claims["llm"]["error_is_the_annotators"].finding == "does not hold"
    assert "estimation is the larger one" in " ".join(estimation.says)


def test_where_the_two_terms_do_not_add_up_it_is_said():
    """An annotator that is unsure, students that are sure and right: its own error is large, and theirs is none."""
    generator = np.random.default_rng(12)
    gold = np.arange(300) % 2
    given = np.where(generator.random(300) < 0.2, 1 - gold, gold)
    students = {name: certain(np.tile(gold, (3, 1)), 2, 0.99) for name in ("gold", "plain")}
    evidence = evidence_of(gold, students, classes=2, annotators={"llm": certain(given, 2, 0.55)})
    (terms,) = terms_of(evidence, annotators_errors(evidence.study)[0], "plain")
    assert terms.remainder.high < -0.9
    assert terms.misses.low > 0
    assert terms.total.estimate == pytest.approx(-np.log(0.99))
    assert "does not hold here" in " ".join(propagation(evidence).says)


def test_where_the_annotator_is_as_sure_as_it_is_right_the_two_terms_add_up():
    generator = np.random.default_rng(13)
    gold = np.arange(4000) % 2
    given = np.where(generator.random(4000) < 0.3, 1 - gold, gold)
    students = {"gold": certain(np.tile(gold, (3, 1)), 2, 0.99), "plain": certain(np.tile(given, (3, 1)), 2, 0.85)}
    evidence = evidence_of(gold, students, classes=2, annotators={"llm": certain(given, 2, 0.7)})
    (terms,) = terms_of(evidence, annotators_errors(evidence.study)[0], "plain")
    assert terms.remainder.low < 0 < terms.remainder.high
    assert terms.estimation.estimate == pytest.approx(scipy_entropy([0.7, 0.3], [0.85, 0.15]), abs=1e-6)
    assert "holds roughly here" in " ".join(propagation(evidence).says)


def test_zeros_are_smoothed_and_what_hangs_on_it_is_not_decided():
    evidence = soft_world(1.0, 0.9999, zeros=True)
    of = annotators_errors(evidence.study)[0]
    terms = terms_of(evidence, of, "plain")
    assert [one.smoothing for one in terms] == pytest.approx([0.01, 0.001, 0.1])
    wrong = of.wrong.mean()
    assert terms[0].zeros == wrong
    assert terms[0].annotator.estimate == pytest.approx(-wrong * np.log(0.005) - (1 - wrong) * np.log(0.995))
    assert "of even doubt are mixed in" in " ".join(propagation(evidence).says)
    assert len(terms_of(soft_world(0.9, 0.9), of, "plain")) == 1
    students = certain(1 - of.given[None].repeat(4, axis=0), 2, 1 - 1e-6)  # always another label than the annotator's
    gold = evidence.study.test.gold
    contrary = evidence_of(gold, {"gold": students, "plain": students}, classes=2,
                           annotators={"llm": certain(of.given, 2, 1.0)})  # fmt: skip
    assert propagation(contrary).claims["llm"]["error_is_the_annotators"].finding == "does not hold"
    close = soft_world(1.0, 1 - 1e-12, zeros=True)  # estimation lies between the annotator's errors by smoothing
    assert "hangs on how" in propagation(close).claims["llm"]["error_is_the_annotators"].because


def test_rows_without_probabilities_are_left_out_of_the_terms():
    evidence = soft_world(0.9, 0.9)
    shares = evidence.given["test"]["llm"].probabilities.copy()
    shares[100:] = np.nan
    given = type(evidence.given["test"]["llm"])(evidence.given["test"]["llm"].codes, shares)
    part = replace(evidence, given={**evidence.given, "test": {"llm": given}})
    (terms,) = terms_of(part, annotators_errors(part.study)[0], "plain")
    assert terms.rows == 100
    parts = propagation(part).tables["parts"]
    assert parts[parts["by"] == "entropy"]["rows"].sum() == 100


# ---- the explanation ----


def test_claims_hold_where_errors_are_taught_and_not_where_they_are_not():
    assert propagation(world()).claims["llm"]["errors_propagate"].finding == "holds"
    evidence = world(rows=3000, share=0.4)
    gold = evidence.study.students["gold"].probabilities
    other = world(rows=3000, share=0.4, taught=False)
    same = evidence_of(other.study.test.gold, {"gold": gold, "plain": gold}, classes=3,
                       annotators={"llm": other.given["test"]["llm"].codes})  # fmt: skip
    nothing = propagation(same)
    assert nothing.claims["llm"]["errors_propagate"].finding == "does not hold"
    assert "within the margin, so that its labels taught nothing of it" in " ".join(nothing.says)
    few = world(rows=40, taught=False)
    assert propagation(few).claims["llm"]["errors_propagate"].finding == "not decided here"
    found = propagation(world()).claims["llm"]["error_is_the_annotators"]
    assert found.finding == "not decided here"
    assert found.because == "It needs probabilities of llm on test rows."


def test_what_is_lacking_is_said():
    right = world(share=0.01, rows=60)
    found = propagation(right)
    assert "it is wrong on 0 test rows only, and 10 or more are needed" in " ".join(found.says)
    assert {one.finding for one in found.claims["llm"].values()} == {"not decided here"}
    assert found.tables == {}
    assert found.pictures == {}
    silent = world(annotators={"llm": np.full(600, -1)})
    assert "it has no label of a test row with gold" in " ".join(propagation(silent).says)
    gold = certain(np.zeros((2, 20), dtype=int), 2)
    alone = evidence_of(np.arange(20) % 2, {"gold": gold}, classes=2, annotators={"llm": np.zeros(20, dtype=int)})
    assert propagation(alone).says == [NOBODY]


def test_a_study_without_gold_has_chance_alone_to_compare_with():
    evidence = world(sources={"gold": {"annotator": "llm", "rows": 100}, "plain": {"annotator": "llm"}})
    found = propagation(evidence)
    assert "the study has no source of gold to hold that against" in " ".join(found.says)
    assert found.claims["llm"]["errors_propagate"].because == "It needs a source of gold labels."
    assert found.metrics["annotators"]["llm"]["sources"]["plain"]["repeated"]["gold"]["estimate"] is None
    assert found.metrics["annotators"]["llm"]["sources"]["plain"]["excess"]["own"]["low"] > 0


def test_labels_that_are_missing_are_no_errors():
    evidence = world()
    given = evidence.given["test"]["llm"].codes.copy()
    given[:200] = -1
    found = found_in(world(annotators={"llm": given}))
    assert found.errors.wrong[:200].sum() == found.errors.right[:200].sum() == 0
    assert int(found.errors.wrong.sum()) == (given[200:] != evidence.study.test.gold[200:]).sum()
    says = propagation(world(annotators={"llm": given})).says[0]
    assert "of the 400 test rows that it labelled; 200 more have no label of it" in says
    table = propagation(world(annotators={"llm": given})).tables["transitions"]
    assert (table["annotator_label"] == "(none)").any()


def test_of_an_annotator_that_is_seldom_right_no_rate_of_new_errors_is_told():
    evidence = world()
    gold = evidence.study.test.gold
    given = np.where(np.arange(len(gold)) < 9, gold, (gold + 1) % 3)
    sources = {"gold": {"annotator": "gold"}, "plain": {"annotator": "llm"}, "half": {"annotator": "llm", "rows": 50}}
    students = {name: of.probabilities for name, of in evidence.study.students.items()}
    again = evidence_of(gold, students | {"half": students["plain"]}, classes=3, annotators={"llm": given},
                        train_gold=np.arange(90) % 3, sources=sources)  # fmt: skip
    says = propagation(again).says
    assert not any("nan" in one for one in says), says
    told = [one for one in says if "it is right on fewer than 10 test rows" in one]
    assert [one.split(" (")[0].split(" correct ")[0] for one in told] == ["Students of plain", "Students of half"]


@pytest.mark.parametrize("classes", [2, 4])
def test_one_seed_and_a_class_that_is_absent_from_test(classes):
    """The last class has neither test rows nor, among train rows, gold."""
    evidence = world(seeds=1, classes=classes - 1 if classes > 2 else 2)
    gold, llm = evidence.study.test.gold, evidence.given["test"]["llm"].codes
    students = {name: certain(of.predictions, classes) for name, of in evidence.study.students.items()}
    again = evidence_of(gold, students, classes=classes, annotators={"llm": certain(llm, classes)})
    found = propagation(again)
    one = found.metrics["annotators"]["llm"]["sources"]["plain"]
    assert 0 < one["repeated"]["own"]["low"] < one["repeated"]["own"]["estimate"] < one["repeated"]["own"]["high"]
    parts = set(found.tables["parts"]["part"])
    assert "class_1" in parts
    assert (f"class_{classes - 1}" in parts) == (classes == 2)  # of two classes both are in test
    assert found.tables["transitions"]["sd"].isna().all()
    assert outputs("propagation", found)


def test_treated_sources_and_slices_have_rows_of_their_own(tmp_path):
    evidence = world(rows=400)
    students = {name: of.probabilities for name, of in evidence.study.students.items()}
    select = {"by": "random", "share": 0.25}
    sources = {
        "gold": {"annotator": "gold"},
        "plain": {"annotator": "llm"},
        "bought": {"annotator": "llm", "select": select, "action": "gold"},
        "unread": {"annotator": "llm", "labels": "gold"},
    }
    again = evidence_of(
        evidence.study.test.gold,
        students | {"bought": students["gold"], "unread": students["gold"]},
        classes=3,
        annotators={"llm": certain(evidence.given["test"]["llm"].codes, 3)},
        sources=sources,
        columns={"topic": ["a", "b", "c", None] * 99 + ["rare"] * 4},
    )
    found = propagation(again)
    assert found.tables[""]["source"].tolist() == ["plain", "bought"]
    assert found.tables[""]["kind"].tolist() == ["plain", "random"]
    assert found.tables["terms"]["source"].unique().tolist() == ["plain"]
    parts = found.tables["parts"]
    assert set(parts["by"]) == {"class", "entropy", "length", "slice topic"}
    topics = parts[(parts["by"] == "slice topic") & (parts["source"] == "plain")]
    assert topics["part"].tolist()[:4] == ["(none)", "a", "b", "c"]
    assert topics["decision"].tolist()[:4] == ["better"] * 4
    assert topics["taught"].isna().tolist()[4:] == [True]  # 4 rows
    whole = parts[(parts["by"] == "class") & (parts["source"] == "plain")]
    mean = (whole["repeated"] * whole["wrong_rows"]).sum() / whole["wrong_rows"].sum()
    assert mean == pytest.approx(found.metrics["annotators"]["llm"]["sources"]["plain"]["repeated"]["own"]["estimate"],
                                 abs=1e-4)  # fmt: skip
    bought = next(one for one in found.says if one.startswith("Students of bought"))
    assert "(random rows treated) repeat" in bought
    found.pictures[""](tmp_path / "picture.png")
    assert (tmp_path / "picture.png").stat().st_size > 10_000


def test_transitions_add_up_to_all_rows():
    evidence = world(rows=300)
    table = propagation(evidence).tables["transitions"]
    mine = table[table["source"] == "plain"]
    assert mine.groupby(["gold", "annotator_label"])["share"].sum().to_numpy() == pytest.approx(1.0)
    assert mine.drop_duplicates(["gold", "annotator_label"])["rows"].sum() == 300
    of = annotators_errors(evidence.study)[0]
    wrong = mine[(mine["gold"] != mine["annotator_label"]) & (mine["annotator_label"] == mine["student_label"])]
    repeated = (wrong["share"] * wrong["rows"]).sum() / of.wrong.sum()
    assert repeated == pytest.approx(found_in(evidence).sources["plain"].repeats.repeated.own.estimate)


def test_it_is_the_same_every_time_and_all_of_it_is_json():
    one, other = propagation(world(rows=200)), propagation(world(rows=200))
    assert json.dumps(one.metrics, allow_nan=False) == json.dumps(other.metrics, allow_nan=False)
    assert one.says == other.says
    assert all(says[0].isupper() and says.endswith(".") for says in one.says)


def test_settings_are_checked_at_the_door():
    with pytest.raises(ValidationError):
        PropagationSettings(smoothing=0.2)
    with pytest.raises(ValidationError):
        PropagationSettings(neighbours=0)
