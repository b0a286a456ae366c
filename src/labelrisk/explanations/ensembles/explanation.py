"""ensembles: students put together by vote, by weights and by stacking; how stable that is; what it costs."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from labelrisk.comparison.chosen_ensemble import chosen_ensemble, members_of, validation_scores
from labelrisk.comparison.claims.contract import Finding, cases
from labelrisk.comparison.findings import finding
from labelrisk.comparison.study import Study
from labelrisk.explanations.contract import Explanation
from labelrisk.explanations.ensembles.distilled_student import Distilled, distilled_student
from labelrisk.explanations.ensembles.gains import Gains, closes_gap, gains
from labelrisk.explanations.ensembles.picture import draw_ensembles
from labelrisk.explanations.ensembles.pools import TOGETHER, WAYS, Pool, Said, pool_of, pools
from labelrisk.explanations.ensembles.redraws import all_said, all_sizes
from labelrisk.explanations.ensembles.sentences import sentences
from labelrisk.explanations.ensembles.sizes import Size, alpha_of_five
from labelrisk.explanations.evidence import Evidence
from labelrisk.statistics.intervals import Interval
from labelrisk.statistics.scores import rounded

Sizes = Mapping[str, list[Size]]


def ensembles(evidence: Evidence) -> Explanation:
    """Each source's students together, and several sources'; ensembles of fewer, drawn anew; the distilled student."""
    study, settings, how = evidence.study, evidence.settings.ensembles, evidence.study.settings.evaluate
    every = {pool.name: pool for pool in pools(study)}
    said = all_said(every, settings, evidence.engine)
    found = gains(every, said, how.margin, how.confidence)
    of_sizes = all_sizes(study, settings, evidence.engine)
    validation = {source: students.validation for source, students in study.students.items()}
    on_validation = validation_scores(validation, study.validation.gold, len(study.classes))
    chosen = chosen_ensemble(study.settings, on_validation)
    pool = every.get(chosen) or pool_of(study, chosen, members_of(study.settings, chosen))
    distilled = distilled_student(evidence, pool)
    table = _table(every, found)
    return Explanation(
        says=sentences(study, every, found, of_sizes, on_validation, chosen, distilled),
        metrics={
            "chosen": chosen,
            "chosen_on_validation": {source: rounded(score) for source, score in on_validation.items()},
            "ensembles": _metrics(table),
            "stability": {source: [_of_size(one) for one in some if one.pairs] for source, some in of_sizes.items()},
            "alpha_of_five_extrapolated": {source: rounded(alpha_of_five(some)) for source, some in of_sizes.items()},
            "distilled": None if distilled is None else _of_distilled(distilled),
        },
        tables={"": table, "sizes": _sizes_table(of_sizes)},
        pictures={"": partial(draw_ensembles, table=table, sizes=of_sizes, distilled=distilled, chosen=chosen)},
        claims=_claims(study, said),
    )


def _claims(study: Study, said: Mapping[str, Said]) -> dict[str, dict[str, Finding]]:
    return {
        case.annotator: {
            "ensemble_closes_gap": finding(lambda one: closes_gap(one, said[one.plain]), case)  # of a source's name
        }
        for case in cases(study)
    }


def _table(every: Mapping[str, Pool], found: Gains) -> pd.DataFrame:
    """A row per ensemble and way; cost: how many students have to be asked for a prediction."""
    rows = []
    for name, pool in every.items():
        for way in WAYS:
            if (name, way) not in found.scores["macro_f1"]:
                continue
            row: dict[str, Any] = {"ensemble": name, "way": way, "cost": pool.size if way in TOGETHER else 1}
            for metric, prefix in (("macro_f1", ""), ("accuracy", "accuracy_")):
                row |= _bounds(metric, prefix, found.scores[metric][name, way])
            row |= _bounds("gain", "gain_", found.over_mean.get((name, way)))
            row |= _bounds("over_best", "over_best_", found.over_best.get((name, way)))
            row |= _bounds("over_vote", "over_vote_", found.over_vote.get((name, way)))
            further = row["cost"] - 1
            row["gain_per_further_student"] = row["gain"] / further if further else np.nan
            rows.append(row)
    return pd.DataFrame(rows)


def _bounds(name: str, prefix: str, found: Interval | None) -> dict[str, float]:
    # sums in another order differ in the last digits, and 0 would be -0
    values = [np.nan] * 3 if found is None else [round(value, 12) + 0.0 for value in found[:3]]
    return dict(zip((name, f"{prefix}low", f"{prefix}high"), values, strict=True))


def _metrics(table: pd.DataFrame) -> dict[str, Any]:
    """ensemble -> way -> what is compared, without what is not there."""
    compact = ["cost", "macro_f1", "low", "high", "accuracy", "gain", "gain_low", "gain_high"]
    found: dict[str, Any] = {}
    for row in table.to_dict("records"):
        of_ensemble = found.setdefault(str(row["ensemble"]), {})
        numbers = {name: rounded(float(row[name])) for name in compact if not np.isnan(row[name])}
        of_ensemble[str(row["way"])] = numbers | {"cost": int(row["cost"])}
    return found


def _of_size(one: Size) -> dict[str, float | None]:
    return {
        "members": one.members,
        "alpha": rounded(one.alpha.estimate if one.alpha else None),
        "alpha_low": rounded(one.alpha.low if one.alpha else None),
        "alpha_high": rounded(one.alpha.high if one.alpha else None),
        "p_uc": rounded(one.p_uc.estimate if one.p_uc else None),
    }


def _sizes_table(of_sizes: Sizes) -> pd.DataFrame:
    """A row per source and number of members."""
    columns = ["source", "members", "drawn", "macro_f1", "accuracy", "gain", "gain_low", "gain_high", "pairs"]
    columns += ["alpha", "alpha_low", "alpha_high", "p_uc", "p_uc_low", "p_uc_high"]
    rows = [
        {"source": source, "members": one.members, "drawn": one.drawn, "macro_f1": one.macro_f1}
        | {"accuracy": one.accuracy, "pairs": one.pairs}
        | _bounds("gain", "gain_", one.gain)
        | _bounds("alpha", "alpha_", one.alpha)
        | _bounds("p_uc", "p_uc_", one.p_uc)
        for source, some in of_sizes.items()
        for one in some
    ]
    return pd.DataFrame(rows, columns=columns)


def _of_distilled(found: Distilled) -> dict[str, Any]:
    numbers = {
        name: {key: rounded(value) for key, value in zip(("estimate", "low", "high"), interval[:3], strict=True)}
        for name, interval in found._asdict().items()
        if isinstance(interval, tuple)
    }
    return numbers | {"ensemble": found.ensemble, "cost": 1, "instead_of": found.instead_of}
