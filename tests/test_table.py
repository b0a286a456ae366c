import json
from pathlib import Path

import pytest

from labelrisk.cli import main
from labelrisk.comparison.table import comparison_markdown, comparison_table

LONG = "a_source_with_a_very_long_name_indeed_0"


def source(**changes):
    return {
        "accuracy": 0.6605, "accuracy_sd": 0.0314, "macro_f1": 0.6662, "macro_f1_sd": 0.0369,
        "alpha": 0.7504, "p_uc": 0.7014, "rows": 950, "gold_labels": 237,
    } | changes  # fmt: skip


def judged(**changes):
    return {
        "verdict": "risky",
        "because": "loses 25.1 to 34.0 points of macro-F1, more than the 2 accepted; failed: seed 3, 4",
        "difference": -0.2961, "low": -0.34, "high": -0.2512, "alpha_difference": 0.0104,
        "weakest_class": "machine_learning", "weakest_recall": 0.371, "gold_labels": 237, "cost": 0.0,
    } | changes  # fmt: skip


SOURCES = {
    "gold": source(gold_labels=1000),
    "llm": source(),
    LONG: source(accuracy=1.0, macro_f1=1.0, macro_f1_sd=0.1234, accuracy_sd=0.1234, rows=1_000_000),
    "one_seed": source(accuracy_sd=None, macro_f1_sd=None, alpha=None, p_uc=None),
}
REFERENCE = {"verdict": "reference", "because": "what the others are held against", "difference": None}
VERDICT = {
    "number_of_seeds": 5,
    "margin": 0.02,
    "confidence": 0.95,
    "sources": {
        "gold": judged(**REFERENCE, low=None, high=None, alpha_difference=None, gold_labels=1000),
        "llm": judged(),
        LONG: judged(gold_labels=1_000_000),
        "one_seed": judged(difference=-1e-5, alpha_difference=None, verdict="safe", because="loses less than 2 points"),
    },
    "next_step": {"do": "raise train.steps to 320", "because": "gold is not trained enough", "training_steps": 9600},
}
ANNOTATORS = {
    "llm": {"coverage": 1.0, "accuracy": 0.7, "macro_f1": 0.6}
    | {"test_coverage": 0.987, "test_accuracy": 0.7123, "test_macro_f1": 0.6512},
    "train_only": {"coverage": 1.0, "accuracy": 0.7, "macro_f1": 0.6}
    | {"test_coverage": 0.0, "test_accuracy": None, "test_macro_f1": None},
}
ENSEMBLES = {name: {"soft": {"macro_f1": 0.7012}, "hard": {"macro_f1": 0.69}} for name in ("llm", "one_seed", "across")}
BASELINES = {"words": {"gold_labels": 400, "test_accuracy": 0.5, "test_macro_f1": 0.4321}}
ALL = {
    "verdict": VERDICT, "sources": SOURCES, "annotators": ANNOTATORS, "ensembles": ENSEMBLES, "baselines": BASELINES,
}  # fmt: skip


def cells(text, name):
    """The cells of all lines that begin with a name."""
    return [line.split()[1:] for line in text.splitlines() if line.split()[:1] == [name]]


def test_numbers_are_percentages_in_their_columns():
    text = comparison_table(ALL)
    verdict, students, annotator = cells(text, "llm")
    assert verdict == ["-29.6", "[-34.0,", "-25.1]", "+1.0", "machi..rning", ".37", "237"]
    assert students == ["950", "66.62", "(3.69)", "66.05", "(3.14)", "75.0", "70.1", "70.12"]
    assert annotator == ["98.70", "71.23", "65.12"]
    assert cells(text, "gold")[0] == ["-", "-", "machi..rning", ".37", "1000"]
    assert cells(text, "across")[0][-1] == "70.12"
    assert cells(text, "words") == [["400", "50.00", "43.21"]]


def test_the_verdict_stands_below_its_numbers_and_the_next_step_below_all():
    lines = comparison_table(ALL).splitlines()
    at = next(place for place, line in enumerate(lines) if line.startswith("llm"))
    assert lines[at + 1].startswith("    risky: loses 25.1 to 34.0 points")
    assert " ".join(lines[at + 1 : at + 3]).endswith("failed: seed 3, 4")
    assert "Next step: raise train.steps to 320. Why: gold is not trained enough. Price:" in " ".join(lines)
    assert "9,600 training steps in all." in " ".join(lines)


def test_no_step_is_said():
    text = comparison_table(ALL | {"verdict": VERDICT | {"next_step": None}})
    assert "Next step: none follows from these numbers." in text


def test_money_has_a_column_where_any_was_spent():
    assert "cost" not in comparison_table(ALL).splitlines()[0]
    paid = VERDICT["sources"] | {"llm": judged(cost=1.5), "one_seed": judged(cost=None)}
    text = comparison_table(ALL | {"verdict": VERDICT | {"sources": paid}})
    assert text.splitlines()[0].endswith("gold  cost")
    assert cells(text, "llm")[0][-1] == "1.50"
    assert cells(text, "one_seed")[0][-1] == "-"


def test_what_is_not_known_is_a_dash_and_no_zero_is_negative():
    text = comparison_table(ALL)
    assert cells(text, "one_seed")[1] == ["950", "66.62", "66.05", "-", "-", "70.12"]
    assert cells(text, "one_seed")[0][0] == "+0.0"
    assert cells(text, "train_only") == [["0.00", "-", "-"]]
    assert cells(text, "gold")[1][-1] == "-"


@pytest.mark.parametrize("width", [80, 76])
def test_fits_the_width_in_ascii(width):
    strange = {"ünïcode": judged(because="loses clàss")}
    verdict = VERDICT | {"sources": VERDICT["sources"] | strange}
    text = comparison_table(ALL | {"verdict": verdict, "sources": SOURCES | {"ünïcode": source()}}, width)
    assert text.isascii()
    assert max(map(len, text.splitlines())) <= width
    assert "a_source" in text
    assert "indeed_0" in text


def test_names_of_22_letters_are_whole():
    name = "embedded_gold_entropy2"
    text = comparison_table({"verdict": VERDICT | {"sources": {name: judged()}}, "sources": {name: source()}})
    assert len(cells(text, name)) == 2


def test_sources_alone_are_enough():
    text = comparison_table({"verdict": VERDICT, "sources": SOURCES})
    assert "annotators" not in text
    assert "gold labels spent" in " ".join(text.split())  # the legend


def test_markdown_has_the_same_numbers_and_whole_names():
    text = comparison_markdown(ALL)
    assert "| llm | 950 | 66.62 (3.69) | 66.05 (3.14) | 75.0 | 70.1 | 70.12 |" in text
    assert "| llm | -29.6 [-34.0, -25.1] | +1.0 | machi..rning .37 | 237 | **risky**: loses 25.1 to 34.0 points" in text
    assert f"| {LONG} |" in text
    assert text.count("| --- |") == 4
    assert "Next step: raise train.steps to 320." in text


def test_few_seeds_say_nothing_about_stability_and_that_is_said():
    assert "nothing is said about stability" not in comparison_table(ALL)
    text = comparison_table(ALL | {"verdict": VERDICT | {"number_of_seeds": 2}})
    assert "Fewer than three seeds: nothing is said about stability" in " ".join(text.split())


def test_the_legend_names_seeds_level_and_margin():
    text = " ".join(comparison_table(ALL | {"verdict": VERDICT | {"margin": 0.015, "confidence": 0.9}}).split())
    assert "(sd) over 5 seeds, [90 %] over test rows and seeds; accepted loss (margin): 1.5;" in text
    assert "F1 [90 %]" in text
    assert "over 1 seed, [95 %]" in comparison_markdown(ALL | {"verdict": VERDICT | {"number_of_seeds": 1}})


def test_a_class_with_a_bar_breaks_no_markdown():
    barred = VERDICT["sources"] | {"llm": judged(weakest_class="west | ost")}
    text = comparison_markdown(ALL | {"verdict": VERDICT | {"sources": barred}})
    (line,) = [line for line in text.splitlines() if "ost" in line]
    assert r"west \| ost" in line


def test_numbers_of_other_params_are_said_to_be_out_of_date(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("metrics").mkdir()
    for name, content in (ALL | {"verdict": VERDICT | {"next_step": None}}).items():
        Path(f"metrics/{name}.json").write_text(json.dumps(content))
    Path("params.yaml").write_text("evaluate: {margin: 0.02}\n")
    Path("dvc.yaml").write_text("stages: {evaluate: {cmd: x, params: [evaluate]}, ensemble: {cmd: y, deps: [runs]}}\n")
    Path("dvc.lock").write_text(
        "stages:\n"
        "  evaluate: {params: {params.yaml: {evaluate: {margin: 0.02}}}, outs: [{path: runs, md5: a}]}\n"
        "  ensemble: {deps: [{path: runs, md5: a}]}\n"
    )
    assert main(["table"]) == 0
    assert capsys.readouterr().out.startswith("against the reference")
    Path("params.yaml").write_text("evaluate: {margin: 0.03}\n")
    stale = "Out of date: evaluate, ensemble (changed: evaluate); `labelrisk repro` makes these numbers anew."
    assert main(["table"]) == 0
    first, _, rest = capsys.readouterr().out.partition("\n\n")
    assert first.replace("\n", " ") == stale
    assert rest.startswith("against the reference")
    assert main(["table", "--markdown"]) == 0
    assert capsys.readouterr().out.startswith("**Out of date: evaluate, ensemble (changed: evaluate); ")
