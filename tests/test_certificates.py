"""Certificates: exact bounds, thresholds by Learn then Test, prediction sets, and promises that are kept in worlds."""

import json
from dataclasses import replace

import numpy as np
import pytest
from evidence_worlds import certain, evidence_of
from scipy.stats import binom, binomtest
from statsmodels.stats.proportion import proportion_confint
from validity_certificates import CONFIDENCE, RISK, World, conformal, is_kept, studies, worlds

from labelrisk.comparison.outputs import write_outputs
from labelrisk.explanations.certificates.certified_answers import Answers
from labelrisk.explanations.certificates.certified_sets import set_scores
from labelrisk.explanations.certificates.certified_use import new_seed_confidence
from labelrisk.explanations.certificates.explanation import certificates
from labelrisk.explanations.contract import outputs
from labelrisk.params import Settings
from labelrisk.statistics.certificates import fewest_rows, lower_bound, p_above, rows_at_rate, upper_bound
from labelrisk.statistics.conformal import are_few, cross_fitted, fewest_known, parts_of, sets_by_class, sets_for_all
from labelrisk.statistics.selective_use import (
    GIVEN,
    Family,
    certified,
    certify,
    counts_at,
    family_of,
    risk_curve,
    slice_risks,
)

LEVEL = 1 - CONFIDENCE


def test_bounds_are_those_worked_by_hand():
    assert upper_bound(0, 29, 0.95) == pytest.approx(1 - 0.05 ** (1 / 29))  # (1 - bound)^29 = .05
    assert upper_bound(5, 5, 0.95) == 1
    assert lower_bound(3, 3, 0.95) == pytest.approx(0.05 ** (1 / 3))
    assert lower_bound(0, 3, 0.95) == 0
    assert p_above(1, 3, 0.5) == pytest.approx((1 + 3) / 8)
    assert p_above(0, 0, 0.5) == 1


def test_bounds_are_those_of_scipy_and_statsmodels():
    for errors, of in ((0, 7), (3, 50), (49, 50), (120, 1000)):
        for confidence in (0.9, 0.99):
            test = binomtest(errors, of, alternative="less").proportion_ci(confidence, method="exact")
            assert upper_bound(errors, of, confidence) == pytest.approx(test.high)
            low, high = proportion_confint(errors, of, alpha=2 * (1 - confidence), method="beta")
            assert upper_bound(errors, of, confidence) == pytest.approx(high)
            assert lower_bound(errors, of, confidence) == pytest.approx(low)
            assert p_above(errors, of, float(high)) == pytest.approx(1 - confidence)


def test_rows_that_a_certificate_takes():
    assert [fewest_rows(errors, 0.1, 0.05) for errors in (0, 1)] == [29, 46]  # .9^29 < .05 < .9^28
    assert binom.cdf(1, 46, 0.1) <= 0.05 < binom.cdf(1, 45, 0.1)
    assert rows_at_rate(0.1, 0.1, 0.05) is None
    assert rows_at_rate(0.0999999, 0.1, 0.05) is None  # more than anybody has
    rows = rows_at_rate(0.05, 0.1, 0.05)
    assert binom.cdf(np.ceil(0.05 * rows), rows, 0.1) <= 0.05
    assert binom.cdf(0.05 * (rows // 2), rows // 2, 0.1) > 0.05


def test_level_is_spent_along_the_sequence():
    fixed, even = np.array([1.0, 0, 0, 0]), np.full(3, 1 / 3)
    assert certified(np.array([0.01, 0.04, 0.06, 0.001]), fixed, 0.05).tolist() == [True, True, False, False]
    assert not certified(np.array([0.06, 0.001, 0.001, 0.001]), fixed, 0.05).any()
    # .05 / 3, again .05 / 3 as the first failed, then both
    assert certified(np.array([0.2, 0.01, 0.04]), even, 0.05).tolist() == [False, True, False]
    assert certified(np.array([0.2, 0.01, 0.03]), even, 0.05).tolist() == [False, True, True]


def test_sequence_and_p_values_are_those_of_mapie():
    from mapie.risk_control import BinaryRisk, MultiClassificationLTTController

    generator = np.random.default_rng(0)
    true = generator.dirichlet(np.full(3, 0.4), 400)
    gold = (true.cumsum(axis=1) < generator.random((400, 1))).sum(axis=1)
    sure, wrong = true.max(axis=1), true.argmax(axis=1) != gold
    thresholds = np.array([0.95, 0.9, 0.8, 0.7, 0.6, 0.5, 0.0])
    ours = certify(sure, wrong, Family(thresholds, np.eye(7)[0]), RISK, LEVEL)
    errs = BinaryRisk(
        lambda gold, said: (said != gold) & ~np.isnan(said), lambda gold, said: ~np.isnan(said), higher_is_better=False
    )
    theirs = MultiClassificationLTTController(
        lambda probabilities: probabilities, [errs], [RISK], CONFIDENCE, list_predict_params=thresholds,
        classes=np.arange(3), fwer_method="fixed_sequence",
    ).calibrate(true, gold)  # fmt: skip
    assert ours.p == pytest.approx(np.ravel(theirs.p_values))
    assert ours.thresholds[ours.certified].tolist() == np.ravel(theirs.valid_predict_params).tolist()
    assert 0 < ours.chosen < 6


def test_answers_are_counted_with_ties_and_without_rows_of_no_probability():
    sure = np.array([0.9, 0.5, np.nan, 0.9, 0.7, 0.2])
    wrong = np.array([True, False, True, False, True, False])
    answered, errors = counts_at(sure, wrong, np.array([0.95, 0.9, 0.6, 0.5, 0.0]))
    assert answered.tolist() == [0, 2, 3, 4, 5]
    assert errors.tolist() == [0, 1, 2, 2, 2]
    answered, errors = risk_curve(sure, wrong, 2, 10)
    assert (answered.tolist(), errors.tolist()) == ([2, 3, 4, 5], [1, 2, 2, 2])
    assert risk_curve(sure, wrong, 6, 10)[0].tolist() == []


def test_the_sequence_starts_where_other_rows_say_that_a_certificate_is_likeliest():
    sure = np.linspace(0.999, 0.5, 200)
    never, late = np.zeros(200, dtype=bool), np.arange(200) >= 100
    assert family_of(sure, never, 30, RISK, LEVEL).thresholds.tolist() == [0.0]  # any fewer would be too few
    found = family_of(sure, late, 300, RISK, LEVEL)
    assert sure[100] < found.thresholds[0] < 0.85  # far down among the rows without an error
    assert found.thresholds[-1] == 0
    assert found.weights.tolist() == [1.0] + [0.0] * (len(found.thresholds) - 1)
    first_wrong = family_of(sure, np.arange(200) < 10, 1000, RISK, LEVEL)
    assert first_wrong.thresholds.tolist() == [0.0]  # errors are where it is surest: answer all, or nothing
    few = family_of(np.append(sure[:19], np.full(50, np.nan)), np.zeros(69, dtype=bool), 1000, RISK, LEVEL)
    assert few.thresholds.tolist() == list(GIVEN)
    assert few.weights.sum() == pytest.approx(1)


def test_slices_are_bounded_for_all_thresholds_and_slices_together():
    sure = np.full(200, 0.8)
    wrong = np.arange(200) >= 160
    of = certify(sure, wrong, Family(np.array([0.9, 0.5, 0.0]), np.full(3, 1 / 3)), 0.5, LEVEL)
    assert of.chosen == 2
    one, other = slice_risks(sure, wrong, [np.arange(150), np.arange(150, 200)], of, LEVEL)
    assert one.high == pytest.approx(float(upper_bound(0, 150, 1 - 0.05 / 6)))
    assert (other.answered, other.errors) == (50, 40)
    assert other.low == pytest.approx(float(lower_bound(40, 50, 1 - 0.05 / 6)))


@pytest.mark.parametrize(
    "name",
    ["5%, 200 rows, misleading", "30%, 1,000 rows, calibrated", "15%, 200 rows, overconfident, no validation",
     "edge: the whole, 200 rows", "edge: a slice, 2,000 rows"],
)  # fmt: skip
def test_certified_means_certified(name):
    world = worlds()[name]
    counts, share = studies(world, 400)
    for promise in ("error", "worst", "use", "any slice", "wrongly"):
        assert is_kept(counts[promise], 400, LEVEL), (promise, counts)
    assert is_kept(counts["new seed"], 400, 1 - new_seed_confidence(5, CONFIDENCE))
    if not name.startswith("edge"):  # and it isn't kept by never certifying anything
        assert share > 0.7 * world.largest - 0.2


def test_a_threshold_chosen_by_eye_breaks_the_promise_far_more_often():
    world, broken = World(0.3, 200, "calibrated"), 0
    for place in range(400):
        generator = np.random.default_rng(place)
        kinds, slices = generator.integers(2000, size=200), generator.choice(3, size=200, p=(0.6, 0.3, 0.1))
        sure, wrong = world.confidence[kinds], generator.random(200) < world.wrong[kinds, slices]
        order = np.argsort(-sure)
        risks = np.cumsum(wrong[order]) / np.arange(1, 201)
        kept = np.flatnonzero(risks <= RISK)
        broken += len(kept) > 0 and world.risk_at(float(sure[order][kept[-1]]))[0] > RISK
    assert not is_kept(broken, 400, LEVEL)


def test_sets_are_those_worked_by_hand():
    # scores of gold .05, .1, ..., .95: 19 rows, so that the threshold at risk .1 is the 18th smallest, .9
    scores = np.arange(1, 20) / 20
    known, gold = np.stack([1 - scores, scores], axis=1), np.zeros(19, dtype=np.int64)
    new = np.array([[0.5, 0.5], [0.95, 0.05], [0.1, 0.9]])
    wanted = [[True, True], [True, False], [True, True]]
    assert sets_for_all(known, gold, new, 0.1).tolist() == wanted
    assert sets_by_class(known, gold, new, 0.1)[:, 0].tolist() == [True] * 3
    assert sets_by_class(known, gold, new, 0.1)[:, 1].all()  # no row of gold tells
    assert sets_for_all(known[:8], gold[:8], new, 0.1).all()  # 8 rows tell nothing about one in ten


def test_sets_by_class_are_those_of_mapie_with_the_rows_of_the_class():
    generator = np.random.default_rng(1)
    true = generator.dirichlet(np.ones(4), 300)
    gold = (true.cumsum(axis=1) < generator.random((300, 1))).sum(axis=1)
    new = generator.dirichlet(np.ones(4), 50)
    found = sets_by_class(true, gold, new, 0.2)
    for code in range(4):
        own = gold == code
        assert (found[:, code] == sets_for_all(true[own], gold[own], new, 0.2)[:, code]).all()


def test_sets_of_all_rows_are_made_from_other_rows():
    rows = np.arange(60)
    probabilities = np.stack([rows / 100, 1 - rows / 100], axis=1)  # of no two rows alike
    made = []

    def make(known, gold, new, risk):
        places, own = (np.round(100 * of[:, 0]).astype(int).tolist() for of in (known, new))
        assert gold.tolist() == [place % 3 for place in places]
        made.append((places, own))
        return np.stack([new[:, 0] > 0.3, new[:, 0] <= 0.3], axis=1)

    parts = parts_of(60, np.random.default_rng(0))
    sets = cross_fitted(make, probabilities, rows % 3, 0.1, parts)
    assert [own for _, own in made] == [np.flatnonzero(parts == part).tolist() for part in range(5)]
    assert all(sorted(known + own) == rows.tolist() for known, own in made)
    assert sorted(row for _, own in made for row in own) == rows.tolist()
    assert sets[:, 0].tolist() == (rows > 30).tolist()
    assert sets[:, 1].tolist() == (rows <= 30).tolist()


def test_the_fewest_rows_that_sets_are_made_from_are_those_of_the_other_parts():
    gold, parts = np.array([0, 0, 0, 1, 1, 0]), np.array([0, 0, 1, 2, 3, 4])
    assert fewest_known(gold, parts, 3).tolist() == [2, 1, 0]  # without part 0, without part 2 or 3
    assert fewest_known(np.array([0, 1]), np.array([0, 1]), 2).tolist() == [0, 0]


def test_a_class_with_too_few_rows_in_the_other_parts_is_in_sets_for_want_of_rows():
    """12 rows are enough for one in ten, and four fifths of them aren't."""
    gold = np.append(np.zeros(100, dtype=int), np.ones(12, dtype=int))
    generator = np.random.default_rng(0)
    first = np.where(gold == 0, 0.8, 0.2) + 0.1 * generator.random(112)
    vote = Answers(
        name="a", kind="vote", wrong=np.zeros(112, dtype=bool), sure=first, known=first,
        known_wrong=np.zeros(112, dtype=bool), probabilities=np.stack([first, 1 - first], axis=1),
    )  # fmt: skip
    whole, by_class = set_scores(vote, gold, 0.1, 0.95, 0)
    assert (whole.few, by_class.few) == (0, 1)
    assert set_scores(vote, gold, 0.2, 0.95, 0)[1].few == 0


def test_sets_hold_the_gold_class_as_often_as_promised():
    found = conformal(200, 5, 0.5, 0.4, 40)
    whole, by_class = found["all rows"], found["each class"]
    assert whole[0] == pytest.approx(0.9, abs=0.015)  # 8,000 rows: a standard error of .005
    assert whole[1] < 0.85  # of the rare class it isn't true
    assert by_class[1] > 0.88


def students_of(generator, gold, error, classes, runs=3):
    """Students of one difficulty per row, whose probabilities say it."""
    easy = generator.beta(2 * (1 - error), 2 * error, len(gold))
    right = generator.random(len(gold)) < easy
    said = np.where(right, gold, (gold + 1) % classes)
    share = np.maximum(easy, 1 / classes + 0.01)[:, None]
    one = np.eye(classes)[said] * (share - (1 - share) / (classes - 1)) + (1 - share) / (classes - 1)
    return np.stack([one] * runs)


@pytest.fixture(scope="module")
def world():
    """good errs in 12 % of rows and knows where, but for region c; bad says anything; mute gives no probabilities."""
    generator = np.random.default_rng(5)
    gold, validation = generator.integers(3, size=1000), generator.integers(3, size=200)
    good, bad = (students_of(generator, gold, 0.12, 3) for _ in range(2))
    known_good, known_bad = (students_of(generator, validation, 0.12, 3) for _ in range(2))
    bad, known_bad = np.roll(bad, 1, axis=1), np.roll(known_bad, 1, axis=1)  # what it says is of other rows
    regions = np.repeat(["a", "b", "c", "d"], [500, 410, 60, 30]).astype(object)
    good[:, 910:970] = certain((gold[910:970] + 1) % 3, 3, 0.6)
    llm = certain(gold, 3, 0.9).astype(float)
    llm[:50] = certain((gold[:50] + 1) % 3, 3, 0.6)
    return evidence_of(
        gold, {"good": good, "bad": bad}, classes=3, annotators={"llm": llm, "mute": np.where(gold == 0, -1, gold)},
        validation_gold=validation, validation={"good": known_good, "bad": known_bad}, columns={"region": regions},
        explain={"certificates": {"risk": 0.2}},
    )  # fmt: skip


def told(world, **how):
    """The explanation with other settings."""
    content = world.study.settings.model_dump(exclude_unset=True) | {"explain": {"certificates": how}}
    return certificates(replace(world, study=replace(world.study, settings=Settings.model_validate(content))))


def test_errors_of_a_study_are_those_of_its_rows(world):
    found = certificates(world)
    good = found.metrics["sources"]["good"]
    students = world.study.students["good"]
    wrong = (students.probabilities.mean(axis=0).argmax(axis=1) != world.study.test.gold).sum()
    assert good["error"] == {
        "error": round(wrong / 1000, 4),
        "bound": round(float(upper_bound(wrong, 1000, 0.95)), 4),
        "together": round(float(upper_bound(wrong, 1000, 1 - 0.05 / 4)), 4),
    }
    assert good["worst_student"] == round(float(upper_bound(wrong, 1000, 1 - 0.05 / 3)), 4)
    assert good["new_seed"]["confidence"] == 0.7  # 3 / 4 - .05
    assert found.metrics["sources"]["bad"]["selective_use"]["threshold"] is None
    of_good = found.tables[""].query("name == 'good'")
    assert of_good["kind"].tolist() == ["vote"] + ["student"] * 3
    assert of_good["errors"].tolist() == [wrong] * 4
    assert of_good["seed"].tolist()[1:] == [0, 1, 2]


def test_a_part_of_the_rows_is_answered_at_a_stricter_risk(world):
    found = told(world, risk=0.05)
    use = found.metrics["sources"]["good"]["selective_use"]
    table = found.tables["thresholds"].query("name == 'good' and kind == 'vote'")
    chosen = table[table["chosen"]].iloc[0]
    sure = world.study.students["good"].probabilities.astype(float).mean(axis=0)
    answered = sure.max(axis=1) >= use["threshold"] - 1e-6
    wrong = sure.argmax(axis=1)[answered] != world.study.test.gold[answered]
    assert 0.5 < use["share"] == answered.mean() == chosen["answered"] / 1000 < 0.9
    assert use["error"] == round(wrong.mean(), 4)
    assert chosen["p"] == pytest.approx(binom.cdf(wrong.sum(), answered.sum(), 0.05), rel=0.01)
    assert chosen["p"] <= 0.05
    assert use["share_together"] <= use["share"]
    after = table[table["threshold"] < chosen["threshold"]].iloc[0]
    assert after["p"] > 0.05  # the next threshold failed, and ended the sequence
    assert not table[table["threshold"] < chosen["threshold"]]["certified"].any()
    printed = next(one for one in found.says if "the vote of good's students may answer" in one.lower())
    told_threshold = float(printed.split("probability of its answer is at least ")[1].split(",")[0])
    assert told_threshold == use["threshold"] == chosen["threshold"]


@pytest.mark.parametrize(("surest", "printed"), [(0.9996364, "0.999636"), (1.0, "0.999999"), (0.95, "0.95")])
def test_the_threshold_that_is_printed_and_stored_is_the_one_that_is_certified(surest, printed):
    """Half of the rows are right and about as sure as that, the others wrong and less sure."""
    gold = np.arange(400) % 2
    said = np.where(np.arange(400) < 200, gold, 1 - gold)
    shares = np.where(np.arange(400) < 200, surest, 0.6)[:, None]
    one = np.where(np.eye(2)[said] == 1, shares, 1 - shares)[None]
    evidence = evidence_of(gold, {"only": one}, classes=2, validation_gold=gold, validation={"only": one})
    found = certificates(evidence)
    use = found.metrics["sources"]["only"]["selective_use"]
    assert (use["threshold"], use["share"]) == (float(printed), 0.5)
    table = found.tables["thresholds"]
    assert table.loc[table["chosen"], "threshold"].tolist() == [float(printed)]
    assert any(f"the probability of its answer is at least {printed}," in says for says in found.says), found.says


def test_thresholds_are_written_down_before_they_are_tested():
    generator = np.random.default_rng(0)
    sure = np.sort(1 - 10 ** generator.uniform(-9, -0.5, 500))[::-1].astype(np.float32)
    found = family_of(sure.astype(float), np.arange(500) > 450, 500, 0.1, LEVEL).thresholds
    assert (found == [float(f"{one:g}") for one in found]).all()
    assert found.max() < 1
    known = np.full(100, 0.9, dtype=np.float32).astype(float)  # a little less than .9
    assert known[0] < 0.9
    assert family_of(known, np.zeros(100, dtype=bool), 1000, 0.1, LEVEL).thresholds.tolist() == [0.9, 0.0]
    assert counts_at(known, np.zeros(100, dtype=bool), np.array([0.9]))[0].tolist() == [100]


def test_slices_hold_break_or_show_nothing(world):
    found = certificates(world)
    decided = found.tables["slices"].set_index(["name", "slice"])["decision"]
    assert decided["good"].to_dict() == {"a": "held", "b": "held", "c": "broken", "d": "not shown"}
    assert found.metrics["sources"]["good"]["selective_use"]["slices"] == {"held": 2, "broken": 1, "not shown": 1}
    said = next(says for says in found.says if "slices are looked at" in says)
    assert "on 2 of 4 slices this is shown to hold as well (region a, region b)" in said
    assert "on 1 it surely doesn't (region c)" in said


def test_annotators_used_directly_answer_by_their_probabilities(world):
    annotators = certificates(world).metrics["annotators"]
    assert annotators["llm"]["error"]["error"] == 0.05
    assert annotators["llm"]["selective_use"]["share"] == 1  # 5 % of errors are fewer than 20 %
    assert annotators["mute"]["selective_use"] is None
    assert annotators["mute"]["error"]["error"] == round((world.study.test.gold == 0).mean(), 4)


def test_sentences_have_their_numbers(world):
    says = certificates(world).says
    assert all(one[0].isupper() and one.endswith(".") for one in says)
    wrong = {name: (of.predictions[0] != world.study.test.gold).sum() for name, of in world.study.students.items()}
    bounds = {name: 100 * float(upper_bound(of, 1000, 0.95)) for name, of in wrong.items()}
    start = f"With 95 % confidence the vote of good's students errs on at most {bounds['good']:.1f} % of new rows"
    assert says[0].startswith(start)
    assert any(f"the vote of bad's students {bounds['bad']:.1f} %" in one for one in says)
    assert any("may answer" in one and "at most 20 % of these answers are wrong" in one for one in says)
    assert any("which is not below 20 %" in one for one in says if "bad's" in one)
    assert any("annotator mute" in one and "no probabilities" in one for one in says)


def test_files_are_written_and_are_json(world, tmp_path):
    found = outputs("certificates", certificates(world))
    assert set(found) == {"certificates.json", "certificates.png"} | {
        f"certificates{part}.csv" for part in ("", "_thresholds", "_slices", "_sets")
    }
    write_outputs({tmp_path / name: output for name, output in found.items()})
    assert json.loads((tmp_path / "certificates.json").read_text())["risk"] == 0.2
    assert (tmp_path / "certificates.png").stat().st_size > 10_000


GOLD = np.arange(40) % 2
DEGENERATE = {
    "always right": (GOLD, certain(np.stack([GOLD] * 2), 2), "may answer all rows"),
    "one seed": (GOLD, certain(GOLD[None], 2), "can't be certified from 1 seed"),
    "always one class": (GOLD, certain(np.zeros((2, 40), dtype=np.int64), 2), "(50 %), which is not below 10 %"),
    "few rows": (GOLD[:7], certain(GOLD[None, :7], 2), "29 answers without an error at the least, and it gave 7"),
    "too few rows for that rate": (
        GOLD,
        certain(np.stack([np.where(np.arange(40) < 2, 1 - GOLD, GOLD)] * 2), 2),
        "2 are wrong (5 %); at that rate it would take some",
    ),
    "too many rows": (
        np.arange(10_000) % 2,
        certain(np.where(np.arange(10_000) < 999, 1 - np.arange(10_000) % 2, np.arange(10_000) % 2)[None], 2),
        "999 are wrong (10 %); at that rate it would take more test rows than anybody has",
    ),
    "a class without rows": (GOLD, certain(np.stack([GOLD] * 2), 3), "too few test rows show 1 of 3 classes"),
}


@pytest.mark.parametrize("name", DEGENERATE)
def test_what_cant_be_answered_is_said(name):
    gold, students, said = DEGENERATE[name]
    classes = students.shape[-1]
    validation = np.arange(100) % 2
    evidence = evidence_of(
        gold, {"only": students}, classes=classes, validation_gold=validation,
        validation={"only": certain(np.stack([validation] * len(students)), classes)},
    )  # fmt: skip
    found = certificates(evidence)
    assert any(said in one for one in found.says), found.says
    assert outputs("certificates", found)


def test_a_study_without_validation_rows_certifies_too():
    gold = np.arange(300) % 3
    evidence = evidence_of(gold, {"only": certain(np.stack([gold] * 2), 3)}, classes=3)  # 3 validation rows
    found = certificates(evidence)
    assert found.metrics["sources"]["only"]["selective_use"]["share"] == 1
    assert found.tables["thresholds"]["threshold"].tolist() == list(GIVEN)


def test_risk_and_confidence_are_the_users(world):
    found = told(world, risk=0.5, confidence=0.99).metrics
    assert (found["risk"], found["confidence"]) == (0.5, 0.99)
    assert found["sources"]["good"]["error"]["bound"] > certificates(world).metrics["sources"]["good"]["error"]["bound"]
    assert certificates(world).metrics["confidence"] == world.study.settings.evaluate.confidence
    with pytest.raises(ValueError, match="less than 1"):
        told(world, risk=1.0)


def test_a_p_value_of_just_the_level_certifies():
    assert certified(np.array([0.05, 0.051]), np.array([1.0, 0.0]), 0.05).tolist() == [True, False]


def test_twenty_known_rows_tell_where_thresholds_belong():
    sure = np.linspace(0.99, 0.5, 20)
    never = np.zeros(20, dtype=bool)
    assert family_of(sure, never, 1000, 0.1, LEVEL).thresholds.tolist() != list(GIVEN)
    assert family_of(sure[:19], never[:19], 1000, 0.1, LEVEL).thresholds.tolist() == list(GIVEN)


def test_few_rows_tell_nothing_of_a_large_share_either():
    assert not are_few(30, 0.9)  # 30 x .1 rows
    assert are_few(5, 0.9)
    assert are_few(5, 0.1)
