"""A real Ray cluster of two nodes on loopback: two raylets, each with an object store of its own."""

import os
import signal
import time
from contextlib import contextmanager
from pathlib import Path

from labelrisk.engines.kinds import opened
from labelrisk.settings.engine import EngineSettings

STORE = 80 * 2**20  # bytes
MEMORY = 8 * 2**30  # what a node says it has


class TwoNodes:
    """A head and a worker node of one core each."""

    def __init__(self, cores=1, gpus=0):
        os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
        from ray.cluster_utils import Cluster

        os.environ["PYTHONPATH"] = str(Path(__file__).parent)  # of all that nodes start: where ray_tasks.py is

        self._kind = {"num_cpus": cores, "object_store_memory": STORE, "memory": MEMORY, "include_dashboard": False}
        self._cluster = Cluster(initialize_head=True, head_node_args=self._kind)
        self.address = self._cluster.address
        self.other = self.add(num_gpus=gpus)

    def add(self, **kind):
        """One more node."""
        kind = {name: value for name, value in (self._kind | kind).items() if name != "include_dashboard"}
        return self._cluster.add_node(**kind)

    def kill(self, node):
        """As the system ends it where memory or power is out."""
        os.kill(node.all_processes["raylet"][0].process.pid, signal.SIGKILL)

    def kill_head(self):
        """With what knows of all nodes and tasks."""
        for kind in ("raylet", "gcs_server"):
            os.kill(self._cluster.head_node.all_processes[kind][0].process.pid, signal.SIGKILL)

    @property
    def session(self):
        """The folder of all logs and of the code that was sent."""
        return self._cluster.head_node.get_session_dir_path()

    def engine(self, **changes):
        return engine_at(self.address, **changes)

    def down(self):
        self._cluster.shutdown()


def engine_at(address, **changes):
    """An engine of the cluster at an address."""
    return opened(EngineSettings(kind="ray", address=address, **changes))


@contextmanager
def two_nodes(cores=1, gpus=0):
    nodes = TwoNodes(cores, gpus)
    try:
        yield nodes
    finally:
        nodes.down()


def wait_for(condition, timeout=30.0):
    """Wait until condition() holds."""
    limit = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < limit, "it did not come to pass"
        time.sleep(0.05)
