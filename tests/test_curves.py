"""Learning curves: nested students, points with their variances, power laws, crossings, and what is said of them."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from evidence_worlds import certain, evidence_of
from small_study import run_explain, settings, write_study
from students import Stage, recipe, settings_of, tiny_model
from validity_curves import EARLY, LONG, ROOT, STEEP, Truth, World, judged, points_of

from labelrisk.cli import main
from labelrisk.comparison.runs import runs_in, runs_of
from labelrisk.errors import LabelRiskError
from labelrisk.explanations.contract import outputs
from labelrisk.explanations.curves.crossing_sentences import overtaking
from labelrisk.explanations.curves.explanation import curves
from labelrisk.explanations.curves.plan import curve_plan
from labelrisk.explanations.curves.points import Curves
from labelrisk.explanations.curves.premature_plateau import PART
from labelrisk.explanations.smaller_runs import SmallerRuns, counts_of
from labelrisk.params import load
from labelrisk.settings.curve import CurveSettings, doublings
from labelrisk.sources.nested_rows import first_rows
from labelrisk.stages import curve, train
from labelrisk.statistics.convergence import Curve
from labelrisk.statistics.curve_shapes import at_rows, crossing, difference, late_rows, slope, worth
from labelrisk.statistics.power_laws import FEWEST, Law, PowerLaw, Range, power_law
from labelrisk.statistics.run_variances import RunVariances
from labelrisk.statistics.score_points import Runs, ScorePoints, pooled_over_rows, score_points
from labelrisk.statistics.scores import accuracy, macro_f1

# points


def drawn_runs(sizes, number=4, rows=300, seed=0, classes=3, sources=("gold", "llm")):
    """Runs that err on rows that are hard for all, and by chance."""
    generator = np.random.default_rng(seed)
    gold, hard = generator.integers(0, classes, rows), generator.random(rows)
    runs = []
    for place, source in enumerate(sources):
        for size in sizes:
            wrong = hard + 0.2 * generator.random((number, rows)) < 0.4 - 0.05 * place - 0.0005 * size
            said = np.where(wrong, (gold + 1) % classes, gold)
            runs.append(Runs(source, size, said, counts_of(gold, said, classes)))
    return gold, runs


def test_points_err_by_rows_as_run_variances_do():
    gold, runs = drawn_runs([50, 100])
    points = score_points(gold, runs, macro_f1)
    named = {f"{of.source} {of.rows}": of for of in runs}
    said, counts = ({name: getattr(of, what) for name, of in named.items()} for what in ("predictions", "counts"))
    variances = RunVariances(gold, said, counts, macro_f1)
    names = list(named)
    for one, place in (("gold 50", 0), ("llm 100", 3)):
        assert points.scores[place] == pytest.approx(variances.scores[one].mean())
    weights = np.array([1.0, 0, 0, -1.0])
    shares = variances.components(names[0], names[3])
    assert shares.rows > 1e-6
    assert float(weights @ points.by_rows @ weights) == pytest.approx(shares.rows)
    assert points.contrast(weights, 0.95).estimate == pytest.approx(
        variances.difference(names[0], names[3], 0.95).estimate
    )


def test_the_variance_of_single_runs_is_that_of_other_rows_alone():
    gold, runs = drawn_runs([50], number=1)
    points = score_points(gold, runs, accuracy)
    share = float(points.scores[0])
    assert points.by_rows[0, 0] == pytest.approx(share * (1 - share) / (len(gold) - 1))
    assert points.by_runs.tolist() == [0, 0]
    assert points.degrees == {"gold": 0, "llm": 0}


def test_variances_of_runs_are_pooled_within_a_source():
    same = pooled_over_rows(("a", "a", "b"), np.array([50.0, 100, 50]), np.array([2.0, 2, 8]), np.array([2.0, 4, 4]))
    assert same[0].tolist() == [2, 2, 8]
    assert same[1] == {"a": 6, "b": 4}
    sizes = np.array([50.0, 100, 200, 400])
    falling = pooled_over_rows(("a",) * 4, sizes, 1 / sizes, np.full(4, 4.0))[0]
    assert falling == pytest.approx(1 / sizes)
    mixed = pooled_over_rows(("a",) * 2, np.array([50.0, 100]), np.array([1.0, 3]), np.array([1.0, 3]))[0]
    assert mixed.tolist() == [2.5, 2.5]  # never rising: (1 x 1 + 3 x 3) / 4
    assert pooled_over_rows(("a",) * 2, np.array([50.0, 100]), np.zeros(2), np.ones(2))[0].tolist() == [0, 0]
    alone = pooled_over_rows(("a", "b"), np.array([50.0, 50]), np.array([np.nan, 3]), np.array([0.0, 2]))
    assert alone[0].tolist() == [0, 3]


# laws

SIZES = np.array([50.0, 100, 200, 400, 800])


def law_at(sizes, plateau=0.8, fall=4.0, power=0.8):
    return plateau - fall * sizes**-power


def test_points_on_a_law_give_the_law():
    found = power_law(SIZES, law_at(SIZES), np.eye(5) * 1e-8, 20, 0.95)
    assert found.best.plateau == pytest.approx(0.8, abs=1e-4)
    assert found.best.power == pytest.approx(0.8, abs=1e-2)
    assert found.best.to_come == pytest.approx(4 * 800**-0.8, abs=1e-4)
    assert found.at(SIZES) == pytest.approx(law_at(SIZES), abs=1e-4)
    assert found.gain(800, 900).estimate == pytest.approx(law_at(900) - law_at(800), abs=1e-5)
    # a doubling from n buys 4 n^-.8 (1 - 2^-.8)
    assert found.flat_from(0.02).estimate == pytest.approx((4 * (1 - 2**-0.8) / 0.02) ** (1 / 0.8), rel=1e-2)
    assert found.told
    assert found.p > 0.9


def test_an_interval_is_the_profile_of_the_likelihood():
    """Its ends are plateaus with which the best law is further from the points by t^2: found anew by minimisation."""
    from scipy.optimize import brentq, minimize
    from scipy.stats import t

    generator = np.random.default_rng(3)
    scores = law_at(SIZES, power=1.2, fall=30) + 0.004 * generator.standard_normal(5)
    covariance = np.full((5, 5), 1e-5) + np.eye(5) * 2e-5
    weights = np.linalg.inv(covariance)

    def distance(plateau, to_come, power):
        rest = plateau - to_come * (SIZES / 800) ** -power - scores
        return rest @ weights @ rest

    def profile(plateau):
        starts = [(0.02, 0.5), (0.02, 1.0), (0.01, 2.0)]
        bounds = [(0, 1), (0.1, 3)]
        return min(minimize(lambda x: distance(plateau, *x), s, bounds=bounds, method="L-BFGS-B").fun for s in starts)

    found = power_law(SIZES, scores, covariance, 12, 0.95)
    best = profile(float(found.best.plateau))
    assert best == pytest.approx(distance(*map(float, found.best)), abs=1e-3)
    threshold = t.ppf(0.975, 12) ** 2
    for end, beyond in ((found.plateau.low, -0.1), (found.plateau.high, 0.1)):
        centre = float(found.best.plateau)
        true = brentq(
            lambda plateau: profile(plateau) - best - threshold, *sorted((centre, centre + beyond)), xtol=1e-5
        )
        assert end == pytest.approx(true, abs=1e-3)


def test_growth_without_end_has_no_plateau_that_is_told():
    scores = 0.3 + 0.08 * np.log2(SIZES / 25)
    found = power_law(SIZES, scores, np.eye(5) * 1e-5, 20, 0.95)
    assert found.plateau.high == 1
    assert not found.told
    assert found.flat_from(0.02).low > 800


def test_a_flat_curve_is_flat_from_the_start():
    found = power_law(SIZES, np.full(5, 0.7), np.eye(5) * 1e-6, 20, 0.95)
    assert found.plateau.low <= 0.7 <= found.plateau.high < 0.75
    assert found.flat_from(0.02) == (1.0, 1.0, pytest.approx(50, abs=50))
    assert found.gain(800, 900).high < 0.001


def test_points_that_follow_no_law_are_noticed():
    scores = np.array([0.5, 0.8, 0.5, 0.8, 0.5])
    assert power_law(SIZES, scores, np.eye(5) * 1e-4, 20, 0.95).p < 0.01
    assert np.isnan(power_law(SIZES[:4], scores[:4], np.eye(4) * 1e-4, 20, 0.95).p)


def test_a_number_lies_between_its_bounds_whatever_the_fit():
    found = power_law(SIZES, law_at(SIZES), np.eye(5) * 1e-3, 4, 0.95)
    for one in (found.plateau, found.gain(800, 900), found.flat_from(0.02), found.range_of(lambda law: law.power)):
        assert one.low <= one.estimate <= one.high
    assert isinstance(found.best, Law)


# shapes


def points_at(scores, errors=0.01, sizes=(50, 100, 200, 400)):
    """Points of gold and llm without a covariance, known errors."""
    names = [name for name in scores for _ in sizes]
    count = len(names)
    return ScorePoints(
        sources=tuple(names),
        rows=np.array(list(sizes) * len(scores), dtype=float),
        scores=np.concatenate([np.array(of, dtype=float) for of in scores.values()]),
        by_rows=np.eye(count) * errors**2 / 2,
        by_runs=np.full(count, errors**2 / 2),
        degrees=dict.fromkeys(scores, 1e6),
        test_rows=10**6,
    )


def test_scores_between_sizes_are_linear_in_log_rows():
    points = points_at({"gold": [0.5, 0.6, 0.7, 0.8]})
    assert at_rows(points, "gold", 100).tolist() == [0, 1, 0, 0]
    assert at_rows(points, "gold", 100 * 2**0.25) == pytest.approx([0, 0.75, 0.25, 0])
    assert at_rows(points, "gold", 10).tolist() == [1, 0, 0, 0]
    assert at_rows(points, "gold", 1000).tolist() == [0, 0, 0, 1]


def test_a_slope_is_what_doubling_buys():
    points = points_at({"gold": [0.5, 0.6, 0.7, 0.8], "llm": [0.5, 0.5, 0.6, 0.62]})
    assert float(slope(points, "gold", SIZES[:4]) @ points.scores) == pytest.approx(0.1)
    assert float(slope(points, "llm", SIZES[1:4]) @ points.scores) == pytest.approx(0.06)  # (.62 - .5) / 2
    # at 100 x 2^(1/2) rows the score of llm is .55
    assert float(slope(points, "llm", np.array([100, 100 * 2**0.5])) @ points.scores) == pytest.approx(0.1)


@pytest.mark.parametrize(("sizes", "late"), [((50, 100, 170), [50, 100, 170]), ((50, 100, 200, 340), [100, 200, 340])])
def test_late_slopes_are_over_the_same_rows_so_that_one_curve_is_no_flatter_than_itself(sizes, late):
    """In either direction; over sizes of their own llm's slope would be .7 points less, for it lacks the last size."""
    whole = (*sizes[:-1], 2 * sizes[-2])
    points = points_at({"gold": law_at(np.array(whole), 0.9, 1.5, 0.5)}, sizes=whole)
    fewer = points_at({"llm": law_at(np.array(sizes), 0.9, 1.5, 0.5)}, sizes=sizes)
    both = dataclasses.replace(
        points, sources=points.sources + fewer.sources, rows=np.append(points.rows, fewer.rows),
        scores=np.append(points.scores, fewer.scores),
    )  # fmt: skip
    rows = late_rows(both, "llm", "gold", PART)
    assert rows.tolist() == late_rows(both, "gold", "llm", PART).tolist() == late
    assert float((slope(both, "llm", rows) - slope(both, "gold", rows)) @ both.scores) == pytest.approx(0, abs=0.001)


def test_where_both_curves_end_alike_all_late_sizes_count():
    points = points_at({"gold": [0.5, 0.6, 0.7, 0.8], "llm": [0.5, 0.5, 0.6, 0.62]})
    assert late_rows(points, "gold", "llm", PART).tolist() == [100, 200, 400]
    assert late_rows(points, "gold", "llm", 1.5).tolist() == [400]


def test_where_a_curve_passes_another():
    points = points_at({"gold": [0.4, 0.5, 0.6, 0.7], "llm": [0.55, 0.55, 0.55, 0.55]}, errors=0.01)
    found = crossing(points, "gold", "llm", 0.95)
    assert found.rows == pytest.approx(100 * 2**0.5)
    assert (found.start, found.end) == (-1, 1)
    # at 100 x 2^s the difference is -.05 + .1 s, its variance 1e-4 ((1-s)^2 + s^2) 2: Fieller's bounds by hand
    shares = np.linspace(0, 1, 100001)
    inside = np.abs(-0.05 + 0.1 * shares) <= 1.96 * 0.01 * np.sqrt(2 * ((1 - shares) ** 2 + shares**2))
    assert found.low == pytest.approx(100 * 2 ** shares[inside].min(), rel=0.02)
    assert found.high == pytest.approx(100 * 2 ** shares[inside].max(), rel=0.02)
    ahead = crossing(points_at({"gold": [0.6, 0.7, 0.8, 0.9], "llm": [0.5] * 4}), "gold", "llm", 0.95)
    assert ahead == (None, None, None, 1, 1)
    assert worth(points, "gold", "llm", 0.95).rows == pytest.approx(100 * 2**0.5)
    one_size = points_at({"gold": [0.5], "llm": [0.6]}, sizes=(50,))
    assert crossing(one_size, "gold", "llm", 0.95) is None
    assert worth(one_size, "gold", "llm", 0.95) is None


def test_a_crossing_between_neighbouring_places_is_one_place():
    """So sure that no place of the grid is open."""
    points = points_at({"gold": [0.4, 0.5, 0.6, 0.7], "llm": [0.549] * 4}, errors=1e-5)
    found = crossing(points, "gold", "llm", 0.95)
    assert (found.start, found.end) == (-1, 1)
    assert found.low == found.high == found.rows == pytest.approx(100 * 2**0.49)
    turned = crossing(points, "llm", "gold", 0.95)
    assert (turned.start, turned.end, turned.rows) == (1, -1, None)
    assert turned.low == turned.high == pytest.approx(100 * 2**0.49)


GOLD_RISES, AHEAD = [0.4, 0.5, 0.6, 0.7], "At equal numbers of rows students of gold are surely "


@pytest.mark.parametrize(
    ("gold", "llm", "errors", "equal", "whole"),
    [
        (GOLD_RISES, [0.549] * 4, 1e-5, "ahead of those of llm from 140 rows on; surely behind with fewer than 140.",
         "About 140 rows of gold, between 140 and 140, give as good students as all 400 rows of llm."),
        ([0.7, 0.6, 0.5, 0.4], [0.549] * 4, 1e-5,
         "behind those of llm from 142 rows on; surely ahead of them with fewer than 142.",
         "; with fewer than 142 they are surely better, with more than 142 they are surely worse."),
        ([0.7, 0.55, 0.55, 0.7], [0.55] * 4, 0.01,
         "ahead of those of llm with few rows and with many, but from ", "is not told; with fewer than "),
        ([0.3, 0.55, 0.55, 0.3], [0.55] * 4, 0.01,
         "behind those of llm with few rows and with many, but from ", "is not told; with fewer than "),
        ([0.55, 0.55, 0.7, 0.8], [0.55] * 4, 0.01,
         "ahead of those of llm from ", " rows of gold, or fewer, students pass those of all 400 rows of llm for"),
        ([0.3, 0.4, 0.55, 0.55], [0.55] * 4, 0.01, "behind those of llm with fewer than ", "they are surely worse."),
        ([0.7, 0.8, 0.8, 0.9], [0.55] * 4, 0.01, "ahead of those of llm at every size.", "Even the fewest rows"),
        ([0.1, 0.2, 0.3, 0.4], [0.55] * 4, 0.01, "behind those of llm at every size.", "No number of rows of gold"),
    ],
)  # fmt: skip
def test_what_is_said_of_a_crossing_is_where_it_starts_and_ends(gold, llm, errors, equal, whole):
    points = points_at({"gold": gold, "llm": llm}, errors=errors)
    curves_of_these = Curves(points, (3,) * 8, (None,) * 8, 0.95)
    at = (points, "gold", "llm", 0.95)
    said = overtaking("gold", "llm", crossing(*at), worth(*at), curves_of_these)
    assert equal in said[0].replace(AHEAD, "", 1)
    assert said[0].startswith(AHEAD)
    assert whole in said[1]
    assert "None" not in " ".join(said)


def test_where_nothing_is_told_of_a_crossing():
    points = points_at({"gold": [0.55] * 4, "llm": [0.55] * 4})
    at = (points, "gold", "llm", 0.95)
    said = overtaking("gold", "llm", crossing(*at), worth(*at), Curves(points, (3,) * 8, (None,) * 8, 0.95))
    assert said[0].endswith("ahead at equal numbers of rows is not told from 50 to 400 rows.")
    assert said[1] == "With how many rows of gold students pass those of all 400 rows of llm is not told."


def test_a_difference_of_two_intervals():
    found = difference(Range(0.05, 0.02, 0.09), Range(0.01, -0.02, 0.05))
    assert found.estimate == pytest.approx(0.04)
    assert found.low == pytest.approx(0.04 - np.hypot(0.03, 0.04))
    assert found.high == pytest.approx(0.04 + np.hypot(0.04, 0.03))


# worlds


def rates(world, studies=40):
    found = pd.DataFrame([judged(world, points_of(world, np.random.default_rng([9, at]))) for at in range(studies)])
    return found.mean()


def test_the_plateau_is_found_and_an_early_one_called_early():
    found = rates(World(STEEP, EARLY, LONG, seeds_of_all=5, seeds=5, rows=2000))
    for name in ("plateau", "next 100", "flat from"):
        assert found[f"{name} g"] >= 0.85, name  # of 40: .85 is three standard errors below .95
        assert found[f"{name} l"] >= 0.85, name
    assert found["told l"] >= 0.8
    rising = rates(World(Truth(0.92, 2.2, 0.45), EARLY, LONG, 5, 5, 2000))
    assert rising["early"] >= 0.7
    assert rising["denied"] == 0


def test_where_nothing_flattens_early_none_is_called_so():
    found = rates(World(STEEP, Truth(0.78, 8.0, 0.8), LONG))
    assert found["early"] <= 0.1
    assert found["denied"] >= 0.3
    unequal = rates(World(ROOT, ROOT, rows=5000, seeds=5, annotator_sizes=(50, 100, 200, 340)))
    assert unequal["early"] <= 0.1


# the explanation


def smaller(source, rows, gold, predictions, classes=3, is_long=True):
    steps = np.arange(10, 121, 10)
    loss = np.linspace(1.0, 0.05, 12) if is_long else np.full(12, 1.05)
    one = Curve(steps, np.full(12, 0.7), steps, loss)
    return SmallerRuns(
        source=source,
        rows=rows,
        predictions=predictions,
        counts=counts_of(gold, predictions, classes),
        curves=(one,) * len(predictions),
        entropies=(1.09,) * len(predictions),
    )


def world_evidence(shares, seeds=4, rows=900, classes=3, young=(), sizes=(50, 100, 200), unlabelled=0):
    """Evidence whose students of a source are right on these shares of rows, by size; the last is of all rows, 400."""
    generator = np.random.default_rng(5)
    gold = generator.integers(0, classes, rows)
    hard = generator.random(rows)
    small, whole = [], {}
    for source, values in shares.items():
        for size, share in zip((*sizes, 400), values, strict=True):
            luck = 0.02 * generator.standard_normal((seeds, rows)) + 0.005 * generator.standard_normal((seeds, 1))
            said = np.where(hard + luck < share, gold, (gold + 1) % classes)
            if size == 400:
                whole[source] = certain(said, classes)
            else:
                small.append(smaller(source, size, gold, said, classes, (source, size) not in young))
    train_gold = np.arange(400) % classes
    labels = np.where(np.arange(400) < unlabelled, -1, train_gold)
    evidence = evidence_of(gold, whole, classes=classes, train_gold=train_gold, training={"llm": labels})
    return dataclasses.replace(evidence, smaller=tuple(small))


FLAT_LLM = {"gold": (0.5, 0.62, 0.72, 0.8), "llm": (0.55, 0.65, 0.66, 0.66)}


def test_what_curves_say():
    found = curves(world_evidence(FLAT_LLM))
    text = "\n".join(found.says)
    assert all(one[0].isupper() and one.endswith(".") for one in found.says)
    assert "Students of gold score a macro-F1 of 51.0 [47.8, 54.2] with 50 rows and of 80.4 [" in text
    assert "with all 400 rows" in text
    assert "The next 100 labels, beyond all rows, would buy" in text
    assert "They surely buy most on gold." in text
    assert "That the curve of llm flattens earlier than that of gold holds" in text
    claim = found.claims["llm"]["plateau_early"]
    assert (claim.finding, claim.sources) == ("holds", ("llm", "gold"))
    assert claim.estimate == pytest.approx((0.66 - 0.65) / 2 - (0.8 - 0.62) / 2, abs=0.02)
    assert found.metrics["gold_passes"]["llm"]["at_equal_rows"]["end"] == 1
    assert len(found.tables[""]) == 8
    assert found.metrics["sources"]["llm"]["law"]["flat_from_rows"]["estimate"] < 200
    assert json.dumps(outputs("curves", found)["curves.json"], allow_nan=False)


def test_one_curve_is_another_names_apart():
    alike = curves(world_evidence({"gold": FLAT_LLM["gold"], "llm": FLAT_LLM["gold"]}))
    assert alike.claims["llm"]["plateau_early"].finding == "does not hold"
    assert "is not sure" in "\n".join(alike.says)


def test_an_annotator_that_labelled_fewer_rows_is_not_said_to_flatten_early_for_that():
    """Gold and llm lie on one curve, of which llm has 340 rows; at sizes of their own llm gains 1 point less."""
    gold, llm = (law_at(np.array([50.0, 100, 200, last]), 0.95, 3.0, 0.5) for last in (400, 340))
    claim = curves(world_evidence({"gold": gold, "llm": llm}, rows=3000, unlabelled=60)).claims["llm"]["plateau_early"]
    assert claim.estimate == pytest.approx(0, abs=0.006)


def test_the_order_of_the_bytes_and_the_picture(tmp_path):
    evidence = world_evidence(FLAT_LLM)
    for name in ("one", "two"):
        found = curves(evidence)
        found.pictures[""](tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    assert (tmp_path / "one").read_bytes().startswith(b"\x89PNG")
    assert curves(evidence).metrics == curves(evidence).metrics


def test_students_that_have_not_converged_decide_no_claim():
    found = curves(world_evidence(FLAT_LLM, young={("llm", 200)}))
    assert "Not trained enough, so that their points may lie too low: llm with 200 rows" in "\n".join(found.says)
    assert found.claims["llm"]["plateau_early"].finding == "not decided here"
    assert "have not converged" in found.claims["llm"]["plateau_early"].because
    early = curves(world_evidence(FLAT_LLM, young={("llm", 50)}))  # not a late point
    assert early.claims["llm"]["plateau_early"].finding == "holds"


def test_few_sizes_one_seed_and_scores_that_never_differ():
    few = curves(world_evidence({name: of[1:] for name, of in FLAT_LLM.items()}, sizes=(100, 200)))
    assert f"it has 3 sizes, and a power law with a plateau needs {FEWEST}" in "\n".join(few.says)
    assert few.metrics["sources"]["gold"]["law"] is None
    single = curves(world_evidence(FLAT_LLM, seeds=1))
    text = "\n".join(single.says)
    assert "their intervals are about other test rows alone" in text
    assert "needs two seeds or more" in text
    same = curves(world_evidence({"gold": (1.2,) * 4, "llm": (1.2,) * 4}))
    assert same.metrics["sources"]["gold"]["law"] is None
    constant = curves(world_evidence({"gold": (-1.0,) * 4, "llm": (0.5, 0.6, 0.6, 0.6)}, classes=2))
    assert outputs("curves", constant)


def test_some_of_the_test_rows_alone():
    evidence = world_evidence(FLAT_LLM)
    part = evidence.on(np.arange(100, 400))
    assert part.smaller[0].predictions.shape == (4, 300)
    assert part.smaller[0].counts.sum() == 4 * 300
    assert curves(part).metrics["sources"]["gold"]["points"][0]["rows"] == 50


def test_a_source_of_gold_that_has_no_curve_decides_nothing():
    evidence = world_evidence(FLAT_LLM)
    found = curves(dataclasses.replace(evidence, smaller=tuple(of for of in evidence.smaller if of.source == "llm")))
    assert "name it in curve.sources" in found.claims["llm"]["plateau_early"].because
    assert found.metrics["gold_passes"] == {}


def test_without_curves_it_says_how_to_get_them(tmp_path):
    found = json.loads((run_explain(write_study(tmp_path), settings()) / "curves.json").read_text())
    assert "too few train rows" in " ".join(found["says"])
    gold = np.arange(60) % 3
    evidence = evidence_of(gold, {"gold": certain(np.stack([gold] * 5), 3), "llm": certain(np.stack([gold] * 5), 3)},
                           classes=3, train_gold=np.arange(400) % 3)  # fmt: skip
    off = curves(evidence)
    assert off.metrics == {"needs": {"sizes": [50, 100, 200], "sources": ["gold", "llm"], "students": 30}}
    assert "`labelrisk curves` trains 30 students on 50, 100, 200 rows of gold, llm" in off.says[1]
    assert "about 3.0 times the time" in off.says[1]
    assert off.claims["llm"]["plateau_early"].finding == "not decided here"
    assert "`labelrisk curves` trains them" in off.claims["llm"]["plateau_early"].because
    assert not off.pictures


# the stage


@pytest.fixture(scope="module")
def staged(tmp_path_factory):
    """A training folder of two seeds, and a function that runs the stage."""
    root = tmp_path_factory.mktemp("curve")
    made = Stage(root, str(tiny_model(root / "encoder", "bert")))
    (root / "training").mkdir()
    frame = pd.read_parquet(root / "training.parquet")
    for seed in (0, 1):
        frame.to_parquet(root / "training" / f"{seed}.parquet")

    def run(rows, name, seeds=(0, 1), **changes):
        content = {"curve": CurveSettings(sizes=(10,), sources=("gold",), **changes), "seeds": seeds}
        content |= {"filter": type("Filter", (), {"seed": 0})()}
        inputs = (root / "training", root / "test.parquet", root / "labels.json", root / "labels.json")
        files = (root / f"store_{name}" / "students", root / name, root / "durations.jsonl")
        curve.run(settings_of(made.settings.train, **content), rows, "gold", *inputs, *files)
        return root / name

    return root, made, run


def test_a_student_is_that_of_the_stage_train_on_the_first_rows(staged, monkeypatch):
    root, made, run = staged
    folder = run(10, "ten")
    found = runs_of(folder / "runs.parquet")
    frame = pd.read_parquet(root / "training.parquet")
    labelled = frame[(frame["split"] == "train") & frame["label"].notna()]
    codes = labelled["label"].map({"no": 0, "yes": 1, "perhaps": 2}).to_numpy()
    kept = labelled[first_rows(codes, labelled["id"].tolist(), 10, "0 1")]
    assert len(kept) == 10
    (root / "part").mkdir()
    pd.concat([kept, frame[frame["split"] == "validation"]]).to_parquet(root / "part" / "1.parquet")
    inputs = (root / "part", root / "test.parquet", root / "labels.json", root / "labels.json")
    out = (root / "store" / "students", root / "m", root / "p" / "gold", root / "l", root / "d.jsonl")
    all_rows = int((frame["split"].eq("train") & frame["label"].notna()).sum())
    steps = made.settings.train.steps_for(all_rows)
    how = recipe(model=made.settings.train.model, budget="steps", steps=steps, validate_every=5)
    train.run(settings_of(how, seeds=(1,)), "gold", *inputs, *out)
    alone = runs_in(root / "p")("gold", 1)
    ours = found("gold", 1)
    assert ours.ids.tolist() == alone.ids.tolist()
    assert ours.splits.tolist() == alone.splits.tolist()
    np.testing.assert_array_equal(ours.probabilities, alone.probabilities)
    history = pd.read_parquet(folder / "history.parquet")
    assert history["seed"].unique().tolist() == [0, 1]
    assert history.groupby("seed")["step"].max().tolist() == [steps, steps]  # as long as with all rows
    counts = kept["label"].value_counts(normalize=True)
    assert history["entropy"].iloc[-1] == pytest.approx(-(counts * np.log(counts)).sum())
    assert history["rows"].unique().tolist() == [10]


def test_small_parts_lie_in_larger_ones_and_seeds_have_parts_of_their_own():
    codes = np.arange(400) % 3
    ids = [f"r{at}" for at in range(400)]
    parts = {(size, seed): first_rows(codes, ids, size, f"0 {seed}") for size in (50, 100) for seed in (0, 1)}
    assert (parts[50, 0] <= parts[100, 0]).all()
    assert parts[50, 0].sum() == 50
    assert (parts[50, 0] != parts[50, 1]).any()


def test_the_stage_writes_the_same_bytes_and_no_more_seeds_than_asked_for(staged):
    _, _, run = staged
    one, two = run(12, "one", seeds=(0,)), run(12, "two", seeds=(0,))
    for name in ("runs.parquet", "history.parquet"):
        assert (one / name).read_bytes() == (two / name).read_bytes()
    both = run(12, "both", steps=3)
    assert pd.read_parquet(both / "history.parquet").groupby("seed")["step"].max().tolist() == [3, 3]
    # a student is the same whether it was trained first or after another
    np.testing.assert_array_equal(
        runs_of(run(12, "last", seeds=(1,)) / "runs.parquet")("gold", 1).probabilities,
        runs_of(run(12, "after") / "runs.parquet")("gold", 1).probabilities,
    )


def test_a_source_without_so_many_rows_has_no_students(staged, capsys):
    _, _, run = staged
    folder = run(39, "none")
    assert "no more than 39 labelled train rows" in capsys.readouterr().out
    assert len(pd.read_parquet(folder / "history.parquet")) == 0
    assert len(pd.read_parquet(folder / "runs.parquet")) == 0


def test_what_fails_leaves_nothing(staged, monkeypatch):
    root, _, run = staged
    monkeypatch.setattr(curve, "write_runs", lambda *words: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        run(10, "failed")
    assert not (root / "failed").exists()


def test_the_stage_explain_reads_what_the_stage_curve_writes(tmp_path):
    """Through files: sizes of small_study's sources are written as the stage does, and undeclared ones removed."""
    from labelrisk.comparison.runs import write_runs
    from labelrisk.files import write_parquet

    paths = write_study(tmp_path)
    read = runs_in(paths["predictions"])
    for size, source in ((4, "perfect"), (4, "wavering"), (2, "perfect"), (3, "perfect")):
        folder = tmp_path / "runs" / str(size) / source
        folder.mkdir(parents=True)
        write_runs(folder / "runs.parquet", read, [source], [0, 1] if size != 2 else [])
        history = pd.DataFrame(
            [(seed, step, 1.0 - step / 50, 0.5 if step % 10 == 0 else None, size, 0.69)
             for seed in ([0, 1] if size != 2 else []) for step in range(5, 41, 5)],
            columns=["seed", "step", "loss", "validation_macro_f1", "rows", "entropy"],
        )  # fmt: skip
        write_parquet(history.astype({"validation_macro_f1": float}), folder / "history.parquet")
    how = {"sizes": [2, 4], "sources": ["perfect"], "seeds": 2, "steps": None}
    found = json.loads((run_explain(paths, settings(curve=how)) / "curves.json").read_text())
    assert [one["rows"] for one in found["sources"]["perfect"]["points"]] == [4, 10]
    assert [one["seeds"] for one in found["sources"]["perfect"]["points"]] == [2, 3]
    assert list(found["sources"]) == ["perfect"]
    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == ["2", "4", "all.parquet"]
    assert [path.name for path in (tmp_path / "runs" / "4").iterdir()] == ["perfect"]


# settings and the command


def test_sizes_double_up_to_all_rows():
    assert doublings(400) == (50, 100, 200)
    assert doublings(401) == (50, 100, 200, 400)
    assert doublings(50) == ()


@pytest.mark.parametrize(
    ("section", "says"),
    [
        ({"sizes": [50, 50], "sources": ["gold"], "seeds": 1, "steps": None}, "holds '50' twice"),
        ({"sizes": [50], "sources": [], "seeds": 1, "steps": None}, "'sizes' needs 'sources'"),
        ({"sizes": [50], "sources": ["gould"], "seeds": 1, "steps": None}, "curve.sources"),
        ({"sizes": [0], "sources": ["gold"], "seeds": 1, "steps": None}, "curve.sizes"),
        (
            {"sizes": [], "sources": [], "seeds": 1},
            "the key 'curve.steps' is missing, which dvc.yaml reads; add 'steps: null' to curve",
        ),
        (None, "curve"),
    ],
)
def test_a_section_that_is_no_good_is_one_sentence(tmp_path, section, says):
    import study_files

    study_files.write_study(tmp_path, study_files.params(curve=section))
    with pytest.raises(LabelRiskError, match=says.replace("'", ".")):
        load(tmp_path / "params.yaml")


@pytest.fixture
def project_params(example, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = (example / "params.yaml").read_text()
    Path("params.yaml").write_text(text)
    for source, rows in (("gold", 400), ("embedded", 390)):
        Path("data/training", source).mkdir(parents=True)
        frame = pd.DataFrame({"label": ["a"] * rows + [None], "split": "train"})
        frame.to_parquet(f"data/training/{source}/0.parquet")
    return text


def test_the_command_writes_the_section_and_runs_the_study(project_params, monkeypatch, capsys):
    ran = []
    monkeypatch.setattr("labelrisk.commands.repro.run", lambda params, jobs: ran.append(load(params).curve))
    Path("explanations").mkdir()
    Path("explanations/curves.json").write_text(json.dumps({"says": ["So it is."]}))
    Path(".labelrisk").mkdir()
    line = {"source": "gold", "seed": 0, "steps": 120, "seconds": 24.0}
    Path(".labelrisk/durations.jsonl").write_text(json.dumps(line) + "\n")
    assert main(["curves", "--jobs", "2"]) == 0
    said = capsys.readouterr().out
    assert "30 students of 50, 100, 200 rows, 5 seeds, about 6 minutes here" in said
    assert "So it is." in said
    assert ran[-1] == CurveSettings(sizes=(50, 100, 200), sources=("gold", "embedded"), seeds=5)
    assert main(["curves", "--small"]) == 0
    assert ran[-1] == CurveSettings(sizes=(50, 100, 200), sources=("gold", "embedded"), seeds=2)
    text = Path("params.yaml").read_text()
    assert "sizes: [50, 100, 200]" in text
    assert "# The labels and their definitions" in text
    assert main(["curves", "--off"]) == 0
    assert len(ran) == 2
    before, now = (yaml.safe_load(one) for one in (project_params, Path("params.yaml").read_text()))
    assert now["curve"] == {"sizes": [], "sources": [], "seeds": 3, "steps": None}
    assert {key: of for key, of in now.items() if key != "curve"} == {k: of for k, of in before.items() if k != "curve"}
    changed = set(project_params.splitlines()) ^ set(Path("params.yaml").read_text().splitlines())
    assert all(line.strip().startswith(("sizes", "sources", "seeds")) for line in changed), changed


def test_sizes_that_a_person_wrote_are_kept(project_params, monkeypatch, capsys):
    ran = []
    monkeypatch.setattr("labelrisk.commands.repro.run", lambda params, jobs: ran.append(load(params).curve))
    Path("explanations").mkdir()
    Path("explanations/curves.json").write_text(json.dumps({"says": ["So it is."]}))
    of_random = project_params.replace("sizes: [] ", "sizes: [70, 140]").replace("sources: [] ", "sources: [gold]")
    written = of_random.replace("seeds: 3 ", "seeds: 4 ").replace("steps: null", "steps: 80")
    Path("params.yaml").write_text(written)
    assert main(["curves"]) == 0
    assert ran[-1] == CurveSettings(sizes=(70, 140), sources=("gold",), seeds=4, steps=80)
    assert Path("params.yaml").read_text() == written
    said = " ".join(capsys.readouterr().out.split())
    assert "has sizes, sources and seeds already, which are kept" in said
    assert "learning curves of gold: 8 students of 70, 140 rows, 4 seeds" in said
    assert main(["curves", "--small"]) == 0
    assert ran[-1] == CurveSettings(sizes=(50, 100, 200), sources=("gold", "embedded"), seeds=2, steps=80)
    assert main(["curves"]) == 0  # a small plan was no person's
    assert ran[-1].seeds == 5
    assert "are kept" not in capsys.readouterr().out
    assert main(["curves", "--off"]) == 0
    assert load(Path("params.yaml")).curve == CurveSettings()


@pytest.mark.parametrize("words", [(), ("--small",), ("--off",)])
def test_params_stay_as_they_were_where_jobs_are_no_good(project_params, capsys, words):
    assert main(["curves", "--jobs", "0", *words]) == 1
    assert "--jobs is 0, but at least one student must train" in capsys.readouterr().err
    assert Path("params.yaml").read_text() == project_params


def test_the_command_says_what_it_lacks(project_params, capsys):
    for source in ("gold", "embedded"):
        pd.DataFrame({"label": ["a"] * 40, "split": "train"}).to_parquet(f"data/training/{source}/0.parquet")
    assert main(["curves"]) == 1
    assert "has 40 labelled train rows" in capsys.readouterr().err
    Path("data/training/gold/0.parquet").unlink()
    assert main(["curves"]) == 1
    assert "run `labelrisk repro` first" in capsys.readouterr().err
    assert Path("params.yaml").read_text() == project_params


def test_check_counts_their_students(tmp_path, monkeypatch, capsys):
    import study_files

    monkeypatch.chdir(tmp_path)
    for sizes, students in (([], 6), ([10, 20], 14)):  # 3 sources x 2 seeds, and 2 sizes x 2 sources x 2 seeds
        how = {"sizes": sizes, "sources": ["gold", "model"], "seeds": 3, "steps": None}
        study_files.write_study(tmp_path, study_files.params(curve=how))
        assert main(["check"]) == 0
        assert f"{students} students" in " ".join(capsys.readouterr().out.split())


def test_a_small_plan_takes_the_reference_and_one_annotator():
    sources = {
        "gold": {"annotator": "gold"}, "llm": {"annotator": "llm"}, "other": {"annotator": "other"},
        "drop": {"annotator": "llm", "select": {"by": "random", "share": 0.2}, "action": "drop"},
    }  # fmt: skip
    labels = {"kind": "import", "reads": "x", "label": "a"}
    annotators = {"gold": {"kind": "gold", "reads": "x"}, "llm": labels, "other": labels}
    how = settings(sources=sources, annotators=annotators, ensemble={"across": []}, evaluate={
        "reference": "gold", "margin": 0.02, "confidence": 0.95})  # fmt: skip
    rows = dict.fromkeys(sources, 1700)
    assert curve_plan(how, rows, small=True) == ((400, 800, 1600), ("gold", "llm"), 2)
    assert curve_plan(how, rows, small=False) == ((50, 100, 200, 400, 800, 1600), ("gold", "llm", "other"), 3)
    assert curve_plan(how, rows | {"other": 300}, small=False).students(rows | {"other": 300}) == 3 * (6 + 6 + 3)


def test_no_plateau_is_told_where_a_perfect_score_fits_too():
    region = Law(np.array([0.85, 1.0]), np.array([0.02, 0.05]), np.array([1.0, 0.3]))
    reaching = PowerLaw(Law(np.array(0.85), np.array(0.02), np.array(1.0)), region, 400.0, np.nan)
    assert not reaching.told
    below = reaching._replace(region=region._replace(plateau=np.array([0.85, 0.95])))
    assert below.told
    assert not below._replace(p=0.001).told  # points that follow no law
