"""How many students train at once."""

import os

import pytest
from students import recipe

from labelrisk.commands import repro
from labelrisk.commands.repro import GIB, most_jobs


@pytest.mark.parametrize(
    ("cores", "threads", "memory", "model", "jobs"),
    [
        (2, 1, 16, "embedded", 2),
        (16, 1, 64, "embedded", 16),
        (16, 4, 64, "embedded", 4),
        (16, 1, 6.5, "embedded", 4),  # 1.5 GiB each
        (16, 1, 6.5, "FacebookAI/roberta-base", 1),  # 4 GiB each
        (1, 2, 0.5, "embedded", 1),
    ],
)
def test_jobs_by_cores_and_memory(monkeypatch, cores, threads, memory, model, jobs):
    monkeypatch.setattr(repro, "_has_gpu", lambda: False)
    monkeypatch.setattr(repro, "_cores", lambda: cores)
    monkeypatch.setattr(repro, "_free_memory", lambda: memory * GIB)
    assert most_jobs(recipe(threads=threads, model=model)) == jobs


def test_one_at_a_time_on_a_gpu(monkeypatch):
    monkeypatch.setattr(repro, "_has_gpu", lambda: True)
    monkeypatch.setattr(repro, "_cores", lambda: 16)
    assert most_jobs(recipe()) == 1


def test_cores_and_memory_of_this_machine():
    assert 1 <= repro._cores() <= (os.cpu_count() or 1)
    assert repro._free_memory() > 0.1 * GIB
