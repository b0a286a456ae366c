"""`labelrisk compare`: whose experiments are shown, and revisions side by side."""

import json
import subprocess
from pathlib import Path

import pytest
from dvc_study import ENVIRONMENT

from labelrisk.cli import main


def git(*words):
    return subprocess.run(["git", *words], env=ENVIRONMENT, check=True, capture_output=True, text=True).stdout.strip()


def source(score, word, gap=None):
    """What the metrics files say of one source."""
    low, high = (None, None) if gap is None else (round(gap - 0.02, 4), round(gap + 0.02, 4))
    verdict = {"verdict": word, "because": "so", "difference": gap, "low": low, "high": high}
    return verdict, {"macro_f1": score, "macro_f1_low": score - 0.03, "macro_f1_high": score + 0.03}


def commit(gap, word, steps, message):
    studied = {
        "gold": source(0.8, "reference"),
        "llm": source(0.8 + gap, word, gap),
        "same": source(0.7, "risky", -0.1),
    }
    Path("metrics").mkdir(exist_ok=True)
    for file, content in (("verdict", {"sources": {name: of[0] for name, of in studied.items()}}), ("sources", None)):
        content = content or {name: of[1] for name, of in studied.items()}
        Path(f"metrics/{file}.json").write_text(json.dumps(content))
    Path("params.yaml").write_text(f"seeds: [0, 1]\ntrain: {{steps: {steps}, preset: null}}\n")
    git("add", "-A")
    git("commit", "-qm", message)
    return git("rev-parse", "HEAD")


@pytest.fixture(scope="module")
def history(tmp_path_factory):
    """Two commits, with two experiments of the first."""
    root = tmp_path_factory.mktemp("history")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        for command in (["git", "init", "-qb", "main"], ["dvc", "init", "-q"]):
            subprocess.run(command, env=ENVIRONMENT, check=True)
        first = commit(-0.1, "risky", 100, "first study")
        for name, gap in (("calm-duck", -0.05), ("bold-owl", -0.01)):
            made = commit(gap, "can't tell", 200, name)
            git("update-ref", f"refs/exps/{first[:2]}/{first[2:]}/{name}", made)
            git("reset", "-q", "--hard", first)
        commit(0.02, "safe", 100, "second study")
    return root, first


@pytest.fixture
def said(history, monkeypatch, capfd):
    monkeypatch.chdir(history[0])
    for name in ("GIT_DIR", "GIT_WORK_TREE"):
        monkeypatch.delenv(name, raising=False)

    def run(*words):
        code = main(["compare", *words])
        shown = capfd.readouterr()
        return code, (shown.out if code == 0 else shown.err).splitlines()

    return run


LLM = {  # by revision, as printed
    "first": "70.0  -10.0 [-12.0, -8.0]       risky",
    "calm-duck": "75.0     -5.0 [-7.0, -3.0]  can't tell",
    "bold-owl": "79.0     -1.0 [-3.0, +1.0]  can't tell",
    "main": "82.0      +2.0 [+0.0, +4.0]        safe",
}


def of_source(lines):
    """The lines below the rule: by revision what is said of the only source that differs."""
    rule = next(place for place, line in enumerate(lines) if set(line) == {"-"})
    rows = lines[rule + 1 : lines.index("", rule)]
    assert rows[0].startswith("llm ")
    return {words[0]: " ".join(words[1:]) for words in (line.removeprefix("llm").split() for line in rows)}


def test_experiments_of_another_commit_are_told(said, history):
    first = history[1][:7]
    code, lines = said()
    assert code == 0
    assert lines[0].startswith("No experiments of ")
    assert lines[0].endswith(" (second study).")
    assert lines[1] == f"{first} (first study) has 2: labelrisk compare {first}"
    assert lines[2].startswith("Nothing differs between workspace and ")
    for named in (first, "calm-duck"):
        code, lines = said(named)
        assert (code, lines[0]) == (0, f"Experiments of {first} (first study).")
        found = of_source(lines)
        names = {"first": first, "calm-duck": "calm-duck", "bold-owl": "bold-owl"}
        assert found == {name: " ".join(LLM[of].split()) for of, name in names.items()}
        assert "The same in all: 2 sources." in lines
        assert max(map(len, lines)) <= 80


def test_revisions_stand_side_by_side_without_their_experiments(said, history):
    first = history[1]
    code, lines = said(first, "main")
    assert code == 0
    assert of_source(lines) == {first[:7]: " ".join(LLM["first"].split()), "main": " ".join(LLM["main"].split())}
    assert "params.yaml differs in" not in lines
    code, lines = said("main", "calm-duck")
    assert list(of_source(lines)) == ["main", "calm-duck"]
    assert lines[-3:] == ["train.steps", "    100  (main)", "    200  (calm-duck)"]
    assert said("main", "HEAD") == (0, ["main and HEAD are the same commit."])


def test_what_lies_here_is_compared_with_the_last_commit(said, history):
    path = Path("params.yaml")
    before = path.read_text()
    path.write_text(before.replace("preset: null", "preset: papers") + "codebook: {a: 1}\n")
    try:
        lines = said()[1]
    finally:
        path.write_text(before)
    last = git("rev-parse", "HEAD")[:7]
    assert lines[-6:] == [
        "train.preset", "    papers  (workspace)", f"    null  ({last})",
        "codebook.a", "    1  (workspace)", f"    -  ({last})",
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["calm-dock", "--", "$(touch pwned)", "\x1b[2J", ""])
def test_a_revision_that_is_none_is_one_sentence(said, name):
    code, lines = said("--", "main", name)
    assert code == 1
    (line,) = lines
    assert line.startswith("labelrisk compare: git knows no revision '")
    assert ("did you mean 'calm-duck'?" in line) == (name == "calm-dock")
    assert line.isprintable()


def test_outside_git_is_one_sentence(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert main(["compare"]) == 1
    said = capfd.readouterr().err
    assert "git can't tell what there is to compare (not a git repository" in said
    assert said.count("\n") == 1
