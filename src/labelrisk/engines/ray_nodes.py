"""What the nodes of a Ray cluster have, held against what one task needs."""

from __future__ import annotations

import time

import ray

from labelrisk.engines.contract import Needs
from labelrisk.errors import LabelRiskError, shown

JOINING = 10.0  # seconds that a node may take to join which was started with the others
REPLACED = 300.0  # seconds in which a launcher replaces nodes that were there and died
FRESH = 2.0  # seconds for which what nodes have is remembered
GB = 10**9


class Nodes:
    """The nodes that are alive, looked up anew as time goes by: they come and go."""

    def __init__(self, needs: Needs) -> None:
        self._asked = {"CPU": float(needs.cores), "GPU": needs.gpus, "memory": needs.memory or 0.0}
        self._looked = float("-inf")
        self._fitted, self._patience = time.monotonic(), JOINING
        self._alive: list[dict[str, float]] = []

    def at_once(self) -> int:
        """Tasks that all nodes together can compute at once.

        Raises LabelRiskError when for some time no node has had what one task needs: Ray would wait for ever.
        """
        now = time.monotonic()
        if now - self._looked > FRESH:
            self._looked = now
            self._alive = [node["Resources"] for node in ray.nodes() if node["Alive"]]
        found = sum(self._fitting(node) for node in self._alive)
        if found:
            self._fitted, self._patience = now, REPLACED
        elif now - self._fitted > self._patience:
            raise LabelRiskError(
                f"no node of the Ray cluster has what one task needs, {self._worded(self._asked)}; "
                f"there {self._there()}; ask for less (engine.gpus, train.threads), or add such a node"
            )
        return found

    def _fitting(self, node: dict[str, float]) -> int:
        """Tasks that one node can compute at once."""
        return int(min(node.get(name, 0.0) // asked for name, asked in self._asked.items() if asked))

    def _there(self) -> str:
        kinds = sorted({self._worded(node) for node in self._alive})
        return f"are nodes of {shown('; of '.join(kinds), 150)}" if kinds else "is no node"

    def _worded(self, resources: dict[str, float]) -> str:
        """Of what a node has or a task needs, that which is asked for."""
        amounts = [(name, resources.get(name, 0.0)) for name, asked in self._asked.items() if asked]
        return " and ".join(
            f"{amount / GB:.1f} GB" if name == "memory" else f"{amount:g} {name}" for name, amount in amounts
        )
