"""A slice value, a class or a row's id that a spreadsheet program would take for a formula stands as text in tables."""

import csv

import numpy as np
import pandas as pd
import pytest
from small_study import run_explain, settings, write_study

from labelrisk.commands._explanations import read_table
from labelrisk.comparison.outputs import write_outputs
from labelrisk.comparison.slices_table import read_slices
from labelrisk.corpora.spreadsheets import safe_text, text_before

HOSTILE = "=cmd|' /C calc'!A0"


def cells(path):
    with path.open(encoding="utf-8", newline="") as file:
        return [cell for row in csv.reader(file) for cell in row]


def is_number(cell):
    try:
        float(cell)
    except ValueError:
        return False
    return True


def test_a_slice_of_formulas_is_text_in_all_tables_and_itself_where_it_is_read(tmp_path):
    paths = write_study(tmp_path)
    ids = pd.read_parquet(paths["prepared"] / "test.parquet")["id"]
    values = np.repeat([HOSTILE, "@SUM(A1)", "plain; -1"], 20)
    pd.DataFrame({"id": ids, "slice =by": values}).to_parquet(paths["prepared"] / "slices.parquet")
    content = settings(
        evaluate={"reference": "perfect", "margin": 0.02, "confidence": 0.95, "slice_rows": 10},
    )
    folder = run_explain(paths, content)
    tables = [*paths["plots"].glob("*.csv"), *folder.glob("*.csv")]
    every = {table.name: cells(table) for table in tables}
    assert not [cell for of in every.values() for cell in of if cell[:1] in tuple("=+-@") and not is_number(cell)]
    with_slices = [name for name, of in every.items() if f"'{HOSTILE}" in of]
    assert {"slices.csv", "certificates_slices.csv"} <= set(with_slices)
    found = read_slices((paths["plots"] / "slices.csv").read_text(encoding="utf-8"))
    assert {(row["column"], row["slice"]) for row in found} == {("=by", value) for value in values}
    shown = {cell for row in read_table(folder / "certificates_slices.csv")[1] for cell in row}
    assert HOSTILE in shown
    assert f"'{HOSTILE}" not in shown


def test_harmless_texts_and_numbers_are_written_as_they_were(tmp_path):
    table = pd.DataFrame(
        {"class": ["Public Lands", "\u00e9t\u00e9, rain", 'say "a-b"', None, "'quoted'"], "count": [1, -2, 3, 4, 5]}
        | {"share": [0.123456, -0.5, np.nan, 1.0, -1e-9], "seed": pd.array([0, 1, None, 2, 3], dtype="Int64")}
        | {"surely": [True, False, True, True, False], "mixed": ["a = b", 1.5, -2, None, "(none)"]}
    )
    write_outputs({tmp_path / "a.csv": table})
    assert (tmp_path / "a.csv").read_bytes() == table.round(4).to_csv(index=False, lineterminator="\n").encode()
    write_outputs({tmp_path / "none.csv": table[:0]})
    assert (tmp_path / "none.csv").read_text() == "class,count,share,seed,surely,mixed\n"


@pytest.mark.parametrize(
    "text",
    [HOSTILE, "=1", "+1", "-", "@a", " =1", "a;=1", "a; -b", "\t=1", "\tx", "a\n@b", "\uff1d1", "a - b", "it's", "'a'"],
)
def test_a_text_that_was_made_safe_reads_as_before(text):
    assert text_before(safe_text(text)) == text
