import struct

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from labelrisk.comparison.pictures.confusions import draw_confusions
from labelrisk.comparison.pictures.f1_by_source import draw_f1_by_source
from labelrisk.comparison.pictures.training_curves import draw_training_curves

LONG = "a_source_with_a_long_nam"
SOURCES = ["gold", "llm", LONG]
SCORES = pd.DataFrame(
    [(source, seed, 0.9 - 0.1 * place + 0.01 * seed) for place, source in enumerate(SOURCES) for seed in range(3)],
    columns=["source", "seed", "macro_f1"],
)
CURVES = pd.DataFrame(
    [
        (source, seed, step, 1 / step, 0.5 + step / 20 if step % 2 == 0 else np.nan)
        for source in SOURCES
        for seed in range(2)
        for step in range(1, 7)
    ],
    columns=["source", "seed", "step", "loss", "f1"],
)


def chunks(path):
    """Names of the chunks of a PNG, and its size in pixels."""
    content = path.read_bytes()
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    place, names = 8, []
    while place < len(content):
        (length,) = struct.unpack(">I", content[place : place + 4])
        names.append(content[place + 4 : place + 8].decode())
        place += 12 + length
    return names, struct.unpack(">II", content[16:24])


def f1(path):
    draw_f1_by_source(
        path, SCORES, "gold", votes={"llm": 0.83}, without_student={"llm (annotator)": 0.7, "silent": float("nan")}
    )


def curves(path):
    draw_training_curves(path, CURVES, "gold", "f1", "loss")


def confusions(path):
    counts = np.array([[50, 3, 1], [10, 40, 0]])
    draw_confusions(path, {"llm\nannotator": counts, "gold\nstudents": 5 * counts}, ["costs $5 or $6", "free"])


@pytest.mark.parametrize("draw", [f1, curves, confusions])
def test_same_bytes_at_every_run_and_no_text_chunk(draw, tmp_path):
    first, second = tmp_path / "first.png", tmp_path / "second.png"
    draw(first)
    draw(second)
    assert first.read_bytes() == second.read_bytes()
    names, (width, height) = chunks(first)
    assert not {"tEXt", "iTXt", "zTXt", "tIME"} & set(names)
    assert width == 1350
    assert height > 200


@pytest.fixture
def drawn(monkeypatch):
    """The figures instead of files, drawn in the pictures' own style, with what they take up in inches."""
    figures = []

    def draw(figure, path, **kwargs):
        FigureCanvasAgg(figure).draw()
        figures.append((figure, figure.get_tightbbox()))

    monkeypatch.setattr(Figure, "savefig", draw)
    return figures


def test_everything_is_inside_the_picture(drawn):
    for draw in (f1, curves, confusions):
        draw("unused.png")
    names = [f"class number {number} of 21" for number in range(21)]
    draw_confusions("unused.png", {f"{LONG}\nstudents": np.full((21, 22), 1000)}, names)
    draw_confusions("unused.png", {f"{LONG}\n{n}": np.ones((3, 4), int) for n in range(5)}, [LONG, LONG * 3, "W" * 24])
    for figure, box in drawn:
        width, height = figure.get_size_inches()
        assert box.x0 >= 0
        assert box.y0 >= 0
        assert box.x1 <= width
        assert box.y1 <= height


def test_names_and_counts_are_written(drawn):
    f1("unused.png")
    confusions("unused.png")
    (scores, _), (matrices, _) = drawn
    sources = [label.get_text() for label in scores.axes[0].get_yticklabels()]
    assert sources == [*SOURCES, "llm (annotator)"]
    assert [text.get_text() for text in matrices.axes[0].texts] == ["50", "3", "1", "10", "40"]
    assert [label.get_text() for label in matrices.axes[0].get_xticklabels()] == ["1", "2", "-"]


def test_one_seed_and_no_curves_are_pictures_too(tmp_path):
    draw_f1_by_source(tmp_path / "f1.png", SCORES[SCORES["seed"] == 0], "gold")
    draw_training_curves(tmp_path / "curves.png", CURVES.iloc[:0], "gold", None, None)
    assert chunks(tmp_path / "f1.png")
    assert chunks(tmp_path / "curves.png")
