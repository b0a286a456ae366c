"""What leaves with `dvc push`: each choice, as it is written, and that no text leaves with labels only."""

import io
import json
import re
import shutil
import subprocess
from pathlib import Path

import pandas as pd
import pytest
import yaml
from chat_study import ChatStudy, chat
from code_host import TOKEN, code_host
from dvc_study import ENVIRONMENT
from faulty_replies import label_of, right
from loopback import completion, served
from study_files import PLAIN, params, texts, write_study
from test_pipeline import Copy

from labelrisk.cli import main
from labelrisk.code_hosts.one_comment import mark_of
from labelrisk.params import load
from labelrisk.sharing.contents import PUSHED, contents, is_pushed
from labelrisk.sharing.declared_outputs import declared_outputs, with_pushes
from labelrisk.sharing.named_files import with_push
from labelrisk.sharing.pushed_sizes import shown_bytes, sizes
from labelrisk.sharing.texts_in_git import fragment
from labelrisk.stages import annotate

PIPELINE = """\
# what a person wrote stays: 'quotes', "more"   and spaces
vars:
  - run: labelrisk
stages:
  prepare:
    cmd: >-
      ${run} prepare
      --out data/prepared
    outs:
      - data/prepared   # rows
      - metrics/prepare.json:
          cache: false
    plots: [plots/one.csv, plots/two.csv: {x: a, cache: false}]
  annotate:
    foreach: ${annotators}
    do:
      cmd: annotate
      outs:
        - 'data/labels/${key}.parquet'
        - mine/other
  train:
    matrix: {source: [a], seed: [0]}
    cmd: train
    outs:
    - models/${item.source}:
        # why
        persist: false
        push: false  # said
    - classifiers/x: {push: true}
    - {classifiers/y: {persist: true}}
    - data/vectors
"""


def pushes(text):
    """By path the word behind `push`, None where there is none, as YAML reads it."""
    found = {}
    for stage in yaml.safe_load(text)["stages"].values():
        for entry in [one for key in ("outs", "plots") for one in stage.get("do", stage).get(key, [])]:
            path, options = (entry, {}) if isinstance(entry, str) else next(iter(entry.items()))
            found[path] = options.get("push")
    return found


@pytest.mark.parametrize("choice", PUSHED)
def test_a_choice_is_written_into_each_form_of_an_output_and_nothing_else_changes(choice):
    changed = with_pushes(PIPELINE, lambda path: is_pushed(path, choice))
    found = pushes(changed)
    assert {path: push is not False for path, push in found.items() if path != "metrics/prepare.json"} == {
        path: is_pushed(path, choice) or path == "plots/two.csv"
        for path in pushes(PIPELINE)
        if path != "metrics/prepare.json"
    }
    assert found["metrics/prepare.json"] is None  # in git
    without = re.sub(r"^ *push: (true|false)\n", "", changed, flags=re.M)
    assert len(without.splitlines()) == len(PIPELINE.splitlines())
    for line in (
        "# what a person wrote stays: 'quotes', \"more\"   and spaces",
        "      --out data/prepared",
        "        # why",
    ):
        assert line in changed.splitlines()
    assert with_pushes(changed, lambda path: is_pushed(path, choice)) == changed


def test_labels_only_writes_these_lines():
    changed = with_pushes(PIPELINE, lambda path: is_pushed(path, "labels-only")).splitlines()
    assert "      - data/prepared:   # rows" in changed
    assert changed[changed.index("      - data/prepared:   # rows") + 1] == "          push: false"
    assert changed[changed.index("        - mine/other:") + 1] == "            push: false"
    assert "        push: false  # said" in changed
    assert "    - classifiers/x: {push: false}" in changed
    assert "    - {classifiers/y: {push: false, persist: true}}" in changed
    assert "        - 'data/labels/${key}.parquet'" in changed


def test_it_is_known_of_each_output_of_the_project_what_it_holds(project):
    outputs = declared_outputs((project / "dvc.yaml").read_text())
    assert {output.path for output in outputs if contents(output.path) == "unknown"} == set()


def test_the_project_sends_labels_and_keeps_students(example):
    outputs = declared_outputs((example / "dvc.yaml").read_text())
    kept = {output.path.partition("/")[0] for output in outputs if not output.pushed}
    assert kept == {"models", "classifiers"}


def test_outputs_that_are_no_labels_do_not_leave_with_labels_only():
    for path in (
        "data/prepared/train.parquet",
        "data/training/gpt",
        "data/perturbed.parquet",
        "data/vectors",
    ):
        assert not is_pushed(path, "labels-only")
    assert not is_pushed("somebody/elses", "labels-only")
    assert is_pushed("somebody/elses", "labels")
    assert is_pushed("data/labels/gpt.parquet", "labels-only")


def test_sizes_are_those_of_the_lock_by_declared_path():
    outs = [{"path": f"models/{source}/{seed}", "size": 1000, "nfiles": 4} for source in "ab" for seed in (0, 1)]
    lock = {"stages": {"one": {"outs": outs}, "two": {"outs": [{"path": "models/all", "size": 7}]}}}
    found = sizes(["models/${item.source}/${item.seed}", "models/all", "none"], lock)
    assert [tuple(size) for size in found.values()] == [(16, 4000), (1, 7), (0, 0)]
    assert [shown_bytes(size) for size in (0, 999, 1200, 45_600, 5_240_000, 1_180_000_000)] == [
        *("0 bytes", "999 bytes", "1.2 kB", "46 kB", "5.2 MB", "1.2 GB"),
    ]


def test_a_file_that_dvc_add_keeps_is_pushed_or_not():
    before = "outs:\n- md5: 1a\n  size: 3\n  hash: md5\n  path: texts.csv\n"
    kept = with_push(before, pushed=False)
    assert yaml.safe_load(kept) == {
        "outs": [{"md5": "1a", "size": 3, "hash": "md5", "path": "texts.csv", "push": False}]
    }
    assert yaml.safe_load(with_push(kept, pushed=True))["outs"][0]["push"] is True
    assert with_push(before, pushed=True) == before


@pytest.fixture
def study(tmp_path, monkeypatch):
    """A study with texts.csv in git, and the pipeline above."""
    monkeypatch.chdir(tmp_path)
    write_study(tmp_path)
    comment = "\n# why\nshare:\n  texts: true        # so\n"
    declared = params()
    declared.pop("share")
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(declared) + comment)
    (tmp_path / "dvc.yaml").write_text(PIPELINE)
    (tmp_path / ".gitignore").write_text("/data/\n")
    for command in (["init", "-q"], ["add", "-A"]):
        subprocess.run(["git", *command], check=True, env=ENVIRONMENT)
    return tmp_path


def test_the_command_says_and_sets_what_is_sent(study, capsys):
    assert main(["share"]) == 0
    assert "a choice of your own" in capsys.readouterr().out
    assert main(["share", "labels-only"]) == 0
    said = capsys.readouterr().out
    assert "sends labels-only: labels, scores and numbers by row id; no text" in " ".join(said.split())
    assert "git keeps files that hold texts, which leave with `git push`: texts.csv." in " ".join(said.split())
    assert max(map(len, said.splitlines())) <= 80
    assert not load(study / "params.yaml").share.texts
    assert "# why\nshare:\n  texts: false       # so\n" in (study / "params.yaml").read_text()
    assert main(["share", "all"]) == 0
    assert load(study / "params.yaml").share.texts
    assert all(output.pushed for output in declared_outputs((study / "dvc.yaml").read_text()))
    capsys.readouterr()
    assert main(["share"]) == 0
    assert "sends all: everything" in capsys.readouterr().out


def test_texts_in_files_that_no_parameter_names_are_found_in_git(study, capsys):
    (study / "data" / "prepared").mkdir(parents=True)
    pd.DataFrame({"text": list(texts()["text"])}).to_parquet(study / "data" / "prepared" / "train.parquet")
    (study / "notes").mkdir()
    (study / "notes" / "coded.json").write_text(json.dumps({"a": [texts()["text"][3]]}))
    (study / "notes" / "plain.md").write_text("There is nothing.")
    subprocess.run(["git", "add", "-A"], check=True, env=ENVIRONMENT)
    assert main(["share", "labels-only"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "which leave with `git push`: texts.csv, notes/coded.json." in said


def test_texts_above_the_folder_of_the_study_are_found_in_git(study, capsys, monkeypatch):
    """Where `labelrisk init` leaves them: studies/one reads ../../texts.csv."""
    inside = study / "studies" / "one"
    inside.mkdir(parents=True)
    for name in ("dvc.yaml", "codebook.yaml"):
        shutil.move(study / name, inside / name)
    (inside / "params.yaml").write_text((study / "params.yaml").read_text().replace("texts.csv", "../../texts.csv"))
    subprocess.run(["git", "add", "-A"], check=True, env=ENVIRONMENT)
    monkeypatch.chdir(inside)
    assert main(["share", "labels-only"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "which leave with `git push`: ../../texts.csv." in said


def test_a_pipeline_that_sends_texts_against_params_yaml_is_told(study, capsys):
    assert main(["share", "labels-only"]) == 0
    pipeline = (study / "dvc.yaml").read_text()
    (study / "dvc.yaml").write_text(pipeline.replace("data/prepared:   # rows\n          push: false", "data/prepared"))
    capsys.readouterr()
    assert main(["share"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "share.texts is false, but dvc.yaml pushes data/prepared; run `labelrisk share labels-only`" in said
    assert main(["check"]) == 1
    said = capsys.readouterr().err
    assert "share.texts is false, but dvc.yaml lets DVC push data/prepared; run `labelrisk share labels-only`" in said


def test_without_texts_the_rest_is_checked(study, capsys):
    (study / "texts.csv").unlink()
    assert main(["check"]) == 1
    assert main(["check", "--without-texts"]) == 0
    assert "OK: params.yaml and codebook.yaml; what texts.csv holds is not known here\n" in capsys.readouterr().out
    (study / "codebook.yaml").write_text("task: x\n")
    assert main(["check", "--without-texts"]) == 1


def test_files_that_dvc_add_keeps_stay_here_with_labels_only(study):
    (study / "texts.csv.dvc").write_text("outs:\n- md5: 1a\n  size: 3\n  hash: md5\n  path: texts.csv\n")
    assert main(["share", "labels-only"]) == 0
    assert yaml.safe_load((study / "texts.csv.dvc").read_text())["outs"][0]["push"] is False
    assert main(["share", "labels"]) == 0
    assert yaml.safe_load((study / "texts.csv.dvc").read_text())["outs"][0]["push"] is True


def test_without_a_pipeline_it_is_one_sentence(study, capsys):
    (study / "dvc.yaml").unlink()
    assert main(["share", "all"]) == 1
    assert capsys.readouterr().err == "labelrisk share: dvc.yaml is not there; run from the folder that holds it\n"


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("dvc.yaml", "stages: [", "dvc.yaml is no YAML ("),
        ("dvc.lock", "<<<<<<< HEAD\nstages: {a: 1}\n=======\n", "dvc.lock is no YAML, as after a merge with conflicts"),
    ],
)
def test_a_file_of_dvc_that_is_no_yaml_is_one_sentence(study, capsys, name, content, says):
    (study / name).write_text(content)
    assert main(["share"]) == 1
    assert says in capsys.readouterr().err


def talkative(text, before=0):
    """A model that quotes the text in every third answer, which then is no label."""
    if len(text) % 3:
        return right(text)
    return 200, completion(f"I can't tell what '{text}' is about.")


def test_labels_files_hold_replies_only_where_texts_may_leave(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with served(talkative) as server:
        study = ChatStudy(tmp_path)
        open_ = study.run(chat(server.url, confidence="none", reasks=0))
        paid = server.paid
        quoted = open_[open_["status"] == "off_list"]
        assert len(quoted) > 2
        assert all(text in reply for text, reply in zip(quoted["text"], quoted["reply"], strict=True))
        settings = load(tmp_path / "params.yaml")
        closed = settings.model_copy(update={"share": settings.share.model_copy(update={"texts": False})})
        places = (tmp_path / "prepared", tmp_path / ".labelrisk" / "calls.sqlite", study.labels)
        for number, of in enumerate((closed, settings)):  # and back again
            annotate.run(of, "model", *places, tmp_path / "ballots.parquet", tmp_path / "metrics.json")
            found = pd.read_parquet(study.labels)
            assert found["reply"].notna().any() == bool(number)
            left = [column for column in found.columns if column != "reply" or number]
            pd.testing.assert_frame_equal(found[left], open_[left])
        assert server.paid == paid


AROUND_TEXTS = ("<text>", "Input:", "I can't tell what", "I think")  # of prompts and replies


def fragments(rows):
    """Of each text a part that no encoding of JSON, CSV or Markdown changes."""
    found = {fragment(text) for text in rows}
    assert None not in found
    return sorted(found)


def readable(content):
    """All texts in a file: of Parquet its values, for pages of it are compressed."""
    if content[:4] == b"PAR1":
        frame = pd.read_parquet(io.BytesIO(content))
        return "\n".join(str(list(value) if hasattr(value, "tolist") else value) for value in frame.to_numpy().ravel())
    return content.decode(errors="replace")


def with_any(contents_of, wanted):
    """Names of those that hold one of these parts."""
    found = []
    for name, content in contents_of.items():
        text = readable(content)
        if any(part in text for part in wanted):
            found.append(name)
    return found


def objects(remote):
    return {str(path.relative_to(remote)): path.read_bytes() for path in remote.rglob("*") if path.is_file()}


def blobs(root):
    """Every blob that git keeps, of all commits."""
    listed = subprocess.run(
        ["git", "cat-file", "--batch-check", "--batch-all-objects"],
        cwd=root,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    names = [line.split()[0] for line in listed.splitlines() if line.split()[1] == "blob"]
    paths = subprocess.run(
        ["git", "rev-list", "--objects", "--all"], cwd=root, check=True, capture_output=True, text=True
    )
    path_of = dict(line.split(" ", 1) for line in paths.stdout.splitlines() if " " in line)
    show = ["git", "cat-file", "blob"]
    return {
        path_of.get(name, name): subprocess.run([*show, name], cwd=root, check=True, capture_output=True).stdout
        for name in names
    }


class Finished(Copy):
    """The whole pipeline with labels only: a model that quotes texts, labels from elsewhere, students; pushed."""

    def __init__(self, project, root, server):
        super().__init__(project, root)
        self.server, self.remote = server, root.with_name("remote")
        self.rows = texts()
        self.rows["text"] = [f"{text[:-1]} of {number} counties." for number, text in enumerate(self.rows["text"])]
        content = params(sources=PLAIN, seeds=[0])
        content["annotators"]["model"] = chat(server.url, confidence="none", reasks=0, shots=2)
        content["annotators"]["coder"] = {"kind": "import", "reads": "coded.csv", "label": "said"}
        content["ensemble"] = {"across": []}
        write_study(self.root, content, self.rows)
        said = [label_of(text) if number % 5 else f"{text} I think" for number, text in enumerate(self.rows["text"])]
        self.rows.assign(said=said).to_csv(self.root / "coded.csv", index=False)
        with (self.root / ".gitignore").open("a") as ignored:
            ignored.write("/texts.csv\n/coded.csv\n")
        shutil.rmtree(self.root / ".git")
        self.done("labelrisk", "share", "labels-only")
        self.done("git", "init", "-qb", "main")
        self.done("dvc", "remote", "add", "-d", "folder", str(self.remote))
        self.finish("labels")

    def done(self, *command):
        code, said = self.run(*command)
        assert code == 0, said
        return said

    def finish(self, message):
        """Run, commit and push."""
        self.done("dvc", "repro")
        self.done("git", "add", "-A")
        self.done("git", "commit", "-qm", message)
        self.done("dvc", "push", "-q")

    def cloned(self, root):
        """Another person's clone, which has no texts."""
        self.done("git", "clone", "-q", str(self.root), str(root))
        return root


@pytest.fixture(scope="module")
def finished(project, tmp_path_factory):
    with served(talkative) as server:
        yield Finished(project, tmp_path_factory.mktemp("finished") / "copy", server)


@pytest.mark.slow
def test_with_labels_only_no_text_is_in_any_pushed_object_nor_in_git(finished):
    wanted = fragments(finished.rows["text"])
    cache = objects(finished.root / ".dvc" / "cache")
    assert len(with_any(cache, wanted)) >= 5  # prepared rows, training rows: the search finds what is there
    pushed = objects(finished.remote)
    assert len(pushed) > 10
    assert any(content[:20].lower().startswith(b"<!doctype html") for content in pushed.values())  # the report
    assert with_any(pushed, [*wanted, *AROUND_TEXTS]) == []
    assert with_any(blobs(finished.root), wanted) == []


@pytest.mark.slow
def test_who_has_the_texts_gets_labels_that_hold_none_without_paying(finished, tmp_path):
    clone = finished.cloned(tmp_path / "clone")
    for name in ("texts.csv", "coded.csv"):
        shutil.copy(finished.root / name, clone / name)
    paid = finished.server.paid
    subprocess.run(["dvc", "repro", "-q", "annotate"], cwd=clone, check=True, env=finished.environment)
    assert finished.server.paid == paid
    lock = [yaml.safe_load((root / "dvc.lock").read_text())["stages"] for root in (finished.root, clone)]
    assert lock[0]["annotate@model"]["outs"] == lock[1]["annotate@model"]["outs"]


@pytest.mark.slow
def test_the_job_of_the_workflow_works_without_texts_and_comments_once(project, finished, tmp_path):
    """Each step's own shell, in a clone of a branch, against a server that plays GitHub."""
    finished.done("git", "checkout", "-qb", "wider")
    declared = yaml.safe_load((finished.root / "params.yaml").read_text())
    declared["evaluate"]["margin"] = 0.3
    (finished.root / "params.yaml").write_text(yaml.safe_dump(declared, sort_keys=False))
    finished.finish("a wider margin")
    clone = finished.cloned(tmp_path / "clone")
    steps = yaml.safe_load((project / ".github/workflows/review.yml").read_text())["jobs"]["review"]["steps"]
    with code_host() as host:
        job = {"GITHUB_API_URL": host.url, "GITHUB_REPOSITORY": "me/study", "GITHUB_REF": "refs/pull/7/merge"}
        job |= {"GITHUB_TOKEN": TOKEN, "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md")}
        job |= {"GITHUB_SERVER_URL": "https://github.com", "BASE": "main", "COMMIT": "HEAD"}

        def ended():
            """By step its exit code and what it said."""
            found = {}
            for step in (step for step in steps if "run" in step and step.get("id") != "install"):
                done = subprocess.run(
                    ["bash", "-e", "-c", step["run"]],
                    cwd=clone,
                    env=finished.environment | job,
                    capture_output=True,
                    text=True,
                )
                found[step["name"]] = (done.returncode, done.stdout + done.stderr)
            return found

        first = ended()
        assert {name: code for name, (code, _) in first.items()} == dict.fromkeys(first, 0), first
        assert len(first) == 5
        (comment,) = host.comments
        assert comment["body"].startswith(mark_of(""))
        assert "margin" in comment["body"]
        assert comment["body"] == (tmp_path / "summary.md").read_text()
        assert not any(part in comment["body"] for part in fragments(finished.rows["text"]))
        declared["evaluate"]["margin"] = 0.2
        (clone / "params.yaml").write_text(yaml.safe_dump(declared, sort_keys=False))
        second = ended()
        assert [name for name, (code, _) in second.items() if code] == ["dvc.lock is current"]
        assert "stale: evaluate would run" in second["dvc.lock is current"][1]
        assert len(host.comments) == 1
        for path in finished.remote.rglob("*"):
            if path.is_file():
                path.unlink()
        assert "the remote lacks" in ended()["the remote has what dvc.lock names"][1]


def test_dvc_sends_what_is_chosen_and_another_choice_runs_nothing(tmp_path, monkeypatch):
    from dvc.cli import main as dvc

    monkeypatch.chdir(tmp_path)
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    subprocess.run(["git", "init", "-q"], check=True)
    outs = ["data/prepared", "data/labels/a.parquet", "models/a"]
    makes = "; ".join(f"mkdir -p {Path(out).parent} && echo {out} > {out}" for out in outs)
    stage = {"cmd": makes, "outs": list(outs)}
    (tmp_path / "dvc.yaml").write_text(yaml.safe_dump({"stages": {"one": stage}}))
    write_study(tmp_path)
    remote = tmp_path / "remote"
    assert [dvc(words.split()) for words in ("init -q", f"remote add -qd r {remote}", "repro -q")] == [0, 0, 0]
    lock = (tmp_path / "dvc.lock").read_text()
    for choice, sent in {"labels-only": 1, "labels": 2, "all": 3}.items():
        assert main(["share", choice]) == 0
        assert dvc(["repro", "-q"]) == 0
        assert dvc(["push", "-q"]) == 0
        assert (tmp_path / "dvc.lock").read_text() == lock
        assert len(objects(remote)) == sent
    assert {content.decode().strip() for content in objects(remote).values()} == set(outs)
