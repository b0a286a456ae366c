"""`labelrisk why`: the folder of explanations as text, whatever stands in it."""

import csv
import json
from pathlib import Path

import pandas as pd
import pytest

from labelrisk.cli import main
from labelrisk.comparison.outputs import write_outputs

LONG = "On the 1,000 gold test rows students of llm lose 3.2 points (1.0 to 5.4) of macro-F1, which is a long sentence."


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = Path("explanations")
    table = pd.DataFrame(
        {"name": ["gold", "llm"], "rows": [12000, 7], "share": [0.5, 1 / 3], "share_low": [0.4, None]}
        | {"share_high": [0.6, None], "estimate": [-1.0, 2.0], "low": [-2.0, 1.0], "high": [0.0, 3.0]}
        | {"steps": [1234.5, 0.25], "decision": ["worse", "not decided"]}
    )
    write_outputs(
        {
            found / "curves.json": {"says": [LONG, "So."], "metrics": 1},
            found / "curves.csv": table,
            found / "curves_sizes.csv": table,
            found / "curves.png": lambda path: path.write_bytes(b"x"),
            found / "curves_of_classes.json": {"says": ["Of classes."]},
            found / "curves_of_classes.png": lambda path: path.write_bytes(b"x"),
            found / "flips.json": {"says": ["Rows flip."]},
            found / "findings.json": {"recipe": {}, "claims": {}},
        }
    )
    return found


@pytest.fixture
def limit_of_a_field():
    """That of a new process: reading a corpus lifts it for all of one."""
    before = csv.field_size_limit(131_072)
    yield
    csv.field_size_limit(before)


def why(capsys, *words):
    code = main(["why", *words])
    printed = capsys.readouterr()
    return code, printed.out + printed.err


def test_all_explanations_with_their_sentences(folder, capsys):
    code, text = why(capsys)
    assert code == 0
    assert text.isascii()
    assert max(map(len, text.splitlines())) <= 80
    titles = [line for line, below in zip(text.splitlines(), text.splitlines()[1:], strict=False)
              if below and set(below) == {"-"}]  # fmt: skip
    assert titles == ["curves", "curves_of_classes", "flips"]
    assert f"- {LONG}" in " ".join(text.split())
    assert "- So." in text.splitlines()
    assert "png" not in text


def test_one_of_them_in_full(folder, capsys):
    code, text = why(capsys, "curves")
    lines = text.splitlines()
    assert code == 0
    assert max(map(len, lines)) <= 80
    assert "Rows flip" not in text
    header, rule, gold, llm = lines[(at := next(i for i, line in enumerate(lines) if line.startswith("name"))) : at + 4]
    assert header.split() == ["name", "rows", "share", "estimate", "steps", "decision"]
    assert set(rule) == {"-"}
    assert " ".join(gold.split()) == "gold 12000 0.500 [0.400, 0.600] -1.000 [-2.000, 0.000] 1,234 worse"
    assert llm.split()[:4] == ["llm", "7", "0.333", "2.000"]  # without bounds where there are none
    assert "From explanations/curves.csv." in text
    assert "Tables: explanations/curves_sizes.csv" in text
    assert "Pictures: explanations/curves.png\n" in text


def test_what_of_a_table_does_not_fit_is_named(folder, capsys):
    wide = pd.DataFrame({"a": range(45)} | {f"a_column_of_numbers_{place}": [place] * 45 for place in range(5)})
    write_outputs({folder / "flips.csv": wide})
    text = why(capsys, "flips")[1]
    assert max(map(len, text.splitlines())) <= 80
    assert text.count("\n29 ") == 1
    assert "\n30 " not in text
    said = " ".join(text.split())
    assert "also holds 15 of 45 rows and the columns a_column_of_numbers_3, a_column_of_numbers_4." in said
    write_outputs({folder / "flips.csv": wide[:0]})
    assert "From explanations/flips.csv." in why(capsys, "flips")[1]


def test_no_line_ends_between_a_number_and_its_percent_sign(folder, capsys):
    for start in range(60, 80):
        write_outputs({folder / "flips.json": {"says": [f"{'x' * start} 41.7 % of new rows."]}})
        lines = why(capsys, "flips")[1].splitlines()
        assert any("41.7 %" in line for line in lines)
        assert all(line.isascii() and len(line) <= 80 for line in lines)


def test_markdown(folder, capsys):
    text = why(capsys, "curves", "--markdown")[1]
    assert text.startswith("### curves\n\n- On the")
    assert "| gold | 12000 | 0.500 [0.400, 0.600] | -1.000 [-2.000, 0.000] | 1,234 | worse |" in text
    assert "Pictures: explanations/curves.png" in text
    assert [line for line in why(capsys, "--markdown")[1].splitlines() if line.startswith("#")] == [
        "### curves", "### curves_of_classes", "### flips"
    ]  # fmt: skip


def test_texts_of_others_are_printable_and_no_markdown(folder, capsys):
    wild = "A class \x1b[31m | <b> \u202e [x](y) @all Ω says so."
    table = pd.DataFrame({"class": ["<b>\x1b[31m", "é" * 99]})
    write_outputs({folder / "flips.json": {"says": [wild]}, folder / "flips.csv": table})
    plain = why(capsys, "flips")[1]
    assert plain.isascii()
    assert "\x1b" not in plain
    assert "<b>" in plain  # as it was, before it was written for a page
    assert max(map(len, plain.splitlines())) <= 80
    marked = why(capsys, "flips", "--markdown")[1]
    assert "\x1b" not in marked
    assert "<b>" not in marked
    assert "](y)" not in marked.replace("]\\(y)", "")
    assert "@all" not in marked


def test_an_unknown_name_and_an_absent_folder_are_one_sentence(folder, capsys):
    assert why(capsys, "flps") == (1, "labelrisk why: there is no explanation 'flps'; did you mean 'flips'?\n")
    assert why(capsys, "findings")[0] == 1
    assert why(capsys, "--folder", "none") == (1, "labelrisk why: none is not there; run `labelrisk repro` first\n")
    Path("file.yaml").write_text("a: 1")
    assert why(capsys, "--folder", "file.yaml") == (
        1, "labelrisk why: file.yaml is no folder; name that of the explanations by --folder\n"
    )  # fmt: skip
    Path("empty").mkdir()
    assert why(capsys, "--folder", "empty") == (
        1, "labelrisk why: empty holds no explanations; run `labelrisk repro` first\n"
    )  # fmt: skip


@pytest.mark.parametrize("content", ["{", "[]", '{"says": 3}', '{"says": null}'])
def test_a_damaged_file_is_one_sentence(folder, capsys, content):
    (folder / "curves.json").write_text(content)
    code, text = why(capsys, "curves")
    assert code == 1
    assert text.count("\n") == 1
    assert "Traceback" not in text


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"\xff\xfe", "explanations does not hold what this version shows (UnicodeDecodeError"),
        (b"a\n" + b"x" * 200_000, "explanations/curves.csv is no table (field larger than field limit"),
        (b"a\n1,2\n", "explanations does not hold what this version shows (TypeError"),
    ],
)
def test_a_damaged_table_is_one_sentence(folder, capsys, content, says, limit_of_a_field):
    (folder / "curves.csv").write_bytes(content)
    code, text = why(capsys, "curves")
    assert code == 1
    assert text.startswith(f"labelrisk why: {says}")
    assert text.count("\n") == 1


def test_a_table_that_lacks_a_field_is_shown(folder, capsys):
    (folder / "curves.csv").write_bytes(b"a,b\n1\n")
    code, text = why(capsys, "curves")
    assert code == 0
    assert "a  b\n----\n1  -\n" in text


def test_explanations_of_other_params_are_said_to_be_out_of_date(folder, capsys):
    Path("params.yaml").write_text("explain: {a: 2}\n")
    Path("dvc.yaml").write_text("stages: {explain: {cmd: x, params: [explain]}}\n")
    Path("dvc.lock").write_text("stages: {explain: {params: {params.yaml: {explain: {a: 1}}}}}\n")
    stale = "Out of date: explain (changed: explain); `labelrisk repro` makes these numbers anew."
    assert " ".join(why(capsys, "flips")[1].split()).startswith(stale)
    assert why(capsys, "flips", "--markdown")[1].startswith(f"**{stale}**\n\n### flips")
    Path("other").mkdir()
    Path("other/flips.json").write_text(json.dumps({"says": ["So."]}))
    assert "Out of date" not in why(capsys, "--folder", "other")[1]


def test_of_many_sentences_the_first_are_shown_until_one_explanation_is_asked_for(folder, capsys):
    many = [f"Sentence number {place} of many." for place in range(9)]
    (folder / "flips.json").write_text(json.dumps({"says": many}))
    for words, shown in (([], 4), (["--markdown"], 4), (["flips"], 9)):
        _, text = why(capsys, *words)
        assert [sentence for sentence in many if f"- {sentence}" in text] == many[:shown]
        assert ("(5 more: labelrisk why flips)" in text) == (shown < 9)
    (folder / "flips.json").write_text(json.dumps({"says": many[:5]}))
    assert many[4] in why(capsys)[1]
