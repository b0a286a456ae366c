"""The ledger in the call cache: calls claimed before they are sent, and what each annotator has spent, over runs.

Nobody asks what another process is asking, and caps hold over runs and processes.
"""

from __future__ import annotations

from dataclasses import dataclass

from labelrisk.cache.calls import CallCache, Stored
from labelrisk.cache.process_locks import is_running
from labelrisk.cache.schema import BATCH_OWNER
from labelrisk.spending.caps import Caps, Spending

NO_CAPS = Caps()


@dataclass(frozen=True, slots=True)
class Reservation:
    """Whether a request may be sent: `granted`, or `found` in the cache, `busy` (another process is asking it),
    `capped` (the word says which cap).
    """

    outcome: str
    stored: Stored | None = None
    cap: str | None = None


class Ledger:
    """Claims and spending by annotator.  All that writes belongs inside a transaction of the cache."""

    def __init__(self, cache: CallCache) -> None:
        self._cache = cache
        self._claimed: tuple[str, tuple[int, int], float] | None = None  # annotator, state of the cache, sum of bounds

    def reserve(
        self, key: bytes, annotator: str, bound: float, caps: Caps, owner: str | None = None, again: bool = False
    ) -> Reservation:
        """Claim a call before it is sent, counting it at its upper bound, unless a cap forbids it.

        owner: this process unless given.  again: this process holds the claim and sends the request once more.
        """
        execute = self._cache.execute
        if stored := self._cache.find(key):
            return Reservation("found", stored)
        claim = None if again else execute("SELECT owner FROM claims WHERE key = ?", (key,)).fetchone()
        if claim and self._is_alive(claim[0]):
            return Reservation("busy")
        if claim:
            self._write_off(claim[0])
        more = 0.0 if again else bound
        claimed = 0.0 if caps.cost is None else self._claimed_cost(annotator)
        if caps != NO_CAPS and (cap := caps.exceeded(self.spending(annotator), claimed, more)):
            return Reservation("capped", cap=cap)
        if not again:
            execute("INSERT INTO claims VALUES (?, ?, ?, ?)", (key, owner or self._cache.owner, annotator, bound))
        execute(
            "INSERT INTO spent (annotator, requests) VALUES (?, 1) "
            "ON CONFLICT (annotator) DO UPDATE SET requests = requests + 1",
            (annotator,),
        )
        if caps.cost is not None:
            self._claimed = (annotator, self._cache.state(), claimed + more)
        return Reservation("granted")

    def _claimed_cost(self, annotator: str) -> float:
        """The upper bounds of an annotator's claims, summed once for reservations that follow each other directly: a
        batch makes thousands in one transaction.
        """
        if self._claimed is None or self._claimed[:2] != (annotator, self._cache.state()):
            query = "SELECT total(cost) FROM claims WHERE annotator = ?"
            claimed = self._cache.execute(query, (annotator,)).fetchone()[0]
            self._claimed = (annotator, self._cache.state(), claimed)
        return self._claimed[2]

    def settle(self, key: bytes, annotator: str, cost: float, sent: bool = True) -> None:
        """Give a claim back and count what its request cost, at most; one that was never sent was none."""
        self._cache.execute("DELETE FROM claims WHERE key = ?", (key,))
        self.add_cost(annotator, cost)
        if not sent:
            self._cache.execute("UPDATE spent SET requests = requests - 1 WHERE annotator = ?", (annotator,))

    def add_cost(self, annotator: str, cost: float) -> None:
        """Count a cost that was or may have been paid."""
        self._cache.execute("UPDATE spent SET cost = cost + ? WHERE annotator = ?", (cost, annotator))

    def spending(self, annotator: str) -> Spending:
        """What an annotator has spent here so far; requests in flight count as requests, their cost does not yet."""
        query = "SELECT requests, cost, lost FROM spent WHERE annotator = ?"
        row = self._cache.execute(query, (annotator,)).fetchone()
        return Spending(*row) if row else Spending()

    def write_off_dead(self) -> int:
        """Count what processes that died had in flight as paid at its upper bound; return how many requests."""
        owners = [owner for (owner,) in self._cache.execute("SELECT DISTINCT owner FROM claims")]
        return sum(self._write_off(owner) for owner in owners if not self._is_alive(owner))

    def _write_off(self, owner: str) -> int:
        self._cache.execute(
            "UPDATE spent SET cost = spent.cost + c.cost, lost = spent.lost + c.n FROM "
            "(SELECT annotator, sum(cost) AS cost, count(*) AS n FROM claims WHERE owner = ? GROUP BY annotator) AS c "
            "WHERE spent.annotator = c.annotator",
            (owner,),
        )
        return self._cache.execute("DELETE FROM claims WHERE owner = ?", (owner,)).rowcount

    def _is_alive(self, owner: str) -> bool:
        if owner == self._cache.owner:
            return True
        if owner.startswith(BATCH_OWNER):
            query = "SELECT 1 FROM batches WHERE token = ?"
            return self._cache.execute(query, (owner.removeprefix(BATCH_OWNER),)).fetchone() is not None
        return is_running(self._cache.locks, owner)
