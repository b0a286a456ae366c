"""What ends a driver, a worker or a whole cluster, for real; the table of docs/howto/many_machines.md."""

import os
import signal
import socket
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import psutil
import pytest
import ray_tasks
from ray_nodes import two_nodes, wait_for

from labelrisk.errors import LabelRiskError

ray = pytest.importorskip("ray", reason="ray is not installed (labelrisk[ray])")
pytestmark = pytest.mark.slow  # of all this, test_ray.py holds what needs no cluster
GIB = 2**30
DRIVER = (
    "import sys; from functools import partial; import ray_tasks\nfrom labelrisk.engines.kinds import opened\n"
    "from labelrisk.settings.engine import EngineSettings\n"
    "address, folder, seconds = sys.argv[1] or None, sys.argv[2], float(sys.argv[3])\n"
    "with opened(EngineSettings(kind='ray', address=address)) as engine:\n"
    "    for place, _ in engine.results(partial(ray_tasks.sleep, folder, seconds), range(8), ray_tasks.ONE):\n"
    "        print(place, flush=True)\n"
)


@pytest.fixture
def start(project, tmp_path):
    """Starts a driver in a process of its own; what is still there at the end is ended."""
    started = []

    def begin(address="", seconds=60.0, **environment):
        own = {name: value for name, value in os.environ.items() if name != "RAY_ADDRESS"}
        own |= {"PYTHONPATH": f"{project / 'src'}:{project / 'tests'}", **environment}
        command = [sys.executable, "-c", DRIVER, address, str(tmp_path), str(seconds)]
        started.append(subprocess.Popen(command, env=own, stdout=-1, stderr=-1, text=True, start_new_session=True))
        return started[-1]

    yield begin
    for process in started:
        process.kill()
        process.wait()


def test_a_worker_that_takes_too_much_memory_is_one_sentence(tmp_path, monkeypatch):
    memory = psutil.virtual_memory()
    used = (memory.total - memory.available) / memory.total
    monkeypatch.setenv("RAY_memory_usage_threshold", f"{used + 2 * GIB / memory.total:.3f}")
    monkeypatch.setenv("RAY_memory_monitor_refresh_ms", "100")
    allocate = partial(ray_tasks.allocate, tmp_path, 4 * GIB)
    with two_nodes() as nodes, nodes.engine() as engine, pytest.raises(LabelRiskError) as caught:
        list(engine.results(allocate, ["the student of source 'gold' with seed 3"], ray_tasks.ONE))
    assert str(caught.value) == (
        "the student of source 'gold' with seed 3: its node ran out of memory, 3 times; "
        "give engine.jobs fewer at once, or the nodes more memory, and run again"
    )
    assert len(ray_tasks.begun(tmp_path)) == 3


def test_a_driver_that_is_killed_leaves_no_task_behind_and_the_cluster_takes_the_next(start, tmp_path):
    with two_nodes() as nodes:
        driver = start(nodes.address)
        wait_for(lambda: len(ray_tasks.begun(tmp_path)) == 2)
        driver.kill()
        processes = [process for _, process, _ in ray_tasks.begun(tmp_path)]
        wait_for(lambda: not any(map(psutil.pid_exists, processes)))
        with nodes.engine() as engine:
            assert len(list(engine.results(ray_tasks.square, range(4), ray_tasks.ONE))) == 4


def test_a_head_that_is_killed_ends_the_driver_within_two_minutes(start, tmp_path):
    with two_nodes() as nodes:
        driver = start(nodes.address, 0.5)
        assert driver.stdout.readline()
        nodes.kill_head()
        _, said = driver.communicate(timeout=150)
    assert driver.returncode not in (0, None)
    assert "Failed to connect to GCS" in said


def test_a_ray_of_its_own_is_started_and_ends_with_a_driver_that_is_killed(start, tmp_path):
    driver = start()
    wait_for(lambda: ray_tasks.begun(tmp_path))
    family = psutil.Process(driver.pid).children(recursive=True)
    assert any("raylet" in process.name() for process in family)
    driver.kill()
    _, alive = psutil.wait_procs(family, timeout=150)  # its agents give up last
    assert not alive


def test_sigterm_is_heard_by_labelrisk_and_not_by_ray(start, tmp_path):
    driver = start()
    wait_for(lambda: ray_tasks.begun(tmp_path))
    driver.send_signal(signal.SIGTERM)
    assert driver.wait(timeout=20) == -signal.SIGTERM


def test_keys_of_the_environment_are_in_no_file_of_ray_and_the_terminal_stays_quiet(start, tmp_path):
    secret = "sk-proj-of-the-owner-9Xk2"
    with two_nodes() as nodes:
        session = Path(nodes.session)
        driver = start(nodes.address, 0.1, OPENAI_API_KEY=secret)
        out, said = driver.communicate(timeout=60)
        assert sorted(map(int, out.split())) == list(range(8))
        assert said == ""
        files = [path for path in session.rglob("*") if path.is_file()]
        assert any(path.suffix == ".py" for path in files)  # the code that was sent
        assert not [path for path in files if secret.encode() in path.read_bytes()]
        processes = [process for _, process, _ in ray_tasks.begun(tmp_path)]
        for process in filter(psutil.pid_exists, processes):
            assert secret not in psutil.Process(process).environ().values()


def test_another_version_of_ray_is_one_sentence(monkeypatch):
    with two_nodes() as nodes:
        from ray._common.usage import usage_lib
        from ray._raylet import GcsClient

        client = GcsClient(address=nodes.address)
        monkeypatch.setattr(ray, "__version__", "2.9.0")
        usage_lib.put_cluster_metadata(client, ray_init_cluster=False)
        monkeypatch.undo()
        with pytest.raises(LabelRiskError) as caught, nodes.engine():
            pass
    said = str(caught.value)
    assert said.startswith("Ray or Python is another version on the cluster (")
    assert "2.9.0" in said
    assert ray.__version__ in said


HEAD = (
    "import sys; from ray_nodes import two_nodes\n"
    "with two_nodes() as nodes:\n    print(nodes.address, flush=True)\n    sys.stdin.read()\n"
)


def test_a_token_that_is_not_given_is_one_sentence_at_the_end(start, project):
    token = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "0123456789abcdef" * 3}
    own = os.environ | token | {"PYTHONPATH": f"{project / 'src'}:{project / 'tests'}"}
    with subprocess.Popen([sys.executable, "-c", HEAD], env=own, stdin=-1, stdout=-1, text=True) as head:
        address = head.stdout.readline().strip()
        stranger = start(address, RAY_AUTH_MODE="disabled", RAY_AUTH_TOKEN="")
        _, said = stranger.communicate(timeout=120)
        assert "wants another token, or is just starting; give this process that of the head" in said
        out, _ = start(address, 0.1, **token).communicate(timeout=120)
        assert len(out.split()) == 8
        head.stdin.close()


def test_what_is_no_cluster_is_told_at_once():
    from ray_nodes import engine_at

    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        for address, words in [
            (f"127.0.0.1:{port}", "timed out"),
            ("nobody.invalid:6379", "no Ray cluster answers at 'nobody.invalid:6379'"),
        ]:
            started = time.monotonic()
            with pytest.raises(LabelRiskError, match=words), engine_at(address):
                pass
            assert time.monotonic() - started < 8
