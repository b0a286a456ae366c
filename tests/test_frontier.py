"""The frontier: what was paid for each source, what came out, and what the same buys at random."""

import csv
import struct
from dataclasses import replace
from itertools import combinations

import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from small_study import load_small_study, settings, write_study

from labelrisk.comparison.analyses.frontier import frontier
from labelrisk.comparison.frontier import Point, gold_lines, kind_of, money_lines, points
from labelrisk.comparison.outputs import write_outputs
from labelrisk.comparison.pictures.frontier import Panel, draw_frontier
from labelrisk.sources.source import Source
from labelrisk.statistics.intervals import Interval

ANNOTATORS = {
    "gold": {"kind": "gold", "reads": "codebook.yaml"},
    "llm": {"kind": "chat", "reads": "codebook.yaml", "model": "m", "base_url": "embedded"},  # what it costs is known
}
BY_ENTROPY = {"select": {"by": "entropy", "share": 0.25}, "action": "gold"}


@pytest.mark.parametrize(
    ("declared", "by_gold", "kind"),
    [
        ({}, False, "plain"),
        ({"rows": 250}, False, "plain"),
        ({}, True, "gold"),
        ({"rows": 250}, True, "gold"),
        ({"labels": "gold"}, False, "gold"),
        ({"labels": "gold", "noise": "uniform"}, False, "noise"),
        (BY_ENTROPY, False, "chosen"),
        (BY_ENTROPY | {"action": "drop"}, False, "chosen"),
        ({"select": {"by": "random", "share": 0.25}, "action": "gold"}, False, "random"),
        ({"control": "random", "of": "other"}, False, "random"),
        ({"weights": "confidence"}, False, "treated"),
        ({"targets": "soft"}, False, "treated"),
    ],
)
def test_what_a_source_is(declared, by_gold, kind):
    assert kind_of(Source.model_validate({"annotator": "llm"} | declared), by_gold) == kind


def point(source, kind, gold, f1, money=None, group=("llm", None)):
    return Point(source, kind, group, gold, money, Interval(f1, f1 - 0.01, f1 + 0.01, 0.005, 10.0))


POINTS = [
    point("gold_250", "gold", 250, 0.70, group=("gold", 250)),
    point("gold", "gold", 1000, 0.90, group=("gold", None)),
    point("llm", "plain", 0, 0.60, 2.0),
    point("entropy", "chosen", 100, 0.80, 2.0),
    point("random", "random", 100, 0.66, 2.0),
    point("flips_random", "random", 100, 0.70, 2.0),
    point("random_05", "random", 20, 0.62, 2.0),
    point("drop_random", "random", 0, 0.50, 2.0),
    point("relabel_random", "random", 0, 0.64, 5.0),
    point("noise", "noise", 1000, 0.40, 2.0),
    point("weak", "plain", 0, 0.55, group=("weak", None)),
    point("few", "plain", 0, 0.45, 0.5, group=("llm", 100)),
    point("few_random", "random", 25, 0.50, 0.5, group=("llm", 100)),
]


def test_the_line_to_beat_goes_from_labels_as_they_are_over_random_twins_to_all_gold():
    lines = gold_lines(POINTS)
    assert list(lines) == ["llm", "llm, 100 rows"]  # nothing was bought at random for `weak`
    # twins that spend as much count as their mean; one that drops rows spends nothing, and is not on the line
    assert lines["llm"] == [(0, 0.60), (20, 0.62), (100, pytest.approx(0.68)), (1000, 0.90)]
    assert lines["llm, 100 rows"] == [(0, 0.45), (25, 0.50), (1000, 0.90)]
    assert gold_lines([one for one in POINTS if one.kind != "random"]) == {}
    assert gold_lines([]) == {}


def test_the_line_of_money_has_only_twins_that_cost_more():
    assert money_lines(POINTS) == {"llm": [(2.0, 0.60), (5.0, 0.64)]}


@pytest.fixture
def study(tmp_path):
    paths = write_study(tmp_path)
    return load_small_study(paths, settings(annotators=ANNOTATORS))


def test_the_table_says_what_each_source_took_and_scores(study, tmp_path):
    outputs = frontier(study)
    write_outputs({tmp_path / name: output for name, output in outputs.items()})
    with (tmp_path / "plots" / "frontier.csv").open(newline="") as file:
        rows = {row["source"]: row for row in csv.DictReader(file)}
    assert list(rows["constant"])[:3] == ["source", "gold_labels", "money"]
    assert list(rows["constant"])[3:] == ["macro_f1", "low", "high", "kind", "annotator"]
    found = {name: [row[key] for key in ("gold_labels", "money", "kind", "annotator")] for name, row in rows.items()}
    assert found == {  # 10 train rows at .001 each; of `wavering`, 3 labels are gold and 2 noise drawn onto gold
        "perfect": ["10", "", "gold", "gold"],
        "constant": ["0", "0.01", "plain", "llm"],
        "wavering": ["5", "0.01", "random", "llm"],
    }
    assert float(rows["perfect"]["macro_f1"]) == 1
    # all 60 rows as north: 2 * 30 / (60 + 30), and nothing of the other two
    assert float(rows["constant"]["macro_f1"]) == pytest.approx(2 / 3 / 3, abs=5e-5)
    assert float(rows["constant"]["low"]) < 2 / 9 < float(rows["constant"]["high"])


def test_a_source_and_its_control_are_of_one_group(study):
    few = {"annotator": "llm", "rows": 8}
    sources = {
        "perfect": {"annotator": "gold"},
        "constant": few | BY_ENTROPY,
        "wavering": {"annotator": "llm", "control": "random", "of": "constant"},
    }
    changed = replace(study, settings=settings(annotators=ANNOTATORS, sources=sources))
    assert [one.group for one in points(changed)] == [("gold", None), ("llm", 8), ("llm", 8)]


SOURCES = [
    ("gold", "gold", 1000, None, 0.862),
    ("gold_250", "gold", 250, None, 0.79),
    ("gold_noise_confusion", "noise", 1000, 3.2, 0.836),
    *((f"repaired_{letter}", "treated", 0, 3.2, 0.811) for letter in "abcdefghij"),
    *((f"chosen_with_a_long_name_that_is_cut_{at}", "chosen", at, 3.2, 0.81 + at / 8000) for at in (0, 50, 60, 250)),
    *((f"random_{at}", "random", at, 3.2, 0.81 + at / 9000) for at in (50, 60, 250)),
    ("plain", "plain", 0, 3.2, 0.81),
]
TABLE = pd.DataFrame(SOURCES, columns=["source", "kind", "gold_labels", "money", "macro_f1"])
TABLE["low"], TABLE["high"] = TABLE["macro_f1"] - 0.02, TABLE["macro_f1"] + 0.02
PANELS = [
    Panel("gold_labels", "gold labels", {"llm": [(0.0, 0.81), (250.0, 0.84), (1000.0, 0.862)]}),
    Panel("money", "money", {}),
]


def test_the_same_bytes_at_every_run_and_no_text_chunk(tmp_path):
    for name in ("first.png", "second.png"):
        draw_frontier(tmp_path / name, TABLE.iloc[10:], PANELS, 0.95)
    drawn = (tmp_path / "first.png").read_bytes()
    assert drawn == (tmp_path / "second.png").read_bytes()
    assert not any(chunk in drawn for chunk in (b"tEXt", b"iTXt", b"zTXt", b"tIME"))
    assert struct.unpack(">I", drawn[16:20]) == (1350,)


@pytest.fixture
def figures(monkeypatch):
    """The figures instead of files, drawn in the picture's own style."""
    kept = []

    def keep(figure, path, **kwargs):
        FigureCanvasAgg(figure).draw()
        kept.append((figure, figure.get_tightbbox()))

    monkeypatch.setattr(Figure, "savefig", keep)
    return kept


@pytest.mark.parametrize("rows", [TABLE, TABLE.iloc[[0]], TABLE.assign(gold_labels=0)])
def test_no_name_covers_another_and_all_is_inside(figures, rows):
    draw_frontier("unused.png", rows, PANELS[:1] if rows["money"].isna().all() else PANELS, 0.95)
    figure, box = figures[0]
    width, height = figure.get_size_inches()
    assert 0 <= box.x0 <= box.x1 <= width
    assert 0 <= box.y0 <= box.y1 <= height
    renderer = figure.canvas.get_renderer()
    for axes, panel in zip(figure.axes, PANELS, strict=False):
        known = rows.dropna(subset=panel.column)
        assert len(axes.texts) == len(known)
        boxes = [text.get_window_extent(renderer) for text in axes.texts]
        assert not [one for one in combinations(boxes, 2) if one[0].overlaps(one[1])]
        frame = axes.get_window_extent(renderer)
        assert all(frame.x0 <= one.x0 and one.x1 <= frame.x1 for one in boxes)


def test_bars_of_one_price_stand_beside_each_other_around_it(figures):
    draw_frontier("unused.png", TABLE, PANELS[:1], 0.95)
    lines = [line for line in figures[0][0].axes[0].lines if line.get_marker() not in ("None", "")]
    placed = sorted(float(x) for line in lines for x in line.get_xdata())
    assert len(set(placed)) == len(TABLE)
    for_nothing = placed[: (TABLE["gold_labels"] == 0).sum()]
    assert sum(for_nothing) == pytest.approx(0, abs=1e-9)
    assert -30 < for_nothing[0] < for_nothing[-1] < 30
    draw_frontier("unused.png", TABLE.assign(gold_labels=0), PANELS[:1], 0.95)  # also where nothing was paid at all
    lines = [line for line in figures[1][0].axes[0].lines if line.get_marker() not in ("None", "")]
    assert len({float(x) for line in lines for x in line.get_xdata()}) == len(TABLE)


def test_a_price_that_is_not_known_is_said(figures):
    draw_frontier("unused.png", TABLE, PANELS, 0.95)
    gold, money = figures[0][0].axes
    assert gold.get_xlabel() == "gold labels"
    assert money.get_xlabel() == "money (not known: gold, gold_250)"
    assert {text.get_text() for text in money.texts}.isdisjoint({"gold", "gold_250"})
    assert [line for line in gold.lines if line.get_label() == "bought at random"]


def test_money_has_a_panel_only_where_some_was_spent(study, figures):
    outputs = frontier(study)
    outputs["plots/frontier.png"]("unused.png")
    for_nothing = outputs["plots/frontier.csv"]["money"].mul(0)
    assert len(figures[0][0].axes) == 2
    draw = outputs["plots/frontier.png"]
    draw_frontier("unused.png", draw.keywords["table"].assign(money=for_nothing), draw.keywords["panels"][:1], 0.95)
    assert len(figures[1][0].axes) == 1
