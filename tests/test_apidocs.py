import importlib.util

import pandas as pd
import pytest

from labelrisk.corpora.apidocs import subject_areas as areas
from labelrisk.corpora.apidocs.corpus import AREA_ROWS, apidocs_rows, kept, unusable
from labelrisk.corpora.apidocs.docstrings import Place, Summary, sentence, summaries
from labelrisk.corpora.apidocs.near_duplicates import SAME_START, near_duplicates, normalised
from labelrisk.errors import LabelRiskError

MODULE = '''
"""The module itself is not an object."""
from torch import add_docstr, _C

def opened(path):
    """Open a file, e.g. for reading. It must exist."""
    def inner():
        """Not public."""

def _private():
    """Not public either."""

class Archive:
    """Archive of :class:`~files.File` objects
    in ``one`` file.
    """

    def extract(self):
        """Extract `all` members of the archive."""

    def _seek(self):
        """Not public."""

norm = add_docstr(_C.norm, r"""
norm(A, ord=None) -> Tensor

Computes the norm of a matrix.
""" + r"""{more}""".format(more=1))
'''


@pytest.fixture(scope="module")
def corpus():
    return apidocs_rows()


@pytest.fixture
def tree(tmp_path):
    for name in ("a.py", "b/_c.py", "_vendored/d.py", "tests/e.py", "b/test_f.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(f'def {name[-4]}():\n    """Sentence of {name}."""\n')
    (tmp_path / "b" / "module.py").write_text(MODULE)
    return tmp_path


def test_summaries_stand_in_order_of_place_file_and_line(tree):
    found = summaries([Place("first", tree, ("b/m*.py",)), Place("second", tree, ("**/*.py",))])
    assert found == [
        Summary("first", "Open a file, e.g. for reading."),
        Summary("first", "Archive of File objects in one file."),
        Summary("first", "Extract all members of the archive."),
        Summary("first", "Computes the norm of a matrix."),
        Summary("second", "Sentence of a.py."),
        Summary("second", "Sentence of b/_c.py."),
    ]


def test_methods_and_private_folders_are_read_where_asked(tree):
    found = summaries([Place("a", tree, ("b/m*.py",), methods=False), Place("b", tree, ("_vendored/*.py",))])
    assert [item.text for item in found] == [
        "Open a file, e.g. for reading.",
        "Archive of File objects in one file.",
        "Computes the norm of a matrix.",
        "Sentence of _vendored/d.py.",
    ]


@pytest.mark.parametrize(
    ("docstring", "expected"),
    [
        ("func(a, b)\n\nReturn the sum.", "Return the sum."),
        ("func(a, b) -> int\nReturn the sum. Really.", "Return the sum."),
        ("Like :func:`~numpy.linalg.norm` or :meth:`sum <a.b.sum>`.", "Like norm or sum."),
        ("See `the guide <https://x.org>`_ and **this** ``code``", "See the guide and this code"),
        ("Find the cliques of G. Method of Smith et al. for graphs.", "Find the cliques of G."),
        ("Method of Smith et al. for graphs. More.", "Method of Smith et al. for graphs."),
        (".. deprecated:: 1.0", ""),
        ("Parameters\n----------\nx : int", ""),
        ("", ""),
    ],
)
def test_sentence(docstring, expected):
    assert sentence(docstring) == expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Compute the eigenvalues of a matrix.", ""),
        ("", "no_sentence"),
        ("Deprecated alias of the eigenvalue solver.", "deprecation"),
        ("Compute \\frac{1}{n} of the matrix.", "markup_or_code"),
        ("Return a copy of the matrix.", "boilerplate"),
        ("The following solvers and norms exist:", "unfinished"),
        ("Invert the matrix.", "too_short"),
        ("Return the value of the given object.", "says_nothing_particular"),
        ("Solve linear equations " + "and invert a matrix " * 12, "too_long"),
    ],
)
def test_unusable(text, reason):
    assert unusable(text) == reason


def test_near_duplicates():
    texts = [
        "Set the width of the line in points.",
        "set the width, of the line in pixels",  # 7 of 9 words shared
        "Draw a circle around each of 3 selected data points.",
        "Draw a circle around each of 12 selected data items with a much longer tail of other words.",  # same start
        "Draw lines.",
    ]
    groups = near_duplicates(texts)
    assert groups[0] == groups[1]
    assert groups[2] == groups[3]
    assert len(set(groups.tolist())) == 3


def test_kept_counts_what_it_drops():
    rows, dropped = kept(
        [
            Summary("files", "Open the archive and its members."),
            Summary("networking", "open the archive, and its members"),
            Summary("files", "Create a temporary directory on disk."),
            Summary("files", "Create a temporary folder on disk."),
            Summary("files", "Create a temporary directory on disk!"),
            Summary("networking", "Receive bytes from a connected socket."),
            Summary("networking", "Receive data from a connected socket."),
            Summary("concurrency", "Receive objects from a connected socket."),
            Summary("concurrency", "Short."),
            Summary("concurrency", "Acquire the lock before another thread does."),
        ]
    )
    assert rows.to_dict("list") == {
        "text": ["Create a temporary directory on disk.", "Acquire the lock before another thread does."],
        "gold": ["files", "concurrency"],
    }
    assert dropped == {
        "nearly_the_same_in_one_area": 1,
        "nearly_the_same_in_two_areas": 3,
        "the_same_in_one_area": 1,
        "the_same_in_two_areas": 2,
        "too_short": 1,
    }


def test_the_draw_of_a_large_area_does_not_depend_on_order():
    # digits count as the same number, so words are told apart by letters
    names = [f"{left}{middle}{right}" for left in "bdfgk" for middle in "lmnprst" for right in "abcdefghijklmnopqrst"]
    found = [Summary("files", f"Fold first{name} second{name} third{name}") for name in names]
    one, dropped = kept(found)
    other, _ = kept(found[::-1])
    assert len(one) <= AREA_ROWS
    assert len(one) + sum(dropped.values()) == len(found)
    assert dropped["more_than_an_areas_share"] > 0
    assert set(one["text"]) == set(other["text"])


def test_every_area_has_rows_and_no_text_has_a_near_duplicate(corpus):
    rows, origin = corpus
    counts = rows["gold"].value_counts()
    assert set(counts.index) == set(areas.AREAS)
    assert counts.min() >= 200
    assert counts.max() <= AREA_ROWS
    assert rows["text"].map(unusable).eq("").all()
    assert near_duplicates(rows["text"].tolist()).max() == len(rows) - 1
    starts = rows["text"].map(lambda text: tuple(normalised(text).split()[:SAME_START]))
    assert starts[starts.map(len) == SAME_START].is_unique
    assert {"python", "numpy", "scikit-learn", "torch"} <= set(origin["packages"])
    assert list(origin["dropped"]) == sorted(origin["dropped"])


def test_two_readings_give_the_same_rows(corpus):
    # reading everything twice takes long; two areas have all kinds of places: standard library, compiled, private
    chosen = [place for place in areas.places() if place.area in ("linear_algebra", "concurrency")]
    one, other = summaries(chosen), summaries(chosen)
    assert one == other
    pd.testing.assert_frame_equal(kept(one)[0], kept(other)[0])
    texts = set(corpus[0].loc[corpus[0]["gold"].isin(["linear_algebra", "concurrency"]), "text"])
    assert texts <= {item.text for item in one}


def test_an_absent_package_is_named(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(LabelRiskError, match="'numpy', which is not installed"):
        areas.places()
