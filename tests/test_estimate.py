"""`labelrisk estimate`: class shares of a split from an annotator's labels and a coded sample."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from study_files import params, write_study

from labelrisk.cli import main
from labelrisk.coders.coefficients import coefficients
from labelrisk.coders.estimates import Population, class_shares, lacks_interval, shares_table
from labelrisk.statistics.drawn_rows import Drawn, gold_rows_alone
from labelrisk.statistics.prediction_powered import prediction_powered

ROWS = 400  # of train; the annotator takes half of the food in outlet B for weather


@pytest.fixture
def study(tmp_path, monkeypatch):
    """Prepared rows, labels, and gold by id."""
    monkeypatch.chdir(tmp_path)
    write_study(tmp_path, params(corpus=params()["corpus"] | {"slices": ["outlet"]}))
    generator = np.random.default_rng(0)
    gold = np.where(generator.random(ROWS) < 0.4, "food", "weather").astype(object)
    outlet = np.where(generator.random(ROWS) < 0.5, "A", "B").astype(object)
    frame = pd.DataFrame({"id": [f"r{row:03d}" for row in range(ROWS)], "gold": gold})
    frame["text"] = "text of " + frame["id"]
    folder = tmp_path / "data" / "prepared"
    folder.mkdir(parents=True)
    other = pd.DataFrame({"id": ["v0", "v1"], "text": ["one", "two"], "gold": ["food", "weather"]})
    columns = ["id", "text", "gold"]
    for split, rows in (("train", frame), ("validation", other[:1]), ("test", other[1:])):
        rows[columns].to_parquet(folder / f"{split}.parquet", index=False)
    pd.DataFrame({"id": frame["id"], "slice outlet": outlet}).to_parquet(folder / "slices.parquet", index=False)
    labels = np.where((outlet == "B") & (gold == "food") & (generator.random(ROWS) < 0.5), "weather", gold)
    labels[generator.random(ROWS) < 0.05] = None
    (tmp_path / "data" / "labels").mkdir()
    status = ["ok" if isinstance(label, str) else "off_list" for label in labels]
    entropies = np.where(outlet == "B", 0.5, 0.1)
    answers = {"id": frame["id"], "split": "train", "label": labels, "status": status, "entropy": entropies}
    pd.DataFrame(answers).to_parquet(tmp_path / "data" / "labels" / "model.parquet", index=False)
    return frame.set_index("id").assign(label=labels, outlet=outlet)


def coded(study, rows, *options, blank=0):
    """Draw a sample by the command, and let a coder fill it with gold; returns the file's frame."""
    assert main(["sample", "--rows", str(rows), "--out", "s.csv", *options]) == 0
    frame = pd.read_csv("s.csv", dtype={"id": str})
    frame["label"] = study.loc[frame["id"], "gold"].to_numpy()
    frame.loc[: blank - 1, "label"] = ""
    frame.to_csv("anna.csv", index=False)
    return frame


def printed(capsys, *options):
    capsys.readouterr()
    code = main(["estimate", "--annotator", "model", "--sample", "anna.csv", *options])
    shown = capsys.readouterr()
    return code, shown.out + shown.err


def numbers(text, label):
    """The estimates of a class in the first table that has it, by method."""
    line = next(line for line in text.splitlines() if line.startswith(label))
    cells = [cell.strip() for cell in line.split("  ") if cell.strip()][1:]
    return {name: float(cell.split()[0]) for name, cell in zip(("naive", "gold", "PPI++", "DSL"), cells, strict=True)}


@pytest.mark.parametrize("design", ["random", "stratified", "uncertainty"])
def test_what_labels_miss_is_corrected(study, capsys, design):
    coded(study, 150, "--design", design, "--annotator", "model")
    code, text = printed(capsys)
    assert code == 0
    assert max(map(len, text.splitlines())) <= 80
    assert "train: 400 rows, 150 coded" in text
    truth = 100 * (study["gold"] == "food").mean()
    found = numbers(text, "food")
    assert found["naive"] == pytest.approx(
        100 * (study["label"] == "food").sum() / study["label"].notna().sum(), abs=0.1
    )
    assert found["naive"] < truth - 7
    assert abs(found["PPI++"] - truth) < 5
    assert abs(found["DSL"] - truth) < 5


def test_the_numbers_are_those_of_the_statistics(study, capsys):
    frame = coded(study, 100)
    _, text = printed(capsys)
    places = study.index.get_indexer(frame["id"])
    gold, given = ((study[column] == "food").to_numpy(dtype=float)[:, None] for column in ("gold", "label"))
    drawn, ones = Drawn(places[None], np.full(ROWS, 0.25)), np.ones((ROWS, 1))
    found = numbers(text, "food")
    assert found["gold"] == pytest.approx(100 * gold_rows_alone(ones, gold, drawn).values.item(), abs=0.06)
    # the power is estimated from drawn rows alone, for of the others no probability is known
    exact = prediction_powered(ones, gold, given, drawn)
    assert found["PPI++"] == pytest.approx(100 * exact.values.item(), abs=30 * exact.errors.item())


def test_each_value_of_a_column_has_its_own_shares(study, capsys):
    coded(study, 150)
    _, text = printed(capsys, "--by", "outlet")
    blocks = text.split("\n\n")
    assert [block.split(":")[0] for block in blocks[:3]] == ["train", *study["outlet"].value_counts().index]
    outlet = next(block for block in blocks if block.startswith("B:"))
    truth = 100 * (study.loc[study["outlet"] == "B", "gold"] == "food").mean()
    assert numbers(outlet, "food")["naive"] < truth - 12
    assert abs(numbers(outlet, "food")["DSL"] - truth) < 8
    coded_few = pd.read_csv("anna.csv").head(20)
    coded_few.to_csv("anna.csv", index=False)
    assert "Too few for an estimate: 15 coded rows are needed." in printed(capsys, "--by", "outlet")[1]
    assert "there are no slices by 'outlt'; did you mean 'outlet'?" in printed(capsys, "--by", "outlt")[1]


@pytest.mark.parametrize("other", [True, False])
def test_a_column_that_prepare_has_not_carried_yet_is_one_sentence(study, capsys, other):
    coded(study, 100)
    if other:
        write_study(Path.cwd(), params(corpus=params()["corpus"] | {"slices": ["outlet", "topic"]}))
    else:
        Path("data/prepared/slices.parquet").unlink()
    by = "topic" if other else "outlet"
    code, text = printed(capsys, "--by", by)
    assert (code, text.count("\n")) == (1, 1)
    assert f"the prepared rows have no column '{by}' yet, which corpus.slices names; run `labelrisk repro`" in text


def population(human, predicted, rows=400):
    """The first rows are coded, drawn with equal probabilities."""
    codes, given = np.full(rows, -1), np.resize(predicted, rows)
    codes[: len(human)] = human
    return Population(codes, np.where(codes < 0, np.nan, len(human) / rows), given, np.empty((rows, 0)))


def test_of_a_class_that_no_coder_met_nothing_is_certain():
    human = np.arange(100) % 2
    found = class_shares(population(human, 1 - human), 3, 0.95, beyond=False)
    # Wilson, no row of 100: z^2 / (n + z^2), with n = 100 / (1 - 100 / 400) for these rows, 100 for others like them
    assert found["gold rows"][2] == pytest.approx((0, 0, 3.841459 / (100 / 0.75 + 3.841459)))
    assert found["naive"][2] == pytest.approx((0, 0, 3.841459 / (400 + 3.841459)))
    beyond = class_shares(population(human, 1 - human), 3, 0.95, beyond=True)
    assert beyond["gold rows"][2] == pytest.approx((0, 0, 3.841459 / 103.841459))
    for of in (found, beyond):
        assert lacks_interval(of)
        for method in ("PPI++", "DSL"):
            assert np.isnan(of[method][2].low)
            assert not np.isnan(of[method][0].low)
    assert shares_table("m", found, ["a", "b", "c"]).splitlines()[-1].split() == [
        "c", "0.0", "[0,", "1]", "0.0", "[0,", "3]", "-", "-"
    ]  # fmt: skip


def test_an_annotator_that_says_a_class_no_coder_met_makes_nothing_certain():
    human = np.arange(100) % 2
    said = np.random.default_rng(0).integers(0, 3, 400)  # DSL learns that 2 is never right
    found = class_shares(population(human, said), 3, 0.95, beyond=False)
    assert np.isnan([found[method][2].low for method in ("PPI++", "DSL")]).all()
    assert found["naive"][2].low > 0.2


def test_labels_without_an_error_on_the_coded_rows_promise_nothing_of_others():
    human = np.arange(100) % 2
    for beyond in (False, True):
        found = class_shares(population(human, [0, 1]), 2, 0.95, beyond)
        assert np.isnan(found["DSL"][0].low)
        assert not np.isnan(found["gold rows"][0].low)


def test_of_a_class_that_all_coded_rows_have_nothing_is_certain():
    found = class_shares(population(np.zeros(50, dtype=int), [0]), 2, 0.95, beyond=True)
    assert found["gold rows"][0] == pytest.approx((1, 50 / 53.841459, 1))
    assert found["gold rows"][1] == pytest.approx((0, 0, 3.841459 / 53.841459))
    assert np.isnan(found["DSL"][0].low)


def test_bounds_of_a_class_that_no_coder_met_need_equal_probabilities():
    rows = population(np.arange(100) % 2, [0, 1])
    probabilities = np.where(np.arange(400) < 50, 0.5, rows.probabilities)
    found = class_shares(rows._replace(probabilities=probabilities), 3, 0.95, beyond=False)
    assert np.isnan(found["gold rows"][2].low)
    assert not np.isnan(found["gold rows"][0].low)


def test_where_all_rows_are_coded_their_shares_are_certain():
    rows = population(np.arange(100) % 2, [0, 1], rows=100)
    found = class_shares(rows, 3, 0.95, beyond=False)
    for one, share in zip(found["gold rows"], (0.5, 0.5, 0), strict=True):
        assert one == pytest.approx((share, share, share))
    assert not lacks_interval(found)
    assert class_shares(rows, 3, 0.95, beyond=True)["gold rows"][2].high == pytest.approx(3.841459 / 103.841459)


@pytest.mark.parametrize("seed", range(5))
def test_an_estimate_lies_within_its_interval(seed):
    generator = np.random.default_rng(seed)
    said = generator.integers(0, 3, 400)  # that 2 is said says nothing: people never do
    human = generator.integers(0, 2, 60)
    for beyond in (False, True):
        shares = class_shares(population(human, said), 3, 0.95, beyond)
        for one in (one for of in shares.values() for one in of if not np.isnan(one.low)):
            assert 0 <= one.low <= one.share + 1e-12
            assert one.share - 1e-12 <= one.high <= 1


def test_why_an_estimate_has_no_interval_is_told(study, capsys):
    frame = coded(study, 100)
    assert "Wilson" not in printed(capsys)[1]
    frame[frame["label"] == "food"].to_csv("anna.csv", index=False)
    code, text = printed(capsys)
    assert code == 0
    assert "Note: where the coded rows have none of a class" in text
    assert max(map(len, text.splitlines())) <= 80
    weather = next(line for line in text.splitlines() if line.startswith("weather"))
    assert "0.0 [0, 0]" not in weather


def test_intervals_beyond_these_rows_are_wider():
    generator = np.random.default_rng(0)
    human = np.where(np.arange(300) < 100, generator.integers(0, 2, 300), -1)
    rows = Population(human, np.where(human < 0, np.nan, 1 / 3), generator.integers(0, 2, 300), np.empty((300, 0)))
    here, beyond = (class_shares(rows, 2, 0.95, one) for one in (False, True))
    assert here["naive"] == beyond["naive"]
    widths = [of["gold rows"][0].high - of["gold rows"][0].low for of in (here, beyond)]
    assert widths[0] / widths[1] == pytest.approx(np.sqrt(2 / 3), rel=0.01)


def test_a_held_out_part_stands_alone(study, capsys):
    frame = coded(study, 200, "--holdout", "0.5")
    _, text = printed(capsys)
    assert "train: 400 rows, 100 coded" in text
    assert "the part held_out alone is used" in " ".join(text.split())
    held_out = frame[frame["part"] == "held_out"]
    assert numbers(text, "food")["gold"] == pytest.approx(100 * (held_out["label"] == "food").mean(), abs=0.1)
    assert "stand for" not in text  # its probabilities are half of the sample's


def test_blank_rows_are_told_and_do_not_count(study, capsys):
    coded(study, 100, blank=20)
    _, text = printed(capsys)
    assert "train: 400 rows, 80 coded" in text
    assert "Note: 20 drawn rows have no label" in text
    assert "stand for" not in text  # 80 were coded with a probability of 1/5


def test_rows_that_others_stand_for_are_told(study, capsys):
    frame = coded(study, 100)
    frame.assign(sampling_probability=0.5).to_csv("anna.csv", index=False)
    assert "the coded rows stand for 200 rows, but train has 400" in " ".join(printed(capsys)[1].split())


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda frame: frame.drop(columns="sampling_probability"), "has no sampling_probability"),
        (lambda frame: frame.head(14), "14 rows are coded, too few for an estimate; code 15 or more"),
        (lambda frame: pd.concat([frame, frame.head(1).assign(id="v1")]), "the row 'v1' (1 such row) is not of train"),
    ],
)
def test_what_is_no_sample_is_one_sentence(study, capsys, change, says):
    change(coded(study, 100)).to_csv("anna.csv", index=False)
    code, text = printed(capsys)
    assert code == 1
    assert says in text
    assert text.count("\n") == 1


def test_an_annotator_that_is_not_declared_is_one_sentence(study, capsys):
    coded(study, 100)
    assert "--annotator names 'modle'" in printed(capsys, "--annotator", "modle")[1]


def test_a_regression_is_corrected_too(study, capsys):
    coded(study, 200)
    code, text = printed(capsys, "--outcome", "food")
    assert code == 0
    assert max(map(len, text.splitlines())) <= 80
    base = study["outlet"].value_counts().index[0]
    notes = " ".join(text.split())
    assert f"levels of outlet are against {base}" in notes, notes
    other = "B" if base == "A" else "A"
    is_other = (study["outlet"] == other).to_numpy()
    truth = 100 * ((study["gold"] == "food")[is_other].mean() - (study["gold"] == "food")[~is_other].mean())
    found = numbers(text, f"outlet: {other}")
    naive = 100 * (
        (study["label"] == "food")[is_other & study["label"].notna()].mean()
        - (study["label"] == "food")[~is_other & study["label"].notna()].mean()
    )
    assert found["naive"] == pytest.approx(naive, abs=0.06)  # texts are of one length, which is left out
    assert "doubled length is left out" in notes
    assert abs(found["naive"] - truth) > 12  # half of the food in B is taken for weather
    assert abs(found["PPI++"] - truth) < 8
    assert abs(found["DSL"] - truth) < 8


def test_coefficients_of_rows_that_are_all_coded_are_those_of_statsmodels():
    import statsmodels.api as sm

    generator = np.random.default_rng(5)
    rows, covariates = 300, generator.standard_normal((300, 2))
    human = (covariates[:, 0] + generator.standard_normal(rows) > 0).astype(np.int64)
    predicted = np.where(generator.random(rows) < 0.3, 0, human)
    found = coefficients(Population(human, np.ones(rows), predicted, covariates), 1, 0.95, beyond=True)
    design = sm.add_constant(covariates)
    for method, outcome in (("naive", predicted), ("gold rows", human)):
        fit = sm.OLS((outcome == 1).astype(float), design).fit(cov_type="HC3", use_t=True)
        assert found[method][:, 0] == pytest.approx(fit.params[1:], abs=1e-10)
        assert found[method][:, 1] == pytest.approx(fit.conf_int()[1:, 0], abs=0.01)
    for method in ("PPI++", "DSL"):  # with all rows coded nothing is left to be predicted
        assert found[method][:, 0] == pytest.approx(found["gold rows"][:, 0], abs=0.02)


def test_corrected_coefficients_hold_the_truth_where_naive_ones_do_not():
    generator = np.random.default_rng(7)
    held = dict.fromkeys(("naive", "gold rows", "PPI++", "DSL"), 0)
    for _ in range(150):
        group = generator.integers(0, 2, 1500)
        human = (generator.random(1500) < 0.3 + 0.2 * group).astype(np.int64)
        predicted = np.where((group == 1) & (human == 1) & (generator.random(1500) < 0.5), 0, human)
        truth = human[group == 1].mean() - human[group == 0].mean()
        coded = generator.random(1500).argsort()[:150]
        known, probabilities = np.full(1500, -1), np.full(1500, np.nan)
        known[coded], probabilities[coded] = human[coded], 0.1
        rows = Population(known, probabilities, predicted, group[:, None].astype(float))
        for method, of in coefficients(rows, 1, 0.95, beyond=False).items():
            held[method] += of[0, 1] <= truth <= of[0, 2]
    assert held["naive"] < 10
    assert min(held[method] for method in ("gold rows", "PPI++", "DSL")) >= 135  # 142.5 expected, sd 2.7


def test_an_outcome_that_is_no_class_is_one_sentence(study, capsys):
    coded(study, 50)
    code, text = printed(capsys, "--outcome", "foood")
    assert code == 1
    assert "--outcome is 'foood', which is no class; did you mean 'food'?" in text
