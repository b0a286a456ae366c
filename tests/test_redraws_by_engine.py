"""Ensembles drawn anew in workers are those of this process."""

from dataclasses import replace

import numpy as np
import pytest
from evidence_worlds import evidence_of

from labelrisk.engines.local import LocalEngine
from labelrisk.explanations.ensembles.explanation import ensembles
from labelrisk.explanations.ensembles.pools import pools
from labelrisk.explanations.ensembles.redraws import LARGE, all_said, all_sizes, is_worth_an_engine
from labelrisk.settings.engine import EngineSettings


@pytest.fixture(scope="module")
def evidence():
    """Two sources of five students, who are right on three rows of four."""
    generator = np.random.default_rng(0)
    gold = np.arange(120) % 3
    students = {}
    for name in ("gold", "llm"):
        shares = generator.dirichlet(np.ones(3), (5, 120))
        shares[:, np.arange(120), gold] += 0.5
        students[name] = shares / shares.sum(axis=-1, keepdims=True)
    return evidence_of(gold, students, classes=3)


def test_workers_say_what_this_process_says(evidence):
    study, how = evidence.study, evidence.settings.ensembles
    every = {pool.name: pool for pool in pools(study)}
    with LocalEngine(2) as engine:
        assert all_sizes(study, how, engine) == all_sizes(study, how, None)
        in_workers, here = (all_said(every, how, one) for one in (engine, None))
    assert list(in_workers) == list(here) == list(every)
    for name, said in here.items():
        assert in_workers[name].parts == said.parts
        assert in_workers[name].codes.keys() == said.codes.keys()
        for way, codes in said.codes.items():
            assert in_workers[name].codes[way].tobytes() == codes.tobytes()


class Backwards:
    """An engine whose last task is done first."""

    def results(self, function, tasks, needs):
        for place in reversed(range(len(tasks))):
            yield place, function(tasks[place])


def test_the_order_in_which_tasks_are_done_changes_no_file(evidence):
    one, other = ensembles(evidence), ensembles(replace(evidence, engine=Backwards()))
    assert one.says == other.says
    assert one.metrics == other.metrics
    assert all(one.tables[name].equals(other.tables[name]) for name in one.tables)


def test_small_studies_start_no_worker_and_a_cluster_is_always_asked(evidence):
    assert not is_worth_an_engine(evidence.study, EngineSettings())
    assert is_worth_an_engine(evidence.study, EngineSettings(kind="ray"))
    numbers = 2 * evidence.settings.ensembles.redraws * 5 * (5 * 120 * 3) * 2
    assert numbers < LARGE
