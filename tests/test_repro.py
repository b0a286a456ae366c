"""`labelrisk repro`: what it says last, and signals that it passes on."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from dvc_study import ENVIRONMENT, write_dvc
from faulty_study import wait_for
from study_files import write_study

from labelrisk import cli


def test_the_last_word_is_that_of_the_stage_that_failed(tmp_path, project, monkeypatch, capfd):
    """Not DVC's, which says that something failed, and how its command begins."""
    monkeypatch.chdir(tmp_path)
    write_study(tmp_path)
    write_dvc(tmp_path, project)
    subprocess.run(["git", "init", "-q"], env=ENVIRONMENT, check=True)
    pipeline = yaml.safe_load(Path("dvc.yaml").read_text())
    pipeline["stages"]["filter"] = {"cmd": "true", "deps": ["data/prepared"]}
    Path("dvc.yaml").write_text(yaml.safe_dump(pipeline))
    monkeypatch.setenv("PYTHONPATH", str(project / "src"))
    Path("texts.csv").write_text("text,gold\na,weather\n,food\n")
    assert cli.main(["repro"]) == 1
    said = capfd.readouterr().err.splitlines()
    assert said[-1].startswith("labelrisk repro: prepare: texts.csv, line 3: the text is missing or blank")
    assert any("failed to reproduce" in line for line in said[:-1])
    assert "LABELRISK_LAST_WORDS" not in os.environ


STAND_IN = """
import signal, subprocess, sys, time
from pathlib import Path
from labelrisk import cli
from labelrisk.commands import _dvc

# as DVC: deaf to interrupts while its command runs; the command notes what it got
STAGE = '''
import signal, sys, time
from pathlib import Path
got = []
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, lambda number, frame: got.append(number))
Path("begun").touch()
while not got:
    time.sleep(0.02)
time.sleep(0.5)
Path("got").write_text(" ".join(str(int(number)) for number in got))
'''
LIKE_DVC = "import signal, subprocess, sys; command = subprocess.Popen([sys.executable, *sys.argv[1:]]);"
LIKE_DVC += "signal.signal(signal.SIGINT, signal.SIG_IGN); sys.exit(command.wait())"
_dvc.DVC = [sys.executable, "-c", LIKE_DVC]

def _run(words):
    with _dvc.told_to_end():
        _dvc.run_dvc("-c", STAGE, "labelrisk")

cli._run = _run
sys.exit(cli.main(["repro"]))
"""


@pytest.mark.parametrize(("to", "number"), [("alone", 15), ("group", 15), ("group", 2)])
def test_a_stage_is_told_once_and_awaited(tmp_path, project, to, number):
    """Whether a signal goes to `labelrisk repro` alone, or to all, as from a terminal or `timeout`."""
    environment = os.environ | {"PYTHONPATH": str(project / "src")}
    process = subprocess.Popen(
        [sys.executable, "-c", STAND_IN],
        cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True, process_group=0,
    )  # fmt: skip
    wait_for((tmp_path / "begun").exists)
    os.kill(process.pid, number) if to == "alone" else os.killpg(process.pid, number)
    _, said = process.communicate(timeout=20)
    assert said.splitlines()[1:] == ["labelrisk repro: interrupted; what was done is kept, run again to go on"]
    assert process.returncode == 128 + number
    assert (tmp_path / "got").exists()  # it was awaited
