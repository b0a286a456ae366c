"""The papers' workflow, by the commands of docs/howto/people.md: label, ask people, edit the codebook, test again."""

import json
import os
import re
import shlex
import subprocess
from pathlib import Path

import pandas as pd
import pytest
import yaml
from dvc_study import ENVIRONMENT, write_dvc
from loopback import completion, served
from study_files import CODEBOOK, SUBJECTS, params, write_study

from labelrisk.cli import main
from labelrisk.corpora.spreadsheets import original_id

ROWS = 340  # 300 to train, as the page says, and 20 each to validate and to test
EDGE_CASE = "Soup counts as food, however hot it is."
LABEL_OF = {noun: label for label, nouns in SUBJECTS.items() for noun in nouns}
OTHER = {"weather": "food", "food": "weather"}


def label_of(text):
    return LABEL_OF[text.split()[2]]


@pytest.fixture
def server():
    """A model that takes soup for weather until the codebook says better; unsure of it either way."""

    def reply(text, before):
        with ledger.lock:
            asked = next(body for body in reversed(ledger.bodies) if f"\n{text}\n" in body["messages"][-1]["content"])
        label = label_of(text)
        soup = "soup" in text
        if soup and EDGE_CASE not in json.dumps(asked["messages"]):
            label = OTHER[label]
        token = "AB"[list(CODEBOOK["labels"]).index(label)]
        sure = 0.6 if soup else 0.9
        return 200, completion(token, {token: sure, "AB"["BA".index(token)]: 1 - sure})

    with served(reply) as ledger:
        yield ledger


class Study:
    """A study in the current folder, with an annotator `gpt`, and the page's commands in it."""

    def __init__(self, project, capsys):
        page = (project / "docs" / "howto" / "people.md").read_text()
        section = page.partition("## Is the codebook any good?")[2]
        lines = re.search(r"```sh\n(.*?)```", section, re.DOTALL)[1].splitlines()
        self.label, self.sample, self.agreement = filter(None, (shlex.split(line, comments=True) for line in lines))
        self.environment = ENVIRONMENT | {"PYTHONPATH": str(project / "src")}
        self._capsys = capsys

    def repro(self):
        """Label, by DVC."""
        subprocess.run(self.label, env=self.environment, check=True, capture_output=True, timeout=120)

    def said(self, command):
        """What a command printed, in one line."""
        self._capsys.readouterr()
        assert command[0] == "labelrisk"
        assert main(command[1:]) == 0, self._capsys.readouterr().err
        printed = self._capsys.readouterr().out
        if command[1] != "plan":  # whose prompt is as long as the codebook
            assert max(map(len, printed.partition("Written")[0].splitlines())) <= 80
        return " ".join(printed.split())

    def refusal(self, command):
        """What a command said that could not do its work: one sentence."""
        self._capsys.readouterr()
        assert main(command[1:]) == 1
        said = self._capsys.readouterr().err
        assert said.count("\n") == 1
        return said

    def plan(self):
        return self.said(["labelrisk", "plan"])


@pytest.fixture
def study(tmp_path, monkeypatch, server, project, capsys):
    monkeypatch.chdir(tmp_path)
    for name in os.environ.keys() - ENVIRONMENT.keys():
        monkeypatch.delenv(name)
    gpt = {"kind": "chat", "reads": "codebook.yaml", "model": "m", "base_url": server.url, "shots": 0}
    gpt |= {"price": {"input": 0.4, "output": 1.6}, "max_cost": 5}
    content = params(annotators={"gpt": gpt}, sources={"gpt": {"annotator": "gpt"}}, ensemble={"across": []})
    content["evaluate"]["reference"] = "gpt"
    content["prepare"] |= {"train_rows": 300, "validation_rows": 20, "test_rows": 20}
    texts = [f"There is {noun} in house {place}." for place in range(80) for noun in LABEL_OF]
    write_study(tmp_path, content, pd.DataFrame({"text": texts, "gold": [label_of(text) for text in texts]}))
    write_dvc(tmp_path, project)
    subprocess.run(["git", "init", "-q"], check=True, env=ENVIRONMENT)
    return Study(project, capsys)


def fill(sample, coders):
    """Copies of a sample, filled as the texts are, each with a slip at one row in twenty that no other makes."""
    frame = pd.read_csv(sample, dtype=str, keep_default_na=False)
    assert set(frame["label"]) == {""}
    for place, name in enumerate(coders):
        right = frame["text"].map(label_of)
        slips = right.index % 20 == place
        frame.assign(label=right.mask(slips, right.map(OTHER))).to_csv(name, index=False)
    return frame


def held_out():
    return json.loads(Path("validation/gpt.json").read_text())["parts"]["held_out"]


@pytest.mark.slow
def test_the_workflow_of_the_papers(study, server):
    coders = [word for word in study.agreement if word.endswith(".csv") and word.startswith("coding/")]
    assert len(coders) == 3

    for command in (["labelrisk", "plan"], study.sample, study.agreement):
        assert "dvc repro prepare`, which asks no annotator" in study.refusal(command)
    subprocess.run(["dvc", "repro", "prepare"], env=study.environment, check=True, capture_output=True, timeout=120)
    assert f"requests to send {ROWS}" in study.plan()
    assert "dvc repro annotate@gpt`, which labels the rows" in study.refusal(study.sample)
    assert not server.bodies

    study.repro()
    assert server.paid == len(server.bodies) == ROWS
    said = study.plan()
    assert "no validation by people: see `labelrisk sample` and `labelrisk agreement`" in said
    assert "requests to send 0" in said

    said = study.said(study.sample)
    assert "Drew 200 of 300 rows of train (uncertainty, seed 0); 100 are held out." in said
    sampled = fill("coding/round1.csv", coders)
    assert len(json.loads(Path("coding/round1.label_studio.json").read_text())) == 200
    parts = dict(zip(map(original_id, sampled["id"]), sampled["part"], strict=True))
    soup = set(map(original_id, sampled["id"][sampled["text"].str.contains("soup")]))
    in_edit = {one for one in soup if parts[one] == "edit"}
    assert 0 < len(in_edit) < len(soup)

    said = study.said(study.agreement)
    assert "PART held_out: 100 rows" in said
    assert "Alternative annotator test: winning rate" in said
    listed = pd.read_csv("edit.csv", dtype=str)
    assert set(map(original_id, listed["id"])) == in_edit
    assert set(listed["annotator_label"]) == {"weather"}
    assert set(listed["majority_label"]) == {"food"}
    before = held_out()
    assert before["against_majority"]["accuracy"] == pytest.approx(1 - (len(soup) - len(in_edit)) / 100)
    right = 100 - (len(soup) - len(in_edit))
    assert f"validated on held-out rows: accuracy {right}.0 on 100 (validation/gpt.json)" in study.plan()

    edited = CODEBOOK | {"edge_cases": [EDGE_CASE]}
    Path("codebook.yaml").write_text(yaml.safe_dump(edited, sort_keys=False))
    said = study.plan()
    another = "validation/gpt.json is about another codebook: validate this one"
    assert another in said
    assert f"requests to send {ROWS}" in said
    study.said(study.agreement)  # of labels that were made with the old codebook, which validate nothing
    assert another in study.plan()

    study.repro()
    assert server.paid == len(server.bodies) == 2 * ROWS
    assert another in study.plan()
    said = study.said(study.agreement)
    assert len(pd.read_csv("edit.csv")) == 0
    after = held_out()
    assert after["against_majority"]["accuracy"] == 1 > before["against_majority"]["accuracy"]
    tests = [of["alternative_annotator_test"]["advantage_probability"] for of in (before, after)]
    assert tests[1] > tests[0]
    assert "validated on held-out rows: accuracy 100.0 on 100 (validation/gpt.json)" in study.plan()

    content = yaml.safe_load(Path("params.yaml").read_text())
    content["prepare"]["train_rows"] = 400
    Path("params.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
    study.repro()
    assert server.paid == len(server.bodies) == 2 * ROWS + 100
