"""`labelrisk completion`: what a shell offers at the TAB key, asked of a real bash."""

import shlex
import shutil
import subprocess

import pytest
import yaml
from study_files import params

from labelrisk.cli import main
from labelrisk.commands.completion import SHELLS

WORDS = """
source {script}
offered() {{ COMP_WORDS=("$@"); COMP_CWORD=$(( $# - 1 )); _shtab_labelrisk; echo "${{COMPREPLY[*]}}"; }}
"""


@pytest.fixture(scope="module")
def script(tmp_path_factory):
    """The script for bash, and a study beside it."""
    folder = tmp_path_factory.mktemp("completion")
    with pytest.MonkeyPatch.context() as patch, (folder / "labelrisk.bash").open("w") as file:
        patch.setattr("sys.stdout", file)
        assert main(["completion", "bash"]) == 0
    content = params() | {"panels": {"trio": {"members": ["gold", "model"]}}}
    (folder / "params.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
    (folder / "metrics").mkdir()
    return folder / "labelrisk.bash"


@pytest.fixture(scope="module")
def offers(script):
    """What is offered behind each of some command lines, by line."""
    lines = [line for line, _ in OFFERED]
    asked = WORDS.format(script=script) + "\n".join(f"offered {shlex.join(_words(line))}" for line in lines)
    done = subprocess.run(["bash", "-c", asked], cwd=script.parent, capture_output=True, text=True, check=True)
    return dict(zip(lines, done.stdout.splitlines(), strict=True))


def _words(line):
    """The words of a line; one that ends in a space is followed by an empty word, which is to be completed."""
    return [*line.split(), ""] if line.endswith(" ") else line.split()


OFFERED = [
    ("labelrisk tab", "table"),
    ("labelrisk table --ma", "--markdown"),
    ("labelrisk table --met", "--metrics"),
    ("labelrisk table --metrics met", "metrics"),
    ("labelrisk train --st", "--store"),
    ("labelrisk cache im", "import"),
    ("labelrisk sample --design u", "uncertainty"),
    ("labelrisk plan --annotator ", "gold model trio"),
    ("labelrisk annotate --annotator mo", "model"),
    ("labelrisk train --source g", "gold"),
    ("labelrisk merge --panel ", "trio"),
    ("labelrisk completion z", "zsh"),
]


@pytest.mark.parametrize(("line", "expected"), OFFERED)
def test_bash_offers(offers, line, expected):
    assert offers[line] == expected


def test_without_a_study_no_name_is_offered(script, tmp_path):
    asked = WORDS.format(script=script) + "offered labelrisk plan --annotator ''"
    done = subprocess.run(["bash", "-c", asked], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert (done.stdout.strip(), done.stderr) == ("", "")


@pytest.mark.parametrize("shell", SHELLS)
def test_each_shell_has_a_script_that_it_accepts(shell, capsys, tmp_path):
    assert main(["completion", shell]) == 0
    printed = capsys.readouterr().out
    assert "markdown" in printed
    if shutil.which(shell):
        (tmp_path / "script").write_text(printed)
        subprocess.run([shell, "-n", str(tmp_path / "script")], check=True, timeout=20)


def test_another_shell_is_refused(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["completion", "csh"])
    assert stopped.value.code == 2
    assert "invalid choice: 'csh'" in capsys.readouterr().err
