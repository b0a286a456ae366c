"""params.yaml: what is wrong in it is named with its file, key and the nearest allowed key."""

import copy

import pytest
import yaml
from study_files import PLAIN, params

from labelrisk.errors import LabelRiskError
from labelrisk.params import load
from labelrisk.sources.controls import is_chosen

WRONG = [  # the change: path of keys and value (None deletes the key), and what the sentence must say
    (("train", "epohcs"), 3, "unknown key 'train.epohcs'; did you mean 'epochs'?"),
    (("sedes",), [0], "unknown key 'sedes'; did you mean 'seeds'?"),
    (("annotators", "model", "shot"), 3, "unknown key 'annotators.model.shot'; did you mean 'shots'?"),
    (("annotators", "gold", "read"), "x", "unknown key 'annotators.gold.read'; did you mean 'reads'?"),
    (("sources", "model_gold", "select", "buy"), 1, "unknown key 'sources.model_gold.select.buy'"),
    (("sources", "model", "annotator"), "modle", "unknown annotator 'modle'; did you mean 'model'?"),
    (("evaluate", "reference"), "golden", "evaluate.reference names the unknown source 'golden'; did you mean 'gold'?"),
    (("ensemble", "across"), ["modell"], "ensemble.across names the unknown source 'modell'; did you mean 'model'?"),
    (("ensemble", "chosen"), "modell", "ensemble.chosen names the unknown source 'modell'; did you mean 'model'?"),
    (("ensemble", "chosen"), "acros", "ensemble.chosen names the unknown source 'acros'; did you mean 'across'?"),
    (("distil", "row"), 10, "unknown key 'distil.row'; did you mean 'rows'?"),
    (("distil", "rows"), 0, "'distil.rows' (found 0)"),
    (("annotators", "gpt-4.1"), {"kind": "gold", "reads": "x"}, "'gpt-4.1' in annotators can't name a DVC stage"),
    (("sources", "My Source"), {"annotator": "gold"}, "'My Source' in sources can't name a DVC stage"),
    (("sources", "across"), {"annotator": "gold"}, "the source 'across' has the name of the vote over sources"),
    (("sources", "auto"), {"annotator": "gold"}, "the source 'auto' has the name of a choice of ensemble.chosen"),
    (("corpus", "kind"), "fils", "'corpus.kind' is 'fils' but must be one of 'apidocs', 'files', 'hub'"),
    (("annotators", "model", "kind"), None, "'annotators.model.kind' is missing; add one of gold, import, chat"),
    (("train", "batch_size"), None, "the key 'train.batch_size' is missing"),
    (("train", "batch_size"), 0, "'train.batch_size' (found 0)"),
    (("seeds",), [0, 0], "seeds holds a seed twice"),
    (("seeds",), [], "'seeds'"),
    (("sources", "model", "action"), "gold", "'sources.model': 'select' and 'action' come together"),
    (("sources", "model", "noise"), "confusion", "'noise' needs 'labels: gold'"),
    (("sources", "gold", "select"), {"by": "entropy", "share": 0.2}, "'select' and 'action' come together"),
]


TWIN = {"annotator": "model", "control": "random", "of": "model_gold"}
TOGETHER = "'control' and 'of' come together"
WRONG += [
    (("sources", "twin"), TWIN | {"of": "model_glod"}, "sources.twin.of names the unknown source 'model_glod'; did"),
    (("sources", "twin"), TWIN | {"of": "twins"}, "the unknown source 'twins'; use one of: model_gold"),
    (("sources", "twin"), TWIN | {"of": "model"}, "names 'model', which has no 'select' by something else than random"),
    (("sources", "twin"), TWIN | {"of": "twin"}, "names 'twin', which has no 'select' by something else than random"),
    (
        ("sources", "twin"),
        TWIN | {"annotator": "gold"},
        "sources.twin.annotator is 'gold', but its 'of', model_gold, is about 'model'; name the same annotator in both",
    ),
    (("sources", "twin"), {"annotator": "model", "control": "random"}, f"'sources.twin': {TOGETHER}"),
    (("sources", "twin"), {"annotator": "model", "of": "model_gold"}, f"'sources.twin': {TOGETHER}"),
    (("sources", "twin"), TWIN | {"action": "gold"}, "'sources.twin': 'control' and 'action' can't be combined"),
    (("sources", "twin"), TWIN | {"labels": "annotator"}, "'sources.twin': 'control' and 'labels' can't be combined"),
    (("sources", "twin"), TWIN | {"noise": "uniform"}, "'sources.twin': 'control' and 'noise' can't be combined"),
    (("sources", "twin"), TWIN | {"select": {"by": "random", "share": 0.1}}, "'control' and 'select' can't be"),
    (("sources", "twin"), TWIN | {"control": "randm"}, "'sources.twin.control' (found 'randm')"),
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


OFF = "'curve: {sizes: [], sources: [], seeds: 3, steps: null}'"


@pytest.mark.parametrize(
    ("lost", "says"),
    [
        (["distil"], "the key 'distil' is missing, which dvc.yaml reads; add 'distil: {}'"),
        (["curve"], f"the key 'curve' is missing, which dvc.yaml reads; add {OFF}"),
        (["curve.seeds"], "the key 'curve.seeds' is missing, which dvc.yaml reads; add 'seeds: 3' to curve"),
        (["share"], "the key 'share' is missing, which dvc.yaml reads; add 'share: {texts: true}'"),
        (["share.texts"], "the key 'share.texts' is missing, which dvc.yaml reads; add 'texts: true' to share"),
        (
            ["curve.seeds", "curve.sources"],
            "the keys curve.sources and curve.seeds are missing, which dvc.yaml reads; "
            "add 'sources: []' and 'seeds: 3' to curve",
        ),
        (
            ["distil", "perturb", "explain", "curve"],
            "the keys distil, perturb, explain and curve are missing, which dvc.yaml reads; "
            f"add 'distil: {{}}', 'perturb: {{}}', 'explain: {{}}' and {OFF}",
        ),
        (
            ["explain", "curve.steps"],
            "the keys explain and curve.steps are missing, which dvc.yaml reads; "
            "add 'explain: {}', and add 'steps: null' to curve",
        ),
    ],
)
def test_keys_of_a_later_version_are_named_together_with_what_to_add(tmp_path, lost, says):
    content = copy.deepcopy(params())
    for key in lost:
        section, _, part = key.partition(".")
        if part:
            del content[section][part]
        else:
            del content[section]
    file = tmp_path / "params.yaml"
    file.write_text(yaml.safe_dump(content))
    with pytest.raises(LabelRiskError) as caught:
        load(file)
    assert str(caught.value) == f"{file}: {says}"
    added = yaml.safe_load(OFF.strip("'"))["curve"]  # what is told to add is enough
    content["curve"] = added | content.get("curve", {})
    content["share"] = {"texts": True} | content.get("share", {})
    file.write_text(yaml.safe_dump({key: {} for key in lost if "." not in key} | content))
    load(file)


PRICE = {"input": 1.0, "output": 2.0}
HERE = "'annotators.model': "
MISFITS = [  # changes of a chat annotator, and what the sentence must say
    ({"confidence": "votes"}, "'confidence: votes' at temperature 0 samples one answer; set 'temperature'"),
    ({"confidence": "explanations"}, "'confidence: explanations' at temperature 0 samples one answer"),
    (
        {"confidence": "votes", "vary": "demonstrations", "shots": 0},
        "'vary: demonstrations' needs 'shots'",
    ),
    (
        {"answer": "guided_choice", "confidence": "verbalised"},
        "'confidence: verbalised' needs more than a choice; set 'answer: code' or json_schema",
    ),
    (
        {"answer": "guided_choice", "confidence": "explanations", "temperature": 1.0},
        "'confidence: explanations' needs more than a choice",
    ),
    ({"max_cost": 1.0}, "'max_cost' needs 'price': {input: ..., output: ...} per million tokens"),
    (
        {"max_cost": 1.0, "price": PRICE, "extra_body": {"max_tokens": None}},
        "'max_cost' needs a longest answer; set 'extra_body.max_completion_tokens'",
    ),
    ({"extra_body": {"n": 2}}, "'extra_body.n' would break the answers; leave it out (see 'confidence: votes')"),
    ({"extra_body": {"stream": True}}, "'extra_body.stream' would break the answers"),
    ({"serves": []}, "asks for logprobs, which 'serves' does not list; change 'confidence' or 'answer'"),
    ({"serves": ["json_schema"]}, "asks for logprobs, which 'serves' does not list"),
    ({"serves": ["logprobs"], "answer": "json_schema"}, "asks for json_schema, which 'serves' does not list"),
    ({"serves": [], "answer": "guided_choice", "confidence": "none"}, "asks for guided_choice, which 'serves' does"),
    ({"mode": "batch"}, "'mode: batch' needs an endpoint; leave 'mode' out for the embedded model"),
]
VALUES = [  # one key of a chat annotator that is out of its range
    *({"shots": -1}, {"temperature": -0.1}, {"top_logprobs": 0}, {"samples": 1}, {"reasks": 2}, {"pool": 0}),
    *({"seed": -1}, {"timeout": 0}, {"max_cost": 0}, {"max_requests": 0}, {"requests_per_minute": 0}),
    *({"tokens_per_minute": 0}, {"draw": "best"}, {"confidence": "high"}, {"answer": "yaml"}, {"screening": "all"}),
    *({"vary": "seed"}, {"mode": "later"}, {"serves": ["tools"]}, {"price": {"input": 1.0}}),
    *({"price": PRICE | {"batch": 0}}, {"price": PRICE | {"input": -1}}),
]
FITTING = [
    {"confidence": "votes", "temperature": 0.7},
    {"confidence": "votes", "vary": "demonstrations"},
    {"confidence": "explanations", "temperature": 0.7, "serves": []},
    {"confidence": "none", "serves": []},
    {"answer": "json_schema", "serves": ["logprobs", "json_schema"]},
    {"answer": "guided_choice"},
    {"max_cost": 1.0, "price": PRICE},
    {"max_cost": 1.0, "price": PRICE, "extra_body": {"max_tokens": None, "max_completion_tokens": 4}},
    {"extra_body": {"n": 1, "stream": False}},
    {"extra_body": {"n": None, "stream": None}},
    {"mode": "batch", "base_url": "http://there/v1"},
]


def load_with(tmp_path, changes):
    """params.yaml whose annotator `model` has these changes."""
    content = params(sources=PLAIN)
    content["annotators"]["model"] |= changes
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(content))
    return load(tmp_path / "params.yaml")


@pytest.mark.parametrize(("changes", "says"), MISFITS)
def test_what_does_not_fit_together_in_an_annotator_is_one_sentence(tmp_path, changes, says):
    with pytest.raises(LabelRiskError) as caught:
        load_with(tmp_path, changes)
    assert str(caught.value).startswith(f"{tmp_path / 'params.yaml'}: {HERE}{says}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("changes", VALUES, ids=str)
def test_a_value_out_of_its_range_is_named(tmp_path, changes):
    (key,) = changes
    with pytest.raises(LabelRiskError, match=rf"'annotators\.model\.{key}[.0-9a-z]*'|annotators\.model\.{key}"):
        load_with(tmp_path, changes)


@pytest.mark.parametrize("changes", FITTING, ids=str)
def test_what_fits_together_is_taken(tmp_path, changes):
    loaded = load_with(tmp_path, changes).annotators["model"]
    assert all(key in loaded.model_fields_set for key in changes)


def test_a_control_of_random_rows_or_without_a_choice_to_control_is_named(tmp_path):
    drawn = {"annotator": "model", "select": {"by": "random", "share": 0.2}, "action": "drop"}
    content = params(sources={"gold": {"annotator": "gold"}, "model": drawn, "twin": TWIN | {"of": "model"}})
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(content))
    with pytest.raises(LabelRiskError, match=r"'model', which has no 'select' .+; declare one that selects by ent"):
        load(tmp_path / "params.yaml")


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


def test_the_projects_own_params_are_valid(example):
    settings = load(example / "params.yaml")
    assert len(settings.seeds) >= 5
    assert {source.action for source in settings.sources.values()} >= {None, "gold"}


@pytest.mark.parametrize("name", ["papers_babe", "papers_policy"])
def test_the_examples_are_valid_and_each_treatment_has_its_twin(project, name):
    sources = load(project / "examples" / f"{name}.yaml").sources
    chosen = {of for of, source in sources.items() if is_chosen(source)}
    assert chosen
    assert chosen == {source.of for source in sources.values() if source.control}
