"""The table of scale says how cost grows with work, and how much faster than the usual recipe something is."""

from __future__ import annotations

import pytest
import scale
from scale_table import Line, sizes, slope, table


def test_cost_that_grows_with_the_square_has_the_slope_2() -> None:
    lines = [Line("x", rows, 3e-9 * rows**2, 0.1) for rows in (10_000, 100_000, 1_000_000)]
    assert slope(lines) == pytest.approx(2)


def test_cost_that_does_not_grow_has_the_slope_0() -> None:
    assert slope([Line("x", 10, 5.0, 0.1), Line("x", 1000, 5.0, 0.1)]) == pytest.approx(0)


def test_one_size_has_no_slope() -> None:
    assert slope([Line("x", 10, 5.0, 0.1), Line("x", 10, 6.0, 0.1)]) is None


def test_sizes_end_at_the_largest_that_is_asked_for() -> None:
    assert sizes(1_000_000) == [10_000, 100_000, 1_000_000]


def test_lines_of_one_thing_stand_together_within_80_columns() -> None:
    text = table([
        Line("look all up", 10_000, 2.0, 0.2, usual=5.0, recipe="a plain table"),
        Line("look all up", 100_000, 20.0, 0.2, usual=50.0, recipe="a plain table"),
        Line("train", 3_000, 9.5, 1.1, students=30, nodes=2),
    ])  # fmt: skip
    header, first, second, cost, usual, last = text.splitlines()
    assert first.split() == ["look", "all", "up", "10,000", "1", "1", "2.0", "0.2", "5.0", "2.5"]
    assert second.split()[-2:] == ["50.0", "2.5"]
    assert cost.strip() == "slope 1.00"
    assert usual.strip() == "usual: a plain table"
    assert last.split() == ["train", "3,000", "30", "2", "9.5", "1.1"]
    assert len(header) <= 80


def test_each_topic_is_a_file_with_its_lines() -> None:
    assert "table" not in scale.topics()
    for topic in scale.topics():
        assert callable(scale.importlib.import_module(f"scale_{topic}").lines)
