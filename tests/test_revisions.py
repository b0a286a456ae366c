"""The files of a study at a revision: from git, from DVC's cache and remote by their hashes, and as they lie."""

import json
import shutil

import pytest
from revision_study import (
    CODEBOOK,
    PARAMS,
    as_yaml,
    commit,
    git,
    new_repository,
    whole_clone,
    without_environment,
    write_outputs,
    write_texts,
)

from labelrisk.revisions.codebook_changes import codebook_changes
from labelrisk.revisions.document import quoted_apart
from labelrisk.revisions.param_changes import param_changes
from labelrisk.revisions.revision import revisions_of, same_file, unread_of
from labelrisk.revisions.snapshot import Snapshot
from labelrisk.revisions.verdict_changes import gravity


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    """A study in studies/one, whose codebook stands beside it: main, and a branch whose files are broken."""
    root = tmp_path_factory.mktemp("repository")
    new_repository(root)
    study = root / "studies" / "one"
    study.mkdir(parents=True)
    (root / "studies" / "shared.yaml").write_text(as_yaml(CODEBOOK))
    write_texts(study, PARAMS | {"codebook": "../shared.yaml"})
    write_outputs(study)
    commit(root, "study")
    git(root, "checkout", "-qb", "broken")
    (study / "params.yaml").write_text("a: [\n")
    (study / "dvc.lock").write_text("stages: {a: 5}\n")
    (study / "metrics" / "verdict.json").write_text('{"sources": {"a": {}}}')
    (study / "codebook.yaml").write_text("task: only\n")
    commit(root, "broken")
    git(root, "checkout", "-q", "main")
    return root


@pytest.fixture
def of(repository, monkeypatch):
    """Two revisions of the study, by their names; None: the workspace."""
    study = repository / "studies" / "one"
    without_environment(monkeypatch, study)

    def opened(before="main", after=None):
        names = (before, after)
        return revisions_of([(name or "workspace", name and git(study, "rev-parse", name)) for name in names])

    return opened


def test_a_study_in_a_folder_reads_its_own_files_and_those_beside_it(of):
    with of() as (main, workspace):
        for side in (main, workspace):
            study = Snapshot(side, "params.yaml")
            assert study.params["seeds"] == [0, 1, 2]
            assert study.codebook("../shared.yaml").names == ["north", "south", "west"]
            assert study.classes == ["north", "south", "west"]
            assert len(study.labels("llm")) == 72
            assert study.texts["test00"] == "text of test00"
            assert study.gold["test01"] == "south"
            assert study.runs("gold", 1).probabilities.shape == (60, 3)
            assert study.sources["llm"].gap == (-0.01, -0.018, -0.002)
            assert unread_of(side) is None
        assert not same_file("data/runs/all.parquet", main, workspace)  # it lies here, and may be another one


def test_what_is_outside_the_repository_is_not_read(of, tmp_path, repository):
    secret = tmp_path / "secret.yaml"
    secret.write_text("task: secret\nlabels: {a: b, c: d}\n")
    link = repository / "studies" / "one" / "link.yaml"
    link.symlink_to(secret)
    with of() as (main, workspace):
        for side in (main, workspace):
            for path in (str(secret), "../../../secret.yaml", f"../../..{secret}", "link.yaml"):
                assert side.text(path) is None
    link.unlink()


def test_broken_files_are_named_and_the_rest_is_read(of):
    with of("broken", "main") as (broken, main):
        study = Snapshot(broken, "params.yaml")
        assert study.params == {}
        assert study.sources == {}
        assert study.runs is None
        assert study.codebook("codebook.yaml") is None
        assert codebook_changes(study, Snapshot(main, "params.yaml")) == []
        found = unread_of(broken)
        assert found.paths == ["codebook.yaml", "dvc.lock", "metrics/verdict.json", "params.yaml"]
        assert found.fetch is None  # DVC keeps none of them
        assert unread_of(main) is None


def test_the_remote_is_read_where_the_cache_lacks_a_file(repository, tmp_path, monkeypatch, of):
    clone = whole_clone(repository, tmp_path / "clone")
    remote = tmp_path / "remote"
    shutil.copytree(repository / ".dvc" / "cache" / "files", remote / "files")
    (clone / ".dvc" / "config").write_text(f"[core]\n    remote = r\n['remote \"r\"']\n    url = {remote}\n")
    monkeypatch.chdir(clone / "studies" / "one")
    with of("HEAD", None) as (head, workspace):
        assert same_file("data/runs/all.parquet", head, workspace)
        for side in (head, workspace):
            assert len(Snapshot(side, "params.yaml").labels("llm")) == 72
            assert side.file("data/prepared/labels.json").read_text() == json.dumps(["north", "south", "west"])
    with of("HEAD", None) as (head, _):
        shutil.rmtree(remote)
        assert Snapshot(head, "params.yaml").labels("llm") is None
        assert unread_of(head).fetch == "dvc fetch --all-commits"


def test_metrics_of_this_version_are_understood(project, tmp_path, monkeypatch):
    """As the stage evaluate wrote them for the committed study."""
    metrics = project / "metrics"
    if not (metrics / "verdict.json").is_file():
        pytest.skip("this project has no results")
    new_repository(tmp_path)
    shutil.copytree(metrics, tmp_path / "metrics")
    without_environment(monkeypatch, tmp_path)
    with revisions_of([("workspace", None)]) as (side,):
        study = Snapshot(side, "params.yaml")
        judged = json.loads((metrics / "verdict.json").read_text())["sources"]
        scores = json.loads((metrics / "sources.json").read_text())
        assert {name: of.verdict for name, of in study.sources.items()} == {
            name: of["verdict"] for name, of in judged.items()
        }
        assert all(study.sources[name].macro_f1[0] == scores[name]["macro_f1"] for name in judged)
        assert sum(study.counted_rows.values()) > 0
        assert unread_of(side) is None


def test_params_change_by_key():
    before = {"a": {"b": 1, "c": [1, 2]}, "d": None, "e": {}, "same": {"x": True}}
    after = {"a": {"b": 1.0, "c": [2, 1], "f": {"g": "h"}}, "d": False, "e": {"x": 1}, "same": {"x": True}}
    changes = {change.key: change[1:] for change in param_changes(before, after)}
    assert changes == {
        "a.b": ("1", "1.0"),
        "a.c": ("[1, 2]", "[2, 1]"),
        "a.f": (None, "{g: h}"),
        "d": ("null", "false"),
        "e": ("{}", "{x: 1}"),
    }


def test_two_texts_are_quoted_where_they_differ():
    words = [f"w{place}" for place in range(40)]
    other = [*words[:20], "new", *words[21:]]
    old, new = quoted_apart(" ".join(words), " ".join(other))
    assert old == "... w15 w16 w17 w18 w19 w20 w21 w22 w23 w24 w25 ..."
    assert new == "... w15 w16 w17 w18 w19 new w21 w22 w23 w24 w25 ..."
    assert quoted_apart("a b", "a b c") == ("a b", "a b c")
    assert quoted_apart("", "a") == ("nothing", "a")


def test_verdicts_by_how_grave_they_are():
    grave = ["safe", "can't tell", "no better than random", "unstable", "loses a class", "risky", "not trained enough"]
    assert [gravity(word) for word in grave] == sorted({gravity(word) for word in grave})
    assert gravity("reference") == gravity("safe")
