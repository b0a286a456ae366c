"""`labelrisk diff`: what it says of two revisions whose differences are known."""

import copy
import json
import shutil

import numpy as np
import pytest
from revision_study import (
    CODEBOOK,
    GOLD,
    IDS,
    PARAMS,
    SCORES,
    VERDICTS,
    commit,
    git,
    new_repository,
    students,
    whole_clone,
    without_environment,
    write_outputs,
    write_texts,
)

from labelrisk.cli import main
from labelrisk.printing import columns
from labelrisk.statistics.run_variances import RunVariances
from labelrisk.statistics.scores import confusion, macro_f1

# gold of test00, 03, ... is north, of 01, 04, ... south, of 02, 05, ... west
BEFORE = {"test00": "south", "test01": "south", "train00": "west", "validation01": None}
AFTER = {"test00": "north", "test01": "west", "train00": "west", "validation01": "south", "test02": "north"}
RUNS = {
    side: {
        (source, seed): students(source, seed, share if source == "llm" else 0.1)
        for source in ("gold", "llm")
        for seed in PARAMS["seeds"]
    }
    for side, share in (("main", 0.1), ("prompt", 0.4))
}


def edited():
    """params.yaml and the codebook of the branch."""
    params, codebook = copy.deepcopy(PARAMS), copy.deepcopy(CODEBOOK)
    params["annotators"]["llm"]["shots"] = 0
    params["annotators"]["other"] = {"kind": "import", "reads": "x.csv"}
    codebook["labels"]["north"] = "Up there, where it is cold in winter."
    codebook["edge_cases"] = []
    return params, codebook


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """Branches main; prompt: all differs; rows: other test rows; params: these alone."""
    root = tmp_path_factory.mktemp("project")
    new_repository(root)
    write_texts(root)
    write_outputs(root, BEFORE, RUNS["main"])
    commit(root, "first study")
    git(root, "checkout", "-qb", "prompt")
    params, codebook = edited()
    worse = VERDICTS | {"llm": ("risky", (-0.3, -0.4, -0.2))}
    write_texts(root, params, codebook, worse, SCORES | {"llm": (0.5, 0.45, 0.55)}, (80, 0.75))
    write_outputs(root, AFTER, RUNS["prompt"], {"test01": "a\nb" + "\u202e" + "x" * 500})
    commit(root, "another prompt")
    git(root, "checkout", "-qb", "rows", "main")
    fewer = IDS | {"test": [*IDS["test"][6:], "new00", "new01"]}
    write_outputs(root, BEFORE, RUNS["prompt"], ids=fewer, gold=GOLD | {"new00": "north", "new01": "west"})
    commit(root, "other test rows")
    git(root, "checkout", "-qb", "params", "main")
    write_texts(root, PARAMS | {"seeds": [0, 1, 2, 3]})
    commit(root, "a seed more")
    began = git(root, "rev-parse", "main")
    git(root, "update-ref", f"refs/exps/{began[:2]}/{began[2:]}/calm-duck", git(root, "rev-parse", "prompt"))
    git(root, "checkout", "-q", "main")
    write_outputs(root, BEFORE, RUNS["main"])
    return root


@pytest.fixture
def said(project, monkeypatch, capfd):
    without_environment(monkeypatch, project)

    def run(*words):
        code = main(["diff", *words])
        shown = capfd.readouterr()
        assert code == (1 if shown.err else 0)
        return shown.err or shown.out

    return run


@pytest.fixture
def found(said):
    return lambda *words: json.loads(said(*words, "--json"))


def test_nothing_changed_from_head_to_the_workspace(said):
    text = said()
    assert text.startswith("From HEAD (")
    assert "Verdicts: none changed" in text
    assert "2 of 2 sources have the same students." in text
    assert "The same labels: llm." in text
    assert "Params" not in text


def test_params_by_key_and_entries_by_name(found):
    keys = {change["key"]: (change["before"], change["after"]) for change in found("main", "prompt")["params"]}
    assert keys == {
        "annotators.llm.shots": (None, "0"),
        "annotators.other": (None, "{kind: import, reads: x.csv}"),
    }
    assert [change["key"] for change in found("main", "params")["params"]] == ["seeds"]


def test_codebook_and_prompt(found):
    (book,) = found("main", "prompt")["codebooks"]
    assert book["readers"] == ["llm", "the study"]
    assert book["definitions"] == {"north": ["Up there, where it is cold.", "Up there, where it is cold in winter."]}
    assert book["cases_removed"] == ["Poles count as north."]
    (prompt,) = found("main", "prompt")["prompts"]
    assert prompt["annotator"] == "llm"
    assert [change["key"] for change in prompt["settings"]] == ["shots"]
    assert prompt["codebook_parts"] == 2


def test_flipped_rows_by_class_and_direction_against_gold(found):
    changes = found("main", "prompt")["labels"]
    llm = changes[0]
    assert llm["annotator"] == "llm"
    flips = {(flip["before"], flip["after"]): tuple(flip.values())[2:] for flip in llm["flips"]}
    assert flips == {
        ("south", "north"): (1, 1, 0),  # test00 became right
        ("south", "west"): (1, 0, 1),  # test01 became wrong
        ("west", "north"): (1, 0, 1),  # test02
        (None, "south"): (1, 1, 0),  # validation01
    }
    splits = {split["split"]: tuple(split.values())[1:] for split in llm["splits"]}
    assert splits == {"train": (8, 0, 0, 0, 0), "validation": (4, 1, 1, 1, 0), "test": (60, 3, 3, 1, 2)}
    assert [round(llm[side]["coverage"], 3) for side in ("before", "after")] == [0.986, 1.0]
    assert [(llm[side]["requests"], llm[side]["cost"]) for side in ("before", "after")] == [(72, 0.5), (80, 0.75)]
    assert {example["id"] for example in llm["examples"]} == {"test00", "test01", "test02", "validation01"}
    assert changes[1]["annotator"] == "other"
    assert changes[1]["before"] is None


def test_rows_that_only_one_side_has(found):
    (llm,) = found("main", "rows")["labels"]
    assert (llm["only_before"], llm["only_after"]) == (6, 2)
    assert llm["flips"] == []


def test_students_are_paired_by_row(found):
    """The same numbers as of two sources of one study on the same rows."""
    gold = students("gold", 0, 0.0)
    runs = {
        f"{side} {name}": np.stack([of[name, seed] for seed in PARAMS["seeds"]])
        for side, of in RUNS.items()
        for name in ("gold", "llm")
    }
    counts = {name: np.stack([confusion(gold, run, 3) for run in of]) for name, of in runs.items()}
    wanted = RunVariances(gold, runs, counts, macro_f1).difference("prompt llm", "main llm", 0.95)
    scores = found("main", "prompt")["scores"]
    assert scores["test_rows"] == [60, 60, 60]
    assert scores["said"] == "Paired by row on 60 test rows."
    of_gold, llm = scores["sources"]
    assert (of_gold["kind"], of_gold["difference"]) == ("unchanged", None)
    assert llm["kind"] == "paired"
    assert llm["difference"] == [round(float(one), 4) for one in wanted[:3]]
    assert llm["decision"] == "worse"
    assert wanted.high < -0.1


def test_other_test_rows_are_compared_on_the_common_ones(found):
    scores = found("main", "rows")["scores"]
    assert scores["test_rows"] == [54, 60, 56]
    assert scores["said"].startswith("The test rows differ (60 before, 56 after): compared on the 54 in both")


def test_without_the_data_the_rest_still_works(project, tmp_path, monkeypatch, capfd):
    clone = whole_clone(project, tmp_path / "clone")
    without_environment(monkeypatch, clone)
    assert main(["diff", "origin/main", "origin/prompt"]) == 0
    text = capfd.readouterr().out
    assert "worse: llm was safe, -1.0 [-1.8, -0.2], is risky, -30.0 [-40.0, -20.0]" in " ".join(text.split())
    assert "not paired by row" in text
    half = np.hypot(0.05, 0.02)
    assert f"-29.0 [{100 * (-0.29 - half):.1f}, {100 * (-0.29 + half):.1f}]" in text
    assert "Flipped rows are not known: llm." in text
    unread = " ".join(text[text.index("Not read") :].split())
    assert "data/labels/llm.parquet, data/runs/all.parquet (not in the DVC cache, and no remote is set)" in unread
    assert "`dvc fetch --all-commits` may help." in unread
    assert "annotators.llm.shots added: 0" in text


def test_an_altered_cache_is_no_source(project, tmp_path, monkeypatch, capfd):
    copied = shutil.copytree(project, tmp_path / "copy")
    shutil.rmtree(copied / "data")
    for path in (copied / ".dvc" / "cache").rglob("*"):
        if path.is_file():
            path.write_bytes(b"other")
    without_environment(monkeypatch, copied)
    assert main(["diff", "main", "prompt"]) == 0
    assert "altered in the DVC cache" in " ".join(capfd.readouterr().out.split())


def test_experiments_are_revisions(found, said):
    assert found("main", "calm-duck")["verdicts"] == found("main", "prompt")["verdicts"]
    assert said("main", "calm-dock").startswith(
        "labelrisk diff: git knows no revision 'calm-dock'; did you mean 'calm-duck'?"
    )


def test_text_fits_80_columns_and_shows_no_escape(said):
    text = said("main", "prompt", "--examples", "9")
    assert max(map(columns, text.splitlines())) <= 80
    assert "\u202e" not in text
    assert "a b\\u202exxx" in text
    assert (
        text.index("Verdicts: 1 changed") < text.index("Students") < text.index("Params") < text.index("Labels: 4 rows")
    )
    assert said("main", "prompt", "--examples", "9") == text


def test_as_markdown(said):
    text = said("main", "prompt", "--markdown")
    assert "| `llm` | 90" in text
    assert "- `annotators.llm.shots` added: `0`" in text


def test_the_workspace_is_read_as_it_lies(project, said):
    params = project / "params.yaml"
    before = params.read_text()
    params.write_text(before.replace("margin: 0.02", "margin: 0.05"))
    try:
        assert "evaluate.margin: 0.02 -> 0.05" in said()
    finally:
        params.write_text(before)


def test_where_there_is_no_study(project, said, tmp_path, monkeypatch):
    assert said("main~1", "main").startswith("labelrisk diff: there is no params.yaml at main~1 (")
    folder = project / "empty"
    folder.mkdir(exist_ok=True)
    monkeypatch.chdir(folder)
    assert "there is no params.yaml at" in said()
