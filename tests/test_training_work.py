"""How much arithmetic training is, by a formula that is held against PyTorch's own count; the papers' tables run."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import papers_tables
import pytest
import torch
from matrix_rate import matrices, reading_flops, training_flops
from students import CLASSES, tiny_model
from torch.utils.flop_counter import FlopCounterMode

from labelrisk.students import encoders


def test_the_formula_is_what_pytorch_counts(tmp_path: Path) -> None:
    """Two layers of width 32 and 64: 2 x (4 x 32^2 + 2 x 32 x 64) weights; on a row of 10 tokens, without the head."""
    model = encoders.load_classifier(str(tiny_model(tmp_path, "roberta")), None, CLASSES, 0.0, 0)
    assert matrices(model) == 2 * (4 * 32**2 + 2 * 32 * 64) == 16_384
    assert reading_flops(model, np.array([10])) == 2 * 16_384 * 10 + 2 * 4 * 32 * 10**2 == 353_280
    assert training_flops(model, np.array([10, 10])) == 6 * 353_280
    model.set_attn_implementation("eager")  # whose products are counted
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        model.eval()(input_ids=torch.full((1, 10), 5))
    head = 2 * (32 * 32 + 32 * 3)  # of the first token
    assert counter.get_total_flops() - head == 353_280


def test_rows_of_a_set_have_its_lengths_and_classes() -> None:
    tokens, codes = papers_tables.rows(papers_tables.SETS["imdb"], 400, 1000, np.random.default_rng(0))
    assert np.median(tokens.lengths) == pytest.approx(230, rel=0.1)
    assert tokens.lengths.max() <= 512
    assert set(codes) == {0, 1}
    assert (tokens.ids[tokens.offsets[:-1] + 1] == codes + 4).all()


@pytest.mark.slow
@pytest.mark.parametrize("together", ["5", "1"])
def test_the_papers_tables_run_to_their_end(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], together: str
) -> None:
    words = ["papers_tables.py", "--fraction", "0.001", "--shape", "tiny", "--together", together]
    monkeypatch.setattr(sys, "argv", words)
    papers_tables.main()
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[2:]] == [*papers_tables.SETS, "all"]
    assert lines[-1].split()[1] == "100"
