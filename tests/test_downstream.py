"""Estimates from labels, as they are and corrected: by hand, against reference packages, in worlds of known truth."""

import dataclasses
import json

import numpy as np
import pytest
import statsmodels.api as sm
from evidence_worlds import certain, evidence_of
from ppi_py import ppi, ppi_mean_ci, ppi_mean_pointestimate, ppi_ols_ci, ppi_ols_pointestimate
from validity_downstream import World, simulated

from labelrisk.errors import LabelRiskError
from labelrisk.explanations.contract import outputs
from labelrisk.explanations.downstream.covariates import covariates_of
from labelrisk.explanations.downstream.explanation import downstream
from labelrisk.explanations.downstream.repeated_draws import draws_of, judged, question, rows_worth
from labelrisk.statistics.design_supervised import design_supervised
from labelrisk.statistics.drawn_rows import Drawn, Estimates, gold_rows_alone, half_width
from labelrisk.statistics.prediction_powered import prediction_powered

Z = 1.959964


def corpus(seed=0, rows=4000, chosen=400):
    """A design of ones and a covariate, gold and labels whose errors go with it, and a random draw."""
    generator = np.random.default_rng(seed)
    covariate = generator.standard_normal(rows)
    gold = (generator.random(rows) < 1 / (1 + np.exp(-covariate))).astype(float)
    given = np.where(generator.random(rows) < 0.05 + 0.2 * (covariate > 0), 1 - gold, gold)
    places = generator.choice(rows, chosen, replace=False)
    design = np.stack([np.ones(rows), covariate], axis=1)
    return design, gold[:, None], given[:, None], Drawn(places[None], np.full(rows, chosen / rows))


def split(values, drawn):
    """The drawn rows and the rest, as the reference package takes them."""
    rest = np.setdiff1d(np.arange(len(values)), drawn.places[0])
    return values[drawn.places[0]], values[rest]


# gold rows alone


def test_a_share_of_gold_rows_by_hand():
    # rows 0, 1, 3 of 6: gold 1, 0, 1, mean 2/3, residuals 1/3, -2/3, 1/3, and left out one at a time 1/2, -1, 1/2.
    # Half of the rows are drawn: (1 - 1/2) x (1/4 + 1 + 1/4) / 9 = 1/12
    gold = np.array([1.0, 0, 9, 1, 9, 9])[:, None]
    found = gold_rows_alone(np.ones((6, 1)), gold, Drawn(np.array([[0, 1, 3]]), np.full(6, 0.5)))
    assert found.values.item() == pytest.approx(2 / 3)
    assert found.errors.item() ** 2 == pytest.approx(1 / 12)


def test_rows_drawn_less_often_count_more():
    # Hajek: (1 / .25 x 1 + 1 / .5 x 0) / (4 + 2) = 2/3
    gold = np.array([1.0, 0.0, 9.0])[:, None]
    found = gold_rows_alone(np.ones((3, 1)), gold, Drawn(np.array([[0, 1]]), np.array([0.25, 0.5, 0.5])))
    assert found.values.item() == pytest.approx(2 / 3)


def test_a_regression_of_gold_rows_is_that_of_statsmodels():
    design, gold, _, drawn = corpus()
    found = gold_rows_alone(design, gold, drawn)
    reference = sm.OLS(split(gold, drawn)[0], split(design, drawn)[0]).fit(cov_type="HC3")
    assert found.values[0, :, 0] == pytest.approx(reference.params)
    assert found.beyond[0, :, 0] == pytest.approx(reference.bse)
    assert (found.errors < found.beyond).all()


def test_weights_of_a_regression_are_those_of_statsmodels():
    design, gold, _, drawn = corpus()
    probabilities = np.random.default_rng(1).uniform(0.05, 0.3, len(gold))
    found = gold_rows_alone(design, gold, drawn._replace(probabilities=probabilities))
    y, x = split(gold, drawn)[0], split(design, drawn)[0]
    reference = sm.WLS(y, x, weights=1 / probabilities[drawn.places[0]]).fit()
    assert found.values[0, :, 0] == pytest.approx(reference.params)


def test_all_rows_of_which_all_are_known_are_the_usual_regression():
    design, _, given, _ = corpus()
    found = gold_rows_alone(design, given, Drawn(np.arange(len(given))[None], np.ones(len(given))))
    reference = sm.OLS(given[:, 0], design).fit(cov_type="HC3")
    assert found.values[0, :, 0] == pytest.approx(reference.params)
    assert found.beyond[0, :, 0] == pytest.approx(reference.bse)
    assert (found.errors == 0).all()


def test_draws_that_cannot_tell_a_coefficient_have_none():
    design = np.stack([np.ones(6), [1, 0, 0, 0, 0, 0]], axis=1)
    drawn = Drawn(np.array([[0, 1, 2], [1, 2, 3]]), np.full(6, 0.5))
    found = gold_rows_alone(design, np.arange(6.0)[:, None], drawn)
    assert np.isfinite(found.values[0]).all()
    assert np.isnan(found.values[1]).all()


# PPI++


@pytest.mark.parametrize("seed", range(3))
def test_a_mean_is_that_of_the_ppi_package(seed):
    design, gold, given, drawn = corpus(seed)
    found = prediction_powered(design[:, :1], gold, given, drawn)
    (y, _), (said, rest) = split(gold[:, 0], drawn), split(given[:, 0], drawn)
    assert found.values.item() == pytest.approx(ppi_mean_pointestimate(y, said, rest).item(), abs=1e-12)
    low, high = ppi_mean_ci(y, said, rest, alpha=0.05)
    assert found.beyond.item() == pytest.approx((high - low).item() / (2 * Z), rel=0.02)


@pytest.mark.parametrize("seed", range(3))
def test_a_regression_is_that_of_the_ppi_package(seed, monkeypatch):
    monkeypatch.setattr(ppi, "_ols_get_stats", ppi._ols_get_stats.py_func)  # to compile it takes longer
    design, gold, given, drawn = corpus(seed, rows=10000, chosen=2000)
    x, x_rest = split(design, drawn)
    (y, _), (said, rest) = split(gold[:, 0], drawn), split(given[:, 0], drawn)
    found = prediction_powered(design, gold, given, drawn)
    low, high = (bound.ravel() for bound in ppi_ols_ci(x, y, said, x_rest, rest, alpha=0.05))
    errors = (high - low) / (2 * Z)
    theirs = ppi_ols_pointestimate(x, y, said, x_rest, rest)
    assert np.abs(found.values[0, :, 0] - theirs).max() < 0.1 * errors.min()
    assert found.beyond[0, :, 0] == pytest.approx(errors, rel=0.05)
    # with one and the same power, and the same rows, to the last digit
    fixed = prediction_powered(design, gold, given, drawn, power=np.array([[0.7]]))
    assert fixed.values[0, :, 0] == pytest.approx(
        ppi_ols_pointestimate(x, y, said, design, given[:, 0], lam=0.7), abs=1e-10
    )


def test_without_power_it_is_the_gold_rows_alone():
    design, gold, given, drawn = corpus()
    none = prediction_powered(design, gold, given, drawn, power=np.zeros((1, 1)))
    alone = gold_rows_alone(design, gold, drawn)
    for one, other in zip(none, alone, strict=True):
        assert one == pytest.approx(other)
    constant = prediction_powered(design[:, :1], gold, np.ones_like(given), drawn)  # labels that say nothing
    assert constant.values == pytest.approx(gold_rows_alone(design[:, :1], gold, drawn).values)


def test_unknown_probabilities_of_others_change_the_power_a_little():
    design, gold, given, drawn = corpus()
    known = np.full(len(gold), np.nan)
    known[drawn.places[0]] = drawn.probabilities[drawn.places[0]]
    exact, estimated = (
        prediction_powered(design, gold, given, drawn._replace(probabilities=one))
        for one in (drawn.probabilities, known)
    )
    assert estimated.values == pytest.approx(exact.values, abs=0.5 * exact.errors.min())
    assert estimated.errors == pytest.approx(exact.errors, rel=0.05)


# DSL


def test_the_pseudo_outcome_by_hand():
    # A penalty without end leaves g = given.  Of 9 rows 5 are drawn; gold of rows 1 and 2 is 0 and 1, given is 1 and 0:
    # pseudo-outcomes 1 + 9/5 (0 - 1) and 0 + 9/5 (1 - 0); row 0, not drawn, has the 1 that was given, all others 0.
    given = np.array([1.0, 1, 0, 0, 0, 0, 0, 0, 0])[:, None]
    gold = np.array([9.0, 0, 1, 0, 0, 0, 9, 9, 9])[:, None]
    features = np.stack([np.full(9, 1e-9), np.zeros(9)], axis=1)
    drawn = Drawn(np.array([[1, 2, 3, 4, 5]]), np.full(9, 5 / 9))
    found = design_supervised(np.ones((9, 1)), gold, given, drawn, features, penalty=1e12)
    assert found.values.item() == pytest.approx((1 + (1 - 9 / 5) + 9 / 5) / 9, abs=1e-6)


def test_its_error_is_that_of_the_regression_of_pseudo_outcomes():
    design, gold, given, drawn = corpus(rows=20000, chosen=2000)
    features = np.hstack([design, given])
    found = design_supervised(design, gold, given, drawn, features)
    model = sm.OLS(split(gold, drawn)[0], split(features, drawn)[0]).fit()
    pseudo = model.predict(features)
    pseudo[drawn.places[0]] += 10 * (gold[drawn.places[0], 0] - pseudo[drawn.places[0]])
    reference = sm.OLS(pseudo, design).fit(cov_type="HC0")
    assert np.abs(found.values[0, :, 0] - reference.params).max() < 0.1 * reference.bse.min()
    assert found.beyond[0, :, 0] == pytest.approx(reference.bse, rel=0.05)


def test_a_model_that_fits_its_own_rows_gains_nothing():
    # 40 features of nothing explain much of 100 rows' gold, and nothing of rows that the model has not seen
    generator = np.random.default_rng(0)
    gold, features = generator.integers(0, 2, (3000, 1)).astype(float), generator.standard_normal((3000, 40))
    features[:, 0] = 1
    places = np.stack([generator.choice(3000, 100, replace=False) for _ in range(20)])
    drawn, ones = Drawn(places, np.full(3000, 1 / 30)), np.ones((3000, 1))
    found = design_supervised(ones, gold, np.zeros((3000, 1)), drawn, features)
    assert found.errors.mean() > gold_rows_alone(ones, gold, drawn).errors.mean()


def test_labels_that_are_gold_leave_no_error():
    design, gold, _, drawn = corpus()
    found = design_supervised(design, gold, gold, drawn, design)
    assert found.values[0, :, 0] == pytest.approx(np.linalg.lstsq(design, gold, rcond=None)[0][:, 0])
    assert (found.errors < 1e-12).all()


# coverage; benchmarks/validity_downstream.py has more worlds, and more draws


@pytest.mark.parametrize("design", ["random", "uncertainty"])
def test_corrected_intervals_hold_the_truth_where_naive_ones_fail(design):
    found = simulated(World(gold_rows=200, rows=1500, design=design), 300, seed=1)
    for what, methods in found.items():
        assert methods["naive"][0] < 0.5, what
        for method in ("gold rows", "PPI++", "DSL"):
            assert 0.92 <= methods[method][0] <= 0.98, (what, method)
        for method in ("PPI++", "DSL"):  # and correction is worth it
            assert methods[method][2] < 0.85 * methods["gold rows"][2]


def test_nothing_is_gained_from_labels_that_say_nothing_and_nothing_lost():
    world = World(false_positives=(0.3, 0.3), misses=(0.7, 0.7), rows=1000)
    found = simulated(world, 200)["share"]
    for method in ("PPI++", "DSL"):
        assert found[method][2] == pytest.approx(found["gold rows"][2], rel=0.1)


# many draws


def test_what_is_judged_by_hand():
    # truth 1/2; estimates .5 and .7 with half widths .1: the first holds it
    asked = question(np.ones((4, 1)), np.array([0, 0, 1, 1]), np.array([0]), np.empty((4, 0)), 0.95, shares=True)
    errors = np.full((3, 1, 1), 0.1 / Z)
    values = np.array([0.5, 0.7, np.nan])[:, None, None]
    found = judged(Estimates(values, errors, errors, np.full((3, 1, 1), 1e9)), asked)
    assert [field.item() for field in found] == pytest.approx(
        [0.5, 0.4, 0.6, 0.1, np.sqrt(0.02), 0.2, 0.5, 2 / 3], abs=1e-6
    )


def test_the_draw_that_is_shown_lies_within_what_can_be_true():
    values, errors = np.full((2, 1, 1), -0.02), np.full((2, 1, 1), 0.05 / Z)
    found = Estimates(values, errors, errors, np.full((2, 1, 1), 1e9))
    asked = question(np.ones((4, 1)), np.array([0, 0, 1, 1]), np.array([0]), np.empty((4, 0)), 0.95, shares=True)
    share = judged(found, asked)
    assert (share.estimate.item(), share.low.item(), share.high.item()) == pytest.approx((0, 0, 0.03), abs=1e-6)
    assert share.bias.item() == pytest.approx(-0.52)  # of the estimator as it is
    slope = judged(found, asked._replace(bounds=(-np.inf, np.inf)))
    assert slope.estimate.item() == -0.02


def test_draws_have_their_probabilities():
    entropies = np.linspace(0, np.log(2), 400)
    drawn = draws_of(400, 60, 500, entropies, 2, 0)
    assert drawn.places.shape == (500, 60)
    assert all(len(set(one)) == 60 for one in drawn.places)
    often = np.bincount(drawn.places.ravel(), minlength=400) / 500
    assert drawn.probabilities.sum() == pytest.approx(60)
    assert np.abs(often - drawn.probabilities).max() < 0.08
    assert drawn.probabilities[-1] / drawn.probabilities[0] == pytest.approx(11)
    assert np.unique(draws_of(400, 60, 2, None, 2, 0).probabilities).tolist() == [0.15]


def test_how_many_gold_rows_an_error_is_worth():
    # S^2 = .01 / (1/100 - 1/1000) = 10/9; half the square: m = 1 / (.005 x 9/10 + 1/1000) = 1 / .0055
    assert rows_worth(0.005, 0.01, 100, 1000) == pytest.approx(1 / 0.0055)
    assert rows_worth(0.01, 0.01, 100, 1000) == pytest.approx(100)
    assert rows_worth(0.0, 0.01, 100, 1000) == pytest.approx(1000)


def test_few_degrees_of_freedom_make_an_interval_wide():
    assert half_width(np.array(1.0), np.array([1.0, np.inf]), 0.95) == pytest.approx([12.706, Z], abs=1e-3)


# covariates


def text(values):
    return np.array(values, dtype=object)


def test_columns_become_numbers_or_levels():
    columns = {
        "year": text(["1", "2"] * 50),
        "outlet": text(["Post"] * 50 + ["Times"] * 30 + [None] * 15 + ["a", "b", "c", "d", "e"]),
        "rare": text(["x"] * 99 + ["y"]),
        "same": text(["z"] * 100),
        "copy": text(["10", "20"] * 50),
        "not a number": text(["nan", "nan", "1", "1"] * 25),
    }
    found = covariates_of(np.tile([2, 2, 8, 8], 25), columns, 100)
    assert found.names == ["doubled length", "year", "outlet: Times", "outlet: (none)", "outlet: other"]
    assert found.values[[0, 2], 0].tolist() == [1, 3]
    assert found.values[:2, 1].tolist() == [-1, 1]
    assert found.values[:, 2:].sum(axis=0).tolist() == [30, 15, 5]
    assert found.bases == {"outlet": "Post"}
    assert found.left_out == ["rare", "same", "copy", "not a number"]  # that column repeats the length here


def test_few_rows_bear_few_covariates():
    columns = {"year": text(["1", "2"] * 50), "month": text(["1", "2", "3", "4"] * 25)}
    found = covariates_of(np.full(100, 10), columns, 20)
    assert found.names == ["year", "month"]  # the length does not vary
    assert covariates_of(np.arange(100), columns, 20).left_out == ["month"]


# the explanation


def world(rows=600, seeds=3, classes=3, design="random", probabilities=True, **more):
    """An annotator that takes class 1 for class 0 in outlet B, and students that repeat it with errors of their own."""
    generator = np.random.default_rng(0)
    gold = generator.choice(classes, rows, p=[0.5, 0.3, 0.2] if classes == 3 else [0.6, 0.4])
    outlet = np.array(["A", "B"], dtype=object)[generator.integers(0, 2, rows)]
    codes = np.where((outlet == "B") & (gold == 1) & (generator.random(rows) < 0.7), 0, gold)
    runs = np.where(generator.random((seeds, rows)) < 0.1, generator.integers(0, classes, (seeds, rows)), codes)
    shares = generator.uniform(0.5, 0.95, rows)
    said = np.eye(classes)[codes] * (shares - (1 - shares) / (classes - 1))[:, None]
    said += ((1 - shares) / (classes - 1))[:, None]
    return evidence_of(
        gold,
        {"gold": certain(np.stack([gold] * seeds), classes), "llm": certain(runs, classes)},
        classes=classes,
        annotators={"llm": said if probabilities else codes},
        columns={"outlet": outlet},
        words=generator.integers(5, 50, rows),
        explain={"downstream": {"draws": 60, "design": design} | more},
    )


def test_it_finds_that_labels_are_off_and_what_corrects_them():
    found = downstream(world(seeds=4, outcome="class_1"))
    table = found.tables[""].set_index(["kind", "labels", "class", "method"])
    off = table.loc["annotator", "llm", "class_1"]
    assert off.loc["naive", "bias"] < -0.07
    assert off.loc["naive", "coverage"] == 0
    for method in ("gold rows", "PPI++", "DSL"):
        assert abs(off.loc[method, "bias"]) < 0.02
        assert off.loc[method, "coverage"] > 0.85
    assert off.loc["DSL", "rmse"] < 0.9 * off.loc["gold rows", "rmse"]
    same = table.loc["students", "gold", "class_1"]  # students of gold are right here: nothing is to be corrected
    assert same.loc[["naive", "DSL"], "rmse"].max() < 1e-6
    assert table.loc[("students", "llm", "class_1", "naive"), "seeds_sd"] > 0
    slopes = found.tables["coefficients"].set_index(["kind", "labels", "coefficient", "method"])
    outlet = slopes.loc["annotator", "llm", "outlet: A"]
    assert outlet.loc["naive", "bias"] > 0.05  # the annotator misses the class in the other outlet
    assert abs(outlet.loc["PPI++", "bias"]) < 0.03
    text = " ".join(found.says)
    assert "The share of class class_1 is" in text
    assert "with 100 gold rows PPI++ says" in text
    assert found.metrics["shares"]["annotator"]["llm"]["naive"]["coverage"] < 0.7


def test_rows_are_drawn_by_uncertainty_where_it_is_known(tmp_path):
    found = downstream(world(design="uncertainty"))
    assert (found.metrics["design"], found.metrics["uncertainty_of"]) == ("uncertainty", "llm")
    assert found.tables[""].set_index("method").loc["DSL", "bias"].abs().max() < 0.03
    lacking = downstream(world(design="uncertainty", probabilities=False))
    assert lacking.metrics["design"] == "random"
    assert "No annotator gave probabilities" in " ".join(lacking.says)
    for name, draw in found.pictures.items():
        draw(tmp_path / f"{name}.png")
        assert (tmp_path / f"{name}.png").stat().st_size > 10_000


def test_two_classes_and_one_seed():
    found = downstream(world(classes=2, seeds=1))
    assert "over seeds" not in " ".join(found.says)
    assert json.dumps({name: one for name, one in outputs("downstream", found).items() if name.endswith("json")})


def test_rows_without_a_label_are_no_class():
    evidence = world(probabilities=False)
    codes = evidence.given["test"]["llm"].codes.copy()
    codes[:100] = -1
    given = {**evidence.given, "test": {"llm": type(evidence.given["test"]["llm"])(codes, None)}}
    evidence = dataclasses.replace(evidence, given=given)
    table = downstream(evidence).tables[""].set_index(["kind", "labels", "class", "method"])
    naive = table.loc[("annotator", "llm", "class_0", "naive"), "estimate"]
    assert naive == pytest.approx((codes == 0).sum() / 500)
    assert table.loc[("annotator", "llm", "class_0", "DSL"), "coverage"] > 0.85


def labelled_alone(rows, **how):
    """The world in which the annotator has labelled these rows alone."""
    evidence = world(probabilities=False, **how)
    codes = np.full(600, -1)
    codes[rows] = evidence.given["test"]["llm"].codes[rows]
    given = {**evidence.given, "test": {"llm": type(evidence.given["test"]["llm"])(codes, None)}}
    return dataclasses.replace(evidence, given=given)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("number", [1, 2, 14])
def test_an_annotator_with_few_labels_is_skipped_and_that_is_said(number):
    found = downstream(labelled_alone(np.arange(number)))
    text = " ".join(found.says)
    assert "Too few test rows have labels of llm to estimate anything from them." in text
    assert "nan" not in text
    assert found.metrics["few_labels"] == ["llm"]
    assert set(found.tables[""]["kind"]) == {"students"}
    assert downstream(labelled_alone(np.arange(15))).metrics["few_labels"] == []


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("one_outlet", [False, True])
def test_labels_that_cannot_bear_the_regression_are_told_of_shares_alone(one_outlet):
    """Of 15 labelled rows, or of rows of one outlet, whose coefficient they can't tell."""
    outlets = world().rows["test"].columns["outlet"]
    found = downstream(labelled_alone(np.flatnonzero(outlets == "A") if one_outlet else np.arange(15)))
    text = " ".join(found.says)
    assert "The rows labelled by llm can't bear this regression." in text
    assert "nan" not in text
    assert ("annotator" in set(found.tables[""]["kind"]), found.metrics["few_labels"]) == (True, [])
    assert set(found.tables["coefficients"]["kind"]) == {"students"}
    assert np.isfinite(found.tables["coefficients"]["estimate"]).all()


@pytest.mark.filterwarnings("error")
def test_a_single_row_has_no_degrees_of_freedom():
    one = Drawn(np.array([[0]]), np.ones(3))
    found = gold_rows_alone(np.ones((3, 1)), np.array([[1.0], [0], [0]]), one)
    assert (found.values.item(), found.degrees.item()) == (1, 1)


def test_a_class_that_gold_lacks_is_estimated_too():
    gold = np.repeat([0, 1], [60, 60])
    llm = np.where(np.arange(120) % 5 == 0, 2, gold)
    found = downstream(evidence_of(gold, {"gold": certain(gold[None], 3)}, classes=3, annotators={"llm": llm}))
    row = found.tables[""].set_index(["kind", "labels", "class", "method"]).loc["annotator", "llm", "class_2"]
    assert row.loc["naive", "estimate"] == pytest.approx(0.2)
    assert row["truth"].max() == 0
    assert np.isfinite(row[["estimate", "rmse"]].to_numpy()).all()


def test_too_few_rows_are_told():
    gold = np.arange(30) % 2
    found = downstream(evidence_of(gold, {"gold": certain(gold[None], 2)}, classes=2, annotators={"llm": gold}))
    assert "30 test rows have gold, too few" in found.says[0]


def test_the_outcome_is_one_of_the_classes():
    assert downstream(world(outcome="class_0")).metrics["outcome"] == "class_0"
    assert downstream(world()).metrics["outcome"] == "class_2"  # the rarest one that 10 of 100 drawn rows have
    with pytest.raises(LabelRiskError, match="'explain.downstream.outcome' is 'class_9', which is no class; did you"):
        downstream(world(outcome="class_9"))
