"""`labelrisk findings` without files: what the study decides, and what its explanations decide."""

import json
from pathlib import Path

import pytest

from labelrisk.cli import main

RECIPE = {"preset": "papers", "budget": "steps", "batch_size": 16, "learning_rate": 2e-5, "seeds": 5}
RECIPE |= {"steps": {"gold": 75.0}, "converged": {"gold": True}}


def claim(word, because, estimate=None):
    numbers = dict.fromkeys(("low", "high"), estimate)
    return {"finding": word, "estimate": estimate, **numbers, "because": because, "sources": []}


LACKING = claim("not decided here", "It needs several sizes.")
STUDY = {
    "recipe": RECIPE,
    "claims": {"llm": {"llm_worse": claim("holds", "It lies below.", -0.1), "plateau_early": LACKING}},
}
MORE = {
    "recipe": RECIPE,
    "claims": {
        "llm": {"plateau_early": claim("holds", "The curve flattens."), "repeats_errors": claim("holds", "By far.")},
        "gpt": {"repeats_errors": claim("does not hold", "Not at all.")},
    },
}


@pytest.fixture
def study(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for folder, content in (("metrics", STUDY), ("explanations", MORE)):
        Path(folder).mkdir()
        Path(folder, "findings.json").write_text(json.dumps(content))


def printed(capsys, *words):
    code = main(["findings", *words])
    found = capsys.readouterr()
    return code, found.out + found.err


def cells(text, name):
    return next(line for line in text.splitlines() if line.startswith(name)).split("  ")


def test_explanations_add_claims_and_have_the_last_word(study, capsys):
    code, text = printed(capsys)
    assert code == 0
    assert text.splitlines()[0].split() == ["claim", "llm", "gpt"]
    assert [word.strip() for word in cells(text, "plateau_early")[1:] if word] == ["holds", "-"]
    assert [word.strip() for word in cells(text, "repeats_errors")[1:] if word] == ["holds", "does not hold"]
    assert "holds -10.0" in text
    assert "plateau_early: The curve flattens." in text
    assert "several sizes" not in text
    marked = printed(capsys, "--markdown")[1]
    assert "| plateau_early | holds | - |" in marked


def test_named_files_are_read_as_they_are(study, capsys):
    text = printed(capsys, "metrics/findings.json")[1]
    assert "It needs several sizes." in text
    assert "repeats_errors" not in text
    assert "plateau_early: The curve flattens." in printed(capsys, "explanations/findings.json")[1]


def test_without_explanations_the_study_alone_is_shown(study, capsys):
    Path("explanations/findings.json").unlink()
    code, text = printed(capsys)
    assert (code, "It needs several sizes." in text) == (0, True)
    Path("metrics/findings.json").unlink()
    assert "metrics/findings.json is not there; run `labelrisk repro` first" in printed(capsys)[1]


@pytest.mark.parametrize(
    "content", ["{", "{}", '{"recipe": {}, "claims": [1]}', '{"recipe": {}, "claims": {"llm": 3}}']
)
def test_damaged_explanations_are_one_sentence(study, capsys, content):
    Path("explanations/findings.json").write_text(content)
    code, text = printed(capsys)
    assert code == 1
    assert text.count("\n") == 1
