"""The command line: stages and commands are found by their files, and their options are those of their functions."""

import importlib
import inspect
import pkgutil
import shlex
import textwrap

import pytest
from study_files import write_study

from labelrisk import commands, stages
from labelrisk.cli import main
from labelrisk.commands._parsers import parser_of


def files_of(package):
    """Modules of a folder of commands and its groups, with the words that call them."""
    for found in pkgutil.iter_modules(package.__path__):
        module = importlib.import_module(f"{package.__name__}.{found.name}")
        if found.ispkg:
            yield from ((f"{found.name} {word}", inner) for word, inner in files_of(module))
        elif not found.name.startswith("_"):
            yield getattr(module, "NAME", found.name), module


COMMANDS = dict(files_of(commands))
STAGES = [found.name for found in pkgutil.iter_modules(stages.__path__)]


def parsed(line):
    """The function that a command line runs, and its options."""
    words = shlex.split(line.partition(" > ")[0])
    words = words[words.index("labelrisk") + 1 :]
    options = vars(parser_of(words[0]).parse_args(words))
    return options.pop("run"), options


def test_these_commands_are_found():
    plain = {"agreement", "check", "compare", "findings", "names", "plan", "probe", "repro", "sample", "table", "vega"}
    plain |= {"curves", "estimate", "slice", "why", "completion", "init"}
    plain |= {"share", "check-remote", "check-lock", "comment", "code", "diff", "review", "doctor", "studies"}
    plain |= {"predict", "export", "students"}
    assert set(COMMANDS) == plain | {f"cache {of}" for of in ("compact", "export", "import", "prune", "show", "verify")}


@pytest.mark.parametrize("words", COMMANDS)
def test_a_command_keeps_the_contract(words, capsys):
    command = COMMANDS[words]
    for line in command.EXAMPLE.replace("\\\n", "").splitlines():
        assert f"labelrisk {words}" in line
        run, options = parsed(line)
        assert run is command.run
        assert {"params", *options} == set(inspect.signature(run).parameters)
    with pytest.raises(SystemExit) as stopped:
        main([*words.split(), "--help"])
    assert stopped.value.code == 0
    assert capsys.readouterr().out.endswith(f"\n\nexample:\n{textwrap.indent(command.EXAMPLE, '  ')}\n")


def test_help_fits_80_columns(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    listed = [[], ["cache"], *(words.split() for words in COMMANDS)]
    for words in listed:
        with pytest.raises(SystemExit):
            main([*words, "--help"])
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 80


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_has_an_option_for_each_parameter(stage, capsys):
    module = importlib.import_module(f"labelrisk.stages.{stage}")
    parameters = list(inspect.signature(module.run).parameters)[1:]
    words = [word for number, name in enumerate(parameters) for word in (f"--{name}", str(number))]
    _, options = parsed(shlex.join(["labelrisk", stage, *words]))
    assert list(options) == parameters
    with pytest.raises(SystemExit) as stopped:
        main([stage, *words[:-2]])
    assert stopped.value.code == 2
    assert f"the following arguments are required: --{parameters[-1]}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["sample", "--rows", "5", "--out", "s.csv", "--seed", "-1"], "'-1' is no whole number from 0 on"),
        (["agreement", "a.csv", "--annotator", "a", "--seed", "x"], "argument --seed: invalid seed value: 'x'"),
        (["\x1b[2J"], "argument command: invalid choice: '\\x1b[2J'"),
        ([], "the following arguments are required: command"),
        (["nonsense"], "argument command: invalid choice: 'nonsense'"),
        (["cache"], "the following arguments are required: action"),
        (["cache", "nonsense"], "argument action: invalid choice: 'nonsense'"),
    ],
)
def test_words_that_name_no_command_are_one_sentence(words, says, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(words)
    assert stopped.value.code == 2
    assert says in capsys.readouterr().err


COMMAND = """
HELP = "say it"
EXAMPLE = "labelrisk hello --word you"
def arguments(parser):
    parser.add_argument("--word", default="world")
def run(params, word):
    if word == "nobody":
        raise KeyboardInterrupt
    print(f"hello {word} of {params}")
"""
STAGE = """
from pathlib import Path
def run(settings, name: str, seed: int, out: Path) -> None:
    print(f"{len(settings.seeds)} {name} {seed + 1} {out.suffix}")
"""


def test_a_new_file_is_a_new_command(tmp_path, monkeypatch, capsys):
    (tmp_path / "hello.py").write_text(COMMAND)
    monkeypatch.setattr(commands, "__path__", [*commands.__path__, str(tmp_path)])
    assert main(["hello", "--word", "you"]) == 0
    assert capsys.readouterr().out == "hello you of params.yaml\n"
    assert main(["hello", "--word", "nobody"]) == 130
    assert capsys.readouterr().err.startswith("\nlabelrisk hello: interrupted; ")


def test_a_new_file_is_a_new_stage(tmp_path, monkeypatch, capsys):
    (tmp_path / "polish.py").write_text(STAGE)
    monkeypatch.setattr(stages, "__path__", [*stages.__path__, str(tmp_path)])
    write_study(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert main(["polish", "--name", "x", "--seed", "1", "--out", "y.csv"]) == 0
    assert capsys.readouterr().out == "2 x 2 .csv\n"


@pytest.mark.parametrize(
    ("stage", "option", "says"),
    [
        ("filter", "source", "--source is 'nope', which params.yaml does not declare; use one of: gold, model"),
        ("annotate", "annotator", "--annotator is 'nope'"),
        ("merge", "panel", "--panel is 'nope'"),
        ("baseline", "kind", "--kind is 'nope', which params.yaml does not declare; use one of: words"),
    ],
)
def test_a_stage_of_what_is_not_declared_is_one_sentence(stage, option, says, tmp_path, monkeypatch, capsys):
    write_study(tmp_path)
    monkeypatch.chdir(tmp_path)
    parameters = list(inspect.signature(importlib.import_module(f"labelrisk.stages.{stage}").run).parameters)[1:]
    assert main([stage, *(word for name in parameters for word in (f"--{name}", "nope"))]) == 1
    said = capsys.readouterr().err
    assert says in said
    assert said.count("\n") == 1
