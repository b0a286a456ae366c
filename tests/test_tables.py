"""Tables that users bring: what is read is what Python's own modules read, or one sentence says where it is odd."""

import csv
import datetime
import io
import json
import os
from decimal import Decimal

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labelrisk.corpora.tables import label_names, read_table
from labelrisk.errors import LabelRiskError

COLUMNS = ["text", "gold"]


def read(path, content, columns=COLUMNS):
    """The table of a file with this content."""
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_table(path, columns, "corpus.path")


def rows_of(table):
    """Rows of texts, None where nothing stands."""
    return [tuple(None if pd.isna(cell) else cell for cell in row) for row in table.frame.itertuples(index=False)]


def refusal(path, content, columns=COLUMNS):
    """The sentence with which a file is refused."""
    with pytest.raises(LabelRiskError) as caught:
        read(path, content, columns)
    said = str(caught.value)
    assert said.startswith(str(path))
    assert "\n" not in said
    assert len(said) < 600
    return said.removeprefix(str(path)).lstrip(", ")


# --- CSV


def test_cells_are_what_was_written(tmp_path):
    content = '\ufefftext,gold,more\r\n"a, ""b""\r\nc",NA,1\r\n\r\n   \r\n" d ",,"" \r\n'.replace('"" \r\n', "x\r\n")
    table = read(tmp_path / "a.csv", content)
    assert rows_of(table) == [('a, "b"\r\nc', "NA"), (" d ", None)]
    assert list(table.numbers) == [2, 6]
    assert table.where(1).endswith("a.csv, line 6")


def test_a_long_file_names_each_line(tmp_path):
    """More rows than are read at once, with line breaks in a text and blank lines among them."""
    lines = ["text,gold"] + [f"t{row},{row}" for row in range(1500)]
    lines[700], lines[1200] = '"two\nlines",x', ""
    table = read(tmp_path / "a.csv", "\n".join(lines))
    assert [number for number, row in zip(table.numbers, rows_of(table), strict=True) if row[0] in ("t0", "t698")] == [
        2,
        700,
    ]
    assert rows_of(table)[699] == ("two\nlines", "x")
    assert (table.numbers[699], table.numbers[700], table.numbers[-1]) == (701, 703, 1502)
    assert len(table.frame) == 1499


CSV = {
    "a field too many": (
        "text,gold\na,b,\nc,d,\n",
        "line 2: the row has 3 fields, but the header has 2: text, gold (2 su",
    ),
    "one odd row of many": (
        "text,gold\n" + "a,b\n" * 2000 + "c,d,e\n",
        "line 2002: the row has 3 fields, but the header has 2: text, gold (1 such row); put quotes around texts that",
    ),
    "a field too few": ("text,gold\na,b\nc\n", "line 3: the row has 1 fields, but the header has 2"),
    "which rows": ("text,gold\n" + "a\n" * 9, "(9 such rows, also line 3, line 4)"),
    "an open quote": ('text,gold\na,b\n"c,d\n', "can't be read as csv (a quote is not closed: line 3"),
    "text after a quote": ('text,gold\n"a"b,c\n', "can't be read as csv (',' expected after '\"'"),
    "a column twice": ("text,gold,text\na,b,c\n", "has 2 columns 'text', and corpus.path needs one; rename"),
    "semicolons": (
        "text;gold\na;b\n",
        "has no column 'text', which corpus.path needs; its fields seem to be separated by ';",
    ),
    "semicolons beside commas in texts": (
        "text;gold\na, b;c\n",
        "its fields seem to be separated by ';': save it as CSV",
    ),
    "no header": ("a,b\nc,d\n", "has no column 'text'"),
    "no rows": ("text,gold\n", "has no rows"),
    "blank lines": ("\n \n", "can't be read as csv (the file is empty)"),
    "a byte order mark": ("\ufeff", "can't be read as csv (the file is empty)"),
    "Windows-1252": (
        'text,gold\na,b\n"x\ny",b\nz,caf\u00e9\n'.encode("cp1252"),
        "is not UTF-8 (line 5, column 'gold'); save it as UTF-8, which spreadsheet programs call 'CSV UTF-8'",
    ),
    "UTF-16 without its mark": ("text,gold\na,b\n".encode("utf-16-le"), "is not UTF-8 (it is UTF-16, or no text)"),
    "columns without names": (",\na,b\n", "it has no column with a name; correct the file"),
    "UTF-16": ("text,gold\na,b\n".encode("utf-16"), "is not UTF-8 (it is UTF-16)"),
    "a header of many columns": (",".join(f"c{i}" for i in range(20000)) + "\n", "or one of 19985 more"),
}


@pytest.mark.parametrize("name", CSV)
def test_an_odd_csv_is_one_sentence(tmp_path, name):
    content, says = CSV[name]
    assert says in refusal(tmp_path / "a.csv", content)


def test_tabs_have_their_own_name(tmp_path):
    assert "texts that hold a tab" in refusal(tmp_path / "a.tsv", "text\tgold\na\tb\tc\n")


def test_a_text_longer_than_the_module_s_limit(tmp_path):
    assert rows_of(read(tmp_path / "a.csv", "text,gold\n" + "x" * 200_000 + ",b\n"))[0][0] == "x" * 200_000


def reference(content):
    """The rows that Python's csv module reads, one by one, each with its first line, without blank lines; or None."""
    rows, line = [], 1
    try:
        reader = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True)
        for row in reader:
            rows.append((line, row))
            line = reader.line_num + 1
    except (UnicodeDecodeError, csv.Error):
        return None
    return [(line, row) for line, row in rows if len(row) > 1 or (row and row[0].strip())]


PIECES = st.sampled_from(
    [b",", b"\n", b"\r\n", b"\r", b'"', b'""', b"a", b" ", b"NA", "\u00e9\u2028".encode(), b"\xe9", b"\0"]
)


@pytest.mark.fuzz
@given(head=st.sampled_from([b"text,gold\n", b"\xef\xbb\xbftext,gold\r\n", b""]), body=st.lists(PIECES, max_size=30))
def test_any_csv_is_what_the_csv_module_reads_or_a_sentence(tmp_path_factory, head, body):
    content = head + b"".join(body)
    path = tmp_path_factory.getbasetemp() / "fuzz.csv"
    path.write_bytes(content)
    rows = reference(content)
    try:
        table = read_table(path, COLUMNS, "corpus.path")
    except LabelRiskError:
        if "\0" in content.decode(errors="replace"):
            return
        header = rows[0][1] if rows else []
        good = len(rows or ()) > 1 and header.count("text") == header.count("gold") == 1
        assert not (good and all(len(row) == len(header) for _, row in rows))
        return
    wanted = [rows[0][1].index(column) for column in COLUMNS]
    assert rows_of(table) == [tuple(row[place] or None for place in wanted) for _, row in rows[1:]]
    assert list(table.numbers) == [line for line, _ in rows[1:]]


# --- JSONL


def line(**values):
    return json.dumps(values)


def test_json_lines_are_what_was_written(tmp_path):
    content = "\ufeff" + "\n".join(
        [line(text="a\u2028b", gold=2**53 + 1), "", line(text="c", gold=None), line(text="d"), line(text="e", gold=1.0)]
    )
    table = read(tmp_path / "a.jsonl", content.replace("\\u2028", "\u2028"))
    assert list(table.frame["text"]) == ["a\u2028b", "c", "d", "e"]
    assert list(label_names(table.frame["gold"])) == ["9007199254740993", None, None, "1"]
    assert list(table.numbers) == [1, 3, 4, 5]


JSONL = {
    "half of a character": (
        '{"text": "a", "gold": "b"}\n{"text": "\\ud83d", "gold": "b"}\n',
        "line 2: the column 'text' holds half of a character, \\ud83d; write the whole character",
    ),
    "half of a character in a label beside a number": (
        '{"text": "a", "gold": 1}\n{"text": "b", "gold": "\\udc00"}\n',
        "line 2: the column 'gold' holds half of a character",
    ),
    "a key twice": (
        '{"text": "a", "gold": "b", "text": "c"}\n',
        "line 1, can't be read as jsonl (the key 'text' stands tw",
    ),
    "a list": ('{"text": "a", "gold": ["b"]}\n', "line 1: the column 'gold' holds a list; write a text or a number"),
    "an object": ('{"text": {"a": 1}, "gold": "b"}\n', "line 1: the column 'text' holds an object"),
    "no object": ('{"text": "a", "gold": "b"}\n[1]\n', "line 2, can't be read as jsonl (a value that is no object)"),
    "one list of all": ('[{"text": "a", "gold": "b"}]', "line 1, can't be read as jsonl (a value that is no object)"),
    "no JSON": ('{"text": "a"\n', "line 1, can't be read as jsonl (Expecting"),
    "two objects": (
        '{"text": "a", "gold": "b"}{"text": "c"}\n',
        "line 1, can't be read as jsonl (Extra data, column 27)",
    ),
    "deep": ('{"text": "a", "gold": ' + "[" * 100_000 + "]" * 100_000 + "}", "(nested too deeply)"),
    "a huge number": ('{"text": "a", "gold": ' + "9" * 5000 + "}", "line 1, can't be read as jsonl (Exceeds the limit"),
    "no column": ('{"text": "a", "glod": "b"}', "has no column 'gold', which corpus.path needs; did you mean 'glod'?"),
    "empty": ("", "can't be read as jsonl (the file is empty)"),
    "a number beyond floats": (
        '{"text": "a", "gold": 9007199254740993.0}',
        "line 1: the column 'gold' holds the number 9007199254740992, which may have lost digits",
    ),
    "blank": ("\n\n", "has no column 'text', which corpus.path needs; it has no column with a name"),
    "no UTF-8": (b'{"text": "a", "gold": "b"}\n{"text": "\xe9"}', "line 2, is not UTF-8; save the file as UTF-8"),
}


@pytest.mark.parametrize("name", JSONL)
def test_odd_json_lines_are_one_sentence(tmp_path, name):
    content, says = JSONL[name]
    assert says in refusal(tmp_path / "a.jsonl", content)


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just("\ud83d")
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2), max_leaves=3
)


@pytest.mark.fuzz
@given(
    rows=st.lists(st.dictionaries(st.sampled_from(["text", "gold", "more"]), VALUES), min_size=1, max_size=5),
    data=st.data(),
)
def test_any_json_lines_are_read_as_written_or_a_sentence(tmp_path_factory, rows, data):
    content = "\n".join(map(json.dumps, rows)).encode()
    if data.draw(st.booleans()):
        place = data.draw(st.integers(0, len(content) - 1))
        content = content[:place] + data.draw(st.binary(max_size=3)) + content[place + 1 :]
    path = tmp_path_factory.getbasetemp() / "fuzz.jsonl"
    path.write_bytes(content)
    try:
        table = read_table(path, COLUMNS, "corpus.path")
    except LabelRiskError:
        return
    written = [json.loads(one) for one in content.decode("utf-8-sig").split("\n") if one.strip()]
    for column in COLUMNS:
        found = [None if value is None or value != value else value for value in table.frame[column]]
        asked = [row.get(column) for row in written]
        assert found == [None if value is None or value != value else value for value in asked]
        assert [type(value) for value in found if value is not None] == [
            type(value) for value in asked if value is not None and value == value
        ]


# --- Parquet


@pytest.mark.parametrize(
    ("values", "names"),
    [
        (pa.array([2**53 + 1, None]), ["9007199254740993", None]),
        (pa.array(["a", None]).dictionary_encode(), ["a", None]),
        (pa.array(["a", None], pa.large_string()), ["a", None]),
        (pa.array(["a", None], pa.string_view()), ["a", None]),
        (pa.array([Decimal("1.00"), Decimal("1.50")]), ["1", "1.50"]),
        (pa.array([1.0, None]), ["1", None]),
        (pa.array([True, None]), ["True", None]),
        (pa.nulls(2), [None, None]),
    ],
    ids=lambda value: str(getattr(value, "type", "")),
)
def test_labels_of_any_type_keep_what_they_say(tmp_path, values, names):
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"text": ["a", "b"], "gold": values}), path)
    assert list(label_names(read_table(path, COLUMNS, "corpus.path").frame["gold"])) == names


PARQUET = {
    "lists": (pa.array([["a"], ["b"]]), "row 1: the column 'gold' holds a list; write a text or a number"),
    "structs": (pa.array([{"a": 1}, None]), "row 1: the column 'gold' holds an object"),
    "a number that may have lost digits": (
        pa.array([None, 2.0**53]),
        "row 2: the column 'gold' holds the number 9007199254740992, which may have lost digits when",
    ),
    "bytes": (pa.array([None, b"a"]), "row 2: the column 'gold' holds bytes"),
    "times": (pa.array([datetime.datetime(2020, 1, 1)] * 2), "row 1: the column 'gold' holds a datetime"),
    "letters that are none": (
        pa.Array.from_buffers(pa.string(), 2, [*pa.array(["\u00e9", "b"]).buffers()[:2], pa.py_buffer(b"\xe9\xe9b")]),
        "Invalid UTF8 sequence at string index 0); write the file again",
    ),
}


@pytest.mark.parametrize("name", PARQUET)
def test_a_parquet_of_odd_values_is_one_sentence(tmp_path, name):
    values, says = PARQUET[name]
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"text": ["a", "b"], "gold": values}), path)
    assert says in refusal(path, path.read_bytes())


def test_a_damaged_parquet_is_one_sentence(tmp_path):
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table([["a"], ["b"], ["c"]], names=["text", "gold", "text"]), path)
    whole = path.read_bytes()
    assert "has 2 columns 'text'" in refusal(path, whole)
    for content in (whole[:-20], whole[:4] + b"E" + whole[5:-4] + b"PARE", b"", b"text,gold\n"):
        assert "can't be read as parquet" in refusal(path, content)


# --- whatever a path can name


def test_what_is_no_file_is_one_sentence(tmp_path):
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "circle.csv").symlink_to(tmp_path / "circle.csv")
    (tmp_path / "a.csv").write_text("text,gold\na,b\n")
    says = {
        "pipe.csv": "is a pipe or a device, not a file; correct corpus.path in params.yaml",
        "folder.csv": "is a folder, not a file",
        "circle.csv": "can't be opened (Too many levels of symbolic links)",
        "absent.csv": "is not there; correct corpus.path",
        "a.csv/b.csv": "is not there",
        "a\0b.csv": "a\\x00b.csv can't be opened (embedded null byte)",
        "x" * 300 + ".csv": "can't be opened (File name too long)",
        "a.txt": "is not there",
    }
    for name, expected in says.items():
        with pytest.raises(LabelRiskError) as caught:
            read_table(tmp_path / name, COLUMNS, "corpus.path")
        assert expected in str(caught.value)
    with pytest.raises(LabelRiskError, match="/dev/null is a pipe or a device"):
        read_table(type(tmp_path)("/dev/null"), COLUMNS, "corpus.path")


def test_labels_are_spelled_as_in_the_codebook():
    given_names = pd.Series(["cafe\u0301", " caf\u00e9 ", "other", "", None])
    assert list(label_names(given_names, ["caf\u00e9"])) == ["caf\u00e9", "caf\u00e9", "other", None, None]
    assert list(label_names(given_names, ["cafe\u0301"]))[:2] == ["cafe\u0301", "cafe\u0301"]
