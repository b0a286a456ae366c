import pytest

from labelrisk.comparison.table import comparison_markdown, comparison_table

LONG = "a_source_with_a_very_long_name_indeed_0"


def source(**changes):
    return {
        "accuracy": 0.6605, "accuracy_sd": 0.0314, "macro_f1": 0.6662, "macro_f1_sd": 0.0369,
        "alpha": 0.7504, "p_uc": 0.7014, "difference": -0.2961, "difference_low": -0.34, "difference_high": -0.2512,
        "verdict": "risky", "rows": 950, "gold_labels": 237,
    } | changes  # fmt: skip


SOURCES = {
    "gold": source(difference=0.0, difference_low=0.0, difference_high=0.0, verdict="reference", gold_labels=1000),
    "llm": source(),
    LONG: source(accuracy=1.0, macro_f1=1.0, macro_f1_sd=0.1234, accuracy_sd=0.1234, rows=1_000_000, verdict="unclear"),
    "one_seed": source(accuracy_sd=None, macro_f1_sd=None, alpha=None, p_uc=None, difference=-1e-5, verdict="safe"),
}
ANNOTATORS = {
    "llm": {"coverage": 1.0, "accuracy": 0.7, "macro_f1": 0.6}
    | {"test_coverage": 0.987, "test_accuracy": 0.7123, "test_macro_f1": 0.6512},
    "train_only": {"coverage": 1.0, "accuracy": 0.7, "macro_f1": 0.6}
    | {"test_coverage": 0.0, "test_accuracy": None, "test_macro_f1": None},
}
ENSEMBLES = {name: {"soft": {"macro_f1": 0.7012}, "hard": {"macro_f1": 0.69}} for name in ("llm", "one_seed", "across")}
BASELINES = {"words": {"gold_labels": 400, "test_accuracy": 0.5, "test_macro_f1": 0.4321}}


def cells(text, name):
    """The cells of all lines that begin with a name."""
    return [line.split()[1:] for line in text.splitlines() if line.split()[:1] == [name]]


def test_numbers_are_percentages_in_their_columns():
    text = comparison_table(SOURCES, ANNOTATORS, ENSEMBLES, BASELINES)
    stability, risk, annotator = cells(text, "llm")
    assert stability == ["66.62", "(3.69)", "66.05", "(3.14)", "75.0", "70.1", "70.12"]
    assert risk == ["950", "237", "-29.6", "[-34.0,", "-25.1]", "risky"]
    assert annotator == ["98.7", "71.23", "65.12"]
    assert cells(text, "gold")[1] == ["950", "1000", "-", "reference"]
    assert cells(text, "across")[0][-1] == "70.12"


def test_what_is_not_known_is_a_dash_and_no_zero_is_negative():
    text = comparison_table(SOURCES, ANNOTATORS, ENSEMBLES, BASELINES)
    assert cells(text, "one_seed")[0] == ["66.62", "66.05", "-", "-", "70.12"]
    assert cells(text, "one_seed")[1][2] == "+0.0"
    assert cells(text, "train_only") == [["0.0", "-", "-"]]
    assert cells(text, "gold")[0][-1] == "-"


@pytest.mark.parametrize("width", [80, 72])
def test_fits_the_width_in_ascii(width):
    text = comparison_table(SOURCES | {"ünïcode": source()}, ANNOTATORS, ENSEMBLES, BASELINES, width)
    assert text.isascii()
    assert max(map(len, text.splitlines())) <= width
    assert "a_source_wi" in text
    assert "indeed_0" in text


def test_names_of_24_letters_are_whole():
    name = "embedded_gold_entropy_25"
    assert len(cells(comparison_table({name: source()}, {}, {}, {}), name)) == 2


def test_sources_alone_are_enough():
    text = comparison_table(SOURCES, {}, {}, {})
    assert "annotators" not in text
    assert "margin" in text  # the legend


def test_markdown_has_the_same_numbers_and_whole_names():
    text = comparison_markdown(SOURCES, ANNOTATORS, ENSEMBLES, BASELINES)
    assert "| llm | 66.62 (3.69) | 66.05 (3.14) | 75.0 | 70.1 | 70.12 |" in text
    assert "| llm | 950 | 237 | -29.6 [-34.0, -25.1] | risky |" in text
    assert f"| {LONG} |" in text
    assert text.count("| --- |") == 4
