"""Two people, each with a clone, and a real S3 server between them: nobody pays twice, whoever labels what."""

import subprocess
from collections import Counter

import pytest
from dvc_study import write_dvc
from faulty_replies import right
from loopback import served
from servers import S3_KEYS, free_port, s3_server
from test_money_in_dvc import Study, text_of

TEXTS, MORE = 100, 50
pytestmark = pytest.mark.slow  # of these, test_check_remote.py has one push, check and pull of S3


class Clone(Study):
    """A clone whose owner has the keys of the S3 server in the environment, and nowhere else."""

    def __init__(self, root, server, project):
        super().__init__(root, server, project)
        self.project = project
        self.environment = self.environment | S3_KEYS

    def cloned(self, root, origin=None):
        self.clone(root, origin)
        return Clone(root, self.server, self.project)


@pytest.fixture(scope="module")
def server():
    with served(right) as ledger:
        yield ledger


@pytest.fixture(scope="module")
def s3(tmp_path_factory):
    """The address of an S3 server with an empty bucket."""
    with s3_server(tmp_path_factory.mktemp("s3")) as url:
        yield url


@pytest.fixture(scope="module")
def anna(server, project, s3, tmp_path_factory):
    """A study whose 100 texts are labelled, committed and pushed."""
    root = tmp_path_factory.mktemp("anna")
    study = Clone(root, server, project)
    study.run("git", "init", "-qb", "main")
    config = f"[core]\n    remote = s3\n['remote \"s3\"']\n    url = s3://labels/dvc\n    endpointurl = {s3}\n"
    write_dvc(root, project, config)
    both_sides = "texts.csv merge=union\n"  # lines that both sides of a merge add
    (root / ".gitattributes").write_text((project / ".gitattributes").read_text() + both_sides)
    study.declare(range(TEXTS))
    assert study.paid("dvc", "repro") == Counter({text_of(number): 1 for number in range(TEXTS)})
    study.commit("labels")
    return study


@pytest.fixture(scope="module")
def shared(anna):
    """The same, pushed."""
    anna.run("dvc", "push", "-q")
    return anna


def test_what_is_not_pushed_is_missed_before_the_merge_and_what_is_pulled_is_not_paid_again(anna, tmp_path):
    ben = anna.cloned(tmp_path / "ben")
    code, said = ben.ended("labelrisk", "check-remote")
    assert code == 1
    assert "missing: data/labels/model.parquet" in said
    assert "the remote lacks 5 of the 5 outputs that HEAD names" in said
    anna.run("dvc", "push", "-q")
    assert "OK: the remote has all outputs" in ben.run("labelrisk", "check-remote")
    ben.run("dvc", "pull", "-q")
    assert len(ben.labels()) == TEXTS
    for where in (anna.root, ben.root):
        for path in (path for path in where.rglob("*") if path.is_file()):
            assert S3_KEYS["AWS_SECRET_ACCESS_KEY"].encode() not in path.read_bytes(), path


def test_who_pulls_and_adds_rows_pays_for_these_only(shared, tmp_path):
    ben = shared.cloned(tmp_path / "ben")
    ben.run("dvc", "pull", "-q")
    assert not ben.paid("dvc", "repro")
    ben.declare(range(TEXTS + MORE))
    assert ben.paid("dvc", "repro") == {text_of(number): 1 for number in range(TEXTS, TEXTS + MORE)}
    assert len(ben.labels()) == TEXTS + MORE


def test_who_pulls_nothing_pays_for_new_rows_only(shared, tmp_path):
    ben = shared.cloned(tmp_path / "ben")
    ben.declare(range(TEXTS + MORE))
    assert ben.paid("dvc", "repro") == {text_of(number): 1 for number in range(TEXTS, TEXTS + MORE)}


def test_two_halves_are_merged_as_make_setup_sets_it_and_nobody_pays_twice(shared, project, tmp_path):
    origin = tmp_path / "origin.git"
    shared.run("git", "clone", "-q", "--bare", str(shared.root), str(origin))
    halves = {"one": range(TEXTS, TEXTS + 25), "two": range(TEXTS + 25, TEXTS + 50)}
    clones = {}
    for name, half in halves.items():
        clones[name] = clone = shared.cloned(tmp_path / name, origin)
        set_up(clone, project)
        clone.run("git", "checkout", "-qb", name)
        clone.declare([*range(TEXTS), *half])
        assert clone.paid("dvc", "repro") == {text_of(number): 1 for number in half}
        clone.commit(name)
        clone.run("dvc", "push", "-q")
        clone.run("git", "push", "-q", "origin", name)
    one = clones["one"]
    one.run("git", "fetch", "-q")
    conflicts, said = one.ended("git", "merge", "-q", "--no-edit", "origin/two")
    assert conflicts == 0, said
    assert "<<<<" not in (one.root / "dvc.lock").read_text()
    assert not one.paid("dvc", "repro")
    assert set(one.labels()) == {text_of(number) for number in range(TEXTS + 50)}
    one.commit("both")
    one.run("dvc", "push", "-q")
    one.run("git", "push", "-q", "origin", "HEAD:main")
    fresh = shared.cloned(tmp_path / "fresh", origin)
    assert "OK" in fresh.run("labelrisk", "check-remote")
    fresh.run("dvc", "pull", "-q")
    assert not fresh.paid("dvc", "repro")
    assert len(fresh.labels()) == TEXTS + 50


def set_up(clone, project):
    """The merge setting, by the command that `make setup` runs for it."""
    lines = (project / "Makefile").read_text().split("setup: .venv/installed")[1].split("\n\n")[0].splitlines()[1:]
    command = "\n".join(lines).strip().removeprefix("@").replace("\\\n", " ")
    subprocess.run(["bash", "-c", command], cwd=clone.root, check=True, env=clone.environment)
    assert clone.run("git", "config", "merge.ours.driver") == "true\n"


def test_an_s3_that_is_gone_is_one_sentence_and_costs_nothing(shared, tmp_path):
    clone = shared.cloned(tmp_path / "clone")
    content = f"['remote \"s3\"']\n    endpointurl = http://127.0.0.1:{free_port()}\n"
    (clone.root / ".dvc" / "config.local").write_text(content)
    requests = len(clone.server.bodies)
    code, said = clone.ended("dvc", "repro", AWS_MAX_ATTEMPTS="1")
    assert code != 0
    (sentence,) = {line for line in said.splitlines() if line.startswith("labelrisk annotate: annotators.model")}
    assert "exist but can't be read" in sentence
    assert "Traceback" not in said
    assert len(clone.server.bodies) == requests
    code, said = clone.ended("labelrisk", "check-remote", AWS_MAX_ATTEMPTS="1")
    assert code == 1
    assert "can't be asked (" in said
    assert "missing" not in said
