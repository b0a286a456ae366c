"""Tables of rows that flip: relations, bins of each covariate, and the rows that flip most."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from labelrisk.explanations.evidence import Evidence
from labelrisk.explanations.flips.covariates import DISTANCE, Covariate
from labelrisk.explanations.flips.relations import Related, Spreads
from labelrisk.statistics.bins import equal_mass
from labelrisk.statistics.contrasts import Contrast
from labelrisk.statistics.intervals import Interval
from labelrisk.statistics.scores import Floats
from labelrisk.statistics.shares import wilson

BIN_ROWS = 20  # of a bin at least: there are fewer bins of fewer rows


def relations_table(found: Sequence[Related]) -> pd.DataFrame:
    """A row per covariate and source: rho and AUC of vote entropy, gaps of disagreement, against the reference's."""
    return pd.DataFrame(
        dict[str, Any](
            covariate=one.covariate.name, annotator=one.covariate.annotator, source=one.source, rows=one.rows
        )
        | _numbers("spearman", one.rho)
        | _numbers("spearman_against_reference", one.rho_difference)
        | _numbers("auc", one.area)
        | _numbers("auc_against_reference", one.area_difference)
        | {
            "disagree_where_wrong": one.gap.wrong if one.gap else np.nan,
            "disagree_where_right": one.gap.right if one.gap else np.nan,
        }
        | _numbers("gap", one.gap.gap if one.gap else None)
        | _numbers("gap_against_reference", one.gap_difference)
        for one in found
    )


def _numbers(name: str, found: Interval | Contrast | None) -> dict[str, float]:
    values = [np.nan] * 3 if found is None else found[:3]
    numbers = dict(zip((name, f"{name}_low", f"{name}_high"), values, strict=True))
    if name.endswith("reference"):
        numbers[f"{name}_p_holm"] = found.p_different if isinstance(found, Contrast) else np.nan
    return numbers


def bins_table(evidence: Evidence, spreads: Spreads, covariates: Sequence[Covariate]) -> pd.DataFrame:
    """A row per covariate, source and bin of equal mass: its rows, the covariate's lowest, mean and highest value;
    the share of rows that flip with Wilson's interval over rows; how many pairs of seeds disagree.
    """
    bins, level = evidence.settings.flips.bins, evidence.study.settings.evaluate.confidence
    rows: list[dict[str, Any]] = []
    for covariate in covariates:
        for source, every in covariate.values.items():
            known = np.flatnonzero(~np.isnan(every))
            values = every[known]
            codes = values.astype(np.int64) if covariate.is_event else equal_mass(values, bins, BIN_ROWS)
            flips, pairs = spreads.entropy[source][known] > 0, spreads.pairs[source][known]
            for code in np.unique(codes):
                inside = codes == code
                share = wilson(int(flips[inside].sum()), int(inside.sum()), level)
                rows.append(
                    {"covariate": covariate.name, "annotator": covariate.annotator, "source": source, "bin": code + 1}
                    | {"rows": int(inside.sum()), "lowest": values[inside].min(), "mean": values[inside].mean()}
                    | {"highest": values[inside].max(), "flipped": share.share, "low": share.low, "high": share.high}
                    | {"pairs_disagree": pairs[inside].mean()}
                )
    return pd.DataFrame(rows)


def rows_table(evidence: Evidence, spreads: Spreads, covariates: Sequence[Covariate]) -> pd.DataFrame:
    """The rows that flip most, by the mean entropy over all sources: id, gold, words, distance, entropy by source."""
    mean: Floats = np.mean(list(spreads.entropy.values()), axis=0)
    order = np.argsort(-mean, kind="stable")
    order = order[mean[order] > 0][: evidence.settings.flips.rows]
    facts, classes = evidence.rows["test"], np.array(evidence.study.classes, dtype=object)
    columns: dict[str, Any] = {
        "id": facts.ids[order],
        "gold": classes[facts.gold[order]],
        "mean_entropy": mean[order],
        "words": facts.words[order],
    }
    for covariate in covariates:
        if covariate.name == DISTANCE:
            columns["distance"] = next(iter(covariate.values.values()))[order]
    columns |= {f"entropy of {source}": of[order] for source, of in spreads.entropy.items()}
    return pd.DataFrame(columns)
