"""params.yaml: what is wrong in it is named with its file, key and the nearest allowed key."""

import copy

import pytest
import yaml
from study_files import params

from labelrisk.errors import LabelRiskError
from labelrisk.settings import load

WRONG = [  # the change: path of keys and value (None deletes the key), and what the sentence must say
    (("train", "epohcs"), 3, "unknown key 'train.epohcs'; did you mean 'epochs'?"),
    (("sedes",), [0], "unknown key 'sedes'; did you mean 'seeds'?"),
    (("annotators", "model", "shot"), 3, "unknown key 'annotators.model.shot'; did you mean 'shots'?"),
    (("annotators", "gold", "read"), "x", "unknown key 'annotators.gold.read'; did you mean 'reads'?"),
    (("sources", "model_gold", "select", "buy"), 1, "unknown key 'sources.model_gold.select.buy'"),
    (("sources", "model", "annotator"), "modle", "unknown annotator 'modle'; did you mean 'model'?"),
    (("evaluate", "reference"), "golden", "evaluate.reference names the unknown source 'golden'; did you mean 'gold'?"),
    (("ensemble", "across"), ["modell"], "ensemble.across names the unknown source 'modell'; did you mean 'model'?"),
    (("annotators", "gpt-4.1"), {"kind": "gold", "reads": "x"}, "'gpt-4.1' in annotators can't name a DVC stage"),
    (("sources", "My Source"), {"annotator": "gold"}, "'My Source' in sources can't name a DVC stage"),
    (("sources", "across"), {"annotator": "gold"}, "the source 'across' has the name of the vote over sources"),
    (("corpus", "kind"), "fils", "'corpus.kind' is 'fils' but must be one of 'apidocs', 'files', 'hub'"),
    (("annotators", "model", "kind"), None, "'annotators.model.kind' is missing"),
    (("train", "batch_size"), None, "the key 'train.batch_size' is missing"),
    (("train", "batch_size"), 0, "'train.batch_size' (found 0)"),
    (("seeds",), [0, 0], "seeds holds a seed twice"),
    (("seeds",), [], "'seeds'"),
    (("sources", "model", "action"), "gold", "'sources.model': 'select' and 'action' come together"),
    (("sources", "model", "noise"), "confusion", "'noise' needs 'labels: gold'"),
    (("sources", "gold", "select"), {"by": "entropy", "share": 0.2}, "'select' and 'action' come together"),
]


@pytest.mark.parametrize(("path", "value", "says"), WRONG, ids=[".".join(path) for path, _, _ in WRONG])
def test_a_mistake_is_one_sentence_that_names_file_and_key(tmp_path, path, value, says):
    content = copy.deepcopy(params())
    *parents, last = path
    section = content
    for key in parents:
        section = section[key]
    if value is None:
        del section[last]
    else:
        section[last] = value
    file = tmp_path / "params.yaml"
    file.write_text(yaml.safe_dump(content))
    with pytest.raises(LabelRiskError) as caught:
        load(file)
    assert str(caught.value).startswith(f"{file}: ")
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_gold_has_no_doubts_to_select_by(tmp_path):
    sources = {"gold": {"annotator": "gold", "labels": "gold", "noise": "uniform"}}
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(params(sources=sources)))
    with pytest.raises(LabelRiskError, match=r"sources\.gold: gold has no errors or doubts to copy"):
        load(tmp_path / "params.yaml")


@pytest.mark.parametrize("text", ["a: b: c", "- a", "", "\xff"])
def test_a_file_that_is_no_mapping_is_named(tmp_path, text):
    (tmp_path / "params.yaml").write_bytes(text.encode("latin-1"))
    with pytest.raises(LabelRiskError, match=r"params\.yaml"):
        load(tmp_path / "params.yaml")


def test_an_absent_file_is_named(tmp_path):
    with pytest.raises(LabelRiskError, match="is not there"):
        load(tmp_path / "params.yaml")


def test_the_projects_own_params_are_valid(project):
    settings = load(project / "params.yaml")
    assert len(settings.seeds) >= 5
    assert {source.action for source in settings.sources.values()} >= {"drop", "gold"}
