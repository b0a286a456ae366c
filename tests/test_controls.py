"""Controls: a source's twins, declared or written out, and what their luck adds to the spread over seeds."""

import json
import subprocess
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
import yaml
from dvc_study import ENVIRONMENT
from materials import built_frame, material
from study_files import params

from labelrisk.params import Settings
from labelrisk.second_opinions.section import SecondOpinion
from labelrisk.settings.declared import FOLDER, declared_files
from labelrisk.sources.controls import noise_twin, plain, random_twin, resolved
from labelrisk.sources.material import ABOUT_ROWS
from labelrisk.sources.source import Source
from labelrisk.stages import filter as stage

ENTROPY, RANDOM = ({"by": by, "share": 0.25} for by in ("entropy", "random"))
DECLARED = {
    "gold": {"annotator": "gold"},
    "llm": {"annotator": "llm"},
    "llm_gold": {"annotator": "llm", "select": ENTROPY, "action": "gold"},
    "llm_drop": {"annotator": "llm", "select": ENTROPY, "action": "drop"},
    "llm_more": {"annotator": "llm", "select": ENTROPY | {"share": 0.5}, "action": "gold"},
    "clean_drop": {"annotator": "llm", "labels": "gold", "select": ENTROPY, "action": "drop"},
    "old_gold": {"annotator": "llm", "labels": "annotator", "select": RANDOM, "action": "gold"},
    "old_drop": {"annotator": "llm", "select": RANDOM, "action": "drop"},
    "twin_gold": {"annotator": "llm", "control": "random", "of": "llm_gold"},
    "twin_clean": {"annotator": "llm", "control": "random", "of": "clean_drop"},
    "llm_uniform": {"annotator": "llm", "labels": "gold", "noise": "uniform"},
    "llm_noise": {"annotator": "llm", "labels": "gold", "noise": "confusion"},
    "other": {"annotator": "other"},
    "other_drop": {"annotator": "other", "select": ENTROPY, "action": "drop"},
    "other_uniform": {"annotator": "other", "labels": "gold", "noise": "uniform"},
    "third_drop": {"annotator": "third", "select": ENTROPY, "action": "drop"},
    "clean": {"annotator": "llm", "labels": "gold"},
}
SOURCES = {name: Source.model_validate(declared) for name, declared in DECLARED.items()}


def test_a_control_is_written_out_as_what_its_source_does():
    for name, of in (("twin_gold", "llm_gold"), ("twin_clean", "clean_drop")):
        assert resolved(SOURCES, name) == SOURCES[of].model_copy(update={"control": "random", "of": of})
    for name in DECLARED.keys() - {"twin_gold", "twin_clean"}:
        assert resolved(SOURCES, name) is SOURCES[name]


def found(function):
    return {name: twin for name in SOURCES if (twin := function(SOURCES, name)) is not None}


def test_the_random_twin_is_the_declared_one_or_one_that_says_the_same():
    """llm_gold has both; llm_more has another share, other_drop another annotator, and random rows need no twin."""
    assert found(random_twin) == {"llm_gold": "twin_gold", "llm_drop": "old_drop", "clean_drop": "twin_clean"}


def test_the_twin_of_a_second_opinion_asks_the_same_about_random_rows():
    ask = {"kind": "import", "reads": "people.csv", "label": "label"}
    opinions = {
        name: SecondOpinion.model_validate({"of": "llm", "select": select, "ask": ask})
        for name, select in (("doubted", ENTROPY), ("drawn", RANDOM), ("fewer", RANDOM | {"share": 0.1}))
    }
    sources = {
        name: Source(annotator="llm", action="relabel", relabel_by=name) for name in ("fewer", "drawn", "doubted")
    }
    assert random_twin(sources, "doubted", opinions) == "drawn"
    assert random_twin(sources, "drawn", opinions) is None
    del sources["drawn"]
    assert random_twin(sources, "doubted", opinions) is None


def test_the_noise_twin_of_an_annotators_labels_has_its_confusion_where_there_is_one():
    assert found(noise_twin) == {"llm": "llm_noise", "other": "other_uniform"}


def test_the_labels_as_they_are():
    treated = ("llm_gold", "llm_drop", "llm_more", "old_gold", "old_drop", "twin_gold")
    clean = {"clean_drop": "clean", "twin_clean": "clean"}  # gold without doubtful rows against all of gold
    assert found(plain) == dict.fromkeys(treated, "llm") | clean | {"other_drop": "other"}


def training_rows():
    generator = np.random.default_rng(0)
    rows = [str(row) for row in range(300)]
    train = pd.DataFrame({"id": rows, "text": "t", "gold": generator.choice(["a", "b"], 300)})
    label = np.where(generator.random(300) < 0.3, "b", train["gold"]).astype(object)
    entropy = generator.random(300)
    label[:40], entropy[20:70] = None, np.nan  # 40 rows without label, 30 more without entropy
    return train, pd.DataFrame({"label": label, "entropy": entropy})


@pytest.mark.parametrize(("name", "twin"), [("llm_gold", "twin_gold"), ("clean_drop", "twin_clean")])
def test_a_twin_takes_as_many_rows_as_its_source_among_those_that_it_could_have_taken(name, twin):
    train, answers = training_rows()
    has_label = answers["label"].notna() if name == "llm_gold" else train["gold"].notna()
    known = material(train, {"llm": answers}, ["a", "b"])
    could = set(np.flatnonzero(has_label & answers["entropy"].notna()))

    def taken(source, student):
        rows = built_frame(source, resolved(SOURCES, source), known, seed=0, student=student)
        origin = "gold" if name == "llm_gold" else "dropped_selected"
        return frozenset(np.flatnonzero(rows["origin"] == origin))

    size = round(0.25 * len(could))
    assert {taken(name, student) for student in range(3)} == {taken(name, 0)}
    assert len(taken(name, 0)) == size
    draws = [taken(twin, student) for student in range(100)]
    assert len(set(draws)) == 100  # anew for each seed
    assert {len(draw) for draw in draws} == {size}
    assert set().union(*draws) == could


def test_the_stage_gives_a_declared_twin_the_rows_of_its_old_spelling(tmp_path):
    train, answers = training_rows()
    prepared = tmp_path / "prepared"
    prepared.mkdir()
    (prepared / "labels.json").write_text('["a", "b"]')
    for split in ("train", "validation", "test"):
        train.assign(id=split + train["id"]).to_parquet(prepared / f"{split}.parquet")
    every = [answers.assign(id=split + train["id"], split=split) for split in ("train", "validation", "test")]
    (tmp_path / "labels").mkdir()
    columns = ["split", *ABOUT_ROWS]
    pd.concat(every).reindex(columns=["id", *columns]).to_parquet(tmp_path / "labels" / "llm.parquet")
    written = {}
    for spelling in ("twin_gold", "old_gold"):
        sources = {"model_gold": DECLARED["llm_gold"], "twin": DECLARED[spelling]}
        sources["twin"] |= {"of": "model_gold"} if spelling == "twin_gold" else {}
        content = params(sources=sources)
        content["annotators"]["llm"] = content["annotators"]["model"]
        settings = Settings.model_validate(content)
        stage.run(settings, "twin", prepared, tmp_path / "labels", tmp_path / "vectors", tmp_path / spelling)
        written[spelling] = [(tmp_path / spelling / f"{seed}.parquet").read_bytes() for seed in settings.seeds]
    assert written["twin_gold"] == written["old_gold"]
    assert written["twin_gold"][0] != written["twin_gold"][1]


def test_dvc_builds_a_twin_again_when_its_source_changes(project, tmp_path):
    """The stage as dvc.yaml has it, with a command that does nothing; of its files those that say what is declared."""
    declared = yaml.safe_load((project / "dvc.yaml").read_text())["stages"]["filter"]
    files = [path for path in declared["do"]["deps"] if path.startswith(FOLDER)]
    declared["do"] |= {"cmd": "mkdir -p data/training/${key}", "deps": files}
    (tmp_path / "dvc.yaml").write_text(yaml.safe_dump({"stages": {"filter": declared}}))
    (tmp_path / FOLDER / "filter").mkdir(parents=True)
    content = params()
    content["sources"]["twin"] = {"annotator": "model", "control": "random", "of": "model_gold"}

    def declare():
        (tmp_path / "params.yaml").write_text(yaml.safe_dump(content))
        for name, text in declared_files(content).items():
            (tmp_path / FOLDER / name).write_text(text)

    def dvc(*words):
        command = ["dvc", *words]
        return subprocess.run(command, cwd=tmp_path, env=ENVIRONMENT, check=True, capture_output=True, text=True).stdout

    declare()
    dvc("init", "--no-scm", "-q")
    dvc("repro", "-q")
    assert json.loads(dvc("status", "--json")) == {}
    content["sources"]["model_gold"]["select"]["share"] = 0.5
    declare()
    assert set(json.loads(dvc("status", "--json"))) == {"filter@model_gold", "filter@twin"}


POINTS = np.array([0.0, 1.0, 2.0, 3.0, 5.0, 6.0, 7.0, 9.0])  # train rows; b from 4 on, for the annotator from 6.5
GRID = np.linspace(-1, 10, 221)


def nearest_centroid_accuracy(is_b, left_out):
    """On a grid, of a classifier with the means of both classes, whose own luck is which train row it does not see."""
    seen = np.arange(len(POINTS)) != left_out
    means = [POINTS[seen & (is_b == side)].mean() for side in (False, True)]
    predicted = np.abs(GRID - means[1]) < np.abs(GRID - means[0])
    return (predicted == (GRID > 4)).mean()


def test_the_luck_of_the_draw_is_in_the_spread_over_seeds():
    """2 of 8 rows become gold: the 28 draws times the 8 kinds of luck of the classifier are all that can happen.

    Their variance is that within draws, which is all that students of one fixed draw show, and that between draws.
    """
    gold, labels = POINTS > 4, POINTS > 6.5
    possible = [np.where(np.isin(np.arange(8), draw), gold, labels) for draw in combinations(range(8), 2)]
    truth = np.array([[nearest_centroid_accuracy(is_b, row) for row in range(8)] for is_b in possible])
    within, between = truth.var(axis=1).mean(), truth.mean(axis=1).var()
    assert within + between == pytest.approx(truth.var())
    assert between > 1.5 * within  # so that one draw for all seeds would hide most of it

    train = pd.DataFrame({"id": list("01234567"), "text": "t", "gold": np.where(gold, "b", "a")})
    answers = pd.DataFrame({"label": np.where(labels, "b", "a"), "entropy": np.linspace(0.1, 0.8, 8)})
    twin = resolved(SOURCES, "twin_gold")
    own_luck = np.random.default_rng(0).integers(0, 8, 1500)

    known = material(train, {"llm": answers}, ["a", "b"])

    def labels_of(student):
        rows = built_frame("twin_gold", twin, known, seed=0, student=student)
        return (rows["label"] == "b").to_numpy()

    anew = [nearest_centroid_accuracy(labels_of(student), luck) for student, luck in enumerate(own_luck)]
    assert np.mean(anew) == pytest.approx(truth.mean(), abs=4 * np.sqrt(truth.var() / 1500))
    assert np.var(anew, ddof=1) == pytest.approx(truth.var(), rel=0.15)
    fixed = [np.var([nearest_centroid_accuracy(is_b, row) for row in range(8)]) for is_b in map(labels_of, range(200))]
    assert np.mean(fixed) == pytest.approx(within, rel=0.15)
    assert np.std(anew, ddof=1) > 1.4 * np.sqrt(np.mean(fixed))
