"""SIGTERM and SIGHUP do what Ctrl-C does: answers in flight are stored, nothing half-written stays, a second ends."""

import os
import signal
import subprocess
import sys
import time

import pandas as pd
import pytest
from faulty_replies import right, slowly
from faulty_study import output_of, study_in, wait_for
from loopback import served
from pathspec.gitignore import GitIgnoreSpec

from labelrisk.files import written_aside

SAID = "interrupted; what was done is kept, run again to go on"


@pytest.fixture
def study(tmp_path, monkeypatch, project):
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)  # under nohup it is ignored, which processes inherit
    yield study_in(tmp_path, monkeypatch, project)
    signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_answers_in_flight_are_stored(study, number):
    study.prepare(80)
    with served(slowly(0.15)) as ledger:
        study.declare(ledger.url, {"concurrency": 8})
        process = study.start()
        wait_for(lambda: ledger.paid >= 20)
        wait_for(lambda: ledger.in_flight >= 4)
        process.send_signal(number)
        code, output = output_of(process)
        assert code == 128 + number
        assert "waiting for the answers in flight" in output
        assert output.rstrip().endswith(SAID)
        assert "Traceback" not in output
        stopped = ledger.paid
        assert 20 <= study.stored_answers() == stopped < 80
        code, output = output_of(study.start())
        assert code == 0, output
    assert set(ledger.answered.values()) == {1}
    study.is_right(pd.read_parquet("labels.parquet"))
    assert study.spending().lost == 0


def test_a_group_that_is_ended_twice_at_once_is_ended_once(study):
    """As by `timeout`, or a parent that passes on what its whole group has got."""
    study.prepare(60)
    with served(slowly(0.3)) as ledger:
        study.declare(ledger.url, {"concurrency": 4})
        process = study.start()
        wait_for(lambda: ledger.paid >= 4 and ledger.in_flight == 4)
        process.send_signal(signal.SIGTERM)
        time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        code, output = output_of(process)
        assert code == 143, output
        assert study.stored_answers() == ledger.paid
    assert study.spending().lost == 0


def test_a_second_signal_leaves_at_once(study):
    study.prepare(60)
    with served(slowly(0, lambda text, before: (time.sleep(0 if ledger.paid < 10 else 4), right(text))[1])) as ledger:
        study.declare(ledger.url, {"concurrency": 4, "timeout": 30})
        process = study.start()
        wait_for(lambda: ledger.paid >= 10 and ledger.in_flight == 4)
        started = time.monotonic()
        for _ in range(2):
            process.send_signal(signal.SIGTERM)
            time.sleep(0.5)
        code, output = output_of(process)
        assert time.monotonic() - started < 3.5
        assert code == 143, output
        assert "Traceback" not in output


def test_what_is_ignored_stays_so(study):
    """nohup ignores SIGHUP; a script's background job ignores Ctrl-C, but not SIGTERM."""
    study.prepare(30)

    def detached():
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    with served(slowly(0.2)) as ledger:
        study.declare(ledger.url, {"concurrency": 2})
        command = [sys.executable, "-m", "labelrisk", *study.arguments()]
        process = subprocess.Popen(command, env=study.environment, stdout=-1, stderr=-1, text=True, preexec_fn=detached)
        wait_for(lambda: ledger.paid >= 4)
        process.send_signal(signal.SIGHUP)
        before = ledger.paid
        wait_for(lambda: ledger.paid >= before + 6)
        process.send_signal(signal.SIGTERM)
        code, output = output_of(process)
    assert code == 143, output
    assert ledger.paid < 30


HALF = """
import signal, sys, time
from pathlib import Path
from labelrisk import cli, commands
from labelrisk.files import written_aside

def _run(words):
    with written_aside(Path(words[0])) as aside:
        aside.mkdir()
        (aside / "weights").write_text("half")
        print("begun", flush=True)
        time.sleep(60)

cli._run = _run
sys.exit(cli.main(sys.argv[1:]))
"""


def half_written(target, project, **options):
    environment = os.environ | {"PYTHONPATH": str(project / "src")}
    process = subprocess.Popen(
        [sys.executable, "-c", HALF, str(target)],
        env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options,
    )  # fmt: skip
    assert process.stdout.readline() == "begun\n"
    return process


@pytest.mark.parametrize("handler", [signal.SIG_DFL, signal.SIG_IGN])
def test_sigterm_leaves_nothing_half_written(tmp_path, project, handler):
    """Also of a script's background job, which ignores Ctrl-C."""
    process = half_written(tmp_path / "model", project, preexec_fn=lambda: signal.signal(signal.SIGINT, handler))
    process.send_signal(signal.SIGTERM)
    code, output = output_of(process)
    assert code == 143
    assert output.count("\n") == 2  # the line of ^C, and the sentence
    assert SAID in output
    assert not list(tmp_path.iterdir())


def test_what_a_killed_process_leaves_is_hidden_from_dvc_and_removed_by_the_next(tmp_path, project):
    target = tmp_path / "model"
    process, other = half_written(target, project), half_written(target, project)
    process.kill()
    process.communicate()
    left = sorted(path.name for path in tmp_path.iterdir())
    assert len(left) == 2
    ignored = GitIgnoreSpec.from_lines((project / ".dvcignore").read_text().splitlines())  # as DVC reads it
    assert all(ignored.match_file(f"data/predictions/gold/{name}") for name in left)
    assert not ignored.match_file("data/predictions/gold/0.parquet")
    with written_aside(target) as aside:
        aside.write_text("whole")
    assert target.read_text() == "whole"
    assert [str(other.pid) in path.name for path in tmp_path.iterdir() if path != target] == [True]
    other.terminate()
    other.communicate()
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
