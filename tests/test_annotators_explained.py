"""Annotators side by side: agreement and shared errors against packages and by hand, panels, and students of each."""

import re
from dataclasses import replace
from itertools import combinations

import krippendorff
import numpy as np
import pytest
from evidence_worlds import certain, evidence_of, settings_of
from scipy.stats import hypergeom, norm, spearmanr, t
from sklearn.metrics import cohen_kappa_score, f1_score
from statsmodels.stats.contingency_tables import StratifiedTable
from statsmodels.stats.inter_rater import cohens_kappa
from statsmodels.stats.multitest import multipletests
from validity_shared_errors import says_shared

from labelrisk.explanations.annotators.explanation import annotators
from labelrisk.statistics.pair_agreement import kappa_influences, pair_agreement
from labelrisk.statistics.shared_errors import cells, errors_in_common, same_errors

IMPORT = {"kind": "import", "reads": "x", "label": "a"}
GOLD = {"kind": "gold", "reads": "x"}


# shared errors


# four times over: class 0, one is wrong on the first two of four rows, other on the first and third, alike on one;
# class 1, both are wrong on one of two rows, and not alike
HAND_GOLD = np.tile([0, 0, 0, 0, 1, 1], 4)
HAND_ONE = np.tile([1, 2, 0, 0, 0, 1], 4)
HAND_OTHER = np.tile([1, 0, 1, 0, 2, 1], 4)


def test_shared_errors_by_hand():
    of = cells(HAND_GOLD, HAND_ONE, HAND_OTHER, 3)
    wrong = errors_in_common(of, 0.95)
    assert wrong.share == pytest.approx(2 / 6)
    assert wrong.expected == pytest.approx((4 * 0.5 * 0.5 + 2 * 0.5 * 0.5) / 6)
    assert wrong.excess.estimate == pytest.approx(0.5 / 6)
    values = np.tile([1, -1, -1, 1, 1, 1], 4) / 4  # (x - a) (y - b) of each row
    assert wrong.excess.error == pytest.approx(np.sqrt(values.var(ddof=1) / 24))
    assert wrong.ratio.estimate == pytest.approx(2 / 1.5)
    by_chance = np.tile([3, 1, 1, -1, 3, -1], 4) / 4  # a y + b x - a b
    both = np.tile([1, 0, 0, 0, 1, 0], 4)
    of_log = both / (2 / 6) - by_chance / (1.5 / 6)
    assert wrong.ratio.error == pytest.approx(np.sqrt(of_log.var(ddof=1) / 24))
    half = t.ppf(0.975, 23) * wrong.ratio.error
    assert wrong.ratio[1:3] == pytest.approx((4 / 3 * np.exp(-half), 4 / 3 * np.exp(half)))
    alike = same_errors(of, 0.95)
    assert alike.share == pytest.approx(1 / 6)
    # class 0: one says 1 and 2 on a quarter each, other says 1 on a half; class 1: one says 0, other says 2
    assert alike.expected == pytest.approx(4 * 0.25 * 0.5 / 6)
    assert np.isnan(alike.ratio.low)  # 2 rows of 24 are expected: of so few, no bounds


@pytest.mark.parametrize("seed", range(4))
def test_independence_within_classes_is_tested_as_mantel_and_haenszel_do(seed):
    generator = np.random.default_rng(seed)
    gold = generator.integers(0, 3, 2000)
    one, other = (np.where(generator.random(2000) < 0.3, generator.integers(0, 3, 2000), gold) for _ in range(2))
    tables = [
        np.array([[((one != gold) == x)[gold == k] @ ((other != gold) == y)[gold == k].astype(int)
                   for y in (True, False)] for x in (True, False)])
        for k in range(3)
    ]  # fmt: skip
    theirs = StratifiedTable(tables).test_null_odds(correction=True)
    found = errors_in_common(cells(gold, one, other, 3), 0.95)
    assert theirs.pvalue - 1e-9 <= found.p <= theirs.pvalue + 0.03  # theirs is of a normal tail


def test_of_two_classes_being_wrong_is_being_wrong_alike():
    generator = np.random.default_rng(0)
    gold = generator.integers(0, 2, 100)
    one, other = (np.where(generator.random(100) < 0.3, 1 - gold, gold) for _ in range(2))
    of = cells(gold, one, other, 2)
    assert same_errors(of, 0.9)[:2] == pytest.approx(errors_in_common(of, 0.9)[:2])
    assert same_errors(of, 0.9).p == pytest.approx(errors_in_common(of, 0.9).p)
    assert same_errors(of, 0.9).ratio == pytest.approx(errors_in_common(of, 0.9).ratio)


def test_the_same_wrong_label_varies_by_chance_as_rows_paired_anew_do():
    generator = np.random.default_rng(1)
    gold = np.repeat([0, 1, 2], [400, 300, 200])
    one, other = (np.where(generator.random(900) < 0.5, generator.integers(0, 4, 900), gold) for _ in range(2))

    def number(labels):
        return ((one == labels) & (one != gold)).sum()

    drawn = []
    for _ in range(4000):
        order = np.concatenate([generator.permutation(np.flatnonzero(gold == k)) for k in range(3)])
        drawn.append(number(other[order]))
    found = same_errors(cells(gold, one, other, 4), 0.95)
    assert 900 * found.expected == pytest.approx(np.mean(drawn), abs=0.4)
    z = (abs(number(other) - 900 * found.expected) - 0.5) / np.std(drawn)
    assert found.p == pytest.approx(2 * norm.sf(z), abs=0.02)


# rows on which both err, and each: from .01 expected rows to 30
SHARED_OF_200 = [(1, 1, 2), (3, 10, 10), (0, 10, 10), (4, 10, 60), (14, 40, 40), (24, 100, 60), (44, 100, 60)]


@pytest.mark.parametrize(("together", "one_errs", "other_errs"), SHARED_OF_200)
def test_the_tail_is_nearly_that_of_the_number_of_common_errors(together, one_errs, other_errs):
    """200 rows of one class: given how often each errs, hypergeometric."""
    gold = np.zeros(200, dtype=int)
    one, other = gold.copy(), gold.copy()
    one[:one_errs] = 1
    other[one_errs - together : one_errs - together + other_errs] = 1
    of = cells(gold, one, other, 2)
    exact = hypergeom(200, one_errs, other_errs)
    p = min(1, 2 * min(exact.sf(together - 1), exact.cdf(together)))
    for found in (errors_in_common(of, 0.95), same_errors(of, 0.95)):
        assert found.share * 200 == pytest.approx(together)
        assert 0.9 * p <= found.p <= 1.4 * p


def test_of_rare_errors_the_tail_is_that_of_poisson():
    """1,000,000 rows, 1,000 errors of each: 1 is expected; 4 or more come with 1 - (1 + 1 + 1/2 + 1/6) / e."""
    gold = np.zeros(1_000_000, dtype=int)
    one, other = gold.copy(), gold.copy()
    one[:1000] = 1
    other[996:1996] = 1
    p = 2 * (1 - (2.5 + 1 / 6) / np.e)
    assert errors_in_common(cells(gold, one, other, 2), 0.95).p == pytest.approx(p, rel=0.01)


def test_annotators_that_rarely_and_independently_err_seldom_share_any_errors_by_holm():
    """By the normal tail one such study in ten says that some two of ten do."""
    generator = np.random.default_rng(1)
    assert sum(says_shared(200, 0.05, generator) for _ in range(100)) <= 5


def test_a_row_without_one_of_the_labels_is_left_out():
    of = cells(np.array([0, 0, 1]), np.array([1, -1, 1]), np.array([1, 1, -1]), 2)
    assert of.weights.sum() == 1
    assert (of.gold.tolist(), of.one.tolist(), of.other.tolist()) == ([0], [1], [1])


def test_without_errors_nothing_is_shared_and_nothing_is_sure():
    gold = np.array([0, 1, 0, 1])
    found = errors_in_common(cells(gold, gold, gold, 2), 0.95)
    assert (found.share, found.expected, found.p) == (0, 0, 1)
    assert np.isnan(found.ratio.estimate)
    never = errors_in_common(cells(gold, 1 - gold, gold, 2), 0.95)
    assert (never.share, never.expected, never.p) == (0, 0, 1)


# agreement


@pytest.mark.parametrize("seed", range(3))
def test_agreement_is_that_of_the_packages(seed):
    generator = np.random.default_rng(seed)
    one = generator.integers(0, 4, 80)
    other = np.where(generator.random(80) < 0.6, one, generator.integers(0, 4, 80))
    found = pair_agreement(one, other, 4, 0.95)
    assert found.agreement.share == np.mean(one == other)
    assert found.kappa.estimate == pytest.approx(cohen_kappa_score(one, other))
    theirs = krippendorff.alpha(np.array([one, other]), level_of_measurement="nominal")
    assert found.alpha.estimate == pytest.approx(theirs)
    table = np.zeros((4, 4))
    np.add.at(table, (one, other), 1)
    influences = kappa_influences(one, other, 4)
    assert influences.sum() == pytest.approx(0, abs=1e-9)
    assert np.sqrt((influences**2).sum()) / 80 == pytest.approx(cohens_kappa(table).std_kappa)
    without = [cohen_kappa_score(np.delete(one, row), np.delete(other, row)) for row in range(80)]
    assert influences == pytest.approx(79 * (found.kappa.estimate - np.array(without)), abs=0.06)
    assert found.kappa.high <= 1


def test_one_and_the_same_class_has_no_kappa():
    zeros = np.zeros(5, dtype=int)
    found = pair_agreement(zeros, zeros, 2, 0.95)
    assert found.agreement.share == 1
    assert np.isnan([found.kappa.estimate, found.alpha.estimate]).all()


# the explanation


def erring(gold, share, seed, classes=4, on=None):
    """Gold with errors on a share of rows, of the class that follows or any other, independent of other seeds."""
    generator = np.random.default_rng(seed)
    hit = generator.random(len(gold)) < share if on is None else on
    return np.where(hit, (gold + generator.integers(1, classes, len(gold))) % classes, gold)


def world(labels, panels=None, rows=1500, train=None, students=None, classes=4, seeds=3, opinions=None, sources=None):
    """Evidence in which annotators of these names said so; students of a source err as often as its annotator."""
    gold = gold_of(rows, classes)
    train = labels if train is None else train
    declared = sources or {name: {"annotator": name} for name in labels if name in train}
    runs = {"gold": np.stack([erring(gold, 0.05, 100 + seed, classes) for seed in range(seeds)])}
    runs |= {
        name: (students or {}).get(
            name, np.stack([erring(gold, 0.2, sum(map(ord, name)) + s, classes) for s in range(seeds)])
        )
        for name in declared
    }
    found = evidence_of(
        gold,
        {name: certain(of, classes) for name, of in runs.items()},
        classes=classes,
        annotators=labels,
        train_gold=gold,
        train_annotators=train,
        sources={"gold": {"annotator": "gold"}} | declared,
    )
    how = settings_of(
        {"gold": {"annotator": "gold"}} | declared,
        seeds,
        annotators={"gold": GOLD}
        | {name: IMPORT for name in labels if name not in {**(panels or {}), **(opinions or {})}},
        panels=panels or {},
        second_opinions=opinions or {},
    )
    return replace(found, study=replace(found.study, settings=how))


def gold_of(rows, classes=4):
    return np.random.default_rng(7).integers(0, classes, rows)


G = gold_of(1500)
RULE = np.random.default_rng(3).random(1500) < 0.15  # rows on which a rule is wrong
RULED = np.where(RULE, (G + 1) % 4, G)


def two_with_a_rule():
    return {name: np.where(np.random.default_rng(seed).random(1500) < 0.1, erring(G, 1, seed), RULED)
            for name, seed in (("one", 1), ("two", 2))}  # fmt: skip


def said(found, word):
    return [one for one in found.says if word in one]


def test_annotators_that_err_independently_share_no_errors():
    found = annotators(world({"one": erring(G, 0.25, 1), "two": erring(G, 0.25, 2)}))
    row = found.tables[""].iloc[0]
    assert (row["split"], row["rows"], row["unlabelled"], row["decision"]) == ("test", 1500, 0, "not decided")
    assert row["both_wrong_ratio_low"] < 1 < row["both_wrong_ratio_high"]
    assert row["same_wrong_ratio_low"] < 1 < row["same_wrong_ratio_high"]
    assert "does not decide" in said(found, "both wrong")[0]


def test_annotators_that_share_a_rule_share_its_errors():
    found = annotators(world(two_with_a_rule()))
    row = found.tables[""].iloc[0]
    assert row["decision"] == "shared"
    assert row["both_wrong_ratio_low"] > 2
    assert row["same_wrong_ratio"] > row["both_wrong_ratio"]
    labels = two_with_a_rule()
    both = (labels["one"] != G) & (labels["two"] != G)
    of_class = [[np.mean(of[k == G] != k) for of in labels.values()] for k in range(4)]
    expected = np.mean([np.prod(of_class[k]) for k in G])
    assert row["both_wrong"] == pytest.approx(both.mean())
    assert row["both_wrong_expected"] == pytest.approx(expected)
    assert found.metrics["pairs"]["test"]["one and two"]["decision"] == "shared"
    assert "they share errors beyond chance" in said(found, "both wrong")[0]


def test_each_part_of_a_sentence_says_what_it_alone_shows():
    """Half of the rows are wrong for either, and no more of them for both than by chance; but many of these alike."""
    generator = np.random.default_rng(0)
    hit = {name: generator.random(1500) < 0.5 for name in ("one", "two")}
    labels = {name: np.where(of, (G + 1 + (generator.random(1500) < 0.15)) % 4, G) for name, of in hit.items()}
    alike = RULE & hit["one"] & hit["two"]
    labels["one"][alike] = labels["two"][alike] = (G[alike] + 3) % 4
    found = annotators(world(labels))
    row = found.tables[""].iloc[0]
    assert (row["decision"], row["both_wrong_p"] < 0.05, row["same_wrong_p"] < 0.05) == ("shared", False, True)
    sentence = said(found, "both wrong")[0]
    wrong, alike_too = sentence.split(" One and the same wrong label")
    assert "which does not decide whether they share errors (Holm" in wrong
    assert alike_too.endswith("so they share errors beyond chance.")


def test_holm_is_over_the_pairs_of_a_split():
    labels = {f"a{place}": erring(G, 0.25, 50 + place) for place in range(4)} | two_with_a_rule()
    table = annotators(world(labels)).tables[""]
    assert len(table) == 2 * 15
    test = table[table["split"] == "test"]
    shared = test[test["decision"] == "shared"]
    assert shared[["one", "other"]].to_numpy().tolist() == [["one", "two"]]
    raw = [found(cells(G, labels[one], labels[other], 4), 0.95).p for one, other in combinations(labels, 2)
           for found in (errors_in_common, same_errors)]  # fmt: skip
    adjusted = multipletests(raw, method="holm")[1]
    assert test[["both_wrong_p", "same_wrong_p"]].to_numpy().ravel() == pytest.approx(adjusted)
    says = annotators(world(labels)).says
    assert any(
        one.startswith("Of 15 pairs of annotators on the test rows, 1 share errors beyond chance") for one in says
    )


def test_missing_labels_are_left_out_of_pairs_and_said():
    labels = {"one": erring(G, 0.25, 1), "two": erring(G, 0.25, 2)}
    labels["one"][:100] = -1
    labels["two"][50:200] = -1
    found = annotators(world(labels))
    row = found.tables[""].iloc[0]
    assert (row["rows"], row["unlabelled"]) == (1300, 200)
    assert row["agreement"] == np.mean(labels["one"][200:] == labels["two"][200:])
    assert "200 rows lack a label" in found.says[0]
    level = "(95 % intervals throughout, of annotators over rows, of students over rows and seeds)."
    assert found.says[0].endswith(level)
    assert not re.search(r"\d to [+-]?\d", " ".join(found.says))
    silent = annotators(world({"one": np.full(1500, -1), "two": np.full(1500, -1)}, train={}))
    assert "no two to compare" in silent.says[0]


def test_labels_of_train_rows_alone_are_compared_there():
    labels = two_with_a_rule()
    found = annotators(world({name: np.full(1500, -1) for name in labels}, train=labels))
    assert set(found.tables[""]["split"]) == {"train"}
    assert "gold train rows" in found.says[0]


def test_a_single_annotator_has_none_beside_it():
    found = annotators(world({"llm": erring(G, 0.2, 1)}))
    assert (
        found.says[0] == "A single annotator, llm, labelled rows that have gold, so that there are no two to compare."
    )
    assert "can't be told: it takes two annotators" in found.says[1]
    assert found.metrics["pairs"] == {"test": {}, "train": {}}
    assert found.pictures == {}


def majority_of(*labels):
    return np.array([np.bincount(row, minlength=4).argmax() for row in np.stack(labels, axis=1)])


def test_a_panel_of_independent_annotators_adds_to_its_best_member():
    labels = {name: erring(G, 0.25 + 0.02 * place, place) for place, name in enumerate("abc")}
    labels["panel"] = majority_of(*labels.values())
    found = annotators(world(labels, panels={"panel": {"members": ["a", "b", "c"]}}))
    row = found.tables["panels"].iloc[0]
    assert (row["best_member"], row["best_by"], row["members"]) == ("a", "train", 3)
    right = {name: np.mean(of == G) for name, of in labels.items()}
    assert row["accuracy_over_best"] == pytest.approx(right["panel"] - right["a"])
    assert row["accuracy_over_mean"] == pytest.approx(right["panel"] - np.mean([right[name] for name in "abc"]))
    f1 = {name: f1_score(G, of, average="macro") for name, of in labels.items()}
    assert row["f1_over_best"] == pytest.approx(f1["panel"] - f1["a"])
    assert row["f1_over_mean"] == pytest.approx(f1["panel"] - np.mean([f1[name] for name in "abc"]))
    assert row["f1_over_best_decision"] == "better"
    moved = (labels["panel"] == G) * 1.0 - (labels["a"] == G)
    half = row["accuracy_over_best_high"] - row["accuracy_over_best"]
    assert half == pytest.approx(1.96 * moved.std(ddof=1) / np.sqrt(1500), rel=0.01)
    assert row["any_right"] == np.mean(np.any([labels[name] == G for name in "abc"], axis=0))
    assert row["all_right"] == np.mean(np.all([labels[name] == G for name in "abc"], axis=0))
    # a panel and its members agree by construction, and are no pairs of a family
    test = found.tables[""][found.tables[""]["split"] == "test"]
    assert (test["decision"] == "by construction").sum() == 3
    assert test.loc[test["other"] == "panel", "both_wrong_p"].isna().all()


def test_a_panel_of_copies_adds_nothing():
    labels = dict.fromkeys(("a", "b", "c", "panel"), erring(G, 0.25, 1))
    found = annotators(world(labels, panels={"panel": {"members": ["a", "b", "c"]}}))
    row = found.tables["panels"].iloc[0]
    assert row["accuracy_over_best"] == row["accuracy_over_mean"] == 0
    assert np.isnan(row["accuracy_over_best_low"])  # no row tells them apart: what others would is not known
    assert row["any_right"] == row["all_right"] == row["accuracy"]


def test_the_best_member_is_chosen_by_train_rows_not_by_test_rows():
    labels = {"a": erring(G, 0.1, 1), "b": erring(G, 0.3, 2)}
    labels["panel"] = labels["b"]
    train = {"a": erring(G, 0.3, 1), "b": erring(G, 0.1, 2), "panel": G}
    found = annotators(world(labels, panels={"panel": {"members": ["a", "b"]}}, train=train))
    assert found.tables["panels"].iloc[0]["best_member"] == "b"
    none = dict.fromkeys(labels, np.full(1500, -1))
    found = annotators(world(labels, panels={"panel": {"members": ["a", "b"]}}, train=none))
    assert tuple(found.tables["panels"].iloc[0][["best_member", "best_by"]]) == ("a", "test")
    assert any("of these very test rows" in one for one in found.says)


def test_a_panel_without_test_labels_is_named():
    labels = {"a": G, "b": G, "panel": np.full(1500, -1)}
    found = annotators(world(labels, panels={"panel": {"members": ["a", "b"]}}, train={"a": G, "b": G}))
    assert said(found, "What the panel panel adds is not known")


def students(share, seed):
    return np.stack([erring(G, share, seed + run) for run in range(3)])


def test_a_better_annotator_with_better_students():
    labels = {"good": erring(G, 0.1, 1), "poor": erring(G, 0.4, 2)}
    found = annotators(world(labels, students={"good": students(0.1, 10), "poor": students(0.4, 20)}))
    pair = found.tables["students_pairs"].iloc[0]
    right = {name: np.mean(of == G) for name, of in labels.items()}
    assert pair["train_accuracy"] == pytest.approx(right["good"] - right["poor"])
    assert (pair["order"], pair["train_accuracy_decision"], pair["student_macro_f1_decision"]) == (
        "same",
        "better",
        "better",
    )
    f1 = {name: np.mean([f1_score(G, run, average="macro") for run in students(share, seed)])
          for name, share, seed in (("good", 0.1, 10), ("poor", 0.4, 20))}  # fmt: skip
    assert pair["student_macro_f1"] == pytest.approx(f1["good"] - f1["poor"])
    assert pair["student_macro_f1_low"] < pair["student_macro_f1"] < pair["student_macro_f1_high"]
    row = found.tables["students"].iloc[0]
    assert (row["annotator"], row["train_accuracy"]) == ("good", pytest.approx(right["good"]))
    assert found.metrics["orders"] == {"same": 1, "opposite": 0, "not decided": 0}
    assert found.metrics["spearman"] is None
    assert said(found, "a better annotator makes better students here")


def test_a_better_annotator_with_worse_students_or_equal_ones():
    labels = {"poor": erring(G, 0.4, 2), "good": erring(G, 0.1, 1)}
    worse = annotators(world(labels, students={"good": students(0.4, 10), "poor": students(0.1, 20)}))
    assert worse.metrics["orders"]["opposite"] == 1
    # named first, whatever the order in params.yaml
    assert said(worse, "the accuracy of good's labels differs from that of poor's by +")
    equal = annotators(world(labels, students={"good": students(0.2, 10), "poor": students(0.2, 10)}))
    assert equal.metrics["orders"]["not decided"] == 1


def test_three_annotators_have_a_rank_correlation():
    labels = {f"a{place}": erring(G, 0.1 + 0.1 * place, place) for place in range(4)}
    shares = dict(zip(labels, (0.1, 0.3, 0.2, 0.4), strict=True))
    found = annotators(world(labels, students={name: students(of, 10) for name, of in shares.items()}))
    assert found.metrics["spearman"] == pytest.approx(0.8)
    assert spearmanr([4, 3, 2, 1], [4, 2, 3, 1]).statistic == pytest.approx(0.8)
    assert found.metrics["orders"] == {"same": 5, "opposite": 1, "not decided": 0}


def test_missing_train_labels_are_no_errors_of_those_that_were_given():
    labels = {"one": erring(G, 0.2, 1), "two": erring(G, 0.2, 2)}
    train = {name: of.copy() for name, of in labels.items()}
    train["one"][:700] = -1
    found = annotators(world(labels, train=train))
    row = found.tables["students"].iloc[0]
    assert row["labelled_with_gold"] == 800
    assert row["train_accuracy"] == pytest.approx(np.mean(labels["one"][700:] == G[700:]))


def test_an_annotator_without_train_labels_beside_gold_is_in_no_order():
    labels = {"one": erring(G, 0.2, 1), "two": erring(G, 0.4, 2)}
    declared = {name: {"annotator": name} for name in labels}
    found = annotators(world(labels, train={"one": labels["one"]}, sources=declared))
    assert found.metrics["students"]["two"]["train_accuracy"] is None
    assert found.metrics["orders"] == {"same": 0, "opposite": 0, "not decided": 1}
    assert said(found, "how good its train labels are is not known")
    assert "students" not in found.pictures


def test_one_seed_two_classes_and_an_absent_class():
    gold = gold_of(1500, 2)
    labels = {"one": erring(gold, 0.2, 1, 2), "two": erring(gold, 0.3, 2, 2)}
    found = annotators(world(labels, classes=2, seeds=1))
    assert found.tables[""]["same_wrong_p"].isna().all()  # with two classes, wrong is wrong alike
    some = np.flatnonzero(G != 2)
    found = annotators(world({"one": erring(G, 0.2, 1), "two": erring(G, 0.3, 2)}).on(some))
    assert found.tables[""].iloc[0]["rows"] == len(some)


def test_second_opinions_are_not_compared():
    labels = {"one": erring(G, 0.2, 1), "second": erring(G, 0.2, 2)}
    opinion = {"of": "one", "select": {"by": "random", "share": 0.5}, "ask": IMPORT}
    found = annotators(world(labels, opinions={"second": opinion}, sources={"one": {"annotator": "one"}}))
    assert found.tables[""].empty


def test_pictures_are_drawn_also_of_many_annotators_with_long_names(tmp_path):
    labels = {f"an_annotator_with_a_long_name_{place}": erring(G, 0.1 + 0.03 * place, place) for place in range(9)}
    pictures = annotators(world(labels)).pictures
    assert list(pictures) == ["", "students"]
    for name, draw in pictures.items():
        draw(tmp_path / f"{name}.png")
        assert (tmp_path / f"{name}.png").read_bytes().startswith(b"\x89PNG")
