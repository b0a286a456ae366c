"""The tables and the JSON of certificates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from labelrisk.explanations.certificates.certified_sets import SetScores
from labelrisk.explanations.certificates.certified_use import Bound, Certificate, Use, new_seed_confidence
from labelrisk.statistics.scores import rounded
from labelrisk.statistics.shares import Share

DECISIONS = ("held", "broken", "not shown")


def error_rows(found: Sequence[Certificate], seeds: Sequence[int]) -> pd.DataFrame:
    """A row for each vote, annotator and student: its errors, their share, its bound, and the bound for all together.

    together: of votes and annotators all of these, of students those of their source.
    """

    def rows() -> Iterator[dict[str, Any]]:
        for one in found:
            every: list[tuple[str, int | None, Bound]] = [(one.answers.kind, None, one.vote)]
            every += [("student", seed, student) for seed, student in zip(seeds, one.students, strict=False)]
            for kind, seed, bound in every:
                shares = {name: rounded(of) for name, of in bound._asdict().items() if name != "errors"}
                counts = {"rows": len(one.answers.wrong), "errors": bound.errors}
                yield {"name": one.answers.name, "kind": kind, "seed": seed} | counts | shares

    return pd.DataFrame(rows()).astype({"seed": "Int64"})


def threshold_rows(found: Sequence[Certificate], confidence: float) -> pd.DataFrame:
    """A row for each threshold of each way of answering, the strictest first; `chosen`: the certified one to use."""
    from labelrisk.statistics.shares import wilson

    def rows() -> Iterator[dict[str, Any]]:
        for one in found:
            if one.use is None:
                continue
            of, total = one.use.tested, len(one.answers.wrong)
            for at, threshold in enumerate(of.thresholds):
                answered = wilson(int(of.answered[at]), total, confidence)
                yield {"name": one.answers.name, "kind": one.answers.kind, "threshold": float(threshold)} | {
                    "answered": int(of.answered[at]),
                    **_with_ends("share", answered),
                    "errors": int(of.errors[at]),
                    "p": float(f"{of.p[at]:.3g}"),
                    "certified": bool(of.certified[at]),
                    "chosen": at == of.chosen,
                }

    return pd.DataFrame(rows())


def slice_rows(found: Sequence[Certificate]) -> pd.DataFrame:
    """A row for each slice of each way of answering that has a certified threshold."""
    return pd.DataFrame(
        {
            "name": one.answers.name,
            "kind": one.answers.kind,
            "column": on.of.column,
            "slice": on.of.name,
            "rows": len(on.of.rows),
            "answered": on.risk.answered,
            **_with_ends("share", on.answered),
            "errors": on.risk.errors,
            "low": rounded(on.risk.low),
            "high": rounded(on.risk.high),
            "decision": on.decision,
        }
        for one in found
        if one.use is not None
        for on in one.use.slices
    )


def set_rows(sets: Mapping[str, Sequence[SetScores]], classes: Sequence[str]) -> pd.DataFrame:
    """A row for each source and promise, with no class, and for each class that has rows."""

    def rows() -> Iterator[dict[str, Any]]:
        for name, every in sets.items():
            for one in every:
                size = {end: rounded(getattr(one.size, of)) for end, of in SIZES.items()}
                shares = _with_ends("single", one.single) | _with_ends("empty", one.empty)
                start = {"name": name, "promise": one.promise}
                yield start | {"class": None} | _with_ends("coverage", one.coverage) | size | shares
                for label, share in zip(classes, one.by_class, strict=True):
                    if share is not None:
                        yield start | {"class": label} | _with_ends("coverage", share)

    return pd.DataFrame(rows())


SIZES = {"size": "estimate", "size_low": "low", "size_high": "high"}


def as_json(one: Certificate, sets: Sequence[SetScores], confidence: float) -> dict[str, Any]:
    """What is certified of one way of answering."""
    found: dict[str, Any] = {"error": _bound(one.vote)}
    if one.students:
        sure = new_seed_confidence(len(one.students), confidence)
        found["students"] = [_bound(student) for student in one.students]
        found["worst_student"] = rounded(one.worst)
        found["new_seed"] = {"bound": rounded(one.worst), "confidence": rounded(sure)}
    found["selective_use"] = None if one.use is None else _use(one.use)
    if sets:
        found["sets"] = {
            of.promise: {
                "size": rounded(of.size.estimate),
                "single": rounded(of.single.share),
                "empty": rounded(of.empty.share),
                "coverage": rounded(of.coverage.share),
                "least_covered_class": min(
                    (rounded(share.share) or 0.0 for share in of.by_class if share), default=None
                ),
            }
            for of in sets
        }
    return found


def _bound(of: Bound) -> dict[str, float | None]:
    return {"error": rounded(of.error), "bound": rounded(of.bound), "together": rounded(of.together)}


def _use(use: Use) -> dict[str, Any]:
    at = use.tested.chosen
    if at is None:
        return {"threshold": None, "rows_needed": use.needed}
    counts = {word: sum(on.decision == word for on in use.slices) for word in DECISIONS}
    return {
        "threshold": float(use.tested.thresholds[at]),
        **(_with_ends("share", use.answered) if use.answered else {}),
        "share_together": rounded(use.together),
        "error": rounded(use.error),
        "slices": counts if use.slices else None,
    }


def _with_ends(name: str, share: Share) -> dict[str, float | None]:
    return {name: rounded(share.share), f"{name}_low": rounded(share.low), f"{name}_high": rounded(share.high)}
