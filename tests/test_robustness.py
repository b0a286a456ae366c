"""Robustness: flips against worked examples and reference packages, and worlds in which students break or do not."""

import itertools
import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from evidence_worlds import certain, evidence_of
from statsmodels.duration.survfunc import SurvfuncRight
from statsmodels.stats.proportion import proportion_confint

from labelrisk.explanations.edited_texts import edited_texts, read_edited
from labelrisk.explanations.robustness.explanation import robustness
from labelrisk.explanations.robustness.measures import robustness_of
from labelrisk.statistics.intervals import Interval
from labelrisk.statistics.withstood_edits import (
    flipped_by,
    flips,
    median_edits,
    share_of_few,
    turned,
    withstood,
)

EDITS = ("upper", "typos")
CHAINS = ("chain 1", "chain 2", "chain 3")
CLASSES = ["class_0", "class_1", "class_2"]


def frame_of(ids, unedited, edited, names, **flags):
    """The file of perturb: unedited by source (R, N), edited by source (R, V, N), names of V variants."""
    rows = []
    for source, codes in unedited.items():
        for seed, of in enumerate(codes):
            for place, identity in enumerate(ids):
                answers = {"unedited": of[place]} | {
                    name: edited[source][seed, at, place] for at, name in enumerate(names)
                }
                rows += [
                    {"id": identity, "source": source, "seed": seed, "edit": name, "label": CLASSES[code]}
                    | {"changed": name != "unedited", "read": name not in ("unedited", "upper"), "cut": False}
                    for name, code in answers.items()
                ]
    return pd.DataFrame(rows).assign(**flags)


def world(rates, rows=120, runs=3, seed=0, names=(*EDITS, *CHAINS), classes=3):
    """Students whose labels turn to the next class under each edit but `upper` with a rate; in a chain, at each step.

    rates: by source, the first is the reference and of gold.  All students are right of 4 unedited rows in 5.
    """
    generator = np.random.default_rng(seed)
    gold = generator.integers(0, classes, rows)
    level = generator.random(rows)  # what rows have in common: those near a boundary flip for all students
    unedited, edited = {}, {}
    for name, rate in rates.items():
        wrong = generator.random((runs, rows)) < 0.2
        unedited[name] = np.where(wrong, (gold + 1) % classes, gold)
        flip = generator.random((runs, len(names), rows)) < rate * 2 * level
        steps = [at for at, one in enumerate(names) if one.startswith("chain")]
        for before, at in itertools.pairwise(steps):
            flip[:, at] |= flip[:, before]
        flip[:, [at for at, one in enumerate(names) if one == "upper"]] = False
        edited[name] = (unedited[name][:, None] + flip) % classes
    evidence = evidence_of(gold, {name: certain(of, classes) for name, of in unedited.items()}, classes=classes)
    return replace(evidence, edited=frame_of(evidence.study.test.ids, unedited, edited, names))


@pytest.fixture(scope="module")
def weak():
    """The second source breaks at once, the third as the reference."""
    return world({"gold": 0.05, "llm": 0.4, "other": 0.05}, rows=300)


def test_flips_by_hand():
    unedited = np.array([[0, 1, 2], [0, 0, 2]])
    edited = np.array([[[0, 1, 1], [1, 1, 2], [0, 1, 1]], [[1, 0, 2], [0, 0, 2], [0, 0, 1]]])
    found = flips(unedited, edited)
    assert found.astype(int).tolist() == [[[0, 0, 1], [1, 0, 0], [0, 0, 1]], [[1, 0, 0], [0, 0, 0], [0, 0, 1]]]
    # of the first run, row 0 flips by the second edit, and counts as flipped though the third turns it back
    assert flipped_by(found).astype(int).tolist() == [
        [[0, 0, 1], [1, 0, 1], [1, 0, 1]],
        [[1, 0, 0], [1, 0, 0], [1, 0, 1]],
    ]
    assert withstood(found).tolist() == [[1, 3, 0], [0, 3, 2]]


def test_median_edits_by_hand():
    assert median_edits([0.2, 0.5, 0.7]) == 2
    assert median_edits([0.6, 0.7]) == 1
    assert median_edits([0.2, 0.49]) is None
    assert median_edits([]) is None


def test_turns_by_hand():
    gold = np.array([0, 0, 0, 0, 0])
    unedited, edited = np.array([[0, 0, 1, 1, 1]]), np.array([[0, 1, 0, 2, 1]])
    to_wrong, to_right, to_other = turned(gold, unedited, edited)
    assert (to_wrong.tolist(), to_right.tolist(), to_other.tolist()) == (
        [[False, True, False, False, False]],
        [[False, False, True, False, False]],
        [[False, False, False, True, False]],
    )


@pytest.mark.parametrize("seed", range(5))
def test_edits_withstood_and_median_are_those_of_survival_analysis(seed):
    generator = np.random.default_rng(seed)
    chains = generator.random((1, 5, 400)) < 0.25
    lasts = withstood(chains)[0]
    # the first flip comes with edit `lasts + 1`; who withstands all 5 is censored after them
    curve = SurvfuncRight(np.minimum(lasts + 1, 5), lasts < 5)
    survives = np.interp(np.arange(1, 6), curve.surv_times, curve.surv_prob)
    assert lasts.mean() == pytest.approx(survives.sum())
    by_then = flipped_by(chains).mean(axis=(0, 2))
    assert by_then == pytest.approx(1 - survives)
    assert median_edits(by_then.tolist()) == curve.quantile(0.5)


@pytest.mark.parametrize(("hits", "rows"), [(0, 100), (3, 100), (50, 80), (80, 80)])
def test_with_the_variance_of_a_binomial_share_it_is_wilson(hits, rows):
    p = hits / rows
    found = share_of_few(Interval(p, np.nan, np.nan, np.sqrt(p * (1 - p) / rows), np.inf), rows, 1, 0.95)
    assert found[1:3] == pytest.approx(proportion_confint(hits, rows, 0.05, "wilson"))


def test_more_variance_or_fewer_degrees_are_a_wider_interval_within_0_and_1():
    def width(error, degrees=np.inf, runs=2):
        found = share_of_few(Interval(0.03, np.nan, np.nan, error, degrees), 100, runs, 0.95)
        assert 0 <= found.low < 0.03 < found.high <= 1
        return found.high - found.low

    assert width(0.005, 1) < 1  # one degree: so wide that no confidence of a normal quantile is less than 1
    assert width(0.01) < width(0.02) < width(0.02, 3) < width(0.05, 3)
    assert width(1e-6) == pytest.approx(width(np.sqrt(0.03 * 0.97 / 200)))  # never worth more than all labels


def test_numbers_of_a_world_are_those_counted_by_hand(weak):
    texts = edited_texts(weak)
    found = robustness_of(weak, texts)
    frame = weak.edited.pivot_table(index=["source", "seed", "id"], columns="edit", values="label", aggfunc="first")
    flipped = frame.ne(frame["unedited"], axis=0)
    for source in ("gold", "llm", "other"):
        of = flipped.loc[source]
        assert found.by_edit[source]["typos"].flipped.estimate == pytest.approx(of["typos"].mean())
        assert found.any_edit[source].estimate == pytest.approx((of["typos"] | of["upper"]).mean())
        by_then = [of[list(CHAINS[: at + 1])].any(axis=1).mean() for at in range(3)]
        assert [one.estimate for one in found.by_then[source]] == pytest.approx(by_then)
        assert found.withstood[source].estimate == pytest.approx(3 - sum(by_then))
        gold = pd.Series([f"class_{code}" for code in weak.study.test.gold], weak.study.test.ids)
        right = frame.loc[source].eq(frame.loc[source].index.get_level_values("id").map(gold), axis=0)
        one = found.by_edit[source]["typos"]
        assert one.before.estimate == pytest.approx(right["unedited"].mean())
        assert one.after.estimate == pytest.approx(right["typos"].mean())
        assert one.change.estimate == pytest.approx(right["typos"].mean() - right["unedited"].mean())
        assert one.turns["right_to_wrong"].estimate == pytest.approx((right["unedited"] & ~right["typos"]).mean())
        turns = sum(of.estimate for of in one.turns.values())
        assert turns == pytest.approx(one.flipped.estimate)
    assert found.against["chain"]["llm"].estimate == pytest.approx(
        (found.withstood["gold"].estimate - found.withstood["llm"].estimate) / 3
    )


def test_students_that_break_earlier_are_found_and_others_are_not(weak):
    found = robustness_of(weak, edited_texts(weak))
    assert found.against["any_edit"]["llm"].decision == found.against["chain"]["llm"].decision == "better"
    assert found.against["any_edit"]["llm"].low > 0
    assert found.against["any_edit"]["other"].decision in ("equivalent", "not decided")
    says = " ".join(robustness(weak).says)
    assert "more often in 2 (llm under single edits and llm along chains)" in says
    # what the encoder reads the same has no interval to estimate
    assert "reads the same tokens with and without upper" in says
    assert found.by_edit["llm"]["upper"].flipped[:3] == (0, 0, 0)


def test_alike_within_the_margin_is_told_where_there_are_rows_enough():
    evidence = world({"gold": 0.03, "llm": 0.03}, rows=3000, runs=3, names=("typos", "chain 1"))
    decisions = {
        what: of["llm"].decision for what, of in robustness_of(evidence, edited_texts(evidence)).against.items()
    }
    assert decisions == {"any_edit": "equivalent", "chain": "equivalent"}
    assert "alike, within 5 points, in 2" in " ".join(robustness(evidence).says)


def test_students_that_ignore_the_text_never_flip():
    evidence = world({"gold": 0.0, "llm": 0.0})
    found = robustness(evidence)
    sources = found.metrics["sources"]
    for name in ("gold", "llm"):
        assert sources[name]["any_edit"]["estimate"] == 0 == sources[name]["any_edit"]["low"]
        assert 0 < sources[name]["any_edit"]["high"] < 0.05  # 120 rows can't tell 0 from a per cent
        assert sources[name]["withstood"] == {"estimate": 3, "low": 3, "high": 3}
        assert sources[name]["median_edits_to_flip"] is None
    assert found.tables[""]["accuracy_change"].eq(0).all()
    assert "No single edit lowers the accuracy of any source's students." in found.says


def test_students_that_flip_at_once_do_at_every_length():
    evidence = world({"gold": 0.0, "llm": 1e9})
    of_llm = robustness(evidence).metrics["sources"]["llm"]
    assert of_llm["withstood"]["estimate"] == 0
    assert of_llm["median_edits_to_flip"] == 1
    assert [one["estimate"] for one in of_llm["flipped_by_edits_of_chain"]] == [1, 1, 1]
    assert of_llm["against_reference"]["chain"]["estimate"] == 1
    assert of_llm["against_reference"]["chain"]["decision"] == "more"


def test_rows_that_an_edit_did_not_change_are_left_out(weak):
    ids = weak.study.test.ids[:100]
    kept = weak.edited["edit"].ne("typos") | weak.edited["id"].isin(ids)
    partly = replace(weak, edited=weak.edited.assign(changed=weak.edited["changed"] & kept))
    found = robustness_of(partly, edited_texts(partly)).by_edit["llm"]["typos"]
    whole = weak.edited[weak.edited["id"].isin(ids) & weak.edited["source"].eq("llm")]
    wide = whole.pivot_table(index=["seed", "id"], columns="edit", values="label", aggfunc="first")
    assert found.rows == 100
    assert found.flipped.estimate == pytest.approx((wide["typos"] != wide["unedited"]).mean())
    explained = robustness(partly)
    assert explained.metrics["edits"]["typos"]["changed"] == pytest.approx(1 / 3, abs=1e-4)
    assert any("typos 33.3 % edited" in one for one in explained.says)


def test_texts_that_lost_their_end_are_told(weak):
    cut = replace(weak, edited=weak.edited.assign(cut=weak.edited["edit"].eq("typos")))
    assert any("Of the edited texts 20.0 % became too long in tokens" in one for one in robustness(cut).says)


def test_a_part_of_the_rows_has_its_own_numbers(weak):
    rows = np.arange(40, 200)
    part = weak.on(rows)
    assert set(part.edited["id"]) == set(weak.study.test.ids[rows])
    texts = edited_texts(part)
    assert texts.rows == 160
    assert texts.gold.tolist() == weak.study.test.gold[rows].tolist()
    whole = edited_texts(weak)
    assert (texts.edited["llm"] == whole.edited["llm"][:, :, rows]).all()


def test_rows_in_another_order_are_the_same_numbers(weak):
    mixed = replace(weak, edited=weak.edited.sample(frac=1, random_state=0).reset_index(drop=True))
    found = {one: robustness(each) for one, each in {"a": weak, "b": mixed}.items()}
    for name in ("gold", "llm", "other"):
        one, other = (found[key].metrics["sources"][name] for key in "ab")
        assert one["any_edit"] == other["any_edit"]
        assert one["edits"]["typos"] == other["edits"]["typos"]
        assert one["flipped_by_edits_of_chain"] == other["flipped_by_edits_of_chain"]


def test_one_seed_and_two_classes_and_no_chains_or_no_single_edits():
    one = world({"gold": 0.1, "llm": 0.3}, runs=1, classes=2)
    assert "over rows alone, since one seed was read" in robustness(one).says[0]
    single = robustness(world({"gold": 0.1, "llm": 0.3}, names=("typos",)))
    assert single.tables["chains"].empty
    assert list(single.metrics["sources"]["llm"]["against_reference"]) == ["any_edit"]
    chains = robustness(world({"gold": 0.1, "llm": 0.3}, names=CHAINS))
    assert chains.tables[""].empty
    assert "any_edit" not in chains.metrics["sources"]["llm"]
    for found in (single, chains):
        json.dumps(found.metrics, allow_nan=False)


def test_a_reference_alone_and_a_reference_that_is_not_of_gold():
    alone = robustness(world({"gold": 0.1}))
    assert not any("Do students break earlier" in one for one in alone.says)
    evidence = world({"llm": 0.1, "other": 0.3})
    settings = evidence.study.settings
    sources = {name: of.model_copy(update={"annotator": "llm"}) for name, of in settings.sources.items()}
    study = replace(evidence.study, settings=settings.model_copy(update={"sources": sources}))
    says = robustness(replace(evidence, study=study)).says
    assert not any("Do students break earlier" in one for one in says)
    assert any("against llm: " in one for one in says)


def test_without_edited_texts_it_says_so(weak, tmp_path):
    none = robustness(replace(weak, edited=None))
    assert none.says == [
        "No test text was edited (`perturb.rows` in params.yaml is 0), so that nothing is known of robustness."
    ]
    few = robustness(weak.on(np.array([3])))
    assert few.says[0].startswith("Fewer than two of these test rows were edited")
    weak.edited.to_parquet(tmp_path / "edited.parquet")
    read = replace(weak, edited=read_edited(tmp_path / "edited.parquet"))
    assert robustness(read).metrics == robustness(weak).metrics


def test_the_picture_is_drawn_with_either_panel_alone(weak, tmp_path):
    for names in ((*EDITS, *CHAINS), EDITS, CHAINS):
        found = robustness(world({"gold": 0.1, "llm": 0.3}, rows=30, names=names))
        found.pictures[""](tmp_path / "one.png")
        found.pictures[""](tmp_path / "two.png")
        assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()
