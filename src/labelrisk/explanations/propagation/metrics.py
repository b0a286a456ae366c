"""Followed errors as JSON."""

from __future__ import annotations

from typing import Any

from labelrisk.explanations.numbers import interval_json
from labelrisk.explanations.propagation.chance import Predictability, RandomCost
from labelrisk.explanations.propagation.followed_errors import Followed, OfSource
from labelrisk.explanations.propagation.look_alike_errors import LookAlikes
from labelrisk.explanations.propagation.repeated_errors import Compared
from labelrisk.explanations.propagation.terms import ErrorTerms
from labelrisk.statistics.intervals import Interval
from labelrisk.statistics.scores import rounded

Numbers = dict[str, Any]


def metrics_of(of: Followed) -> Numbers:
    """Of one annotator."""
    return {
        "wrong_rows": int(of.errors.wrong.sum()),
        "right_rows": int(of.errors.right.sum()),
        "gold": of.errors.gold,
        "look_alikes_wrong": {name: _interval(found) for name, found in of.rates._asdict().items()},
        "predictability": _predictability(of.predictable),
        "sources": {name: _source(one) for name, one in of.sources.items()},
    }


def _source(one: OfSource) -> Numbers:
    repeats = one.repeats
    shares = {name: getattr(repeats, name) for name in ("repeated", "excess", "corrected", "invented", "consistency")}
    return {
        "kind": one.kind,
        **{name: _compared(found) for name, found in shares.items()},
        "decision": one.taught.decision if one.taught else None,
        "chance": rounded(repeats.chance),
        "gold_chance": rounded(repeats.gold_chance),
        "look_alikes": _look_alikes(one.look_alikes),
        "terms": [_terms(found) for found in one.terms],
        "random": _random(one.random),
    }


def _look_alikes(near: LookAlikes) -> Numbers:
    return {
        "wrong_rows": near.wrong_rows,
        "right_rows": near.right_rows,
        "corrected": _compared(near.corrected),
        "invented": _compared(near.invented),
    }


def _terms(found: ErrorTerms) -> Numbers:
    intervals = ("total", "annotator", "estimation", "remainder", "larger", "at_least", "misses")
    return {
        "rows": found.rows,
        "smoothing": found.smoothing,
        "zeros": rounded(found.zeros),
        **{name: _interval(getattr(found, name)) for name in intervals},
    }


def _random(found: RandomCost | None) -> Numbers | None:
    if found is None:
        return None
    return {
        "twin": found.twin,
        "gap": _interval(found.gap),
        "twin_gap": _interval(found.twin_gap),
        "share": _interval(found.share),
    }


def _predictability(found: Predictability | None) -> Numbers | None:
    if found is None:
        return None
    auc = {"auc": _interval(found.auc), "auc_within_classes": _interval(found.within)}
    return {"train_rows": found.rows, "errors": found.errors} | auc


def _compared(found: Compared) -> Numbers:
    return {name: _interval(of) for name, of in found._asdict().items()}


def _interval(found: Interval | None) -> Numbers | None:
    return None if found is None else interval_json(found)
