"""Repairs of labels, sentence vectors and ensembles drawn anew on a real Ray cluster: the bytes are the local ones."""

import shutil

import pandas as pd
import pytest
import small_study
from ray_nodes import two_nodes

from labelrisk.errors import LabelRiskError
from labelrisk.settings.engine import EngineSettings
from labelrisk.sources.material import ABOUT_ROWS
from labelrisk.stages import embed, filter

pytest.importorskip("ray", reason="ray is not installed (labelrisk[ray])")
pytestmark = pytest.mark.slow  # of all this, test_ray.py holds what needs no cluster


@pytest.fixture(scope="module")
def on_cluster():
    """The section `engine` of a cluster of two nodes."""
    with two_nodes() as nodes:
        yield EngineSettings(kind="ray", address=nodes.address)


def contents(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_source_that_classifiers_repair(on_cluster, tmp_path):
    repaired = {"annotator": "llm", "select": {"by": "nearest_neighbours", "share": 0.4}, "action": "drop"}
    sources = {"perfect": {"annotator": "gold"}, "repaired": repaired}
    content = small_study.settings(sources=sources, ensemble={"across": ["perfect", "repaired"]})
    paths = small_study.write_study(tmp_path)
    small_study.write_vectors(tmp_path / "vectors", paths["prepared"])
    answers = pd.read_parquet(paths["labels"] / "llm.parquet").iloc[::-1]  # as prepared
    doubtful = {"entropy": 0.5, "margin": 0.5, "probabilities": [[0.6, 0.2, 0.2]] * len(answers)}
    answers.assign(**doubtful, **dict.fromkeys({*ABOUT_ROWS} - {*answers, *doubtful})).to_parquet(
        paths["labels"] / "llm.parquet"
    )

    def run(engine, name):
        changed = content.model_copy(update={"engine": engine})
        filter.run(changed, "repaired", paths["prepared"], paths["labels"], tmp_path / "vectors", tmp_path / name)
        return contents(tmp_path / name)

    here = run(EngineSettings(), "here")
    assert run(on_cluster, "there") == here
    assert len(here) >= len(small_study.SEEDS)
    shutil.rmtree(tmp_path / "vectors")
    with pytest.raises(LabelRiskError, match="vectors"):
        run(on_cluster, "without")
    assert not (tmp_path / "without").exists()


def test_sentence_vectors(on_cluster, tmp_path):
    paths = small_study.write_study(tmp_path)
    content = small_study.settings()
    embed.run(content, paths["prepared"], tmp_path / "here")
    embed.run(content.model_copy(update={"engine": on_cluster}), paths["prepared"], tmp_path / "there")
    assert contents(tmp_path / "there") == contents(tmp_path / "here")
    assert len(contents(tmp_path / "here")) >= 3


def test_ensembles_that_are_drawn_anew(on_cluster, tmp_path):
    explained = []
    for name, engine in (("here", EngineSettings()), ("there", on_cluster)):
        (tmp_path / name).mkdir()
        paths = small_study.write_study(tmp_path / name)
        content = small_study.settings().model_copy(update={"engine": engine})
        explained.append(contents(small_study.run_explain(paths, content)))
    assert explained[0] == explained[1]
    assert any("ensembles" in str(path) for path in explained[0])
