"""How much of a result is luck: agreement of the seeds by source."""

from __future__ import annotations

from labelrisk.charts.chosen_sources import chosen_sources
from labelrisk.charts.contract import Chart, StudyFiles
from labelrisk.charts.drawing import Look, number
from labelrisk.charts.forest import Forest, Line, forest
from labelrisk.charts.study_files import json_of
from labelrisk.charts.themes import BLUE
from labelrisk.charts.wording import MOST, listed, times_100, with_bounds


def stability(files: StudyFiles) -> tuple[Chart, ...]:
    """Krippendorff's alpha of the seeds with its interval; a study of one seed has none."""
    scores = {
        name: one for name, one in json_of(files.metrics / "sources.json").items() if one.get("alpha") is not None
    }
    if not scores:
        return ()
    chosen = chosen_sources(files, scores, MOST)
    kept = [name for name in scores if name in chosen.panels or name == chosen.reference]
    rows = [
        {
            "name": chosen.shown[name],
            "kind": "alpha",
            "x": times_100(scores[name]["alpha"]),
            "low": times_100(scores[name]["alpha_low"]),
            "high": times_100(scores[name]["alpha_high"]),
            "alike": times_100(scores[name]["p_uc"]),
            "sd": times_100(scores[name]["macro_f1_sd"]),
        }
        for name in kept
    ]
    notes = {
        chosen.shown[name]: with_bounds(*(scores[name][of] for of in ("alpha", "alpha_low", "alpha_high")))
        for name in kept
    }
    alternative = (
        f"Krippendorff's alpha of the seeds (x100, with intervals): {listed([f'{k}: {v}' for k, v in notes.items()])}"
    )
    reference = times_100(scores.get(chosen.reference, {}).get("alpha"))
    drawn = Forest(
        rows=rows,
        looks={"alpha": Look(BLUE, "circle")},
        axis="Krippendorff's alpha, the seeds as raters (x100)",
        notes=notes,
        tooltips=[
            number("alike", "test rows labelled alike by all seeds (%)"),
            number("sd", "macro-F1, sd over seeds"),
        ],
        lines=[] if reference is None else [Line(reference, f"alpha of {chosen.shown[chosen.reference]}")],
        value="alpha",
    )
    return (
        Chart(
            "stability",
            "How much is luck: do seeds agree?",
            "Each dot says how far students of one source that differ in their seed alone give the same labels (100: "
            "always, 0: as by chance), with its interval; left of the line is less steady than the reference."
            + chosen.said,
            alternative,
            forest(drawn, alternative),
        ),
    )
