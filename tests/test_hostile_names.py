"""Names in params.yaml that would be commands of a shell, or paths elsewhere, reach neither a shell nor DVC."""

import copy
import shlex
import subprocess
from pathlib import Path

import pytest
import yaml
from dvc_study import ENVIRONMENT, write_dvc
from hypothesis import given
from hypothesis import strategies as st
from study_files import params, write_study

from labelrisk.cli import main
from labelrisk.errors import LabelRiskError
from labelrisk.settings.names import check_names

COMMANDS = [
    "x;touch PWN;echo ",
    "a'$(touch PWN)'",
    'a"`touch PWN`',
    "x\ntouch PWN\n",
    "x'\ntouch PWN\n'",
    "a&touch PWN&",
    "|touch PWN",
    "x>PWN",
    "$(touch PWN)/../gold",
    "../../PWN",
    "/PWN",
    "..",
    "-h",
    "a b",
    "*",
    "",
    "A",
    "gold-0",
    "gold@x",
    "\u00fcn\u00efcode",
    "\u0661",
    "x\u2028touch PWN",
    "x\x1b[2J",
    "a" * 101,
]


def put(section, name):
    """A study of which one name is another."""
    content = copy.deepcopy(params())
    if section == "annotators":
        content["annotators"][name] = content["annotators"]["gold"]
    elif section == "panels":
        content["panels"] = {name: {"members": ["model"]}}
    elif section == "second_opinions":
        content["second_opinions"] = {name: {"of": "model"}}
    elif section == "of":
        content["second_opinions"] = {"strong": {"of": name}}
    elif section == "sources":
        content["sources"][name] = {"annotator": "gold"}
    elif section == "annotator":
        content["sources"]["gold"] = {"annotator": name}
    elif section == "seeds":
        content["seeds"] = [0, name]
    elif section == "sizes":
        content["curve"]["sizes"] = [50, name]
    elif section == "curve_sources":
        content["curve"] |= {"sizes": [50], "sources": ["gold", name]}
    else:
        content["baseline"]["kinds"] = ["words", name]
    return content


SECTIONS = (
    "annotators",
    "panels",
    "second_opinions",
    "of",
    "sources",
    "annotator",
    "seeds",
    "kinds",
    "sizes",
    "curve_sources",
)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_study(tmp_path)
    return tmp_path


@pytest.mark.parametrize("section", SECTIONS)
def test_a_name_is_refused_in_one_sentence_on_one_line(folder, section, capfd):
    for name in COMMANDS:
        (folder / "params.yaml").write_text(yaml.safe_dump(put(section, name), sort_keys=False))
        assert main(["names", "--out", "names"]) == 1, name
        said = capfd.readouterr().err
        assert said.startswith("labelrisk names: params.yaml")
        assert said.count("\n") == 1
        assert said.removesuffix("\n").isprintable()
        assert not Path("names").exists()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("annotators: [x;touch PWN]", "'annotators' must be lines of the form"),
        ("sources: x", "'sources' must be lines of the form"),
        ("sources: {a: x;touch PWN}", "sources.a.annotator is 'x;touch PWN'"),
        ("sources: {a: {annotator: {--x; touch PWN: 1}}}", "sources.a.annotator is"),
        ("seeds: 0;touch PWN", "'seeds' must be a list"),
        ("seeds: [-1]", "seeds holds '-1'"),
        ("seeds: [1.5]", "seeds holds '1.5'"),
        ("seeds: [true]", "seeds holds 'True'"),
        ("seeds: [[0]]", "seeds holds '[0]'"),
        ("baseline: {kinds: {x;touch PWN: 1}}", "'baseline.kinds' must be a list"),
        ("baseline: [words]", "'baseline' must be lines of the form"),
        ("run: touch PWN;", "unknown key 'run'"),
        ("key: x", "unknown key 'key'"),
        ("- a", "must be lines of the form"),
        ("annotators: {a: 1, a: 2}", "params.yaml"),
        ("annotators: {&a [x]: 1}", "params.yaml"),
        ("annotators: !!python/object/apply:os.system [touch PWN]", "params.yaml"),
        ("a: &a [*a]", "params.yaml"),
        ("\tannotators: {}", "params.yaml"),
    ],
)
def test_other_forms_than_names_are_one_sentence(folder, text, says, capfd):
    (folder / "params.yaml").write_text(text)
    assert main(["names"]) == 1
    said = capfd.readouterr().err
    assert says in said
    assert said.count("\n") == 1
    assert not Path("PWN").exists()


def test_a_good_study_is_noted_in_the_same_bytes_whatever_its_names(folder):
    assert main(["names", "--out", "one"]) == 0
    (folder / "params.yaml").write_text(yaml.safe_dump(put("annotators", "g_4"), sort_keys=False))
    assert main(["names", "--out", "two"]) == 0
    assert Path("one").read_bytes() == Path("two").read_bytes()


@pytest.mark.fuzz
@given(name=st.text() | st.text("'\"`$();&|<>*?/.\\\n\t azAZ09_-"), section=st.sampled_from(SECTIONS))
def test_what_is_accepted_is_one_word_of_a_shell_and_one_part_of_a_path(name, section, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "drawn.yaml"
    path.write_text(yaml.safe_dump(put(section, name), sort_keys=False))
    try:
        check_names(path)
    except LabelRiskError:
        return
    assert shlex.split(name) == [name] == [shlex.quote(name)]
    assert Path(name).name == name
    assert len(name) <= 100


@pytest.fixture
def dvc(folder, project):
    """A study with all stages of the project, without the code among their dependencies."""
    write_dvc(folder, project)
    content = yaml.safe_load((project / "dvc.yaml").read_text())
    content["stages"].pop("code")
    for stage in content["stages"].values():
        declared = stage.get("do", stage)
        declared["deps"] = [path for path in declared["deps"] if not path.startswith(("data/code/", "data/declared/"))]
        declared.pop("plots", None)
    content["vars"] = [{"run": "python -m labelrisk", "local": ".labelrisk"}]
    (folder / "dvc.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
    subprocess.run(["git", "init", "-q"], check=True, env=ENVIRONMENT)
    # as if the stages before had run
    Path("data/ballots").mkdir(parents=True)
    for path in (
        "names",
        "prepared/test.parquet",
        "prepared/labels.json",
        "labels/gold.parquet",
        "vectors/train.parquet",
        "training/gold/0.parquet",
    ):
        there = Path("data") / path
        there.parent.mkdir(parents=True, exist_ok=True)
        there.touch()

    def repro(*words):
        environment = ENVIRONMENT | {"PYTHONPATH": str(project / "src")}
        done = subprocess.run(["dvc", "repro", *words], env=environment, capture_output=True, text=True, timeout=100)
        return done.returncode, done.stdout + done.stderr

    return repro


@pytest.mark.parametrize(
    ("section", "name", "stage"),
    [
        ("annotators", "a'$(touch PWN)'", None),
        ("annotators", "x'\ntouch PWN\n'", "annotate"),
        ("panels", "a'$(touch PWN)'", "merge"),
        ("sources", "a'$(touch PWN)'", "filter"),
        ("annotator", "a'$(touch PWN)'/../gold", "filter"),
        ("seeds", "0'$(touch PWN)'/../0", "train@gold"),
        ("kinds", "a';touch PWN;'", "baseline"),
    ],
)
def test_dvc_runs_no_command_with_it(folder, dvc, section, name, stage):
    """Neither `dvc repro`, nor one stage alone, before which DVC runs no other."""
    (folder / "params.yaml").write_text(yaml.safe_dump(put(section, name), sort_keys=False))
    code, said = dvc(*(["--single-item", stage] if stage else []))
    assert code != 0
    assert not Path("PWN").exists(), said
    assert "labelrisk names: params.yaml" in said, said
    assert "labelrisk annotate" not in said
